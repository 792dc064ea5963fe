/* The world as a script sees it, and the module "sim". */
#ifndef LUA_API_WORLD_API_H
#define LUA_API_WORLD_API_H

#include <lua.h>

void world_open(lua_State *lua);

#endif
