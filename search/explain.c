#include "search/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/build_id.h"
#include "search/bundle.h"
#include "search/reproduce.h"
#include "search/slow.h"

#define LISTED_MAX 20u        /* of each scenario */
#define HISTORY_LINES_MAX 30u /* in a report; the bundle has all */

struct listing {
  size_t row;
  uint32_t signature; /* index + 1 */
  const struct outcome *outcome;
};

static int by_row(const void *a, const void *b) {
  const struct listing *left = a;
  const struct listing *right = b;
  return (left->row > right->row) - (left->row < right->row);
}

/* The kept failures that still count, in order of rows, at most LISTED_MAX of
 * a scenario. Returns how many; SIZE_MAX: no memory. */
static size_t choose(const struct suite *suite, struct listing **listings) {
  const struct signatures *signatures = &suite->signatures;
  struct listing *all = calloc(signatures->count * SIGNATURE_KEPT + 1, sizeof *all);
  size_t found = 0;
  size_t chosen = 0;
  uint32_t of_scenario = 0;
  if (all == NULL) return SIZE_MAX;
  for (size_t i = 0; i < signatures->count; i++) {
    const struct signature *signature = &signatures->items[i];
    for (size_t n = 0; n < signature->kept_count; n++) {
      const size_t row = signature->kept[n].row;
      if (suite->rows[row].signature != i + 1) continue; /* dropped */
      all[found].row = row;
      all[found].signature = (uint32_t)(i + 1);
      all[found].outcome = &signature->kept[n].outcome;
      found++;
    }
  }
  qsort(all, found, sizeof *all, by_row);
  for (size_t i = 0; i < found; i++) {
    const struct suite_run *runs = suite->result->runs;
    if (i == 0 || runs[all[i].row].scenario != runs[all[i - 1].row].scenario) of_scenario = 0;
    if (of_scenario++ < LISTED_MAX) all[chosen++] = all[i];
  }
  *listings = all;
  return chosen;
}

static void fill_failure(const struct suite *suite, struct suite_failure *failure, const struct outcome *outcome,
                         size_t row) {
  const struct suite_run *run = &suite->result->runs[row];
  const struct suite_scenario *scenario = &suite->result->scenarios[run->scenario];
  failure->scenario = run->scenario;
  failure->seed = run->seed;
  failure->verdict = run->verdict;
  failure->time_ns = outcome->time_ns;
  failure->node = outcome->node;
  failure->trace_hash = run->trace_hash;
  if (run->known != 0) memcpy(failure->known, suite->result->known[run->known - 1].told, sizeof failure->known);
  const uint64_t place = (uint64_t)(run - suite->result->runs) - suite->first_row[run->scenario];
  if (place < suite_regression_count(suite, run->scenario))
    (void)snprintf(failure->regression, sizeof failure->regression, "%s",
                   suite->options->regressions[run->scenario].stories[place]);
  memcpy(failure->property, outcome->property, sizeof failure->property);
  memcpy(failure->detail, outcome->detail, sizeof failure->detail);
  memcpy(failure->waits, outcome->waits, sizeof failure->waits);
  reproduce_line(failure->reproduce, sizeof failure->reproduce, suite->options->program, scenario->path, &scenario->set,
                 run->seed);
}

/* A canary that was not caught fails as a scenario, not by one seed. */
static void fill_missed_canary(const struct suite *suite, struct suite_failure *failure, uint32_t index) {
  const struct suite_scenario *scenario = &suite->result->scenarios[index];
  failure->scenario = index;
  failure->seed = suite->result->seed_first;
  failure->verdict = SUITE_CANARY_MISSED;
  failure->trace_hash = suite->result->runs[suite->first_row[index]].trace_hash;
  memcpy(failure->property, scenario->info.must_fail, sizeof failure->property);
  (void)snprintf(failure->detail, sizeof failure->detail,
                 "this canary must violate \"%s\", and none of its %llu runs did: the oracle may be blind",
                 scenario->info.must_fail, (unsigned long long)scenario->runs);
  reproduce_line(failure->reproduce, sizeof failure->reproduce, suite->options->program, scenario->path, &scenario->set,
                 failure->seed);
}

