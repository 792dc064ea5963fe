/* What the oracles cost: the standard world with all of them, and with nothing
 * that looks while a run goes on (trace hooks, checks at intervals, the model,
 * beliefs), in turn. Usage: oracles [SCENARIO [ROUNDS]] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lua/scenario.h"

#define SEEDS 4u
#define ROUNDS_MAX 201u

struct side {
  uint64_t took[ROUNDS_MAX]; /* ns of CPU time, by round */
  uint64_t total, events;
};

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static void run(struct sim *sim, const struct scenario_file *file, bool no_oracles, struct side *side, uint64_t round) {
  uint64_t start = now_ns();
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    struct scenario_options options = {.source = {.seed = round * SEEDS + seed}, .no_oracles = no_oracles};
    struct scenario_result result;
    scenario_run(sim, file, &options, &result);
    if (result.verdict != SCENARIO_HELD) {
      fprintf(stderr, "bench/oracles: seed %llu did not hold: %s %s\n", (unsigned long long)options.source.seed,
              result.violation.detail, result.error.text);
      exit(1);
    }
    side->events += result.events;
  }
  side->took[round] = now_ns() - start;
  side->total += side->took[round];
}

/* In ten thousandths of the other's time. */
static uint64_t ratio_median(const struct side *on, const struct side *off, uint64_t rounds) {
  uint64_t ratios[ROUNDS_MAX] = {0};
  for (uint64_t i = 0; i < rounds; i++)
    ratios[i] = on->took[i] * 10000u / (off->took[i] + 1u);
  qsort(ratios, rounds, sizeof *ratios, by_value);
  return ratios[rounds / 2];
}

int main(int argc, char **argv) {
  static struct side on, off;
  const char *path = argc > 1 ? argv[1] : "bench/standard.lua";
  uint64_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 31;
  struct scenario_file *file = scenario_file_read(path);
  struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  if (!file || !sim || !rounds || rounds > ROUNDS_MAX) {
    fprintf(stderr, "bench/oracles: cannot open %s, map the arena, or run 1 to %u rounds\n", path, ROUNDS_MAX);
    return 2;
  }
  for (uint64_t i = 0; i < rounds; i++) {
    run(sim, file, i % 2 != 0, i % 2 != 0 ? &off : &on, i);
    run(sim, file, i % 2 == 0, i % 2 == 0 ? &off : &on, i);
  }
  uint64_t ratio = ratio_median(&on, &off, rounds);
  printf("time with oracles           %9llu.%02llu %% of the time without (median of %llu rounds)\n",
         (unsigned long long)(ratio / 100u), (unsigned long long)(ratio % 100u), (unsigned long long)rounds);
  printf("with, events/CPU second     %12llu\n", (unsigned long long)(on.events * SIM_SECOND / (on.total + 1u)));
  printf("without, events/CPU second  %12llu\n", (unsigned long long)(off.events * SIM_SECOND / (off.total + 1u)));
  sim_close(sim);
  scenario_file_free(file);
  return 0;
}
