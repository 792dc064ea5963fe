/* Partitions by shape: who talks to whom. Each gives a handle as
 * world:partition does. */
#ifndef LUA_API_PARTITION_API_H
#define LUA_API_PARTITION_API_H

#include <lua.h>

/* Methods of the world. */
int partition_halves(lua_State *lua);
int partition_bridge(lua_State *lua);
int partition_ring(lua_State *lua);
int partition_random(lua_State *lua);

#endif
