/* The result of a suite: a row for each run, the failures told in full, the sums
 * and verdicts of each scenario. Reports are written from it. */
#ifndef SEARCH_RESULT_H
#define SEARCH_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lua/scenario.h"
#include "search/known.h"

enum suite_verdict {
  SUITE_HELD = 0,
  SUITE_VIOLATED = 1,          /* a property; also a failed assertion in core */
  SUITE_NOT_DETERMINISTIC = 2, /* two runs of one seed differ */
  SUITE_SCENARIO_WRONG = 3,
  SUITE_HARNESS = 4,           /* a worker died or hung outside core */
  SUITE_FAILED_AS_IT_MUST = 5, /* a canary was caught */
  SUITE_CANARY_MISSED = 6,     /* a canary was not caught by its property: judged for the scenario, not the run */
  SUITE_NOT_RUN = 7,           /* interrupted, out of time, or --fail-fast */
  SUITE_KNOWN = 8,             /* violated, as is known, and known for long enough */
};

/* One run. */
struct suite_run {
  uint32_t scenario; /* index in suite.scenarios */
  uint64_t seed;
  enum suite_verdict verdict;
  bool regression; /* its seed failed once, and comes before the range of seeds */
  uint32_t known;  /* index + 1 in suite.known of a failure that is listed there, expired or not; 0: none */
  uint64_t trace_hash;
  uint64_t events;
  uint64_t simulated_ns;
  uint64_t real_ns;
  uint64_t peak_bytes;
  struct sim_fault_count faults[SIM_FAULT_COUNT];
};

#define SUITE_STORY_BYTES 256u

/* One failure, told in full. Strings are owned by the suite. */
struct suite_failure {
  uint32_t scenario;
  uint64_t seed;
  enum suite_verdict verdict;
  char property[64];
  char detail[1024];
  char waits[400]; /* where the tasks of the script wait; may be empty */
  uint64_t time_ns;
  uint32_t node; /* 0: none in particular */
  uint64_t trace_hash;
  char *history;                      /* lines of text; may be empty, never NULL */
  char bundle[512];                   /* path of the bundle, empty when it could not be written */
  char reproduce[1280];               /* one line to paste */
  char shrunk[600];                   /* path of the smallest scenario that fails like it; empty: none was made */
  uint64_t shrunk_left;               /* statements and fates in it */
  char known[SUITE_KNOWN_TOLD_BYTES]; /* it was known "until ...", which has passed; else empty */
  char regression[SUITE_STORY_BYTES]; /* what this seed found once; empty: it is none of the scenario's regressions */
  uint64_t same_signature;            /* further failures of the same scenario and property that are not listed */
};

struct suite_scenario {
  char path[512]; /* PATH, or PATH#VARIANT */
  struct scenario_info info;
  struct params set;          /* from outside, such as --set */
  uint64_t text_hash;         /* scenario_file_hash */
  enum suite_verdict verdict; /* the worst of its runs */
  uint64_t runs, failed;      /* finished runs; those whose verdict is not `held` or `known` (of a canary: caught) */
  uint64_t events, simulated_ns, real_ns;
  struct sim_fault_count faults[SIM_FAULT_COUNT];
  uint64_t sometimes[SCENARIO_SOMETIMES_MAX]; /* runs in which each became true */
  uint64_t steps[SCENARIO_STEPS_MAX];         /* runs that reached each step of a sequence */
  uint64_t silenced[SCENARIO_WITHOUT_MAX];    /* runs in which an oracle that is switched off would have spoken */
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
  struct suite_run *runs; /* in order of scenario; of each its regressions, then its seeds */
  size_t run_count;
  struct suite_failure *failures; /* at most 20 of each scenario, in the same order */
  size_t failure_count;
  struct suite_slow slow[SUITE_SLOW_MAX]; /* the slowest first */
  size_t slow_count;
  char **vacuous; /* one sentence each: a fault or a `sometimes` that never happened */
  size_t vacuous_count;
  struct suite_known *known; /* as they were listed, with what was seen of them */
  size_t known_count;
  uint64_t seed_first, seed_last;
  uint64_t regressions; /* runs of seeds that failed once, before those */
  uint32_t jobs;
  uint64_t real_ns;
  bool interrupted;
  int exit_status; /* 0, 1, 3, 4, 5 as the command line documents */
};

void suite_result_free(struct suite_result *result);

/* Plain names: "held", "violated", ... */
const char *suite_verdict_name(enum suite_verdict verdict);

#endif
