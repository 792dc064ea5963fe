/* Origins: the writers' lives, interned. An origin is found by (node id,
 * incarnation) and carries what this replica holds of it. */
#ifndef SYNC_CORE_STATE_ORIGIN_H
#define SYNC_CORE_STATE_ORIGIN_H

#include "core/base/base.h"
#include "core/sync.h"
#include "core/state/vector.h"

#define ORIGIN_NOMINAL_BYTES 288u
#define ORIGINS_RECENT 64u

struct origin;
struct store_sibling; /* sibling.h */

/* "Everything of `origin` up to `seq`." */
struct origin_edge {
  struct origin *origin;
  uint64_t seq;
};
#define ORIGIN_EDGE_NOMINAL_BYTES 16u

/* Its tombstones (graves.h), and its place among the origins that have any. */
struct origin_graves {
  struct store_sibling *first, *last;
  struct origin *before, *after;
  uint64_t aged; /* those up to here are older than a few looks at them (sweep.h) */
  bool unsorted;
};

struct origin {
  char node_id[NODE_ID_ROOM];
  size_t node_id_size;
  uint64_t incarnation;
  uint64_t node_hash;
  uint32_t index;   /* in the order of their first operations in the log, where they go by it */
  uint32_t rank;    /* its place among the durable ones by (node id, incarnation), once origins_rank() was called */
  uint32_t writer;  /* the same for all lives of a node: 0, 1, 2, ... in the order in which nodes were first seen */
  bool own_node;    /* a life of this node, present or past */
  bool changed;     /* raised since our last operation: belongs in its delta */
  uint64_t applied; /* VV; origins_raise() sets it */
  uint64_t hlc;     /* of the operation applied last: the next one's is coded by what it is past it */
  uint64_t hash;    /* origin_hash() */
  uint64_t durable; /* DVV */
  uint64_t floor;   /* F: operations above it are in the log */
  uint64_t saving;  /* what was applied when the snapshot in progress began */
  uint64_t based;   /* what the base holds: a snapshot that can be sent */

  /* BIRTH without what the births of its own members say already. */
  struct origin_edge *birth;
  size_t birth_count;
  uint64_t reached; /* so much of it was seen by other operations that are held here: whoever holds these holds it */
  uint64_t covered; /* whoever holds what is held here holds this much of it, by the birth of a later life */

  struct memory_array ordinals; /* uint32_t: place in the oplog of floor + 1, floor + 2, ...; its low half */
  size_t ordinals_gone;         /* so many first ones count no more */

  struct origin_graves graves;

  /* Scratch of one call. */
  uint64_t stamp;
  uint64_t implied;
};

struct origins {
  const struct sync_env *env;
  char own_node_id[NODE_ID_ROOM];
  struct memory_array all;     /* struct origin *, by index */
  struct memory_array sorted;  /* the same by (node id, incarnation) */
  struct memory_array changed; /* struct origin * with `changed` set */
  struct memory_array work;    /* struct origin *, scratch */
  uint32_t writers;            /* nodes */
  size_t durable_count;        /* lives of which something is durable: the first ones, by index */
  uint64_t durable_lives;      /* the sum of their origin_life_hash(): the same where they are the same */
  size_t ranked_count;         /* `rank` is right among so many first ones; 0: of none */
  struct origin *spare;        /* what the next origins_add takes */
  /* By the low bits of the incarnation, the origin added or raised last: where
   * origins_find() looks first. */
  struct origin *recent[ORIGINS_RECENT];
  uint64_t stamp;  /* the last stamp given out */
  uint64_t digest; /* sum of origin_hash() */
  bool replaying;  /* the digest waits for origins_replayed() */
};

void origins_init(struct origins *origins, const struct sync_env *env, const char *own_node_id);
void origins_deinit(struct origins *origins);

static inline size_t origins_count(const struct origins *origins) {
  return origins->all.count;
}
static inline struct origin *origins_at(const struct origins *origins, size_t index) {
  return ((struct origin **)origins->all.items)[index];
}
static inline struct origin *origins_sorted(const struct origins *origins, size_t place) {
  return ((struct origin **)origins->sorted.items)[place];
}
static inline uint64_t origins_stamp(struct origins *origins) {
  return ++origins->stamp;
}

/* Sets the ranks of the durable ones, if some came or went. */
void origins_rank(struct origins *origins);
/* Something of it is durable now. In the order of the log. */
void origins_raise_durable(struct origins *origins, struct origin *origin, uint64_t seq);
/* Of who it is, whatever is held of it. */
uint64_t origin_life_hash(const struct origin *origin);

/* NULL when it was never seen. */
struct origin *origins_find(const struct origins *origins, const uint8_t *node_id, size_t node_id_size,
                            uint64_t incarnation);
/* Memory for one more origin with one operation: origins_add() cannot fail
 * after it. SYNC_E_NO_MEMORY, SYNC_E_TOO_MANY: nothing changed. */
int origins_reserve(struct origins *origins);
struct origin *origins_add(struct origins *origins, const uint8_t *node_id, size_t node_id_size, uint64_t incarnation);
/* Room for so many more, besides themselves. SYNC_E_NO_MEMORY, SYNC_E_TOO_MANY: nothing changed. */
int origins_reserve_more(struct origins *origins, size_t more);
/* For a merge, which interns what it needs before it knows that it will be: an origin on its own (NULL: no
 * memory), how it comes among the others after origins_reserve_more(), and how the last one goes again. */
struct origin *origin_make(const struct origins *origins, const uint8_t *node_id, size_t node_id_size,
                           uint64_t incarnation);
void origins_insert(struct origins *origins, struct origin *origin);
void origins_remove_last(struct origins *origins);

/* By node id bytes, then incarnation: negative, 0, positive. */
int origin_compare(const struct origin *a, const struct origin *b);
/* By origin, then seq. */
int origin_dot_compare(const struct origin *a, uint64_t a_seq, const struct origin *b, uint64_t b_seq);

static inline struct sync_origin origin_public(const struct origin *origin) {
  return (struct sync_origin){.node_id = origin->node_id, .incarnation = origin->incarnation};
}

/* The share of the origin in the digest of the vector. */
uint64_t origin_hash(const struct origin *origin);
/* The same, were that much applied. */
uint64_t origin_hash_at(const struct origin *origin, uint64_t seq);
/* Raises what is applied, and marks the origin for the next delta. Cannot fail. */
void origins_raise(struct origins *origins, struct origin *origin, uint64_t seq);
/* Ends a replay: from here on the digest is kept up to date. */
void origins_replayed(struct origins *origins);
/* Raises `vector` by everything that the births of its entries imply. Entries
 * must fit: vector_reserve(origins_count()). */
void origins_complete(struct origins *origins, struct vector *vector);
/* Removes from `edges` (lives of one node) those that the births of others
 * among them imply exactly; returns how many stay. */
size_t origins_reduce(struct origin_edge *edges, size_t count);
/* Sets `implied` of every origin from the births of the durable ones. */
void origins_imply(struct origins *origins);

#endif
