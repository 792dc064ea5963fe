/* What sweeping costs and what it leaves: under steady deletes by three nodes that are all there, the share of the log
 * that sweeps are, and the most tombstones that there were at any second. Usage: sweeps [SECONDS] */
#include <stdio.h>
#include <stdlib.h>

#include "cluster/cluster.h"
#include "cluster/state.h"
#include "cluster/workload.h"

struct load {
  const char *name;
  uint32_t keys, deletes_ppm, value_bytes_min, value_bytes_max;
  uint64_t interval_ns;
};

/* Bytes of records in their authors' logs: all, and of sweeps. */
static void weigh(const struct ledger *ledger, uint64_t *all, uint64_t *sweeps, uint64_t *deletes) {
  *all = *sweeps = *deletes = 0;
  for (uint32_t i = 0; i < ledger->operation_count; i++) {
    const struct ledger_operation *operation = &ledger->operations[i];
    if (operation->result == LEDGER_REFUSED) continue;
    uint64_t bytes = operation->position - operation->start;
    *all += bytes;
    if (operation->own != LEDGER_SUBMITTED) *sweeps += bytes;
    for (uint32_t k = 0; k < operation->change_count; k++)
      *deletes += ledger->changes[operation->change_first + k].kind == SYNC_DELETE;
  }
}

static void run(struct sim *sim, const struct load *load, uint64_t sweep_ns, uint64_t seconds) {
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = sim_world_begin(sim, &config);
  const struct cluster_config settings = {.nodes = 3, .no_oracles = true, .engine = {.sweep_interval_ns = sweep_ns}};
  struct cluster *cluster = cluster_create(world, &settings);
  if (cluster == NULL) exit(5);
  const struct cluster_workload workload = {.keys = load->keys,
                                            .interval_ns = load->interval_ns,
                                            .deletes_ppm = load->deletes_ppm,
                                            .value_bytes_min = load->value_bytes_min,
                                            .value_bytes_max = load->value_bytes_max};
  cluster_workload_start(cluster, &workload);
  uint64_t most = 0, last = 0, operations = 0, swept = 0;
  for (uint64_t second = 1; second <= seconds; second++) {
    if (sim_run(sim, second * SIM_SECOND, UINT64_MAX) == SIM_END_VIOLATION) exit(1);
    struct sync_stats stats;
    if (!cluster_node_stats(cluster, 1, &stats)) exit(1);
    last = stats.tombstones;
    if (last > most) most = last;
  }
  for (uint32_t node = 1; node <= 3; node++) {
    struct sync_stats stats;
    if (!cluster_node_stats(cluster, node, &stats)) exit(1);
    operations += stats.sweeps;
    swept += stats.swept;
  }
  uint64_t all, sweeps, deletes;
  weigh(&cluster->ledger, &all, &sweeps, &deletes);
  if (all == 0) exit(1);
  printf("%-34s %9llu %9llu %7llu %9llu %9llu %10llu %6llu.%02llu %%\n", load->name, (unsigned long long)deletes,
         (unsigned long long)swept, (unsigned long long)operations, (unsigned long long)most, (unsigned long long)last,
         (unsigned long long)all, (unsigned long long)(sweeps * 100u / all),
         (unsigned long long)(sweeps * 10000u / all % 100u));
}

int main(int argc, char **argv) {
  static const struct load loads[] = {
      {"10 % deletes, values 100 to 400 B", 20000, 100000, 100, 400, 3333333},
      {"30 % deletes, values 1 to 4 KiB", 20000, 300000, 1024, 4096, 3333333},
      {"50 % deletes, values 1 to 4 KiB", 20000, 500000, 1024, 4096, 3333333},
      {"50 % deletes, values 16 to 64 B", 20000, 500000, 16, 64, 3333333},
      {"50 %, 16 to 64 B, 3,000 a second", 200000, 500000, 16, 64, 333333},
  };
  uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 120;
  struct sim_options options = {.arena_bytes = (size_t)2 << 30};
  struct sim *sim = sim_open(&options);
  if (sim == NULL) return 5;
  printf("%llu s at 3 nodes            deletes     swept  sweeps most there last there  log bytes   of them sweeps\n",
         (unsigned long long)seconds);
  for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
    run(sim, &loads[i], 0, seconds);
    run(sim, &loads[i], UINT64_MAX, seconds);
  }
  sim_close(sim);
  return 0;
}
