/* Trace hashes of a fixed list of runs, to be compared between compilers and
 * processors. Links core, sim, cluster and lua only, so that it builds for
 * processors of which little else is at hand.
 *
 *   hashes toy                      worlds of toy and echo nodes
 *   hashes engine SEEDS FILE...     clusters short of memory; seeds 1 to SEEDS of each scenario
 *   hashes trace NAME SEED [FILE]   every step of one of them, as text
 *
 * A line is: name seed hash, then the chain of each subsystem. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/cluster.h"
#include "cluster/settle.h"
#include "cluster/workload.h"
#include "lua/scenario.h"
#include "tests/support/toy_world.h"

#define NAME_BYTES 96u
#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void print_line(const char *name, uint64_t seed, uint64_t hash, const uint64_t *chains) {
  (void)printf("%s %" PRIu64 " %016" PRIx64, name, seed, hash);
  for (int i = 0; i < SIM_SUB_COUNT; i++)
    (void)printf(" %016" PRIx64, chains[i]);
  (void)printf("\n");
}

/* A world that C builds. */
typedef struct sim_world *(*build_fn)(struct sim *sim, uint64_t seed, uint32_t nodes, struct sim_trace_log *log);
struct c_world {
  const char *name;
  build_fn build;
  uint32_t nodes;
  uint64_t seeds;
};

static bool run_c_worlds(struct sim *sim, const struct c_world *worlds, size_t count) {
  for (size_t i = 0; i < count; i++)
    for (uint64_t seed = 1; seed <= worlds[i].seeds; seed++) {
      const struct sim_world *world = worlds[i].build(sim, seed, worlds[i].nodes, NULL);
      uint64_t chains[SIM_SUB_COUNT];
      if (world == NULL) {
        (void)fprintf(stderr, "hashes: %s could not begin\n", worlds[i].name);
        return false;
      }
      for (int sub = 0; sub < SIM_SUB_COUNT; sub++)
        chains[sub] = sim_trace_hash_of(world, (enum sim_subsystem)sub);
      print_line(worlds[i].name, seed, sim_trace_hash(world), chains);
    }
  return true;
}

/* --- Worlds of toy and echo nodes --------------------------------------------- */

static void *echo_boot(struct sim_node *node, const void *config) {
  const struct sync_env *env = sim_node_env(node);
  uint32_t nodes = sim_node_count(sim_node_world(node)), self = sim_node_number(node);
  uint64_t *count = env->ops->alloc(env->ctx, sizeof *count, 8);
  (void)config;
  if (count == NULL) return NULL;
  *count = 0;
  const uint8_t bytes[64] = {(uint8_t)self};
  for (uint32_t i = 0; i < 10; i++)
    sim_send(node, (self + i) % nodes + 1, bytes, sizeof bytes);
  return count;
}
static void echo_message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  ++*(uint64_t *)state;
  sim_send(node, from, bytes, size);
}
static void echo_timer(struct sim_node *node, void *state, uint32_t timer) {
  (void)node, (void)state, (void)timer;
}
static void echo_disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)state, (void)token, (void)result;
}
static void echo_stop(struct sim_node *node, void *state) {
  const struct sync_env *env = sim_node_env(node);
  env->ops->free(env->ctx, state, sizeof(uint64_t), 8);
}
static const struct sim_node_kind echo_kind = {.name = "echo",
                                               .boot = echo_boot,
                                               .message = echo_message,
                                               .timer = echo_timer,
                                               .disk_done = echo_disk_done,
                                               .stop = echo_stop};

static struct sim_world *echo_run(struct sim *sim, uint64_t seed, uint32_t nodes, struct sim_trace_log *log) {
  struct sim_config config = {
      .source = {.seed = seed}, .link = {.delay_min_ns = SIM_MS, .delay_max_ns = 20 * SIM_MS}, .trace = log};
  struct sim_world *world = sim_world_begin(sim, &config);
  if (world == NULL) return NULL;
  for (uint32_t i = 0; i < nodes; i++)
    if (sim_node_add(world, &echo_kind, NULL, 0) == 0) return NULL;
  for (uint32_t i = 1; i <= nodes; i++)
    if (!sim_node_boot(world, i)) return NULL;
  (void)sim_run(sim, UINT64_MAX, 20000);
  return world;
}