/* How many rows of each signature are not listed, on the first that is. */
static bool count_unlisted(const struct suite *suite, const struct listing *listings, size_t count) {
  uint64_t *totals = calloc(suite->signatures.count + 1, sizeof *totals);
  if (totals == NULL) return false;
  for (size_t i = 0; i < suite->result->run_count; i++) {
    totals[suite->rows[i].signature]++;
  }
  for (size_t i = 0; i < count; i++) {
    totals[listings[i].signature]--;
  }
  for (size_t i = 0; i < count; i++) {
    suite->result->failures[i].same_signature = totals[listings[i].signature];
    totals[listings[i].signature] = 0;
  }
  free(totals);
  return true;
}

/* "three nodes" becomes ".three_nodes". */
static void variant_name(const char *variant, char *name, size_t size) {
  (void)snprintf(name, size, "%s%s", variant[0] == '\0' ? "" : ".", variant);
  for (char *at = name; *at != '\0'; at++) {
    const bool plain = (*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9');
    if (!plain && *at != '-' && *at != '.') *at = '_';
  }
}

/* The file's name without folder and extension, and the variant; with a hash of the path when
 * another scenario of the suite has the same. */
static void bundle_name(const struct suite *suite, const struct suite_failure *failure, char *name, size_t size) {
  const struct suite_result *result = suite->result;
  const char *path = result->scenarios[failure->scenario].path;
  const char *slash = strrchr(path, '/');
  const char *base = slash == NULL ? path : slash + 1;
  const char *chosen = result->scenarios[failure->scenario].info.variant;
  int length = (int)(strlen(base) - (chosen[0] == '\0' ? 0 : strlen(chosen) + 1)); /* without #VARIANT */
  if (length > 4 && strncmp(base + length - 4, ".lua", 4) == 0) length -= 4;
  const char *apart = "";
  char tag[24], variant[SCENARIO_VARIANT_BYTES + 1];
  for (size_t i = 0; i < result->scenario_count; i++) {
    const char *other = strrchr(result->scenarios[i].path, '/');
    other = other == NULL ? result->scenarios[i].path : other + 1;
    if (i == failure->scenario || strcmp(other, base) != 0) continue;
    (void)snprintf(tag, sizeof tag, ".%08llx", (unsigned long long)(sim_hash_bytes(path, strlen(path)) >> 32));
    apart = tag;
  }
  variant_name(chosen, variant, sizeof variant);
  (void)snprintf(name, size, "%.*s%s%s-%llu", length > 150 ? 150 : length, base, variant, apart,
                 (unsigned long long)failure->seed);
}

/* Creates the bundle's folder and says where its choices go. */
static void begin_bundle(const struct suite *suite, struct suite_failure *failure) {
  char name[256];
  if (suite->options->bundles == NULL) return;
  bundle_name(suite, failure, name, sizeof name);
  if (!bundle_path(failure->bundle, sizeof failure->bundle, suite->options->bundles, name)) return;
  if (!bundle_create(failure->bundle)) failure->bundle[0] = '\0';
}

static bool records(const struct suite_failure *failure) {
  if (failure->verdict == SUITE_CANARY_MISSED || failure->verdict == SUITE_SCENARIO_WRONG) return false;
  if (strcmp(failure->property, OUTCOME_ARENA) == 0) return false; /* it would be full again, or not */
  return strcmp(failure->property, "crash") != 0 && strcmp(failure->property, "hang") != 0;
}

/* A failure is recorded twice: what is told of it is what a seed decides, too. */
struct recording {
  unsigned started, taken;
  struct outcome outcome;
};

static bool start_recording(struct suite *suite, uint32_t place, size_t index, bool again) {
  const struct suite_failure *failure = &suite->result->failures[index];
  const struct suite_scenario *scenario = &suite->result->scenarios[failure->scenario];
  struct job job = {.kind = failure->verdict == SUITE_NOT_DETERMINISTIC ? JOB_COMPARE : JOB_RECORD,
                    .scenario = failure->scenario,
                    .seed = failure->seed,
                    .nodes = scenario->info.nodes,
                    .scenario_duration_ns = scenario->info.duration_ns,
                    .scenario_settle_ns = scenario->info.settle_ns,
                    .fresh = again};
  if (!again && failure->bundle[0] != '\0') {
    (void)bundle_path(job.choices, sizeof job.choices, failure->bundle, "choices");
  }
  suite->row_of[place] = index;
  return pool_start(suite->pool, place, &job);
}

static void not_deterministic(struct suite *suite, struct suite_failure *failure) {
  struct suite_scenario *scenario = &suite->result->scenarios[failure->scenario];
  (void)snprintf(failure->property, sizeof failure->property, "determinism");
  failure->verdict = SUITE_NOT_DETERMINISTIC;
  if (scenario->verdict != SUITE_SCENARIO_WRONG) scenario->verdict = SUITE_NOT_DETERMINISTIC;
}

/* Lines that differ, the first of them in each. */
static void tell_histories(const char *a, const char *b, char *text, size_t size) {
  size_t line = 0;
  for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++) {
    if (a[i] == '\n') line = i + 1;
  }
  (void)snprintf(text, size, "two recordings of this seed differ in the history: '%.*s' and '%.*s'",
                 (int)strcspn(a + line, "\n"), a + line, (int)strcspn(b + line, "\n"), b + line);
}

