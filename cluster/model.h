/* The reference model: what every read of a replica must give, told from what its
 * disk carries (replica.h). Costs what changed, not what is there. */
#ifndef CLUSTER_MODEL_H
#define CLUSTER_MODEL_H

#include <stdint.h>

#include "cluster/config.h"

/* The keys that changed since the last time: their siblings and what they read as. */
void cluster_check_changed(struct cluster *cluster, uint32_t node);
/* At intervals: what is held, the outbox, counters. Nothing when nothing happened. */
void cluster_check_reads(struct cluster *cluster, uint32_t node);
/* At longer intervals: iteration around the keys that changed. */
void cluster_check_walks(struct cluster *cluster, uint32_t node);
/* Compares all that the node can be asked with the model. */
void cluster_check_model(struct cluster *cluster, uint32_t node);

#endif
