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
#include <stdint.h>

#include "cluster/config.h"

/* Adds the nodes and boots them. NULL: the arena is used up. */
struct cluster *cluster_create(struct sim_world *world, const struct cluster_config *config);

/* What scripts may ask. Sums over nodes and lives. */
struct cluster_stats {
  uint64_t submits, refused, promised; /* of the ledger */
  uint64_t by_trace[32];               /* how often each enum sync_trace_kind happened */
};
void cluster_stats(const struct cluster *cluster, struct cluster_stats *stats);
uint64_t cluster_outbox_size(struct cluster *cluster, uint32_t node); /* 0 when down */
/* Has the node take a snapshot, beginning with its next turn. false: it is down. */
bool cluster_snapshot(struct cluster *cluster, uint32_t node);
/* Boots a node that is down, its engine with leave to repair what is damaged. false: it is up, or does not come up. */
bool cluster_repair(struct cluster *cluster, uint32_t node);
/* The engine's own counters of this life of the node; false when it is down. */
bool cluster_node_stats(struct cluster *cluster, uint32_t node, struct sync_stats *stats);
/* All up and outboxes empty; all up with equal digests. A node that is down, or
 * cannot read back what it owes, for damage that the world did to its disk is left
 * out: nothing is owed to it, and nodes that it parts need not be equal. */
bool cluster_drained(struct cluster *cluster);
bool cluster_converged(struct cluster *cluster);

#endif
