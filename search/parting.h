/* Where two runs part: found by marks, told by recordings of that part alone. */
#ifndef SEARCH_PARTING_H
#define SEARCH_PARTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/trace/trace.h"

/* The events in which two runs part: from one mark before the last that agrees,
 * for the neighbourhood, to the first that differs (UINT64_MAX: to the end). */
struct parting_window {
  uint64_t first, last;
  const struct sim_trace_mark *agrees; /* the last mark that agrees; NULL: not even the first */
};
struct parting_window parting_find(const struct sim_trace_marks *a, const struct sim_trace_marks *b);

/* Runs a seed once; `log` may be NULL. false: the run cannot be compared, and
 * no further one is made. */
typedef bool (*parting_run_fn)(void *arg, struct sim_trace_log *log, struct sim_trace_marks *marks, uint64_t *hash);
/* Runs a seed that gave two results twice, and twice more where these two parted,
 * and writes into `text` which step was the first to differ. Where they part may
 * differ from time to time; then a few more. */
void parting_tell(parting_run_fn run, void *arg, char *text, size_t size);

#endif
