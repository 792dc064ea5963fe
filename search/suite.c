#include "search/suite.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "search/explain.h"
#include "search/slow.h"
#include "search/tally.h"

#define WATCHDOG_NS (UINT64_C(120) * SIM_SECOND)
#define PASSES_PER_CHECK 100u

static void lost_worker(const struct pool_event *event, struct outcome *outcome) {
  memset(outcome, 0, sizeof *outcome);
  outcome->verdict = SUITE_HARNESS;
  outcome->fatal = true;
  (void)snprintf(outcome->property, sizeof outcome->property, "%s", event->news == POOL_HUNG ? "hang" : "crash");
  (void)snprintf(outcome->detail, sizeof outcome->detail, "%.900s", event->text);
}

static bool interrupted(struct suite *suite) {
  if (suite->event.news != POOL_SIGNAL) return false;
  suite->result->interrupted = true;
  return true;
}

/* --- Descriptions ------------------------------------------------------------ */

static bool take_description(struct suite *suite, struct outcome *problems) {
  const uint32_t index = suite->event.job.scenario;
  struct suite_scenario *scenario = &suite->result->scenarios[index];
  struct outcome *problem = &problems[index];
  scenario->verdict = SUITE_HELD;
  if (suite->event.news != POOL_REPLY) {
    lost_worker(&suite->event, problem);
    scenario->verdict = SUITE_HARNESS;
    return true;
  }
  const struct job_description *description = &suite->event.description;
  if (description->status == 0) {
    scenario->info = description->info;
    return true;
  }
  problem->verdict = description->status == -1 ? SUITE_SCENARIO_WRONG : SUITE_HARNESS;
  scenario->verdict = problem->verdict;
  (void)snprintf(problem->property, sizeof problem->property, "%s",
                 description->status == -1 ? "scenario" : OUTCOME_ARENA);
  (void)snprintf(problem->detail, sizeof problem->detail, "%.1000s", description->error.text);
  return true;
}

/* Asks the workers what the files say of themselves: they are scripts, and may
 * hang or die as runs may. */
static bool describe(struct suite *suite, struct outcome *problems) {
  struct suite_result *result = suite->result;
  size_t asked = 0;
  size_t known = 0;
  while (known < result->scenario_count) {
    const uint32_t place = pool_idle(suite->pool, POOL_NONE);
    if (asked < result->scenario_count && place != POOL_NONE) {
      const struct job job = {.kind = JOB_DESCRIBE, .scenario = (uint32_t)asked};
      if (!pool_start(suite->pool, place, &job)) return false;
      asked++;
      continue;
    }
    pool_wait(suite->pool, SIM_SECOND, &suite->event);
    if (interrupted(suite)) return true;
    if (suite->event.news != POOL_TIMEOUT && take_description(suite, problems)) known++;
  }
  return true;
}

/* A file without a name of its own is called by its path. */
static void name_scenario(struct suite_scenario *scenario) {
  if (scenario->info.name[0] == '\0') {
    (void)snprintf(scenario->info.name, sizeof scenario->info.name, "%.140s", scenario->path);
  }
}

/* Of a row of a scenario, counted from 0. */
static uint64_t seed_at(const struct suite *suite, size_t scenario, uint64_t place) {
  const uint64_t own = suite_regression_count(suite, scenario);
  return place < own ? suite->options->regressions[scenario].seeds[place] : suite->options->seed_first + (place - own);
}

