/* What a node can be asked besides its keys: what it holds, what it owes to whom,
 * its counters. */
#ifndef CLUSTER_READS_H
#define CLUSTER_READS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"

/* Compares them with the model. `whole`: every entry of the outbox, else the
 * first few; and not only when something changed. */
void reads_check(struct cluster *cluster, uint32_t node, bool whole);

#endif
