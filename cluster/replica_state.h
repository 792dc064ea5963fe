/* The state that follows from the operations of a log. */
#ifndef CLUSTER_REPLICA_STATE_H
#define CLUSTER_REPLICA_STATE_H

#include "cluster/config.h"
#include "cluster/replica_types.h"

void replica_clear(struct replica *replica);
/* Room for all lives and keys of the ledger; before replica_apply(). */
void replica_make_room(struct cluster *cluster, struct replica *replica);
/* The operation is in the log now, `end` is the end of its record. */
void replica_apply(struct cluster *cluster, uint32_t node, uint32_t operation, uint64_t end);
/* What the operation is was not known when it was applied, and is now. */
void replica_told(struct cluster *cluster, uint32_t node, uint32_t operation);
/* All operations of the ledger that `cluster->known` says, by life, and that are not there yet, as one snapshot
 * brings them: `end` is that of its record, 0 for a base, which is durable. Gives the first that comes before
 * something that its writer held; LEDGER_NONE: none does. */
uint32_t replica_apply_known(struct cluster *cluster, uint32_t node, uint64_t end);

static inline uint32_t replica_first(const struct replica *replica, uint32_t slot) {
  return slot < replica->first_capacity ? replica->first[slot] : 0;
}
/* Whether one change comes after another by (clock, node, incarnation, seq). */
bool replica_beats(const struct cluster *cluster, uint32_t number, uint32_t other);

#endif
