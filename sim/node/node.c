#include "sim/node/node.h"

#include <string.h>

/* What the sender's kind calls the message. */
static uint32_t sort_of(void *self, uint32_t from, const void *bytes, size_t size) {
  struct nodes *nodes = self;
  const struct sim_node_kind *kind = nodes_at(nodes, from)->kind;
  return kind->classify != NULL ? kind->classify(bytes, size) : 0;
}

void nodes_init(struct nodes *nodes, struct ground *ground, struct network *network, struct sim_world *world,
                const struct node_options *options) {
  memset(nodes, 0, sizeof *nodes);
  nodes->ground = ground;
  nodes->network = network;
  nodes->world = world;
  nodes->options = *options;
  network->sort = sort_of;
  network->sort_self = nodes;
}

uint32_t nodes_add(struct nodes *nodes, const struct sim_node_kind *kind, const void *config, size_t config_size) {
  struct ground *ground = nodes->ground;
  GROUND_ASSERT(ground, nodes->count < SIM_NODES_MAX);
  void *all = nodes->nodes;
  if (!memory_array_grow(&ground->memory, &all, &nodes->capacity, nodes->count, sizeof(struct sim_node *))) return 0;
  nodes->nodes = all;
  struct sim_node *node = ground_alloc(ground, sizeof *node);
  if (node == NULL) return 0;
  memset(node, 0, sizeof *node);
  if (config_size > 0) {
    node->config = ground_alloc(ground, config_size);
    if (node->config == NULL) return 0;
    memcpy(node->config, config, config_size);
    node->config_size = config_size;
  }
  node->nodes = nodes;
  node->ground = ground;
  node->env = (struct sync_env){&sim_node_env_ops, node};
  node->kind = kind;
  node->number = nodes->count + 1;
  node->clock.ground = ground;
  node->clock.node = node->number;
  node->clock.wall_ns = nodes->options.wall_start_ns + ground_now(ground);
  node->clock.since_ns = ground_now(ground);
  node_timers_clear(node);
  node->disk = sim_disk_create(ground, node->number, &nodes->options.disk);
  if (node->disk == NULL) return 0;
  nodes->nodes[nodes->count++] = node;
  network_grow(nodes->network, nodes->count);
  return node->number;
}

struct sim_node *nodes_at(struct nodes *nodes, uint32_t number) {
  GROUND_ASSERT(nodes->ground, number >= 1 && number <= nodes->count);
  return nodes->nodes[number - 1];
}

void node_fatal(struct sim_node *node, const char *file, int line, const char *what) {
  if (node->nodes->running == NULL) node->nodes->running = node;
  memory_fatal(&node->ground->memory, true, file, line, what);
}

uint32_t sim_node_number(const struct sim_node *node) {
  return node->number;
}

