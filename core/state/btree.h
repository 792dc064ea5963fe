/* An ordered index in memory: a B+ tree over keys that somebody else owns.
 *
 * A node holds for each of its keys the word of eight bytes that follow what
 * all its keys have in common, so that a search reads a few lines of the node
 * and of the keys at most one ("poor man's normalized keys": Graefe and Larson,
 * B-Tree Indexes and CPU Caches, ICDE 2001; the common prefix: Bayer and
 * Unterauer, Prefix B-trees, TODS 1977). Rather than an adaptive radix tree,
 * because nodes of one size let an insertion take all its memory beforehand.
 * A node joins a neighbour when both fit in one, and a node that is empty goes;
 * none lends keys (Johnson and Shasha, JCSS 1993): of two neighbours under one
 * parent, at least one is more than a quarter full.
 *
 * The shape is a function of the sequence of insertions and removals. */
#ifndef SYNC_CORE_STATE_BTREE_H
#define SYNC_CORE_STATE_BTREE_H

#include "core/base/base.h"
#include "core/state/key.h"
#include "core/sync.h"

#define BTREE_WIDTH 32u
#define BTREE_HEIGHT_MAX 20u /* with half of the nodes under a quarter full: 8^18 keys */
#define BTREE_PREFIX_BYTES 40u
#define BTREE_LEAF_NOMINAL_BYTES 576u
#define BTREE_INNER_NOMINAL_BYTES 832u

struct btree_node {
  struct btree_node *before, *after; /* on the same level */
  uint16_t count;
  uint16_t skip;                      /* bytes at the beginning that all its keys share */
  uint8_t level;                      /* 0: a leaf */
  uint8_t prefix[BTREE_PREFIX_BYTES]; /* the first of these bytes */
  uint64_t word[BTREE_WIDTH];         /* key_word() of each key, from `skip` on */
  struct store_key *key[BTREE_WIDTH]; /* in an inner node the lowest below each child */
  struct btree_node *child[];         /* BTREE_WIDTH of an inner node */
};

/* The way from the root to where a key is, or belongs. */
struct btree_path {
  struct btree_node *node[BTREE_HEIGHT_MAX]; /* by level */
  uint16_t at[BTREE_HEIGHT_MAX];
  struct store_key *key; /* the one that was sought, NULL: it is not there */
};

struct btree {
  const struct sync_env *env;
  struct btree_node *root; /* NULL: empty */
  /* The last way that was looked for, so that who changes a key just sought need not walk again. */
  struct btree_path path;
  bool path_known;
  uint16_t sought_size;
  uint8_t sought[SYNC_KEY_BYTES_MAX];
};

/* A place in the order; holds until the next insertion or removal. */
struct btree_cursor {
  const struct btree_node *leaf; /* NULL: behind the last key */
  size_t at;
};

void btree_init(struct btree *tree, const struct sync_env *env);
/* Frees the nodes. The keys are their owner's, and may be gone already. */
void btree_deinit(struct btree *tree);

/* The key with these bytes, or NULL. */
struct store_key *btree_find(const struct btree *tree, const uint8_t *bytes, size_t size);
/* The same for one who will change that key next: remembers the way to it. At
 * most SYNC_KEY_BYTES_MAX. */
struct store_key *btree_seek(struct btree *tree, const uint8_t *bytes, size_t size);
/* Inserts a key that is not there, and lends it until it is removed. All or
 * nothing: SYNC_E_NO_MEMORY, and nothing changed. */
int btree_insert(struct btree *tree, struct store_key *key);
/* Takes out a key that is there; its bytes must still be. Cannot fail. */
void btree_remove(struct btree *tree, const struct store_key *key);

struct btree_cursor btree_first(const struct btree *tree);
/* At the first key that is not below the given one. */
struct btree_cursor btree_lower_bound(const struct btree *tree, const uint8_t *bytes, size_t size);
/* NULL: behind the last. */
static inline struct store_key *btree_key(const struct btree_cursor *cursor) {
  return cursor->leaf == NULL ? NULL : cursor->leaf->key[cursor->at];
}
/* The key that stands so many further on, if that is in this leaf or the next. */
static inline struct store_key *btree_ahead(const struct btree_cursor *cursor, size_t further) {
  const struct btree_node *leaf = cursor->leaf;
  size_t at = cursor->at + further;
  if (at < leaf->count) return leaf->key[at];
  at -= leaf->count;
  leaf = leaf->after;
  return leaf != NULL && at < leaf->count ? leaf->key[at] : NULL;
}
static inline void btree_advance(struct btree_cursor *cursor) {
  if (++cursor->at < cursor->leaf->count) return;
  cursor->leaf = cursor->leaf->after;
  cursor->at = 0;
}

#endif
