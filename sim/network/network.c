#include "sim/network/network.h"

#include "sim/choice/distribution.h"
#include "sim/memory/mix.h"
#include "sim/node/node.h"

#include <string.h>

static uint64_t later(uint64_t time_ns, uint64_t ns) {
  return ns > UINT64_MAX - time_ns ? UINT64_MAX : time_ns + ns;
}

uint64_t sim_messages_in_flight(const struct sim_world *world) {
  return world->in_flight;
}

void network_free(struct sim_world *world, const struct sim_event *event) {
  world->in_flight--;
  if ((event->life & MESSAGE_QUEUED) != 0) {
    struct sim_link *link = link_find(world, event->from, event->node);
    link->queued_messages--;
    link->queued_bytes -= event->size;
  }
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

enum network_fate network_arrives(struct sim_world *world, const struct sim_event *event, uint32_t slot) {
  if ((event->life & MESSAGE_INJECTED) != 0) return NETWORK_DELIVERED;
  struct sim_link *link = link_find(world, event->from, event->node);
  if (link == NULL) return NETWORK_DELIVERED;
  if (link->cuts > 0) {
    world->faults[SIM_FAULT_NET_PARTITION].firings++;
    return NETWORK_LOST;
  }
  if (link->clogs == NULL) return NETWORK_DELIVERED;
  sim_fault_chance(world, SIM_FAULT_NET_CLOG, 1);
  link_trace(world, event->from, event->node, LINK_HELD);
  held_add(world, &link->held, slot);
  return NETWORK_HELD;
}

/* One message on its way, while its fate is decided. */
struct passage {
  struct sim_world *world;
  const struct sim_link_config *config;
  struct sim_link *link; /* NULL: nothing to remember */
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

static uint64_t slow_tail(const struct passage *passage) {
  const struct sim_slow_tail tail = {passage->config->slow_ppm, passage->config->slow_max_ns, SIM_CHOICE_NET_SLOW,
                                     SIM_CHOICE_NET_SLOW_DELAY};
  uint64_t more;
  bool slow = sim_slow_tail(passage->world, &tail, passage->where, passage->identity, &more);
  sim_fault_chance(passage->world, SIM_FAULT_NET_SLOW, slow);
  return more;
}

static uint64_t exponential(const struct passage *passage) {
  const struct sim_link_config *config = passage->config;
  uint64_t mean_ns = config->delay_mean_ns > config->delay_min_ns ? config->delay_mean_ns - config->delay_min_ns : 0;
  struct sim_tag tag = sim_tag(SIM_CHOICE_NET_DELAY, passage->where, passage->identity);
  return later(config->delay_min_ns, sim_exponential(passage->world, tag, mean_ns));
}

static uint64_t delay(const struct passage *passage) {
  const struct sim_link_config *config = passage->config;
  uint64_t ns = config->delay_mean_ns != 0
                    ? exponential(passage)
                    : between(passage, SIM_CHOICE_NET_DELAY, config->delay_min_ns, config->delay_max_ns);
  if (strikes(passage, SIM_CHOICE_NET_REORDER, SIM_FAULT_NET_REORDER, config->reorder_ppm)) {
    ns = later(ns, between(passage, SIM_CHOICE_NET_REORDER_DELAY, 0, config->reorder_max_ns));
  }
  if (config->slow_ppm != 0) ns = later(ns, slow_tail(passage));
  return ns;
}

static bool lost_in_burst(const struct passage *passage) {
  const struct sim_link_config *config = passage->config;
  const struct sim_loss_chain chain = {config->burst_enter_ppm, config->burst_leave_ppm,   config->burst_loss_ppm,
                                       SIM_CHOICE_NET_BURST,    SIM_CHOICE_NET_BURST_STAY, SIM_CHOICE_NET_BURST_LOSS};
  bool lost = sim_loss_chain(passage->world, &chain, &passage->link->bad, passage->where, passage->identity);
  sim_fault_chance(passage->world, SIM_FAULT_NET_BURST, lost);
  return lost;
}

static bool overflows(const struct passage *passage, size_t size) {
  const struct sim_link_config *config = passage->config;
  const struct sim_link *link = passage->link;
  if (config->queue_messages == 0 && config->queue_bytes == 0) return false;
  bool full = config->queue_messages != 0 && link->queued_messages >= config->queue_messages;
  if (config->queue_bytes != 0 && link->queued_messages > 0 && link->queued_bytes + size > config->queue_bytes)
    full = true;
  sim_fault_chance(passage->world, SIM_FAULT_NET_OVERFLOW, full);
  return full;
}

/* When the last byte has left the sender. */
static uint64_t line_end(const struct passage *passage, size_t size) {
  struct sim_world *world = passage->world;
  struct sim_link *link = passage->link;
  uint64_t rate = passage->config->bandwidth_bytes_per_s;
  if (link == NULL || rate == 0) return world->now_ns;
  bool waits = link->line_free_ns > world->now_ns;
  sim_fault_chance(world, SIM_FAULT_NET_BANDWIDTH, waits);
  /* size is at most 2^23: the product fits. */
  uint64_t ns = ((uint64_t)size * SIM_SECOND + rate - 1) / rate;
  link->line_free_ns = later(waits ? link->line_free_ns : world->now_ns, ns);
  return link->line_free_ns;
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
                   bool damage, struct rule *hold) {
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
  if (passage->link != NULL && (passage->config->queue_messages != 0 || passage->config->queue_bytes != 0)) {
    event->life = MESSAGE_QUEUED;
    passage->link->queued_messages++;
    passage->link->queued_bytes += size;
  }
  if (hold != NULL) {
    rule_hold(world, hold, slot);
    return;
  }
  world_schedule(world, slot, due_ns, world_tie(world, passage->to, passage->identity + tie_salt));
}

/* A link is remembered from its first message on when its settings need it. */
static struct passage passage_of(struct sim_node *node, uint32_t to, uint64_t identity) {
  struct sim_world *world = node->world;
  struct sim_link *link = link_find(world, node->number, to);
  if (link == NULL && world->link_has_state) link = link_touch(world, node->number, to);
  return (struct passage){.world = world,
                          .config = link != NULL && link->configured ? &link->config : &world->link,
                          .link = link,
                          .from = node->number,
                          .to = to,
                          .where = sim_tag_link(node->number, to),
                          .identity = identity};
}

/* true: the message does not even set out. */
static bool lost_at_once(const struct passage *passage, size_t size, bool cut) {
  struct sim_world *world = passage->world;
  uint64_t why = 0;
  if (cut) {
    sim_fault_chance(world, SIM_FAULT_NET_PARTITION, 1);
    trace_drop(world, passage->from, passage->to, SIM_FAULT_NET_PARTITION);
    return true;
  }
  if (strikes(passage, SIM_CHOICE_NET_LOSS, SIM_FAULT_NET_LOSS, passage->config->loss_ppm)) {
    trace_drop(world, passage->from, passage->to, SIM_FAULT_NET_LOSS);
    return true;
  }
  if (passage->link == NULL) return false;
  if (passage->config->burst_enter_ppm != 0 && lost_in_burst(passage)) {
    why = SIM_FAULT_NET_BURST;
  } else if (overflows(passage, size)) {
    why = SIM_FAULT_NET_OVERFLOW;
  } else {
    return false;
  }
  trace_drop(world, passage->from, passage->to, why);
  return true;
}

static void duplicate(const struct passage *passage, const void *bytes, uint32_t size, uint64_t due_ns,
                      const struct rule *rule) {
  if (rule != NULL && rule_action(rule) == SIM_RULE_DUPLICATE) {
    launch(passage, bytes, size, later(due_ns, rule_delay_ns(rule)), 2 * SIM_SECOND, false, NULL);
  }
  if (strikes(passage, SIM_CHOICE_NET_DUPLICATE, SIM_FAULT_NET_DUPLICATE, passage->config->duplicate_ppm)) {
    uint64_t more = between(passage, SIM_CHOICE_NET_DUPLICATE_DELAY, 0, passage->config->duplicate_max_ns);
    launch(passage, bytes, size, later(due_ns, more), SIM_SECOND, false, NULL);
  }
}

/* Rules decide first: what one takes is not lost by chance. */
static void send_by_rule(const struct passage *passage, struct rule *rule, const void *bytes, uint32_t size) {
  struct sim_world *world = passage->world;
  if (rule_action(rule) == SIM_RULE_DROP) {
    trace_drop(world, passage->from, passage->to, SIM_FAULT_NET_RULE);
    return;
  }
  bool hold = rule_action(rule) == SIM_RULE_HOLD;
  uint64_t due_ns = later(line_end(passage, size), delay(passage));
  if (rule_action(rule) == SIM_RULE_DELAY) due_ns = later(due_ns, rule_delay_ns(rule));
  launch(passage, bytes, size, due_ns, 0, true, hold ? rule : NULL);
  if (!hold) duplicate(passage, bytes, size, due_ns, rule);
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
  struct passage passage = passage_of(node, to, identity);
  bool cut = passage.link != NULL && passage.link->cuts > 0;
  if (world->rules != NULL && !cut) {
    struct rule *rule = rule_match(world, node->number, to, bytes, size, identity);
    if (rule != NULL) {
      send_by_rule(&passage, rule, bytes, (uint32_t)size);
      return;
    }
  }
  if (lost_at_once(&passage, size, cut)) return;
  uint64_t begin_ns = world->now_ns;
  if (passage.link != NULL) {
    clog_by_chance(world, passage.link, identity);
    begin_ns = line_end(&passage, size);
  }
  uint64_t due_ns = later(begin_ns, delay(&passage));
  launch(&passage, bytes, (uint32_t)size, due_ns, 0, true, NULL);
  duplicate(&passage, bytes, (uint32_t)size, due_ns, NULL);
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
  event->life = MESSAGE_INJECTED;
  world->in_flight++;
  world_schedule(world, slot, world->now_ns, 0);
}
