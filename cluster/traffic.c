#include "cluster/traffic.h"

#include <string.h>

#include "cluster/state.h"
#include "core/wire/wire.h"

bool cluster_traffic_begin(struct cluster *cluster) {
  cluster->traffic = sim_alloc(cluster->world, sizeof *cluster->traffic);
  if (cluster->traffic) cluster_traffic_reset(cluster);
  return cluster->traffic != NULL;
}

const struct cluster_traffic *cluster_traffic(const struct cluster *cluster) {
  return cluster->traffic;
}

void cluster_traffic_reset(struct cluster *cluster) {
  memset(cluster->traffic, 0, sizeof *cluster->traffic);
}

void cluster_traffic_sent(struct cluster *cluster, uint32_t to, uint32_t kind, size_t size, uint64_t operations) {
  struct cluster_traffic *traffic = cluster->traffic;
  bool up = sim_node_state(cluster->nodes[to].machine) == SIM_NODE_UP;
  struct traffic_count *count = &traffic->talk;
  if (kind == FRAME_BLOCK) count = &traffic->blocks;
  if (operations) count = &traffic->operations;
  count->frames++;
  count->bytes += size;
  *(up ? &traffic->sends : &traffic->sends_down) += operations;
}
