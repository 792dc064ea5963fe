/* The inside of a suite while it runs; types for the files of a suite only. */
#ifndef SEARCH_SUITE_WORK_H
#define SEARCH_SUITE_WORK_H

#include "search/pool.h"
#include "search/signature.h"
#include "search/result.h"
#include "search/suite_options.h"

/* What a row of the table needs until the table is done. */
struct suite_row {
  bool finished;
  uint16_t sometimes; /* bit i: sometimes[i] became true */
  uint8_t silenced;   /* bit i: the oracle without[i] would have spoken */
  uint8_t reached[SCENARIO_SOMETIMES_MAX];
  uint32_t signature; /* index + 1; 0: no failure */
};

/* A run that waits to be repeated, or is being repeated. */
struct suite_check {
  size_t row;
  uint32_t place; /* where it was run first */
  struct outcome first;
  struct suite_check *next;
};

struct suite {
  struct scenario_file *const *files;
  const struct suite_options *options;
  struct suite_result *result;
  struct pool *pool;
  struct pool_event event;
  uint64_t start_ns;
  uint64_t seeds;        /* of each scenario, beside its regressions */
  uint64_t first_rounds; /* the most regressions of a scenario: so many rounds come first */
  size_t *first_row;
  struct suite_row *rows;
  struct signatures signatures;

  uint64_t next;      /* in the order of starting: seed by seed, scenario by scenario */
  uint64_t stop_at;   /* nothing at or behind this place in that order counts */
  uint64_t *wrong_at; /* per scenario: the first round in which it was in error */
  bool out_of_time;
  struct suite_check *checks, **checks_end;
  struct suite_check *check_of[SUITE_JOBS_MAX]; /* per place of the pool */
  size_t row_of[SUITE_JOBS_MAX];
  struct suite_progress progress;
};

static inline uint64_t suite_regression_count(const struct suite *suite, size_t scenario) {
  return suite->options->regressions == NULL ? 0 : suite->options->regressions[scenario].count;
}
/* A round is one seed of each scenario. Rows of a scenario are its regressions, then its seeds; all regressions come
 * before all seeds. */
static inline uint64_t suite_round(const struct suite *suite, size_t row) {
  const uint32_t scenario = suite->result->runs[row].scenario;
  const uint64_t place = row - suite->first_row[scenario], own = suite_regression_count(suite, scenario);
  return place < own ? place : suite->first_rounds + (place - own);
}
/* false: the scenario has no row in this round. */
static inline bool suite_row_of(const struct suite *suite, size_t scenario, uint64_t round, size_t *row) {
  const uint64_t own = suite_regression_count(suite, scenario);
  if (round >= own && round < suite->first_rounds) return false;
  *row = suite->first_row[scenario] + (size_t)(round < own ? round : own + (round - suite->first_rounds));
  return true;
}

#endif
