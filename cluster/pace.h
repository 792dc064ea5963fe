/* The watch over each node's durability (log_watch.h) in a world: what it is told,
 * and the violation when it finds something. */
#ifndef CLUSTER_PACE_H
#define CLUSTER_PACE_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/state.h"

/* Before the node's engine is opened. */
void cluster_pace_begin(struct cluster_node *node);
/* Reports what the watch has found. */
void cluster_pace_report(const struct cluster_node *node);
/* A step of the node, while oracles look. */
static inline void cluster_pace_traced(struct cluster_node *node, enum sync_trace_kind kind, const uint64_t *fields,
                                       size_t count) {
  log_watch_traced(&node->watch, kind, fields, count);
  if (node->watch.finding != LOG_WATCH_HELD) cluster_pace_report(node);
}
/* An fsync was completed with success and the engine knows. */
void cluster_pace_fsync_done(struct cluster_node *node);
/* After each event of the node that may have changed something, and now and then. */
void cluster_pace_look(struct cluster_node *node, struct sync_engine *engine, bool failed);

#endif
