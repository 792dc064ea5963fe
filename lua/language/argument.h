/* Quantities as arguments. */
#ifndef LUA_LANGUAGE_ARGUMENT_H
#define LUA_LANGUAGE_ARGUMENT_H

#include <lua.h>

#include <stdint.h>

/* A duration at `index`, in nanoseconds. */
uint64_t script_duration(lua_State *lua, int index);
/* A duration or range of them at `index`. */
void script_durations(lua_State *lua, int index, uint64_t *min_ns, uint64_t *max_ns);

#endif
