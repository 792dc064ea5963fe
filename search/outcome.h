/* The outcome of one world, whatever happened in it: scenario_run() with
 * failed assertions caught and told as an outcome.
 */
#ifndef SEARCH_OUTCOME_H
#define SEARCH_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "lua/scenario.h"
#include "search/result.h"

#define OUTCOME_ASSERTION "assertion" /* the property that a failed assertion violates */
#define OUTCOME_ARENA "arena"         /* the memory of the world was full */

struct outcome {
  enum suite_verdict verdict; /* held, violated, scenario wrong or harness */
  bool fatal;                 /* an assertion failed: the process has seen better days */
  char property[64];
  char detail[1024];
  char waits[400]; /* where the tasks of the script wait; may be empty */
  uint64_t time_ns, event;
  uint32_t node;
  uint64_t subject[3];
  uint64_t trace_hash;
  uint64_t events, simulated_ns, peak_bytes, real_ns;
  struct sim_fault_count faults[SIM_FAULT_COUNT];
  uint32_t sometimes_count;
  bool sometimes[SCENARIO_SOMETIMES_MAX];
  uint8_t reached[SCENARIO_SOMETIMES_MAX];
  bool silenced[SCENARIO_WITHOUT_MAX];
};

/* Runs one world in this process. Returns after a failed assertion too; then
 * use the arena only after another world begins in it. `before` is called
 * first, under the same guard, and may change *options; it may be NULL. */
void outcome_run(struct sim *sim, const struct scenario_file *file, const struct scenario_options *options,
                 void (*before)(void *arg, struct sim *sim), void *before_arg, struct outcome *outcome);
/* scenario_describe() with the same guard. 0, or with *error -1, or -2 when the arena was too small. */
int outcome_describe(struct sim *sim, const struct scenario_file *file, struct scenario_info *info,
                     struct scenario_error *error);

/* True when two runs of one seed agree in everything that a seed decides. */
bool outcome_equal(const struct outcome *a, const struct outcome *b);

/* In what they do not, in words: "two runs of this seed differ in ...". */
void outcome_tell_difference(const struct outcome *a, const struct outcome *b, char *text, size_t size);

/* The history behind an outcome, from a recording of that run: of its subject,
 * or the last steps of the world when it has none. Cut to `size`. */
void outcome_history(const struct outcome *outcome, const struct sim_trace_log *log, uint32_t nodes, char *text,
                     size_t size);

/* Real monotonic time. */
uint64_t outcome_clock_ns(void);

#endif
