#include "sim/node/node.h"

static void push(struct sim_node *node, uint32_t number, uint64_t time_ns) {
  struct ground *ground = node->ground;
  struct sim_timer *timer = &node->timers[number];
  timer->generation++;
  timer->pending_ns = time_ns;
  if (time_ns == SIM_TIME_NEVER) return;
  uint32_t slot = ground_event(ground, SIM_EVENT_TIMER, node->number);
  struct sim_event *event = ground_event_at(ground, slot);
  event->cause = timer->cause;
  event->from = number;
  event->value = timer->generation;
  ground_schedule(ground, slot, time_ns, ground_tie(ground, node->number, sim_mix(ground_span(time_ns)) + number));
}

static uint64_t fires_at(const struct sim_node *node, const struct sim_timer *timer) {
  if (timer->deadline_ns == SIM_TIME_NEVER) return SIM_TIME_NEVER;
  uint64_t time_ns = clock_when(&node->clock, timer->deadline_ns);
  return time_ns < ground_now(node->ground) ? ground_now(node->ground) : time_ns;
}

void sim_timer_set(struct sim_node *node, uint32_t number, uint64_t mono_ns) {
  GROUND_ASSERT(node->ground, number < SIM_TIMERS_MAX);
  if (node->off) return;
  struct sim_timer *timer = &node->timers[number];
  if (timer->deadline_ns == mono_ns) return;
  timer->deadline_ns = mono_ns;
  timer->cause = node->ground->trace.event_id;
  uint64_t fields[] = {number, mono_ns};
  ground_trace(node->ground, SIM_SUB_NODE, SIM_STEP_NODE_TIMER, node->number, fields, 2);
  uint64_t time_ns = fires_at(node, timer);
  if (time_ns < timer->pending_ns) push(node, number, time_ns);
}

bool node_timer_due(struct sim_node *node, const struct sim_event *event) {
  struct sim_timer *timer = &node->timers[event->from];
  if (timer->generation != event->value) return false;
  timer->pending_ns = SIM_TIME_NEVER;
  uint64_t time_ns = fires_at(node, timer);
  if (time_ns > ground_now(node->ground)) {
    push(node, event->from, time_ns);
    return false;
  }
  timer->deadline_ns = SIM_TIME_NEVER;
  return true;
}

void node_timers_rearm(struct sim_node *node) {
  for (uint32_t i = 0; i < SIM_TIMERS_MAX; i++) {
    uint64_t time_ns = fires_at(node, &node->timers[i]);
    if (time_ns < node->timers[i].pending_ns) push(node, i, time_ns);
  }
}

void node_timers_clear(struct sim_node *node) {
  for (uint32_t i = 0; i < SIM_TIMERS_MAX; i++) {
    struct sim_timer *timer = &node->timers[i];
    timer->deadline_ns = timer->pending_ns = SIM_TIME_NEVER;
    timer->generation++;
  }
}
