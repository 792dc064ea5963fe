/* Nodes and peers that come and go while a run goes on. */
#ifndef LUA_API_MEMBER_API_H
#define LUA_API_MEMBER_API_H

#include <lua.h>

int member_add_node(lua_State *lua);
int member_add_peer(lua_State *lua);
int member_remove_peer(lua_State *lua);
int member_retry(lua_State *lua);

#endif
