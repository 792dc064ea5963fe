#include "search/shrink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/ordered.h"
#include "search/same_failure.h"
#include "search/shrink_work.h"

#define WATCHDOG_NS (UINT64_C(120) * SIM_SECOND)
#define PATIENCE_NS (5 * SIM_SECOND) /* of who pressed Ctrl-C: for telling what there is */
#define SEEN_SLOTS (1u << 16)        /* candidates that are remembered; a power of two */

/* --- Candidates ------------------------------------------------------------------- */

static bool seen(const struct shrink *shrink, uint64_t hash, bool remember) {
  size_t slot = (size_t)hash & (SEEN_SLOTS - 1);
  for (unsigned tries = 0; tries < 32; tries++, slot = (slot + 1) & (SEEN_SLOTS - 1)) {
    if (shrink->seen[slot] == hash) return true;
    if (shrink->seen[slot] != 0) continue;
    if (remember) shrink->seen[slot] = hash;
    return false;
  }
  return false; /* full there: it is run again */
}

static void check_clock(struct shrink *shrink) {
  if (shrink->stopped || outcome_clock_ns() < shrink->stop_ns) return;
  shrink->stopped = true;
  shrink->result->end = SHRINK_OUT_OF_TIME;
}

static struct job job_of(enum job_kind kind, struct sim_choice_table *table, const struct candidate *candidate) {
  return (struct job){.kind = kind,
                      .seed = candidate->seed,
                      .duration_ns = candidate->duration_ns,
                      .overrides = table,
                      .calm = !candidate->drawn,
                      .fates_only = candidate->drawn};
}

struct batch {
  shrink_make_fn make;
  void *arg;
  size_t count, next;
  size_t winner; /* the lowest number that failed the same way; `count`: none yet */
  struct outcome outcome;
};

static bool start(struct shrink *shrink, struct batch *batch, uint32_t place) {
  struct flight *flight = &shrink->flights[place];
  while (batch->next < batch->count && batch->next < batch->winner) {
    flight->number = batch->next++;
    candidate_copy(&flight->candidate, &shrink->best);
    if (!batch->make(shrink, batch->arg, flight->number, &flight->candidate)) continue;
    if (seen(shrink, candidate_hash(&flight->candidate), false)) continue;
    const struct job job = job_of(JOB_RUN, flight->table, &flight->candidate);
    flight->busy = candidate_table(&flight->candidate, flight->table) && pool_start(shrink->pool, place, &job);
    if (!flight->busy) {
      shrink->stopped = true;
      shrink->result->end = SHRINK_HARNESS;
    }
    return flight->busy;
  }
  return false;
}

/* A worker that died under a candidate says nothing of the failure that is looked for, unless that is how it fails. */
static void outcome_of(const struct pool_event *event, struct outcome *outcome) {
  if (event->news == POOL_REPLY) {
    *outcome = event->outcome;
    return;
  }
  memset(outcome, 0, sizeof *outcome);
  outcome->verdict = SUITE_HARNESS;
  (void)snprintf(outcome->property, sizeof outcome->property, "%s", event->news == POOL_HUNG ? "hang" : "crash");
}

static void answer(struct shrink *shrink, struct batch *batch) {
  struct flight *flight = &shrink->flights[shrink->event.worker];
  struct outcome outcome;
  outcome_of(&shrink->event, &outcome);
  flight->busy = false;
  shrink->result->runs++;
  if (!same_failure(&outcome, &shrink->result->first)) {
    (void)seen(shrink, candidate_hash(&flight->candidate), true);
  } else if (flight->number < batch->winner) {
    batch->winner = flight->number;
    batch->outcome = outcome;
  }
}

static void wait_for_news(struct shrink *shrink, struct batch *batch) {
  pool_wait(shrink->pool, SIM_SECOND, &shrink->event);
  if (shrink->event.news == POOL_SIGNAL) {
    shrink->stopped = true;
    shrink->result->end = SHRINK_INTERRUPTED;
  } else if (shrink->event.news != POOL_TIMEOUT) {
    answer(shrink, batch);
  }
}

