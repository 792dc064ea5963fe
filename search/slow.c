/* Worlds that take long: which they are, and why. */
#include <string.h>

#include "search/slow.h"

#define SLOW_NS (UINT64_C(10) * SIM_SECOND)
#define SHOWN_NS (UINT64_C(2) * SIM_SECOND) /* from here on a world that is under way is shown */

/* The entry of a scenario, or a new one, at the cost of the quickest. NULL: all are slower. */
static struct suite_slow *entry_of(struct suite_result *result, uint32_t scenario, uint64_t real_ns) {
  for (size_t i = 0; i < result->slow_count; i++) {
    if (result->slow[i].scenario == scenario) return &result->slow[i];
  }
  struct suite_slow *entry = &result->slow[SUITE_SLOW_MAX - 1];
  if (result->slow_count < SUITE_SLOW_MAX) {
    entry = &result->slow[result->slow_count++];
  } else if (entry->real_ns >= real_ns) {
    return NULL;
  }
  memset(entry, 0, sizeof *entry);
  entry->scenario = scenario;
  return entry;
}

static void sort(struct suite_result *result) {
  for (size_t i = 1; i < result->slow_count; i++) {
    const struct suite_slow moved = result->slow[i];
    size_t at = i;
    for (; at > 0 && result->slow[at - 1].real_ns < moved.real_ns; at--) {
      result->slow[at] = result->slow[at - 1];
    }
    result->slow[at] = moved;
  }
}

void suite_note_slow(struct suite *suite, uint32_t place, size_t row, uint64_t real_ns, bool stopped) {
  const struct suite_run *run = &suite->result->runs[row];
  const uint64_t slow_ns = suite->options->slow_ns == 0 ? SLOW_NS : suite->options->slow_ns;
  if (real_ns < slow_ns && !stopped) return;
  struct suite_slow *entry = entry_of(suite->result, run->scenario, real_ns);
  if (entry == NULL) return;
  const bool first = entry->real_ns == 0;
  if (!first) entry->others++;
  if (!first && (entry->stopped > stopped || (entry->stopped == stopped && entry->real_ns >= real_ns))) return;
  entry->seed = run->seed;
  entry->stopped = stopped;
  entry->real_ns = real_ns;
  pool_tell(suite->pool, place, entry->told, sizeof entry->told);
  sort(suite->result);
}

void suite_note_unfinished(struct suite *suite) {
  const uint64_t slow_ns = suite->options->slow_ns == 0 ? SLOW_NS : suite->options->slow_ns;
  for (uint32_t place = 0; place < suite->result->jobs; place++) {
    const uint64_t busy_ns = pool_busy_ns(suite->pool, place);
    if (busy_ns >= slow_ns) suite_note_slow(suite, place, suite->row_of[place], busy_ns, true);
  }
}

void suite_show(struct suite *suite) {
  struct suite_progress *progress = &suite->progress;
  uint32_t longest = 0;
  if (suite->options->progress == NULL) return;
  progress->real_ns = outcome_clock_ns() - suite->start_ns;
  progress->running_name = NULL;
  progress->running_ns = 0;
  for (uint32_t place = 0; place < suite->result->jobs; place++) {
    const uint64_t busy_ns = pool_busy_ns(suite->pool, place);
    if (busy_ns <= progress->running_ns) continue;
    progress->running_ns = busy_ns;
    longest = place;
  }
  if (progress->running_ns >= SHOWN_NS && !progress->explaining) {
    const struct suite_run *run = &suite->result->runs[suite->row_of[longest]];
    progress->running_name = suite->result->scenarios[run->scenario].info.name;
    progress->running_seed = run->seed;
    pool_tell(suite->pool, longest, progress->running_told, sizeof progress->running_told);
  }
  suite->options->progress(suite->options->progress_arg, progress);
}
