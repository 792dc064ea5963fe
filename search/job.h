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
  JOB_TELL = 5,     /* one world with a recording: what was done in it, as statements (plain.h) */
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
  char choices[560];                                 /* JOB_RECORD, JOB_TELL: the file for the choices; empty: none */
  bool ordered;                                      /* there in order of time (ordered.h), not by tag */

  /* What the run is to be besides its seed; zero: nothing. */
  uint64_t duration_ns;            /* faults stop that early */
  uint64_t until_ns, until_events; /* it ends there, without a final word */
  /* Outcomes by tag, and reseeds. Each end of the pipe has its own: the sender's is the
   * caller's, and must live until the job is done; the receiver frees its own. */
  struct sim_choice_table *overrides; /* NULL: none */
  bool calm;                          /* what they lack is calm, and not drawn from the seed */
  bool fates_only;                    /* only fates (deviation.h) are drawn from it, all else is calm */
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