/* Whether one that counts is still under way. */
static bool undecided(const struct shrink *shrink, const struct batch *batch) {
  for (uint32_t i = 0; i < shrink->jobs; i++)
    if (shrink->flights[i].busy && shrink->flights[i].number < batch->winner) return true;
  return false;
}

/* Those that no longer count are waited for as well: their places are needed next. */
static void drain(struct shrink *shrink, struct batch *batch) {
  while (!shrink->stopped && pool_busy_count(shrink->pool) > 0)
    wait_for_news(shrink, batch);
}

/* Runs candidates from number `from` on, in their order; the first that fails the same way becomes the best.
 * Gives its number, or `count`. */
size_t shrink_try(struct shrink *shrink, shrink_make_fn make, void *arg, size_t from, size_t count) {
  struct batch batch = {.make = make, .arg = arg, .count = count, .next = from, .winner = count};
  for (;;) {
    check_clock(shrink);
    if (shrink->stopped) return count;
    const uint32_t place = pool_idle(shrink->pool, POOL_NONE);
    if (place != POOL_NONE && start(shrink, &batch, place)) continue;
    if (shrink->stopped) return count;
    if (!undecided(shrink, &batch)) break;
    wait_for_news(shrink, &batch);
  }
  drain(shrink, &batch);
  if (shrink->stopped || batch.winner == count) return count;
  (void)make(shrink, arg, batch.winner, &shrink->best);
  shrink->result->last = batch.outcome;
  return batch.winner;
}

/* --- Recordings --------------------------------------------------------------------- */

static bool wait_for_record(struct shrink *shrink, struct outcome *outcome) {
  for (;;) {
    pool_wait(shrink->pool, SIM_SECOND, &shrink->event);
    if (shrink->event.news == POOL_TIMEOUT) continue;
    if (shrink->event.news == POOL_SIGNAL) {
      shrink->result->end = SHRINK_INTERRUPTED;
      return false;
    }
    outcome_of(&shrink->event, outcome);
    return true;
  }
}

/* Runs a job once with a recording, which it gives; NULL with the end that follows. */
static struct sim_choice_table *record(struct shrink *shrink, struct job *job, struct outcome *outcome) {
  const uint32_t place = pool_idle(shrink->pool, POOL_NONE);
  const enum shrink_end end = shrink->result->end;
  shrink->result->end = SHRINK_HARNESS;
  (void)snprintf(job->choices, sizeof job->choices, "%s", shrink->options->scratch);
  job->ordered = true;
  if (place == POOL_NONE || !pool_start(shrink->pool, place, job)) return NULL;
  if (!wait_for_record(shrink, outcome)) return NULL;
  shrink->result->runs++;
  struct sim_choice_table *recording = ordered_read(shrink->options->scratch);
  if (recording != NULL) shrink->result->end = end;
  return recording;
}

/* The flights and the best one are of these deviations from now on. */
static bool begin_anew(struct shrink *shrink, const struct candidate *as) {
  const struct candidate kept = *as; /* it may be the best one itself */
  bool ok = true;
  for (uint32_t i = 0; i <= shrink->jobs; i++) {
    struct candidate *candidate = i < shrink->jobs ? &shrink->flights[i].candidate : &shrink->best;
    candidate_free(candidate);
    ok = candidate_init(candidate, &shrink->deviations) && ok;
    candidate->duration_ns = kept.duration_ns;
    candidate->seed = kept.seed;
    candidate->drawn = false;
    memcpy(candidate->slow, kept.slow, sizeof kept.slow);
  }
  return ok;
}

/* What the best run never asks goes out of its table, and what it drew comes in: so the next pass has less to look at,
 * and all of it named. */
