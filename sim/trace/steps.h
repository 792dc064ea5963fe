/* Face of room `trace` for devices: where steps, faults and violations enter. */
#ifndef SIM_STEPS_H
#define SIM_STEPS_H

#include <stdarg.h>

#include "sim/memory/memory.h"
#include "sim/trace/fold.h"
#include "sim/trace/happening.h"
#include "sim/trace/trace.h"

/* Outside the arena, reached through its root. */
struct trace_sink {
  struct sim_trace_log *log;     /* NULL: hash only */
  struct sim_trace_marks *marks; /* NULL: none are made */
  uint64_t mark_due;             /* after so many events; UINT64_MAX without marks */
};

/* Who waits for happenings, in the arena. */
struct trace_watch {
  uint32_t kinds; /* bit 1 << enum sim_happening_kind: those that he wants to be told */
  sim_happening_fn happened;
  void *self;
};

/* What a run remembers of its trace, in the arena: the moment, the chains, and
 * what to report at the end. */
struct trace {
  const struct memory *memory;
  uint64_t now_ns;
  uint64_t event_id; /* the running event, or the last */
  uint64_t event_cause;
  uint64_t events_run; /* traced; the running one included */
  uint64_t chains[SIM_SUB_COUNT];
  struct sim_fault_count faults[SIM_FAULT_COUNT];
  struct sim_violation violation;
  struct trace_watch watch;
};
void trace_init(struct trace *trace, const struct memory *memory);

static inline struct trace_sink *trace_sink_of(const struct trace *trace) {
  return trace->memory->root->sink;
}
/* Records the step that was just folded; its chain was `before`. */
void trace_record(const struct trace *trace, uint64_t before, enum sim_subsystem subsystem, enum sim_step step,
                  uint32_t node, const uint64_t *fields, size_t count);
/* Folds one step into the chain of its subsystem and, when recording, records
 * it, with the moment. `node` 0: none. */
static inline void trace_step(struct trace *trace, enum sim_subsystem subsystem, enum sim_step step, uint32_t node,
                              const uint64_t *fields, size_t count) {
  MEMORY_ASSERT(trace->memory, count <= SIM_STEP_FIELDS_MAX);
  uint64_t before = trace->chains[subsystem];
  trace->chains[subsystem] = trace_fold(before, trace->event_id, trace->now_ns, node, (uint32_t)step, fields, count);
  if (trace_sink_of(trace)->log != NULL) trace_record(trace, before, subsystem, step, node, fields, count);
}
/* All chains as one number: the trace hash of the run so far. */
uint64_t trace_hash(const struct trace *trace);
/* Whether anybody would remember a name. */
bool trace_recording(const struct trace *trace);
/* Remembers a name in the recording, when there is one: outside the arena,
 * never part of a hash. Cut to 1000 bytes; the first text of a number counts. */
void trace_name(struct trace *trace, enum sim_name_kind kind, uint32_t scope, uint64_t value, const char *text);
/* The next event begins: a mark when one is due, then its first step. */
void trace_event(struct trace *trace, uint64_t id, uint64_t cause, uint32_t node, enum sim_event_kind kind,
                 uint32_t from, uint64_t value);
/* Remembers a statement, under a number of its own. */
void trace_statement(struct trace *trace, enum sim_statement of, const char *text);
/* Before events run on: a restore may have gone back. */
void trace_marks_resume(struct trace *trace);

/* Whether anybody waits for such a happening. */
static inline bool trace_watched(const struct trace *trace, enum sim_happening_kind kind) {
  return (trace->watch.kinds >> (uint32_t)kind & 1u) != 0;
}
/* Tells who waits for it. */
void trace_happened(const struct trace *trace, enum sim_happening_kind kind, uint32_t node, const uint64_t *fields,
                    size_t count, const char *text);

/* A fault struck, of which it is known elsewhere that it could. */
static inline void trace_fault_fired(struct trace *trace, enum sim_fault fault) {
  trace->faults[fault].firings++;
  uint64_t field = fault;
  if (trace_watched(trace, SIM_HAPPENED_FAULT)) trace_happened(trace, SIM_HAPPENED_FAULT, 0, &field, 1, NULL);
}
static inline void trace_fault(struct trace *trace, enum sim_fault fault, uint32_t fired) {
  trace->faults[fault].opportunities++;
  if (fired != 0) trace_fault_fired(trace, fault);
}

/* Printf format; integers and strings only. `subject` may be NULL. */
__attribute__((format(printf, 5, 6))) void trace_violation(struct trace *trace, const char *property, uint32_t node,
                                                           const uint64_t subject[3], const char *format, ...);
__attribute__((format(printf, 5, 0))) void trace_violation_va(struct trace *trace, const char *property, uint32_t node,
                                                              const uint64_t subject[3], const char *format,
                                                              va_list arguments);

#endif
