#include "sim/node/node.h"

#include <string.h>

uint32_t sim_node_add(struct sim_world *world, const struct sim_node_kind *kind, const void *config,
                      size_t config_size) {
  SIM_ASSERT(world, world->node_count < SIM_NODES_MAX);
  void *nodes = world->nodes;
  if (!sim_array_grow(world, &nodes, &world->node_capacity, world->node_count, sizeof(struct sim_node *))) return 0;
  world->nodes = nodes;
  struct sim_node *node = sim_alloc(world, sizeof *node);
  if (node == NULL) return 0;
  memset(node, 0, sizeof *node);
  if (config_size > 0) {
    node->config = sim_alloc(world, config_size);
    if (node->config == NULL) return 0;
    memcpy(node->config, config, config_size);
    node->config_size = config_size;
  }
  node->world = world;
  node->env = (struct sync_env){&sim_node_env_ops, node};
  node->kind = kind;
  node->number = world->node_count + 1;
  node->clock.wall_ns = world->wall_start_ns + world->now_ns;
  node->clock.since_ns = world->now_ns;
  node_timers_clear(node);
  node->disk = sim_disk_create(world, node->number, &world->disk);
  if (node->disk == NULL) return 0;
  world->nodes[world->node_count++] = node;
  return node->number;
}

uint32_t sim_node_count(const struct sim_world *world) {
  return world->node_count;
}

struct sim_node *sim_node_at(struct sim_world *world, uint32_t number) {
  SIM_ASSERT(world, number >= 1 && number <= world->node_count);
  return world->nodes[number - 1];
}

uint32_t sim_node_number(const struct sim_node *node) {
  return node->number;
}

struct sim_world *sim_node_world(struct sim_node *node) {
  return node->world;
}

const struct sync_env *sim_node_env(struct sim_node *node) {
  return &node->env;
}

struct sim_disk *sim_node_disk(struct sim_node *node) {
  return node->disk;
}

enum sim_node_state sim_node_state(const struct sim_node *node) {
  return (enum sim_node_state)node->run_state;
}

uint64_t sim_node_calls(const struct sim_node *node) {
  return node->calls;
}

uint64_t sim_node_lives(const struct sim_node *node) {
  return node->lives;
}

/* --- Calls --- */

static void set_call_limit(struct sim_node *node) {
  node->call_limit = node->budget_end;
  if (node->armed_at != 0 && node->armed_at < node->call_limit) node->call_limit = node->armed_at;
}

static void cut_power(struct sim_node *node, bool process) {
  node->off = true;
  node->off_process = process;
  node->call_limit = 0;
  node->budget_end = node->calls + node->world->calls_per_event_max;
}

bool node_call_slow(struct sim_node *node) {
  struct sim_world *world = node->world;
  if (!node->entered) { /* somebody looks at the state: that is no call */
    node->calls--;
    return true;
  }
  if (node->off) {
    if (node->calls >= node->budget_end) world_fatal(world, true, __FILE__, __LINE__, "unwinds after power loss");
    return false;
  }
  if (node->armed_at != 0 && node->calls >= node->armed_at) {
    node->armed_at = 0;
    sim_fault_chance(world, node->armed_process ? SIM_FAULT_PROCESS_CRASH : SIM_FAULT_POWER_LOSS_IN_CALL, 1);
    cut_power(node, node->armed_process);
    return false;
  }
  if (node->calls >= node->budget_end) {
    sim_violation(world, "livelock", node->number, NULL, "node %u made %llu environment calls in one event",
                  node->number, (unsigned long long)world->calls_per_event_max);
    cut_power(node, true);
    return false;
  }
  return true;
}

void node_begin(struct sim_node *node) {
  struct sim_world *world = node->world;
  SIM_ASSERT(world, world->running == NULL);
  world->running = node;
  world->node_events++;
  node->entered = true;
  node->off = false;
  node->budget_end = node->calls + world->calls_per_event_max;
  set_call_limit(node);
}

bool node_end(struct sim_node *node) {
  SIM_ASSERT(node->world, node->world->running == node);
  node->world->running = NULL;
  node->entered = false;
  node->call_limit = 0;
  if (!node->off) return true;
  node_die(node, node->off_process ? SIM_DOWN_PROCESS_CRASH : SIM_DOWN_POWER_LOSS);
  node->off = false;
  return false;
}

