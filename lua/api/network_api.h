/* Links, cuts and clogs as a script sees them. */
#ifndef LUA_API_NETWORK_API_H
#define LUA_API_NETWORK_API_H

#include <lua.h>

#include <stdint.h>

#include "lua/api/link_set.h"

void network_open(lua_State *lua);
/* Methods of the world. */
int network_partition(lua_State *lua);
int network_partition_one_way(lua_State *lua);
int network_isolate(lua_State *lua);
int network_heal_all(lua_State *lua);
int network_link(lua_State *lua);
int network_clog(lua_State *lua);
int network_flap(lua_State *lua);
int network_swizzle(lua_State *lua);

/* Cuts the links, or makes them flap, and pushes the handle. An act: an
 * override may leave it out. */
int network_cut_links(lua_State *lua, const struct link_set *links, const char *what);
int network_flap_links(lua_State *lua, const struct link_set *links, const struct sim_flap_config *config,
                       const char *what);
/* The nodes 1 to n in an order that the seed chooses. Returns n. */
uint32_t network_shuffle(lua_State *lua, uint32_t nodes[SCRIPT_GROUP_MAX]);

#endif
