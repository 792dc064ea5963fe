#include "lua/api/data_api.h"

#include <lauxlib.h>
#include <string.h>

#include "cluster/queries.h"
#include "cluster/submit.h"
#include "lua/api/act.h"
#include "lua/api/change.h"
#include "lua/api/node_object.h"
#include "lua/language/list.h"
#include "lua/language/objects.h"
#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/language/steps.h"
#include "lua/settings/schema.h"

#define SUBMIT_BYTES_MAX (16u * 1024u * 1024u)

static uint32_t self(lua_State *lua) {
  return ((struct node_object *)object_check(lua, 1, NODE_TYPE, "node"))->number;
}

/* --- Writing -------------------------------------------------------------------------------- */

static int push_status(lua_State *lua, int status) {
  lua_pushboolean(lua, status == SYNC_OK);
  lua_pushstring(lua, sync_status_name(status));
  return 2;
}

static int push_left_out(lua_State *lua) {
  lua_pushboolean(lua, 0);
  lua_pushliteral(lua, "LEFT_OUT");
  return 2;
}

static int finish(lua_State *lua, uint32_t node, const struct cluster_change *changes, uint32_t count, int status) {
  if (count == 1 && !changes->key_text && !changes->text) {
    uint64_t fields[] = {changes->kind, changes->key, changes->size, (uint64_t)(int64_t)status};
    script_trace(script_of(lua), SCRIPT_STEP_WRITE, node, fields, 4);
  } else {
    uint64_t fields[] = {count, change_hash(changes, count), (uint64_t)(int64_t)status};
    script_trace(script_of(lua), SCRIPT_STEP_SUBMIT, node, fields, 3);
  }
  return push_status(lua, status);
}

static int write_one(lua_State *lua, const char *call, const struct cluster_change *change) {
  uint32_t node = self(lua);
  script_charge_bytes(lua, change->size + change->key_size);
  if (!script_act(lua, SCRIPT_STEP_WRITE, node, call)) return push_left_out(lua);
  return finish(lua, node, change, 1, cluster_script_submit(script_of(lua)->cluster, node, change, 1));
}

int data_api_put(lua_State *lua) {
  struct cluster_change change = {.kind = SYNC_PUT};
  (void)self(lua);
  change_key(lua, 2, "node:put", &change);
  change_value(lua, 3, "node:put", &change);
  return write_one(lua, "node:put", &change);
}

int data_api_delete(lua_State *lua) {
  struct cluster_change change = {.kind = SYNC_DELETE};
  (void)self(lua);
  change_key(lua, 2, "node:delete", &change);
  return write_one(lua, "node:delete", &change);
}

/* The list of changes at index 2, in memory of Lua's, which is pushed. */
static struct cluster_change *read_changes(lua_State *lua, uint32_t *count) {
  uint64_t bytes = 0;
  lua_Integer length = lua_istable(lua, 2) ? list_length(lua, 2) : 0;
  if (length < 1)
    script_raise(lua,
                 "node:submit takes a list of changes: { { key = 1, text = \"...\" }, { key = 2, delete = true } }");
  if (length > (lua_Integer)CLUSTER_CHANGES_MAX)
    script_raise(lua, "node:submit takes at most %u changes, not %lld", CLUSTER_CHANGES_MAX, (long long)length);
  struct cluster_change *changes = lua_newuserdatauv(lua, (size_t)length * sizeof *changes, 0);
  memset(changes, 0, (size_t)length * sizeof *changes);
  for (lua_Integer i = 0; i < length; i++) {
    char call[48];
    (void)lua_rawgeti(lua, 2, i + 1);
    (void)snprintf(call, sizeof call, "node:submit, change %lld", (long long)i + 1);
    change_entry(lua, call, &changes[i]);
    lua_pop(lua, 1);
    bytes += changes[i].size + changes[i].key_size;
  }
  if (bytes > SUBMIT_BYTES_MAX) script_raise(lua, "node:submit takes at most 16 MiB in all");
  script_charge_bytes(lua, bytes);
  *count = (uint32_t)length;
  return changes;
}

int data_api_submit(lua_State *lua) {
  uint32_t node = self(lua), count = 0;
  const struct cluster_change *changes = read_changes(lua, &count);
  if (!script_act(lua, SCRIPT_STEP_SUBMIT, node, "node:submit")) return push_left_out(lua);
  return finish(lua, node, changes, count, cluster_script_submit(script_of(lua)->cluster, node, changes, count));
}

/* --- Reading -------------------------------------------------------------------------------- */

static size_t read_key(lua_State *lua, const char *call, uint8_t bytes[KEYS_BYTES_MAX]) {
  struct cluster_change change = {.kind = SYNC_PUT};
  change_key(lua, 2, call, &change);
  return change_key_bytes(lua, &change, bytes);
}

