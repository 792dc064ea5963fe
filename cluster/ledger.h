/* The ledger: every submit of a run, its result and its promise.
 *
 * A submit is one operation of one or more changes. Every change has a number,
 * from 1; a put's value embeds it, so that a value found anywhere names its
 * submit. A life is one run of a node's engine between two opens; the
 * operations of one life share an incarnation and have contiguous sequence
 * numbers.
 */
#ifndef CLUSTER_LEDGER_H
#define CLUSTER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/keys.h"
#include "core/sync.h"
#include "sim/sim.h"

#define LEDGER_VALUE_BYTES_MIN 16u /* a change number and its check */
#define LEDGER_NONE UINT32_MAX

struct ledger_change {
  uint32_t operation;
  uint32_t key;
  uint32_t seen_first; /* slice of ledger.seen: numbers of the changes that it replaces */
  uint16_t seen_count;
  uint8_t kind;        /* enum sync_change_kind */
  bool automatic;      /* flagged so: an engine wrote it, not a caller */
  uint32_t slot;       /* of its key among ledger.keys */
  uint32_t value_size; /* of a put */
  uint32_t value_of;   /* the number that its value was made from: its own, another's, or 0 */
  uint32_t value_text; /* ... or it was chosen, and is in ledger.texts: where it begins, + 1 */
};

/* So much of a life its writer held. */
struct ledger_held {
  uint32_t life, seq;
};

/* Whether an engine wrote the operation by itself (own_writes.h). */
enum ledger_own {
  LEDGER_SUBMITTED = 0,
  LEDGER_OWN_UNREAD = 1, /* ... and what it is was not read yet: it has no changes so far */
  LEDGER_OWN_READ = 2,
};

enum ledger_result {
  LEDGER_REFUSED = 0, /* an error said that nothing changed */
  LEDGER_ACCEPTED = 2,
  LEDGER_PROMISED = 3, /* its durability was announced */
};

struct ledger_operation {
  uint64_t time_ns;
  uint64_t name;     /* of the submit: the same in a run in which another submit is left out */
  uint64_t start;    /* where its record begins in the author's log, */
  uint64_t position; /* ... and where it ends; UINT64_MAX: not known */
  uint64_t hlc;      /* the one that it must have */
  uint32_t life;
  uint32_t seq; /* 0: has none */
  uint32_t change_first;
  uint16_t change_count;
  uint8_t result;        /* enum ledger_result */
  uint8_t own;           /* enum ledger_own */
  uint32_t held_first;   /* slice of ledger.held: what its writer held then and not yet at its last operation */
  uint32_t held_count;   /* (at the first of a life: all) */
  uint64_t payload_hash; /* of its bytes, once they were read and found to be what was submitted; 0 before */
};

struct ledger_life {
  uint64_t incarnation; /* 0 until its first write */
  uint32_t node;
  uint32_t *operations; /* by seq - 1 */
  uint32_t count, capacity;
  uint32_t promised; /* the first so many are promised */
  uint32_t imaged;   /* of those, so many were durable when the image of the node's disk was saved */
  bool lost;         /* the node was wiped since: promises are excused */
  uint8_t *birth;    /* what a HELLO said of its beginning and was found to be true, from its count on */
  uint32_t birth_size, birth_capacity;
  bool first; /* its node held none of its other lives when it began: no HELLO said anything else */
};

struct ledger {
  struct sim_world *world;
  struct ledger_change *changes; /* change number n is changes[n - 1] */
  uint32_t change_count, change_capacity;
  struct ledger_operation *operations;
  uint32_t operation_count, operation_capacity;
  struct ledger_life *lives;
  uint32_t life_count, life_capacity;
  uint32_t *seen;
  uint32_t seen_count, seen_capacity;
  struct ledger_held *held;
  uint32_t held_count, held_capacity;
  uint8_t *texts; /* chosen values */
  uint32_t text_size, text_capacity;
  struct keys keys;
  uint32_t *by_incarnation; /* open addressing: life + 1 */
  uint32_t slots, slots_used;
  uint64_t refused, promised;
  uint32_t open; /* the operation that changes are added to */
};

