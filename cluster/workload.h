/* The workload: a seeded stream of submits. Every decision of one submit is
 * named by the submit's number, so that leaving one out changes no other. */
#ifndef CLUSTER_WORKLOAD_H
#define CLUSTER_WORKLOAD_H

#include <stdint.h>

#include "cluster/config.h"

/* Starts it; at most one runs at a time (a second call replaces it). */
void cluster_workload_start(struct cluster *cluster, const struct cluster_workload *workload);
void cluster_workload_stop(struct cluster *cluster);
/* The next submit is due; `generation` is that of the workload that asked for it. */
void cluster_workload_wake(struct cluster *cluster, uint64_t generation);

#endif
