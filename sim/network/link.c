#include "sim/network/network.h"

#include "sim/node/node.h"

#include <string.h>

static uint64_t times(uint64_t ns, uint64_t factor) {
  return ns > UINT64_MAX / factor ? UINT64_MAX : ns * factor;
}

static struct sim_link_config with_defaults(const struct sim_link_config *given) {
  struct sim_link_config config = *given;
  if (config.delay_min_ns == 0 && config.delay_max_ns == 0 && config.delay_mean_ns == 0) config.delay_min_ns = SIM_MS;
  if (config.delay_max_ns < config.delay_min_ns) config.delay_max_ns = config.delay_min_ns;
  uint64_t usual_ns = config.delay_mean_ns > config.delay_max_ns ? config.delay_mean_ns : config.delay_max_ns;
  if (config.duplicate_max_ns == 0) config.duplicate_max_ns = times(usual_ns, 10);
  if (config.reorder_max_ns == 0) config.reorder_max_ns = times(usual_ns, 4);
  if (config.slow_max_ns == 0) config.slow_max_ns = SIM_SECOND;
  if (config.burst_leave_ppm == 0) config.burst_leave_ppm = 200000;
  if (config.burst_loss_ppm == 0) config.burst_loss_ppm = 1000000;
  if (config.clog_min_ns == 0 && config.clog_max_ns == 0) {
    config.clog_min_ns = 100 * SIM_MS;
    config.clog_max_ns = 2 * SIM_SECOND;
  }
  if (config.clog_max_ns < config.clog_min_ns) config.clog_max_ns = config.clog_min_ns;
  return config;
}

/* Links of such a configuration exist from their first message on. */
static bool has_state(const struct sim_link_config *config) {
  return config->burst_enter_ppm != 0 || config->clog_ppm != 0 || config->bandwidth_bytes_per_s != 0 ||
         config->queue_messages != 0 || config->queue_bytes != 0;
}

static void set_default(struct sim_world *world, const struct sim_link_config *config) {
  world->link = with_defaults(config);
  world->link_has_state = has_state(&world->link);
}

void network_init(struct sim_world *world, const struct sim_link_config *config) {
  set_default(world, config);
}

void link_trace(struct sim_world *world, uint32_t from, uint32_t to, enum link_change change) {
  uint64_t fields[] = {from, to, (uint64_t)change};
  sim_trace(world, SIM_SUB_NETWORK, SIM_STEP_LINK, 0, fields, 3);
}

/* --- Links: only those that were ever touched exist --- */

struct sim_link *link_find(const struct sim_world *world, uint32_t from, uint32_t to) {
  if (world->link_count == 0) return NULL;
  const uint64_t *number = sim_map_get(&world->link_index, sim_tag_link(from, to));
  return number == NULL ? NULL : world->links[*number - 1];
}

struct sim_link *link_touch(struct sim_world *world, uint32_t from, uint32_t to) {
  SIM_ASSERT(world, from >= 1 && from <= SIM_NODES_MAX && to >= 1 && to <= SIM_NODES_MAX);
  struct sim_link *link = link_find(world, from, to);
  if (link != NULL) return link;
  void *links = world->links;
  SIM_ASSERT(world, sim_array_grow(world, &links, &world->link_capacity, world->link_count, sizeof(struct sim_link *)));
  world->links = links;
  link = sim_alloc(world, sizeof *link);
  uint64_t *number = sim_map_at(world, &world->link_index, sim_tag_link(from, to));
  SIM_ASSERT(world, link != NULL && number != NULL);
  memset(link, 0, sizeof *link);
  link->from = from;
  link->to = to;
  world->links[world->link_count++] = link;
  *number = world->link_count;
  return link;
}

void sim_link_set(struct sim_world *world, uint32_t from, uint32_t to, const struct sim_link_config *config) {
  struct sim_link *link = link_touch(world, from, to);
  link->configured = true;
  link->config = with_defaults(config);
  link_trace(world, from, to, LINK_SET);
}

