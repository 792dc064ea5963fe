#include "sim/trace/steps.h"

#include "sim/trace/trace_record.h"

#define NAME_BYTES_MAX 1000u
#define XXH_INLINE_ALL
#include <xxhash.h>

uint64_t sim_hash_bytes(const void *bytes, size_t size) {
  return XXH3_64bits(bytes, size);
}

void trace_init(struct trace *trace, const struct memory *memory) {
  memset(trace, 0, sizeof *trace);
  trace->memory = memory;
}

void trace_record(const struct trace *trace, uint64_t before, enum sim_subsystem subsystem, enum sim_step step,
                  uint32_t node, const uint64_t *fields, size_t count) {
  struct sim_trace_log *log = trace_sink_of(trace)->log;
  if (trace->events_run < log->window_first || trace->events_run > log->window_last) return;
  const struct trace_step now = {.event = trace->event_id,
                                 .cause = trace->event_cause,
                                 .time_ns = trace->now_ns,
                                 .before = before,
                                 .after = trace->chains[subsystem],
                                 .fields = fields,
                                 .node = node,
                                 .step = (uint32_t)step,
                                 .subsystem = (uint32_t)subsystem,
                                 .count = (uint32_t)count};
  MEMORY_ASSERT(trace->memory, sim_trace_log_append(log, &now));
}

bool trace_recording(const struct trace *trace) {
  return trace_sink_of(trace)->log != NULL;
}

void trace_name(struct trace *trace, enum sim_name_kind kind, uint32_t scope, uint64_t value, const char *text) {
  struct sim_trace_log *log = trace_sink_of(trace)->log;
  if (log == NULL || text == NULL) return;
  size_t length = strlen(text);
  /* Without memory the number stays a number. */
  (void)trace_names_add(&log->names, (uint8_t)kind, scope, value, text,
                        length < NAME_BYTES_MAX ? length : NAME_BYTES_MAX);
}

void trace_statement(struct trace *trace, enum sim_statement of, const char *text) {
  const struct sim_trace_log *log = trace_sink_of(trace)->log;
  if (log != NULL) trace_name(trace, SIM_NAME_STATEMENT, (uint32_t)of, log->names.count, text);
}

void trace_happened(const struct trace *trace, enum sim_happening_kind kind, uint32_t node, const uint64_t *fields,
                    size_t count, const char *text) {
  struct sim_happening happening = {.kind = kind, .node = node, .text = text};
  happening.count = (uint32_t)(count < SIM_HAPPENING_FIELDS_MAX ? count : SIM_HAPPENING_FIELDS_MAX);
  for (uint32_t i = 0; i < happening.count; i++)
    happening.fields[i] = fields[i];
  trace->watch.happened(trace->watch.self, &happening);
}

uint64_t trace_hash(const struct trace *trace) {
  uint64_t hash = SIM_SUB_COUNT;
  for (int i = 0; i < SIM_SUB_COUNT; i++)
    hash = sim_hash_fold(hash, trace->chains[i]);
  return sim_hash_fold(hash, trace->now_ns);
}

void trace_event(struct trace *trace, uint64_t id, uint64_t cause, uint32_t node, enum sim_event_kind kind,
                 uint32_t from, uint64_t value) {
  struct trace_sink *sink = trace_sink_of(trace);
  if (trace->events_run >= sink->mark_due) {
    trace_mark(sink->marks, trace); /* the chains after that many events */
    sink->mark_due = trace_marks_next(sink->marks, trace->events_run);
  }
  trace->events_run++;
  trace->event_id = id;
  trace->event_cause = cause;
  uint64_t fields[] = {kind, cause, from, value};
  trace_step(trace, SIM_SUB_TIMELINE, SIM_STEP_EVENT, node, fields, 4);
}

void trace_marks_resume(struct trace *trace) {
  struct trace_sink *sink = trace_sink_of(trace);
  if (sink->marks == NULL) return;
  trace_marks_back_to(sink->marks, trace->events_run);
  sink->mark_due = trace_marks_next(sink->marks, trace->events_run);
}
