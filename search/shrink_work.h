/* The inside of shrinking while it runs; for its own files only. */
#ifndef SEARCH_SHRINK_WORK_H
#define SEARCH_SHRINK_WORK_H

#include "search/deviation.h"
#include "search/pool.h"
#include "search/shrink_options.h"

#define WINDOW_MAX 64u /* candidates under way at once, at most */

struct shrink {
  const struct shrink_options *options;
  struct shrink_result *result;
  struct pool *pool;
  struct pool_event event;
  uint32_t jobs;
  uint64_t start_ns, stop_ns; /* a quarter of the time is left for telling it plainly */
  bool stopped;               /* out of time, interrupted, or no workers */

  struct deviations deviations;
  struct candidate best;
  struct sim_choice_table *table; /* of `best`, for recordings */
  struct flight {
    struct candidate candidate;
    struct sim_choice_table *table;
    size_t number; /* in its batch */
    bool busy;
  } flights[WINDOW_MAX];
  uint64_t *seen; /* hashes of candidates that did not fail the same way; 0: empty */
};

/* What its batch makes of a candidate that begins as a copy of the best one; false: nothing new. */
typedef bool (*shrink_make_fn)(const struct shrink *shrink, void *arg, size_t number, struct candidate *candidate);

/* Runs candidates from number `from` on, in their order; the first that fails the same way becomes the best. Gives its
 * number, or `count`. */
size_t shrink_try(struct shrink *shrink, shrink_make_fn make, void *arg, size_t from, size_t count);
/* Records the best run, and finds its deviations anew. false: with the end that follows. */
bool shrink_look_again(struct shrink *shrink);
/* All passes, once. false: nothing got smaller, or there is no time for more. */
bool shrink_round(struct shrink *shrink);

#endif
