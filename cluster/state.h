/* What a cluster is made of; types for the files of this folder. */
#ifndef CLUSTER_STATE_H
#define CLUSTER_STATE_H

#include "cluster/backoff.h"
#include "cluster/config.h"
#include "cluster/delivery.h"
#include "cluster/ledger.h"
#include "cluster/log_watch.h"
#include "cluster/replica_types.h"
#include "cluster/steps.h"
#include "cluster/traffic.h"
#include "cluster/zipf.h"

struct cluster_tally;       /* tally.h */
struct cluster_propagation; /* propagation.h */
struct queries;             /* queries.c */

#define CLUSTER_NODES_MAX 64u
#define CLUSTER_TRACE_KINDS 32u

/* Tokens of the cluster's own driver. */
enum cluster_wake {
  CLUSTER_WAKE_WORKLOAD = 1, /* | generation << 8 */
  CLUSTER_WAKE_CHECK = 2,
  CLUSTER_WAKE_REPAIR = 3, /* | node << 8: its engine stopped itself; its supervisor restarts it */
};

/* What a disk says of its log, once the world has damaged something there (log_damage.h). */
struct log_damage {
  bool any;         /* the world's damage is on the disk; without it nothing else is looked at */
  bool base;        /* the newest base is not whole: how much of the log is left is of no matter to an open */
  bool told;        /* the log itself says that it is damaged: it must not be opened */
  uint64_t end;     /* the valid records end here */
  uint64_t claimed; /* ... and something valid says that so much was durable */
  uint64_t unread;  /* the first record that cannot be read for a bad sector ends behind there; UINT64_MAX: none */
};

/* What an engine was seen to do since it was opened; it must count the same. */
struct reads_counts {
  uint64_t submits, submits_refused, own_writes, sweeps, swept;
  uint64_t frames_in, frames_in_bytes;
  uint64_t frames_out, frames_out_bytes, ops_out, hellos_out;
};

struct follower; /* follower.c */

struct cluster_node {
  struct cluster *cluster;
  uint32_t number;
  char name[8]; /* "n1" */
  uint8_t name_size;
  uint64_t hash;
  struct sim_node *machine; /* the world's; its disk */
  const struct sim_disk *disk;
  const struct cluster_software *starting; /* while it boots; else NULL */
  uint32_t life;                           /* index in the ledger, LEDGER_NONE before the first boot */
  int open_status;                         /* of the last boot */
  char open_detail[160];
  const struct sync_options *engine; /* its own, in the arena; NULL: the cluster's */
  struct cluster_policies policies;
  uint64_t policies_ns;     /* when a script changed them last */
  bool absent;              /* left out of this run: it never boots, and nobody knows it */
  bool spare;               /* it waits for a script to add it; absent until then */
  bool left_out;            /* by an override: absent for good, and was never there */
  uint32_t rank;            /* among those that are not absent, from 1 */
  uint64_t limits_hash;     /* as its last HELLO told it, for forged ones; 0: none yet */
  struct log_damage damage; /* of its disk, just before the last boot */
  bool repair_due;
  bool repairs;      /* its next boot repairs what is damaged */
  bool repaired;     /* its last one did */
  bool repair_begun; /* one may have put something aside of which nobody has taken note */
  uint64_t open_end; /* where its last open says that the log ended */
  /* By node: where the record ends that registers it as a peer (0: none of this log does), whether that was durable,
   * and whether the last open did not know it all the same. */
  struct {
    uint64_t end;
    bool promised, lost;
  } peers[CLUSTER_NODES_MAX + 1u];
  struct replica replica;     /* what its disk says that it holds */
  struct reads_counts counts; /* of this run of the engine */
  uint64_t looked_frames;     /* frames in and out at the last look at intervals */
  struct log_watch watch;
  struct follower *follower; /* who reads its change feed; NULL: nobody yet */
  struct {                   /* clocks.h */
    uint64_t reads;          /* of the wall clock, at the last look */
    uint64_t explained;      /* of those since then */
  } clock;
  struct {                /* backoffs.h: of the event that runs */
    uint32_t hears;       /* whose message is being taken; 0: none */
    bool parked;          /* ... whom it has parked for it */
    bool refused, to_all; /* it refused something; what it holds now is news to everybody; */
    bool acknowledges;    /* ... or may be to whom it has it from */
    bool waits;           /* it waited for somebody at the end of the last event, or has begun to */
    uint64_t picks;       /* that waits were made of, or that were made before */
  } backoff;
  uint32_t *applied; /* by life: highest sequence number applied, as traced */
  uint32_t applied_capacity;
};

