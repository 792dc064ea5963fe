/* Which nodes the others can be asked to converge with. */
#ifndef CLUSTER_HEALTH_H
#define CLUSTER_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/state.h"

/* The world has damaged the node's disk where it matters, and the node says so: it
 * is down because its log cannot be read; or it is up and failed to read back
 * what it owes, or to write. */
bool cluster_sick(struct cluster *cluster, uint32_t node);

/* The nodes that are up and not sick, in groups within which each can reach each
 * over others of the group. */
struct cluster_health {
  bool sick[CLUSTER_NODES_MAX + 1u];
  uint32_t group[CLUSTER_NODES_MAX + 1u]; /* its lowest number; 0: down or sick */
};
void cluster_health(struct cluster *cluster, struct cluster_health *health);

struct cluster_debt {
  uint64_t operations; /* of its own that the node owes to healthy peers */
  uint64_t subject[3]; /* the first of them, as struct sim_violation has it, */
  uint32_t peer;       /* ... and the node that it is owed to */
};
struct cluster_debt cluster_owed(struct cluster *cluster, uint32_t node, const struct cluster_health *health);

/* A sick node that is up delivers what it can read: the first operation, in the order
 * of its log, that the peer lacks, unless damage stands before or in it. LEDGER_NONE:
 * it did all that it can. */
uint32_t cluster_undelivered(struct cluster *cluster, uint32_t sick, uint32_t peer);

#endif
