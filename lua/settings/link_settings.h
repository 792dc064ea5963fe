/* The options of links: network = { ... } and world:link(a, b) { ... }. */
#ifndef LUA_SETTINGS_LINK_SETTINGS_H
#define LUA_SETTINGS_LINK_SETTINGS_H

#include <lua.h>

#include "sim/sim.h"

/* Network options onto *link. */
void settings_read_network(lua_State *lua, int index, struct sim_link_config *link, const char *path);

#endif
