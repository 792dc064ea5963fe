/* pairs in an order that depends on the keys alone: numbers, then strings
 * bytewise, then booleans. The library's order depends on addresses. */
#ifndef LUA_LANGUAGE_PAIRS_H
#define LUA_LANGUAGE_PAIRS_H

#include <lua.h>

int pairs_sorted(lua_State *lua);

#endif
