/* A reader of a node's change feed, outside the node: it keeps a bookmark, and a picture of what the node holds that it
 * changes only where it is told of a change. The oracle *change feed*: each operation is told once, in the order of its
 * writer; the picture is the node's state whenever all was told; and the reader has to begin anew only where the node
 * had a reason (its log was cut there, it merged a snapshot, its disk was replaced, damaged or repaired). */
#ifndef CLUSTER_FOLLOWER_H
#define CLUSTER_FOLLOWER_H

#include "cluster/state.h"

struct follower_counts {
  uint64_t told;  /* operations, by this call */
  uint64_t stale; /* times that it had to begin anew, by this call */
};
/* Lets the node's reader read on to the end. False: the node is not up. */
bool cluster_follow(struct cluster *cluster, uint32_t node, struct follower_counts *counts);
/* The same, of a node whose changes somebody has followed. */
void follower_read_on(struct cluster *cluster, uint32_t node);
/* The node's disk is another one now, or was repaired. */
void follower_replaced(struct cluster *cluster, uint32_t node);
/* The node merged a snapshot. */
void follower_merged(struct cluster *cluster, uint32_t node);

#endif