struct sim_world *sim_node_world(struct sim_node *node) {
  return node->nodes->world;
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

const char *sim_call_name(enum sim_call call) {
  static const char *const names[SIM_CALL_COUNT] = {
      [SIM_CALL_OPEN] = "open",           [SIM_CALL_CLOSE] = "close",
      [SIM_CALL_READ] = "read",           [SIM_CALL_WRITE] = "write",
      [SIM_CALL_TRUNCATE] = "truncate",   [SIM_CALL_SIZE] = "size",
      [SIM_CALL_RENAME] = "rename",       [SIM_CALL_UNLINK] = "unlink",
      [SIM_CALL_LIST] = "list",           [SIM_CALL_FSYNC_FILE] = "fsync_file",
      [SIM_CALL_FSYNC_DIR] = "fsync_dir", [SIM_CALL_ALLOC] = "alloc",
      [SIM_CALL_FREE] = "free",           [SIM_CALL_CLOCK] = "clock",
      [SIM_CALL_UNIQUE] = "unique",       [SIM_CALL_PICK] = "pick",
      [SIM_CALL_SEND] = "send",
  };
  return (unsigned)call < SIM_CALL_COUNT ? names[call] : NULL;
}

static void node_die(struct sim_node *node, enum sim_node_down why);

static void set_call_limit(struct sim_node *node) {
  node->call_limit = node->armed_left != 0 ? 0 : node->budget_end;
}

static void cut_power(struct sim_node *node, bool process) {
  node->off = true;
  node->refusals++;
  node->off_process = process;
  node->call_limit = 0;
  node->budget_end = node->calls + node->nodes->options.calls_per_event_max;
}

bool node_call_slow(struct sim_node *node, uint32_t kinds) {
  if (!node->entered) { /* somebody looks at the state: that is no call */
    node->calls--;
    return true;
  }
  if (node->off) {
    if (node->calls >= node->budget_end) node_fatal(node, __FILE__, __LINE__, "unwinds after power loss");
    return false;
  }
  if (node->armed_left != 0 && (kinds & node->armed_calls) != 0 && --node->armed_left == 0) {
    ground_fault(node->ground, node->armed_process ? SIM_FAULT_PROCESS_CRASH : SIM_FAULT_POWER_LOSS_IN_CALL, 1);
    cut_power(node, node->armed_process);
    return false;
  }
  if (node->calls >= node->budget_end) {
    trace_violation(&node->ground->trace, "livelock", node->number, NULL,
                    "node %u made %llu environment calls in one event", node->number,
                    (unsigned long long)node->nodes->options.calls_per_event_max);
    cut_power(node, true);
    return false;
  }
  return true;
}

void node_begin(struct sim_node *node) {
  struct nodes *nodes = node->nodes;
  GROUND_ASSERT(node->ground, nodes->running == NULL);
  nodes->running = node;
  nodes->events++;
  node->entered = true;
  node->off = false;
  node->budget_end = node->calls + node->nodes->options.calls_per_event_max;
  set_call_limit(node);
}

bool node_end(struct sim_node *node) {
  GROUND_ASSERT(node->ground, node->nodes->running == node);
  node->nodes->running = NULL;
  node->entered = false;
  node->call_limit = 0;
  if (!node->off) return true;
  node_die(node, node->off_process ? SIM_DOWN_PROCESS_CRASH : SIM_DOWN_POWER_LOSS);
  node->off = false;
  return false;
}

void node_arm(struct sim_node *node, uint32_t calls, uint64_t nth, bool process) {
  node->armed_left = nth;
  node->armed_calls = calls;
  node->armed_process = process;
  if (node->entered && !node->off) set_call_limit(node);
}

/* --- What waits for a busy or paused node --- */

bool node_must_wait(const struct sim_node *node) {
  return node->waiting_first != 0 || node->run_state == SIM_NODE_PAUSED ||
         sim_disk_busy_until(node->disk) > ground_now(node->ground);
}

void node_wait(struct sim_node *node, uint32_t slot) {
  struct timeline *timeline = &node->ground->timeline;
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
  struct ground *ground = node->ground;
  if (node->waiting_first == 0 || node->drain_pending || node->run_state == SIM_NODE_PAUSED) return;
  uint32_t slot = ground_event(ground, SIM_EVENT_DRAIN, node->number);
  ground_event_at(ground, slot)->life = node->lives;
  ground_schedule(ground, slot, sim_disk_busy_until(node->disk), 0);
  node->drain_pending = true;
}

/* The first that waits, off the list; its slot is released. */
static struct sim_event take_first(struct sim_node *node) {
  struct timeline *timeline = &node->ground->timeline;
  uint32_t slot = node->waiting_first - 1;
  struct sim_event event = *timeline_event(timeline, slot);
  node->waiting_first = event.next;
  if (event.next == 0) node->waiting_last = 0;
  timeline_release(timeline, slot);
  return event;
}

bool node_take_waiting(struct sim_node *node, struct sim_event *event) {
  if (sim_disk_busy_until(node->disk) > ground_now(node->ground)) return false;
  *event = take_first(node);
  return true;
}

static void drop_waiting(struct sim_node *node) {
  node->drain_pending = false;
  while (node->waiting_first != 0) {
    struct sim_event event = take_first(node);
    if (event.kind == SIM_EVENT_MESSAGE) network_drop(node->nodes->network, &event, SIM_DROP_RECEIVER_DOWN);
  }
}

/* --- Lifecycle --- */

static void tell_lifecycle(struct sim_node *node, bool up, enum sim_node_down why) {
  const struct nodes *nodes = node->nodes;
  if (nodes->lifecycle != NULL) nodes->lifecycle(nodes->world, nodes->lifecycle_self, node->number, up, why);
}

static void happened(const struct sim_node *node, enum sim_happening_kind kind, const uint64_t *fields, size_t count) {
  const struct trace *trace = &node->ground->trace;
  if (trace_watched(trace, kind)) trace_happened(trace, kind, node->number, fields, count, NULL);
}

/* It loses its process, and its power when `why` says so. */
static void node_die(struct sim_node *node, enum sim_node_down why) {
  bool was_alive = node->heap != NULL;
  drop_waiting(node);
  node_timers_clear(node);
  node->run_state = why == SIM_DOWN_REFUSED ? SIM_NODE_REFUSED : SIM_NODE_DOWN;
  node->lives++;
  node->state = NULL;
  node->nominal_bytes = 0;
  if (was_alive) {
    sim_heap_drop(node->ground->memory.arena, node->heap);
    node->heap = NULL;
  }
  uint64_t fields[] = {(uint64_t)why};
  ground_trace(node->ground, SIM_SUB_NODE, SIM_STEP_NODE_DOWN, node->number, fields, 1);
  if (why == SIM_DOWN_POWER_LOSS) {
    node->powered = false;
    sim_disk_power_loss(node->disk);
  } else {
    sim_disk_process_crash(node->disk);
  }
  if (!was_alive) return;
  tell_lifecycle(node, false, why);
  happened(node, SIM_HAPPENED_DOWN, fields, 1);
}

bool node_boot(struct sim_node *node) {
  if (node->heap != NULL) return true;
  node->heap = sim_heap_create(node->ground->memory.arena);
  node->write_failed = false;
  GROUND_ASSERT(node->ground, node->heap != NULL);
  node->lives++;
  if (!node->powered) { /* the monotonic clock begins with the machine */
    node->powered = true;
    clock_rebase(&node->clock, ground_now(node->ground));
    node->clock.mono_ns = 0;
  }
  ground_trace(node->ground, SIM_SUB_NODE, SIM_STEP_NODE_BOOT, node->number, &node->lives, 1);
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
  happened(node, SIM_HAPPENED_BOOT, NULL, 0);
  return true;
}

void node_power_loss(struct sim_node *node) {
  GROUND_ASSERT(node->ground, !node->entered);
  if (!node->powered) return;
  ground_fault(node->ground, SIM_FAULT_POWER_LOSS, 1);
  node_die(node, SIM_DOWN_POWER_LOSS);
}

void node_process_crash(struct sim_node *node) {
  GROUND_ASSERT(node->ground, !node->entered);
  if (node->heap == NULL) return;
  ground_fault(node->ground, SIM_FAULT_PROCESS_CRASH, 1);
  node_die(node, SIM_DOWN_PROCESS_CRASH);
}

uint64_t node_stop(struct sim_node *node) {
  GROUND_ASSERT(node->ground, !node->entered);
  if (node->heap == NULL) return 0;
  node_begin(node);
  node->kind->stop(node, node->state);
  if (!node_end(node)) return 0;
  uint64_t leaked = sim_heap_blocks(node->heap);
  node_die(node, SIM_DOWN_STOP);
  return leaked;
}

static void trace_pause(struct sim_node *node, uint64_t paused) {
  ground_trace(node->ground, SIM_SUB_NODE, SIM_STEP_NODE_PAUSE, node->number, &paused, 1);
}

void node_pause(struct sim_node *node) {
  GROUND_ASSERT(node->ground, !node->entered);
  if (node->run_state != SIM_NODE_UP) return;
  ground_fault(node->ground, SIM_FAULT_PAUSE, 1);
  node->run_state = SIM_NODE_PAUSED;
  trace_pause(node, 1);
}

void node_resume(struct sim_node *node) {
  if (node->run_state != SIM_NODE_PAUSED) return;
  node->run_state = SIM_NODE_UP;
  trace_pause(node, 0);
  node_schedule_drain(node);
}

void node_wipe(struct sim_node *node) {
  GROUND_ASSERT(node->ground, node->heap == NULL);
  ground_fault(node->ground, SIM_FAULT_WIPE, 1);
  ground_trace(node->ground, SIM_SUB_NODE, SIM_STEP_NODE_WIPE, node->number, NULL, 0);
  sim_disk_wipe(node->disk);
}

bool node_restore(struct sim_node *node) {
  GROUND_ASSERT(node->ground, node->heap == NULL);
  bool restored = sim_disk_image_restore(node->disk);
  ground_fault(node->ground, SIM_FAULT_RESTORE, restored);
  uint64_t fields[] = {restored};
  ground_trace(node->ground, SIM_SUB_NODE, SIM_STEP_NODE_RESTORE, node->number, fields, 1);
  return restored;
}

/* --- Calm --- */

static void calm_disk(struct sim_disk *disk) {
  const struct sim_disk_config *config = sim_disk_config(disk);
  struct sim_disk_config calm = {.on_crash = config->on_crash,
                                 .sector_bytes = config->sector_bytes,
                                 .fsync_min_ns = config->fsync_min_ns,
                                 .fsync_max_ns = config->fsync_max_ns};
  sim_disk_configure(disk, &calm);
}

void node_clock_rate(struct sim_node *node, int32_t ppm) {
  clock_rate(&node->clock, ppm);
  node_timers_rearm(node);
}

void node_calm(struct sim_node *node) {
  calm_disk(node->disk);
  node->alloc_fail_in = 0;
  node->nominal_quota = 0;
  node_arm(node, 0, 0, false);
  node_clock_rate(node, 0);
  clock_freeze(&node->clock, false);
  clock_strobe(&node->clock, 0, 1, 0);
  node_resume(node);
}
