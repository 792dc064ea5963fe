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
  uint64_t seeds; /* of each scenario */
  size_t *first_row;
  struct suite_row *rows;
  struct signatures signatures;

  uint64_t next;      /* in the order of starting: seed by seed, scenario by scenario */
  uint64_t stop_at;   /* nothing at or behind this place in that order counts */
  uint64_t *wrong_at; /* per scenario: the first seed (counted from 0) at which it was in error */
  bool out_of_time;
  struct suite_check *checks, **checks_end;
  struct suite_check *check_of[SUITE_JOBS_MAX]; /* per place of the pool */
  size_t row_of[SUITE_JOBS_MAX];
  struct suite_progress progress;
};

#endif