void sim_node_arm(struct sim_world *world, uint32_t number, uint64_t calls, bool process) {
  struct sim_node *node = sim_node_at(world, number);
  SIM_ASSERT(world, calls <= UINT64_MAX / 2);
  node->armed_at = calls == 0 ? 0 : node->calls + calls;
  node->armed_process = process;
  if (node->entered && !node->off) set_call_limit(node);
}

void sim_node_fail_alloc(struct sim_world *world, uint32_t number, uint64_t count) {
  sim_node_at(world, number)->alloc_fail_in = count;
}

void sim_node_memory_quota(struct sim_world *world, uint32_t number, uint64_t nominal_bytes) {
  sim_node_at(world, number)->nominal_quota = nominal_bytes;
}

/* --- What waits for a busy or paused node --- */

bool node_must_wait(const struct sim_node *node) {
  return node->waiting_first != 0 || node->run_state == SIM_NODE_PAUSED || node->busy_until_ns > node->world->now_ns;
}

void node_wait(struct sim_node *node, uint32_t slot) {
  struct timeline *timeline = &node->world->timeline;
  timeline_event(timeline, slot)->next = 0;
  if (node->waiting_first == 0) {
    node->waiting_first = slot + 1;
  } else {
    timeline_event(timeline, node->waiting_last - 1)->next = slot + 1;
  }
  node->waiting_last = slot + 1;
  node_schedule_drain(node);
}

void node_schedule_drain(struct sim_node *node) {
  struct sim_world *world = node->world;
  if (node->waiting_first == 0 || node->drain_pending || node->run_state == SIM_NODE_PAUSED) return;
  uint32_t slot = world_event(world, SIM_EVENT_DRAIN, node->number);
  timeline_event(&world->timeline, slot)->life = node->lives;
  world_schedule(world, slot, node->busy_until_ns, 0);
  node->drain_pending = true;
}

static void drop_waiting(struct sim_node *node) {
  struct sim_world *world = node->world;
  uint32_t waiting = node->waiting_first;
  node->waiting_first = node->waiting_last = 0;
  node->drain_pending = false;
  while (waiting != 0) {
    uint32_t slot = waiting - 1;
    struct sim_event event = *timeline_event(&world->timeline, slot);
    waiting = event.next;
    timeline_release(&world->timeline, slot);
    if (event.kind == SIM_EVENT_MESSAGE) network_drop(world, &event, NETWORK_RECEIVER_DOWN);
  }
}

void sim_node_busy(struct sim_world *world, uint32_t number, uint64_t ns) {
  struct sim_node *node = sim_node_at(world, number);
  uint64_t from = node->busy_until_ns > world->now_ns ? node->busy_until_ns : world->now_ns;
  node->busy_until_ns = ns > UINT64_MAX - from ? UINT64_MAX : from + ns;
}

/* --- Lifecycle --- */

static void tell_lifecycle(struct sim_node *node, bool up, enum sim_node_down why) {
  struct sim_world *world = node->world;
  if (world->lifecycle != NULL) world->lifecycle(world, world->lifecycle_self, node->number, up, why);
}

void sim_on_node_trace(struct sim_world *world, sim_node_trace_fn traced, void *self) {
  world->node_trace = traced;
  world->node_trace_self = self;
}

void sim_on_lifecycle(struct sim_world *world, sim_lifecycle_fn changed, void *self) {
  world->lifecycle = changed;
  world->lifecycle_self = self;
}

void node_die(struct sim_node *node, enum sim_node_down why) {
  struct sim_world *world = node->world;
  bool was_alive = node->heap != NULL;
  drop_waiting(node);
  node_timers_clear(node);
  node->run_state = why == SIM_DOWN_REFUSED ? SIM_NODE_REFUSED : SIM_NODE_DOWN;
  node->lives++;
  node->state = NULL;
  node->busy_until_ns = 0;
  node->nominal_bytes = 0;
  if (was_alive) {
    sim_heap_drop(world->arena, node->heap);
    node->heap = NULL;
  }
  uint64_t fields[] = {(uint64_t)why};
  sim_trace(world, SIM_SUB_NODE, SIM_STEP_NODE_DOWN, node->number, fields, 1);
  if (why == SIM_DOWN_POWER_LOSS) {
    node->powered = false;
    sim_disk_power_loss(node->disk);
  } else {
    sim_disk_process_crash(node->disk);
  }
  if (was_alive) tell_lifecycle(node, false, why);
}

