/* The end of a run: healing, and the final word of every oracle. */
#ifndef CLUSTER_SETTLE_H
#define CLUSTER_SETTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"

/* The end of a run, in steps, so that it can be interrupted between any two events as
 * what came before can: sim_calm(); then, now and whenever *next_ns comes, boots what is
 * down, until a step says that everything is converged, drained and durable, or that
 * `settle_ns` have passed. What has happened so far is in the arena. */
void cluster_settle_begin(struct cluster *cluster, uint64_t settle_ns);
bool cluster_settle_step(struct cluster *cluster, uint64_t *next_ns);
/* The final word: convergence, model, drained outboxes; then, a step for each, every
 * node is stopped (leaks), booted again (same state) and stopped. true: that was all. */
bool cluster_judge_step(struct cluster *cluster);

/* All steps at once, for those who interrupt nothing. */
void cluster_settle(struct sim *sim, struct cluster *cluster, uint64_t settle_ns);
void cluster_judge(struct cluster *cluster);

#endif
