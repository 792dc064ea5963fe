#include "lua/api/library.h"

#include <lauxlib.h>

#include "lua/api/hook_api.h"
#include "lua/api/network_api.h"
#include "lua/api/node_api.h"
#include "lua/api/rule_api.h"
#include "lua/api/world_api.h"
#include "lua/language/sandbox.h"
#include "lua/language/strings.h"
#include "lua/language/tables.h"

int library_open(lua_State *lua) {
  sandbox_open(lua);
  strings_open(lua);
  tables_open(lua);
  world_open(lua);
  node_open(lua);
  network_open(lua);
  rule_open(lua);
  hook_open(lua);
  /* Lua looks there for the name of a function that an error is about, in the
   * order of a table: a function with two names would have either. */
  lua_pushnil(lua);
  lua_setfield(lua, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_settop(lua, 0);
  return 0;
}
