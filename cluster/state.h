/* What a cluster is made of; types for the files of this folder. */
#ifndef CLUSTER_STATE_H
#define CLUSTER_STATE_H

#include "cluster/config.h"
#include "cluster/ledger.h"

#define CLUSTER_NODES_MAX 64u
#define CLUSTER_TRACE_KINDS 32u

/* Steps that the cluster folds into the trace (field 0 of SIM_STEP_CLUSTER). */
enum cluster_step {
  CLUSTER_STEP_SUBMIT = 1,  /* {operation index, changes, status} */
  CLUSTER_STEP_PROMISE = 2, /* {operations newly promised, durable position} */
  CLUSTER_STEP_OPEN = 3,    /* {status, detail hash} */
  CLUSTER_STEP_CHECK = 4,   /* {state digest, vector digest} */
};

/* Tokens of the cluster's own driver. */
enum cluster_wake {
  CLUSTER_WAKE_WORKLOAD = 1, /* | generation << 8 */
  CLUSTER_WAKE_CHECK = 2,
  CLUSTER_WAKE_REPAIR = 3, /* | node << 8: its engine stopped itself; its supervisor restarts it */
};

struct cluster_node {
  struct cluster *cluster;
  uint32_t number;
  char name[8]; /* "n1" */
  uint64_t hash;
  uint32_t life;   /* index in the ledger, LEDGER_NONE before the first boot */
  int open_status; /* of the last boot */
  char open_detail[160];
  const struct sync_options *engine; /* its own, in the arena; NULL: the cluster's */
  bool absent;                       /* left out of this run: it never boots, and nobody knows it */
  uint32_t rank;                     /* among those that are not absent, from 1 */
  bool repair_due;
  uint64_t limits_hash; /* as its last HELLO told it, for forged ones; 0: none yet */
  bool serve_failed;    /* an operation could not be read back for a peer, since faults stopped */
  uint64_t last_hlc;    /* of the submit that is being traced */
  uint64_t sent[3];     /* the operation sent last: {node hash, incarnation, seq} */
  uint32_t frames;      /* so far, in and out: some of them are looked at closely */
  uint32_t *applied;    /* by life: highest sequence number applied, as traced */
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

struct cluster {
  struct sim_world *world;
  struct cluster_config config;
  struct cluster_node nodes[CLUSTER_NODES_MAX + 1u]; /* from 1 */
  uint32_t present;                                  /* nodes that are not absent */
  struct ledger ledger;
  uint32_t driver;
  struct cluster_workload workload;
  uint64_t workload_generation; /* 0: stopped */
  uint64_t workload_submits;    /* identities of its choices */
  uint32_t check_node;          /* whose turn it is for the model */
  uint64_t settle_end_ns;       /* settling is given up then */
  uint32_t judged;              /* steps of the final word so far */
  bool judging;                 /* lives that begin now are not judged by the ledger */
  uint64_t by_trace[CLUSTER_TRACE_KINDS];
  uint32_t *held;    /* scratch of the model, by life */
  uint8_t *replaced; /* scratch of the model, by change number - 1 */
  uint32_t held_capacity, replaced_capacity;
  uint8_t *value; /* scratch of submits */
  uint32_t value_capacity;
};

#endif
