/* Objects of the language: userdata whose unknown methods are errors that name
 * the nearest one. */
#ifndef LUA_LANGUAGE_OBJECTS_H
#define LUA_LANGUAGE_OBJECTS_H

#include <lua.h>

struct script_method {
  const char *name;
  lua_CFunction call;
};
/* Makes the metatable `type` with these methods; an unknown one is an error
 * that names the nearest. The list ends in NULL. */
void object_type(lua_State *lua, const char *type, const char *noun, const struct script_method *methods);
/* The object at `index`, or an error that says how to call a method. */
void *object_check(lua_State *lua, int index, const char *type, const char *noun);

#define WORLD_TYPE "sim.world"
#define NODE_TYPE "sim.node"
#define CUT_TYPE "sim.cut"
#define RULE_TYPE "sim.rule"
#define KV_TYPE "sim.kv"
#define MERGE_TYPE "sim.merge"
#define PROPERTY_TYPE "sim.property"
#define SCENARIO_TYPE "sim.scenario"

#endif
