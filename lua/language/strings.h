/* The string library without what is endless inside C, native or
 * floating-point. The library's own functions do the work; these check first. */
#ifndef LUA_LANGUAGE_STRINGS_H
#define LUA_LANGUAGE_STRINGS_H

#include <lua.h>

void strings_open(lua_State *lua);

#endif
