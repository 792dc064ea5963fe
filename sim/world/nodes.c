/* The nodes of a world by number, for drivers. */
#include "sim/world/world.h"

uint32_t sim_node_add(struct sim_world *world, const struct sim_node_kind *kind, const void *config,
                      size_t config_size) {
  return nodes_add(&world->nodes, kind, config, config_size);
}

uint32_t sim_node_count(const struct sim_world *world) {
  return world->nodes.count;
}

struct sim_node *sim_node_at(struct sim_world *world, uint32_t number) {
  return nodes_at(&world->nodes, number);
}

bool sim_node_boot(struct sim_world *world, uint32_t number) {
  return node_boot(sim_node_at(world, number));
}

void sim_node_power_loss(struct sim_world *world, uint32_t number) {
  node_power_loss(sim_node_at(world, number));
}

void sim_node_process_crash(struct sim_world *world, uint32_t number) {
  node_process_crash(sim_node_at(world, number));
}

uint64_t sim_node_stop(struct sim_world *world, uint32_t number) {
  return node_stop(sim_node_at(world, number));
}

void sim_node_pause(struct sim_world *world, uint32_t number) {
  node_pause(sim_node_at(world, number));
}

void sim_node_resume(struct sim_world *world, uint32_t number) {
  node_resume(sim_node_at(world, number));
}

void sim_node_wipe(struct sim_world *world, uint32_t number) {
  node_wipe(sim_node_at(world, number));
}

bool sim_node_restore(struct sim_world *world, uint32_t number) {
  return node_restore(sim_node_at(world, number));
}

void sim_node_arm(struct sim_world *world, uint32_t number, uint64_t calls, bool process) {
  node_arm(sim_node_at(world, number), SIM_CALLS_ALL, calls, process);
}

void sim_node_arm_at(struct sim_world *world, uint32_t number, uint32_t calls, uint64_t nth, bool process) {
  node_arm(sim_node_at(world, number), calls, nth, process);
}

void sim_node_fail_alloc(struct sim_world *world, uint32_t number, uint64_t count) {
  sim_node_at(world, number)->alloc_fail_in = count;
}

void sim_node_memory_quota(struct sim_world *world, uint32_t number, uint64_t nominal_bytes) {
  sim_node_at(world, number)->nominal_quota = nominal_bytes;
}

void sim_node_busy(struct sim_world *world, uint32_t number, uint64_t ns) {
  sim_disk_keep_busy(sim_node_at(world, number)->disk, ns);
}

void sim_on_lifecycle(struct sim_world *world, sim_lifecycle_fn changed, void *self) {
  world->nodes.lifecycle = changed;
  world->nodes.lifecycle_self = self;
}

void sim_on_node_trace(struct sim_world *world, sim_node_trace_fn traced, void *self) {
  world->nodes.traced = traced;
  world->nodes.traced_self = self;
}

void sim_on_happening(struct sim_world *world, uint32_t kinds, sim_happening_fn happened, void *self) {
  world->ground.trace.watch = (struct trace_watch){.kinds = kinds, .happened = happened, .self = self};
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

/* --- Clocks --- */

uint64_t sim_clock_wall_peek(struct sim_world *world, uint32_t number) {
  return clock_wall(&sim_node_at(world, number)->clock, sim_now(world));
}

uint64_t sim_clock_mono_peek(struct sim_world *world, uint32_t number) {
  return clock_mono(&sim_node_at(world, number)->clock, sim_now(world));
}

void sim_clock_step(struct sim_world *world, uint32_t number, int64_t wall_ns) {
  clock_step(&sim_node_at(world, number)->clock, wall_ns);
}

void sim_clock_rate(struct sim_world *world, uint32_t number, int32_t ppm) {
  node_clock_rate(sim_node_at(world, number), ppm);
}

void sim_clock_freeze(struct sim_world *world, uint32_t number, bool frozen) {
  clock_freeze(&sim_node_at(world, number)->clock, frozen);
}

void sim_clock_strobe(struct sim_world *world, uint32_t number, int64_t wall_ns, uint64_t every_ns,
                      uint64_t lasting_ns) {
  clock_strobe(&sim_node_at(world, number)->clock, wall_ns, every_ns, lasting_ns);
}
