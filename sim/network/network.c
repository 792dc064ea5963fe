#include "sim/network/network.h"

#include "sim/choice/shapes.h"
#include "sim/network/harm.h"

#include <string.h>

static uint64_t later(uint64_t time_ns, uint64_t ns) {
  return ns > UINT64_MAX - time_ns ? UINT64_MAX : time_ns + ns;
}

void network_init(struct network *network, struct ground *ground, const struct sim_link_config *config) {
  memset(network, 0, sizeof *network);
  network->links.ground = ground;
  link_set_default(&network->links, config);
}

void network_grow(struct network *network, uint32_t node_count) {
  network->links.node_count = node_count;
}

/* What a message event's `life` says. */
#define MESSAGE_INJECTED UINT64_C(1) /* no link carries it */
#define MESSAGE_QUEUED UINT64_C(2)   /* counted in its link's queue */

void network_free(struct network *network, const struct sim_event *event) {
  network->in_flight--;
  if ((event->life & MESSAGE_QUEUED) != 0) {
    struct sim_link *link = link_find(&network->links, event->from, event->node);
    link->queued_messages--;
    link->queued_bytes -= event->size;
  }
  ground_free(network->links.ground, event->payload, event->size);
}

/* A message between two nodes, told to who waits for it. `why`: what lost it. */
static void happened(const struct network *network, enum sim_happening_kind kind, const struct parcel *parcel,
                     uint64_t why) {
  const struct trace *trace = &network->links.ground->trace;
  if (!trace_watched(trace, kind)) return;
  bool delivered = kind == SIM_HAPPENED_DELIVERED;
  uint64_t sort = network->sort(network->sort_self, parcel->from, parcel->bytes, parcel->size);
  const uint64_t fields[] = {delivered ? parcel->from : parcel->to, sort, parcel->size, why};
  trace_happened(trace, kind, delivered ? parcel->to : parcel->from, fields, kind == SIM_HAPPENED_LOST ? 4 : 3, NULL);
}

static struct parcel parcel_of(const struct sim_event *event) {
  return (struct parcel){.from = event->from, .to = event->node, .bytes = event->payload, .size = event->size};
}

void network_delivered(const struct network *network, const struct sim_event *event) {
  const struct parcel parcel = parcel_of(event);
  happened(network, SIM_HAPPENED_DELIVERED, &parcel, 0);
}

static void trace_drop(const struct network *network, const struct parcel *parcel, uint64_t why) {
  uint64_t fields[] = {parcel->to, why};
  ground_trace(network->links.ground, SIM_SUB_NETWORK, SIM_STEP_DROP, parcel->from, fields, 2);
  account_harmed(&network->account, parcel->from, parcel->to);
  happened(network, SIM_HAPPENED_LOST, parcel, why);
}

void network_drop(struct network *network, const struct sim_event *event, uint64_t why) {
  const struct parcel parcel = parcel_of(event);
  trace_drop(network, &parcel, why);
  network_free(network, event);
}

enum network_fate network_arrives(struct network *network, const struct sim_event *event, uint32_t slot) {
  const struct links *links = &network->links;
  if (links->count == 0 || (event->life & MESSAGE_INJECTED) != 0) return NETWORK_DELIVERED;
  struct sim_link *link = link_find(links, event->from, event->node);
  if (link == NULL) return NETWORK_DELIVERED;
  if (link->cuts > 0) {
    trace_fault_fired(&links->ground->trace, SIM_FAULT_NET_PARTITION);
    return NETWORK_LOST;
  }
  if (link->clogs == NULL) return NETWORK_DELIVERED;
  ground_fault(links->ground, SIM_FAULT_NET_CLOG, 1);
  link_trace(links, event->from, event->node, LINK_HELD);
  held_add(links, &link->held, slot);
  return NETWORK_HELD;
}

/* One message on its way, while its fate is decided. */
struct passage {
  struct network *network;
  struct ground *ground;
  const struct sim_link_config *config;
  struct sim_link *link; /* NULL: nothing to remember */
  uint32_t from, to;
  uint32_t where;
  uint64_t identity;
  uint64_t hash; /* of the bytes as they were sent */
  const struct parcel *parcel;
};

static uint32_t strikes(const struct passage *passage, uint32_t kind, enum sim_fault fault, uint32_t ppm) {
  if (ppm == 0) return 0;
  uint32_t fired = ground_chance(passage->ground, sim_tag(kind, passage->where, passage->identity), ppm);
  ground_fault(passage->ground, fault, fired);
  return fired;
}

static uint64_t between(const struct passage *passage, uint32_t kind, uint64_t lo, uint64_t hi) {
  return lo == hi ? lo : ground_range(passage->ground, sim_tag(kind, passage->where, passage->identity), lo, hi);
}

