#include "sim/node.h"

#include "sim/mix.h"

#include <string.h>

enum link_change { LINK_CUT = 1, LINK_HEAL = 2, LINK_SET = 3, LINK_SET_ALL = 4, LINK_HEAL_ALL = 5 };

static uint64_t times(uint64_t ns, uint64_t factor) {
  return ns > UINT64_MAX / factor ? UINT64_MAX : ns * factor;
}

static uint64_t later(uint64_t time_ns, uint64_t ns) {
  return ns > UINT64_MAX - time_ns ? UINT64_MAX : time_ns + ns;
}

static struct sim_link_config with_defaults(const struct sim_link_config *given) {
  struct sim_link_config config = *given;
  if (config.delay_min_ns == 0 && config.delay_max_ns == 0) config.delay_min_ns = SIM_MS;
  if (config.delay_max_ns < config.delay_min_ns) config.delay_max_ns = config.delay_min_ns;
  if (config.duplicate_max_ns == 0) config.duplicate_max_ns = times(config.delay_max_ns, 10);
  if (config.reorder_max_ns == 0) config.reorder_max_ns = times(config.delay_max_ns, 4);
  if (config.slow_max_ns == 0) config.slow_max_ns = SIM_SECOND;
  return config;
}

void network_init(struct sim_world *world, const struct sim_link_config *config) {
  world->link = with_defaults(config);
}

static void trace_link(struct sim_world *world, uint32_t from, uint32_t to, enum link_change change) {
  uint64_t fields[] = {from, to, (uint64_t)change};
  sim_trace(world, SIM_SUB_NETWORK, SIM_STEP_LINK, 0, fields, 3);
}

/* --- Links: only those that were ever touched exist --- */

static struct sim_link *find_link(const struct sim_world *world, uint32_t from, uint32_t to) {
  if (world->link_count == 0) return NULL;
  const uint64_t *number = sim_map_get(&world->link_index, sim_tag_link(from, to));
  return number == NULL ? NULL : world->links[*number - 1];
}

static struct sim_link *touch_link(struct sim_world *world, uint32_t from, uint32_t to) {
  SIM_ASSERT(world, from >= 1 && from <= SIM_NODES_MAX && to >= 1 && to <= SIM_NODES_MAX);
  struct sim_link *link = find_link(world, from, to);
  if (link != NULL) return link;
  void *links = world->links;
  SIM_ASSERT(world, sim_array_grow(world, &links, &world->link_capacity, world->link_count, sizeof *world->links));
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
  struct sim_link *link = touch_link(world, from, to);
  link->configured = true;
  link->config = with_defaults(config);
  trace_link(world, from, to, LINK_SET);
}

void sim_link_set_all(struct sim_world *world, const struct sim_link_config *config) {
  world->link = with_defaults(config);
  for (uint32_t i = 0; i < world->link_count; i++)
    world->links[i]->configured = false;
  trace_link(world, 0, 0, LINK_SET_ALL);
}

void sim_link_cut(struct sim_world *world, uint32_t from, uint32_t to) {
  touch_link(world, from, to)->cuts++;
  trace_link(world, from, to, LINK_CUT);
}

void sim_link_heal(struct sim_world *world, uint32_t from, uint32_t to) {
  struct sim_link *link = find_link(world, from, to);
  if (link == NULL || link->cuts == 0) return;
  link->cuts--;
  trace_link(world, from, to, LINK_HEAL);
}

void sim_link_heal_all(struct sim_world *world) {
  for (uint32_t i = 0; i < world->link_count; i++)
    world->links[i]->cuts = 0;
  trace_link(world, 0, 0, LINK_HEAL_ALL);
}

bool sim_link_is_cut(const struct sim_world *world, uint32_t from, uint32_t to) {
  const struct sim_link *link = find_link(world, from, to);
  return link != NULL && link->cuts > 0;
}

static void calm_link(struct sim_link_config *config) {
  config->loss_ppm = config->duplicate_ppm = config->reorder_ppm = 0;
  config->corrupt_ppm = config->truncate_ppm = config->slow_ppm = 0;
}

void network_calm(struct sim_world *world) {
  calm_link(&world->link);
  for (uint32_t i = 0; i < world->link_count; i++)
    calm_link(&world->links[i]->config);
  sim_link_heal_all(world);
}

