#include "cluster/replace.h"

#include <string.h>

#include "cluster/follower.h"
#include "cluster/lookup.h"
#include "cluster/membership.h"
#include "cluster/state.h"
#include "cluster/topology.h"

/* What another disk, or an older one, knows is not promised. */
static void forget_peers(struct cluster *cluster, uint32_t node) {
  memset(cluster->nodes[node].peers, 0, sizeof cluster->nodes[node].peers);
}

void cluster_retire(struct cluster *cluster, uint32_t number) {
  struct cluster_node *node = &cluster->nodes[number];
  if (node->absent) return;
  sim_node_power_loss(cluster->world, number);
  node->absent = true;
  cluster->present = 0;
  for (uint32_t i = 1; i <= cluster->config.nodes; i++)
    if (!cluster->nodes[i].absent) cluster->nodes[i].rank = ++cluster->present;
  topology_retire(cluster, number);
  cluster_peers_changed(cluster);
}

void cluster_wipe(struct cluster *cluster, uint32_t node) {
  ledger_wiped(&cluster->ledger, node);
  sim_node_wipe(cluster->world, node);
  forget_peers(cluster, node);
  follower_replaced(cluster, node);
}

void cluster_backup(struct cluster *cluster, uint32_t node) {
  struct sync_engine *engine = cluster_engine(cluster, node);
  uint32_t life = engine ? cluster->nodes[node].life : LEDGER_NONE;
  ledger_image_saved(&cluster->ledger, node, life, engine ? sync_durable_position(engine) : 0);
  sim_disk_image_save(sim_node_disk(sim_node_at(cluster->world, node)));
}

bool cluster_restore(struct cluster *cluster, uint32_t node) {
  bool restored = sim_node_restore(cluster->world, node);
  if (restored) ledger_image_restored(&cluster->ledger, node);
  if (restored) forget_peers(cluster, node);
  if (restored) follower_replaced(cluster, node);
  return restored;
}