static uint64_t slow_tail(const struct passage *passage) {
  const struct sim_slow_tail tail = {passage->config->slow_ppm, passage->config->slow_max_ns, SIM_CHOICE_NET_SLOW,
                                     SIM_CHOICE_NET_SLOW_DELAY};
  uint64_t more;
  bool slow = choice_slow_tail(&passage->ground->choices, &tail, passage->where, passage->identity, &more);
  ground_fault(passage->ground, SIM_FAULT_NET_SLOW, slow);
  return more;
}

static uint64_t exponential(const struct passage *passage) {
  const struct sim_link_config *config = passage->config;
  uint64_t mean_ns = config->delay_mean_ns > config->delay_min_ns ? config->delay_mean_ns - config->delay_min_ns : 0;
  struct sim_tag tag = sim_tag(SIM_CHOICE_NET_DELAY, passage->where, passage->identity);
  return later(config->delay_min_ns, choice_exponential(&passage->ground->choices, tag, mean_ns));
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
  bool lost =
      choice_loss_chain(&passage->ground->choices, &chain, &passage->link->bad, passage->where, passage->identity);
  ground_fault(passage->ground, SIM_FAULT_NET_BURST, lost);
  return lost;
}

static bool overflows(const struct passage *passage, size_t size) {
  const struct sim_link_config *config = passage->config;
  const struct sim_link *link = passage->link;
  if (config->queue_messages == 0 && config->queue_bytes == 0) return false;
  bool full = config->queue_messages != 0 && link->queued_messages >= config->queue_messages;
  if (config->queue_bytes != 0 && link->queued_messages > 0 && link->queued_bytes + size > config->queue_bytes)
    full = true;
  ground_fault(passage->ground, SIM_FAULT_NET_OVERFLOW, full);
  return full;
}

/* When the last byte has left the sender. */
static uint64_t line_end(const struct passage *passage, size_t size) {
  struct ground *ground = passage->ground;
  struct sim_link *link = passage->link;
  uint64_t rate = passage->config->bandwidth_bytes_per_s;
  if (link == NULL || rate == 0) return ground_now(ground);
  bool waits = link->line_free_ns > ground_now(ground);
  ground_fault(ground, SIM_FAULT_NET_BANDWIDTH, waits);
  /* size is at most 2^23: the product fits. */
  uint64_t ns = ((uint64_t)size * SIM_SECOND + rate - 1) / rate;
  link->line_free_ns = later(waits ? link->line_free_ns : ground_now(ground), ns);
  return link->line_free_ns;
}

/* An event for the receiver, with a copy of the bytes; not scheduled yet. */
static uint32_t message(struct network *network, uint32_t from, uint32_t to, uint8_t *payload, uint32_t size,
                        uint64_t hash, uint64_t due_ns, uint64_t flags) {
  struct ground *ground = network->links.ground;
  uint64_t fields[] = {to, size, hash, due_ns};
  ground_trace(ground, SIM_SUB_NETWORK, SIM_STEP_SEND, from, fields, 4);
  uint32_t slot = ground_event(ground, SIM_EVENT_MESSAGE, to);
  struct sim_event *event = ground_event_at(ground, slot);
  event->from = from;
  event->size = size;
  event->payload = payload;
  event->value = hash;
  event->life = flags;
  network->in_flight++;
  return slot;
}

/* Puts one copy on the way. `damage`: this copy may be harmed. */
static void launch(const struct passage *passage, const void *bytes, uint32_t size, uint64_t due_ns, uint64_t tie_salt,
                   bool damage, struct rule *hold) {
  struct network *network = passage->network;
  struct ground *ground = passage->ground;
  const struct sim_link_config *config = passage->config;
  struct harm harm = {.links = &network->links,
                      .config = config,
                      .link = passage->link,
                      .where = passage->where,
                      .identity = passage->identity};
  uint32_t to = passage->to;
  if (damage) {
    harm_copy(&harm, bytes, size);
    to = harm_receiver(&harm, passage->from, to);
  } else {
    harm_none(&harm, bytes, size);
  }
  if (harm.done) account_harmed(&network->account, passage->from, passage->to);
  account_sent(&network->account, passage->from, passage->to, due_ns - ground_now(ground));
  uint64_t hash = harm.done ? sim_hash_bytes(harm.bytes, harm.size) : passage->hash;
  bool queued = passage->link != NULL && to == passage->to && (config->queue_messages != 0 || config->queue_bytes != 0);
  uint32_t slot = message(network, passage->from, to, harm.bytes, harm.size, hash, due_ns, queued ? MESSAGE_QUEUED : 0);
  ground->trace.faults[SIM_FAULT_NET_PARTITION].opportunities++;
  if (queued) {
    passage->link->queued_messages++;
    passage->link->queued_bytes += harm.size;
  }
  if (hold != NULL) {
    rule_hold(&network->links, hold, slot);
    return;
  }
  ground_schedule(ground, slot, due_ns, ground_tie(ground, to, passage->identity + tie_salt));
}

