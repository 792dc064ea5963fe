/* Merge functions written in Lua, as conflict policies. */
#ifndef LUA_SETTINGS_MERGE_H
#define LUA_SETTINGS_MERGE_H

#include <lua.h>

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"

/* sim.merge(function(key, values) ... return value end). The function is called with a text and a list of two or more
 * texts, whenever the engine or an oracle reads a key in conflict; it sees nothing else, is bounded in steps, and gives
 * a text, or nil: the values cannot be merged, and the read says SYNC_E_MERGE. An error in it, or another value for
 * the same values in another order, is the script's. */
int merge_make(lua_State *lua);
/* The engine's callback, whose argument is a struct script_merge. */
sync_merge merge_callback;
/* Whether that value is one; then *policy is its. */
bool merge_policy(lua_State *lua, int index, uint32_t *policy);

#endif
