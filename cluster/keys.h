/* The keys of a run: every key that was ever submitted, by a slot of its own, in
 * bytewise order too. Keys have numbers; what a number is written as depends on
 * whether keys are of all shapes. */
#ifndef CLUSTER_KEYS_H
#define CLUSTER_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

#define KEYS_NONE UINT32_MAX
#define KEYS_HEIGHT 10u
#define KEYS_BYTES_MAX 1024u

struct keys_entry {
  uint32_t text; /* where its bytes begin */
  uint16_t size;
  bool named;                 /* a script wrote it as text: it has no number */
  uint32_t number;            /* as written by the workload or a script */
  uint32_t last_put;          /* change number of the newest submit of a value to it; 0: none */
  uint32_t next[KEYS_HEIGHT]; /* a skip list; slot + 1 */
};

struct keys {
  struct sim_world *world;
  struct keys_entry *entries;
  uint32_t count, capacity;
  uint8_t *text;
  uint32_t text_size, text_capacity;
  uint32_t *table; /* open addressing: slot + 1 */
  uint32_t table_slots;
  uint32_t first[KEYS_HEIGHT];
};

/* The bytes of the key with that number, as plain text ("key-00000012") or, with
 * `shapes`, of any length up to the limit: some of one to four bytes, some that are
 * no text, some that begin with another key or with a long common prefix.
 * Different numbers give different keys. Returns the size. */
size_t keys_write(uint32_t number, bool shapes, uint8_t bytes[KEYS_BYTES_MAX]);

void keys_init(struct keys *keys, struct sim_world *world);
/* The slot of those bytes; KEYS_NONE when nobody submitted that key. */
uint32_t keys_find(const struct keys *keys, const void *bytes, size_t size);
/* The same; a key that is new gets one. */
uint32_t keys_take(struct keys *keys, uint32_t number, const void *bytes, size_t size);
/* The same of a key that is no number; one that has one keeps it. */
uint32_t keys_take_named(struct keys *keys, const void *bytes, size_t size);
/* How messages call it: "key-00000012" by its number, or its bytes in quotes, cut to the room; what is no plain text
 * reads "\xff". Gives `text`. */
#define KEYS_SHOWN_BYTES 80u
const char *keys_show(const struct keys *keys, uint32_t slot, char text[KEYS_SHOWN_BYTES]);
static inline const uint8_t *keys_bytes(const struct keys *keys, uint32_t slot) {
  return keys->text + keys->entries[slot].text;
}
/* In bytewise order: the first that is not below those bytes; the one behind a
 * slot. KEYS_NONE at the end. */
uint32_t keys_from(const struct keys *keys, const void *bytes, size_t size);
static inline uint32_t keys_next(const struct keys *keys, uint32_t slot) {
  return keys->entries[slot].next[0] - 1u;
}
/* Whether the key begins with those bytes. */
bool keys_begins(const struct keys *keys, uint32_t slot, const void *prefix, size_t size);

#endif
