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

#include "core/sync.h"
#include "sim/sim.h"

#define LEDGER_VALUE_BYTES_MIN 16u /* a change number and its check */
#define LEDGER_NONE UINT32_MAX

struct ledger_change {
  uint32_t operation;
  uint32_t key;
  uint32_t seen_first; /* slice of ledger.seen: numbers of the changes that it replaces */
  uint16_t seen_count;
  uint8_t kind; /* enum sync_change_kind */
};

enum ledger_result {
  LEDGER_REFUSED = 0, /* an error said that nothing changed */
  LEDGER_UNKNOWN = 1, /* power was lost meanwhile, or a failed write may have persisted */
  LEDGER_ACCEPTED = 2,
  LEDGER_PROMISED = 3, /* its durability was announced */
};

struct ledger_operation {
  uint64_t time_ns;
  uint64_t name;     /* of the submit: the same in a run in which another submit is left out */
  uint64_t position; /* of its end in the author's log */
  uint64_t hlc;      /* 0: not known (an unknown outcome that turned out to exist) */
  uint32_t life;
  uint32_t seq; /* 0: has none */
  uint32_t change_first;
  uint16_t change_count;
  uint8_t result; /* enum ledger_result */
};

struct ledger_life {
  uint64_t incarnation; /* 0 until its first write */
  uint32_t node;
  uint32_t *operations; /* by seq - 1 */
  uint32_t count, capacity;
  uint32_t promised;    /* the first so many are promised */
  uint32_t imaged;      /* of those, so many were durable when the image of the node's disk was saved */
  uint32_t unknown;     /* an operation that may exist though it was not accepted; LEDGER_NONE */
  uint32_t unknown_seq; /* the sequence number that it would have */
  bool lost;            /* the node was wiped or its disk damaged since: promises are excused */
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
  uint32_t *by_incarnation; /* open addressing: life + 1 */
  uint32_t slots, slots_used;
  uint64_t refused, unknown, promised;
};

void ledger_init(struct ledger *ledger, struct sim_world *world);
/* Begins a life of a node; gives its index. */
uint32_t ledger_life_begin(struct ledger *ledger, uint32_t node);
/* The life with that incarnation, LEDGER_NONE if there is none. */
uint32_t ledger_life_find(const struct ledger *ledger, uint64_t incarnation);
void ledger_life_name(struct ledger *ledger, uint32_t life, uint64_t incarnation);

/* Begins a submit; gives the operation's index. Changes are added to the
 * newest operation; what a change replaces is added to the newest change. */
uint32_t ledger_submit(struct ledger *ledger, uint32_t life);
uint32_t ledger_change_add(struct ledger *ledger, enum sync_change_kind kind, uint32_t key);
void ledger_seen_add(struct ledger *ledger, uint32_t number);
/* The submit's result: gives it the next sequence number of its life. */
void ledger_accept(struct ledger *ledger, uint32_t operation, uint64_t position, uint64_t hlc);
/* The outcome is not known: until a later operation of the life is durable,
 * it may turn out to exist. A newer unknown replaces an older. */
void ledger_doubt(struct ledger *ledger, uint32_t operation);
/* The unknown outcome turned out to exist, with its sequence number; what was
 * accepted under that number meanwhile is lost (it was never promised). */
void ledger_adopt(struct ledger *ledger, uint32_t life, uint64_t incarnation);
/* Everything of the life up to that log position is durable; gives how many
 * operations that newly promised. */
uint32_t ledger_promise(struct ledger *ledger, uint32_t life, uint64_t durable_position);

/* An image of the node's disk is saved: notes for each of its lives how many
 * operations are promised and durable. `life` is its present one or LEDGER_NONE,
 * durable up to that position; earlier lives are as durable as they are promised. */
void ledger_image_saved(struct ledger *ledger, uint32_t node, uint32_t life, uint64_t durable_position);
/* The node's disk is set back to that image: what the image holds is promised, no more. */
void ledger_image_restored(struct ledger *ledger, uint32_t node);

/* The operation with that id, LEDGER_NONE if nobody submitted it. */
uint32_t ledger_find(const struct ledger *ledger, uint64_t incarnation, uint64_t seq);
/* The number of the operation's change to a key, 0 if it has none. */
uint32_t ledger_change_of(const struct ledger *ledger, uint32_t operation, uint32_t key);

/* Keys and values as they are written. Key text is at most 16 bytes. */
size_t ledger_key_write(uint32_t key, char text[16]);
bool ledger_key_read(const void *key, size_t size, uint32_t *number);
void ledger_value_write(uint32_t number, uint8_t *value, size_t size);
/* The number that a value embeds; 0 when any byte is not as it was written. */
uint32_t ledger_value_read(const void *value, size_t size);

#endif
