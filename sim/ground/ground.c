#include "sim/ground/ground.h"

void ground_init(struct ground *ground, const struct memory *memory, uint64_t seed, bool shuffle) {
  ground->memory = *memory;
  choices_init(&ground->choices, &ground->memory, seed);
  trace_init(&ground->trace, &ground->memory);
  timeline_init(&ground->timeline);
  ground->shuffle = shuffle;
}

uint32_t ground_tie(struct ground *ground, uint32_t node, uint64_t identity) {
  if (!ground->shuffle) return 0;
  return (uint32_t)ground_pick(ground, sim_tag(SIM_CHOICE_TIE, node, identity), UINT64_C(1) << 32);
}

uint32_t ground_event(struct ground *ground, enum sim_event_kind kind, uint32_t node) {
  uint32_t slot = timeline_slot(&ground->timeline, &ground->memory);
  GROUND_ASSERT(ground, slot != UINT32_MAX);
  *ground_event_at(ground, slot) = (struct sim_event){.cause = ground->trace.event_id, .kind = kind, .node = node};
  return slot;
}

uint64_t ground_schedule(struct ground *ground, uint32_t slot, uint64_t time_ns, uint32_t tie) {
  if (time_ns < ground_now(ground)) time_ns = ground_now(ground);
  uint64_t id = timeline_push(&ground->timeline, &ground->memory, time_ns, tie, slot);
  GROUND_ASSERT(ground, id != 0);
  ground_event_at(ground, slot)->id = id;
  return id;
}
