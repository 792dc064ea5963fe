/* The global functions of a script: Lua's, without what is endless, native,
 * floating-point, or different from run to run. */
#ifndef LUA_LANGUAGE_SANDBOX_H
#define LUA_LANGUAGE_SANDBOX_H

#include <lua.h>

void sandbox_open(lua_State *lua);
/* Pushes the text of any value: like tostring, without addresses. */
void sandbox_tostring(lua_State *lua, int index);

#endif
