/* Who knows whom, changed while a run goes on: peers added, removed, tried again; nodes added. */
#ifndef CLUSTER_MEMBERSHIP_H
#define CLUSTER_MEMBERSHIP_H

#include <stdbool.h>
#include <stdint.h>

struct cluster; /* state.h */

/* The node is told that the other one is its peer, or is none any more. The other one is told nothing: for anything to
 * pass between them each must know the other. Of a node that is down, or whose disk refuses, it is done when that is
 * over. true: it is done. Never for a node and itself; does nothing for one that is not there. */
bool cluster_peer_set(struct cluster *cluster, uint32_t node, uint32_t other, bool knows);
/* sync_peer_retry(): the engine tries the peer again at once. false: it is not up, or knows no such peer. */
bool cluster_peer_retry(struct cluster *cluster, uint32_t node, uint32_t other);
/* The first spare node is there from now on, with an empty disk, and boots. It and `peers` (bits by number - 1) know
 * each other; NULL: as the topology says of all that are there. 0: there is none left. */
uint32_t cluster_add_node(struct cluster *cluster, const uint64_t *peers);
/* The number of the next that it would add; 0: there is none. */
uint32_t cluster_next_spare(const struct cluster *cluster);
/* Whether the node waits to be added. */
bool cluster_is_spare(const struct cluster *cluster, uint32_t node);

/* What every node that is up makes of a topology that has changed. */
void cluster_peers_changed(struct cluster *cluster);

#endif
