/* A million worlds one after another in one process: time per world and memory
 * must stay flat. Usage: million [WORLDS [cluster]]; toy worlds of 30 ms, or
 * clusters of two replicas for 100 ms. */
#include "cluster/cluster.h"
#include "cluster/workload.h"
#include "tests/support/toy_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

static uint64_t run_toys(struct sim *sim, uint64_t seed) {
  struct sim_config config = toy_world_config(seed);
  return toy_world_run(sim, &config, 3, 30 * SIM_MS);
}

static uint64_t run_cluster(struct sim *sim, uint64_t seed) {
  struct sim_config config = {.source = {.seed = seed},
                              .link = {.delay_min_ns = SIM_MS, .delay_max_ns = 5 * SIM_MS, .loss_ppm = 10000}};
  struct cluster_config cluster_config = {.nodes = 2};
  struct cluster_workload workload = {.keys = 4, .interval_ns = 10 * SIM_MS};
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  if (cluster == NULL) exit(1);
  cluster_workload_start(cluster, &workload);
  (void)sim_run(sim, 100 * SIM_MS, UINT64_MAX);
  return sim_trace_hash(sim_world(sim));
}

int main(int argc, char **argv) {
  uint64_t worlds = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
  bool cluster = argc > 2 && strcmp(argv[2], "cluster") == 0;
  uint64_t parts = worlds < 10 ? 1 : 10, count = worlds / parts, hash = 0;
  if (count == 0) return 0;
  struct sim *sim = sim_open(NULL);
  if (sim == NULL) return 1;
  for (uint64_t part = 0; part < parts; part++) {
    uint64_t begin = now_ns();
    for (uint64_t i = 0; i < count; i++) {
      uint64_t seed = part * count + i;
      hash = sim_hash_fold(hash, cluster ? run_cluster(sim, seed) : run_toys(sim, seed));
    }
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    printf("worlds %8" PRIu64 ": %6" PRIu64 " ns each, arena peak %zu KiB, process peak %ld KiB\n", (part + 1) * count,
           (now_ns() - begin) / count, sim_arena_peak_bytes(sim_arena(sim)) / 1024, usage.ru_maxrss);
  }
  printf("hash of all hashes %016" PRIx64 "\n", hash);
  sim_close(sim);
  return 0;
}