/* --- Messages --- */

uint64_t sim_messages_in_flight(const struct sim_world *world) {
  return world->in_flight;
}

void network_free(struct sim_world *world, const struct sim_event *event) {
  world->in_flight--;
  sim_heap_free(world->arena, world->heap, event->payload, event->size);
}

static void trace_drop(struct sim_world *world, uint32_t from, uint32_t to, uint64_t why) {
  uint64_t fields[] = {to, why};
  sim_trace(world, SIM_SUB_NETWORK, SIM_STEP_DROP, from, fields, 2);
}

void network_drop(struct sim_world *world, const struct sim_event *event, uint64_t why) {
  trace_drop(world, event->from, event->node, why);
  network_free(world, event);
}

bool network_cut(struct sim_world *world, const struct sim_event *event) {
  if (event->life != 0 || !sim_link_is_cut(world, event->from, event->node)) return false;
  world->faults[SIM_FAULT_NET_PARTITION].firings++;
  return true;
}

/* One message on its way, while its fate is decided. */
struct passage {
  struct sim_world *world;
  const struct sim_link_config *config;
  uint32_t from, to;
  uint32_t where;
  uint64_t identity;
};

static uint32_t strikes(const struct passage *passage, uint32_t kind, enum sim_fault fault, uint32_t ppm) {
  if (ppm == 0) return 0;
  uint32_t fired = sim_chance(passage->world, sim_tag(kind, passage->where, passage->identity), ppm);
  sim_fault_chance(passage->world, fault, fired);
  return fired;
}

static uint64_t between(const struct passage *passage, uint32_t kind, uint64_t lo, uint64_t hi) {
  return lo == hi ? lo : sim_range(passage->world, sim_tag(kind, passage->where, passage->identity), lo, hi);
}

static uint64_t delay(const struct passage *passage) {
  const struct sim_link_config *config = passage->config;
  uint64_t ns = between(passage, SIM_CHOICE_NET_DELAY, config->delay_min_ns, config->delay_max_ns);
  if (strikes(passage, SIM_CHOICE_NET_REORDER, SIM_FAULT_NET_REORDER, config->reorder_ppm)) {
    ns = later(ns, between(passage, SIM_CHOICE_NET_REORDER_DELAY, 0, config->reorder_max_ns));
  }
  if (strikes(passage, SIM_CHOICE_NET_SLOW, SIM_FAULT_NET_SLOW, config->slow_ppm)) {
    ns = later(ns, between(passage, SIM_CHOICE_NET_SLOW_DELAY, 0, config->slow_max_ns));
  }
  return ns;
}

/* Damages the copy under way, after its size was chosen. */
static void corrupt(const struct passage *passage, uint8_t *bytes, uint32_t size) {
  if (size == 0) return;
  if (!strikes(passage, SIM_CHOICE_NET_CORRUPT, SIM_FAULT_NET_CORRUPT, passage->config->corrupt_ppm)) return;
  struct sim_tag tag = sim_tag(SIM_CHOICE_NET_CORRUPT_BIT, passage->where, passage->identity);
  uint64_t bit = sim_pick(passage->world, tag, (uint64_t)size * 8);
  bytes[bit / 8] = (uint8_t)(bytes[bit / 8] ^ (1u << (bit % 8)));
}

static uint32_t truncated(const struct passage *passage, uint32_t size) {
  if (size == 0) return 0;
  if (!strikes(passage, SIM_CHOICE_NET_TRUNCATE, SIM_FAULT_NET_TRUNCATE, passage->config->truncate_ppm)) return size;
  struct sim_tag tag = sim_tag(SIM_CHOICE_NET_TRUNCATE_SIZE, passage->where, passage->identity);
  return size - 1 - (uint32_t)sim_pick(passage->world, tag, size);
}

