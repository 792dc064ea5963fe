/* What a script writes to a node and reads from it. */
#ifndef LUA_API_DATA_API_H
#define LUA_API_DATA_API_H

#include <lua.h>

#include "cluster/submit.h"

/* node:put(key [, value]), node:delete(key), node:submit { changes }: whether it was taken, and the status by name. */
int data_api_put(lua_State *lua);
int data_api_delete(lua_State *lua);
int data_api_submit(lua_State *lua);
/* node:get(key): the number of the value in the ledger, or nil. */
int data_api_get(lua_State *lua);
/* node:read(key): the value's bytes or nil, and the status by name. */
int data_api_read(lua_State *lua);
/* node:siblings(key), node:list([prefix [, options]]): lists of tables. */
int data_api_siblings(lua_State *lua);
int data_api_list(lua_State *lua);

#endif
