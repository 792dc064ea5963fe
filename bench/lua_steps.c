/* What scripts cost: a task that does nothing but world:sleep "1ms", beside a
 * driver in C that does the same, and predicates in sim.always; each run beside
 * one of the same world without, in turn. Usage: lua_steps [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lua/scenario.h"

#define ROUNDS_MAX 201u
#define SECONDS 60u
#define WAKES (SECONDS * 1000u)
#define PROPERTIES 32u
#define LOOKS (SECONDS * 10u * PROPERTIES)
#define MESH "nodes = 3, duration = \"60s\""

enum kind { NOTHING, SLEEPS, C_SLEEPS, TRUES, QUESTIONS, KINDS };

static const char *const scripts[KINDS] = {
    [NOTHING] = "",
    [SLEEPS] = ", run = function(world) while true do world:sleep \"1ms\" end end",
    [TRUES] = ", properties = many(function() return true end)",
    [QUESTIONS] = ", properties = many(function(w) return w:stats().fail_stops == 0 end)",
};

struct bench {
  struct sim *sim;
  struct scenario_file *files[KINDS];
  uint64_t took[KINDS][ROUNDS_MAX];
  uint64_t wakes; /* of the driver in C */
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

static struct scenario_file *scenario_of(const char *script) {
  char text[1024];
  int size = snprintf(text, sizeof text,
                      "local sim = require \"sim\"\n"
                      "local function many(holds)\n"
                      "  local list = {}\n"
                      "  for i = 1, %u do list[i] = sim.always(\"p\" .. i, holds) end\n"
                      "  return list\n"
                      "end\n"
                      "many(function() return true end)\n"
                      "return sim.scenario { name = \"steps\", " MESH "%s }\n",
                      PROPERTIES, script);
  return scenario_file_from("lua_steps.lua", text, (size_t)size);
}

struct sleeper {
  uint32_t driver;
  uint64_t wakes;
};

static void wake(struct sim_world *world, void *self, uint64_t token) {
  struct sleeper *sleeper = self;
  sleeper->wakes++;
  sim_driver_at(world, sleeper->driver, sim_now(world) + SIM_MS, token);
}

static bool sleep_in_c(struct bench *bench, struct scenario_world *run) {
  struct sim_world *world = sim_world(bench->sim);
  struct sleeper *sleeper = sim_alloc(world, sizeof *sleeper);
  if (!sleeper) return false;
  memset(sleeper, 0, sizeof *sleeper);
  sleeper->driver = sim_driver_add(world, wake, sleeper);
  sim_driver_at(world, sleeper->driver, sim_now(world) + SIM_MS, 0);
  scenario_continue(run, UINT64_MAX);
  bench->wakes = sleeper->wakes;
  return true;
}

/* To the end of the duration; settling and judging are not what is measured. */
static bool run_once(struct bench *bench, enum kind kind, uint64_t round) {
  struct scenario_options options = {.source = {.seed = round + 1}};
  struct scenario_result result;
  struct scenario_world *run = scenario_begin(bench->sim, bench->files[kind], &options, &result);
  if (!run) {
    fprintf(stderr, "bench/lua_steps: %s\n", result.error.text);
    return false;
  }
  bool good = true;
  uint64_t start = now_ns();
  if (kind == C_SLEEPS)
    good = sleep_in_c(bench, run);
  else
    scenario_continue(run, UINT64_MAX);
  bench->took[kind][round] = now_ns() - start;
  good = good && sim_now(sim_world(bench->sim)) == SECONDS * SIM_SECOND;
  scenario_free(run);
  return good;
}

/* The median of what a kind takes more than nothing, in picoseconds for each of `count`. */
static uint64_t cost_ps(struct bench *bench, enum kind kind, uint64_t rounds, uint64_t count) {
  uint64_t more[ROUNDS_MAX] = {0};
  for (uint64_t i = 0; i < rounds; i++) {
    uint64_t took = bench->took[kind][i], nothing = bench->took[NOTHING][i];
    more[i] = took > nothing ? took - nothing : 0;
  }
  qsort(more, rounds, sizeof *more, by_value);
  return more[rounds / 2] * 1000u / count;
}

static void tell_ratio(const char *what, uint64_t a, uint64_t b) {
  uint64_t hundredths = a * 100u / (b + 1u);
  printf("%-44s %6llu.%02llu\n", what, (unsigned long long)(hundredths / 100u),
         (unsigned long long)(hundredths % 100u));
}

int main(int argc, char **argv) {
  static struct bench bench;
  struct sim_options options = {.fill = SIM_FILL_NONE};
  uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 21;
  bench.sim = sim_open(&options);
  if (!bench.sim || !rounds || rounds > ROUNDS_MAX) return 2;
  for (int kind = 0; kind < KINDS; kind++) {
    bench.files[kind] = scenario_of(scripts[kind] ? scripts[kind] : "");
    if (!bench.files[kind]) return 2;
  }
  for (uint64_t round = 0; round < rounds; round++)
    for (int kind = 0; kind < KINDS; kind++)
      if (!run_once(&bench, (enum kind)((kind + (int)(round % KINDS)) % KINDS), round)) return 1;
  uint64_t script = cost_ps(&bench, SLEEPS, rounds, WAKES), driver = cost_ps(&bench, C_SLEEPS, rounds, bench.wakes);
  uint64_t always = cost_ps(&bench, TRUES, rounds, LOOKS), question = cost_ps(&bench, QUESTIONS, rounds, LOOKS);
  tell_ratio("a script's wake-up / a wake-up of C", script, driver);
  tell_ratio("a predicate / a script's wake-up", always, script);
  tell_ratio("a predicate with world:stats() / an empty one", question, always);
  printf("a script's wake-up (world:sleep \"1ms\")       %9llu ns   (%u of them, median of %llu rounds)\n",
         (unsigned long long)(script / 1000u), WAKES, (unsigned long long)rounds);
  printf("a wake-up of a driver in C                   %9llu ns\n", (unsigned long long)(driver / 1000u));
  printf("sim.always that returns true                 %9llu ns   (%u looks)\n", (unsigned long long)(always / 1000u),
         LOOKS);
  printf("sim.always that asks world:stats()           %9llu ns\n", (unsigned long long)(question / 1000u));
  for (int kind = 0; kind < KINDS; kind++)
    scenario_file_free(bench.files[kind]);
  sim_close(bench.sim);
  return 0;
}
