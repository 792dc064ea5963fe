/* Rules for messages by kind: world:rule { from = 1, to = 2, kind = "hello", drop = 3 }. */
#ifndef LUA_API_RULE_API_H
#define LUA_API_RULE_API_H

#include <lua.h>

void rule_open(lua_State *lua);
/* A method of the world. */
int rule_add(lua_State *lua);

#endif
