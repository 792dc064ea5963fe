#include "sim/world/world.h"

#include <stdio.h>
#include <string.h>

void sim_violation(struct sim_world *world, const char *property, uint32_t node, const uint64_t subject[3],
                   const char *format, ...) {
  struct sim_violation *violation = &world->violation;
  if (violation->found) return;
  violation->found = true;
  violation->time_ns = world->now_ns;
  violation->event = world->event_id;
  violation->node = node;
  if (subject != NULL) memcpy(violation->subject, subject, sizeof violation->subject);
  (void)snprintf(violation->property, sizeof violation->property, "%s", property);
  va_list arguments;
  va_start(arguments, format);
  (void)vsnprintf(violation->detail, sizeof violation->detail, format, arguments);
  va_end(arguments);
  uint64_t fields[] = {sim_hash_bytes(violation->property, strlen(violation->property)),
                       sim_hash_bytes(violation->detail, strlen(violation->detail)), violation->subject[0],
                       violation->subject[1], violation->subject[2]};
  sim_trace_name(world, SIM_NAME_TEXT, 0, fields[0], violation->property);
  sim_trace_name(world, SIM_NAME_TEXT, 0, fields[1], violation->detail);
  sim_trace(world, SIM_SUB_CLUSTER, SIM_STEP_VIOLATION, node, fields, 5);
}

const struct sim_violation *sim_violation_get(const struct sim_world *world) {
  return &world->violation;
}
