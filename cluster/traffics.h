/* The oracle "bounded traffic" (traffic.h) in a world: what it is told, and the violation when it finds something. */
#ifndef CLUSTER_TRAFFICS_H
#define CLUSTER_TRAFFICS_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"

#define TRAFFIC_NODES_MAX 10u /* of larger clusters it says nothing */

/* What is sent from one node to another: before its operations, each of them, and a HELLO or NEWS. */
void cluster_traffic_begin(struct cluster *cluster, uint32_t from, uint32_t to);
void cluster_traffic_operation(struct cluster *cluster, uint32_t from, uint32_t to, uint32_t life, uint32_t seq);
void cluster_traffic_greeting(struct cluster *cluster, uint32_t from, uint32_t to, uint8_t flags, uint64_t wanted);
/* A frame that the node took from another. */
void cluster_traffic_heard(struct cluster *cluster, uint32_t node, uint32_t from, const void *frame, size_t size);
/* A step of the node, in its own numbers of peers. */
void cluster_traffic_traced(struct cluster *cluster, uint32_t node, enum sync_trace_kind kind, uint64_t peer);
/* At intervals. */
void cluster_check_traffic(struct cluster *cluster);

#endif
