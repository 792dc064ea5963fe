/* Bytes drive every decision of a small cluster: delays, losses, torn writes,
 * crashes, the workload. Every oracle must hold whatever they say, for the disk
 * never lies here. With clang:
 *   clang -fsanitize=fuzzer,address,undefined ... fuzz/world_choices.c
 * and with fuzz/main.c instead of libFuzzer it replays files. */
#include "fuzz/world_choices.h"

#include "cluster/cluster.h"
#include "cluster/settle.h"
#include "cluster/workload.h"
#include "sim/choice/choice_bytes.h"

#include <stdio.h>
#include <stdlib.h>

#define NODES 2u
#define ACT_EVERY_NS (20 * SIM_MS)
#define DURATION_NS (400 * SIM_MS)
#define BYTES_MAX 65536u

enum act { ACT_NOTHING, ACT_POWER_LOSS, ACT_PROCESS_CRASH, ACT_STOP, ACT_COUNT };

/* The victim of the time before comes back, and another may follow. */
static void act(struct sim_world *world, void *self, uint64_t token) {
  (void)self;
  if (sim_now(world) > DURATION_NS) return;
  uint32_t driver = (uint32_t)(token >> 32), turn = (uint32_t)token;
  for (uint32_t node = 1; node <= NODES; node++) {
    if (sim_node_state(sim_node_at(world, node)) == SIM_NODE_DOWN) (void)sim_node_boot(world, node);
  }
  uint64_t chosen = sim_pick(world, sim_tag(SIM_CHOICE_SCENARIO, 0, turn), ACT_COUNT * NODES);
  uint32_t node = (uint32_t)(chosen / ACT_COUNT) + 1;
  bool up = sim_node_state(sim_node_at(world, node)) == SIM_NODE_UP;
  if (up && chosen % ACT_COUNT == ACT_POWER_LOSS) sim_node_power_loss(world, node);
  if (up && chosen % ACT_COUNT == ACT_PROCESS_CRASH) sim_node_process_crash(world, node);
  if (up && chosen % ACT_COUNT == ACT_STOP) (void)sim_node_stop(world, node);
  sim_driver_at(world, driver, sim_now(world) + ACT_EVERY_NS, token + 1);
}

static struct sim_config small_world(struct sim_choice_bytes *bytes) {
  struct sim_config config = {
      .source = {.seed = 1, .rest = SIM_REST_BYTES, .bytes = bytes},
      .shuffle = true,
      .link = {.delay_min_ns = SIM_MS,
               .delay_max_ns = 10 * SIM_MS,
               .loss_ppm = 20000,
               .duplicate_ppm = 20000,
               .reorder_ppm = 20000,
               .corrupt_ppm = 10000,
               .truncate_ppm = 10000},
      .disk = {.fsync_max_ns = 20 * SIM_MS, .short_ppm = 10000, .interrupt_ppm = 10000, .write_back_ppm = 20000},
  };
  return config;
}

void fuzz_world_choices(struct sim *sim, const uint8_t *data, size_t size) {
  struct sim_choice_bytes *bytes = sim_choice_bytes_create(data, size);
  if (bytes == NULL) abort();
  struct sim_config config = small_world(bytes);
  struct cluster_config cluster_config = {.nodes = NODES};
  struct cluster_workload workload = {.keys = 4, .interval_ns = 5 * SIM_MS, .deletes_ppm = 200000, .batch_ppm = 100000};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct cluster *cluster = world == NULL ? NULL : cluster_create(world, &cluster_config);
  if (cluster == NULL) abort();
  cluster_workload_start(cluster, &workload);
  uint32_t driver = sim_driver_add(world, act, NULL);
  sim_driver_at(world, driver, ACT_EVERY_NS, (uint64_t)driver << 32);
  (void)sim_run(sim, DURATION_NS, UINT64_MAX);
  cluster_settle(sim, cluster, 120 * SIM_SECOND);
  if (!sim_violation_get(world)->found) cluster_judge(cluster);
  sim_choice_bytes_destroy(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct sim *sim;
  if (sim == NULL) sim = sim_open(NULL);
  if (sim == NULL || size > BYTES_MAX) return -1;
  fuzz_world_choices(sim, data, size);
  const struct sim_violation *violation = sim_violation_get(sim_world(sim));
  if (violation->found) {
    fprintf(stderr, "%s: %s\n", violation->property, violation->detail);
    abort();
  }
  return 0;
}
