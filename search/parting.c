#include "search/parting.h"

#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

#define RECORDINGS_MAX 4

struct parting_window parting_find(const struct sim_trace_marks *a, const struct sim_trace_marks *b) {
  const struct sim_trace_marks *const sides[] = {a, b};
  const size_t agree = sim_trace_marks_agree(a, b);
  const struct sim_trace_mark *before = agree < 2 ? NULL : sim_trace_marks_at(a, agree - 2);
  struct parting_window window = {before == NULL ? 0 : before->events + 1, UINT64_MAX,
                                  agree == 0 ? NULL : sim_trace_marks_at(a, agree - 1)};
  for (int i = 0; i < 2; i++) {
    const struct sim_trace_mark *after = sim_trace_marks_at(sides[i], agree);
    if (after != NULL && (window.last == UINT64_MAX || after->events > window.last)) window.last = after->events;
  }
  return window;
}

struct pair {
  struct sim_trace_log *logs[2];
  struct sim_trace_marks *marks[2];
};

static bool pair_create(struct pair *pair) {
  bool good = true;
  for (int i = 0; i < 2; i++) {
    pair->logs[i] = sim_trace_log_create();
    pair->marks[i] = sim_trace_marks_create(0);
    good = good && pair->logs[i] != NULL && pair->marks[i] != NULL;
  }
  return good;
}

static void pair_destroy(struct pair *pair) {
  for (int i = 0; i < 2; i++) {
    sim_trace_log_destroy(pair->logs[i]);
    sim_trace_marks_destroy(pair->marks[i]);
  }
}

enum parted { PARTED_NOT, PARTED, PARTED_UNKNOWN };

/* Runs both, recording the window (NULL: nothing). */
static enum parted run_pair(const struct pair *pair, const struct parting_window *window, parting_run_fn run,
                            void *arg) {
  uint64_t hashes[2] = {0, 0};
  for (int i = 0; i < 2; i++) {
    struct sim_trace_log *log = window == NULL ? NULL : pair->logs[i];
    if (log != NULL) {
      sim_trace_log_clear(log);
      sim_trace_log_window(log, window->first, window->last);
    }
    if (!run(arg, log, pair->marks[i], &hashes[i])) return PARTED_UNKNOWN;
  }
  return hashes[0] == hashes[1] ? PARTED_NOT : PARTED;
}

static size_t tell_marks(const struct parting_window *window, char *text, size_t size) {
  const struct sim_trace_mark *agrees = window->agrees;
  if (agrees == NULL) {
    (void)snprintf(text, size, "the runs part before their first mark\n");
  } else {
    (void)snprintf(text, size, "the runs agree in the first %llu events, to %llu.%06llu s, and part soon after\n",
                   (unsigned long long)agrees->events, (unsigned long long)(agrees->time_ns / SIM_SECOND),
                   (unsigned long long)(agrees->time_ns % SIM_SECOND / SIM_US));
  }
  return strlen(text);
}

/* Records until two runs part inside what was recorded of them. */
static void tell_step(const struct pair *pair, parting_run_fn run, void *arg, char *text, size_t size) {
  struct parting_window window = parting_find(pair->marks[0], pair->marks[1]);
  size_t length = 0, index = 0;
  for (int i = 0; i < RECORDINGS_MAX; i++) {
    length = tell_marks(&window, text, size);
    const enum parted parted = run_pair(pair, &window, run, arg);
    if (parted == PARTED_UNKNOWN) break;
    if (parted == PARTED_NOT) continue;
    const struct parting_window now = parting_find(pair->marks[0], pair->marks[1]);
    if (now.first >= window.first && now.first < window.last) {
      length = tell_marks(&now, text, size);
      if (sim_trace_diff(pair->logs[0], pair->logs[1], &index, text + length, size - length)) return;
    }
    window = now;
  }
  (void)snprintf(text + length, size - length, "recorded, they did not part there again: no step can be named\n");
}

void parting_tell(parting_run_fn run, void *arg, char *text, size_t size) {
  struct pair pair;
  if (!pair_create(&pair)) {
    (void)snprintf(text, size, "no memory for two recordings\n");
  } else {
    switch (run_pair(&pair, NULL, run, arg)) {
    case PARTED:
      tell_step(&pair, run, arg, text, size);
      break;
    case PARTED_NOT:
      (void)snprintf(text, size,
                     "two more runs in one process, at two places, agree: the difference comes from the process\n");
      break;
    case PARTED_UNKNOWN:
      (void)snprintf(text, size, "a run that was to be compared ended in a failed assertion\n");
      break;
    }
  }
  pair_destroy(&pair);
}
