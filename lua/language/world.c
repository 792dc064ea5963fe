#include "lua/language/world.h"

#include <lauxlib.h>

#include "lua/language/objects.h"
#include "lua/language/script.h"

void world_create(lua_State *lua) {
  (void)lua_newuserdatauv(lua, 1, 0);
  luaL_setmetatable(lua, WORLD_TYPE);
  lua_setfield(lua, LUA_REGISTRYINDEX, "world");
}

void world_push(lua_State *lua) {
  lua_getfield(lua, LUA_REGISTRYINDEX, "world");
}

struct script *world_check(lua_State *lua) {
  (void)object_check(lua, 1, WORLD_TYPE, "world");
  return script_of(lua);
}