void ledger_init(struct ledger *ledger, struct sim_world *world);
/* Begins a life of a node; gives its index. */
uint32_t ledger_life_begin(struct ledger *ledger, uint32_t node);
/* The life with that incarnation, LEDGER_NONE if there is none. Inline: asked for
 * every entry of a HELLO and every operation that is sent or read. */
static inline uint32_t ledger_life_find(const struct ledger *ledger, uint64_t incarnation) {
  if (!ledger->slots) return LEDGER_NONE;
  const uint32_t *places = ledger->by_incarnation;
  uint32_t slot = (uint32_t)(incarnation >> 32) & (ledger->slots - 1u); /* drawn at random */
  while (places[slot] && ledger->lives[places[slot] - 1u].incarnation != incarnation)
    slot = (slot + 1u) & (ledger->slots - 1u);
  return places[slot] - 1u; /* nothing there: LEDGER_NONE */
}
void ledger_life_name(struct ledger *ledger, uint32_t life, uint64_t incarnation);

/* Begins a submit whose record would begin at that log position; gives the
 * operation's index. Changes are added to it until another one begins or is described;
 * what a change replaces is added to the newest change. */
uint32_t ledger_submit(struct ledger *ledger, uint32_t life, uint64_t start);
uint32_t ledger_change_add(struct ledger *ledger, enum sync_change_kind kind, uint32_t key, uint32_t slot);
/* Changes are added to that operation, which has none yet. */
void ledger_describe(struct ledger *ledger, uint32_t operation);
void ledger_seen_add(struct ledger *ledger, uint32_t number);
/* What its writer held is added to the newest operation. */
void ledger_held_add(struct ledger *ledger, uint32_t life, uint32_t seq);
/* The newest change puts a value of that size, made from that number; a chosen one, of these bytes; the same as another
 * change did. */
void ledger_value_add(struct ledger *ledger, uint32_t size, uint32_t of);
void ledger_value_choose(struct ledger *ledger, const void *bytes, uint32_t size);
void ledger_value_repeat(struct ledger *ledger, uint32_t number);
/* The submit's result: gives it the next sequence number of its life. */
void ledger_accept(struct ledger *ledger, uint32_t operation, uint64_t position);
/* Everything of the life, and of its node's log, up to that position is durable;
 * gives how many operations that newly promised. */
uint32_t ledger_promise(struct ledger *ledger, uint32_t life, uint64_t durable_position);

/* The node's disk is emptied: nothing of it is promised, nothing can come back. */
void ledger_wiped(struct ledger *ledger, uint32_t node);
/* An image of the node's disk is saved: notes for each of its lives how many
 * operations are promised and durable. `life` is its present one or LEDGER_NONE,
 * durable up to that position; earlier lives are as durable as they are promised. */
void ledger_image_saved(struct ledger *ledger, uint32_t node, uint32_t life, uint64_t durable_position);
/* The node's disk is set back to that image: what the image holds is promised, no more. */
void ledger_image_restored(struct ledger *ledger, uint32_t node);

/* The operation with that id, LEDGER_NONE if nobody submitted it. */
static inline uint32_t ledger_find(const struct ledger *ledger, uint64_t incarnation, uint64_t seq) {
  uint32_t life = ledger_life_find(ledger, incarnation);
  if (life == LEDGER_NONE || seq - 1u >= ledger->lives[life].count) return LEDGER_NONE; /* 0 has none */
  return ledger->lives[life].operations[seq - 1u];
}
/* The number of the operation's change to the key of that slot, 0 if it has none. */
uint32_t ledger_change_of(const struct ledger *ledger, uint32_t operation, uint32_t slot);

/* Values as they are written: made from a number, which the first four bytes are.
 * Made from 0: values that say nothing, equal when their sizes are. */
void ledger_value_write(uint32_t number, uint8_t *value, size_t size);
/* Writes what that change put: value_size bytes. */
void ledger_value_give(const struct ledger *ledger, uint32_t number, uint8_t *value);
/* The number that a value embeds; 0 when any byte is not as it was written. */
uint32_t ledger_value_read(const void *value, size_t size);
/* Whether this is, byte for byte, what that change put. */
bool ledger_value_is(const struct ledger *ledger, uint32_t number, const void *value, size_t size);

#endif
