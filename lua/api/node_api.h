/* A node as a script sees it. */
#ifndef LUA_API_NODE_API_H
#define LUA_API_NODE_API_H

#include <lua.h>

#include <stdint.h>

void node_open(lua_State *lua);
void node_push(lua_State *lua, uint32_t number);
/* The number of a node given as a number or a node object. */
uint32_t node_check(lua_State *lua, int index);

#endif
