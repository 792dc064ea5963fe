/* The oracles of sweeps (rule 4).
 *
 * *Honest sweeps*: a sweep removes a tombstone only when every node that was registered at its
 * author then has held it durably, told by the disks and not by what anybody believes; only of a key of
 * which nothing is left but tombstones; and none of a peer, who does that itself. A peer that lost its disk since, or
 * had it set back, held it all the same: that is what it told.
 *
 * *Sweeping progresses*: a tombstone that its author's node can sweep is gone within a few
 * looks. The oldest is watched: those behind it cannot be swept sooner. */
#ifndef CLUSTER_SWEEPS_H
#define CLUSTER_SWEEPS_H

#include <stdint.h>

#include "cluster/config.h"

struct cluster_node; /* state.h */

/* The node has written an operation by itself: who is its peer now. */
void sweeps_begun(struct cluster *cluster, const struct cluster_node *node, uint32_t operation);
/* Judges those that were read since. */
void sweeps_judge(struct cluster *cluster);
/* At intervals. */
void sweeps_check(struct cluster *cluster);

/* The node's state is about to be read anew: what was durable on its disk until now. */
void sweeps_forgotten(struct cluster *cluster, uint32_t node);

#endif
