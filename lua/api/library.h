/* All that a script can name. */
#ifndef LUA_API_LIBRARY_H
#define LUA_API_LIBRARY_H

#include <lua.h>

/* Opens it, in a new state. */
int library_open(lua_State *lua);

#endif
