#include "lua/settings/swarm.h"

/* Identities of SIM_CHOICE_SWARM beside those of settings_swarm and vary. */
enum {
  SWARM_FAULT = 3000,     /* and the next: whether, one for each fault */
  SWARM_STRENGTH = 3200,  /* and the next */
  SWARM_CLOCK = 3400,     /* and the next: four for each node */
  SWARM_OPERATION = 3800, /* and the next: two for each kind */
};
#define HALF 500000u
#define STRENGTHS 5u
#define STEP_MAX_NS (INT64_C(600) * SIM_SECOND)
#define RATE_MAX_PPM 4000

static uint64_t pick(struct sim_world *world, uint64_t identity, uint64_t n) {
  return sim_pick(world, sim_tag(SIM_CHOICE_SWARM, 0, identity), n);
}
static bool has(struct sim_world *world, uint64_t identity) {
  return sim_chance(world, sim_tag(SIM_CHOICE_SWARM, 0, identity), HALF) != 0;
}

/* A fault by its member, and what it is at most where nothing is written: nothing, where it would take what a disk
 * has promised to keep, or gives a bound that is nobody's. */
struct swarmed {
  uint32_t *ppm;
  uint32_t standard_ppm;
};

void swarm_faults(struct sim_world *world, struct settings *settings) {
  struct sim_link_config *link = &settings->link;
  struct sim_disk_config *disk = &settings->disk;
  const struct swarmed faults[] = {
      {&link->loss_ppm, 100000},
      {&link->duplicate_ppm, 100000},
      {&link->reorder_ppm, 200000},
      {&link->corrupt_ppm, 20000},
      {&link->truncate_ppm, 20000},
      {&link->extend_ppm, 20000},
      {&link->splice_ppm, 20000},
      {&link->misdeliver_ppm, 20000},
      {&link->slow_ppm, 20000},
      {&link->burst_enter_ppm, 5000},
      {&link->clog_ppm, 2000},
      {&disk->stall_ppm, 5000},
      {&disk->write_back_ppm, 200000},
      {&disk->short_ppm, 20000},
      {&disk->interrupt_ppm, 20000},
      {&disk->read_error_ppm, 1000},
      {&disk->write_error_ppm, 2000},
      {&disk->fsync_error_ppm, 2000},
      {&disk->fsync_no_space_ppm, 2000},
      {&disk->fsync_request_error_ppm, 2000},
      {&disk->open_error_ppm, 10000},
      {&disk->close_error_ppm, 50000},
      {&disk->truncate_error_ppm, 20000},
      {&disk->size_error_ppm, 20000},
      {&disk->rename_error_ppm, 50000},
      {&disk->unlink_error_ppm, 200000},
      {&disk->list_error_ppm, 20000},
      {&disk->fsync_lie_ppm, 0},
      {&disk->rot_ppm, 0},
      {&disk->rot_running_ppm, 0},
      {&disk->latent_ppm, 0},
      {&disk->unreadable_ppm, 0},
      {&disk->lost_write_ppm, 0},
      {&disk->misdirect_ppm, 0},
  };
  if (!disk->stall_ns) disk->stall_ns = 50 * SIM_MS;
  for (uint32_t i = 0; i < sizeof faults / sizeof *faults; i++) {
    uint32_t most = *faults[i].ppm ? *faults[i].ppm : faults[i].standard_ppm;
    *faults[i].ppm = 0;
    if (most && has(world, SWARM_FAULT + i)) *faults[i].ppm = (most >> pick(world, SWARM_STRENGTH + i, STRENGTHS)) | 1u;
  }
  const uint32_t bounds = sizeof faults / sizeof *faults;
  if (link->bandwidth_bytes_per_s && !has(world, SWARM_FAULT + bounds)) link->bandwidth_bytes_per_s = 0;
  if ((link->queue_messages || link->queue_bytes) && !has(world, SWARM_FAULT + bounds + 1u))
    link->queue_messages = 0, link->queue_bytes = 0;
}

void swarm_clocks(struct sim_world *world) {
  if (!has(world, SWARM_CLOCK)) return;
  for (uint32_t node = 1; node <= sim_node_count(world); node++) {
    uint64_t identity = SWARM_CLOCK + 4u * (uint64_t)node;
    int64_t step = STEP_MAX_NS >> (4u * pick(world, identity, STRENGTHS));
    int32_t rate = RATE_MAX_PPM >> (2u * pick(world, identity + 1, STRENGTHS));
    /* Right, ahead or behind; true, too fast or too slow. */
    uint64_t off = pick(world, identity + 2, 3), wrong = pick(world, identity + 3, 3);
    if (off) sim_clock_step(world, node, off == 1 ? step : -step);
    if (wrong) sim_clock_rate(world, node, wrong == 1 ? rate : -rate);
  }
}

/* At most `most`, or the standard; 0: this seed has none. */
static uint32_t share(struct sim_world *world, uint64_t identity, uint32_t most, uint32_t standard) {
  if (!has(world, identity)) return 0;
  return ((most ? most : standard) >> pick(world, identity + 1, 4)) | 1u;
}

void swarm_operations(struct sim_world *world, struct cluster_workload *workload) {
  workload->deletes_ppm = share(world, SWARM_OPERATION, workload->deletes_ppm, 300000);
  workload->batch_ppm = share(world, SWARM_OPERATION + 2, workload->batch_ppm, 300000);
  workload->hot_ppm = share(world, SWARM_OPERATION + 4, workload->hot_ppm, 800000);
  workload->burst_max = share(world, SWARM_OPERATION + 6, workload->burst_max > 1u ? workload->burst_max : 0, 16);
  if (!workload->burst_max) workload->burst_max = 1;
  workload->variety = has(world, SWARM_OPERATION + 8);
}
