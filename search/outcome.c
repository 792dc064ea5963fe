#include "search/outcome.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cluster/history.h"
#include "search/room.h"

#define LAST_STEPS 24u

struct guard {
  jmp_buf jump;
  struct sim *sim;
  struct outcome *outcome;
  void (*before)(void *arg, struct sim *sim);
  void *before_arg;
};

uint64_t outcome_clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * SIM_SECOND + (uint64_t)now.tv_nsec;
}

/* All that the world owns is in the arena, so leaving it by a jump loses
 * nothing but the world. */
#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void
on_fatal(void *arg, bool in_node, const char *file, int line, const char *what, uint64_t seed, uint64_t time_ns,
         uint64_t event, uint32_t node) {
  struct guard *guard = arg;
  struct outcome *outcome = guard->outcome;
  outcome->fatal = true;
  outcome->verdict = in_node ? SUITE_VIOLATED : SUITE_HARNESS;
  (void)snprintf(outcome->property, sizeof outcome->property, "%s", OUTCOME_ASSERTION);
  (void)snprintf(outcome->detail, sizeof outcome->detail, "%s:%d: assertion failed %s: %s (seed %llu, event %llu)",
                 file, line, in_node ? "in a node" : "in the simulator", what, (unsigned long long)seed,
                 (unsigned long long)event);
  outcome->time_ns = time_ns;
  outcome->event = event;
  outcome->node = node;
  const struct sim_world *world = sim_world(guard->sim);
  outcome->trace_hash = world == NULL ? 0 : sim_trace_hash(world);
  longjmp(guard->jump, 1);
}

#if defined(__GNUC__)
__attribute__((noreturn))
#endif
static void
on_full(void *arg, const struct sim_full *full) {
  struct guard *guard = arg;
  struct outcome *outcome = guard->outcome;
  char size[32], used[32], wanted[32];
  outcome->fatal = true;
  outcome->verdict = SUITE_HARNESS;
  (void)snprintf(outcome->property, sizeof outcome->property, OUTCOME_ARENA);
  (void)snprintf(outcome->detail, sizeof outcome->detail,
                 "the arena, in which the whole world lives, is full: it has %s, of which %s were taken when %s more "
                 "were asked for (event %llu). Give it more with --arena, such as --arena %s, or let the world hold "
                 "less: smaller or fewer values, keys and nodes, a shorter duration",
                 room_text(full->arena_bytes, size, sizeof size), room_text(full->used_bytes, used, sizeof used),
                 room_text(full->wanted_bytes, wanted, sizeof wanted), (unsigned long long)full->event,
                 room_double(full->arena_bytes));
  outcome->time_ns = full->time_ns;
  outcome->event = full->event;
  outcome->node = full->node;
  const struct sim_world *world = sim_world(guard->sim);
  outcome->trace_hash = world == NULL ? 0 : sim_trace_hash(world);
  longjmp(guard->jump, 1);
}

static bool guarded_run(struct guard *guard, const struct scenario_file *file, const struct scenario_options *options,
                        struct scenario_result *result) {
  if (setjmp(guard->jump) != 0) return false;
  if (guard->before != NULL) guard->before(guard->before_arg, guard->sim);
  scenario_run(guard->sim, file, options, result);
  return true;
}

static void take_verdict(struct outcome *outcome, const struct scenario_result *result) {
  outcome->time_ns = result->simulated_ns;
  switch (result->verdict) {
  case SCENARIO_HELD:
    outcome->verdict = SUITE_HELD;
    return;
  case SCENARIO_VIOLATED:
    outcome->verdict = SUITE_VIOLATED;
    (void)snprintf(outcome->property, sizeof outcome->property, "%s", result->violation.property);
    (void)snprintf(outcome->detail, sizeof outcome->detail, "%s", result->violation.detail);
    memcpy(outcome->waits, result->waits, sizeof outcome->waits);
    outcome->time_ns = result->violation.time_ns;
    outcome->event = result->violation.event;
    outcome->node = result->violation.node;
    memcpy(outcome->subject, result->violation.subject, sizeof outcome->subject);
    return;
  case SCENARIO_WRONG:
    outcome->verdict = SUITE_SCENARIO_WRONG;
    (void)snprintf(outcome->property, sizeof outcome->property, "scenario");
    (void)snprintf(outcome->detail, sizeof outcome->detail, "%s", result->error.text);
    return;
  case SCENARIO_HARNESS:
    break;
  }
  outcome->verdict = SUITE_HARNESS;
  (void)snprintf(outcome->property, sizeof outcome->property, "harness");
  (void)snprintf(outcome->detail, sizeof outcome->detail, "%s",
                 result->error.text[0] != '\0' ? result->error.text : "the arena of the world is used up");
}

static void take_numbers(struct outcome *outcome, const struct scenario_result *result) {
  outcome->trace_hash = result->trace_hash;
  outcome->events = result->events;
  outcome->simulated_ns = result->simulated_ns;
  outcome->peak_bytes = result->peak_bytes;
  memcpy(outcome->faults, result->faults, sizeof outcome->faults);
  outcome->sometimes_count = result->sometimes_count;
  memcpy(outcome->sometimes, result->sometimes, sizeof outcome->sometimes);
  memcpy(outcome->reached, result->reached, sizeof outcome->reached);
  memcpy(outcome->silenced, result->silenced, sizeof outcome->silenced);
}

