/* Every call of the disk and every allocation fails in turn, with every error that
 * docs/world.md lists, having done nothing, a part or all of it, once or for as long as
 * the fault lasts. An action is a script of API calls; the call that meets the fault is
 * the k-th of its kind for k = 1, 2, ... until the script passes without meeting it.
 *
 * A refusal has a name, leaves state, vector, outbox and log position as they were, and
 * its retry succeeds once the fault is gone; or the process dies or the power goes
 * instead, and then what was promised is there, what was refused is not, and what
 * is between is a prefix. */
#ifndef TESTS_SUPPORT_REFUSAL_SWEEP_H
#define TESTS_SUPPORT_REFUSAL_SWEEP_H

#include <stddef.h>
#include <stdint.h>

#include "tests/support/memory_env.h"

/* Scripts are words apart by blanks: refusal_sweep.c has them all (enum step_kind). */
struct refusal_action {
  const char *name;
  uint64_t segment_bytes; /* 0: the default */
  uint32_t replicas;
  const char *before; /* without faults */
  const char *act;
  uint64_t times; /* how often a fault that lasts strikes; 0: for ever */
};

struct refusal_counts {
  uint64_t met[MEMORY_ENV_CALL_KINDS]; /* calls that met a fault, by kind */
  uint64_t runs, refusals, stops;
  uint64_t moves; /* of the log to a new segment */
};
extern struct refusal_counts refusal_counts;
extern const char *const refusal_call_names[MEMORY_ENV_CALL_KINDS];

/* Before the first sweep, and after the last. */
void refusal_begin(void);
void refusal_end(void);
/* Lets every fault strike the action, at every call of its kind, with every aftermath. */
void refusal_sweep(const struct refusal_action *action);
/* A teardown: says where a sweep was when a claim failed. */
int refusal_tell_where(void **state);

#endif