/* One row per scenario and seed; a scenario that cannot be run has one, that says so. */
static bool lay_out(struct suite *suite, const struct outcome *problems) {
  struct suite_result *result = suite->result;
  size_t count = 0;
  for (size_t i = 0; i < result->scenario_count; i++) {
    suite->first_row[i] = count;
    const uint64_t rows = suite->seeds + suite_regression_count(suite, i);
    count += result->scenarios[i].verdict == SUITE_HELD ? (size_t)rows : 1;
    suite->wrong_at[i] = UINT64_MAX;
  }
  result->runs = calloc(count, sizeof *result->runs);
  suite->rows = calloc(count, sizeof *suite->rows);
  if (result->runs == NULL || suite->rows == NULL) return false;
  result->run_count = count;
  for (size_t i = 0; i < result->scenario_count; i++) {
    const struct suite_scenario *scenario = &result->scenarios[i];
    name_scenario(&result->scenarios[i]);
    const size_t end = i + 1 < result->scenario_count ? suite->first_row[i + 1] : count;
    for (size_t row = suite->first_row[i]; row < end; row++) {
      result->runs[row].scenario = (uint32_t)i;
      result->runs[row].seed = seed_at(suite, i, row - suite->first_row[i]);
      result->runs[row].regression = row - suite->first_row[i] < suite_regression_count(suite, i);
      result->runs[row].verdict = SUITE_NOT_RUN;
    }
    if (scenario->verdict == SUITE_HELD) {
      suite->progress.total += suite->seeds + suite_regression_count(suite, i);
      result->regressions += suite_regression_count(suite, i);
    } else {
      struct suite_row *row = &suite->rows[suite->first_row[i]];
      result->runs[suite->first_row[i]].verdict = scenario->verdict;
      row->finished = true;
      row->signature =
          (uint32_t)(signatures_add(&suite->signatures, (uint32_t)i, suite->first_row[i], &problems[i]) + 1);
    }
  }
  return true;
}

/* --- Runs --------------------------------------------------------------------- */

static uint64_t started_order(const struct suite *suite, size_t row) {
  const uint32_t scenario = suite->result->runs[row].scenario;
  return suite_round(suite, row) * suite->result->scenario_count + scenario;
}

static void fill_row(struct suite_run *run, struct suite_row *row, const struct outcome *outcome) {
  run->trace_hash = outcome->trace_hash;
  run->events = outcome->events;
  run->simulated_ns = outcome->simulated_ns;
  run->real_ns = outcome->real_ns;
  run->peak_bytes = outcome->peak_bytes;
  memcpy(run->faults, outcome->faults, sizeof run->faults);
  for (uint32_t i = 0; i < outcome->sometimes_count && i < SCENARIO_SOMETIMES_MAX; i++) {
    if (outcome->sometimes[i]) row->sometimes |= (uint16_t)(1u << i);
  }
  memcpy(row->reached, outcome->reached, sizeof row->reached);
  for (uint32_t i = 0; i < SCENARIO_WITHOUT_MAX; i++) {
    if (outcome->silenced[i]) row->silenced |= (uint8_t)(1u << i);
  }
}

/* Index + 1; 0: it is not known. */
static uint32_t find_known(const struct suite *suite, uint32_t scenario, const char *property) {
  const struct suite_result *result = suite->result;
  for (size_t i = 0; i < result->known_count; i++)
    if (strcmp(result->known[i].property, property) == 0 &&
        suite_known_is_of(&result->known[i], result->scenarios[scenario].path))
      return (uint32_t)i + 1;
  return 0;
}

static void finish_row(struct suite *suite, size_t index, const struct outcome *outcome) {
  struct suite_run *run = &suite->result->runs[index];
  struct suite_row *row = &suite->rows[index];
  const char *must_fail = suite->result->scenarios[run->scenario].info.must_fail;
  fill_row(run, row, outcome);
  run->verdict = outcome->verdict;
  if (run->verdict == SUITE_VIOLATED && must_fail[0] != '\0' && strcmp(must_fail, outcome->property) == 0) {
    run->verdict = SUITE_FAILED_AS_IT_MUST;
  }
  run->known = run->verdict == SUITE_VIOLATED ? find_known(suite, run->scenario, outcome->property) : 0;
  if (run->known != 0 && !suite->result->known[run->known - 1].expired) run->verdict = SUITE_KNOWN;
  row->finished = true;
  suite->progress.done++;
  if (run->verdict != SUITE_HELD && run->verdict != SUITE_KNOWN && run->verdict != SUITE_FAILED_AS_IT_MUST) {
    suite->progress.failed++;
    row->signature = (uint32_t)(signatures_add(&suite->signatures, run->scenario, index, outcome) + 1);
    const uint64_t order = started_order(suite, index);
    if (suite->options->fail_fast && order + 1 < suite->stop_at) suite->stop_at = order + 1;
    const uint64_t round = suite_round(suite, index);
    if (run->verdict == SUITE_SCENARIO_WRONG && round < suite->wrong_at[run->scenario]) {
      suite->wrong_at[run->scenario] = round;
    }
  }
  suite_show(suite);
}

