/* What is made small, and what it becomes. */
#ifndef SEARCH_SHRINK_OPTIONS_H
#define SEARCH_SHRINK_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/outcome.h"
#include "search/retelling.h"
#include "search/suite_options.h"

#define SHRINK_STEPS_MAX 256u

/* What one pass took away. */
struct shrink_step {
  const char *what;     /* a plain name */
  size_t before, after; /* events: submits, acts, faults, fates */
  uint64_t runs;
  uint64_t duration_ns; /* of the run after it: when faults stop */
};

struct shrink_options {
  struct scenario_file *file;
  uint64_t seed;
  const struct sim_choice_table *choices; /* of a bundle: what they lack is calm; NULL: the seed decides */
  uint64_t time_ns;                       /* real time after which no pass goes on; 0: no bound */
  struct suite_options suite;             /* jobs, watchdog, arena */
  const char *scratch;                    /* a path for recordings on their way, overwritten and removed */
  void (*progress)(void *arg, const struct shrink_step *step, size_t events, uint64_t runs);
  void *progress_arg;
};

enum shrink_end {
  SHRINK_DONE,         /* nothing more can be taken away by these passes */
  SHRINK_OUT_OF_TIME,  /* the best so far */
  SHRINK_INTERRUPTED,  /* the same */
  SHRINK_HELD,         /* the run does not fail */
  SHRINK_WRONG,        /* the scenario is in error */
  SHRINK_NOT_REPEATED, /* run again, it does something else */
  SHRINK_HARNESS,      /* a worker could not be started, or memory ran out */
};

struct shrink_result {
  enum shrink_end end;
  struct outcome first, last;       /* of the run given, of the smallest one */
  struct sim_choice_table *choices; /* of the smallest one; what it lacks is calm */
  uint64_t seed;                    /* its own, for fates may have been drawn anew */
  uint64_t duration_ns;
  size_t events_before, events;
  uint64_t runs, real_ns;
  struct retelling told; /* the same as a scenario */
  struct shrink_step steps[SHRINK_STEPS_MAX];
  size_t step_count;
};

#endif
