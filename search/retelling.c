#include "search/retelling.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "search/deviation.h"
#include "search/ordered.h"
#include "search/pool.h"
#include "search/same_failure.h"
#include "search/simpler.h"

#define WATCHDOG_NS (UINT64_C(120) * SIM_SECOND)
#define WINDOW 8u /* candidates that are written at once */

struct retell {
  const struct retelling_options *options;
  struct retelling *result;
  struct plain_scenario *plain; /* the best so far */
  bool stopped;
};

/* --- Runs -------------------------------------------------------------------------------- */

struct trial {
  struct plain_scenario plain;
  struct scenario_file *file;
  uint64_t seed;
  bool ran, fails;
  struct outcome outcome;
};

static struct scenario_file *file_of(const struct retell *retell, const struct plain_scenario *plain) {
  const struct plain_frame frame = {.name = "shrunk", .fates = retell->result->choices};
  char *text = plain_write(plain, &frame);
  if (text == NULL) return NULL;
  struct scenario_file *file = scenario_file_from("shrunk.lua", text, strlen(text));
  free(text);
  return file;
}

static void take_news(struct retell *retell, struct trial *trials, const struct pool_event *event) {
  if (event->news == POOL_SIGNAL) retell->stopped = true;
  if (event->news == POOL_SIGNAL || event->news == POOL_TIMEOUT) return;
  struct trial *trial = &trials[event->job.scenario];
  retell->result->runs++;
  trial->ran = true;
  if (event->news != POOL_REPLY) return;
  trial->outcome = event->outcome;
  trial->fails = same_failure(&event->outcome, retell->options->failure);
}

static void run_trials(struct retell *retell, struct trial *trials, size_t count, bool all) {
  struct scenario_file *files[WINDOW + RETELLING_SEEDS];
  struct pool_event *event = malloc(sizeof *event);
  uint32_t jobs = retell->options->suite->jobs == 0 ? 1 : retell->options->suite->jobs;
  if (jobs > count) jobs = (uint32_t)count;
  for (size_t i = 0; i < count; i++)
    files[i] = trials[i].file;
  struct pool *pool = event == NULL ? NULL : pool_open(files, count, retell->options->suite, jobs, WATCHDOG_NS);
  size_t next = 0;
  bool won = false;
  retell->stopped = retell->stopped || pool == NULL;
  while (!retell->stopped && ((next < count && (all || !won)) || pool_busy_count(pool) > 0)) {
    const uint32_t place = pool_idle(pool, POOL_NONE);
    if (place != POOL_NONE && next < count && (all || !won)) {
      const struct job job = {.kind = JOB_RUN, .seed = trials[next].seed, .scenario = (uint32_t)next};
      next++;
      if (!pool_start(pool, place, &job)) retell->stopped = true;
      continue;
    }
    pool_wait(pool, SIM_SECOND, event);
    take_news(retell, trials, event);
    for (size_t i = 0; i < next; i++)
      won = won || trials[i].fails;
  }
  pool_close(pool);
  free(event);
}

/* --- Candidates ---------------------------------------------------------------------------- */

/* Candidates `from` to `count` - 1 in their order; the first that fails as it must becomes the best. Gives its number,
 * or `count`. */
static size_t try_changes(struct retell *retell, simpler_fn change, const void *arg, size_t from, size_t count) {
  size_t winner = count;
  while (from < count && winner == count && !retell->stopped) {
    struct trial trials[WINDOW];
    size_t numbers[WINDOW], made = 0;
    memset(trials, 0, sizeof trials);
    for (; from < count && made < WINDOW; from++) {
      struct trial *trial = &trials[made];
      if (!plain_copy(&trial->plain, retell->plain)) break;
      if (change(&trial->plain, from, arg) && (trial->file = file_of(retell, &trial->plain)) != NULL) {
        trial->seed = retell->options->seed;
        numbers[made++] = from;
      } else {
        plain_free(&trial->plain);
      }
    }
    if (outcome_clock_ns() >= retell->options->stop_ns) retell->stopped = true;
    if (made > 0 && !retell->stopped) run_trials(retell, trials, made, false);
    for (size_t i = 0; i < made; i++) {
      if (trials[i].fails && winner == count) {
        winner = numbers[i];
        plain_free(retell->plain);
        *retell->plain = trials[i].plain;
        trials[i].plain = (struct plain_scenario){0};
        retell->result->outcome = trials[i].outcome;
      }
      plain_free(&trials[i].plain);
      if (trials[i].file != NULL) scenario_file_free(trials[i].file);
    }
    if (made == 0) break;
  }
  return winner;
}

