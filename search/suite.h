/* A suite: scenarios x seeds over worker processes.
 *
 * Each worker is a process with one arena that runs worlds one after another
 * and sends their results back; a worker that dies is that seed's failure and
 * is replaced. Every failure, and one pass in a hundred, is run twice and must
 * agree. The table of results is what reports are written from.
 */
#ifndef SEARCH_SUITE_H
#define SEARCH_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lua/scenario.h"

enum suite_verdict {
  SUITE_HELD = 0,
  SUITE_VIOLATED = 1,          /* a property; also a failed assertion in core */
  SUITE_NOT_DETERMINISTIC = 2, /* two runs of one seed differ */
  SUITE_SCENARIO_WRONG = 3,
  SUITE_HARNESS = 4,           /* a worker died or hung outside core */
  SUITE_FAILED_AS_IT_MUST = 5, /* a canary was caught */
  SUITE_CANARY_MISSED = 6,     /* a canary was not caught by its property: judged for the scenario, not the run */
  SUITE_NOT_RUN = 7,           /* interrupted, out of time, or --fail-fast */
};

/* One run. */
struct suite_run {
  uint32_t scenario; /* index in suite.scenarios */
  uint64_t seed;
  enum suite_verdict verdict;
  uint64_t trace_hash;
  uint64_t events;
  uint64_t simulated_ns;
  uint64_t real_ns;
  uint64_t peak_bytes;
  struct sim_fault_count faults[SIM_FAULT_COUNT];
};

/* One failure, told in full. Strings are owned by the suite. */
struct suite_failure {
  uint32_t scenario;
  uint64_t seed;
  enum suite_verdict verdict;
  char property[64];
  char detail[1024];
  uint64_t time_ns;
  uint32_t node; /* 0: none in particular */
  uint64_t trace_hash;
  char *history;           /* lines of text; may be empty, never NULL */
  char bundle[512];        /* path of the bundle, empty when it could not be written */
  char reproduce[640];     /* one line to paste */
  uint64_t same_signature; /* further failures of the same scenario and property that are not listed */
};

struct suite_scenario {
  char path[512];
  struct scenario_info info;
  enum suite_verdict verdict; /* the worst of its runs */
  uint64_t runs, failed;      /* finished runs; those whose verdict is not `held` (of a canary: caught) */
  uint64_t events, simulated_ns, real_ns;
  struct sim_fault_count faults[SIM_FAULT_COUNT];
  uint64_t sometimes[SCENARIO_SOMETIMES_MAX]; /* runs in which each became true */
};

/* A scenario whose worlds take long: its slowest, or one that was stopped. */
struct suite_slow {
  uint32_t scenario;
  uint64_t seed;
  bool stopped; /* at the limit of time, or by an interruption: not run */
  uint64_t real_ns;
  uint64_t others; /* further such runs of this scenario */
  char told[400];  /* how far it came, and of what its steps were */
};
#define SUITE_SLOW_MAX 8u
#define SUITE_SLOW_ADVICE "fewer nodes, a lower rate or a shorter duration make them quicker; --time bounds a suite"

struct suite_result {
  struct suite_scenario *scenarios;
  size_t scenario_count;
  struct suite_run *runs; /* in order of (scenario, seed) */
  size_t run_count;
  struct suite_failure *failures; /* at most 20 of each scenario, in the same order */
  size_t failure_count;
  struct suite_slow slow[SUITE_SLOW_MAX]; /* the slowest first */
  size_t slow_count;
  char **vacuous; /* one sentence each: a fault or a `sometimes` that never happened */
  size_t vacuous_count;
  uint64_t seed_first, seed_last;
  uint32_t jobs;
  uint64_t real_ns;
  bool interrupted;
  int exit_status; /* 0, 1, 3, 4, 5 as the command line documents */
};

/* --- Running ---------------------------------------------------------------- */

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

struct suite_options {
  uint64_t seed_first, seed_last; /* both included */
  uint32_t jobs;                  /* worker processes, 1 to SUITE_JOBS_MAX; 0: one per processor */
  uint64_t time_ns;               /* no run is started after so much real time, and none goes on for longer than
                                   * watchdog_ns after it; 0: no bound */
  uint64_t watchdog_ns;           /* a run that makes no step in so much real time is ended; 0: 120 s */
  uint64_t slow_ns;               /* real time of one run from which on it is named as slow; 0: 10 s */
  bool fail_fast;                 /* stop at the first failure (by seed, then scenario) */
  const char *bundles;            /* folder that gets a bundle of each listed failure; NULL: none */
  const char *program;            /* for lines to paste; NULL: "syncsim" */
  struct sim_options sim;         /* arenas of the workers; mind that fill 0 fills with zeros */
  /* After every run, and each second; may be NULL. */
  void (*progress)(void *arg, const struct suite_progress *progress);
  void *progress_arg;
  /* For tests; may be NULL: called in the worker before each run, which may change the seed that is run. */
  void (*before_run)(void *arg, struct sim *sim, uint32_t scenario, uint64_t *seed);
  void *before_run_arg;
};

/* Runs every scenario under every seed. The files stay the caller's. SIGINT
 * and SIGTERM end it early, with the verdict so far. NULL and a message when
 * it cannot even begin (too many runs, no memory, no process). What comes back
 * depends on scenarios and seeds alone, but for times and `jobs`. */
struct suite_result *suite_run_all(struct scenario_file *const *files, size_t file_count,
                                   const struct suite_options *options, char *error, size_t error_size);
void suite_result_free(struct suite_result *result);

/* Plain names: "held", "violated", ... */
const char *suite_verdict_name(enum suite_verdict verdict);

#endif
