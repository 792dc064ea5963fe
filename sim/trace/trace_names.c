/* Names of a recording, found by number. */
#include "sim/trace/trace_record.h"

#include <stdlib.h>

#define NAMES_MAX 65536u
#define BYTES_MAX (16u * 1024u * 1024u)

static uint32_t slot_of(const struct trace_names *names, uint8_t kind, uint32_t scope, uint64_t value) {
  uint64_t hash = sim_hash_fold(sim_hash_fold(kind, scope), value);
  return (uint32_t)hash & (names->slot_count - 1);
}

/* The slot where it is, or would be. */
static uint32_t find_slot(const struct trace_names *names, uint8_t kind, uint32_t scope, uint64_t value) {
  uint32_t slot = slot_of(names, kind, scope, value);
  for (; names->slots[slot] != 0; slot = (slot + 1) & (names->slot_count - 1)) {
    const struct trace_name *entry = &names->entries[names->slots[slot] - 1];
    if (entry->kind == kind && entry->scope == scope && entry->value == value) break;
  }
  return slot;
}

const char *trace_names_find(const struct trace_names *names, uint8_t kind, uint32_t scope, uint64_t value) {
  if (names->count == 0) return NULL;
  uint32_t entry = names->slots[find_slot(names, kind, scope, value)];
  return entry == 0 ? NULL : names->bytes + names->entries[entry - 1].offset;
}

static bool grow_entries(struct trace_names *names) {
  if (names->count < names->capacity) return true;
  uint32_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
  struct trace_name *entries = realloc(names->entries, capacity * sizeof *entries);
  if (entries == NULL) return false;
  names->entries = entries;
  uint32_t *slots = calloc((size_t)capacity * 2, sizeof *slots);
  if (slots == NULL) return false;
  free(names->slots);
  names->slots = slots;
  names->capacity = capacity;
  names->slot_count = capacity * 2;
  for (uint32_t i = 0; i < names->count; i++)
    slots[find_slot(names, entries[i].kind, entries[i].scope, entries[i].value)] = i + 1;
  return true;
}

static bool grow_bytes(struct trace_names *names, size_t length) {
  if (names->bytes != NULL && length + 1 <= names->room - names->used) return true;
  uint32_t room = names->room == 0 ? 4096 : names->room * 2;
  if (length + 1 > room - names->used) room = names->used + (uint32_t)length + 1;
  char *bytes = realloc(names->bytes, room);
  if (bytes == NULL) return false;
  names->bytes = bytes;
  names->room = room;
  return true;
}

bool trace_names_add(struct trace_names *names, uint8_t kind, uint32_t scope, uint64_t value, const char *text,
                     size_t length) {
  if (trace_names_find(names, kind, scope, value) != NULL) return true;
  if (names->count == NAMES_MAX || length > BYTES_MAX - names->used) return false;
  if (!grow_entries(names) || !grow_bytes(names, length)) return false;
  uint32_t slot = find_slot(names, kind, scope, value);
  names->entries[names->count] = (struct trace_name){kind, scope, value, names->used, (uint32_t)length};
  names->slots[slot] = ++names->count;
  memcpy(names->bytes + names->used, text, length);
  names->bytes[names->used + length] = '\0';
  names->used += (uint32_t)length + 1;
  return true;
}

void trace_names_clear(struct trace_names *names) {
  if (names->slots != NULL) memset(names->slots, 0, names->slot_count * sizeof *names->slots);
  names->count = names->used = 0;
}

void trace_names_free(struct trace_names *names) {
  free(names->entries);
  free(names->bytes);
  free(names->slots);
}
