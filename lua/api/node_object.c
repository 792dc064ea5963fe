#include "lua/api/node_object.h"

#include <lauxlib.h>

#include "cluster/lookup.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"

uint32_t node_check(lua_State *lua, int index) {
  struct script *script = script_of(lua);
  const struct node_object *object = luaL_testudata(lua, index, NODE_TYPE);
  if (object) return object->number;
  if (!lua_isinteger(lua, index)) script_raise(lua, "expected a node or its number, got %s", luaL_typename(lua, index));
  lua_Integer number = lua_tointeger(lua, index);
  uint32_t count = cluster_nodes(script->cluster);
  if (number < 1 || number > (lua_Integer)count)
    script_raise(lua, "there is no node %lld: the scenario has nodes 1 to %u", (long long)number, count);
  return (uint32_t)number;
}

/* The same object for the same node, so that they compare equal. */
void node_push(lua_State *lua, uint32_t number) {
  lua_getfield(lua, LUA_REGISTRYINDEX, "nodes");
  if (lua_rawgeti(lua, -1, number) == LUA_TNIL) {
    lua_pop(lua, 1);
    struct node_object *object = lua_newuserdatauv(lua, sizeof *object, 0);
    object->number = number;
    luaL_setmetatable(lua, NODE_TYPE);
    lua_pushvalue(lua, -1);
    lua_rawseti(lua, -3, number);
  }
  lua_remove(lua, -2);
}
