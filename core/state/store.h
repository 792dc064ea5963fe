/* The store: key -> siblings, in bytewise key order, in memory.
 *
 * Changes are planned, which takes all the memory, and then committed, which
 * cannot fail. A plan puts a new key into the index at once, without siblings:
 * so between a plan and its commit or cancellation nobody may read. */
#ifndef SYNC_CORE_STATE_STORE_H
#define SYNC_CORE_STATE_STORE_H

#include "core/base/base.h"
#include "core/wire/wire.h"
#include "core/state/btree.h"
#include "core/state/conflicts.h"
#include "core/state/graves.h"
#include "core/state/key.h"
#include "core/state/origin.h"
#include "core/state/sibling.h"
#include "core/sync.h"

#define STORE_KEY_NOMINAL_BYTES 64u       /* besides the key itself; its share of the index is in there */
#define STORE_KEY_BLOCK_NOMINAL_BYTES 32u /* the same without the index, which pays for its nodes */
#define STORE_SIBLING_NOMINAL_BYTES 64u   /* besides the value; a grave is in there, or a share of the conflicts */

struct store {
  const struct sync_env *env;
  struct btree index;
  struct conflicts conflicts;
  uint64_t bytes; /* nominal */
  uint64_t keys;
  uint64_t siblings;
  uint64_t digest;
  struct graves graves;

  /* A snapshot in progress: what has this mark is in it, or is younger than it. */
  uint16_t mark;
  void (*save)(void *arg, const struct store_key *key); /* NULL: there is none */
  void *save_arg;
};

/* The dots that a change has seen, in dot order. */
struct store_dot {
  const struct origin *origin;
  uint64_t seq;
};

/* One planned change. */
struct store_plan {
  struct store_key *key;         /* in the store, or made for it; NULL: a sweep of an absent key */
  struct store_sibling *sibling; /* to be added; NULL for a sweep */
  bool key_is_new;
  bool listed; /* the key has a place among those in conflict, which it may need */
  uint64_t bytes_added, bytes_removed;
};

void store_init(struct store *store, const struct sync_env *env);
void store_deinit(struct store *store);

struct store_key *store_find(const struct store *store, const uint8_t *key, size_t size);
/* The same for one who will change that key next: remembers the way to it. */
struct store_key *store_seek(struct store *store, const uint8_t *key, size_t size);
/* At the first key of all; at the first that is not below the given one. */
struct btree_cursor store_first(const struct store *store);
struct btree_cursor store_lower_bound(const struct store *store, const uint8_t *key, size_t size);

/* Takes the memory that a change needs. SYNC_E_NO_MEMORY: nothing is held. */
int store_plan_change(struct store *store, const struct operation_change_view *change, const struct store_dot *seen,
                      uint64_t hlc, struct store_plan *plan);
void store_plan_cancel(struct store *store, struct store_plan *plan);
/* Applies a planned change of the operation (origin, seq): removes the seen
 * siblings, adds the new one. Cannot fail. */
void store_plan_commit(struct store *store, struct store_plan *plan, struct origin *origin, uint64_t seq,
                       const struct store_dot *seen, size_t seen_count);

/* --- A snapshot of one instant, while writing goes on -------------------------------- */

/* From now on, `save` is given each key as it is now, once, in no order: those that are
 * about to change just before they do, the others as store_save_some() comes to them. */
void store_save_begin(struct store *store, void (*save)(void *arg, const struct store_key *key), void *arg);
/* Passes at most `keys_max` keys from the one at *cursor on. False: there are no more. */
bool store_save_some(struct store *store, struct btree_cursor *cursor, size_t keys_max);
void store_save_end(struct store *store);
/* Gives the key to the snapshot in progress, if that has it not yet: before it is changed. */
static inline void store_save_key(struct store *store, struct store_key *key) {
  if (store->save == NULL || key->mark == store->mark) return;
  store->save(store->save_arg, key);
  key->mark = store->mark;
}

/* --- Siblings one by one: for loading and merging snapshots ----------------------------- */

/* All that a sibling is. */
struct store_content {
  const uint8_t *key;
  size_t key_size;
  struct origin *origin;
  uint64_t seq, hlc;
  bool tombstone, automatic;
  const uint8_t *value;
  size_t value_size;
};
/* Its share of the state digest. */
uint64_t store_content_hash(const struct store_content *content);
/* A sibling on its own, all but its hash. NULL: no memory. */
struct store_sibling *store_sibling_make(struct store *store, const struct store_content *content);
void store_sibling_drop(struct store *store, struct store_sibling *sibling);
/* The key, made without siblings if it is not there: nobody may read until it has one.
 * NULL: no memory. */
struct store_key *store_key_make(struct store *store, const uint8_t *bytes, size_t size);
/* Takes a key without siblings out again. */
void store_key_drop(struct store *store, struct store_key *key);
struct store_sibling *store_key_sibling(const struct store_key *key, const struct origin *origin, uint64_t seq);
/* Room for a sibling more than the key has: store_sibling_put() may make it a key in conflict. SYNC_E_NO_MEMORY. */
int store_key_reserve(struct store *store, struct store_key *key);
/* After siblings of a key that had such room were put, or were not after all. */
void store_key_settle(struct store *store, struct store_key *key);
/* Takes over the sibling, whose hash is set; one with its dot that is there already stays, and this is freed. Cannot
 * fail. */
void store_sibling_put(struct store *store, struct store_key *key, struct store_sibling *sibling);
/* Takes `merged` from all. */
void store_unmerge(struct store *store);
/* Removes the siblings that are covered (`seq` at most `implied` of their origin) and not `merged`,
 * and the keys that have none then. */
void store_remove_replaced(struct store *store);
/* What store_remove_replaced() would free, nominally. */
uint64_t store_replaced_bytes(const struct store *store);

/* Greatest by (hlc, node id, incarnation, seq). */
const struct store_sibling *store_winner(const struct store_key *key);
struct sync_sibling store_sibling_public(const struct store_sibling *sibling);
/* Counts and digest, from scratch. */
void store_recompute(const struct store *store, uint64_t *digest, uint64_t *keys, uint64_t *siblings);
/* Nominal bytes of siblings of `key` that are among `seen`. */
uint64_t store_seen_bytes(const struct store_key *key, const struct store_dot *seen, size_t seen_count,
                          uint32_t *matched);

#endif
