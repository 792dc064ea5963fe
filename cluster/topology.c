#include "cluster/topology.h"

#include <string.h>

#include "cluster/state.h"

#define MORE_LINKS_PER_NODE 2u

static void know(struct cluster *cluster, uint32_t a, uint32_t b) {
  if (a == b || cluster->nodes[a].absent || cluster->nodes[b].absent) return;
  cluster->links[a] |= UINT64_C(1) << (b - 1u);
  cluster->links[b] |= UINT64_C(1) << (a - 1u);
}

/* The shape is that of the nodes that are there: no gap where one is left out. */
static bool shaped(const struct cluster *cluster, uint32_t low, uint32_t high) {
  switch (cluster->config.topology) {
  case CLUSTER_MESH:
    return true;
  case CLUSTER_LINE:
    return high == low + 1u;
  case CLUSTER_RING:
    return high == low + 1u || (low == 1u && high == cluster->present);
  case CLUSTER_STAR:
    return low == 1u;
  case CLUSTER_RANDOM:
    return false;
  }
  return false;
}

static uint32_t draw(struct cluster *cluster, uint32_t node, uint64_t identity, uint32_t below) {
  return 1u + (uint32_t)sim_pick(cluster->world, sim_tag(SIM_CHOICE_NODE_LINK, node, identity), below);
}

/* Of the nodes before it that are there, the one that it knows; 0: it is the first. All draw, those
 * that are left out too: the others know whom they know anyway. */
static void link_earlier(struct cluster *cluster) {
  uint32_t earlier[CLUSTER_NODES_MAX + 1u] = {0}, first = 0;
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    if (i > 1u) earlier[i] = draw(cluster, i, 0, i - 1u);
    while (earlier[i] && cluster->nodes[earlier[i]].absent)
      earlier[i] = earlier[earlier[i]];
    if (cluster->nodes[i].absent) continue;
    if (!earlier[i]) earlier[i] = first; /* those before it are left out */
    if (!first) first = i;
    if (earlier[i]) know(cluster, i, earlier[i]);
  }
}

static void link_randomly(struct cluster *cluster) {
  uint32_t nodes = cluster->config.nodes;
  link_earlier(cluster);
  for (uint64_t i = 0; i < (uint64_t)nodes * MORE_LINKS_PER_NODE; i++) {
    uint32_t a = draw(cluster, 0, 2u * i, nodes);
    know(cluster, a, draw(cluster, 0, 2u * i + 1u, nodes));
  }
}

/* What a script has said of whom knows whom, in place of what the shape says. */
static void apply_changes(struct cluster *cluster) {
  for (uint32_t i = 1; i <= cluster->config.nodes; i++)
    cluster->links[i] = (cluster->links[i] | cluster->added[i]) & ~cluster->removed[i];
}

static void link_all(struct cluster *cluster) {
  if (cluster->config.topology == CLUSTER_RANDOM) {
    link_randomly(cluster);
    return;
  }
  for (uint32_t a = 1; a <= cluster->config.nodes; a++)
    for (uint32_t b = a + 1u; b <= cluster->config.nodes; b++)
      if (shaped(cluster, cluster->nodes[a].rank, cluster->nodes[b].rank)) know(cluster, a, b);
}

void topology_link(struct cluster *cluster) {
  link_all(cluster);
  apply_changes(cluster);
}

void topology_change(struct cluster *cluster, uint32_t node, uint32_t other, bool knows) {
  uint64_t bit = UINT64_C(1) << (other - 1u);
  cluster->added[node] = knows ? cluster->added[node] | bit : cluster->added[node] & ~bit;
  cluster->removed[node] = knows ? cluster->removed[node] & ~bit : cluster->removed[node] | bit;
  cluster->links[node] = knows ? cluster->links[node] | bit : cluster->links[node] & ~bit;
}

void topology_add(struct cluster *cluster, uint32_t node, const uint64_t *peers) {
  uint32_t earlier = draw(cluster, node, 0, cluster->config.nodes);
  if (peers != NULL) {
    for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
      bool knows = (*peers >> (i - 1u) & 1u) != 0 && i != node && !cluster->nodes[i].absent;
      topology_change(cluster, node, i, knows);
      topology_change(cluster, i, node, knows);
    }
  } else if (cluster->config.topology != CLUSTER_RANDOM) {
    memset(cluster->links, 0, sizeof cluster->links);
    topology_link(cluster);
  } else {
    while (cluster->nodes[earlier].absent || earlier == node)
      earlier = earlier % cluster->config.nodes + 1u;
    know(cluster, node, earlier);
  }
}

void topology_retire(struct cluster *cluster, uint32_t node) {
  uint64_t neighbours = cluster->links[node];
  cluster->added[node] = 0;
  for (uint32_t i = 1; i <= cluster->config.nodes; i++)
    cluster->added[i] &= ~(UINT64_C(1) << (node - 1u));
  if (cluster->config.topology != CLUSTER_RANDOM) {
    memset(cluster->links, 0, sizeof cluster->links);
    topology_link(cluster);
    return;
  }
  uint32_t first = 0;
  cluster->links[node] = 0;
  for (uint32_t i = 1; i <= cluster->config.nodes; i++) {
    cluster->links[i] &= ~(UINT64_C(1) << (node - 1u));
    if (!(neighbours >> (i - 1u) & 1u)) continue;
    if (first) know(cluster, first, i);
    if (!first) first = i;
  }
}
