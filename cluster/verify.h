/* What sync_verify says of a node's log, held against what the world did to its disk. */
#ifndef CLUSTER_VERIFY_H
#define CLUSTER_VERIFY_H

#include "cluster/state.h"

/* Lets the node verify its log, in small steps; gives how many records it says are damaged. It says so
 * where something was done to its disk and nowhere else, and passes over none that the oracles' own reading
 * meets: that is judged when all that it appended is durable. False: it is not up. */
bool cluster_verify(struct cluster *cluster, uint32_t node, uint64_t *damaged);

#endif
