/* Who is who in a cluster: nodes by number, by name, by hash; their engines. */
#ifndef CLUSTER_LOOKUP_H
#define CLUSTER_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"

struct cluster_node; /* state.h */

uint32_t cluster_nodes(const struct cluster *cluster);
/* Whether the node is part of this run (SIM_CHOICE_NODE_SKIP). */
bool cluster_present(const struct cluster *cluster, uint32_t node);
/* Whether `b` is to be a peer of `a`, by the topology and by what a script has changed of it. */
bool cluster_knows(const struct cluster *cluster, uint32_t a, uint32_t b);
/* Whether each is to be a peer of the other: only then does anything pass between them. */
bool cluster_linked(const struct cluster *cluster, uint32_t a, uint32_t b);
/* The engine of a node that is up, NULL otherwise. */
struct sync_engine *cluster_engine(struct cluster *cluster, uint32_t node);
/* What the node's engine is opened with: its own options, or the cluster's. */
const struct sync_options *cluster_options(const struct cluster *cluster, uint32_t node);
/* "n3" and its hash, for the node of this number. */
void cluster_name_node(struct cluster_node *node);
/* The number of the node whose hash it is, as traces have them; 0 for a stranger. */
uint32_t cluster_node_of_hash(uint64_t node_hash, uint32_t nodes);
/* The node that the engine's handle of a peer stands for; 0: for none. */
uint32_t cluster_peer_node(struct cluster *cluster, uint32_t node, uint64_t peer);
/* {node hash, incarnation, seq} of an operation, for a violation. */
void cluster_subject(const struct cluster *cluster, uint32_t operation, uint64_t subject[3]);
bool cluster_violated(const struct cluster *cluster);

#endif
