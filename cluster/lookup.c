#include "cluster/lookup.h"

#include "cluster/state.h"

bool cluster_knows(const struct cluster *cluster, uint32_t a, uint32_t b) {
  return (cluster->links[a] >> (b - 1u) & 1u) != 0;
}

bool cluster_linked(const struct cluster *cluster, uint32_t a, uint32_t b) {
  return cluster_knows(cluster, a, b) && cluster_knows(cluster, b, a);
}

bool cluster_present(const struct cluster *cluster, uint32_t node) {
  return !cluster->nodes[node].absent;
}

uint32_t cluster_nodes(const struct cluster *cluster) {
  return cluster->config.nodes;
}

const struct sync_options *cluster_options(const struct cluster *cluster, uint32_t node) {
  const struct sync_options *own = cluster->nodes[node].engine;
  return own != NULL ? own : &cluster->config.engine;
}

struct sync_engine *cluster_engine(struct cluster *cluster, uint32_t node) {
  struct cluster_software *software = sim_node_software(cluster->nodes[node].machine);
  return software ? software->engine : NULL;
}

void cluster_name_node(struct cluster_node *node) {
  char digits[4];
  size_t count = 0;
  for (uint32_t rest = node->number; rest; rest /= 10u)
    digits[count++] = (char)('0' + rest % 10u);
  node->name[0] = 'n';
  for (size_t i = 0; i < count; i++)
    node->name[1 + i] = digits[count - 1 - i];
  node->name[1 + count] = '\0';
  node->name_size = (uint8_t)(1 + count);
  node->hash = sync_node_hash(node->name);
}

uint32_t cluster_node_of_hash(uint64_t node_hash, uint32_t nodes) {
  struct cluster_node node = {0};
  for (uint32_t i = 1; i <= nodes; i++) {
    node.number = i;
    cluster_name_node(&node);
    if (node.hash == node_hash) return i;
  }
  return 0;
}

void cluster_subject(const struct cluster *cluster, uint32_t operation, uint64_t subject[3]) {
  const struct ledger_operation *found = &cluster->ledger.operations[operation];
  const struct ledger_life *life = &cluster->ledger.lives[found->life];
  subject[0] = cluster->nodes[life->node].hash;
  subject[1] = life->incarnation;
  subject[2] = found->seq;
}

bool cluster_violated(const struct cluster *cluster) {
  return cluster->violation->found;
}

uint32_t cluster_peer_node(struct cluster *cluster, uint32_t node, uint64_t peer) {
  const struct cluster_software *software = sim_node_software(cluster->nodes[node].machine);
  if (!software) software = cluster->nodes[node].starting;
  return software && peer <= CLUSTER_NODES_MAX ? software->node_of[peer] : 0;
}
