/* What a suite is asked to do, and how it tells of its progress. */
#ifndef SEARCH_SUITE_OPTIONS_H
#define SEARCH_SUITE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/known.h"
#include "sim/sim.h"

#define SUITE_RUNS_MAX UINT64_C(2000000) /* rows of one suite: about 800 bytes each */
#define SUITE_JOBS_MAX 256u
#define SUITE_VACUITY_SEEDS 20u /* from here on, what never happened is a failure */

struct suite_progress {
  uint64_t done, total; /* runs */
  uint64_t failed;      /* of those done; canaries that were caught are not counted */
  uint64_t real_ns;
  bool explaining; /* all runs are done; failures are being recorded */
  /* The world that has been under way for longest, when that is long. NULL: none. */
  const char *running_name;
  uint64_t running_seed, running_ns;
  char running_told[400];
};

/* Seeds of one scenario that failed once, and are run before all others. */
struct suite_regressions {
  const uint64_t *seeds;
  const char *const *stories; /* what each found, in a line */
  size_t count;
};

struct suite_options {
  uint64_t seed_first, seed_last;              /* both included */
  const struct suite_regressions *regressions; /* one for each file, in their order; NULL: none */
  const struct suite_known *known;             /* failures that are known */
  size_t known_count;
  uint32_t jobs;        /* worker processes, 1 to SUITE_JOBS_MAX; 0: one per processor */
  uint64_t time_ns;     /* no run is started after so much real time, and none goes on for longer than
                         * watchdog_ns after it; 0: no bound */
  uint64_t watchdog_ns; /* a run that makes no step in so much real time is ended; 0: 120 s */
  uint64_t slow_ns;     /* real time of one run from which on it is named as slow; 0: 10 s */
  /* Repetitions run in workers that are executed anew (fresh.h): the program must give FRESH_COMMAND to
   * fresh_main. Else they run in forked ones. */
  bool execute_again;
  bool fail_fast;         /* stop at the first failure (by seed, then scenario) */
  const char *bundles;    /* folder that gets a bundle of each listed failure; NULL: none */
  const char *program;    /* for lines to paste; NULL: "syncsim" */
  struct sim_options sim; /* arenas of the workers; mind that fill 0 fills with zeros */
  /* After every run, and each second; may be NULL. */
  void (*progress)(void *arg, const struct suite_progress *progress);
  void *progress_arg;
  /* For tests; may be NULL: called in the worker before each run, which may change the seed that is run. */
  void (*before_run)(void *arg, struct sim *sim, uint32_t scenario, uint64_t *seed);
  void *before_run_arg;
};

#endif