static bool wants_check(const struct suite *suite, size_t row, const struct outcome *outcome) {
  const struct suite_run *run = &suite->result->runs[row];
  /* Once was long enough, and what memory a process finds no seed decides. */
  if (outcome->verdict != SUITE_HELD) {
    return strcmp(outcome->property, "hang") != 0 && strcmp(outcome->property, OUTCOME_ARENA) != 0;
  }
  if (row == suite->first_row[run->scenario]) return true; /* or few seeds would go unchecked */
  return sim_hash_fold(sim_hash_fold(0, run->seed), run->scenario) % PASSES_PER_CHECK == 0;
}

static void take_first(struct suite *suite, size_t row, const struct outcome *outcome) {
  struct suite_check *check = wants_check(suite, row, outcome) ? malloc(sizeof *check) : NULL;
  if (check == NULL) {
    finish_row(suite, row, outcome);
    return;
  }
  check->row = row;
  check->place = suite->event.worker;
  check->first = *outcome;
  check->next = NULL;
  *suite->checks_end = check;
  suite->checks_end = &check->next;
}

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
add_detail(struct outcome *outcome, const char *format, ...) {
  const size_t used = strlen(outcome->detail);
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(outcome->detail + used, sizeof outcome->detail - used, format, arguments);
  va_end(arguments);
}

static bool is_lost(const struct outcome *outcome) {
  return outcome->verdict == SUITE_HARNESS &&
         (strcmp(outcome->property, "crash") == 0 || strcmp(outcome->property, "hang") == 0 ||
          strcmp(outcome->property, OUTCOME_ARENA) == 0);
}

/* What both runs of a seed together say. */
static void compare(struct outcome *first, const struct outcome *second) {
  if (is_lost(first)) {
    add_detail(first, "; when the seed was run again, %s",
               is_lost(second) ? "it happened again"
                               : "it did not happen: the process may have been killed from outside");
  } else if (is_lost(second)) {
    if (first->verdict == SUITE_HELD) {
      *first = *second;
      add_detail(first, " (the first run of this seed held)");
    } else {
      add_detail(first, " (when the seed was run again: %.200s)", second->detail);
    }
  } else if (!outcome_equal(first, second)) {
    char text[sizeof first->detail];
    outcome_tell_difference(first, second, text, sizeof text);
    first->verdict = SUITE_NOT_DETERMINISTIC;
    memcpy(first->detail, text, sizeof first->detail);
    (void)snprintf(first->property, sizeof first->property, "determinism");
  }
}

static void take_event(struct suite *suite) {
  const uint32_t place = suite->event.worker;
  struct suite_check *check = suite->check_of[place];
  struct outcome lost;
  const struct outcome *outcome = &suite->event.outcome;
  const size_t row = check == NULL ? suite->row_of[place] : check->row;
  const bool stopped = suite->event.news == POOL_STOPPED;
  suite_note_slow(suite, place, row, suite->event.real_ns, stopped);
  if (stopped) {
    /* Not run; of a repetition the first time counts. */
    suite->check_of[place] = NULL;
    if (check != NULL) finish_row(suite, row, &check->first);
    free(check);
    return;
  }
  if (suite->event.news != POOL_REPLY) {
    lost_worker(&suite->event, &lost);
    outcome = &lost;
  }
  if (check == NULL) {
    take_first(suite, row, outcome);
    return;
  }
  suite->check_of[place] = NULL;
  compare(&check->first, outcome);
  finish_row(suite, row, &check->first);
  free(check);
}

