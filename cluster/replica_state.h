/* The state that follows from the operations of a log. */
#ifndef CLUSTER_REPLICA_STATE_H
#define CLUSTER_REPLICA_STATE_H

#include "cluster/config.h"
#include "cluster/replica_types.h"

void replica_clear(struct replica *replica);
/* The operation is in the log now, `end` is the end of its record. */
void replica_apply(struct cluster *cluster, uint32_t node, uint32_t operation, uint64_t end);

static inline uint32_t replica_first(const struct replica *replica, uint32_t slot) {
  return slot < replica->first_capacity ? replica->first[slot] : 0;
}
/* The sibling that the key of a slot must read as: the greatest by (clock, node,
 * incarnation, seq); 0: none. */
uint32_t replica_winner(const struct cluster *cluster, uint32_t node, uint32_t slot);

#endif
