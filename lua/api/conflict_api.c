#include "lua/api/conflict_api.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "cluster/cluster.h"
#include "cluster/configure.h"
#include "cluster/policies.h"
#include "cluster/submit.h"
#include "lua/api/act.h"
#include "lua/api/change.h"
#include "lua/api/node_object.h"
#include "lua/api/tell.h"
#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/language/steps.h"
#include "lua/settings/policy_settings.h"

/* --- Tokens as text: the engine's in hexadecimal, then what the model says of them -------------- */

#define TOKEN_DIGITS (2u * (sizeof(struct sync_token) + sizeof(uint64_t)))

static void token_bytes(const struct cluster_token *token, uint8_t bytes[TOKEN_DIGITS / 2u]) {
  memcpy(bytes, token->engine.bytes, sizeof token->engine.bytes);
  for (uint32_t i = 0; i < sizeof token->mark; i++)
    bytes[sizeof token->engine.bytes + i] = (uint8_t)(token->mark >> (8u * i));
}

static void push_token(lua_State *lua, const struct cluster_token *token) {
  static const char digits[] = "0123456789abcdef";
  uint8_t bytes[TOKEN_DIGITS / 2u];
  char text[TOKEN_DIGITS];
  token_bytes(token, bytes);
  for (uint32_t i = 0; i < sizeof bytes; i++) {
    text[2u * i] = digits[bytes[i] >> 4];
    text[2u * i + 1u] = digits[bytes[i] & 15u];
  }
  lua_pushlstring(lua, text, sizeof text);
}

static uint8_t digit_of(lua_State *lua, char c) {
  if (c >= '0' && c <= '9') return (uint8_t)(c - '0');
  if (c >= 'a' && c <= 'f') return (uint8_t)(c - 'a' + 10);
  script_raise(lua, "node:resolve(key, token): this token is not one that node:conflicts() gave");
}

static struct cluster_token token_check(lua_State *lua, int index) {
  struct cluster_token token = {{{0}}, 0};
  size_t size = 0;
  const char *text = lua_type(lua, index) == LUA_TSTRING ? show_text(lua, index, &size) : NULL;
  if (!text || size != TOKEN_DIGITS)
    script_raise(lua, "node:resolve(key, token): the token is what node:conflicts() gives: node:conflicts()[1].token");
  uint8_t bytes[TOKEN_DIGITS / 2u] = {0};
  for (uint32_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(digit_of(lua, text[2u * i]) << 4 | digit_of(lua, text[2u * i + 1u]));
  memcpy(token.engine.bytes, bytes, sizeof token.engine.bytes);
  for (uint32_t i = 0; i < sizeof token.mark; i++)
    token.mark |= (uint64_t)bytes[sizeof token.engine.bytes + i] << (8u * i);
  return token;
}

/* --- Listing ---------------------------------------------------------------------------------- */

struct listing {
  lua_State *lua;
  lua_Integer count;
};

static void push_conflict(void *arg, const struct cluster_conflict *conflict) {
  static const char *const kinds[] = {"last_write_wins", "keep_local", "keep_remote", "manual", "merge"};
  struct listing *listing = arg;
  lua_State *lua = listing->lua;
  lua_createtable(lua, 0, 5);
  change_push_key(lua, conflict->slot, conflict->key, conflict->key_size);
  lua_setfield(lua, -2, "key");
  lua_pushinteger(lua, (lua_Integer)conflict->siblings);
  lua_setfield(lua, -2, "siblings");
  lua_pushboolean(lua, conflict->settled);
  lua_setfield(lua, -2, "settled");
  lua_pushstring(lua, kinds[conflict->kind]);
  lua_setfield(lua, -2, "policy");
  push_token(lua, &conflict->token);
  lua_setfield(lua, -2, "token");
  lua_rawseti(lua, -2, ++listing->count);
}

int conflict_api_conflicts(lua_State *lua) {
  uint32_t node = node_check(lua, 1);
  struct listing listing = {lua, 0};
  luaL_checkstack(lua, 4, NULL);
  lua_newtable(lua);
  (void)cluster_conflicts(script_of(lua)->cluster, node, push_conflict, &listing);
  return 1;
}

/* --- Resolving ---------------------------------------------------------------------------------- */

static void push_status(lua_State *lua, int status) {
  lua_pushboolean(lua, status == SYNC_OK);
  lua_pushstring(lua, sync_status_name(status));
}

static struct cluster_change resolution(lua_State *lua) {
  struct cluster_change change = {.kind = SYNC_DELETE};
  size_t size;
  change_key(lua, 2, "node:resolve", &change);
  const char *text = lua_type(lua, 4) == LUA_TSTRING ? show_text(lua, 4, &size) : NULL;
  if (!text || strcmp(text, "delete") != 0) change_value(lua, 4, "node:resolve", &change);
  return change;
}

int conflict_api_resolve(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = node_check(lua, 1);
  struct cluster_change change = resolution(lua);
  struct cluster_token token = token_check(lua, 3);
  if (!script_act_untold(lua, SCRIPT_STEP_RESOLVE, node, "node:resolve")) {
    lua_pushboolean(lua, 0);
    lua_pushliteral(lua, "LEFT_OUT");
    return 2;
  }
  tell_resolve(lua, node);
  int status = cluster_resolve(script->cluster, node, &change, &token);
  uint64_t key = change.key_text || change.text ? change_hash(&change, 1) : change.key;
  uint64_t fields[] = {change.kind, key, change.size, (uint64_t)(int64_t)status};
  script_trace(script, SCRIPT_STEP_RESOLVE, node, fields, 4);
  push_status(lua, status);
  return 2;
}

int conflict_api_resolved(lua_State *lua) {
  struct sync_stats stats = {0};
  (void)cluster_node_stats(script_of(lua)->cluster, node_check(lua, 1), &stats);
  lua_pushinteger(lua, (lua_Integer)stats.resolved);
  return 1;
}

/* --- Policies ------------------------------------------------------------------------------------ */

int conflict_api_policy(lua_State *lua) {
  struct script *script = script_of(lua);
  uint32_t node = node_check(lua, 1);
  size_t size = 0;
  enum cluster_policy policy = settings_policy(lua, 2, NULL, "node:policy");
  const char *prefix = lua_isnoneornil(lua, 3) ? "" : settings_prefix(lua, 3, NULL, "node:policy", &size);
  if (!script_act(lua, SCRIPT_STEP_POLICY, node, "node:policy")) return 0;
  int status = cluster_policy_set(script->cluster, node, prefix, size, policy);
  uint64_t fields[] = {policy, size, (uint64_t)(int64_t)status};
  script_trace(script, SCRIPT_STEP_POLICY, node, fields, 3);
  if (status == SYNC_E_TOO_MANY)
    script_raise(lua, "node:policy: a node has at most %d prefixes", (int)CLUSTER_PREFIXES_MAX);
  lua_pushstring(lua, sync_status_name(status));
  return 1;
}
