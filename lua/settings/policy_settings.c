#include "lua/settings/policy_settings.h"

#include <string.h>

#include "cluster/policies.h"
#include "lua/language/list.h"
#include "lua/language/show.h"
#include "lua/settings/merge.h"
#include "lua/settings/schema.h"
#include "lua/text/nearest.h"

#define NO_POLICY UINT32_MAX

/* The policy at `index`, a word or a merge function; NO_POLICY: it is none. */
static uint32_t find_policy(lua_State *lua, int index) {
  size_t size;
  uint32_t own;
  if (merge_policy(lua, index, &own)) return own;
  const char *word = lua_type(lua, index) == LUA_TSTRING ? show_text(lua, index, &size) : NULL;
  uint32_t place = 0;
  while (place < CLUSTER_POLICY_COUNT && (!word || strcmp(word, cluster_policy_words[place]) != 0))
    place++;
  return place < CLUSTER_POLICY_COUNT ? place : NO_POLICY;
}

enum cluster_policy settings_policy(lua_State *lua, int index, const char *path, const char *key) {
  size_t size;
  uint32_t place = find_policy(lua, index);
  if (place != NO_POLICY) return (enum cluster_policy)place;
  const char *word = lua_type(lua, index) == LUA_TSTRING ? show_text(lua, index, &size) : NULL;
  const char *near = word ? nearest_word(word, cluster_policy_words, CLUSTER_POLICY_COUNT) : NULL;
  if (near) schema_raise(lua, path, key, "there is no policy \"%s\"; did you mean \"%s\"?", word, near);
  schema_raise(lua, path, key,
               "a policy is \"last_write_wins\", \"keep_local\", \"keep_remote\", \"manual\", \"merge_union\", "
               "\"merge_longest\", \"merge_greatest\" or sim.merge(function(key, values) ... end)");
}

const char *settings_prefix(lua_State *lua, int index, const char *path, const char *key, size_t *size) {
  const char *prefix = lua_type(lua, index) == LUA_TSTRING ? show_text(lua, index, size) : NULL;
  if (!prefix || *size == 0 || *size > CLUSTER_PREFIX_BYTES_MAX || memchr(prefix, 0, *size))
    schema_raise(lua, path, key, "the prefix of a policy is a text of 1 to %d bytes, as \"key-0000001\" is",
                 (int)CLUSTER_PREFIX_BYTES_MAX);
  return prefix;
}

/* The first prefix in bytewise order whose policy is none, NULL: there is none such. All prefixes are right. */
static const char *first_wrong(lua_State *lua, int index, const char *path) {
  const char *wrong = NULL;
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    size_t size;
    const char *prefix = settings_prefix(lua, -2, path, "policies", &size); /* one error for all of them */
    if (find_policy(lua, -1) == NO_POLICY && (!wrong || strcmp(prefix, wrong) < 0)) wrong = prefix;
  }
  return wrong;
}

/* In no order: they are put in one of their own. */
static void read_prefixes(lua_State *lua, int index, struct cluster_policies *policies, const char *path) {
  index = lua_absindex(lua, index);
  list_plain(lua, index);
  const char *wrong = first_wrong(lua, index, path);
  if (wrong) {
    lua_pushstring(lua, wrong);
    lua_rawget(lua, index);
    (void)settings_policy(lua, -1, path, "policies");
  }
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    size_t size;
    const char *prefix = settings_prefix(lua, -2, path, "policies", &size);
    if (!policies_put(policies, prefix, size, settings_policy(lua, -1, path, "policies")))
      schema_raise(lua, path, "policies", "policies has more than %d prefixes", (int)CLUSTER_PREFIXES_MAX);
  }
}

bool settings_read_policies(lua_State *lua, int index, struct cluster_policies *policies, const char *path) {
  bool found = false;
  index = lua_absindex(lua, index);
  lua_pushliteral(lua, "policy");
  if (lua_rawget(lua, index) != LUA_TNIL) {
    policies->all = (uint8_t)settings_policy(lua, -1, path, "policy");
    found = true;
  }
  lua_pop(lua, 1);
  lua_pushliteral(lua, "policies");
  if (lua_rawget(lua, index) == LUA_TTABLE) {
    read_prefixes(lua, -1, policies, path);
    found = true;
  }
  lua_pop(lua, 1);
  return found;
}
