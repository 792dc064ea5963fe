/* table.sort as a stable merge sort: the library's pivot depends on clocks. */
#ifndef LUA_LANGUAGE_SORT_H
#define LUA_LANGUAGE_SORT_H

#include <lua.h>

int sort_table(lua_State *lua);

#endif
