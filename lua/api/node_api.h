/* A node as a script sees it. */
#ifndef LUA_API_NODE_API_H
#define LUA_API_NODE_API_H

#include <lua.h>

void node_open(lua_State *lua);

#endif
