/* What a script did, as statements that could be written in its place: with what chance decided put in. Told to
 * whoever records the run; part of no trace hash. */
#ifndef LUA_API_TELL_H
#define LUA_API_TELL_H

#include <lua.h>

#include <stdint.h>

#include "lua/api/link_set.h"
#include "lua/language/script.h"

/* A statement, at this moment. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void tell(struct script *script, const char *format, ...);
/* The call of `what` ("node:wipe", "world:forge") on node (0: none) with the arguments on the stack, from index 2 on;
 * when `handle` is not 0, its value is kept as cut<handle>. */
void tell_call(lua_State *lua, const char *what, uint32_t node, uint32_t handle);
/* A crash or restart: `nth` 0 is at once; `calls` as SIM_CALLS_. */
void tell_crash(struct script *script, const char *method, uint32_t node, const char *key, uint64_t nth,
                uint32_t calls);
/* Links that were cut, as cut<handle>: two groups where they are all the links between two, else one by one. Gives
 * into how many parts (cut<handle>_1, ...), 0: it is one. */
uint32_t tell_cut(struct script *script, const struct link_set *links, uint32_t handle);
void tell_flap(struct script *script, const struct link_set *links, const struct sim_flap_config *config,
               uint32_t handle);
/* A link whose options are the table at index 1. */
void tell_link(lua_State *lua, uint32_t from, uint32_t to);
void tell_swizzle(struct script *script, const uint32_t *nodes, uint32_t count, uint64_t ns);
/* node:resolve(key, token, ...) on the stack: a token is good for one run, so it is asked for again. */
void tell_resolve(lua_State *lua, uint32_t node);
void tell_heal(struct script *script, uint32_t handle, uint32_t parts);

#endif
