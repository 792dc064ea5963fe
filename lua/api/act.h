/* The acts of scripts: who may act, which act it is, whether it is left out. */
#ifndef LUA_API_ACT_H
#define LUA_API_ACT_H

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

#include "lua/language/steps.h"

/* The identity of a decision or act of the running task: which task (by who spawned it, and
 * the how manyth it is of his), which call (`what`) about which node (0: none), and the
 * how manyth it is of those. So an edit moves only what is like it, in the same task. */
uint64_t script_identity(lua_State *lua, const char *what, uint32_t node);
/* Raises an error unless a task of the script runs (properties only look). */
void script_must_act(lua_State *lua, const char *what);
/* The same for what is no fault (writes, repairs, ...); false when an override leaves it out
 * (SIM_CHOICE_SCENARIO_SKIP 1). */
bool script_act(lua_State *lua, enum script_step step, uint32_t node, const char *what);
/* The same for a fault: a choice of the source, always 1 under a seed; false when an override
 * leaves it out (SIM_CHOICE_SCENARIO 0). */
bool script_fault(lua_State *lua, enum script_step step, uint32_t node, const char *what);
/* The same two, of acts that are told by their caller (tell.h), since chance or a handle belong into the statement. */
bool script_act_untold(lua_State *lua, enum script_step step, uint32_t node, const char *what);
bool script_fault_untold(lua_State *lua, enum script_step step, uint32_t node, const char *what);

#endif
