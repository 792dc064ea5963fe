#include "cluster/membership.h"

#include <string.h>

#include "cluster/backoffs.h"
#include "cluster/lookup.h"
#include "cluster/node.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "cluster/topology.h"

/* What was seen of the pair was of peers that are none any more: an engine forgets what it knew of one, too. */
static void forget_pair(struct cluster *cluster, uint32_t a, uint32_t b) {
  size_t pair = (size_t)(a - 1u) * cluster->config.nodes + (b - 1u);
  if (cluster->deliveries) cluster->deliveries[pair].goal_count = 0;
  if (!cluster->traffic) return;
  struct traffic *traffic = &cluster->traffic[pair];
  struct traffic fresh = {.acknowledged = traffic->acknowledged,
                          .acknowledged_capacity = traffic->acknowledged_capacity,
                          .sent = traffic->sent,
                          .sent_capacity = traffic->sent_capacity,
                          .heard_ns = sim_now(cluster->world)};
  if (fresh.acknowledged) memset(fresh.acknowledged, 0, fresh.acknowledged_capacity * sizeof *fresh.acknowledged);
  if (fresh.sent) memset(fresh.sent, 0, fresh.sent_capacity * sizeof *fresh.sent);
  *traffic = fresh;
}

static void take_notice(struct cluster *cluster, uint32_t node) {
  struct cluster_software *software = sim_node_software(cluster->nodes[node].machine);
  if (!software) return;
  software->peers_missing = true;
  software = cluster_turn_begin(cluster, node);
  if (software) cluster_turn_end(cluster, software);
}

void cluster_peers_changed(struct cluster *cluster) {
  for (uint32_t i = 1; i <= cluster->config.nodes; i++)
    if (!cluster->nodes[i].absent) take_notice(cluster, i);
}

bool cluster_peer_set(struct cluster *cluster, uint32_t node, uint32_t other, bool knows) {
  if (cluster->nodes[node].absent || cluster->nodes[other].absent || node == other) return false;
  if (cluster_knows(cluster, node, other) != knows) {
    topology_change(cluster, node, other, knows);
    forget_pair(cluster, node, other);
    forget_pair(cluster, other, node);
    cluster->calm.troubles++;
  }
  take_notice(cluster, node);
  const struct cluster_software *software = sim_node_software(cluster->nodes[node].machine);
  return software && (software->peer_of[other] != SYNC_PEER_NONE) == knows;
}

bool cluster_peer_retry(struct cluster *cluster, uint32_t node, uint32_t other) {
  struct cluster_software *software = cluster_turn_begin(cluster, node);
  if (!software) return false;
  int status = sync_peer_retry(software->engine, software->peer_of[other]);
  if (status == SYNC_OK) {
    forget_pair(cluster, node, other); /* all that is in flight counts as not sent */
    cluster_backoff_known(cluster, node, other, true);
  }
  cluster_turn_end(cluster, software);
  return status == SYNC_OK;
}

bool cluster_is_spare(const struct cluster *cluster, uint32_t node) {
  return cluster->nodes[node].spare;
}

uint32_t cluster_next_spare(const struct cluster *cluster) {
  for (uint32_t i = 1; i <= cluster->config.nodes; i++)
    if (cluster->nodes[i].spare) return i;
  return 0;
}

uint32_t cluster_add_node(struct cluster *cluster, const uint64_t *peers) {
  uint32_t number = cluster_next_spare(cluster);
  if (!number) return 0;
  struct cluster_node *node = &cluster->nodes[number];
  node->spare = false;
  if (node->left_out) return number;
  node->absent = false;
  node->rank = ++cluster->present;
  if (cluster->present > 1) topology_add(cluster, number, peers);
  cluster->calm.troubles++;
  cluster_peers_changed(cluster);
  sim_node_boot(cluster->world, number);
  return number;
}
