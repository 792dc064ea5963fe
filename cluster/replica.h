/* What a node must hold, folded from what its disk carries: the log is read as it
 * grows, and whole at every start, by decoders of the oracles' own. No word of
 * the engine enters, only the bytes that it wrote; what an operation is comes from
 * the ledger.
 *
 *   the state of a replica is every change of every operation in its log,
 *   except those that an operation in its log has seen and so replaced.
 */
#ifndef CLUSTER_REPLICA_H
#define CLUSTER_REPLICA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"
#include "cluster/decode.h"
#include "cluster/replica_types.h"

struct cluster_node; /* state.h */

/* At a start: reads the whole log anew. */
void replica_begin(struct cluster *cluster, uint32_t node);
/* The node's engine accepted the operation, whose record ends there: it is in the
 * state from now on, and must be the next one in the log. */
void replica_accept(struct cluster *cluster, uint32_t node, uint32_t operation, uint64_t end);
/* After the engine was asked to write what it appended: reads what is new. All must be
 * there, unless the node was refused a call since that was so last; then it is behind. */
void replica_follow(struct cluster *cluster, uint32_t node);

/* The engine says that its log begins there now: a durable base must have what is below. */
void replica_trimmed(struct cluster *cluster, uint32_t node, uint64_t first);

/* Whether so many operations of the life would survive a power loss of the node now. */
bool replica_holds_durably(struct cluster *cluster, uint32_t node, uint32_t life, uint64_t seq);
#endif
