#include "sim/trace/steps.h"

#include <stdio.h>
#include <string.h>

void trace_violation_va(struct trace *trace, const char *property, uint32_t node, const uint64_t subject[3],
                        const char *format, va_list arguments) {
  struct sim_violation *violation = &trace->violation;
  if (violation->found) return;
  violation->found = true;
  violation->time_ns = trace->now_ns;
  violation->event = trace->event_id;
  violation->node = node;
  if (subject != NULL) memcpy(violation->subject, subject, sizeof violation->subject);
  (void)snprintf(violation->property, sizeof violation->property, "%s", property);
  (void)vsnprintf(violation->detail, sizeof violation->detail, format, arguments);
  uint64_t fields[] = {sim_hash_bytes(violation->property, strlen(violation->property)),
                       sim_hash_bytes(violation->detail, strlen(violation->detail)), violation->subject[0],
                       violation->subject[1], violation->subject[2]};
  trace_name(trace, SIM_NAME_TEXT, 0, fields[0], violation->property);
  trace_name(trace, SIM_NAME_TEXT, 0, fields[1], violation->detail);
  trace_step(trace, SIM_SUB_CLUSTER, SIM_STEP_VIOLATION, node, fields, 5);
}

void trace_violation(struct trace *trace, const char *property, uint32_t node, const uint64_t subject[3],
                     const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  trace_violation_va(trace, property, node, subject, format, arguments);
  va_end(arguments);
}