bool shrink_look_again(struct shrink *shrink) {
  struct outcome outcome;
  if (!candidate_table(&shrink->best, shrink->table)) return false;
  struct job job = job_of(JOB_RECORD, shrink->table, &shrink->best);
  struct sim_choice_table *recording = record(shrink, &job, &outcome);
  if (recording == NULL) return false;
  struct deviations found = {0};
  bool ok = deviations_find(&found, recording, shrink->best.drawn ? NULL : shrink->table);
  sim_choice_table_destroy(recording);
  if (!ok) return false;
  if (!same_failure(&outcome, &shrink->result->first)) {
    deviations_free(&found);
    shrink->result->end = SHRINK_NOT_REPEATED;
    return false;
  }
  deviations_free(&shrink->deviations);
  shrink->deviations = found;
  shrink->result->last = outcome;
  return begin_anew(shrink, &shrink->best);
}

/* --- All of it -------------------------------------------------------------------------- */

/* The run as it was given, and the same from its recording. false: there is nothing to make small. */
static bool first_run(struct shrink *shrink) {
  const struct shrink_options *options = shrink->options;
  struct shrink_result *result = shrink->result;
  struct job job = {.kind = JOB_RECORD, .seed = options->seed, .calm = options->choices != NULL};
  /* The table lives until the job is done, and is only read. */
  job.overrides = (struct sim_choice_table *)(uintptr_t)options->choices;
  struct sim_choice_table *recording = record(shrink, &job, &result->first);
  if (recording == NULL) return false;
  result->last = result->first;
  bool ok = deviations_find(&shrink->deviations, recording, NULL);
  sim_choice_table_destroy(recording);
  if (!ok) return false;
  result->end = result->first.verdict == SUITE_HELD             ? SHRINK_HELD
                : result->first.verdict == SUITE_SCENARIO_WRONG ? SHRINK_WRONG
                                                                : SHRINK_HARNESS;
  if (result->first.verdict != SUITE_VIOLATED) return false;
  if (!begin_anew(shrink, &(struct candidate){.seed = options->seed})) return false;
  result->events_before = candidate_events(&shrink->best);
  /* Also the test that it repeats itself. */
  if (!shrink_look_again(shrink)) return false;
  if (result->last.trace_hash != result->first.trace_hash) {
    result->end = SHRINK_NOT_REPEATED;
    return false;
  }
  shrink->best.duration_ns = result->first.simulated_ns + 1; /* until then faults could strike */
  result->end = SHRINK_DONE;
  return true;
}

static bool shrink_open(struct shrink *shrink) {
  const struct shrink_options *options = shrink->options;
  shrink->jobs = options->suite.jobs < WINDOW_MAX ? options->suite.jobs : WINDOW_MAX;
  if (shrink->jobs == 0) shrink->jobs = 1;
  shrink->start_ns = outcome_clock_ns();
  shrink->stop_ns = options->time_ns == 0 ? UINT64_MAX : shrink->start_ns + options->time_ns / 4 * 3;
  shrink->seen = calloc(SEEN_SLOTS, sizeof *shrink->seen);
  shrink->table = sim_choice_table_create();
  bool ok = shrink->seen != NULL && shrink->table != NULL;
  for (uint32_t i = 0; i < shrink->jobs; i++)
    ok = (shrink->flights[i].table = sim_choice_table_create()) != NULL && ok;
  if (!ok) return false;
  shrink->pool = pool_open(&options->file, 1, &options->suite, shrink->jobs,
                           options->suite.watchdog_ns == 0 ? WATCHDOG_NS : options->suite.watchdog_ns);
  return shrink->pool != NULL;
}

static void shrink_close(struct shrink *shrink) {
  pool_close(shrink->pool);
  candidate_free(&shrink->best);
  for (uint32_t i = 0; i < shrink->jobs; i++) {
    candidate_free(&shrink->flights[i].candidate);
    sim_choice_table_destroy(shrink->flights[i].table);
  }
  deviations_free(&shrink->deviations);
  free(shrink->seen);
  free(shrink);
}