static void take_recording(struct suite *suite, struct recording *recordings) {
  const size_t index = suite->row_of[suite->event.worker];
  struct suite_failure *failure = &suite->result->failures[index];
  struct recording *recording = &recordings[index];
  const struct outcome *outcome = &suite->event.outcome;
  const bool again = recording->taken++ > 0;
  if (suite->event.news != POOL_REPLY) return; /* as it was found, without a history */
  if (!again) failure->history = strdup(suite->event.text);
  if (suite->event.job.kind != JOB_RECORD || failure->verdict == SUITE_NOT_DETERMINISTIC) return;
  if (!again && outcome->trace_hash != failure->trace_hash) {
    (void)snprintf(failure->detail, sizeof failure->detail,
                   "the run with a recording differs: trace 0x%016llx, and 0x%016llx before it",
                   (unsigned long long)outcome->trace_hash, (unsigned long long)failure->trace_hash);
    not_deterministic(suite, failure);
  } else if (!again &&
             (strcmp(outcome->property, failure->property) != 0 || strcmp(outcome->detail, failure->detail) != 0)) {
    char before[sizeof failure->detail];
    memcpy(before, failure->detail, sizeof before);
    (void)snprintf(failure->detail, sizeof failure->detail,
                   "the run with a recording differs in words: '%.400s', and '%.400s' before it", outcome->detail,
                   before);
    not_deterministic(suite, failure);
  } else if (again && !outcome_equal(&recording->outcome, outcome)) {
    outcome_tell_difference(&recording->outcome, outcome, failure->detail, sizeof failure->detail);
    not_deterministic(suite, failure);
  } else if (again && failure->history != NULL && strcmp(failure->history, suite->event.text) != 0) {
    tell_histories(failure->history, suite->event.text, failure->detail, sizeof failure->detail);
    not_deterministic(suite, failure);
  }
  recording->outcome = *outcome;
}

/* The next failure to record, the first time or again. */
static bool start_next(struct suite *suite, uint32_t place, struct recording *recordings, bool *started) {
  const struct suite_result *result = suite->result;
  *started = false;
  for (size_t i = 0; i < result->failure_count; i++) {
    struct recording *recording = &recordings[i];
    const unsigned wanted = result->failures[i].verdict == SUITE_NOT_DETERMINISTIC ? 1 : 2;
    if (!records(&result->failures[i]) || recording->started >= wanted || recording->taken < recording->started) {
      continue;
    }
    *started = true;
    return start_recording(suite, place, i, recording->started++ > 0);
  }
  return true;
}

static bool record_failures(struct suite *suite, struct recording *recordings) {
  struct suite_result *result = suite->result;
  suite->progress.explaining = true;
  while (!result->interrupted) {
    const uint32_t place = pool_idle(suite->pool, POOL_NONE);
    bool started = false;
    if (place != POOL_NONE && !start_next(suite, place, recordings, &started)) return false;
    if (started) continue;
    if (pool_busy_count(suite->pool) == 0) break;
    pool_wait(suite->pool, SIM_SECOND, &suite->event);
    if (suite->event.news == POOL_SIGNAL) result->interrupted = true;
    if (suite->event.news <= POOL_HUNG) take_recording(suite, recordings);
    suite_show(suite);
  }
  return true;
}

