/* Oracles that speak while a run goes on. */
#ifndef CLUSTER_ORACLE_H
#define CLUSTER_ORACLE_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"

/* At a boot, and at a trace of a node. */
void cluster_check_boot(struct cluster *cluster, uint32_t node);
/* What the node promised, in any life, it holds now. */
void cluster_check_promised(struct cluster *cluster, uint32_t node);
/* The node has opened its log: that must not say of itself that it is damaged. */
void cluster_check_damage(struct cluster *cluster, uint32_t node);
void cluster_traced(struct sim_world *world, void *self, uint32_t node, enum sync_trace_kind kind,
                    const uint64_t *fields, size_t count);

/* The same where nothing is looked at: the ledger must know what engines write by themselves. */
void cluster_traced_unseen(struct sim_world *world, void *self, uint32_t node, enum sync_trace_kind kind,
                           const uint64_t *fields, size_t count);

/* Checks the invariants that hold at any moment (equal vectors have equal
 * states, state equals the model, values are real). Runs by itself at
 * intervals; scripts may ask for it too. */
void cluster_check(struct cluster *cluster);

#endif
