#include "search/tally.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Severity, for the worst of many. A wrong scenario says nothing about the
 * engine, and differing runs make every other verdict worthless. */
static int severity(enum suite_verdict verdict) {
  switch (verdict) {
  case SUITE_NOT_RUN:
    return 0;
  case SUITE_HELD:
    return 1;
  case SUITE_FAILED_AS_IT_MUST:
    return 2;
  case SUITE_KNOWN:
    return 3;
  case SUITE_HARNESS:
    return 4;
  case SUITE_CANARY_MISSED:
    return 5;
  case SUITE_VIOLATED:
    return 6;
  case SUITE_NOT_DETERMINISTIC:
    return 7;
  case SUITE_SCENARIO_WRONG:
    return 8;
  }
  return 0;
}

/* What was started behind a stop, or after a scenario proved wrong, depends on
 * the number of workers; so it does not count. */
static void drop_rows(struct suite *suite) {
  struct suite_result *result = suite->result;
  for (size_t i = 0; i < result->run_count; i++) {
    struct suite_run *run = &result->runs[i];
    const uint64_t round = suite_round(suite, i);
    const uint64_t order = round * result->scenario_count + run->scenario;
    const bool described = result->scenarios[run->scenario].verdict == SUITE_HELD;
    if (!described || (order < suite->stop_at && round <= suite->wrong_at[run->scenario])) continue;
    const struct suite_run blank = {
        .scenario = run->scenario, .seed = run->seed, .regression = run->regression, .verdict = SUITE_NOT_RUN};
    *run = blank;
    memset(&suite->rows[i], 0, sizeof suite->rows[i]);
  }
}

static void add_run(struct suite_scenario *scenario, const struct suite_run *run, const struct suite_row *row) {
  scenario->runs++;
  scenario->failed += run->verdict != SUITE_HELD && run->verdict != SUITE_KNOWN;
  scenario->events += run->events;
  scenario->simulated_ns += run->simulated_ns;
  scenario->real_ns += run->real_ns;
  for (size_t i = 0; i < SIM_FAULT_COUNT; i++) {
    scenario->faults[i].opportunities += run->faults[i].opportunities;
    scenario->faults[i].firings += run->faults[i].firings;
  }
  for (size_t i = 0; i < SCENARIO_SOMETIMES_MAX; i++) {
    scenario->sometimes[i] += (row->sometimes >> i) & 1u;
  }
  for (uint32_t i = 0; i < scenario->info.step_count && i < SCENARIO_STEPS_MAX; i++) {
    const struct scenario_step *step = &scenario->info.steps[i];
    scenario->steps[i] += step->sometimes < SCENARIO_SOMETIMES_MAX && row->reached[step->sometimes] > step->place;
  }
  for (uint32_t i = 0; i < SCENARIO_WITHOUT_MAX; i++) {
    scenario->silenced[i] += (row->silenced >> i) & 1u;
  }
  if (severity(run->verdict) > severity(scenario->verdict)) scenario->verdict = run->verdict;
}

static bool all_seeds_ran(const struct suite *suite, const struct suite_scenario *scenario) {
  const size_t index = (size_t)(scenario - suite->result->scenarios);
  return scenario->runs == suite->seeds + suite_regression_count(suite, index) && !suite->result->interrupted;
}

/* What was seen of the failures that are known. */
static void tally_known(struct suite *suite) {
  struct suite_result *result = suite->result;
  for (size_t i = 0; i < result->run_count; i++) {
    if (suite->rows[i].finished && result->runs[i].known != 0) result->known[result->runs[i].known - 1].seen++;
  }
  for (size_t i = 0; i < result->known_count; i++) {
    for (size_t n = 0; n < result->scenario_count; n++) {
      if (suite_known_is_of(&result->known[i], result->scenarios[n].path))
        result->known[i].runs += result->scenarios[n].runs;
    }
  }
}

void suite_tally(struct suite *suite) {
  struct suite_result *result = suite->result;
  drop_rows(suite);
  for (size_t i = 0; i < result->scenario_count; i++) {
    result->scenarios[i].verdict = SUITE_NOT_RUN;
  }
  for (size_t i = 0; i < result->run_count; i++) {
    const struct suite_run *run = &result->runs[i];
    if (suite->rows[i].finished) add_run(&result->scenarios[run->scenario], run, &suite->rows[i]);
  }
  for (size_t i = 0; i < result->scenario_count; i++) {
    struct suite_scenario *scenario = &result->scenarios[i];
    /* One catch is enough; none counts only when every seed had its chance. */
    if (scenario->info.must_fail[0] != '\0' && scenario->verdict == SUITE_HELD && all_seeds_ran(suite, scenario)) {
      scenario->verdict = SUITE_CANARY_MISSED;
    }
  }
  tally_known(suite);
}

