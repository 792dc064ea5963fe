/* Who knows whom in a cluster. */
#ifndef CLUSTER_TOPOLOGY_H
#define CLUSTER_TOPOLOGY_H

struct cluster; /* state.h */

/* Fills cluster->links by the configuration, once it is known which nodes are there. */
void topology_link(struct cluster *cluster);

#endif
