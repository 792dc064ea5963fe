/* What a script does about conflicts. */
#ifndef LUA_API_CONFLICT_API_H
#define LUA_API_CONFLICT_API_H

#include <lua.h>

/* node:conflicts(): a list of { key, siblings, settled, policy, token } in the order of their keys' bytes. */
int conflict_api_conflicts(lua_State *lua);
/* node:resolve(key, token [, size or "delete"]): whether it was taken, and the name of the status. */
int conflict_api_resolve(lua_State *lua);
/* node:resolved(): how many keys in conflict its policies have resolved since it started. */
int conflict_api_resolved(lua_State *lua);
/* node:policy(policy [, prefix]): the name of the status. */
int conflict_api_policy(lua_State *lua);

#endif
