/* Tasks: coroutines that the timeline wakes. */
#ifndef LUA_API_TASK_H
#define LUA_API_TASK_H

#include <lua.h>

#include "lua/language/script.h"

/* The task that runs now; raises an error, in the name of `what`, when none does or something may only look. */
struct script_task *task_running(lua_State *lua, const char *what);
/* Starts the function on top of the stack with `args` arguments below... above
 * it as a task, at the present time. Pops them. */
void task_start(lua_State *lua, int args);
/* The same, under a name of its own for identities (script_identity), and runs it at once, to its first sleep: for a
 * wake of a driver. */
void task_run(lua_State *lua, int args, uint64_t name);
/* The task waits until somebody answers it, or until a time, when it gets nil. To be returned by the C function. */
int task_await(lua_State *lua, struct script_task *task, uint64_t until_ns);
/* Whether the task still waits for the answer to what was its `generation`th wait. */
bool task_awaits(const struct script *script, uint32_t slot, uint32_t generation);
/* Answers it with the value on top of the script's stack, and runs it. */
void task_answer(struct script *script, uint32_t slot);
/* A driver's wake begins in which something of the script may run. false: nothing may, any more. */
bool task_wake_begins(struct script *script);
int task_sleep(lua_State *lua);
int task_wait_until(lua_State *lua);
int task_spawn(lua_State *lua);
/* Adds the script's driver to the world and starts the checks of properties. */
void task_drive(struct script *script);
/* Faults stop now: the cluster settles for at most so long and is judged, in events of
 * the script's driver, the last of which stops the world (script->phase SCRIPT_OVER). */
void task_end(struct script *script, uint64_t settle_ns);
/* Which tasks have not come to their end, where each waits, since when and until when; empty: none. `path`: of the
 * scenario. */
void task_tell_waits(const struct script *script, const char *path, char *text, size_t size);

#endif
