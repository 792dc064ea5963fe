/* Room `ground`: what every device stands on.
 * Takes: memory, choices and trace. Gives: them as one handle, and the port "wake
 * me at": events on a timeline, in a total order of (time, tie, sequence number).
 * Disks, networks and clocks know this and no more; what an event means is known
 * to whoever runs the timeline.
 */
#ifndef SIM_GROUND_H
#define SIM_GROUND_H

#include "sim/choice/choices.h"
#include "sim/ground/timeline.h"
#include "sim/memory/memory.h"
#include "sim/trace/steps.h"

struct ground {
  struct memory memory;
  struct choices choices;
  struct trace trace;
  struct timeline timeline;
  bool shuffle; /* simultaneous events in an order that is a choice */
};

void ground_init(struct ground *ground, const struct memory *memory, uint64_t seed, bool shuffle);

static inline uint64_t ground_now(const struct ground *ground) {
  return ground->trace.now_ns;
}
#define GROUND_ASSERT(ground, cond) MEMORY_ASSERT(&(ground)->memory, cond)

/* NULL: the arena is used up. */
static inline void *ground_alloc(struct ground *ground, size_t size) {
  return memory_alloc(&ground->memory, size);
}
static inline void ground_free(struct ground *ground, void *block, size_t size) {
  memory_free(&ground->memory, block, size);
}

static inline uint32_t ground_chance(struct ground *ground, struct sim_tag tag, uint32_t ppm) {
  return choice_chance(&ground->choices, tag, ppm);
}
static inline uint64_t ground_pick(struct ground *ground, struct sim_tag tag, uint64_t n) {
  return choice_pick(&ground->choices, tag, n);
}
static inline uint64_t ground_pick_ends(struct ground *ground, struct sim_tag tag, uint64_t n) {
  return choice_pick_ends(&ground->choices, tag, n);
}
static inline uint64_t ground_range(struct ground *ground, struct sim_tag tag, uint64_t lo, uint64_t hi) {
  return choice_range(&ground->choices, tag, lo, hi);
}
static inline uint64_t ground_counter(struct ground *ground, uint32_t kind, uint32_t where) {
  return choice_counter(&ground->choices, kind, where);
}
/* An identity by the present time, for what has no name of its own (choice_moment). */
static inline uint64_t ground_moment(struct ground *ground, uint32_t kind, uint32_t where) {
  return choice_moment(&ground->choices, kind, where, ground_now(ground));
}
/* The span of time that an instant lies in, for ties. */
static inline uint64_t ground_span(uint64_t time_ns) {
  return time_ns >> CHOICE_SPAN_SHIFT;
}
static inline void ground_trace(struct ground *ground, enum sim_subsystem subsystem, enum sim_step step, uint32_t node,
                                const uint64_t *fields, size_t count) {
  trace_step(&ground->trace, subsystem, step, node, fields, count);
}
static inline void ground_fault(struct ground *ground, enum sim_fault fault, uint32_t fired) {
  trace_fault(&ground->trace, fault, fired);
}

/* --- Wake me at --- */

/* A tie key for an event with this stable identity. */
uint32_t ground_tie(struct ground *ground, uint32_t node, uint64_t identity);
/* Makes an event caused by the running one; its slot. The caller fills in the
 * rest and schedules it. Memory that runs out here is fatal: the arena bounds a
 * world. */
uint32_t ground_event(struct ground *ground, enum sim_event_kind kind, uint32_t node);
/* A time that has passed means now. Returns the event's id. */
uint64_t ground_schedule(struct ground *ground, uint32_t slot, uint64_t time_ns, uint32_t tie);
static inline struct sim_event *ground_event_at(struct ground *ground, uint32_t slot) {
  return timeline_event(&ground->timeline, slot);
}

#endif
