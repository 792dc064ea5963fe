#include "cluster/configure.h"

#include "cluster/node.h"
#include "cluster/policies.h"
#include "cluster/state.h"

int cluster_policy_set(struct cluster *cluster, uint32_t number, const char *prefix, size_t size,
                       enum cluster_policy policy) {
  struct cluster_node *node = &cluster->nodes[number];
  struct cluster_policies changed = node->policies;
  if (!policies_put(&changed, prefix, size, policy)) return SYNC_E_TOO_MANY;
  struct cluster_software *software = sim_node_enter(cluster->world, number);
  int status = SYNC_E_POWERED_OFF;
  if (software) {
    struct sync_policy given = policies_given(&cluster->config.own_merges, policy);
    status = sync_policy_set(software->engine, prefix, size, &given);
    if (status == SYNC_OK) cluster_pump(sim_node_at(cluster->world, number), software);
    sim_node_leave(cluster->world, number);
  }
  if (!software && sim_node_state(sim_node_at(cluster->world, number)) == SIM_NODE_PAUSED) return SYNC_E_POWERED_OFF;
  if (status != SYNC_OK && software) return status;
  node->policies = changed;
  node->policies_ns = sim_now(cluster->world);
  return status;
}
