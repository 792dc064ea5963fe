#include "cluster/tally.h"

#include <string.h>

#include "cluster/state.h"
#include "core/wire/wire.h"

bool cluster_tally_begin(struct cluster *cluster) {
  cluster->tally = sim_alloc(cluster->world, sizeof *cluster->tally);
  if (cluster->tally) cluster_tally_reset(cluster);
  return cluster->tally != NULL;
}

const struct cluster_tally *cluster_tally(const struct cluster *cluster) {
  return cluster->tally;
}

void cluster_tally_reset(struct cluster *cluster) {
  memset(cluster->tally, 0, sizeof *cluster->tally);
}

void cluster_tally_sent(struct cluster *cluster, uint32_t to, uint32_t kind, size_t size, uint64_t operations) {
  struct cluster_tally *tally = cluster->tally;
  bool up = sim_node_state(cluster->nodes[to].machine) == SIM_NODE_UP;
  struct tally_count *count = &tally->talk;
  if (kind == FRAME_BLOCK) count = &tally->blocks;
  if (operations) count = &tally->operations;
  count->frames++;
  count->bytes += size;
  *(up ? &tally->sends : &tally->sends_down) += operations;
}
