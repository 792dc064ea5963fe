/* What the oracles know of a node's log and state (replica.h folds it). */
#ifndef CLUSTER_REPLICA_TYPES_H
#define CLUSTER_REPLICA_TYPES_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/decode.h"

#define REPLICA_CHANGED 1u
#define REPLICA_UNWALKED 2u

struct replica_sibling {
  uint32_t number; /* of the change */
  uint32_t next;   /* place + 1 */
};
struct replica_entry {
  uint64_t end;       /* of its record */
  uint32_t life, seq; /* of its operation */
};

struct replica_merged {
  uint32_t life; /* LEDGER_NONE: of no life that ever was */
  uint64_t seq;
};

/* A life that was at that place of a vector; all 0: none. */
struct replica_hint {
  uint64_t incarnation;
  uint32_t durable_at; /* its place in `durable` */
};

/* The entries of a HELLO that were found to be true, and where each says how much. */
struct replica_told {
  uint32_t life;
  uint32_t seq_at, seq_bytes;
};
struct replica_hello {
  uint8_t *bytes;
  uint32_t size, capacity; /* 0: none */
  struct replica_told *told;
  uint32_t told_count, told_capacity;
};
#define REPLICA_HELLOS 2u /* HELLOs that say all and those that leave out what others imply take turns */

struct replica_accepted {
  uint64_t end; /* of its record */
  uint32_t operation;
};

struct replica {
  bool following; /* of the present run of the node; set at its start */
  bool beginning; /* the whole log is read, at its start */
  bool rotated;   /* a segment was begun since it was followed last: when to look, not where */

  /* The log. */
  struct decode_segment *segments; /* those that count, in order; the last is being written */
  uint32_t segment_count, segment_capacity;
  char name[DECODE_SEGMENT_NAME_BYTES]; /* of the segment that is read */
  struct decode_segment named;
  uint64_t log_id; /* 0: no header was read yet */
  uint64_t end;    /* so far it was read */
  uint8_t *bytes;  /* scratch: a record and what is behind it */
  uint32_t bytes_capacity;

  uint32_t *named_lives; /* by index in the log */
  uint32_t named_count, named_capacity;

  /* What is in it, by life: so many operations; so many that would survive a power
   * loss now (at the life + 1: 0 is no life, of which nothing is durable); and what
   * its writer knew at its last own operation. */
  uint32_t *held, *durable, *noted;
  struct replica_hint *hints; /* by place in a vector of the engine: what was there */
  uint32_t hint_capacity;
  struct replica_hello hellos[REPLICA_HELLOS];
  uint32_t hello_last; /* which of them was heard last */
  uint32_t held_capacity, durable_capacity, noted_capacity;
  uint32_t life_room, slot_room; /* so many lives and keys the arrays have room for (replica_make_room) */
  uint32_t *news;                /* lives with held != noted */
  uint32_t news_count, news_capacity;
  uint64_t hlc_last;
  uint64_t remote; /* operations of other lives, read since the start */

  /* Its own operations that were accepted and whose records were not read yet, in
   * order: they are in the state already. */
  struct replica_accepted *ahead;
  uint32_t ahead_count, ahead_first, ahead_capacity;
  bool behind;       /* records wait for a write that is refused: the state here is older than the node's */
  uint64_t refusals; /* calls that the node was refused by the time of the last look that found all */

  /* What a snapshot that is being merged holds, as it was when it was: its file may rot before its record is read. */
  struct replica_merged *merging;
  uint32_t merging_count, merging_capacity;
  uint64_t merging_id; /* 0: none */

  uint64_t sent_id; /* of the base whose blocks are sent, found to be durable in this run; 0: none */

  struct replica_entry *waiting; /* operations that were not durable yet, in order */
  uint32_t waiting_count, waiting_first, waiting_capacity;
  uint64_t durable_end;
  uint32_t durable_segment;

  /* The state, by slot of the key. */
  uint32_t *first; /* place + 1 of a sibling */
  uint32_t first_capacity;
  struct replica_sibling *siblings;
  uint32_t sibling_capacity, sibling_places, sibling_free; /* place + 1 */
  uint64_t key_count, sibling_count, tombstone_count;

  /* Slots that changed since they were last looked at: siblings and winner at
   * once, iteration at intervals. */
  uint32_t *changed, *unwalked;
  uint32_t changed_count, changed_capacity, unwalked_count, unwalked_capacity;
  uint8_t *marks; /* by slot: REPLICA_CHANGED, REPLICA_UNWALKED */
  uint32_t mark_capacity;
  /* Sweeps. */
  uint32_t *had; /* by life: so many were durable here once, in runs before this one */
  uint32_t had_capacity;
  uint32_t *owed; /* its own deletes, by number of the change, in order; from `owed_first` on */
  uint32_t owed_first, owed_count, owed_capacity;
  uint32_t sweepable; /* the oldest of these, found to be so at `sweepable_ns` and since; 0: none */
  uint64_t sweepable_ns, sweep_excuses;

  bool news_to_look; /* operations were read since the last look at intervals */
};

static inline uint32_t replica_held(const struct replica *replica, uint32_t life) {
  return life < replica->held_capacity ? replica->held[life] : 0;
}
/* How many operations of the life would survive a power loss of the node now. */
static inline uint32_t replica_durable(const struct replica *replica, uint32_t life) {
  return life + 1u < replica->durable_capacity ? replica->durable[life + 1u] : 0;
}

#endif
