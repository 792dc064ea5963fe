#include "cluster/keys.h"

#include <stdio.h>
#include <string.h>

#include "cluster/grow.h"
#include "sim/memory/mix.h"

/* --- As bytes ---------------------------------------------------------------------- */

enum shape {
  SHAPE_PLAIN = 0,  /* 12 to 14 bytes */
  SHAPE_SHORT = 1,  /* 1 to 4 bytes, zeros among them */
  SHAPE_LONG = 2,   /* the longest allowed; alike but for the end */
  SHAPE_UNDER = 3,  /* a plain key and more: that one may be there too */
  SHAPE_BINARY = 4, /* begins with bytes that are no text */
  SHAPE_SPREAD = 5, /* any length; differs at the beginning */
  SHAPE_COUNT = 6
};

/* Eight digits, or as many as it needs. */
static size_t write_plain(uint32_t number, uint8_t *bytes) {
  size_t digits = 8;
  for (uint32_t rest = number / 100000000u; rest; rest /= 10u)
    digits++;
  memcpy(bytes, "key-", 4);
  for (size_t i = digits; i > 0; i--, number /= 10u)
    bytes[3 + i] = (uint8_t)('0' + number % 10u);
  return 4 + digits;
}

static size_t write_number(uint32_t number, uint8_t *bytes) {
  for (size_t i = 0; i < 4; i++)
    bytes[i] = (uint8_t)(number >> (24u - 8u * i));
  return 4;
}

static size_t write_short(uint32_t number, uint8_t *bytes) {
  size_t size = 1;
  bytes[0] = (uint8_t)number;
  for (uint32_t rest = number >> 8; rest; rest >>= 8)
    bytes[size++] = (uint8_t)rest;
  return size;
}

size_t keys_write(uint32_t number, bool shapes, uint8_t bytes[KEYS_BYTES_MAX]) {
  uint64_t hash = sim_hash_fold(UINT64_C(0x6b657973), number);
  size_t size;
  if (!shapes || number % 8u == 0) return write_plain(number, bytes); /* for SHAPE_UNDER */
  switch ((enum shape)((hash >> 32) % SHAPE_COUNT)) {
  case SHAPE_SHORT:
    return write_short(number, bytes);
  case SHAPE_LONG:
    memset(bytes, 'l', KEYS_BYTES_MAX);
    write_number(number, bytes + KEYS_BYTES_MAX - 4);
    return KEYS_BYTES_MAX;
  case SHAPE_UNDER:
    size = write_plain(number - number % 8u, bytes);
    return size + write_number(number, bytes + size);
  case SHAPE_BINARY:
    size = 1 + (size_t)(hash % 9u);
    memset(bytes, 0xff, size);
    bytes[size++] = 0;
    return size + write_number(number, bytes + size);
  case SHAPE_SPREAD:
    bytes[0] = 's';
    size = 1 + write_number(number, bytes + 1);
    for (; size < 6 + hash % 300u; size++)
      bytes[size] = (uint8_t)(hash >> size % 8u * 8u);
    return size;
  default:
    return write_plain(number, bytes);
  }
}

/* --- All of them --------------------------------------------------------------------- */

void keys_init(struct keys *keys, struct sim_world *world) {
  memset(keys, 0, sizeof *keys);
  keys->world = world;
}

static bool is_key(const struct keys *keys, uint32_t slot, const void *bytes, size_t size) {
  return keys->entries[slot].size == size && memcmp(keys_bytes(keys, slot), bytes, size) == 0;
}

static uint32_t place_of(const struct keys *keys, uint64_t hash, const void *bytes, size_t size) {
  uint32_t place = (uint32_t)(hash >> 32) & (keys->table_slots - 1u);
  while (keys->table[place] && !is_key(keys, keys->table[place] - 1u, bytes, size))
    place = (place + 1u) & (keys->table_slots - 1u);
  return place;
}

static uint64_t hash_of(const void *bytes, size_t size) {
  return sim_mix(sim_hash_bytes(bytes, size));
}

uint32_t keys_find(const struct keys *keys, const void *bytes, size_t size) {
  if (!keys->table_slots) return KEYS_NONE;
  return keys->table[place_of(keys, hash_of(bytes, size), bytes, size)] - 1u;
}

static void table_grow(struct keys *keys) {
  uint32_t old_slots = keys->table_slots;
  uint32_t *old = keys->table;
  keys->table_slots = old_slots ? old_slots * 2u : 64u;
  keys->table = sim_alloc(keys->world, keys->table_slots * sizeof *keys->table);
  SIM_ASSERT(keys->world, keys->table != NULL);
  memset(keys->table, 0, keys->table_slots * sizeof *keys->table);
  for (uint32_t i = 0; i < keys->count; i++) {
    const uint8_t *bytes = keys_bytes(keys, i);
    size_t size = keys->entries[i].size;
    keys->table[place_of(keys, hash_of(bytes, size), bytes, size)] = i + 1u;
  }
  sim_free(keys->world, old, old_slots * sizeof *old);
}

