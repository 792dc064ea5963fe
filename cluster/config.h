/* What a cluster is made to be: its size and shape, its workload, the names of
 * its oracles. */
#ifndef CLUSTER_CONFIG_H
#define CLUSTER_CONFIG_H

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
#define CLUSTER_PROGRESS "durability progresses"      /* new work keeps no old work from becoming durable */
#define CLUSTER_DELIVERY "delivery progresses"        /* ... nor from being sent and acknowledged */
#define CLUSTER_TRAFFIC "bounded traffic"      /* nothing is sent without a reason, or more often than it is needed */
#define CLUSTER_CAUSAL "causal order"          /* an operation comes after all that it saw, and says what it saw */
#define CLUSTER_READS "honest reads"           /* every read gives what the log on the disk says */
#define CLUSTER_POLICIES "conflict policies"   /* a conflict is listed, resolved, and left alone as its policy says */
#define CLUSTER_SWEEPS "honest sweeps"         /* a tombstone is swept only when all peers have held it */
#define CLUSTER_SWEEPING "sweeping progresses" /* ... and then it is, soon */
#define CLUSTER_FEED "change feed"             /* a reader of it is told everything, once, in order */
#define CLUSTER_CLOCK "clock safety"     /* times are past what was seen, within the bound; timers ignore the wall */
#define CLUSTER_BACKOFF "honest backoff" /* who is silent is tried again just when the options and the draws say */
#define CLUSTER_LIVELOCK "livelock"      /* reported by sim */

enum cluster_topology {
  CLUSTER_MESH = 0, /* everyone knows everyone */
  CLUSTER_LINE = 1, /* 1 - 2 - 3 - ... */
  CLUSTER_RING = 2,
  CLUSTER_STAR = 3,   /* node 1 in the middle */
  CLUSTER_RANDOM = 4, /* connected: each node knows one of those before it, and there are 2 n more links, chosen by the
                         seed; calm: a star */
};
#define CLUSTER_TOPOLOGIES 5u

/* Conflict policies, as scenarios name them: those of the engine, with a merge callback each for SYNC_MERGE (merges.h).
 */
enum cluster_policy {
  CLUSTER_LAST_WRITE_WINS = SYNC_LAST_WRITE_WINS,
  CLUSTER_KEEP_LOCAL = SYNC_KEEP_LOCAL,
  CLUSTER_KEEP_REMOTE = SYNC_KEEP_REMOTE,
  CLUSTER_MANUAL = SYNC_MANUAL,
  CLUSTER_MERGE_UNION = 4,
  CLUSTER_MERGE_LONGEST = 5,
  CLUSTER_MERGE_GREATEST = 6,
  CLUSTER_POLICY_COUNT = 7,
  CLUSTER_MERGE_OWN = 7, /* and behind it: by merge functions of the scenario (struct cluster_own_merges) */
};
#define CLUSTER_OWN_MERGES_MAX 16u
#define CLUSTER_PREFIXES_MAX 16u
#define CLUSTER_PREFIX_BYTES_MAX 30u

struct cluster_prefix {
  char text[CLUSTER_PREFIX_BYTES_MAX];
  uint8_t size;
  uint8_t policy; /* enum cluster_policy */
};
struct cluster_policies {
  struct cluster_prefix at[CLUSTER_PREFIXES_MAX]; /* in bytewise order */
  uint32_t count;
  uint8_t all; /* enum cluster_policy: of keys without another one */
};

/* Merge functions of a scenario: one callback, and an argument for each, which is the caller's as long as the world. */
struct cluster_own_merges {
  sync_merge *call;
  void *args[CLUSTER_OWN_MERGES_MAX];
};

/* What one node has of its own. */
struct cluster_node_options {
  bool has_engine;
  struct sync_options engine; /* in place of the cluster's; ids are filled in */
  int64_t clock_ns;           /* its wall clock starts so much ahead of the others */
  bool has_policies;
  struct cluster_policies policies; /* in place of the cluster's */
};

struct cluster_config {
  uint32_t nodes;  /* 1 to 64 */
  uint32_t spares; /* the last so many of them are not there until cluster_add_node(); fewer than nodes */
  enum cluster_topology topology;
  uint64_t absent;                  /* bit n - 1: node n never takes part, and nobody knows it */
  struct sync_options engine;       /* of every node; node_id and cluster_id are filled in ("n1", "n2", ...) */
  struct cluster_policies policies; /* of every node */
  const struct cluster_node_options *node_options; /* by number - 1; NULL: all are alike. Copied by cluster_create */
  struct cluster_own_merges own_merges;
  bool promise_at_submit; /* the canary: the ledger takes every submit for promised at once */
  bool measured;          /* counts what is sent, and when it comes (tally.h, propagation.h) */
  bool no_oracles; /* for benches only: nothing is looked at while a run goes on, but the ledger's promises at a boot */
};

/* A stream of puts and deletes at random nodes. */
struct cluster_workload {
  uint32_t keys;        /* 1 to 1,000,000; 16 */
  uint64_t interval_ns; /* mean time between submits, all nodes together; 20 ms */
  uint32_t deletes_ppm;
  uint32_t hot_ppm;                          /* of submits that go to key 0 */
  uint32_t value_bytes_min, value_bytes_max; /* at least 16; 16 and 64 */
  uint32_t batch_ppm;                        /* of submits that are an atomic operation of 2 to 4 keys */
  uint32_t burst_max;                        /* submits in one turn of a node's loop, at least 1; 1 */
  bool variety;     /* keys of all shapes (keys.h); values that are empty, equal, or what the key had before, too */
  uint32_t writers; /* the first so many nodes submit; 0: all */
  uint32_t zipf;    /* exponent in hundredths, by which keys are drawn, the first most (of growing ones the newest); 0:
                       all alike. At most ZIPF_RANKS_MAX keys then */
  uint64_t grow_interval_ns; /* time until there is one key more; 0: their number stays */
  uint64_t busy_min_ns, busy_max_ns, quiet_min_ns,
      quiet_max_ns; /* busy for so long, quiet for so long; 0: always busy */
};
#define CLUSTER_KEYS_MAX 1000000u

#endif
