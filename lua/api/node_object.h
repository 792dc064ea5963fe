/* A node as a value: the same object for the same node. */
#ifndef LUA_API_NODE_OBJECT_H
#define LUA_API_NODE_OBJECT_H

#include <lua.h>

#include <stdint.h>

struct node_object {
  uint32_t number;
};

void node_push(lua_State *lua, uint32_t number);
/* The number of a node given as a number or a node object. */
uint32_t node_check(lua_State *lua, int index);

#endif
