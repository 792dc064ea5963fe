/* What recordings call the cluster's nodes and steps. */
#ifndef CLUSTER_TRACE_NAMES_H
#define CLUSTER_TRACE_NAMES_H

#include "cluster/config.h"

/* Names for a recording: nodes, and sentences for enum cluster_step. */
void cluster_name_steps(struct cluster *cluster);

#endif
