/* Who knows whom in a cluster. */
#ifndef CLUSTER_TOPOLOGY_H
#define CLUSTER_TOPOLOGY_H

#include <stdbool.h>
#include <stdint.h>

struct cluster; /* state.h */

/* Fills cluster->links by the configuration, once it is known which nodes are there. */
void topology_link(struct cluster *cluster);

/* From now on the node knows the other one, or does not, whatever the shape says. */
void topology_change(struct cluster *cluster, uint32_t node, uint32_t other, bool knows);

/* A node is there now that was not: it and these know each other (bits by number - 1); NULL: as the shape says, which
 * is that of all that are there; in a random one it knows one that the seed chooses. There is another one. */
void topology_add(struct cluster *cluster, uint32_t node, const uint64_t *peers);

/* A node is gone for good: the others know each other as if it had never been there, in a random shape by the first of
 * those that it knew. */
void topology_retire(struct cluster *cluster, uint32_t node);

#endif
