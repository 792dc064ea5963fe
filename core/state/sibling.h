/* A sibling: one change of one operation that no held operation has replaced. */
#ifndef SYNC_CORE_STATE_SIBLING_H
#define SYNC_CORE_STATE_SIBLING_H

#include "core/base/base.h"
#include "core/state/key.h"
#include "core/state/origin.h"

struct store_sibling {
  struct store_sibling *next; /* in dot order */
  struct origin *origin;
  uint64_t seq;
  uint64_t hlc;
  uint64_t hash; /* its share of the state digest */
  uint32_t value_size;
  bool tombstone; /* then it has no value, and a grave in its place */
  bool automatic;
  bool merged;    /* scratch of a merge: it stays */
  bool contested; /* its grave is among the contested ones (graves.h) */
  uint8_t value[];
};

/* Where a tombstone stands among the others that wait to be swept. */
struct grave {
  struct store_sibling *before, *after;
  struct store_key *key;
};

static inline struct grave *grave_of(const struct store_sibling *tombstone) {
  return (struct grave *)(uintptr_t)(tombstone + 1);
}

/* A conflict: two or more siblings, not all of them tombstones. */
static inline bool key_in_conflict(const struct store_key *key) {
  if (key->sibling_count < 2) return false;
  for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next)
    if (!s->tombstone) return true;
  return false;
}
/* Policies wrote all that stands under the key: between them the winner rule decides, for good. */
static inline bool key_is_settled(const struct store_key *key) {
  for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next)
    if (!s->automatic) return false;
  return true;
}

#endif
