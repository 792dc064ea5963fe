/* cluster: the sync engine as nodes of a world, the workload that drives them,
 * and the ledger and oracles that judge them.
 *
 * A run: cluster_create() adds and boots the nodes; sim_run() to the
 * scenario's duration while the workload and a script act; cluster_settle()
 * stops faults, heals, restarts, and waits for convergence; cluster_judge()
 * gives every oracle its final word. Oracles report with sim_violation().
 */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sync.h"
#include "sim/sim.h"

struct cluster; /* in the arena */

/* The plain names of the oracles, as reports show them. */
#define CLUSTER_DURABILITY "durability"               /* a promised operation survives */
#define CLUSTER_CONVERGENCE "convergence"             /* healed replicas become equal, and equal to the model */
#define CLUSTER_PHANTOM "no phantom values"           /* every value was submitted, byte for byte */
#define CLUSTER_EXACTLY_ONCE "exactly once"           /* no operation is applied twice */
#define CLUSTER_UNIQUE_IDS "unique ids"               /* one id, one operation */
#define CLUSTER_DRAINED "drained outbox"              /* nothing is owed after healing */
#define CLUSTER_NO_LEAK "no leak"                     /* a closed engine holds no memory */
#define CLUSTER_RECOVERY "honest recovery"            /* a node starts again, with the state that its log tells */
#define CLUSTER_HONEST_ACKS "honest acknowledgements" /* what a peer is believed to hold durably, it does */
#define CLUSTER_LIVELOCK "livelock"                   /* reported by sim */

enum cluster_topology {
  CLUSTER_MESH = 0, /* everyone knows everyone */
  CLUSTER_LINE = 1, /* 1 - 2 - 3 - ... */
  CLUSTER_RING = 2,
  CLUSTER_STAR = 3, /* node 1 in the middle */
};

struct cluster_config {
  uint32_t nodes; /* 1 to 64 */
  enum cluster_topology topology;
  struct sync_options engine; /* of every node; node_id and cluster_id are filled in ("n1", "n2", ...) */
  bool promise_at_submit;     /* the canary: the ledger takes every submit for promised at once */
  bool no_oracles; /* for benches only: nothing is looked at while a run goes on, but the ledger's promises at a boot */
};

/* Adds the nodes and boots them. NULL: the arena is used up. */
struct cluster *cluster_create(struct sim_world *world, const struct cluster_config *config);
uint32_t cluster_nodes(const struct cluster *cluster);

/* A stream of puts and deletes at random nodes. */
struct cluster_workload {
  uint32_t keys;        /* 1 to 1,000,000; 16 */
  uint64_t interval_ns; /* mean time between submits, all nodes together; 20 ms */
  uint32_t deletes_ppm;
  uint32_t hot_ppm;                          /* of submits that go to key 0 */
  uint32_t value_bytes_min, value_bytes_max; /* at least 16; 16 and 64 */
  uint32_t batch_ppm;                        /* of submits that are an atomic operation of 2 to 4 keys */
};
/* Starts it; at most one runs at a time (a second call replaces it). */
void cluster_workload_start(struct cluster *cluster, const struct cluster_workload *workload);
void cluster_workload_stop(struct cluster *cluster);

/* One submit by a script: `key` is a number, written as the workload writes
 * keys. Gives the engine's status, or SYNC_E_POWERED_OFF when the node is not
 * up. `value_size` at least 16. */
int cluster_put(struct cluster *cluster, uint32_t node, uint32_t key, uint32_t value_size);
int cluster_delete(struct cluster *cluster, uint32_t node, uint32_t key);
/* The ledger number of the winning value, 0 when absent or the node is down. */
uint64_t cluster_get(struct cluster *cluster, uint32_t node, uint32_t key);

/* Empties the disk of a node that is down; what it promised is excused. */
void cluster_wipe(struct cluster *cluster, uint32_t node);
/* Keeps an image of what the node's platter holds now, in place of an earlier
 * one; the node may be up. The ledger remembers what it had promised by then. */
void cluster_backup(struct cluster *cluster, uint32_t node);
/* Sets the disk of a node that is down back to its image. What it promised since
 * is excused, what the image must hold is not (a wipe in between excuses
 * nothing of that). false, and nothing happens: there is no image. */
bool cluster_restore(struct cluster *cluster, uint32_t node);

/* What scripts may ask. Sums over nodes and lives. */
struct cluster_stats {
  uint64_t submits, refused, unknown, promised; /* of the ledger */
  uint64_t by_trace[32];                        /* how often each enum sync_trace_kind happened */
};
void cluster_stats(const struct cluster *cluster, struct cluster_stats *stats);
uint64_t cluster_outbox_size(struct cluster *cluster, uint32_t node); /* 0 when down */
/* The engine's own counters of this life of the node; false when it is down. */
bool cluster_node_stats(struct cluster *cluster, uint32_t node, struct sync_stats *stats);
/* All up and outboxes empty; all up with equal digests. Both are also true
 * while a node honestly refuses to open on a disk that the world damaged. */
bool cluster_drained(struct cluster *cluster);
bool cluster_converged(struct cluster *cluster);

/* Checks the invariants that hold at any moment (equal vectors have equal
 * states, state equals the model, values are real). Runs by itself at
 * intervals; scripts may ask for it too. */
void cluster_check(struct cluster *cluster);

/* The end of a run: sim_calm(), boots what is down, and runs until everything
 * is converged, drained and durable, or `settle_ns` has passed. */
void cluster_settle(struct sim *sim, struct cluster *cluster, uint64_t settle_ns);
/* The final word: convergence, model, drained outboxes; then every node is
 * stopped (leaks), booted again (same state) and stopped. */
void cluster_judge(struct cluster *cluster);

/* What sort of message struct sim_progress counted; NULL: no frame of the engine. */
const char *cluster_message_sort(uint32_t sort);

/* Writes the history of an operation as lines of text, from a recording of the
 * run: submitted, durable, sent, applied, lost, ... `subject` as in struct
 * sim_violation. Returns the length. */
size_t cluster_history(const struct sim_trace_log *log, const uint64_t subject[3], uint32_t nodes, char *text,
                       size_t size);
/* "n3" for the hash that traces use; "?" for a stranger. */
uint32_t cluster_node_of_hash(uint64_t node_hash, uint32_t nodes);

#endif
