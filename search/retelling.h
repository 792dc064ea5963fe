/* A failing run told as a scenario that stands alone, and made small as such: statements, options, nodes, times, sizes
 * are taken away or made plain as long as it fails in the same way. */
#ifndef SEARCH_RETELLING_H
#define SEARCH_RETELLING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/outcome.h"
#include "search/plain.h"
#include "search/suite_options.h"

#define RETELLING_SEEDS 20u /* under which it is run in the end */

enum retelling_end {
  RETELLING_DONE,
  RETELLING_NO_WORDS,  /* something was done that no statement says; `plain` has it as a comment */
  RETELLING_OTHERWISE, /* told so, it does not fail in the same way */
  RETELLING_STOPPED,   /* interrupted, or out of time: the best so far, if there is any */
  RETELLING_HARNESS,
};

struct retelling_options {
  const struct suite_options *suite; /* jobs, watchdog, arena */
  const struct outcome *failure;     /* what it must show */
  uint64_t seed;
  const struct sim_choice_table *fates;     /* of the run: what chance decided in it */
  const struct sim_choice_table *recording; /* of all that was decided in it, in order */
  const char *scratch;                      /* a path for recordings on their way */
  uint64_t stop_ns;                         /* of outcome_clock_ns(); UINT64_MAX: never */
};

struct retelling {
  enum retelling_end end;
  struct plain_scenario plain;
  struct outcome outcome; /* of the last run that failed as it must */
  unsigned seeds;         /* of RETELLING_SEEDS, under how many it fails in the same way */
  uint64_t runs;
  struct sim_choice_table *choices; /* what chance decides in it, by name */
  size_t fates;                     /* how many of these it needs */
};

/* Takes over `plain`; retelling_free frees what is in *result. */
void retelling_run(const struct retelling_options *options, struct plain_scenario *plain, struct retelling *result);
void retelling_free(struct retelling *result);

#endif
