/* The standard engine world, all oracles on: events per second, simulated
 * seconds per real second, runs per second, memory, and checkpoints beside a
 * memcpy of the same bytes. Usage: standard [SCENARIO [RUNS]] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lua/scenario.h"

#define CHECKPOINT_ROUNDS 400u

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static uint64_t median(uint64_t *values, size_t count) {
  qsort(values, count, sizeof *values, by_value);
  return values[count / 2];
}

static bool bench_runs(struct sim *sim, const struct scenario_file *file, uint64_t runs) {
  uint64_t events = 0, simulated = 0, peak = 0, start = now_ns();
  for (uint64_t seed = 1; seed <= runs; seed++) {
    struct scenario_options options = {.source = {.seed = seed}};
    struct scenario_result result;
    scenario_run(sim, file, &options, &result);
    if (result.verdict != SCENARIO_HELD) {
      printf("seed %llu did not hold: %s %s %s\n", (unsigned long long)seed, result.violation.property,
             result.violation.detail, result.error.text);
      return false;
    }
    events += result.events;
    simulated += result.simulated_ns;
    if (result.peak_bytes > peak) peak = result.peak_bytes;
  }
  uint64_t took = now_ns() - start;
  printf("runs                        %12llu   (%llu events each on average)\n", (unsigned long long)runs,
         (unsigned long long)(events / runs));
  printf("events per CPU second       %12llu\n", (unsigned long long)(events * SIM_SECOND / took));
  printf("simulated s per CPU second  %12llu\n", (unsigned long long)(simulated / (took / 1000u) / 1000u));
  printf("runs per CPU second         %12llu.%01llu\n", (unsigned long long)(runs * SIM_SECOND / took),
         (unsigned long long)(runs * SIM_SECOND * 10u / took % 10u));
  printf("peak arena bytes            %12llu\n", (unsigned long long)peak);
  return true;
}

static void bench_checkpoint(struct sim *sim, const struct scenario_file *file, uint64_t seconds) {
  struct scenario_options options = {.source = {.seed = 1}, .until_ns = seconds * SIM_SECOND};
  struct scenario_result result;
  scenario_run(sim, file, &options, &result);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  size_t bytes = sim_arena_used_bytes(sim_arena(sim));
  char *copy = malloc(bytes);
  static uint64_t save[CHECKPOINT_ROUNDS], restore[CHECKPOINT_ROUNDS], plain[CHECKPOINT_ROUNDS];
  if (!checkpoint || !copy) exit(5);
  for (size_t i = 0; i < CHECKPOINT_ROUNDS; i++) {
    uint64_t t0 = now_ns();
    memcpy(copy, sim_arena_base(sim_arena(sim)), bytes);
    uint64_t t1 = now_ns();
    if (!sim_checkpoint_save(checkpoint, sim_arena(sim))) exit(5);
    uint64_t t2 = now_ns();
    sim_checkpoint_restore(checkpoint, sim_arena(sim));
    uint64_t t3 = now_ns();
    plain[i] = t1 - t0, save[i] = t2 - t1, restore[i] = t3 - t2;
  }
  uint64_t p = median(plain, CHECKPOINT_ROUNDS), s = median(save, CHECKPOINT_ROUNDS),
           r = median(restore, CHECKPOINT_ROUNDS);
  printf("world bytes at %llu s         %12zu\n", (unsigned long long)seconds, bytes);
  printf("memcpy of them              %12llu ns (median of %u)\n", (unsigned long long)p, CHECKPOINT_ROUNDS);
  printf("checkpoint                  %12llu ns  %llu %% of memcpy\n", (unsigned long long)s,
         (unsigned long long)(s * 100u / p));
  printf("restore                     %12llu ns  %llu %% of memcpy\n", (unsigned long long)r,
         (unsigned long long)(r * 100u / p));
  free(copy);
  sim_checkpoint_destroy(checkpoint);
}

int main(int argc, char **argv) {
  const char *path = argc > 1 ? argv[1] : "bench/standard.lua";
  uint64_t runs = argc > 2 ? strtoull(argv[2], NULL, 10) : 100;
  struct scenario_file *file = scenario_file_read(path);
  struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  if (!file || !sim || !runs) {
    fprintf(stderr, "bench/standard: cannot open %s or map the arena\n", path);
    return 2;
  }
  bool ok = bench_runs(sim, file, runs);
  if (ok) bench_checkpoint(sim, file, 30);
  if (ok) bench_checkpoint(sim, file, 59);
  sim_close(sim);
  scenario_file_free(file);
  return ok ? 0 : 1;
}
