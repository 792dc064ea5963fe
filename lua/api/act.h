/* The acts of scripts: who may act, which act it is, whether it is left out. */
#ifndef LUA_API_ACT_H
#define LUA_API_ACT_H

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

#include "lua/language/steps.h"

/* The identity of the next decision or act of the running task. */
uint64_t script_identity(lua_State *lua);
/* Raises an error unless a task of the script runs (properties only look). */
void script_must_act(lua_State *lua, const char *what);
/* The same for a fault; false when an override leaves it out. */
bool script_fault(lua_State *lua, enum script_step step, uint32_t node, const char *what);

#endif
