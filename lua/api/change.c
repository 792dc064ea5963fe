#include "lua/api/change.h"

#include <lauxlib.h>
#include <string.h>

#include "cluster/lookup.h"
#include "lua/language/script.h"
#include "lua/language/show.h"
#include "lua/settings/schema.h"
#include "lua/text/units.h"

#define KEY_MAX 4294967295
#define VALUE_BYTES_USUAL 32u

void change_key(lua_State *lua, int index, const char *call, struct cluster_change *change) {
  if (lua_type(lua, index) == LUA_TSTRING) {
    change->key_text = show_text(lua, index, &change->key_size);
    if (change->key_size == 0 || change->key_size > KEYS_BYTES_MAX)
      script_raise(lua, "%s: a key has 1 to %u bytes; this one has %llu", call, KEYS_BYTES_MAX,
                   (unsigned long long)change->key_size);
    return;
  }
  if (!lua_isinteger(lua, index))
    script_raise(lua, "%s: a key is a whole number, as the workload's keys are, or a text; this one is a %s", call,
                 luaL_typename(lua, index));
  lua_Integer key = lua_tointeger(lua, index);
  if (key < 0 || key > KEY_MAX) script_raise(lua, "%s: key %lld is outside 0 to 4294967295", call, (long long)key);
  change->key = (uint32_t)key;
}

/* --- Values ------------------------------------------------------------------------------- */

struct value {
  uint64_t size;
  bool deletes;
};
#define VALUE_FIELDS                                                                                                   \
  {"text", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL}, {                                                                    \
    "size", SCHEMA_SIZE, SCHEMA_AT(struct value, size), 0, 0, 16, SYNC_VALUE_BYTES_LIMIT, NULL                         \
  }
static const struct schema_field value_fields[] = {VALUE_FIELDS};
static const struct schema_field entry_fields[] = {
    {"key", SCHEMA_VALUE, 0, 0, 0, 0, 0, 0, NULL},
    VALUE_FIELDS,
    {"delete", SCHEMA_BOOL, SCHEMA_AT(struct value, deletes), 0, 0, 0, 0, NULL},
};
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

/* The text of a table of options stays on the stack of values, with the table. */
static void choose_text(lua_State *lua, int index, const char *call, struct cluster_change *change) {
  size_t size;
  lua_pushliteral(lua, "text");
  int type = lua_rawget(lua, index);
  if (type != LUA_TNIL) {
    if (type != LUA_TSTRING)
      script_raise(lua, "%s: text is the bytes of the value in quotes, not a %s", call, luaL_typename(lua, -1));
    change->text = show_text(lua, -1, &size);
    change->size = (uint32_t)size;
    change->value = CLUSTER_VALUE_CHOSEN;
  }
  lua_pop(lua, 1);
}

static void take_value(lua_State *lua, int index, const char *call, const struct value *value,
                       struct cluster_change *change) {
  change->kind = SYNC_PUT;
  change->size = value->size ? (uint32_t)value->size : VALUE_BYTES_USUAL;
  choose_text(lua, index, call, change);
  if (change->text && value->size) script_raise(lua, "%s takes one of text and size", call);
}

void change_value(lua_State *lua, int index, const char *call, struct cluster_change *change) {
  struct units_error error;
  struct value value = {0};
  size_t length;
  change->kind = SYNC_PUT;
  change->size = VALUE_BYTES_USUAL;
  if (lua_isnoneornil(lua, index)) return;
  if (lua_istable(lua, index)) {
    schema_read(lua, index, value_fields, COUNT_OF(value_fields), &value, call, NULL);
    take_value(lua, lua_absindex(lua, index), call, &value, change);
    return;
  }
  const char *text = lua_type(lua, index) == LUA_TSTRING ? show_text(lua, index, &length) : NULL;
  if (!text) script_raise(lua, "%s: write the size of the value like \"64B\", or { text = \"its bytes\" }", call);
  if (!units_size(text, length, &value.size, &error))
    script_raise(lua, "%s (a value of your own is { text = \"...\" })", error.text);
  if (value.size < 16 || value.size > SYNC_VALUE_BYTES_LIMIT)
    script_raise(lua, "a value has 16 bytes to 1 MiB (one of your own, { text = \"...\" }, also less)");
  change->size = (uint32_t)value.size;
}

void change_entry(lua_State *lua, const char *call, struct cluster_change *change) {
  struct value value = {0};
  int index = lua_gettop(lua);
  schema_read(lua, index, entry_fields, COUNT_OF(entry_fields), &value, call, NULL);
  lua_pushliteral(lua, "key");
  if (lua_rawget(lua, index) == LUA_TNIL)
    script_raise(lua, "%s: a change needs a key: { key = 3, text = \"...\" } or { key = \"a\", delete = true }", call);
  change_key(lua, -1, call, change);
  lua_pop(lua, 1);
  take_value(lua, index, call, &value, change);
  if (!value.deletes) return;
  if (change->text || value.size) script_raise(lua, "%s: a change that deletes has no text and no size", call);
  change->kind = SYNC_DELETE;
  change->size = 0;
}

/* --- Keys --------------------------------------------------------------------------------- */

size_t change_key_bytes(lua_State *lua, const struct cluster_change *change, uint8_t bytes[KEYS_BYTES_MAX]) {
  if (!change->key_text) return cluster_key_write(script_of(lua)->cluster, change->key, bytes);
  memcpy(bytes, change->key_text, change->key_size);
  return change->key_size;
}

void change_push_key(lua_State *lua, uint32_t slot, const void *bytes, size_t size) {
  uint32_t number;
  if (cluster_key_number(script_of(lua)->cluster, slot, &number))
    lua_pushinteger(lua, (lua_Integer)number);
  else
    lua_pushlstring(lua, bytes, size);
}

uint64_t change_hash(const struct cluster_change *changes, uint32_t count) {
  uint64_t hash = count;
  for (uint32_t i = 0; i < count; i++) {
    const struct cluster_change *change = &changes[i];
    uint64_t key = change->key_text ? sim_hash_bytes(change->key_text, change->key_size) : change->key;
    hash = sim_hash_fold(sim_hash_fold(hash, key), (uint64_t)change->size << 2 | (uint64_t)change->kind);
    if (change->text) hash = sim_hash_fold(hash, sim_hash_bytes(change->text, change->size));
  }
  return hash;
}