/* What the engine's process holds; in the node's own memory. */
struct cluster_software {
  struct sync_engine *engine;
  struct cluster_node *node;
  uint8_t *frame;
  size_t frame_bytes;
  uint32_t peer_of[CLUSTER_NODES_MAX + 1u]; /* by node number; SYNC_PEER_NONE */
  uint8_t node_of[CLUSTER_NODES_MAX + 1u];  /* by peer handle */
  bool peers_missing;                       /* some could not be registered yet */
};

/* What a frame says of an index. */
struct cluster_explained {
  uint64_t index;
  uint32_t life;
};

/* Which nodes were peers of its author when it was made: bit n - 1 is node n. */
struct cluster_own_write {
  uint32_t operation, node;
  uint64_t peers;
};

struct cluster {
  struct sim_world *world;
  const struct sim_violation *violation; /* the world's, there from its beginning */
  struct cluster_config config;
  struct cluster_node nodes[CLUSTER_NODES_MAX + 1u]; /* from 1 */
  uint32_t present;                                  /* nodes that are not absent */
  uint64_t links[CLUSTER_NODES_MAX + 1u];            /* by number: whom the node knows, bits by number - 1 */
  uint64_t added[CLUSTER_NODES_MAX + 1u];            /* ... by a script, whatever the shape says, */
  uint64_t removed[CLUSTER_NODES_MAX + 1u];          /* ... and whom it does not know, by a script */
  struct ledger ledger;
  uint32_t driver;
  struct cluster_workload workload;
  uint64_t workload_generation; /* 0: stopped */
  uint64_t workload_submits;    /* identities of its choices */
  uint64_t workload_started_ns; /* for the first time */
  uint64_t busy_times;          /* so far, */
  uint64_t busy_end_ns;         /* ... and the end of this one */
  struct zipf zipf;             /* of its keys; without ranks: all alike */
  uint64_t checks;              /* at intervals, so far */
  uint64_t progress_ns;         /* when a vector changed last, seen while it settles */
  uint64_t progress;            /* ... a hash of all */
  uint64_t settle_end_ns;       /* settling is given up then */
  uint32_t judged;              /* steps of the final word so far */
  bool judging;                 /* lives that begin now are not judged by the ledger */
  uint64_t by_trace[CLUSTER_TRACE_KINDS];
  struct delivery *deliveries;    /* by (from - 1) * nodes + to - 1; NULL: not watched */
  struct traffic *traffic;        /* the same; NULL: not watched */
  struct traffic_calm calm;       /* of all of it */
  struct backoff *backoffs;       /* the same; NULL: not watched */
  uint32_t delivery_node;         /* whose turn it is, in a large cluster */
  uint64_t looked;                /* records and keys that the oracles looked at: what they cost */
  uint32_t *known, *known_by_all; /* scratch of reads and deliveries, by life */
  uint32_t known_capacity, known_by_all_capacity;
  struct cluster_explained *explained; /* scratch of a frame */
  uint32_t explained_count, explained_capacity;
  struct cluster_own_write *own_writes; /* not judged yet */
  uint32_t own_write_count, own_write_capacity;
  uint8_t *value; /* scratch of submits */
  uint32_t value_capacity;
  struct sync_change *changes;
  uint32_t change_capacity;
  struct queries *queries;                 /* scratch of queries.c; NULL: none was asked yet */
  struct cluster_tally *tally;             /* NULL: not counted */
  struct cluster_propagation *propagation; /* NULL: not measured */
  uint8_t *merged;                         /* scratch of readings */
  uint32_t merged_capacity;
};

#endif
