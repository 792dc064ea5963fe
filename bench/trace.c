/* What recording costs: the echo world and the standard world, each with the
 * hash only, with marks, and with a full recording, in turn.
 * Usage: trace [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lua/scenario.h"

#define NODES 10u
#define IN_FLIGHT 10u
#define PAYLOAD_BYTES 64u
#define MESSAGES UINT64_C(300000)
#define STANDARD_SEEDS 4u
#define ROUNDS_MAX 101u

enum mode { HASH, MARKS, RECORD, MODES };

struct bench {
  struct sim *sim;
  struct scenario_file *file;
  struct sim_trace_log *log;
  struct sim_trace_marks *marks;
  uint64_t steps, bytes, hash[MODES];
};

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

/* --- The echo world ------------------------------------------------------------ */

static void *echo_boot(struct sim_node *node, const void *config) {
  const struct sync_env *env = sim_node_env(node);
  uint8_t bytes[PAYLOAD_BYTES] = {(uint8_t)sim_node_number(node)};
  (void)config;
  for (uint32_t i = 0; i < IN_FLIGHT; i++)
    sim_send(node, (sim_node_number(node) + i) % NODES + 1, bytes, sizeof bytes);
  return env->ops->alloc(env->ctx, 8, 8);
}
static void echo_message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  (void)state;
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
  env->ops->free(env->ctx, state, 8, 8);
}
static const struct sim_node_kind echo_kind = {.name = "echo",
                                               .boot = echo_boot,
                                               .message = echo_message,
                                               .timer = echo_timer,
                                               .disk_done = echo_disk_done,
                                               .stop = echo_stop};

static uint64_t run_echo(struct bench *bench, struct sim_trace_log *log, struct sim_trace_marks *marks) {
  struct sim_config config = {.source = {.seed = 1},
                              .link = {.delay_min_ns = SIM_MS, .delay_max_ns = 20 * SIM_MS},
                              .events_per_second_max = UINT64_MAX,
                              .trace = log,
                              .marks = marks};
  struct sim_world *world = sim_world_begin(bench->sim, &config);
  if (world == NULL) exit(1);
  for (uint32_t i = 0; i < NODES; i++) {
    uint32_t number = sim_node_add(world, &echo_kind, &config, 1);
    if (number == 0 || !sim_node_boot(world, number)) exit(1);
  }
  (void)sim_run(bench->sim, UINT64_MAX, MESSAGES);
  return sim_trace_hash(world);
}

static uint64_t run_standard(struct bench *bench, struct sim_trace_log *log, struct sim_trace_marks *marks) {
  uint64_t hash = 0;
  for (uint64_t seed = 1; seed <= STANDARD_SEEDS; seed++) {
    if (log != NULL) sim_trace_log_clear(log);
    struct scenario_options options = {.source = {.seed = seed}, .trace = log, .marks = marks};
    struct scenario_result result;
    scenario_run(bench->sim, bench->file, &options, &result);
    if (result.verdict != SCENARIO_HELD) exit(1);
    hash = sim_hash_fold(hash, result.trace_hash);
  }
  return hash;
}

/* --- Ratios ----------------------------------------------------------------------- */

static int by_value(const void *a, const void *b) {
  const uint64_t *x = a, *y = b;
  return *x < *y ? -1 : *x > *y;
}

static uint64_t median(uint64_t *values, size_t count) {
  qsort(values, count, sizeof *values, by_value);
  return values[count / 2];
}

static void measure(struct bench *bench, const char *name, size_t rounds,
                    uint64_t (*run)(struct bench *, struct sim_trace_log *, struct sim_trace_marks *)) {
  uint64_t took[MODES], permille[MODES][ROUNDS_MAX] = {{0}}, plain[ROUNDS_MAX] = {0};
  for (size_t round = 0; round < rounds; round++) {
    for (int mode = HASH; mode < MODES; mode++) {
      sim_trace_log_clear(bench->log);
      uint64_t start = now_ns();
      bench->hash[mode] = run(bench, mode == RECORD ? bench->log : NULL, mode == MARKS ? bench->marks : NULL);
      took[mode] = now_ns() - start;
      permille[mode][round] = took[mode] * 1000 / took[HASH];
      if (bench->hash[mode] != bench->hash[HASH]) {
        printf("%s: watching changed the run\n", name);
        exit(1);
      }
    }
    plain[round] = took[HASH];
  }
  bench->steps = sim_trace_log_count(bench->log);
  bench->bytes = sim_trace_log_bytes(bench->log);
  uint64_t marks = median(permille[MARKS], rounds), record = median(permille[RECORD], rounds);
  printf("%s: hash only %llu ms (median of %zu), with marks %llu.%llu %%, recorded %llu.%llu %% of that time\n", name,
         (unsigned long long)(median(plain, rounds) / 1000000), rounds, (unsigned long long)(marks / 10),
         (unsigned long long)(marks % 10), (unsigned long long)(record / 10), (unsigned long long)(record % 10));
  printf("%s: %llu steps in %llu bytes (%llu.%llu a step)\n", name, (unsigned long long)bench->steps,
         (unsigned long long)bench->bytes, (unsigned long long)(bench->bytes / bench->steps),
         (unsigned long long)(bench->bytes * 10 / bench->steps % 10));
}

int main(int argc, char **argv) {
  size_t rounds = argc > 1 ? (size_t)strtoull(argv[1], NULL, 10) : 15;
  struct bench bench = {.sim = sim_open(NULL),
                        .file = scenario_file_read("bench/standard.lua"),
                        .log = sim_trace_log_create(),
                        .marks = sim_trace_marks_create(0)};
  if (rounds == 0 || rounds > ROUNDS_MAX || !bench.sim || !bench.file || !bench.log || !bench.marks) {
    fprintf(stderr, "bench/trace: run it where bench/standard.lua is, with 1 to %u rounds\n", ROUNDS_MAX);
    return 2;
  }
  measure(&bench, "echo world", rounds, run_echo);
  measure(&bench, "standard world", rounds, run_standard);
  sim_trace_marks_destroy(bench.marks);
  sim_trace_log_destroy(bench.log);
  sim_close(bench.sim);
  scenario_file_free(bench.file);
  return 0;
}