int data_api_get(lua_State *lua) {
  uint8_t key[KEYS_BYTES_MAX];
  uint32_t node = self(lua);
  size_t size = read_key(lua, "node:get", key);
  uint64_t number = cluster_get_of(script_of(lua)->cluster, node, key, size);
  if (number)
    lua_pushinteger(lua, (lua_Integer)number);
  else
    lua_pushnil(lua);
  return 1;
}

static void push_value(lua_State *lua, const struct queries *answer, uint32_t i) {
  lua_pushlstring(lua, (const char *)answer->bytes + answer->items[i].value_at, answer->items[i].value_size);
}

int data_api_read(lua_State *lua) {
  uint8_t key[KEYS_BYTES_MAX];
  const struct queries *answer;
  uint32_t node = self(lua);
  size_t size = read_key(lua, "node:read", key);
  int status = cluster_read(script_of(lua)->cluster, node, key, size, &answer);
  if (answer->count)
    push_value(lua, answer, 0);
  else
    lua_pushnil(lua);
  lua_pushstring(lua, sync_status_name(status));
  return 2;
}

static void set_flag(lua_State *lua, const char *name, bool value) {
  lua_pushboolean(lua, value);
  lua_setfield(lua, -2, name);
}

/* A table of what both lists tell of a value. */
static void push_item(lua_State *lua, const struct queries *answer, uint32_t i) {
  const struct queries_item *item = &answer->items[i];
  luaL_checkstack(lua, 4, NULL);
  lua_createtable(lua, 0, 6);
  if (!item->deleted) {
    push_value(lua, answer, i);
    lua_setfield(lua, -2, "value");
  }
  set_flag(lua, "deleted", item->deleted);
  if (item->number && !item->merged) {
    lua_pushinteger(lua, (lua_Integer)item->number);
    lua_setfield(lua, -2, "number");
  }
}

int data_api_siblings(lua_State *lua) {
  uint8_t key[KEYS_BYTES_MAX];
  const struct queries *answer;
  uint32_t node = self(lua);
  size_t size = read_key(lua, "node:siblings", key);
  (void)cluster_siblings(script_of(lua)->cluster, node, key, size, &answer);
  lua_newtable(lua);
  for (uint32_t i = 0; i < answer->count; i++) {
    push_item(lua, answer, i);
    set_flag(lua, "automatic", answer->items[i].automatic);
    lua_pushinteger(lua, (lua_Integer)answer->items[i].node);
    lua_setfield(lua, -2, "node");
    lua_rawseti(lua, -2, (lua_Integer)i + 1);
  }
  return 1;
}

struct list_options {
  uint64_t limit;
  bool deleted;
};
static const struct schema_field list_fields[] = {
    {"from", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    {"limit", SCHEMA_COUNT, SCHEMA_AT(struct list_options, limit), 0, 0, 1, 1000000, NULL},
    {"deleted", SCHEMA_BOOL, SCHEMA_AT(struct list_options, deleted), 0, 0, 0, 0, NULL},
};

static void read_range(lua_State *lua, struct queries_range *range) {
  struct list_options options = {.limit = UINT32_MAX};
  *range = (struct queries_range){.prefix = "", .from = ""};
  if (!lua_isnoneornil(lua, 2)) range->prefix = show_text(lua, 2, &range->prefix_size);
  if (!range->prefix) script_raise(lua, "node:list(prefix, options): the prefix is a text, \"\" for all keys");
  if (!lua_isnoneornil(lua, 3)) {
    schema_read(lua, 3, list_fields, sizeof list_fields / sizeof *list_fields, &options, "node:list", NULL);
    lua_pushliteral(lua, "from");
    if (lua_rawget(lua, 3) != LUA_TNIL) range->from = show_text(lua, -1, &range->from_size);
    if (!range->from) script_raise(lua, "node:list: from is a text: the first key that is wanted");
    lua_pop(lua, 1); /* the table has it */
  }
  if (range->prefix_size > KEYS_BYTES_MAX || range->from_size > KEYS_BYTES_MAX)
    script_raise(lua, "node:list: a key has at most %u bytes", KEYS_BYTES_MAX);
  range->deleted = options.deleted;
  range->limit = (uint32_t)options.limit;
}

int data_api_list(lua_State *lua) {
  struct queries_range range;
  const struct queries *answer;
  uint32_t node = self(lua);
  read_range(lua, &range);
  (void)cluster_list(script_of(lua)->cluster, node, &range, &answer);
  lua_newtable(lua);
  for (uint32_t i = 0; i < answer->count; i++) {
    const struct queries_item *item = &answer->items[i];
    push_item(lua, answer, i);
    set_flag(lua, "conflict", item->conflict);
    set_flag(lua, "merged", item->merged);
    change_push_key(lua, item->slot, answer->bytes + item->key_at, item->key_size);
    lua_setfield(lua, -2, "key");
    lua_rawseti(lua, -2, (lua_Integer)i + 1);
  }
  return 1;
}
