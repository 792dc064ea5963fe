/* Operations that an engine writes by itself: sweeps of tombstones, and what a policy decides.
 * Nobody submits them; the ledger hears of them from the step that the engine reports, and
 * of what they are from their bytes, when their author's log is read next (own_content.h).
 * Their clock, what their writer held, their place in the log, their promise are as those of a
 * submit. */
#ifndef CLUSTER_OWN_WRITES_H
#define CLUSTER_OWN_WRITES_H

#include <stdint.h>

#include "cluster/config.h"

struct cluster_node; /* state.h */

/* The node reports one: {node, incarnation, seq, end position, hlc, position}. */
void own_writes_traced(struct cluster *cluster, struct cluster_node *node, const uint64_t *fields);

#endif
