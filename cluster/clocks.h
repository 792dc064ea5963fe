/* Clock safety. The time that an operation is given is past its node's wall clock and past the times of all that the
 * node held, up to the clock bound beyond that wall clock: no further, and no less. What that comes to is worked out
 * before the operation is made (claims_expect), held against the step that the engine reports, here, and once more
 * against the bytes on the disk (claims_check). And nothing else follows the wall clock, timers least of all: it is
 * read once for an operation that is given a time or comes from a peer, or whose write is refused after that, and
 * never else, in a tick or a call that makes or takes no operation. */
#ifndef CLUSTER_CLOCKS_H
#define CLUSTER_CLOCKS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/state.h"

/* The step that an engine reports explains one reading of its wall clock: of a write (that was refused: kind 0), or of
 * an operation that came. */
static inline void clocks_explained(struct cluster_node *node, enum sync_trace_kind kind, const uint64_t *fields,
                                    size_t count) {
  node->clock.explained += kind == SYNC_TRACE_SUBMIT || kind == SYNC_TRACE_OWN_WRITE || kind == SYNC_TRACE_APPLY ||
                           (kind == SYNC_TRACE_REFUSED && count > 1 && fields[1] == 0);
}
/* At the end of each event of the node: whether all readings were explained. */
void clocks_look(struct cluster *cluster, struct cluster_node *node);

/* The operation of the ledger was given that time. */
void clocks_judge(struct cluster *cluster, const struct cluster_node *node, uint32_t operation, uint64_t hlc);
/* The same of the submit that is being made. */
void clocks_submitted(struct cluster *cluster, const struct cluster_node *node, uint64_t hlc);

#endif
