/* The pool of worker processes: starts jobs, gathers replies, replaces the
 * dead, kills the hung: those whose world has not come a step further for as
 * long as the watchdog waits, however long the others take. One thread; the only
 * shared memory is in which worlds tell how far they are.
 */
#ifndef SEARCH_POOL_H
#define SEARCH_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "search/job.h"
#include "search/suite_options.h"

struct pool;

#define POOL_NONE UINT32_MAX

enum pool_news {
  POOL_REPLY,   /* the job is done */
  POOL_DIED,    /* its worker ended before it replied; `text` says how */
  POOL_HUNG,    /* it made no progress for as long as the watchdog waits, and was killed */
  POOL_SIGNAL,  /* SIGINT or SIGTERM */
  POOL_TIMEOUT, /* nothing in the time given */
  POOL_STOPPED, /* it was still under way at the limit, and was killed */
};

struct pool_event {
  enum pool_news news;
  uint32_t worker; /* which place in the pool */
  struct job job;
  uint64_t real_ns; /* how long it took */
  struct outcome outcome;
  struct job_description description;
  char text[JOB_TEXT_MAX + 1];
};

/* Blocks SIGINT and SIGTERM for the caller until pool_close. NULL with errno. */
struct pool *pool_open(struct scenario_file *const *files, size_t file_count, const struct suite_options *options,
                       uint32_t jobs, uint64_t watchdog_ns);
void pool_close(struct pool *pool);

/* An idle place, if possible not `avoid`; POOL_NONE: all are busy. */
uint32_t pool_idle(const struct pool *pool, uint32_t avoid);
uint32_t pool_busy_count(const struct pool *pool);
/* Hands a job to an idle place, with a new process if it has none, or if the job
 * wants a fresh one. false: no
 * process could be started. */
bool pool_start(struct pool *pool, uint32_t place, const struct job *job);
/* Runs that are under way at this time of outcome_clock_ns() are stopped. */
void pool_limit(struct pool *pool, uint64_t until_ns);
/* How far the last job of a place came, in words. Until another is started. */
void pool_tell(const struct pool *pool, uint32_t place, char *text, size_t size);
/* For how long a place has been at its job; 0: it is idle. */
uint64_t pool_busy_ns(const struct pool *pool, uint32_t place);
/* Waits for the next thing to happen, at most `timeout_ns`. */
void pool_wait(struct pool *pool, uint64_t timeout_ns, struct pool_event *event);

#endif
