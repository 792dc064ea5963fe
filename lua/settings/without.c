#include "lua/settings/without.h"

#include <string.h>

#include "cluster/oracle_names.h"
#include "lua/language/list.h"
#include "lua/language/show.h"
#include "lua/settings/schema.h"
#include "lua/text/nearest.h"

#define LINE "without is { [\"bounded traffic\"] = \"why it has nothing to say here\" }"

/* The bytewise least key that is no oracle; NULL: all are. */
static const char *first_unknown(lua_State *lua, int index) {
  const char *unknown = NULL;
  for (lua_pushnil(lua); lua_next(lua, index); lua_pop(lua, 1)) {
    size_t size = 0, i = 0;
    const char *key = lua_type(lua, -2) == LUA_TSTRING ? show_text(lua, -2, &size) : NULL;
    if (!key || memchr(key, 0, size)) schema_raise(lua, "", "without", LINE);
    while (i < cluster_oracle_count() && strcmp(cluster_oracle_names[i], key) != 0)
      i++;
    if (i == cluster_oracle_count() && (!unknown || strcmp(key, unknown) < 0)) unknown = key;
  }
  return unknown;
}

static void refuse_unknown(lua_State *lua, int index) {
  const char *unknown = first_unknown(lua, index);
  if (!unknown) return;
  const char *near = nearest_word(unknown, cluster_oracle_names, cluster_oracle_count());
  if (near) schema_raise(lua, "", "without", "there is no oracle \"%s\"; did you mean \"%s\"?", unknown, near);
  schema_raise(lua, "", "without", "there is no oracle \"%s\" (docs/promises.md has them)", unknown);
}

static void read_reason(lua_State *lua, struct scenario_without *without) {
  size_t size = 0;
  const char *reason = lua_type(lua, -1) == LUA_TSTRING ? show_text(lua, -1, &size) : NULL;
  if (!reason || size == 0 || size >= sizeof without->reason || memchr(reason, 0, size) || memchr(reason, '\n', size))
    schema_raise(lua, "", "without", "without[\"%s\"] is the reason, one line of 1 to %d bytes, for reports repeat it",
                 without->oracle, (int)sizeof without->reason - 1);
  memcpy(without->reason, reason, size + 1);
}

void without_take(lua_State *lua, int index, struct scenario_info *info) {
  index = lua_absindex(lua, index);
  list_plain(lua, index);
  refuse_unknown(lua, index);
  for (size_t i = 0; i < cluster_oracle_count(); i++) {
    const char *name = cluster_oracle_names[i];
    lua_pushstring(lua, name);
    if (lua_rawget(lua, index) != LUA_TNIL) {
      if (info->without_count >= SCENARIO_WITHOUT_MAX)
        schema_raise(lua, "", "without", "a scenario is without at most %u oracles", SCENARIO_WITHOUT_MAX);
      if (strcmp(name, info->must_fail) == 0)
        schema_raise(lua, "", "without", "\"%s\" must fail: it cannot be switched off", name);
      struct scenario_without *without = &info->without[info->without_count++];
      memcpy(without->oracle, name, strlen(name) + 1);
      read_reason(lua, without);
    }
    lua_pop(lua, 1);
  }
}
