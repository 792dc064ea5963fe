#include "sim/world/world.h"

/* The event begins. */
static void begin(struct sim_world *world, const struct sim_event *event) {
  struct trace *trace = &world->ground.trace;
  if (world_sim(world)->seat.has_reseeds) choices_reseed(&world->ground.choices, event->id);
  trace_event(trace, event->id, event->cause, event->node, (enum sim_event_kind)event->kind, event->from, event->value);
}

/* --- Each kind of event. The slot is released already. true: it counted. --- */

static bool run_message(struct sim_world *world, struct sim_node *node, const struct sim_event *event) {
  begin(world, event);
  if (node->run_state != SIM_NODE_UP) {
    network_drop(&world->network, event, SIM_DROP_RECEIVER_DOWN);
    return true;
  }
  uint64_t fields[] = {event->from, event->size, event->value};
  ground_trace(&world->ground, SIM_SUB_NETWORK, SIM_STEP_DELIVER, node->number, fields, 3);
  node_begin(node);
  node->kind->message(node, node->state, event->from, event->payload, event->size);
  node_end(node);
  network_delivered(&world->network, event);
  network_free(&world->network, event);
  return true;
}

static bool run_timer(struct sim_world *world, struct sim_node *node, const struct sim_event *event) {
  if (!node_timer_due(node, event)) return false;
  begin(world, event);
  node_begin(node);
  node->kind->timer(node, node->state, event->from);
  node_end(node);
  return true;
}

static bool run_disk(struct sim_world *world, struct sim_node *node, const struct sim_event *event) {
  if (event->life != sim_disk_life(node->disk)) return false;
  begin(world, event);
  uint64_t token = 0;
  int result = sim_disk_fsync_finish(node->disk, event->value, &token);
  node_begin(node);
  node->kind->disk_done(node, node->state, token, result);
  node_end(node);
  return true;
}

static bool run_for_node(struct sim_world *world, struct sim_node *node, const struct sim_event *event) {
  switch (event->kind) {
  case SIM_EVENT_MESSAGE:
    return run_message(world, node, event);
  case SIM_EVENT_TIMER:
    return run_timer(world, node, event);
  default:
    return run_disk(world, node, event);
  }
}

static bool run_drain(struct sim_world *world, struct sim_node *node, const struct sim_event *event) {
  if (event->life != node->lives) return false;
  node->drain_pending = false;
  if (node->run_state != SIM_NODE_UP || node->waiting_first == 0) return false;
  struct sim_event waiting;
  bool counted = node_take_waiting(node, &waiting) && run_for_node(world, node, &waiting);
  node_schedule_drain(node);
  return counted;
}

/* An entry that nothing waits for any more, so that it must not be held. */
static bool is_stale(const struct sim_node *node, const struct sim_event *event) {
  if (event->kind == SIM_EVENT_DISK) return event->life != sim_disk_life(node->disk);
  return event->kind == SIM_EVENT_TIMER && node->timers[event->from].generation != event->value;
}

static bool dispatch(struct sim_world *world, uint32_t slot) {
  struct sim_event event = *ground_event_at(&world->ground, slot);
  if (event.kind == SIM_EVENT_DRIVER) {
    timeline_release(&world->ground.timeline, slot);
    begin(world, &event);
    const struct sim_driver *driver = &world->drivers[event.from];
    driver->wake(world, driver->self, event.value);
    return true;
  }
  if (event.kind == SIM_EVENT_NETWORK) {
    timeline_release(&world->ground.timeline, slot);
    return network_event(&world->network, &event);
  }
  struct sim_node *node = world->nodes.nodes[event.node - 1];
  if (event.kind == SIM_EVENT_STROBE) {
    timeline_release(&world->ground.timeline, slot);
    return clock_strobes(&node->clock, &event);
  }
  if (event.kind == SIM_EVENT_DRAIN) {
    timeline_release(&world->ground.timeline, slot);
    return run_drain(world, node, &event);
  }
  if (event.kind == SIM_EVENT_MESSAGE) {
    enum network_fate fate = network_arrives(&world->network, &event, slot);
    if (fate == NETWORK_HELD) return false;
    if (fate == NETWORK_LOST) {
      timeline_release(&world->ground.timeline, slot);
      begin(world, &event);
      network_drop(&world->network, &event, SIM_FAULT_NET_PARTITION);
      return true;
    }
  }
  bool alive = node->run_state == SIM_NODE_UP || node->run_state == SIM_NODE_PAUSED;
  if (alive && node_must_wait(node) && !is_stale(node, &event)) {
    node_wait(node, slot);
    return false;
  }
  timeline_release(&world->ground.timeline, slot);
  return run_for_node(world, node, &event);
}

static void tell_progress(struct sim_progress *progress, const struct sim_event *event, uint64_t time_ns) {
  progress->steps++;
  progress->now_ns = time_ns;
  progress->kinds[event->kind % SIM_PROGRESS_KINDS]++;
  progress->kind = event->kind;
  progress->node = event->node;
}

/* Counts an event against the simulated second in which it ran. */
static void spend_budget(struct sim_world *world) {
  uint64_t second = sim_now(world) / SIM_SECOND;
  if (second != world->second) {
    world->second = second;
    world->second_events = 0;
  }
  if (++world->second_events > world->events_per_second_max) {
    sim_violation(world, "livelock", 0, NULL, "more than %llu events in one simulated second",
                  (unsigned long long)world->events_per_second_max);
  }
}

/* What was asked for by the event that ran last, before all that waits on the timeline. */
static void run_next(struct sim *sim, struct sim_world *world) {
  uint32_t slot = world->next_first - 1;
  const struct sim_event *event = timeline_event(&world->ground.timeline, slot);
  world->next_first = event->next;
  if (sim->progress != NULL) tell_progress(sim->progress, event, sim_now(world));
  (void)dispatch(world, slot);
  spend_budget(world);
}

enum sim_end sim_run(struct sim *sim, uint64_t until_ns, uint64_t events_max) {
  struct sim_world *world = sim->world;
  world->stop = false;
  trace_marks_resume(&world->ground.trace); /* a restore may have gone back */
  uint64_t *now_ns = &world->ground.trace.now_ns;
  uint64_t events = 0;
  for (;;) {
    if (world->ground.trace.violation.found) return SIM_END_VIOLATION;
    if (world->stop) return SIM_END_STOPPED;
    if (world->next_first != 0) {
      if (events >= events_max) return SIM_END_EVENTS;
      events++;
      run_next(sim, world);
      continue;
    }
    const struct timeline_entry *first = timeline_first(&world->ground.timeline);
    if (first == NULL || first->time_ns > until_ns) {
      if (until_ns > *now_ns && until_ns != SIM_TIME_NEVER) *now_ns = until_ns;
      return first == NULL ? SIM_END_IDLE : SIM_END_TIME;
    }
    if (events >= events_max) return SIM_END_EVENTS;
    struct timeline_entry entry = timeline_pop(&world->ground.timeline);
    *now_ns = entry.time_ns;
    if (sim->progress != NULL)
      tell_progress(sim->progress, timeline_event(&world->ground.timeline, entry.slot), entry.time_ns);
    if (dispatch(world, entry.slot)) {
      events++;
      spend_budget(world);
    }
  }
}

void sim_stop(struct sim_world *world) {
  world->stop = true;
}

void sim_calm(struct sim_world *world) {
  network_calm(&world->network);
  for (uint32_t number = 1; number <= sim_node_count(world); number++)
    node_calm(sim_node_at(world, number));
}