/* A link is remembered from its first message on when its settings need it. */
static struct passage passage_of(struct network *network, const struct parcel *parcel) {
  struct links *links = &network->links;
  uint32_t from = parcel->from, to = parcel->to;
  struct sim_link *link = link_find(links, from, to);
  if (link == NULL && links->has_state) link = link_touch(links, from, to);
  return (struct passage){.network = network,
                          .ground = links->ground,
                          .config = link != NULL && link->configured ? &link->config : &links->config,
                          .link = link,
                          .from = from,
                          .to = to,
                          .where = sim_tag_link(from, to),
                          .identity = parcel->identity,
                          .hash = parcel->hash,
                          .parcel = parcel};
}

/* true: the message does not even set out. */
static bool lost_at_once(const struct passage *passage, size_t size, bool cut) {
  struct ground *ground = passage->ground;
  uint64_t why = 0;
  if (cut) {
    ground_fault(ground, SIM_FAULT_NET_PARTITION, 1);
    trace_drop(passage->network, passage->parcel, SIM_FAULT_NET_PARTITION);
    return true;
  }
  if (strikes(passage, SIM_CHOICE_NET_LOSS, SIM_FAULT_NET_LOSS, passage->config->loss_ppm)) {
    trace_drop(passage->network, passage->parcel, SIM_FAULT_NET_LOSS);
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
  trace_drop(passage->network, passage->parcel, why);
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
  if (rule_action(rule) == SIM_RULE_DROP) {
    trace_drop(passage->network, passage->parcel, SIM_FAULT_NET_RULE);
    return;
  }
  bool hold = rule_action(rule) == SIM_RULE_HOLD;
  uint64_t due_ns = later(line_end(passage, size), delay(passage));
  if (rule_action(rule) == SIM_RULE_DELAY) due_ns = later(due_ns, rule_delay_ns(rule));
  launch(passage, bytes, size, due_ns, 0, true, hold ? rule : NULL);
  if (!hold) duplicate(passage, bytes, size, due_ns, rule);
}

void network_send(struct network *network, const struct parcel *parcel) {
  struct links *links = &network->links;
  if (parcel->to < 1 || parcel->to > links->node_count || parcel->size > SIM_MESSAGE_BYTES_MAX) {
    trace_drop(network, parcel, SIM_DROP_NO_SUCH_NODE);
    return;
  }
  happened(network, SIM_HAPPENED_SENT, parcel, 0);
  const void *bytes = parcel->bytes;
  uint32_t size = (uint32_t)parcel->size;
  struct passage passage = passage_of(network, parcel);
  bool cut = passage.link != NULL && passage.link->cuts > 0;
  if (network->rules != NULL && !cut) {
    struct rule *rule = rule_match(links, network->rules, passage.from, passage.to, parcel->kind, passage.identity);
    if (rule != NULL) {
      send_by_rule(&passage, rule, bytes, size);
      return;
    }
  }
  if (lost_at_once(&passage, size, cut)) return;
  uint64_t begin_ns = ground_now(links->ground);
  if (passage.link != NULL) {
    clog_by_chance(links, passage.link, passage.identity);
    begin_ns = line_end(&passage, size);
  }
  uint64_t due_ns = later(begin_ns, delay(&passage));
  launch(&passage, bytes, size, due_ns, 0, true, NULL);
  duplicate(&passage, bytes, size, due_ns, NULL);
  if (passage.config->splice_ppm != 0) harm_remember(links, passage.link, bytes, size);
}

void network_inject(struct network *network, uint32_t from, uint32_t to, const void *bytes, size_t size) {
  struct ground *ground = network->links.ground;
  uint32_t node_count = network->links.node_count;
  GROUND_ASSERT(ground, from >= 1 && from <= node_count && to >= 1 && to <= node_count);
  GROUND_ASSERT(ground, size <= SIM_MESSAGE_BYTES_MAX);
  struct harm harm = {.links = &network->links};
  harm_none(&harm, bytes, (uint32_t)size);
  uint8_t *payload = harm.bytes;
  uint32_t slot = message(network, from, to, payload, (uint32_t)size, sim_hash_bytes(payload, size), ground_now(ground),
                          MESSAGE_INJECTED);
  ground_schedule(ground, slot, ground_now(ground), 0);
}

/* --- Events of the network itself --- */

bool network_event(struct network *network, const struct sim_event *event) {
  struct links *links = &network->links;
  if (event->life != links->generation) return false;
  switch ((enum network_timer)event->size) {
  case NETWORK_CLOG_END:
    return clog_end(links, event->from, event->node, event->value);
  case NETWORK_FLAP:
    return flap_turn(links, &network->flaps, event->value);
  case NETWORK_SWIZZLE:
    clog_node(links, event->node, event->value);
    return true;
  }
  return false;
}

void network_heal(struct network *network) {
  struct links *links = &network->links;
  links->generation++;
  flap_end_all(links, &network->flaps);
  for (uint32_t i = 0; i < links->count; i++)
    links->touched[i]->cuts = 0;
  clog_end_all(links);
  link_trace(links, 0, 0, LINK_HEAL_ALL);
}

void network_calm(struct network *network) {
  links_calm(&network->links);
  rule_remove_all(&network->links, &network->rules);
  network_heal(network);
}
