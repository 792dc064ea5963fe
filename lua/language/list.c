#include "lua/language/list.h"

#include <lauxlib.h>

#include "lua/language/script.h"

void list_plain(lua_State *lua, int index) {
  luaL_checktype(lua, index, LUA_TTABLE);
  if (lua_getmetatable(lua, index)) script_raise(lua, "the table library takes plain tables, without a metatable");
}

lua_Integer list_length(lua_State *lua, int index) {
  lua_Integer count = 0, greatest = 0;
  index = lua_absindex(lua, index);
  list_plain(lua, index);
  uint64_t seen = 0;
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    seen++;
    if (!lua_isinteger(lua, -2)) {
      seen += 3; /* the next of these is looked for by its hash */
      continue;
    }
    lua_Integer key = lua_tointeger(lua, -2);
    if (key < 1) continue;
    count++;
    if (key > greatest) greatest = key;
  }
  script_charge(lua, seen + 1u);
  /* Where a list with holes ends differs from run to run. */
  if (count != greatest)
    script_raise(lua, "the list has holes (%lld items, the last at %lld), so it has no defined length",
                 (long long)count, (long long)greatest);
  return count;
}
