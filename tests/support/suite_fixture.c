/* host only: search/ is not there for other processors */
#include "tests/support/suite_fixture.h"

#include <stdlib.h>
#include <string.h>

static void *zeroed(size_t count, size_t size) {
  void *block = calloc(count + 1, size);
  if (block == NULL) abort();
  return block;
}

static char *copied(const char *text) {
  char *copy = strdup(text);
  if (copy == NULL) abort();
  return copy;
}

static struct suite_result *suite_new(size_t scenarios, size_t runs, size_t failures, size_t vacuous) {
  struct suite_result *result = zeroed(1, sizeof *result);
  result->scenarios = zeroed(scenarios, sizeof *result->scenarios);
  result->runs = zeroed(runs, sizeof *result->runs);
  result->failures = zeroed(failures, sizeof *result->failures);
  result->vacuous = zeroed(vacuous, sizeof *result->vacuous);
  result->scenario_count = scenarios;
  result->run_count = runs;
  result->failure_count = failures;
  result->vacuous_count = vacuous;
  result->seed_first = 1;
  result->jobs = 2;
  return result;
}

static void run_set(struct suite_run *run, uint32_t scenario, uint64_t seed, enum suite_verdict verdict) {
  run->scenario = scenario;
  run->seed = seed;
  run->verdict = verdict;
  if (verdict == SUITE_NOT_RUN) return;
  run->trace_hash = UINT64_C(0x00ab54a98ceb1f0a) + seed;
  run->events = 1000 + seed;
  run->simulated_ns = UINT64_C(60000000000);
  run->real_ns = 7654321;
  run->peak_bytes = 123456;
  run->faults[SIM_FAULT_NET_LOSS] = (struct sim_fault_count){900, 9};
  run->faults[SIM_FAULT_POWER_LOSS] = (struct sim_fault_count){3, 3};
}

static void failure_set(struct suite_failure *failure, const struct suite_run *run, const char *property,
                        const char *detail, const char *history) {
  failure->scenario = run->scenario;
  failure->seed = run->seed;
  failure->verdict = run->verdict;
  failure->trace_hash = run->trace_hash;
  failure->time_ns = UINT64_C(12345678901);
  failure->node = 2;
  (void)snprintf(failure->property, sizeof failure->property, "%s", property);
  (void)snprintf(failure->detail, sizeof failure->detail, "%s", detail);
  failure->history = copied(history);
}

struct suite_result *fixture_suite(void) {
  struct suite_result *result = suite_new(3, 7, 2, 1);
  struct suite_scenario *crash = &result->scenarios[0], *partition = &result->scenarios[1],
                        *canary = &result->scenarios[2];
  (void)snprintf(crash->path, sizeof crash->path, "scenarios/crash.lua");
  (void)snprintf(crash->info.name, sizeof crash->info.name, "a crash loses nothing promised");
  (void)snprintf(crash->info.story, sizeof crash->info.story, "a power cut in a data centre");
  crash->info.sometimes_count = 1;
  (void)snprintf(crash->info.sometimes[0], sizeof crash->info.sometimes[0], "a node was down");
  crash->sometimes[0] = 2;
  crash->verdict = SUITE_VIOLATED;
  crash->runs = 4;
  crash->failed = 3;
  crash->events = 1234567;
  crash->simulated_ns = UINT64_C(240000000000);
  crash->real_ns = UINT64_C(2410000000);
  crash->faults[SIM_FAULT_NET_LOSS] = (struct sim_fault_count){3600, 1036};
  crash->faults[SIM_FAULT_POWER_LOSS] = (struct sim_fault_count){12, 12};
  (void)snprintf(partition->path, sizeof partition->path, "scenarios/partition.lua");
  (void)snprintf(partition->info.name, sizeof partition->info.name, "a partition heals");
  partition->verdict = SUITE_HARNESS;
  partition->runs = 2;
  partition->failed = 1;
  (void)snprintf(canary->path, sizeof canary->path, "scenarios/canary.lua");
  (void)snprintf(canary->info.name, sizeof canary->info.name, "a promise made too early is caught");
  (void)snprintf(canary->info.must_fail, sizeof canary->info.must_fail, "durability");
  canary->verdict = SUITE_FAILED_AS_IT_MUST;
  canary->runs = 1;

  run_set(&result->runs[0], 0, 1, SUITE_HELD);
  run_set(&result->runs[1], 0, 2, SUITE_VIOLATED);
  run_set(&result->runs[2], 0, 3, SUITE_VIOLATED); /* not told */
  run_set(&result->runs[3], 0, UINT64_MAX, SUITE_NOT_DETERMINISTIC);
  run_set(&result->runs[4], 1, 1, SUITE_HARNESS);
  run_set(&result->runs[5], 1, 2, SUITE_NOT_RUN);
  run_set(&result->runs[6], 2, 1, SUITE_FAILED_AS_IT_MUST);