/* --- Vacuity -------------------------------------------------------------------- */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static bool
add_vacuous(struct suite_result *result, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  char **grown = realloc(result->vacuous, (result->vacuous_count + 1) * sizeof *grown);
  if (grown == NULL) return false;
  result->vacuous = grown;
  grown[result->vacuous_count] = strdup(text);
  if (grown[result->vacuous_count] == NULL) return false;
  result->vacuous_count++;
  return true;
}

/* ": the best reached 2 of 3 steps, and none \"it heals\"" of a sequence; else nothing. */
static void tell_steps(const struct suite_scenario *scenario, uint32_t sometimes, char *text, size_t size) {
  uint32_t reached = 0, all = 0;
  const char *missing = "";
  text[0] = '\0';
  for (uint32_t i = 0; i < scenario->info.step_count && i < SCENARIO_STEPS_MAX; i++) {
    if (scenario->info.steps[i].sometimes != sometimes) continue;
    all++;
    if (scenario->steps[i] > 0) reached++;
    if (scenario->steps[i] == 0 && missing[0] == '\0') missing = scenario->info.steps[i].name;
  }
  if (all > 0)
    (void)snprintf(text, size, ": the best reached %u of %u steps, and none came to \"%s\"", reached, all, missing);
}

/* A canary's worlds end early, and one that failed never came to its end. */
static bool judged(const struct suite_scenario *scenario) {
  return scenario->runs > 0 && scenario->info.must_fail[0] == '\0' && scenario->verdict == SUITE_HELD;
}

bool suite_find_vacuous(struct suite *suite) {
  struct suite_result *result = suite->result;
  for (size_t i = 0; i < result->scenario_count; i++) {
    const struct suite_scenario *scenario = &result->scenarios[i];
    const unsigned long long runs = scenario->runs;
    if (!judged(scenario)) continue;
    for (size_t fault = 0; fault < SIM_FAULT_COUNT; fault++) {
      if (!scenario->info.expects[fault] || scenario->faults[fault].firings > 0) continue;
      if (!add_vacuous(result, "%s: the fault %s is enabled and never fired in %llu runs (%llu opportunities)",
                       scenario->info.name, sim_fault_name((enum sim_fault)fault), runs,
                       (unsigned long long)scenario->faults[fault].opportunities)) {
        return false;
      }
    }
    for (uint32_t n = 0; n < scenario->info.sometimes_count && n < SCENARIO_SOMETIMES_MAX; n++) {
      if (scenario->sometimes[n] > 0) continue;
      char steps[300];
      tell_steps(scenario, n, steps, sizeof steps);
      if (!add_vacuous(result, "%s: \"%s\" never became true in %llu runs%s", scenario->info.name,
                       scenario->info.sometimes[n], runs, steps)) {
        return false;
      }
    }
  }
  return true;
}

static bool vacuity_counts(const struct suite_scenario *scenario) {
  if (!judged(scenario) || scenario->runs < SUITE_VACUITY_SEEDS) return false;
  for (size_t fault = 0; fault < SIM_FAULT_COUNT; fault++) {
    if (scenario->info.expects[fault] && scenario->faults[fault].firings == 0) return true;
  }
  for (uint32_t n = 0; n < scenario->info.sometimes_count && n < SCENARIO_SOMETIMES_MAX; n++) {
    if (scenario->sometimes[n] == 0) return true;
  }
  return false;
}

int suite_exit_status(const struct suite *suite) {
  const struct suite_result *result = suite->result;
  enum suite_verdict worst = SUITE_NOT_RUN;
  bool vacuous = false;
  bool ran = false;
  for (size_t i = 0; i < result->scenario_count; i++) {
    const struct suite_scenario *scenario = &result->scenarios[i];
    if (severity(scenario->verdict) > severity(worst)) worst = scenario->verdict;
    vacuous = vacuous || vacuity_counts(scenario);
    ran = ran || scenario->runs > 0;
  }
  if (worst == SUITE_SCENARIO_WRONG) return 3;
  if (worst == SUITE_NOT_DETERMINISTIC) return 4;
  if (worst == SUITE_VIOLATED || worst == SUITE_CANARY_MISSED || vacuous) return 1;
  if (worst == SUITE_HARNESS || result->interrupted || !ran) return 5;
  return 0;
}