/* Puts one copy on the way. `damage`: this copy may be corrupted. */
static void launch(const struct passage *passage, const void *bytes, uint32_t size, uint64_t due_ns, uint64_t tie_salt,
                   bool damage) {
  struct sim_world *world = passage->world;
  if (damage && passage->config->truncate_ppm != 0) size = truncated(passage, size);
  uint8_t *payload = sim_heap_alloc(world->arena, world->heap, size);
  SIM_ASSERT(world, payload != NULL);
  if (size > 0) memcpy(payload, bytes, size);
  if (damage && passage->config->corrupt_ppm != 0) corrupt(passage, payload, size);
  uint64_t hash = sim_hash_bytes(payload, size);
  uint64_t fields[] = {passage->to, size, hash, due_ns};
  sim_trace(world, SIM_SUB_NETWORK, SIM_STEP_SEND, passage->from, fields, 4);
  uint32_t slot = world_event(world, SIM_EVENT_MESSAGE, passage->to);
  struct sim_event *event = timeline_event(&world->timeline, slot);
  event->from = passage->from;
  event->size = size;
  event->payload = payload;
  event->value = hash;
  world->in_flight++;
  world->faults[SIM_FAULT_NET_PARTITION].opportunities++;
  world_schedule(world, slot, due_ns, world_tie(world, passage->to, passage->identity + tie_salt));
}

static const struct sim_link_config *config_of(const struct sim_world *world, const struct sim_link *link) {
  return link != NULL && link->configured ? &link->config : &world->link;
}

void sim_send(struct sim_node *node, uint32_t to, const void *bytes, size_t size) {
  struct sim_world *world = node->world;
  if (!node_call(node)) return;
  if (node->send_time_ns != world->now_ns) {
    node->send_time_ns = world->now_ns;
    node->send_index = 0;
  }
  uint64_t identity = sim_mix(world->now_ns) + node->send_index++;
  if (to < 1 || to > world->node_count || size > SIM_MESSAGE_BYTES_MAX) {
    trace_drop(world, node->number, to, NETWORK_NO_SUCH_NODE);
    return;
  }
  const struct sim_link *link = find_link(world, node->number, to);
  struct passage passage = {world, config_of(world, link), node->number, to, sim_tag_link(node->number, to), identity};
  if (link != NULL && link->cuts > 0) {
    sim_fault_chance(world, SIM_FAULT_NET_PARTITION, 1);
    trace_drop(world, node->number, to, SIM_FAULT_NET_PARTITION);
    return;
  }
  if (strikes(&passage, SIM_CHOICE_NET_LOSS, SIM_FAULT_NET_LOSS, passage.config->loss_ppm)) {
    trace_drop(world, node->number, to, SIM_FAULT_NET_LOSS);
    return;
  }
  uint64_t due_ns = later(world->now_ns, delay(&passage));
  launch(&passage, bytes, (uint32_t)size, due_ns, 0, true);
  if (strikes(&passage, SIM_CHOICE_NET_DUPLICATE, SIM_FAULT_NET_DUPLICATE, passage.config->duplicate_ppm)) {
    uint64_t more = between(&passage, SIM_CHOICE_NET_DUPLICATE_DELAY, 0, passage.config->duplicate_max_ns);
    launch(&passage, bytes, (uint32_t)size, later(due_ns, more), SIM_SECOND, false);
  }
}

void sim_inject(struct sim_world *world, uint32_t from, uint32_t to, const void *bytes, size_t size) {
  SIM_ASSERT(world, from >= 1 && from <= world->node_count && to >= 1 && to <= world->node_count);
  SIM_ASSERT(world, size <= SIM_MESSAGE_BYTES_MAX);
  uint8_t *payload = sim_heap_alloc(world->arena, world->heap, size);
  SIM_ASSERT(world, payload != NULL);
  if (size > 0) memcpy(payload, bytes, size);
  uint64_t hash = sim_hash_bytes(payload, size);
  uint64_t fields[] = {to, size, hash, world->now_ns};
  sim_trace(world, SIM_SUB_NETWORK, SIM_STEP_SEND, from, fields, 4);
  uint32_t slot = world_event(world, SIM_EVENT_MESSAGE, to);
  struct sim_event *event = timeline_event(&world->timeline, slot);
  event->from = from;
  event->size = (uint32_t)size;
  event->payload = payload;
  event->value = hash;
  event->life = 1; /* no link carries it: cuts do not stop it */
  world->in_flight++;
  world_schedule(world, slot, world->now_ns, 0);
}