static struct sim_world *toy_run(struct sim *sim, const struct sim_config *config, uint32_t nodes) {
  struct sim_world *world = toy_world_begin(sim, config, nodes);
  if (world != NULL) (void)sim_run(sim, 200 * SIM_MS, UINT64_MAX);
  return world;
}
static struct sim_world *toy_plain(struct sim *sim, uint64_t seed, uint32_t nodes, struct sim_trace_log *log) {
  struct sim_config config = toy_world_config(seed);
  config.trace = log;
  return toy_run(sim, &config, nodes);
}
static struct sim_world *toy_disk(struct sim *sim, uint64_t seed, uint32_t nodes, struct sim_trace_log *log) {
  struct sim_config config = toy_world_config(seed);
  config.trace = log;
  config.disk = (struct sim_disk_config){.sector_bytes = seed % 2 == 0 ? 512 : 4096,
                                         .quota_bytes = 3000,
                                         .fsync_max_ns = 5 * SIM_MS,
                                         .latency_max_ns = SIM_MS,
                                         .stall_ppm = 1000,
                                         .stall_ns = 50 * SIM_MS,
                                         .write_back_ppm = 50000,
                                         .read_error_ppm = 5000,
                                         .write_error_ppm = 5000,
                                         .short_ppm = 10000,
                                         .interrupt_ppm = 10000,
                                         .fsync_error_ppm = 10000,
                                         .fsync_lie_ppm = 5000,
                                         .rot_ppm = 500000,
                                         .unreadable_ppm = 5000,
                                         .lost_write_ppm = 5000,
                                         .misdirect_ppm = 5000,
                                         .rot_running_ppm = 2000,
                                         .latent_ppm = 1000,
                                         .fsync_no_space_ppm = 5000,
                                         .fsync_request_error_ppm = 5000,
                                         .close_error_ppm = 10000,
                                         .truncate_error_ppm = 10000,
                                         .size_error_ppm = 10000,
                                         .rename_error_ppm = 10000,
                                         .unlink_error_ppm = 10000,
                                         .list_error_ppm = 10000,
                                         .on_crash = (enum sim_disk_on_crash)(seed % 3),
                                         .tearing = (enum sim_disk_tearing)(seed / 2 % 3),
                                         .overwrite = (enum sim_disk_overwrite)(seed / 4 % 2),
                                         .rename = (enum sim_disk_rename)(seed / 4 % 2),
                                         .fsync_names = seed % 2 != 0};
  struct sim_world *world = toy_run(sim, &config, nodes);
  /* The toys never read what they wrote: look at what is left of it. */
  for (uint32_t i = 1; world != NULL && i <= nodes; i++) {
    sim_node_power_loss(world, i);
    const uint64_t left[] = {sim_disk_digest(sim_node_disk(sim_node_at(world, i)))};
    sim_trace(world, SIM_SUB_DISK, SIM_STEP_DISK_POWER_LOSS, i, left, 1);
  }
  return world;
}
static struct sim_world *toy_network(struct sim *sim, uint64_t seed, uint32_t nodes, struct sim_trace_log *log) {
  static const struct sim_link_name flapping[] = {{1, 2}, {2, 1}};
  static const struct sim_flap_config flap = {SIM_MS, 20 * SIM_MS, SIM_MS, 20 * SIM_MS};
  static const uint32_t swizzled[] = {2, 3, 4};
  struct sim_config config = toy_world_config(seed);
  config.trace = log;
  config.link.delay_mean_ns = 7 * SIM_MS;
  config.link.burst_enter_ppm = 20000;
  config.link.clog_ppm = 1000;
  config.link.clog_min_ns = config.link.clog_max_ns = 10 * SIM_MS;
  config.link.bandwidth_bytes_per_s = 20000;
  config.link.queue_messages = 50;
  struct sim_world *world = toy_world_begin(sim, &config, nodes);
  if (world == NULL) return NULL;
  (void)sim_flap_begin(world, &flap, flapping, COUNT_OF(flapping));
  sim_swizzle(world, swizzled, COUNT_OF(swizzled), 100 * SIM_MS);
  sim_clock_strobe(world, 1, -3 * (int64_t)SIM_SECOND, 3 * SIM_MS, UINT64_MAX);
  sim_clock_rate(world, 2, -33333);
  sim_clock_rate(world, 3, 77777);
  sim_clock_step(world, 4, INT64_MIN / 4);
  (void)sim_run(sim, 200 * SIM_MS, UINT64_MAX);
  return world;
}

