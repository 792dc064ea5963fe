/* Lists: plain tables whose length is the same in every run. */
#ifndef LUA_LANGUAGE_LIST_H
#define LUA_LANGUAGE_LIST_H

#include <lua.h>

/* Raises an error when it is no table, or has a metatable. */
void list_plain(lua_State *lua, int index);
/* The length of a list; raises an error when it has holes or a metatable. */
lua_Integer list_length(lua_State *lua, int index);

#endif
