/* Marks: the chains at intervals, so that two runs are compared without
 * recording either. */
#include "sim/trace/steps.h"
#include "sim/trace/trace_record.h"

#include <stdlib.h>

#define INTERVAL_EVENTS 1024u

struct sim_trace_marks {
  struct sim_trace_mark *marks;
  size_t count, capacity;
  uint64_t interval;
};

struct sim_trace_marks *sim_trace_marks_create(uint64_t interval) {
  struct sim_trace_marks *marks = calloc(1, sizeof *marks);
  if (marks != NULL) marks->interval = interval == 0 ? INTERVAL_EVENTS : interval;
  return marks;
}

void sim_trace_marks_destroy(struct sim_trace_marks *marks) {
  if (marks == NULL) return;
  free(marks->marks);
  free(marks);
}

size_t sim_trace_marks_count(const struct sim_trace_marks *marks) {
  return marks->count;
}

const struct sim_trace_mark *sim_trace_marks_at(const struct sim_trace_marks *marks, size_t index) {
  return index < marks->count ? &marks->marks[index] : NULL;
}

void trace_marks_back_to(struct sim_trace_marks *marks, uint64_t events) {
  while (marks->count > 0 && marks->marks[marks->count - 1].events > events)
    marks->count--;
}

uint64_t trace_marks_next(const struct sim_trace_marks *marks, uint64_t events) {
  return events - events % marks->interval + marks->interval;
}

void trace_mark(struct sim_trace_marks *marks, const struct trace *trace) {
  if (marks->count == marks->capacity) {
    size_t capacity = marks->capacity == 0 ? 64 : marks->capacity * 2;
    struct sim_trace_mark *grown = realloc(marks->marks, capacity * sizeof *grown);
    if (grown == NULL) return;
    marks->marks = grown;
    marks->capacity = capacity;
  }
  struct sim_trace_mark *mark = &marks->marks[marks->count++];
  mark->events = trace->events_run;
  mark->time_ns = trace->now_ns;
  mark->hash = trace_hash(trace);
  memcpy(mark->chains, trace->chains, sizeof mark->chains);
}

size_t sim_trace_marks_agree(const struct sim_trace_marks *a, const struct sim_trace_marks *b) {
  size_t low = 0, high = a->count < b->count ? a->count : b->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    const struct sim_trace_mark *x = &a->marks[middle], *y = &b->marks[middle];
    if (x->events == y->events && x->hash == y->hash && memcmp(x->chains, y->chains, sizeof x->chains) == 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