bool sim_node_boot(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  if (node->heap != NULL) return true;
  node->heap = sim_heap_create(world->arena);
  SIM_ASSERT(world, node->heap != NULL);
  node->lives++;
  if (!node->powered) { /* the monotonic clock begins with the machine */
    node->powered = true;
    clock_rebase(&node->clock, world->now_ns);
    node->clock.mono_ns = 0;
  }
  sim_trace(world, SIM_SUB_NODE, SIM_STEP_NODE_BOOT, number, &node->lives, 1);
  node->run_state = SIM_NODE_UP;
  node_begin(node);
  void *state = node->kind->boot(node, node->config);
  if (!node_end(node)) return false;
  if (state == NULL) {
    node_die(node, SIM_DOWN_REFUSED);
    return false;
  }
  node->state = state;
  tell_lifecycle(node, true, (enum sim_node_down)0);
  return true;
}

void sim_node_power_loss(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  SIM_ASSERT(world, !node->entered);
  if (!node->powered) return;
  sim_fault_chance(world, SIM_FAULT_POWER_LOSS, 1);
  node_die(node, SIM_DOWN_POWER_LOSS);
}

void sim_node_process_crash(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  SIM_ASSERT(world, !node->entered);
  if (node->heap == NULL) return;
  sim_fault_chance(world, SIM_FAULT_PROCESS_CRASH, 1);
  node_die(node, SIM_DOWN_PROCESS_CRASH);
}

uint64_t sim_node_stop(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  SIM_ASSERT(world, !node->entered);
  if (node->heap == NULL) return 0;
  node_begin(node);
  node->kind->stop(node, node->state);
  if (!node_end(node)) return 0;
  uint64_t leaked = sim_heap_blocks(node->heap);
  node_die(node, SIM_DOWN_STOP);
  return leaked;
}

static void trace_pause(struct sim_node *node, uint64_t paused) {
  sim_trace(node->world, SIM_SUB_NODE, SIM_STEP_NODE_PAUSE, node->number, &paused, 1);
}

void sim_node_pause(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  SIM_ASSERT(world, !node->entered);
  if (node->run_state != SIM_NODE_UP) return;
  sim_fault_chance(world, SIM_FAULT_PAUSE, 1);
  node->run_state = SIM_NODE_PAUSED;
  trace_pause(node, 1);
}

void sim_node_resume(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  if (node->run_state != SIM_NODE_PAUSED) return;
  node->run_state = SIM_NODE_UP;
  trace_pause(node, 0);
  node_schedule_drain(node);
}

void sim_node_wipe(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  SIM_ASSERT(world, node->heap == NULL);
  sim_fault_chance(world, SIM_FAULT_WIPE, 1);
  sim_trace(world, SIM_SUB_NODE, SIM_STEP_NODE_WIPE, number, NULL, 0);
  sim_disk_wipe(node->disk);
}

bool sim_node_restore(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  SIM_ASSERT(world, node->heap == NULL);
  bool restored = sim_disk_image_restore(node->disk);
  sim_fault_chance(world, SIM_FAULT_RESTORE, restored);
  uint64_t fields[] = {restored};
  sim_trace(world, SIM_SUB_NODE, SIM_STEP_NODE_RESTORE, number, fields, 1);
  return restored;
}

void *sim_node_enter(struct sim_world *world, uint32_t number) {
  struct sim_node *node = sim_node_at(world, number);
  if (node->run_state != SIM_NODE_UP) return NULL;
  node_begin(node);
  return node->state;
}

bool sim_node_leave(struct sim_world *world, uint32_t number) {
  return node_end(sim_node_at(world, number));
}

void *sim_node_peek(struct sim_world *world, uint32_t number) {
  return sim_node_at(world, number)->state;
}