static const struct c_world toy_worlds[] = {
    {"toy_5", toy_plain, 5, 4},
    {"toy_5_disk_faults", toy_disk, 5, 8},
    {"toy_5_network_faults", toy_network, 5, 8},
    {"toy_20", toy_plain, 20, 1},
    {"echo_3", echo_run, 3, 2},
    {"echo_100", echo_run, 100, 2},
};

/* --- Clusters short of memory -------------------------------------------------- */

/* Nominal bytes count, so that a store is full after the same operation where
 * pointers are shorter. */
static struct sim_world *memory_run(struct sim *sim, uint64_t seed, uint32_t nodes, struct sim_trace_log *log) {
  static const struct cluster_workload workload = {.keys = 40,
                                                   .interval_ns = 5 * SIM_MS,
                                                   .deletes_ppm = 100000,
                                                   .value_bytes_min = 16,
                                                   .value_bytes_max = 400,
                                                   .batch_ppm = 200000};
  const struct sim_config config = {.source = {.seed = seed}, .link = {.delay_max_ns = 10 * SIM_MS}, .trace = log};
  const struct cluster_config options = {.nodes = nodes,
                                         .engine = {.value_bytes_max = 1024, .segment_bytes = 16384, .batch_size = 8}};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct cluster *cluster = world == NULL ? NULL : cluster_create(world, &options);
  if (cluster == NULL) return NULL;
  for (uint32_t i = 1; i <= nodes; i++)
    sim_node_memory_quota(world, i, 12000 + 4096 * seed + 1000 * i);
  cluster_workload_start(cluster, &workload);
  (void)sim_run(sim, 500 * SIM_MS, UINT64_MAX);
  for (uint32_t i = 1; i <= nodes; i++) {
    sim_node_power_loss(world, i);
    sim_node_fail_alloc(world, i, 30 + 7 * seed);
    (void)sim_node_boot(world, i);
  }
  (void)sim_run(sim, 1500 * SIM_MS, UINT64_MAX);
  cluster_settle(sim, cluster, 5 * SIM_SECOND);
  return world;
}

static const struct c_world engine_worlds[] = {{"cluster_memory", memory_run, 3, 6}};

/* --- Scenarios ------------------------------------------------------------------ */

/* DIR/NAME.lua: NAME. */
static void name_of(const char *path, char *name) {
  const char *slash = strrchr(path, '/');
  (void)snprintf(name, NAME_BYTES, "%s", slash == NULL ? path : slash + 1);
  char *end = strstr(name, ".lua");
  if (end != NULL) *end = '\0';
}

static bool run_scenario(struct sim *sim, const struct scenario_file *file, uint64_t seed, struct sim_trace_log *log,
                         struct scenario_result *result) {
  const struct scenario_options options = {.source = {.seed = seed}, .trace = log};
  scenario_run(sim, file, &options, result);
  if (result->verdict == SCENARIO_HELD || result->verdict == SCENARIO_VIOLATED) return true;
  (void)fprintf(stderr, "hashes: %s\n", result->error.text);
  return false;
}