void outcome_run(struct sim *sim, const struct scenario_file *file, const struct scenario_options *options,
                 void (*before)(void *arg, struct sim *sim), void *before_arg, struct outcome *outcome) {
  struct guard guard = {.sim = sim, .outcome = outcome, .before = before, .before_arg = before_arg};
  struct scenario_result result = {0};
  const uint64_t start = outcome_clock_ns();
  memset(outcome, 0, sizeof *outcome);
  sim_on_fatal(sim, on_fatal, &guard);
  sim_on_full(sim, on_full, &guard);
  if (guarded_run(&guard, file, options, &result)) {
    take_numbers(outcome, &result);
    take_verdict(outcome, &result);
  } else {
    outcome->simulated_ns = outcome->time_ns;
    outcome->events = outcome->event;
  }
  sim_on_fatal(sim, NULL, NULL);
  sim_on_full(sim, NULL, NULL);
  outcome->real_ns = outcome_clock_ns() - start;
}

static int guarded_describe(struct guard *guard, const struct scenario_file *file, struct scenario_info *info,
                            struct scenario_error *error) {
  if (setjmp(guard->jump) != 0) return 1;
  return scenario_describe(guard->sim, file, info, error);
}

int outcome_describe(struct sim *sim, const struct scenario_file *file, struct scenario_info *info,
                     struct scenario_error *error) {
  struct outcome outcome = {0};
  struct guard guard = {.sim = sim, .outcome = &outcome};
  sim_on_fatal(sim, on_fatal, &guard);
  sim_on_full(sim, on_full, &guard);
  int status = guarded_describe(&guard, file, info, error);
  sim_on_fatal(sim, NULL, NULL);
  sim_on_full(sim, NULL, NULL);
  if (status > 0) {
    (void)snprintf(error->text, sizeof error->text, "%.900s", outcome.detail);
    status = strcmp(outcome.property, OUTCOME_ARENA) == 0 ? -2 : -1;
  }
  return status;
}

/* What a seed decides: the verdict, how the run went, and what is told of it. */
enum difference {
  DIFFERS_VERDICT,
  DIFFERS_PROPERTY,
  DIFFERS_WORDS,
  DIFFERS_TRACE,
  DIFFERS_EVENTS,
  DIFFERS_TIME,
  DIFFERS_PLACE,
  DIFFERS_FAULTS,
  DIFFERS_SOMETIMES,
  DIFFERENCES,
};

static void differences(const struct outcome *a, const struct outcome *b, bool found[DIFFERENCES]) {
  found[DIFFERS_VERDICT] = a->verdict != b->verdict;
  found[DIFFERS_PROPERTY] = strcmp(a->property, b->property) != 0;
  found[DIFFERS_WORDS] = strcmp(a->detail, b->detail) != 0;
  found[DIFFERS_TRACE] = a->trace_hash != b->trace_hash;
  found[DIFFERS_EVENTS] = a->events != b->events || a->event != b->event;
  found[DIFFERS_TIME] = a->simulated_ns != b->simulated_ns || a->time_ns != b->time_ns;
  found[DIFFERS_PLACE] = a->node != b->node || memcmp(a->subject, b->subject, sizeof a->subject) != 0;
  found[DIFFERS_FAULTS] = memcmp(a->faults, b->faults, sizeof a->faults) != 0;
  found[DIFFERS_SOMETIMES] = a->sometimes_count != b->sometimes_count ||
                             memcmp(a->sometimes, b->sometimes, a->sometimes_count * sizeof a->sometimes[0]) != 0 ||
                             memcmp(a->reached, b->reached, sizeof a->reached) != 0 ||
                             memcmp(a->silenced, b->silenced, sizeof a->silenced) != 0;
}

bool outcome_equal(const struct outcome *a, const struct outcome *b) {
  bool found[DIFFERENCES];
  differences(a, b, found);
  for (int i = 0; i < DIFFERENCES; i++) {
    if (found[i]) return false;
  }
  return true;
}

void outcome_tell_difference(const struct outcome *a, const struct outcome *b, char *text, size_t size) {
  static const char *const names[DIFFERENCES] = {
      "verdict", "property", "words", "trace", "events", "time", "place", "faults", "what sometimes happens"};
  bool found[DIFFERENCES];
  differences(a, b, found);
  size_t used = (size_t)snprintf(text, size, "two runs of this seed differ in ");
  const char *between = "";
  for (int i = 0; i < DIFFERENCES && used < size; i++) {
    if (!found[i]) continue;
    used += (size_t)snprintf(text + used, size - used, "%s%s", between, names[i]);
    between = ", ";
  }
  if (used >= size) return;
  used += (size_t)snprintf(text + used, size - used, ": %s and %s, trace 0x%016llx and 0x%016llx, %llu and %llu events",
                           suite_verdict_name(a->verdict), suite_verdict_name(b->verdict),
                           (unsigned long long)a->trace_hash, (unsigned long long)b->trace_hash,
                           (unsigned long long)a->events, (unsigned long long)b->events);
  if (used >= size || (!found[DIFFERS_WORDS] && !found[DIFFERS_PROPERTY])) return;
  (void)snprintf(text + used, size - used, "; '%.60s: %.280s' and '%.60s: %.280s'", a->property, a->detail, b->property,
                 b->detail);
}

void outcome_history(const struct outcome *outcome, const struct sim_trace_log *log, uint32_t nodes, char *text,
                     size_t size) {
  size_t used = 0;
  if (size == 0) return;
  text[0] = '\0';
  if ((outcome->subject[0] | outcome->subject[1] | outcome->subject[2]) != 0) {
    used = cluster_history(log, outcome->subject, nodes, text, size);
    text[used < size ? used : size - 1] = '\0';
    if (used > 0) return;
  }
  int length = snprintf(text, size, "the last steps of the world:\n");
  if (length < 0 || (size_t)length >= size) return;
  (void)sim_trace_log_tail(log, LAST_STEPS, text + length, size - (size_t)length);
}
