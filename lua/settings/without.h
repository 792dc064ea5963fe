/* Oracles that a scenario switches off: without = { ["bounded traffic"] = "why" }. */
#ifndef LUA_SETTINGS_WITHOUT_H
#define LUA_SETTINGS_WITHOUT_H

#include <lua.h>

#include "lua/text/info.h"

/* Takes the table at `index`; in *info they are in the order of cluster_oracle_names. */
void without_take(lua_State *lua, int index, struct scenario_info *info);

#endif