  failure_set(&result->failures[0], &result->runs[1], "durability",
              "n2 promised n2/7f3a:41 at 11.2 s and does not hold it after its restart",
              "11.200 s n2 submitted\n11.204 s n2 durable\n12.345 s n2 powered off\n");
  (void)snprintf(result->failures[0].bundle, sizeof result->failures[0].bundle, "build/bundles/crash-2");
  (void)snprintf(result->failures[0].reproduce, sizeof result->failures[0].reproduce,
                 "build/syncsim replay scenarios/crash.lua --seed 2");
  result->failures[0].same_signature = 1;
  failure_set(&result->failures[1], &result->runs[4], "harness", "the worker ended with signal 11", "");
  (void)snprintf(result->failures[1].reproduce, sizeof result->failures[1].reproduce,
                 "build/syncsim replay scenarios/partition.lua --seed 1");
  result->failures[1].node = 0;
  result->vacuous[0] = copied("no message was ever duplicated in scenarios/crash.lua");
  result->seed_last = UINT64_MAX;
  result->real_ns = UINT64_C(1500000000);
  result->exit_status = 5;
  return result;
}

struct suite_result *fixture_hostile(void) {
  struct suite_result *result = fixture_suite();
  for (size_t i = 0; i < result->scenario_count; i++) {
    struct suite_scenario *scenario = &result->scenarios[i];
    (void)snprintf(scenario->path, sizeof scenario->path, "%s", FIXTURE_HOSTILE);
    (void)snprintf(scenario->info.name, sizeof scenario->info.name, "%s", FIXTURE_HOSTILE);
    (void)snprintf(scenario->info.story, sizeof scenario->info.story, "%s", FIXTURE_HOSTILE);
  }
  /* Differs from the others only in what a report leaves out. */
  (void)snprintf(result->scenarios[2].path, sizeof result->scenarios[2].path, "\x02%s", FIXTURE_HOSTILE);
  for (size_t i = 0; i < result->failure_count; i++) {
    struct suite_failure *failure = &result->failures[i];
    (void)snprintf(failure->property, sizeof failure->property, "%s", FIXTURE_HOSTILE);
    (void)snprintf(failure->detail, sizeof failure->detail, "%s", FIXTURE_HOSTILE);
    (void)snprintf(failure->bundle, sizeof failure->bundle, "%s", FIXTURE_HOSTILE);
    free(failure->history);
    failure->history = copied(FIXTURE_HOSTILE);
  }
  free(result->vacuous[0]);
  result->vacuous[0] = copied(FIXTURE_HOSTILE);
  return result;
}

struct suite_result *fixture_large(size_t runs, size_t bad_every, size_t told, size_t history_bytes) {
  struct suite_result *result = suite_new(1, runs, told, 0);
  struct suite_scenario *scenario = &result->scenarios[0];
  (void)snprintf(scenario->path, sizeof scenario->path, "scenarios/large.lua");
  (void)snprintf(scenario->info.name, sizeof scenario->info.name, "large");
  scenario->runs = runs;
  char *history = zeroed(history_bytes, 1);
  memset(history, '&', history_bytes); /* the byte that grows most */
  size_t failures = 0;
  for (size_t i = 0; i < runs; i++) {
    const bool bad = bad_every > 0 && i % bad_every == 0;
    run_set(&result->runs[i], 0, i + 1, bad ? SUITE_VIOLATED : SUITE_HELD);
    if (!bad) continue;
    scenario->failed++;
    if (failures == told) continue;
    struct suite_failure *failure = &result->failures[failures++];
    failure_set(failure, &result->runs[i], "durability", "lost", history);
    (void)snprintf(failure->reproduce, sizeof failure->reproduce, "syncsim replay scenarios/large.lua --seed %zu",
                   i + 1);
  }
  free(history);
  result->failure_count = failures;
  scenario->verdict = scenario->failed > 0 ? SUITE_VIOLATED : SUITE_HELD;
  result->exit_status = scenario->failed > 0;
  result->seed_last = runs;
  return result;
}

void fixture_free(struct suite_result *result) {
  for (size_t i = 0; i < result->failure_count; i++)
    free(result->failures[i].history);
  for (size_t i = 0; i < result->vacuous_count; i++)
    free(result->vacuous[i]);
  free(result->scenarios);
  free(result->runs);
  free(result->failures);
  free(result->vacuous);
  free(result);
}

char *fixture_written(bool (*write)(FILE *, const struct suite_result *), const struct suite_result *result) {
  char *text = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&text, &size);
  if (file == NULL) abort();
  const bool ok = write(file, result);
  if (fclose(file) != 0 || !ok) {
    free(text);
    return NULL;
  }
  return text;
}

bool fixture_written_to_full_disk(bool (*write)(FILE *, const struct suite_result *),
                                  const struct suite_result *result) {
  FILE *file = fopen("/dev/full", "w");
  if (file == NULL) abort();
  const bool ok = write(file, result);
  (void)fclose(file);
  return ok;
}
