/* The math library over whole numbers: the library's own takes "1.5" and gives a
 * floating-point number. */
#ifndef LUA_LANGUAGE_NUMBERS_H
#define LUA_LANGUAGE_NUMBERS_H

#include <lua.h>

void numbers_open(lua_State *lua);

#endif
