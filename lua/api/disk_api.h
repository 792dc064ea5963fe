/* What a script looks at and damages on a node's disk. */
#ifndef LUA_API_DISK_API_H
#define LUA_API_DISK_API_H

#include <lua.h>

/* node:files(): a list of { name = ..., size = ... } in the order of their names. */
int disk_api_files(lua_State *lua);
/* node:disk_flip(name, bit): whether there is such a bit. */
int disk_api_flip(lua_State *lua);
/* node:disk_unreadable(name, sector [, count]): whether there are such sectors. */
int disk_api_unreadable(lua_State *lua);

#endif
