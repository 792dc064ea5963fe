/* Merge callbacks that scenarios choose by name. They are what a user of the engine would write: pure, of the values
 * alone. */
#ifndef CLUSTER_MERGES_H
#define CLUSTER_MERGES_H

#include "cluster/config.h"

/* The callback of a policy; NULL: it merges nothing. */
sync_merge *cluster_merge(enum cluster_policy policy);

#endif
