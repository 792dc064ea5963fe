/* The reference model. */
#ifndef CLUSTER_MODEL_H
#define CLUSTER_MODEL_H

#include <stdint.h>

#include "cluster/config.h"

/* Compares a node's whole state with the reference model. */
void cluster_check_model(struct cluster *cluster, uint32_t node);

#endif
