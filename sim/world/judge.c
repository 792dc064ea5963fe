/* What drivers, nodes and oracles draw, tell and count, on the world's ground. */
#include <string.h>

#include "sim/choice/shapes.h"
#include "sim/world/world.h"

uint32_t sim_chance(struct sim_world *world, struct sim_tag tag, uint32_t ppm) {
  return ground_chance(&world->ground, tag, ppm);
}

uint64_t sim_pick(struct sim_world *world, struct sim_tag tag, uint64_t n) {
  return ground_pick(&world->ground, tag, n);
}
uint64_t sim_pick_ends(struct sim_world *world, struct sim_tag tag, uint64_t n) {
  return ground_pick_ends(&world->ground, tag, n);
}

uint64_t sim_range(struct sim_world *world, struct sim_tag tag, uint64_t lo, uint64_t hi) {
  return ground_range(&world->ground, tag, lo, hi);
}

uint64_t sim_usual(struct sim_world *world, struct sim_tag tag, uint64_t usual, uint64_t lo, uint64_t hi) {
  return choice_usual(&world->ground.choices, tag, usual, lo, hi);
}

bool sim_left_out(struct sim_world *world, struct sim_tag tag) {
  return sim_usual(world, tag, 0, 0, 1) != 0;
}

uint64_t sim_nth(struct sim_world *world, uint64_t name) {
  return choice_nth(&world->ground.choices, name);
}

uint64_t sim_exponential(struct sim_world *world, struct sim_tag tag, uint64_t mean) {
  return choice_exponential(&world->ground.choices, tag, mean);
}

bool sim_slow_tail(struct sim_world *world, const struct sim_slow_tail *tail, uint32_t where, uint64_t identity,
                   uint64_t *more) {
  return choice_slow_tail(&world->ground.choices, tail, where, identity, more);
}

bool sim_loss_chain(struct sim_world *world, const struct sim_loss_chain *chain, bool *bad, uint32_t where,
                    uint64_t identity) {
  return choice_loss_chain(&world->ground.choices, chain, bad, where, identity);
}

uint64_t sim_counter(struct sim_world *world, uint32_t kind, uint32_t where) {
  return ground_counter(&world->ground, kind, where);
}

uint64_t sim_unique(struct sim_world *world, uint32_t kind, uint32_t where) {
  return choice_unique(&world->ground.choices, kind, where);
}

void *sim_alloc(struct sim_world *world, size_t size) {
  return ground_alloc(&world->ground, size);
}

void sim_free(struct sim_world *world, void *block, size_t size) {
  ground_free(&world->ground, block, size);
}

void sim_trace(struct sim_world *world, enum sim_subsystem subsystem, enum sim_step step, uint32_t node,
               const uint64_t *fields, size_t count) {
  ground_trace(&world->ground, subsystem, step, node, fields, count);
}

uint64_t sim_trace_hash(const struct sim_world *world) {
  return trace_hash(&world->ground.trace);
}

uint64_t sim_trace_hash_of(const struct sim_world *world, enum sim_subsystem subsystem) {
  return world->ground.trace.chains[subsystem];
}

void sim_trace_name(struct sim_world *world, enum sim_name_kind kind, uint32_t scope, uint64_t value,
                    const char *text) {
  trace_name(&world->ground.trace, kind, scope, value, text);
}

void sim_trace_statement(struct sim_world *world, enum sim_statement of, const char *text) {
  trace_statement(&world->ground.trace, of, text);
}

bool sim_trace_recording(const struct sim_world *world) {
  return trace_recording(&world->ground.trace);
}

struct sim_fault_count *sim_fault(struct sim_world *world, enum sim_fault fault) {
  return &world->ground.trace.faults[fault];
}

static struct silenced *find_silenced(struct sim_world *world, const char *property) {
  if (world->silenced_count == 0) return NULL;
  uint64_t name = sim_hash_bytes(property, strlen(property));
  for (uint32_t i = 0; i < world->silenced_count; i++)
    if (world->silenced[i].name == name) return &world->silenced[i];
  return NULL;
}

bool sim_silence(struct sim_world *world, const char *property) {
  if (find_silenced(world, property) != NULL) return true;
  if (world->silenced_count >= SIM_SILENCED_MAX) return false;
  world->silenced[world->silenced_count++] = (struct silenced){sim_hash_bytes(property, strlen(property)), 0};
  return true;
}

uint64_t sim_silenced(const struct sim_world *world, const char *property) {
  uint64_t name = sim_hash_bytes(property, strlen(property));
  for (uint32_t i = 0; i < world->silenced_count; i++)
    if (world->silenced[i].name == name) return world->silenced[i].times;
  return 0;
}

void sim_violation(struct sim_world *world, const char *property, uint32_t node, const uint64_t subject[3],
                   const char *format, ...) {
  va_list arguments;
  struct silenced *silenced = find_silenced(world, property);
  if (silenced != NULL) {
    silenced->times++;
    return;
  }
  va_start(arguments, format);
  trace_violation_va(&world->ground.trace, property, node, subject, format, arguments);
  va_end(arguments);
}

const struct sim_violation *sim_violation_get(const struct sim_world *world) {
  return &world->ground.trace.violation;
}
