/* The world as an object: there is one in a state. */
#ifndef LUA_LANGUAGE_WORLD_H
#define LUA_LANGUAGE_WORLD_H

#include <lua.h>

#include "lua/language/script.h"

/* Makes it, once WORLD_TYPE has its methods. */
void world_create(lua_State *lua);
void world_push(lua_State *lua);
/* Argument 1 must be it. */
struct script *world_check(lua_State *lua);

#endif
