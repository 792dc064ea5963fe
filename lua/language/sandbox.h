/* The global functions of a script: Lua's, without what is endless, native,
 * floating-point, or different from run to run. */
#ifndef LUA_LANGUAGE_SANDBOX_H
#define LUA_LANGUAGE_SANDBOX_H

#include <lua.h>

#include <stdbool.h>

struct script;

void sandbox_open(lua_State *lua);
/* Looks whether a metatable was given, later on, what setmetatable refuses. false:
 * the script is wrong (recorded). Between events. */
bool sandbox_check(struct script *script);

#endif