/* The next row in the order of starting; false: none is left to start. */
static bool next_row(struct suite *suite, size_t *row) {
  const size_t scenarios = suite->result->scenario_count;
  if (suite->options->time_ns != 0 && !suite->out_of_time) {
    suite->out_of_time = outcome_clock_ns() - suite->start_ns >= suite->options->time_ns;
  }
  if (suite->out_of_time) return false;
  const uint64_t rounds = suite->first_rounds + suite->seeds;
  for (; suite->next < suite->stop_at && suite->next < rounds * scenarios; suite->next++) {
    const size_t scenario = (size_t)(suite->next % scenarios);
    const uint64_t round = suite->next / scenarios;
    if (suite->result->scenarios[scenario].verdict != SUITE_HELD || round > suite->wrong_at[scenario]) continue;
    if (!suite_row_of(suite, scenario, round, row)) continue;
    suite->next++;
    return true;
  }
  return false;
}

static bool start_row(struct suite *suite, uint32_t place, size_t row, struct suite_check *check) {
  const struct suite_run *run = &suite->result->runs[row];
  const struct scenario_info *info = &suite->result->scenarios[run->scenario].info;
  const struct job job = {.kind = JOB_RUN,
                          .scenario = run->scenario,
                          .seed = run->seed,
                          .nodes = info->nodes,
                          .scenario_duration_ns = info->duration_ns,
                          .scenario_settle_ns = info->settle_ns,
                          .fresh = check != NULL};
  suite->row_of[place] = row;
  suite->check_of[place] = check;
  return pool_start(suite->pool, place, &job);
}

/* Keeps every worker busy. A repetition goes first, and to another worker than
 * the first time when there is more than one. */
static bool start_more(struct suite *suite) {
  for (;;) {
    struct suite_check *check = suite->checks;
    size_t row;
    if (check != NULL) {
      const uint32_t place = pool_idle(suite->pool, check->place);
      if (place != POOL_NONE && (place != check->place || suite->result->jobs == 1)) {
        suite->checks = check->next;
        if (suite->checks == NULL) suite->checks_end = &suite->checks;
        if (!start_row(suite, place, check->row, check)) return false;
        continue;
      }
    }
    const uint32_t place = pool_idle(suite->pool, POOL_NONE);
    if (place == POOL_NONE || !next_row(suite, &row)) return true;
    if (!start_row(suite, place, row, NULL)) return false;
  }
}

/* After an interruption: what was seen once counts as seen. */
static void finish_unchecked(struct suite *suite) {
  for (uint32_t i = 0; i < suite->result->jobs; i++) {
    if (suite->check_of[i] == NULL) continue;
    suite->check_of[i]->next = suite->checks;
    suite->checks = suite->check_of[i];
    suite->check_of[i] = NULL;
  }
  while (suite->checks != NULL) {
    struct suite_check *check = suite->checks;
    suite->checks = check->next;
    finish_row(suite, check->row, &check->first);
    free(check);
  }
}

static bool run_all(struct suite *suite) {
  bool good = true;
  for (;;) {
    good = start_more(suite);
    if (!good || pool_busy_count(suite->pool) == 0) break;
    pool_wait(suite->pool, SIM_SECOND, &suite->event);
    if (interrupted(suite)) {
      suite_note_unfinished(suite);
      break;
    }
    if (suite->event.news == POOL_TIMEOUT) suite_show(suite);
    if (suite->event.news != POOL_TIMEOUT) take_event(suite);
  }
  pool_limit(suite->pool, UINT64_MAX); /* what is told of failures is told in full */
  finish_unchecked(suite);
  return good;
}

/* --- The whole ------------------------------------------------------------------ */

