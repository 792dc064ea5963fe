#include "lua/api/disk_api.h"

#include <lauxlib.h>

#include "lua/api/act.h"
#include "lua/api/node_object.h"
#include "lua/language/script.h"
#include "lua/language/steps.h"
#include "lua/language/word.h"
#include "sim/sim.h"

enum { FLIP = 1, UNREADABLE = 2 };

static struct sim_disk *disk_of(lua_State *lua, uint32_t node) {
  return sim_node_disk(sim_node_at(script_of(lua)->world, node));
}

int disk_api_files(lua_State *lua) {
  const struct sim_disk *disk = disk_of(lua, node_check(lua, 1));
  uint64_t size = 0;
  const char *name;
  lua_newtable(lua);
  for (uint32_t i = 0; (name = sim_disk_name_at(disk, i, &size)) != NULL; i++) {
    lua_createtable(lua, 0, 2);
    lua_pushstring(lua, name);
    lua_setfield(lua, -2, "name");
    lua_pushinteger(lua, (lua_Integer)size);
    lua_setfield(lua, -2, "size");
    lua_rawseti(lua, -2, (lua_Integer)i + 1);
  }
  return 1;
}

/* A whole number, not negative. */
static uint64_t count_at(lua_State *lua, int index, const char *what, const char *noun) {
  if (!lua_isinteger(lua, index) || lua_tointeger(lua, index) < 0)
    script_raise(lua, "%s: %s is a whole number, 0 or more", what, noun);
  return (uint64_t)lua_tointeger(lua, index);
}

static const char *name_at(lua_State *lua, const char *what) {
  if (lua_type(lua, 2) != LUA_TSTRING)
    script_raise(lua, "%s: name a file, as node:files() has it: node:files()[1].name", what);
  return word_check(lua, 2, what);
}

static int damaged(lua_State *lua, uint32_t node, uint64_t what, uint64_t place, uint64_t count, bool done) {
  uint64_t fields[] = {what, place, count, done};
  script_trace(script_of(lua), SCRIPT_STEP_DAMAGE, node, fields, 4);
  lua_pushboolean(lua, done);
  return 1;
}

int disk_api_flip(lua_State *lua) {
  uint32_t node = node_check(lua, 1);
  const char *name = name_at(lua, "node:disk_flip");
  uint64_t bit = count_at(lua, 3, "node:disk_flip", "the bit");
  if (!script_fault(lua, SCRIPT_STEP_DAMAGE, node, "node:disk_flip")) return 0;
  return damaged(lua, node, FLIP, bit, 1, sim_disk_flip(disk_of(lua, node), name, bit));
}

int disk_api_unreadable(lua_State *lua) {
  uint32_t node = node_check(lua, 1);
  const char *name = name_at(lua, "node:disk_unreadable");
  uint64_t sector = count_at(lua, 3, "node:disk_unreadable", "the sector");
  uint64_t count = lua_isnoneornil(lua, 4) ? 1 : count_at(lua, 4, "node:disk_unreadable", "the count");
  if (!script_fault(lua, SCRIPT_STEP_DAMAGE, node, "node:disk_unreadable")) return 0;
  return damaged(lua, node, UNREADABLE, sector, count, sim_disk_unreadable(disk_of(lua, node), name, sector, count));
}
