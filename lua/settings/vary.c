#include "lua/settings/vary.h"

/* Identities of SIM_CHOICE_SWARM beside those of settings_swarm. */
enum vary {
  VARY_NODES = 2000,
  VARY_TOPOLOGY,
  VARY_BATCH,
  VARY_WINDOW,
  VARY_SEGMENT,
  VARY_INTERVAL,
  VARY_KEYS,
  VARY_HOT,
  VARY_BURST,
  VARY_SNAPSHOT,
  VARY_RETAIN,
  VARY_SWEEP,
  VARY_RATE = 2100, /* and the next: one for each fault */
};

static uint64_t pick(struct sim_world *world, uint64_t identity, uint64_t n) {
  return sim_pick(world, sim_tag(SIM_CHOICE_SWARM, 0, identity), n);
}

static void vary_rates(struct sim_world *world, struct settings *settings) {
  struct sim_link_config *link = &settings->link;
  struct sim_disk_config *disk = &settings->disk;
  uint32_t *const rates[] = {&link->loss_ppm,        &link->duplicate_ppm,  &link->reorder_ppm, &link->corrupt_ppm,
                             &link->truncate_ppm,    &link->slow_ppm,       &link->clog_ppm,    &disk->write_back_ppm,
                             &disk->interrupt_ppm,   &disk->short_ppm,      &disk->stall_ppm,   &disk->read_error_ppm,
                             &disk->write_error_ppm, &disk->fsync_error_ppm};
  for (uint32_t i = 0; i < sizeof rates / sizeof *rates; i++)
    if (*rates[i] != 0) *rates[i] = (*rates[i] >> pick(world, VARY_RATE + i, 4)) | 1u;
}

void vary_settings(struct sim_world *world, struct settings *settings) {
  static const uint32_t batches[] = {0, 1, 4, 64};
  static const uint32_t windows[] = {0, 2, 16, 256};
  static const uint64_t segments[] = {0, 4096, 16384, 262144};
  static const uint64_t snapshots[] = {0, 4096, 16384, 65536};
  static const uint64_t retains[] = {0, 1, 8192, 65536};
  static const uint64_t sweeps[] = {0, 50 * SIM_MS, SIM_SECOND, UINT64_MAX};
  struct cluster_config *cluster = &settings->cluster;
  struct sync_options *engine = &cluster->engine;
  if (cluster->nodes > 2) cluster->nodes -= (uint32_t)pick(world, VARY_NODES, cluster->nodes - 1u);
  cluster->topology = (enum cluster_topology)(((uint32_t)cluster->topology + pick(world, VARY_TOPOLOGY, 4)) % 4u);
  uint32_t batch = batches[pick(world, VARY_BATCH, 4)], window = windows[pick(world, VARY_WINDOW, 4)];
  uint64_t segment = segments[pick(world, VARY_SEGMENT, 4)];
  if (batch) engine->batch_size = batch;
  if (window) engine->window_ops = window;
  if (segment) engine->segment_bytes = segment;
  uint64_t snapshot = snapshots[pick(world, VARY_SNAPSHOT, 4)], retain = retains[pick(world, VARY_RETAIN, 4)];
  if (snapshot) engine->snapshot_bytes = snapshot;
  if (retain) engine->retain_bytes = retain;
  uint64_t sweep = sweeps[pick(world, VARY_SWEEP, 4)];
  if (sweep) engine->sweep_interval_ns = sweep;
  vary_rates(world, settings);
}

void vary_workload(struct sim_world *world, struct cluster_workload *workload) {
  workload->interval_ns <<= pick(world, VARY_INTERVAL, 3);
  workload->keys = (workload->keys >> pick(world, VARY_KEYS, 4)) | 1u;
  if (pick(world, VARY_HOT, 4) == 3) workload->hot_ppm = 500000;
  if (pick(world, VARY_BURST, 4) == 3) {
    workload->burst_max = 8;
    workload->interval_ns <<= 2; /* about as many submits */
  }
}