static struct scenario_file *read_scenario(const char *path) {
  struct scenario_file *file = scenario_file_read(path);
  if (file == NULL) (void)fprintf(stderr, "hashes: cannot read '%s': %s\n", path, strerror(errno));
  return file;
}

static bool run_engine(struct sim *sim, uint64_t seeds, char **paths) {
  struct scenario_result *result = malloc(sizeof *result);
  bool good = result != NULL && run_c_worlds(sim, engine_worlds, COUNT_OF(engine_worlds));
  for (; good && *paths != NULL; paths++) {
    char name[NAME_BYTES];
    struct scenario_file *file = read_scenario(*paths);
    name_of(*paths, name);
    good = file != NULL;
    for (uint64_t seed = 1; good && seed <= seeds; seed++) {
      good = run_scenario(sim, file, seed, NULL, result);
      if (good) print_line(name, seed, result->trace_hash, result->trace_hash_of);
    }
    if (file != NULL) scenario_file_free(file);
  }
  free(result);
  return good;
}

/* --- One run, step by step ------------------------------------------------------- */

static const struct c_world *find_world(const struct c_world *worlds, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(worlds[i].name, name) == 0) return &worlds[i];
  return NULL;
}

/* The timeline, with what its sentences leave out: the chain after each step. */
static bool print_steps(const struct sim_trace_log *log) {
  struct sim_trace_teller *teller = sim_trace_teller_create(log);
  char text[2048];
  if (teller == NULL) return false;
  for (size_t i = 0; i < sim_trace_log_count(log); i++) {
    const struct sim_trace_record *record = sim_trace_log_at(log, i);
    (void)sim_trace_line(teller, record, text, sizeof text);
    (void)printf("%s [chain %u: %016" PRIx64 "]\n", text, (unsigned)record->subsystem, record->hash);
  }
  sim_trace_teller_destroy(teller);
  return true;
}

static bool run_trace(struct sim *sim, const char *name, uint64_t seed, const char *path) {
  struct sim_trace_log *log = sim_trace_log_create();
  struct scenario_result *result = malloc(sizeof *result);
  bool good = false;
  if (log != NULL && result != NULL && path != NULL) {
    struct scenario_file *file = read_scenario(path);
    good = file != NULL && run_scenario(sim, file, seed, log, result);
    if (file != NULL) scenario_file_free(file);
  } else if (log != NULL && result != NULL) {
    const struct c_world *one = find_world(toy_worlds, COUNT_OF(toy_worlds), name);
    if (one == NULL) one = find_world(engine_worlds, COUNT_OF(engine_worlds), name);
    good = one != NULL && one->build(sim, seed, one->nodes, log) != NULL;
  }
  good = good && print_steps(log);
  free(result);
  sim_trace_log_destroy(log);
  return good;
}

int main(int argc, char **argv) {
  static const struct sim_options options = {.fill = SIM_FILL_NONE, .arena_bytes = UINT64_C(256) << 20};
  struct sim *sim = sim_open(&options);
  bool good = false;
  if (sim == NULL) {
    (void)fprintf(stderr, "hashes: no memory\n");
  } else if (argc == 2 && strcmp(argv[1], "toy") == 0) {
    good = run_c_worlds(sim, toy_worlds, COUNT_OF(toy_worlds));
  } else if (argc > 3 && strcmp(argv[1], "engine") == 0) {
    good = run_engine(sim, strtoull(argv[2], NULL, 10), argv + 3);
  } else if ((argc == 4 || argc == 5) && strcmp(argv[1], "trace") == 0) {
    good = run_trace(sim, argv[2], strtoull(argv[3], NULL, 10), argv[4]);
  } else {
    (void)fprintf(stderr, "usage: hashes toy | engine SEEDS FILE... | trace NAME SEED [FILE]\n");
  }
  if (sim != NULL) sim_close(sim);
  return good && fflush(stdout) == 0 ? 0 : 1;
}
