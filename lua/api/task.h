/* Tasks: coroutines that the timeline wakes. */
#ifndef LUA_API_TASK_H
#define LUA_API_TASK_H

#include <lua.h>

#include "lua/language/script.h"

/* Starts the function on top of the stack with `args` arguments below... above
 * it as a task, at the present time. Pops them. */
void task_start(lua_State *lua, int args);
int task_sleep(lua_State *lua);
int task_wait_until(lua_State *lua);
int task_spawn(lua_State *lua);
/* Adds the script's driver to the world and starts the checks of properties. */
void task_drive(struct script *script);
/* Faults stop now: the cluster settles for at most so long and is judged, in events of
 * the script's driver, the last of which stops the world (script->phase SCRIPT_OVER). */
void task_end(struct script *script, uint64_t settle_ns);

#endif
