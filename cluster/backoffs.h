/* The watch over each sender's waits for each silent peer (backoff.h) in a world: what it is told, and the violation
 * when it finds something. */
#ifndef CLUSTER_BACKOFFS_H
#define CLUSTER_BACKOFFS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/state.h"

#define BACKOFF_NODES_MAX 16u /* of larger clusters it says nothing */

/* False: no memory. */
bool cluster_backoffs_begin(struct cluster *cluster);
/* The node's engine knows the other as a peer from now on. exact: its first wait begins now. */
void cluster_backoff_known(struct cluster *cluster, uint32_t node, uint32_t other, bool exact);
/* The other is no peer of the node any more. */
void cluster_backoff_gone(struct cluster *cluster, uint32_t node, uint32_t other);
/* A step of the node that concerns its waits, in its own numbers of peers. */
void cluster_backoff_traced(struct cluster *cluster, uint32_t node, enum sync_trace_kind kind, const uint64_t *fields,
                            size_t count);
static inline bool backoff_wants(enum sync_trace_kind kind) {
  return kind == SYNC_TRACE_TIMEOUT || kind == SYNC_TRACE_PARKED || kind == SYNC_TRACE_REVIVED ||
         kind == SYNC_TRACE_KNOWN || kind == SYNC_TRACE_MERGE || kind == SYNC_TRACE_REFUSED;
}
/* An operation came of a peer: an acknowledgement is due to it once that is durable. */
void cluster_backoff_took(struct cluster *cluster, uint32_t node, enum sync_trace_kind kind, const uint64_t *fields,
                          size_t count);
static inline bool backoff_takes(enum sync_trace_kind kind) {
  return kind == SYNC_TRACE_APPLY || kind == SYNC_TRACE_DUPLICATE || kind == SYNC_TRACE_NOT_YET ||
         kind == SYNC_TRACE_DURABLE;
}
/* What is sent: a HELLO or NEWS with those flags, that offers the snapshot (0: none); operations. */
void cluster_backoff_greeting(struct cluster *cluster, uint32_t from, uint32_t to, uint8_t flags, uint64_t offered);
void cluster_backoff_operations(struct cluster *cluster, uint32_t from, uint32_t to);
/* Around the taking of a message of another node: 0 behind it. */
void cluster_backoff_hears(struct cluster_node *node, uint32_t from);
void cluster_backoff_heard(struct cluster *cluster, uint32_t node, uint32_t from, int status);
/* Its timer ran. */
void cluster_backoff_ticked(struct cluster *cluster, uint32_t node, struct sync_engine *engine);
/* At the end of each event of the node. whole: all that was to be sent has left. */
void cluster_backoff_end(struct cluster *cluster, uint32_t node, uint64_t deadline_ns, bool whole);

#endif