static bool prepare(struct suite *suite, size_t file_count) {
  struct suite_result *result = suite->result;
  result->scenarios = calloc(file_count, sizeof *result->scenarios);
  suite->first_row = calloc(file_count, sizeof *suite->first_row);
  suite->wrong_at = calloc(file_count, sizeof *suite->wrong_at);
  if (result->scenarios == NULL || suite->first_row == NULL || suite->wrong_at == NULL) return false;
  result->scenario_count = file_count;
  if (suite->options->known_count > 0) {
    result->known = calloc(suite->options->known_count, sizeof *result->known);
    if (result->known == NULL) return false;
    memcpy(result->known, suite->options->known, suite->options->known_count * sizeof *result->known);
    result->known_count = suite->options->known_count;
  }
  for (size_t i = 0; i < file_count; i++) {
    (void)snprintf(result->scenarios[i].path, sizeof result->scenarios[i].path, "%s",
                   scenario_file_label(suite->files[i]));
    result->scenarios[i].set = *scenario_file_params(suite->files[i]);
    result->scenarios[i].text_hash = scenario_file_hash(suite->files[i]);
  }
  result->seed_first = suite->options->seed_first;
  result->seed_last = suite->options->seed_last;
  result->jobs = suite->options->jobs;
  if (result->jobs == 0) {
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    result->jobs = processors > 0 ? (uint32_t)processors : 1;
  }
  if (result->jobs > SUITE_JOBS_MAX) result->jobs = SUITE_JOBS_MAX;
  suite->stop_at = UINT64_MAX;
  suite->checks_end = &suite->checks;
  suite->start_ns = outcome_clock_ns();
  const uint64_t watchdog_ns = suite->options->watchdog_ns == 0 ? WATCHDOG_NS : suite->options->watchdog_ns;
  suite->pool = pool_open(suite->files, file_count, suite->options, result->jobs, watchdog_ns);
  if (suite->pool == NULL) return false;
  if (suite->options->time_ns != 0 && suite->options->time_ns < UINT64_MAX / 4 && watchdog_ns < UINT64_MAX / 4) {
    pool_limit(suite->pool, suite->start_ns + suite->options->time_ns + watchdog_ns);
  }
  return true;
}

static bool work(struct suite *suite, size_t file_count) {
  struct outcome *problems = calloc(file_count, sizeof *problems);
  bool good = problems != NULL && prepare(suite, file_count) && describe(suite, problems) && lay_out(suite, problems);
  free(problems);
  if (good && !suite->result->interrupted) good = run_all(suite);
  if (good) {
    suite_tally(suite);
    good = suite_explain(suite) && suite_find_vacuous(suite);
  }
  return good;
}

static void suite_free(struct suite *suite) {
  const int why = errno;
  pool_close(suite->pool);
  signatures_free(&suite->signatures);
  free(suite->first_row);
  free(suite->wrong_at);
  free(suite->rows);
  free(suite);
  errno = why;
}

struct suite_result *suite_run_all(struct scenario_file *const *files, size_t file_count,
                                   const struct suite_options *options, char *error, size_t error_size) {
  const uint64_t last_index = options->seed_last - options->seed_first;
  if (file_count == 0 || last_index >= SUITE_RUNS_MAX / file_count) {
    (void)snprintf(error, error_size, file_count == 0 ? "no scenario to run" : "more than %llu runs: split the seeds",
                   (unsigned long long)SUITE_RUNS_MAX);
    return NULL;
  }
  struct suite *suite = calloc(1, sizeof *suite);
  struct suite_result *result = calloc(1, sizeof *result);
  if (suite == NULL || result == NULL) {
    free(suite);
    free(result);
    (void)snprintf(error, error_size, "no memory");
    return NULL;
  }
  suite->files = files;
  suite->options = options;
  suite->result = result;
  suite->seeds = last_index + 1;
  for (size_t i = 0; i < file_count; i++)
    if (suite_regression_count(suite, i) > suite->first_rounds) suite->first_rounds = suite_regression_count(suite, i);
  errno = 0;
  const bool good = work(suite, file_count);
  if (good) {
    result->real_ns = outcome_clock_ns() - suite->start_ns;
    result->exit_status = suite_exit_status(suite);
  } else {
    (void)snprintf(error, error_size, "the suite cannot go on: %s", errno != 0 ? strerror(errno) : "no worker process");
    suite_result_free(result);
    result = NULL;
  }
  suite_free(suite);
  return result;
}
