#include "cluster/workload.h"

#include "cluster/state.h"
#include "cluster/submit.h"

#define BATCH_MIN 2u
#define BATCH_MAX 4u

static struct sim_tag tag(uint32_t kind, uint64_t submit, uint64_t part) {
  return sim_tag(kind, 0, submit << 4 | part);
}

static void schedule(struct cluster *cluster) {
  uint64_t mean = cluster->workload.interval_ns;
  uint64_t gap = sim_range(cluster->world, tag(SIM_CHOICE_WORKLOAD_GAP, cluster->workload_submits, 0), mean / 2u,
                           mean + mean / 2u);
  sim_driver_at(cluster->world, cluster->driver, sim_now(cluster->world) + gap,
                CLUSTER_WAKE_WORKLOAD | cluster->workload_generation << 8);
}

void cluster_workload_start(struct cluster *cluster, const struct cluster_workload *workload) {
  struct cluster_workload *w = &cluster->workload;
  *w = *workload;
  if (!w->keys) w->keys = 16;
  if (!w->interval_ns) w->interval_ns = 20 * SIM_MS;
  if (!w->value_bytes_min) w->value_bytes_min = LEDGER_VALUE_BYTES_MIN;
  if (!w->value_bytes_max) w->value_bytes_max = w->value_bytes_min > 64 ? w->value_bytes_min : 64;
  cluster->workload_generation++;
  schedule(cluster);
}

void cluster_workload_stop(struct cluster *cluster) {
  cluster->workload_generation++;
}

static uint32_t choose_key(struct cluster *cluster, uint64_t submit, uint64_t part) {
  const struct cluster_workload *w = &cluster->workload;
  if (sim_chance(cluster->world, tag(SIM_CHOICE_WORKLOAD_HOT, submit, part), w->hot_ppm)) return 0;
  return (uint32_t)sim_pick(cluster->world, tag(SIM_CHOICE_WORKLOAD_KEY, submit, part), w->keys);
}

/* One in two is like no other. */
static enum cluster_value choose_value(struct cluster *cluster, uint64_t submit, uint64_t part) {
  uint64_t drawn = sim_pick(cluster->world, tag(SIM_CHOICE_WORKLOAD_VALUE, submit, part), 6);
  return drawn < 3 ? CLUSTER_VALUE_OWN : (enum cluster_value)(drawn - 2u);
}

void cluster_workload_wake(struct cluster *cluster, uint64_t generation) {
  if (generation != cluster->workload_generation) return; /* stopped or replaced meanwhile */
  struct sim_world *world = cluster->world;
  const struct cluster_workload *w = &cluster->workload;
  uint64_t submit = cluster->workload_submits++;
  if (sim_left_out(world, tag(SIM_CHOICE_WORKLOAD_SKIP, submit, 0))) {
    schedule(cluster);
    return;
  }
  uint32_t writers = w->writers && w->writers < cluster->config.nodes ? w->writers : cluster->config.nodes;
  uint32_t node = 1u + (uint32_t)sim_pick(world, tag(SIM_CHOICE_WORKLOAD_NODE, submit, 0), writers);
  uint32_t count = 1;
  if (w->keys >= BATCH_MAX && sim_chance(world, tag(SIM_CHOICE_WORKLOAD_OPERATION, submit, 15), w->batch_ppm))
    count = (uint32_t)sim_range(world, tag(SIM_CHOICE_WORKLOAD_SIZE, submit, 15), BATCH_MIN, BATCH_MAX);
  struct cluster_change changes[BATCH_MAX];
  for (uint32_t i = 0; i < count; i++) {
    /* The keys of one operation are neighbours, hence different. */
    uint32_t key = i ? (changes[0].key + i) % w->keys : choose_key(cluster, submit, 0);
    bool deletes = sim_chance(world, tag(SIM_CHOICE_WORKLOAD_OPERATION, submit, i), w->deletes_ppm) != 0;
    changes[i] = (struct cluster_change){.kind = deletes ? SYNC_DELETE : SYNC_PUT, .key = key};
    if (deletes) continue;
    changes[i].size =
        (uint32_t)sim_range(world, tag(SIM_CHOICE_WORKLOAD_SIZE, submit, i), w->value_bytes_min, w->value_bytes_max);
    if (w->variety) changes[i].value = choose_value(cluster, submit, i);
  }
  if (sim_node_state(sim_node_at(world, node)) == SIM_NODE_UP) {
    int status = cluster_submit(cluster, node, submit, changes, count);
    (void)status; /* the ledger has it */
  }
  schedule(cluster);
}
