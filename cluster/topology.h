/* Who knows whom in a cluster. */
#ifndef CLUSTER_TOPOLOGY_H
#define CLUSTER_TOPOLOGY_H

#include <stdint.h>

struct cluster; /* state.h */

/* Fills cluster->links by the configuration, once it is known which nodes are there. */
void topology_link(struct cluster *cluster);

/* A node is gone for good: the others know each other as if it had never been there, in a random shape by the first of
 * those that it knew. */
void topology_retire(struct cluster *cluster, uint32_t node);

#endif
