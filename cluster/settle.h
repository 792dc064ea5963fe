/* The end of a run: healing, and the final word of every oracle. */
#ifndef CLUSTER_SETTLE_H
#define CLUSTER_SETTLE_H

#include <stdint.h>

#include "cluster/config.h"

/* The end of a run: sim_calm(), boots what is down, and runs until everything
 * is converged, drained and durable, or `settle_ns` has passed. */
void cluster_settle(struct sim *sim, struct cluster *cluster, uint64_t settle_ns);
/* The final word: convergence, model, drained outboxes; then every node is
 * stopped (leaks), booted again (same state) and stopped. */
void cluster_judge(struct cluster *cluster);

#endif
