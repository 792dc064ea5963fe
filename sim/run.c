#include "sim/node.h"

#include "sim/trace_record.h"

static void trace_event(struct sim_world *world, const struct sim_event *event) {
  struct sim *sim = world_sim(world);
  if (world->events_run >= sim->mark_due) {
    trace_mark(sim->marks, world); /* the chains after that many events */
    sim->mark_due = trace_marks_next(sim->marks, world->events_run);
  }
  world->events_run++;
  world->event_id = event->id;
  world->event_cause = event->cause;
  if (world_sim(world)->has_reseeds) world_reseed(world, event->id);
  uint64_t fields[] = {event->kind, event->cause, event->from, event->value};
  sim_trace(world, SIM_SUB_TIMELINE, SIM_STEP_EVENT, event->node, fields, 4);
}

/* --- Each kind of event. The slot is released already. true: it counted. --- */

static bool run_message(struct sim_world *world, struct sim_node *node, const struct sim_event *event) {
  trace_event(world, event);
  if (node->run_state != SIM_NODE_UP) {
    network_drop(world, event, NETWORK_RECEIVER_DOWN);
    return true;
  }
  uint64_t fields[] = {event->from, event->size, event->value};
  sim_trace(world, SIM_SUB_NETWORK, SIM_STEP_DELIVER, node->number, fields, 3);
  node_begin(node);
  node->kind->message(node, node->state, event->from, event->payload, event->size);
  node_end(node);
  network_free(world, event);
  return true;
}

static bool run_timer(struct sim_world *world, struct sim_node *node, const struct sim_event *event) {
  if (!node_timer_due(node, event)) return false;
  trace_event(world, event);
  node_begin(node);
  node->kind->timer(node, node->state, event->from);
  node_end(node);
  return true;
}

static bool run_disk(struct sim_world *world, struct sim_node *node, const struct sim_event *event) {
  if (event->life != node->lives) return false;
  trace_event(world, event);
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
  bool counted = false;
  if (node->busy_until_ns <= world->now_ns) {
    uint32_t slot = node->waiting_first - 1;
    struct sim_event waiting = *timeline_event(&world->timeline, slot);
    node->waiting_first = waiting.next;
    if (waiting.next == 0) node->waiting_last = 0;
    timeline_release(&world->timeline, slot);
    counted = run_for_node(world, node, &waiting);
  }
  node_schedule_drain(node);
  return counted;
}

/* An entry that nothing waits for any more, so that it must not be held. */
static bool is_stale(const struct sim_node *node, const struct sim_event *event) {
  if (event->kind == SIM_EVENT_DISK) return event->life != node->lives;
  return event->kind == SIM_EVENT_TIMER && node->timers[event->from].generation != event->value;
}

static bool dispatch(struct sim_world *world, uint32_t slot) {
  struct sim_event event = *timeline_event(&world->timeline, slot);
  if (event.kind == SIM_EVENT_DRIVER) {
    timeline_release(&world->timeline, slot);
    trace_event(world, &event);
    const struct sim_driver *driver = &world->drivers[event.from];
    driver->wake(world, driver->self, event.value);
    return true;
  }
  if (event.kind == SIM_EVENT_NETWORK) {
    timeline_release(&world->timeline, slot);
    return network_event(world, &event);
  }
  struct sim_node *node = world->nodes[event.node - 1];
  if (event.kind == SIM_EVENT_STROBE) {
    timeline_release(&world->timeline, slot);
    return clock_strobes(node, &event);
  }
  if (event.kind == SIM_EVENT_DRAIN) {
    timeline_release(&world->timeline, slot);
    return run_drain(world, node, &event);
  }
  if (event.kind == SIM_EVENT_MESSAGE && world->link_count > 0) {
    enum network_fate fate = network_arrives(world, &event, slot);
    if (fate == NETWORK_HELD) return false;
    if (fate == NETWORK_LOST) {
      timeline_release(&world->timeline, slot);
      trace_event(world, &event);
      network_drop(world, &event, SIM_FAULT_NET_PARTITION);
      return true;
    }
  }
  bool alive = node->run_state == SIM_NODE_UP || node->run_state == SIM_NODE_PAUSED;
  if (alive && node_must_wait(node) && !is_stale(node, &event)) {
    node_wait(node, slot);
    return false;
  }
  timeline_release(&world->timeline, slot);
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
  uint64_t second = world->now_ns / SIM_SECOND;
  if (second != world->second) {
    world->second = second;
    world->second_events = 0;
  }
  if (++world->second_events > world->events_per_second_max) {
    sim_violation(world, "livelock", 0, NULL, "more than %llu events in one simulated second",
                  (unsigned long long)world->events_per_second_max);
  }
}

enum sim_end sim_run(struct sim *sim, uint64_t until_ns, uint64_t events_max) {
  struct sim_world *world = sim->world;
  world->stop = false;
  if (sim->marks != NULL) { /* a restore may have gone back */
    trace_marks_back_to(sim->marks, world->events_run);
    sim->mark_due = trace_marks_next(sim->marks, world->events_run);
  }
  uint64_t events = 0;
  for (;;) {
    if (world->violation.found) return SIM_END_VIOLATION;
    if (world->stop) return SIM_END_STOPPED;
    const struct timeline_entry *first = timeline_first(&world->timeline);
    if (first == NULL || first->time_ns > until_ns) {
      if (until_ns > world->now_ns && until_ns != SIM_TIME_NEVER) world->now_ns = until_ns;
      return first == NULL ? SIM_END_IDLE : SIM_END_TIME;
    }
    if (events >= events_max) return SIM_END_EVENTS;
    struct timeline_entry entry = timeline_pop(&world->timeline);
    world->now_ns = entry.time_ns;
    if (sim->progress != NULL)
      tell_progress(sim->progress, timeline_event(&world->timeline, entry.slot), entry.time_ns);
    if (dispatch(world, entry.slot)) {
      events++;
      spend_budget(world);
    }
  }
}

void sim_stop(struct sim_world *world) {
  world->stop = true;
}

static void calm_disk(struct sim_disk *disk) {
  const struct sim_disk_config *config = sim_disk_config(disk);
  struct sim_disk_config calm = {.on_crash = config->on_crash,
                                 .sector_bytes = config->sector_bytes,
                                 .handles_max = config->handles_max,
                                 .fsync_min_ns = config->fsync_min_ns,
                                 .fsync_max_ns = config->fsync_max_ns};
  sim_disk_configure(disk, &calm);
}

void sim_calm(struct sim_world *world) {
  network_calm(world);
  for (uint32_t number = 1; number <= world->node_count; number++) {
    struct sim_node *node = sim_node_at(world, number);
    calm_disk(node->disk);
    node->alloc_fail_in = 0;
    node->nominal_quota = 0;
    sim_node_arm(world, number, 0, false);
    sim_clock_rate(world, number, 0);
    sim_clock_freeze(world, number, false);
    sim_clock_strobe(world, number, 0, 1, 0);
    sim_node_resume(world, number);
  }
}
