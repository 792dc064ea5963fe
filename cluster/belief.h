/* Oracles of what nodes say and believe about durability: nothing leaves a node
 * before it is durable there, and what a node believes another to hold durably,
 * in the run that it knows, that one does. */
#ifndef CLUSTER_BELIEF_H
#define CLUSTER_BELIEF_H

#include <stdint.h>

#include "cluster/config.h"

/* After a node took a frame from another: what it believes that one to hold. */
void cluster_check_belief(struct cluster *cluster, uint32_t node, uint32_t other);
/* After a node sent operations: nothing leaves before it is durable. */
void cluster_check_sent(struct cluster *cluster, uint32_t node, struct sync_engine *engine);

/* Puts into the trace, for the history of a failure, how the node sees its peer
 * `other`, and how much of the subject's origin it believes that one to hold. */
void cluster_tell_belief(struct cluster *cluster, uint32_t node, uint32_t other, const uint64_t subject[3]);

#endif
