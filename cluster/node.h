/* The sync engine as the software of a simulated node. */
#ifndef CLUSTER_NODE_H
#define CLUSTER_NODE_H

#include "cluster/state.h"

extern const struct sim_node_kind cluster_node_kind;

/* Writes what was appended. */
void cluster_flush(struct cluster_software *software);
/* Ends a turn of the embedder's loop: sends what is ready and sets the timer. */
void cluster_pump(struct sim_node *node, struct cluster_software *software);
/* What sort of message struct sim_progress counted; NULL: no frame of the engine. */
const char *cluster_message_sort(uint32_t sort);

#endif
