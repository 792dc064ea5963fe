#include "lua/settings/policy_settings.h"

#include <string.h>

#include "cluster/policies.h"
#include "lua/language/list.h"
#include "lua/language/show.h"
#include "lua/settings/schema.h"
#include "lua/text/nearest.h"

enum cluster_policy settings_policy(lua_State *lua, int index, const char *path, const char *key) {
  size_t size;
  const char *word = lua_type(lua, index) == LUA_TSTRING ? show_text(lua, index, &size) : NULL;
  for (uint32_t i = 0; word && i < CLUSTER_POLICY_COUNT; i++)
    if (strcmp(word, cluster_policy_words[i]) == 0) return (enum cluster_policy)i;
  const char *near = word ? nearest_word(word, cluster_policy_words, CLUSTER_POLICY_COUNT) : NULL;
  if (near) schema_raise(lua, path, key, "there is no policy \"%s\"; did you mean \"%s\"?", word, near);
  schema_raise(lua, path, key,
               "a policy is \"last_write_wins\", \"keep_local\", \"keep_remote\", \"manual\", \"merge_union\", "
               "\"merge_longest\" or \"merge_greatest\"");
}

const char *settings_prefix(lua_State *lua, int index, const char *path, const char *key, size_t *size) {
  const char *prefix = lua_type(lua, index) == LUA_TSTRING ? show_text(lua, index, size) : NULL;
  if (!prefix || *size == 0 || *size > CLUSTER_PREFIX_BYTES_MAX)
    schema_raise(lua, path, key, "the prefix of a policy is a text of 1 to %d bytes, as \"key-0000001\" is",
                 (int)CLUSTER_PREFIX_BYTES_MAX);
  return prefix;
}

/* Prefixes are put in an order of their own: in that of the table there is chance. */
static void read_prefixes(lua_State *lua, int index, struct cluster_policies *policies, const char *path) {
  index = lua_absindex(lua, index);
  list_plain(lua, index);
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
