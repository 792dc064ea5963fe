/* Jobs of workers, and their replies, as they travel. */
#ifndef SEARCH_JOB_H
#define SEARCH_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "lua/scenario.h"
#include "search/outcome.h"

#define JOB_MAGIC 0x53594a42u
#define JOB_TEXT_MAX (64u * 1024u)

enum job_kind {
  JOB_DESCRIBE = 1, /* scenario_describe */
  JOB_RUN = 2,      /* one world */
  JOB_RECORD = 3,   /* the same with a recording: history, and choices into the bundle */
  JOB_COMPARE = 4,  /* runs of one seed: the first step that differs */
};

struct job {
  uint32_t magic;
  uint32_t kind; /* enum job_kind */
  uint64_t serial;
  uint64_t seed;
  uint32_t scenario;
  uint32_t nodes;
  uint64_t scenario_duration_ns, scenario_settle_ns; /* what it has, for words; 0: not known yet */
  bool fresh;                                        /* in a worker that is executed for it */
  char choices[560];                                 /* JOB_RECORD: the file for the choices; empty: none */

  /* What the run is to be besides its seed; zero: nothing. */
  uint64_t duration_ns;            /* faults stop that early */
  uint64_t until_ns, until_events; /* it ends there, without a final word */
  /* Outcomes by tag, and reseeds. Each end of the pipe has its own: the sender's is the
   * caller's, and must live until the job is done; the receiver frees its own. */
  struct sim_choice_table *overrides; /* NULL: none */
};
/* Blocking. false: the other end is gone (or, for read, memory ran out). */
bool job_write(int fd, const struct job *job);
bool job_read(int fd, struct job *job);

struct job_description {
  int status; /* of scenario_describe */
  struct scenario_info info;
  struct scenario_error error;
};

/* Followed by `body_size` bytes (struct outcome, or struct job_description)
 * and `text_size` bytes of history. */
struct job_reply {
  uint32_t magic;
  uint32_t kind;
  uint64_t serial;
  uint32_t body_size;
  uint32_t text_size;
};

#endif