/* --- Passes --------------------------------------------------------------------------------- */

#define PAIRS_MAX 24u /* statements of which all pairs are tried */

static bool drop_statements(struct retell *retell) {
  const size_t before = retell->plain->statement_count;
  for (size_t size = before / 2; size > 1 && !retell->stopped; size /= 2)
    for (size_t next = 0; next * size < retell->plain->statement_count && !retell->stopped;) {
      const size_t parts = (retell->plain->statement_count + size - 1) / size;
      const size_t hit = try_changes(retell, simpler_drop_part, &size, next, parts);
      next = hit; /* what stood behind it has moved there */
    }
  for (size_t next = 0; next < retell->plain->statement_count && !retell->stopped;)
    next = try_changes(retell, simpler_drop_one, NULL, next, retell->plain->statement_count);
  for (;;) {
    const struct simpler_pairs pairs = {retell->plain->statement_count};
    const size_t all = pairs.count * pairs.count;
    if (retell->stopped || pairs.count < 3 || pairs.count > PAIRS_MAX) break;
    if (try_changes(retell, simpler_drop_pair, &pairs, 0, all) == all) break;
  }
  return retell->plain->statement_count < before;
}

static void coarse_times(struct retell *retell) {
  for (size_t i = 0; i < retell->plain->statement_count && !retell->stopped; i++)
    (void)try_changes(retell, simpler_coarse_gap, &i, 0, simpler_coarse_gaps);
  (void)try_changes(retell, simpler_coarse_end, NULL, 0, simpler_coarse_ends);
}

static void simple_statements(struct retell *retell) {
  for (size_t i = 0; i < retell->plain->statement_count && !retell->stopped; i++)
    for (size_t next = 0; next < simpler_statements && !retell->stopped;)
      next = try_changes(retell, simpler_statement, &i, next, simpler_statements) + 1;
}

/* --- All of it --------------------------------------------------------------------------------------- */

static void make_small(struct retell *retell) {
  (void)try_changes(retell, simpler_close_ranks, NULL, 0, SIMPLER_NODES_MAX);
  while (drop_statements(retell) && !retell->stopped) {
  }
  while (!retell->stopped && try_changes(retell, simpler_greater_puts, NULL, 0, simpler_greater) < simpler_greater)
    (void)drop_statements(retell);
  for (size_t next = 0; next < retell->plain->option_count && !retell->stopped;)
    next = try_changes(retell, simpler_drop_option, NULL, next, retell->plain->option_count);
  for (size_t next = 0; next < SIMPLER_KEYS_MAX && !retell->stopped;)
    next = try_changes(retell, simpler_drop_key, NULL, next, SIMPLER_KEYS_MAX);
  (void)try_changes(retell, simpler_close_ranks, NULL, 0, SIMPLER_NODES_MAX);
  (void)try_changes(retell, simpler_fewer_nodes, NULL, 0, SIMPLER_NODES_MAX);
  simple_statements(retell);
  coarse_times(retell);
  (void)drop_statements(retell);
}

/* Under how many seeds it fails in the same way. */
static unsigned count_seeds(struct retell *retell) {
  struct trial trials[RETELLING_SEEDS];
  unsigned fails = 0;
  memset(trials, 0, sizeof trials);
  for (size_t i = 0; i < RETELLING_SEEDS; i++) {
    trials[i].seed = i + 1;
    trials[i].file = file_of(retell, retell->plain);
    if (trials[i].file == NULL) retell->stopped = true;
  }
  if (!retell->stopped) run_trials(retell, trials, RETELLING_SEEDS, true);
  for (size_t i = 0; i < RETELLING_SEEDS; i++) {
    fails += trials[i].fails;
    if (trials[i].file != NULL) scenario_file_free(trials[i].file);
  }
  return fails;
}

/* --- Fates -------------------------------------------------------------------------------------------- */