static int compare(const struct keys *keys, uint32_t slot, const void *bytes, size_t size) {
  size_t own = keys->entries[slot].size, least = own < size ? own : size;
  int order = least > 0 ? memcmp(keys_bytes(keys, slot), bytes, least) : 0;
  return order ? order : own < size ? -1 : own > size;
}

/* The last slot + 1 below those bytes on each level; 0: the head. */
static void path_of(const struct keys *keys, const void *bytes, size_t size, uint32_t before[KEYS_HEIGHT]) {
  uint32_t at = 0;
  for (uint32_t level = KEYS_HEIGHT; level-- > 0;) {
    for (;;) {
      uint32_t next = at ? keys->entries[at - 1u].next[level] : keys->first[level];
      if (!next || compare(keys, next - 1u, bytes, size) >= 0) break;
      at = next;
    }
    before[level] = at;
  }
}

uint32_t keys_from(const struct keys *keys, const void *bytes, size_t size) {
  uint32_t before[KEYS_HEIGHT];
  path_of(keys, bytes, size, before);
  return (before[0] ? keys->entries[before[0] - 1u].next[0] : keys->first[0]) - 1u;
}

/* A new key, without a number. */
static uint32_t add(struct keys *keys, const void *bytes, size_t size) {
  if ((keys->count + 1u) * 2u > keys->table_slots) table_grow(keys);
  CLUSTER_GROW(keys->world, keys->entries, keys->capacity, keys->count + 1u);
  CLUSTER_GROW(keys->world, keys->text, keys->text_capacity, keys->text_size + (uint32_t)size);
  uint32_t before[KEYS_HEIGHT];
  path_of(keys, bytes, size, before);
  uint64_t hash = hash_of(bytes, size);
  keys->table[place_of(keys, hash, bytes, size)] = keys->count + 1u;
  struct keys_entry *entry = &keys->entries[keys->count];
  *entry = (struct keys_entry){.text = keys->text_size, .size = (uint16_t)size, .named = true};
  memcpy(keys->text + keys->text_size, bytes, size);
  keys->text_size += (uint32_t)size;
  for (uint32_t level = 0; level < KEYS_HEIGHT && (level == 0 || (hash >> 2u * (level - 1u) & 3u) == 0); level++) {
    uint32_t *link = before[level] ? &keys->entries[before[level] - 1u].next[level] : &keys->first[level];
    entry->next[level] = *link;
    *link = keys->count + 1u;
  }
  return keys->count++;
}

uint32_t keys_take(struct keys *keys, uint32_t number, const void *bytes, size_t size) {
  uint32_t slot = keys_find(keys, bytes, size);
  if (slot == KEYS_NONE) slot = add(keys, bytes, size);
  struct keys_entry *entry = &keys->entries[slot];
  if (entry->named) entry->number = number;
  entry->named = false;
  return slot;
}

uint32_t keys_take_named(struct keys *keys, const void *bytes, size_t size) {
  uint32_t known = keys_find(keys, bytes, size);
  return known != KEYS_NONE ? known : add(keys, bytes, size);
}

const char *keys_show(const struct keys *keys, uint32_t slot, char text[KEYS_SHOWN_BYTES]) {
  const struct keys_entry *entry = &keys->entries[slot];
  if (!entry->named) {
    (void)snprintf(text, KEYS_SHOWN_BYTES, "key-%08u", entry->number);
    return text;
  }
  const uint8_t *bytes = keys_bytes(keys, slot);
  size_t used = 0, room = KEYS_SHOWN_BYTES - sizeof "...\"";
  text[used++] = '"';
  for (size_t i = 0; i < entry->size; i++) {
    bool plain = bytes[i] >= 0x20 && bytes[i] < 0x7f && bytes[i] != '"' && bytes[i] != '\\';
    if (used + 4 > room) {
      (void)snprintf(text + used, KEYS_SHOWN_BYTES - used, "...\"");
      return text;
    }
    used += (size_t)snprintf(text + used, KEYS_SHOWN_BYTES - used, plain ? "%c" : "\\x%02x", bytes[i]);
  }
  (void)snprintf(text + used, KEYS_SHOWN_BYTES - used, "\"");
  return text;
}

bool keys_begins(const struct keys *keys, uint32_t slot, const void *prefix, size_t size) {
  return keys->entries[slot].size >= size && (!size || memcmp(keys_bytes(keys, slot), prefix, size) == 0);
}
