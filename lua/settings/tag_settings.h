/* Tags of a scenario: words by which sets of scenarios are chosen. */
#ifndef LUA_SETTINGS_TAG_SETTINGS_H
#define LUA_SETTINGS_TAG_SETTINGS_H

#include <lua.h>

#include "lua/text/info.h"

/* Reads the list at `index` into *info; raises an error when it is none, or a word of it is none. */
void tags_read(lua_State *lua, int index, struct scenario_info *info);

#endif