/* The best plain with a recording; NULL when it cannot be run. */
static struct sim_choice_table *record_best(struct retell *retell) {
  struct scenario_file *file = file_of(retell, retell->plain);
  struct pool_event *event = malloc(sizeof *event);
  struct pool *pool =
      file == NULL || event == NULL ? NULL : pool_open(&file, 1, retell->options->suite, 1, WATCHDOG_NS);
  struct job job = {.kind = JOB_RECORD, .seed = retell->options->seed, .ordered = true};
  (void)snprintf(job.choices, sizeof job.choices, "%s", retell->options->scratch);
  retell->stopped = retell->stopped || pool == NULL || !pool_start(pool, 0, &job);
  while (!retell->stopped && pool_busy_count(pool) > 0) {
    pool_wait(pool, SIM_SECOND, event);
    retell->stopped = event->news == POOL_SIGNAL;
  }
  retell->result->runs++;
  pool_close(pool);
  free(event);
  if (file != NULL) scenario_file_free(file);
  return retell->stopped ? NULL : ordered_read(retell->options->scratch);
}

static bool same_place(struct sim_tag a, struct sim_tag b) {
  return a.kind == b.kind && a.where == b.where;
}

/* The how manyth of its kind and place a tag is in a recording. */
static size_t ordinal_of(const struct sim_choice_table *recording, struct sim_tag tag) {
  size_t ordinal = 0;
  for (size_t i = 0; i < sim_choice_table_count(recording); i++) {
    uint64_t outcome;
    const struct sim_tag other = sim_choice_table_at(recording, i, &outcome);
    if (!same_place(other, tag)) continue;
    if (other.identity == tag.identity) break;
    ordinal++;
  }
  return ordinal;
}

static bool nth_of(const struct sim_choice_table *recording, size_t ordinal, struct sim_tag *tag) {
  for (size_t i = 0; i < sim_choice_table_count(recording); i++) {
    uint64_t outcome;
    const struct sim_tag other = sim_choice_table_at(recording, i, &outcome);
    if (!same_place(other, *tag) || ordinal-- > 0) continue;
    *tag = other;
    return true;
  }
  return false;
}

/* A message is named by what it is about, and a script's submit has another name than one of the workload: the fate of
 * the third message on a link becomes that of the third message on that link. */
static bool take_fate(struct retell *retell, struct sim_tag tag, uint64_t outcome) {
  struct sim_choice_table *now = record_best(retell);
  if (now == NULL) return false;
  const bool found = nth_of(now, ordinal_of(retell->options->recording, tag), &tag);
  sim_choice_table_destroy(now);
  if (!found || !sim_choice_table_set(retell->result->choices, tag, outcome)) return false;
  retell->result->fates++;
  return true;
}

/* The same with the fates that are left, by their names, in the order in which they befell. */
static bool with_fates(struct retell *retell) {
  const struct sim_choice_table *all = retell->options->recording;
  for (size_t i = 0; i < sim_choice_table_count(all); i++) {
    uint64_t outcome = 0, wanted = 0;
    const struct sim_tag tag = sim_choice_table_at(all, i, &outcome);
    if (!deviation_is_fate(tag.kind) || !sim_choice_table_get(retell->options->fates, tag, &wanted)) continue;
    if (!take_fate(retell, tag, wanted)) return false;
  }
  return retell->result->fates > 0 &&
         try_changes(retell, simpler_first_telling, NULL, 0, simpler_slacks) < simpler_slacks;
}

static void retell_all(struct retell *retell) {
  struct retelling *result = retell->result;
  result->end = RETELLING_OTHERWISE;
  if (try_changes(retell, simpler_first_telling, NULL, 0, simpler_first_tellings) == simpler_first_tellings &&
      !with_fates(retell)) {
    if (retell->stopped) result->end = RETELLING_STOPPED;
    return;
  }
  make_small(retell);
  result->end = retell->stopped ? RETELLING_STOPPED : RETELLING_DONE;
  retell->stopped = false;
  result->seeds = count_seeds(retell);
}

void retelling_run(const struct retelling_options *options, struct plain_scenario *plain, struct retelling *result) {
  memset(result, 0, sizeof *result);
  result->plain = *plain;
  *plain = (struct plain_scenario){0};
  struct retell retell = {.options = options, .result = result, .plain = &result->plain};
  result->choices = sim_choice_table_create();
  if (result->choices == NULL)
    result->end = RETELLING_HARNESS;
  else if (!result->plain.whole)
    result->end = RETELLING_NO_WORDS;
  else
    retell_all(&retell);
}

void retelling_free(struct retelling *result) {
  plain_free(&result->plain);
  sim_choice_table_destroy(result->choices);
  result->choices = NULL;
}
