/* require "sim", and require "helpers.NAME": a file of the folder `helpers` beside the scenario. */
#ifndef LUA_LANGUAGE_REQUIRE_H
#define LUA_LANGUAGE_REQUIRE_H

#include <lua.h>

int require_module(lua_State *lua);

#endif
