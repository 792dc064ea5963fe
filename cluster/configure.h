/* What of a node's configuration a script changes while it runs. */
#ifndef CLUSTER_CONFIGURE_H
#define CLUSTER_CONFIGURE_H

#include <stddef.h>

#include "cluster/config.h"

/* Sets it for that node, now and at its later starts. SYNC_E_POWERED_OFF: it is down, and will have it when it
 * starts; or it is paused, and nothing changed. Or what its engine answers, and then nothing changed; SYNC_E_TOO_MANY:
 * policies_put() has no room. */
int cluster_policy_set(struct cluster *cluster, uint32_t node, const char *prefix, size_t size,
                       enum cluster_policy policy);

#endif
