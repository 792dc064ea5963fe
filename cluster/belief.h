/* Oracles of what nodes say and believe about durability: nothing leaves a node
 * before it is durable there, no HELLO says more than would survive a power loss,
 * and what a node believes another to hold durably, in the run that it knows, that
 * one does. Truth is what the disks hold (replica.h), not what engines say. */
#ifndef CLUSTER_BELIEF_H
#define CLUSTER_BELIEF_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"

/* After a node took a frame from another: what it believes that one to hold. */
void cluster_check_belief(struct cluster *cluster, uint32_t node, uint32_t other);
/* A frame that a node is about to send, to that one; 0: to nobody in particular. */
void cluster_check_sent(struct cluster *cluster, uint32_t node, uint32_t to, const void *frame, size_t size);

/* Puts into the trace, for the history of a failure, how the node sees its peer
 * `other`, and how much of the subject's origin it believes that one to hold. */
void cluster_tell_belief(struct cluster *cluster, uint32_t node, uint32_t other, const uint64_t subject[3]);

#endif