/* Candidates that are still under way when there is no time for more: nobody waits for them. */
static void stop_flights(struct shrink *shrink) {
  pool_limit(shrink->pool, 0);
  while (pool_busy_count(shrink->pool) > 0)
    pool_wait(shrink->pool, SIM_SECOND, &shrink->event);
  pool_limit(shrink->pool, UINT64_MAX);
}

/* The smallest run as statements, and its recording. NULL: it could not be run once more. */
static struct sim_choice_table *gather(struct shrink *shrink, struct plain_scenario *plain) {
  struct outcome outcome;
  if (!candidate_table(&shrink->best, shrink->table)) return NULL;
  struct job job = job_of(JOB_TELL, shrink->table, &shrink->best);
  struct sim_choice_table *recording = record(shrink, &job, &outcome);
  if (recording == NULL || !plain_read(plain, shrink->event.text)) {
    sim_choice_table_destroy(recording);
    return NULL;
  }
  plain->duration_ns = shrink->best.duration_ns;
  plain_absent(plain, shrink->table);
  for (size_t i = 0; i < CANDIDATE_SLOW_KINDS; i++) {
    if (!shrink->best.slow[i]) continue;
    if (candidate_slow_kind(i) == SIM_CHOICE_DISK_FSYNC_DELAY)
      (void)plain_slowest(plain, "disk", "fsync", "2ms");
    else
      (void)plain_slowest(plain, "network", "delay", NULL);
  }
  return recording;
}

/* When telling it must be over. */
static uint64_t last_moment(const struct shrink *shrink, enum shrink_end end) {
  if (end == SHRINK_INTERRUPTED) return outcome_clock_ns() + PATIENCE_NS;
  return shrink->options->time_ns == 0 ? UINT64_MAX : shrink->start_ns + shrink->options->time_ns;
}

static void retell(struct shrink *shrink) {
  struct plain_scenario plain;
  struct retelling *told = &shrink->result->told;
  told->end = RETELLING_HARNESS;
  const enum shrink_end end = shrink->result->end;
  stop_flights(shrink);
  struct sim_choice_table *recording = gather(shrink, &plain);
  shrink->result->end = end; /* the run is small, whatever becomes of telling it */
  if (recording == NULL) return;
  const struct retelling_options options = {.suite = &shrink->options->suite,
                                            .failure = &shrink->result->first,
                                            .seed = shrink->best.seed,
                                            .fates = shrink->table,
                                            .recording = recording,
                                            .scratch = shrink->options->scratch,
                                            .stop_ns = last_moment(shrink, end)};
  retelling_run(&options, &plain, told);
  sim_choice_table_destroy(recording);
}

static void finish(struct shrink *shrink) {
  struct shrink_result *result = shrink->result;
  result->seed = shrink->best.seed;
  result->duration_ns = shrink->best.duration_ns;
  result->events = candidate_events(&shrink->best);
  if (candidate_table(&shrink->best, shrink->table)) {
    result->choices = shrink->table;
    shrink->table = NULL;
  }
}

bool shrink_run(const struct shrink_options *options, struct shrink_result *result) {
  struct shrink *shrink = calloc(1, sizeof *shrink);
  memset(result, 0, sizeof *result);
  result->end = SHRINK_HARNESS;
  if (shrink == NULL) return false;
  shrink->options = options;
  shrink->result = result;
  if (shrink_open(shrink) && first_run(shrink)) {
    while (shrink_round(shrink)) {
    }
    retell(shrink);
    finish(shrink);
  }
  result->real_ns = outcome_clock_ns() - shrink->start_ns;
  sim_choice_table_destroy(shrink->table);
  shrink_close(shrink);
  return true;
}

void shrink_free(struct shrink_result *result) {
  sim_choice_table_destroy(result->choices);
  result->choices = NULL;
  retelling_free(&result->told);
}