void sim_link_set_all(struct sim_world *world, const struct sim_link_config *config) {
  set_default(world, config);
  for (uint32_t i = 0; i < world->link_count; i++)
    world->links[i]->configured = false;
  link_trace(world, 0, 0, LINK_SET_ALL);
}

/* --- Cuts --- */

void sim_link_cut(struct sim_world *world, uint32_t from, uint32_t to) {
  link_touch(world, from, to)->cuts++;
  link_trace(world, from, to, LINK_CUT);
}

void sim_link_heal(struct sim_world *world, uint32_t from, uint32_t to) {
  struct sim_link *link = link_find(world, from, to);
  if (link == NULL || link->cuts == 0) return;
  link->cuts--;
  link_trace(world, from, to, LINK_HEAL);
}

void sim_link_heal_all(struct sim_world *world) {
  world->network_generation++;
  flap_end_all(world);
  for (uint32_t i = 0; i < world->link_count; i++)
    world->links[i]->cuts = 0;
  clog_end_all(world);
  link_trace(world, 0, 0, LINK_HEAL_ALL);
}

bool sim_link_is_cut(const struct sim_world *world, uint32_t from, uint32_t to) {
  const struct sim_link *link = link_find(world, from, to);
  return link != NULL && link->cuts > 0;
}

/* --- Calm --- */

static void calm_config(struct sim_link_config *config) {
  config->loss_ppm = config->duplicate_ppm = config->reorder_ppm = 0;
  config->corrupt_ppm = config->truncate_ppm = config->slow_ppm = 0;
  config->burst_enter_ppm = config->clog_ppm = config->queue_messages = 0;
  config->bandwidth_bytes_per_s = config->queue_bytes = 0;
}

void network_calm(struct sim_world *world) {
  calm_config(&world->link);
  world->link_has_state = false;
  for (uint32_t i = 0; i < world->link_count; i++) {
    struct sim_link *link = world->links[i];
    calm_config(&link->config);
    link->bad = false;
    link->line_free_ns = 0;
  }
  rule_remove_all(world);
  sim_link_heal_all(world);
}

/* --- What waits outside the timeline --- */

void held_add(struct sim_world *world, struct held *held, uint32_t slot) {
  timeline_event(&world->timeline, slot)->next = 0;
  if (held->first == 0) {
    held->first = slot + 1;
  } else {
    timeline_event(&world->timeline, held->last - 1)->next = slot + 1;
  }
  held->last = slot + 1;
}

/* The tie key is 0 even in a shuffled world: their order is kept. */
void held_release(struct sim_world *world, struct held *held) {
  uint32_t waiting = held->first;
  *held = (struct held){0, 0};
  while (waiting != 0) {
    uint32_t slot = waiting - 1;
    waiting = timeline_event(&world->timeline, slot)->next;
    world_schedule(world, slot, world->now_ns, 0);
  }
}

/* --- Events of the network itself --- */

struct sim_event *network_timer(struct sim_world *world, enum network_timer timer, uint64_t time_ns) {
  uint32_t slot = world_event(world, SIM_EVENT_NETWORK, 0);
  struct sim_event *event = timeline_event(&world->timeline, slot);
  event->size = (uint32_t)timer;
  event->life = world->network_generation;
  world_schedule(world, slot, time_ns, 0);
  return timeline_event(&world->timeline, slot);
}

bool network_event(struct sim_world *world, const struct sim_event *event) {
  if (event->life != world->network_generation) return false;
  switch ((enum network_timer)event->size) {
  case NETWORK_CLOG_END:
    return clog_end(world, event->from, event->node, event->value);
  case NETWORK_FLAP:
    return flap_turn(world, event->value);
  case NETWORK_SWIZZLE:
    clog_node(world, event->node, event->value);
    return true;
  }
  return false;
}
