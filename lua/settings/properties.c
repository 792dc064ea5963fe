#include "lua/settings/properties.h"

#include <lauxlib.h>
#include <string.h>

#include "lua/language/argument.h"
#include "lua/language/list.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/word.h"
#include "lua/language/steps.h"
#include "lua/language/world.h"
#include "lua/settings/schema.h"
#include "lua/text/info.h"
#include "lua/text/units.h"

struct property_object {
  enum script_property_kind kind;
  char name[SCENARIO_NAME_BYTES];
  uint64_t within_ns;
};

/* sim.KIND(name, [within,] function): the object holds the function as its
 * user value. */
static int make(lua_State *lua, enum script_property_kind kind, const char *call) {
  int function = kind == SCRIPT_EVENTUALLY ? 3 : 2;
  if (lua_gettop(lua) != function || lua_type(lua, 1) != LUA_TSTRING || lua_type(lua, function) != LUA_TFUNCTION)
    script_raise(lua, "write %s", call);
  struct property_object property = {.kind = kind};
  const char *name = word_check(lua, 1, "the name of a property");
  size_t size = strlen(name);
  if (!size || size >= sizeof property.name || memchr(name, '\n', size))
    script_raise(lua, "the name of a property is one line of 1 to %d bytes", (int)sizeof property.name - 1);
  memcpy(property.name, name, size);
  if (kind == SCRIPT_EVENTUALLY) property.within_ns = script_duration(lua, 2);
  struct property_object *object = lua_newuserdatauv(lua, sizeof *object, 1);
  *object = property;
  lua_pushvalue(lua, function);
  lua_setiuservalue(lua, -2, 1);
  luaL_setmetatable(lua, PROPERTY_TYPE);
  return 1;
}

int property_always(lua_State *lua) {
  return make(lua, SCRIPT_ALWAYS, "sim.always(\"name\", function(world) ... return true or false end)");
}
int property_sometimes(lua_State *lua) {
  return make(lua, SCRIPT_SOMETIMES, "sim.sometimes(\"name\", function(world) ... return true or false end)");
}
int property_eventually(lua_State *lua) {
  return make(lua, SCRIPT_EVENTUALLY,
              "sim.eventually(\"name\", \"30s\", function(world) ... return true or false end)");
}

void properties_take(lua_State *lua, int index) {
  struct script *script = script_of(lua);
  lua_Integer count = list_length(lua, index);
  uint32_t sometimes = 0;
  if (count > (lua_Integer)SCRIPT_PROPERTIES_MAX)
    schema_raise(lua, "", "properties", "a scenario has at most %u properties", SCRIPT_PROPERTIES_MAX);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(lua, index, i);
    const struct property_object *object = luaL_testudata(lua, -1, PROPERTY_TYPE);
    if (!object)
      schema_raise(lua, "", "properties", "properties[%d] is a %s: write sim.always, sim.sometimes or sim.eventually",
                   (int)i, luaL_typename(lua, -1));
    if (object->kind == SCRIPT_SOMETIMES && ++sometimes > SCENARIO_SOMETIMES_MAX)
      schema_raise(lua, "", "properties", "a scenario has at most %u sim.sometimes", SCENARIO_SOMETIMES_MAX);
    struct script_property *property = &script->properties[script->property_count++];
    property->kind = object->kind;
    property->within_ns = object->within_ns;
    memcpy(property->name, object->name, sizeof property->name);
    lua_getiuservalue(lua, -1, 1);
    property->function = luaL_ref(lua, LUA_REGISTRYINDEX);
    lua_pop(lua, 1);
  }
}

/* 1, 0, or -1: the script is wrong. */
static int evaluate(struct script *script, const struct script_property *property) {
  lua_State *lua = script->lua;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, property->function);
  world_push(lua);
  script->watching = true;
  script_slice(script);
  bool good = script_call(script, 1, 1);
  script->watching = false;
  if (!good) return -1;
  int type = lua_type(lua, -1), outcome = lua_toboolean(lua, -1);
  lua_pop(lua, 1);
  if (type == LUA_TBOOLEAN) return outcome;
  lua_Debug debug;
  lua_rawgeti(lua, LUA_REGISTRYINDEX, property->function);
  bool known = lua_getinfo(lua, ">S", &debug) && debug.source[0] == '=' && debug.linedefined > 0;
  lua_pushfstring(lua, "%s:%d: the property \"%s\" returned a %s: return true or false",
                  known ? debug.source + 1 : SCRIPT_CHUNK, known ? debug.linedefined : 1, property->name,
                  lua_typename(lua, type));
  script_failed(script, lua, LUA_ERRRUN);
  lua_pop(lua, 1);
  return -1;
}

static void check_eventually(struct script *script, struct script_property *property, bool held, bool final) {
  uint64_t now = sim_now(script->world), end = script->settle_start_ns + property->within_ns;
  property->satisfied = held;
  if (held || (now < end && !final)) return;
  char within[32], at[32];
  units_format_duration(property->within_ns, within, sizeof within);
  units_format_duration(now, at, sizeof at);
  sim_violation(script->world, property->name, 0, NULL,
                "did not become true within %s after faults stopped (looked "
                "until %s)",
                within, at);
}

static void check(struct script *script, uint32_t index, bool final) {
  struct script_property *property = &script->properties[index];
  if (property->kind != SCRIPT_ALWAYS && property->satisfied) return;
  if (property->kind == SCRIPT_EVENTUALLY && script->phase == SCRIPT_RUNS) return;
  int outcome = evaluate(script, property);
  if (outcome < 0) return;
  if (property->kind == SCRIPT_ALWAYS) {
    if (outcome) return;
    char at[32];
    units_format_duration(sim_now(script->world), at, sizeof at);
    sim_violation(script->world, property->name, 0, NULL, "was false at %s", at);
  } else if (property->kind == SCRIPT_SOMETIMES) {
    property->satisfied = outcome;
  } else {
    check_eventually(script, property, outcome, final);
  }
  if (!outcome) return;
  uint64_t fields[] = {index, 1};
  script_trace(script, SCRIPT_STEP_CHECK, 0, fields, 2);
}

void properties_check(struct script *script, bool final) {
  for (uint32_t i = 0; i < script->property_count; i++) {
    if (script->wrong || sim_violation_get(script->world)->found) return;
    check(script, i, final);
  }
}

bool properties_pending(const struct script *script, uint64_t *until_ns) {
  *until_ns = 0;
  for (uint32_t i = 0; i < script->property_count; i++) {
    const struct script_property *property = &script->properties[i];
    if (property->kind != SCRIPT_EVENTUALLY || property->satisfied) continue;
    if (script->settle_start_ns + property->within_ns > *until_ns)
      *until_ns = script->settle_start_ns + property->within_ns;
  }
  return *until_ns != 0;
}
