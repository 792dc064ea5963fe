/* Keys, values and changes as scripts write them. */
#ifndef LUA_API_CHANGE_H
#define LUA_API_CHANGE_H

#include <lua.h>

#include <stddef.h>

#include "cluster/queries.h"
#include "cluster/submit.h"

/* The key at `index`: a whole number, as the workload's are, or a text of 1 to 1,024 bytes. It stays the script's, on
 * the stack. `call` begins messages ("node:put"). */
void change_key(lua_State *lua, int index, const char *call, struct cluster_change *change);
/* What is put, at `index`: nothing, "64B", or { text = "..." }. */
void change_value(lua_State *lua, int index, const char *call, struct cluster_change *change);
/* { key = 3, size = "64B" }, { key = "a", text = "..." }, { key = "a", delete = true } on top of the stack. */
void change_entry(lua_State *lua, const char *call, struct cluster_change *change);

/* The bytes of the change's key. */
size_t change_key_bytes(lua_State *lua, const struct cluster_change *change, uint8_t bytes[KEYS_BYTES_MAX]);
/* Pushes a key as scripts write it: by its number, where it has one, else as text. */
void change_push_key(lua_State *lua, uint32_t slot, const void *bytes, size_t size);
/* A hash of what the changes do, for traces. */
uint64_t change_hash(const struct cluster_change *changes, uint32_t count);

#endif
