/* Conflict policies in the tables of scenarios. */
#ifndef LUA_SETTINGS_POLICY_SETTINGS_H
#define LUA_SETTINGS_POLICY_SETTINGS_H

#include <lua.h>

#include "cluster/config.h"

/* `policy = "keep_local"` of the table at `index`, and `policies = { ["key-0000001"] = "manual" }`, onto *policies.
 * Gives whether there was one. */
bool settings_read_policies(lua_State *lua, int index, struct cluster_policies *policies, const char *path);
/* The policy that the text at `index` names, or an error that names the nearest; `path` as for schema_raise(). */
enum cluster_policy settings_policy(lua_State *lua, int index, const char *path, const char *key);
/* The prefix at `index`, or an error. */
const char *settings_prefix(lua_State *lua, int index, const char *path, const char *key, size_t *size);

#endif
