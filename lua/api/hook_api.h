/* Hooks: functions of a script that run when something happens; and waiting for it.
 *
 * A hook runs as a task of its own, as the very next event: behind the event in which it happened, which is over by
 * then, and before anything else of the world, at the same instant. So it may do what any task may, and never enters an
 * engine that is in the middle of something. */
#ifndef LUA_API_HOOK_API_H
#define LUA_API_HOOK_API_H

#include <lua.h>

#define HOOK_TYPE "sim.hook"

int hook_on(lua_State *lua);
int hook_wait_for(lua_State *lua);
void hook_open(lua_State *lua);

#endif
