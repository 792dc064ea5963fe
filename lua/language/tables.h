/* The table library, bounded, over lists whose length is defined. */
#ifndef LUA_LANGUAGE_TABLES_H
#define LUA_LANGUAGE_TABLES_H

#include <lua.h>

void tables_open(lua_State *lua);

#endif