static bool record_all(struct suite *suite) {
  struct recording *recordings = calloc(suite->result->failure_count, sizeof *recordings);
  const bool good = recordings != NULL && record_failures(suite, recordings);
  free(recordings);
  return good;
}

static void finish_bundle(const struct suite *suite, struct suite_failure *failure, const char *build) {
  const struct suite_scenario *scenario = &suite->result->scenarios[failure->scenario];
  struct bundle bundle = {.seed = failure->seed, .trace_hash = failure->trace_hash};
  if (failure->bundle[0] == '\0') return;
  (void)snprintf(bundle.scenario, sizeof bundle.scenario, "%s", scenario->info.name);
  (void)snprintf(bundle.path, sizeof bundle.path, "%s", scenario_file_path(suite->files[failure->scenario]));
  (void)snprintf(bundle.verdict, sizeof bundle.verdict, "%s", suite_verdict_name(failure->verdict));
  (void)snprintf(bundle.property, sizeof bundle.property, "%s", failure->property);
  (void)snprintf(bundle.build, sizeof bundle.build, "%s", build);
  (void)snprintf(bundle.command, sizeof bundle.command, "%s", failure->reproduce);
  (void)snprintf(bundle.variant, sizeof bundle.variant, "%s", scenario->info.variant);
  bundle.set = scenario->set;
  if (!bundle_write(failure->bundle, &bundle, suite->files[failure->scenario], failure->history)) {
    failure->bundle[0] = '\0';
  }
}

/* Cuts a history to what a person reads in a report. */
static void shorten(struct suite_failure *failure) {
  char *at = failure->history;
  uint32_t lines = 0;
  size_t rest = 0;
  while (lines < HISTORY_LINES_MAX && (at = strchr(at, '\n')) != NULL) {
    at++;
    lines++;
  }
  if (at == NULL) return;
  for (const char *c = at; *c != '\0'; c++) {
    rest += *c == '\n';
  }
  if (rest == 0) return;
  const size_t head = (size_t)(at - failure->history);
  const size_t size = head + 64 + sizeof failure->bundle;
  char *cut = malloc(size);
  if (cut == NULL) return;
  memcpy(cut, failure->history, head);
  (void)snprintf(cut + head, size - head, "... %zu more lines%s%s%s\n", rest, failure->bundle[0] == '\0' ? "" : " in ",
                 failure->bundle, failure->bundle[0] == '\0' ? "" : "/history");
  free(failure->history);
  failure->history = cut;
}

static bool list(struct suite *suite) {
  struct suite_result *result = suite->result;
  struct listing *listings = NULL;
  const size_t count = choose(suite, &listings);
  bool good = count != SIZE_MAX;
  if (good) {
    result->failures = calloc(count + result->scenario_count, sizeof *result->failures);
    good = result->failures != NULL;
  }
  for (size_t i = 0; good && i < count; i++) {
    fill_failure(suite, &result->failures[i], listings[i].outcome, listings[i].row);
  }
  good = good && count_unlisted(suite, listings, count);
  if (good) {
    result->failure_count = count;
    for (uint32_t i = 0; i < result->scenario_count; i++) {
      if (result->scenarios[i].verdict != SUITE_CANARY_MISSED) continue;
      fill_missed_canary(suite, &result->failures[result->failure_count++], i);
    }
  }
  free(listings);
  return good;
}

bool suite_explain(struct suite *suite) {
  struct suite_result *result = suite->result;
  char build[BUILD_ID_BYTES];
  if (!list(suite)) return false;
  if (result->failure_count == 0) return true;
  build_id(build);
  for (size_t i = 0; i < result->failure_count; i++) {
    begin_bundle(suite, &result->failures[i]);
  }
  if (!record_all(suite)) return false;
  for (size_t i = 0; i < result->failure_count; i++) {
    struct suite_failure *failure = &result->failures[i];
    if (failure->history == NULL) failure->history = calloc(1, 1);
    if (failure->history == NULL) return false;
    finish_bundle(suite, failure, build);
    shorten(failure);
  }
  return true;
}
