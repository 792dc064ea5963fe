#include "sim/network/network.h"

#include "sim/node/node.h"

struct rule {
  uint64_t id;
  struct rule *next;
  struct sim_rule rule;
  uint64_t applied;
  struct held held;
};

uint64_t sim_rule_add(struct sim_world *world, const struct sim_rule *given) {
  SIM_ASSERT(world, given->from <= SIM_NODES_MAX && given->to <= SIM_NODES_MAX);
  SIM_ASSERT(world, given->action >= SIM_RULE_DROP && given->action <= SIM_RULE_HOLD);
  struct rule *rule = sim_alloc(world, sizeof *rule);
  SIM_ASSERT(world, rule != NULL);
  *rule = (struct rule){.id = ++world->network_ids, .rule = *given};
  struct rule **last = &world->rules;
  while (*last != NULL)
    last = &(*last)->next;
  *last = rule;
  link_trace(world, given->from, given->to, LINK_RULE);
  return rule->id;
}

static void remove_at(struct sim_world *world, struct rule **at) {
  struct rule *rule = *at;
  *at = rule->next;
  link_trace(world, rule->rule.from, rule->rule.to, LINK_RULE_END);
  held_release(world, &rule->held);
  sim_free(world, rule, sizeof *rule);
}

void sim_rule_remove(struct sim_world *world, uint64_t id) {
  struct rule **at = &world->rules;
  while (*at != NULL && (*at)->id != id)
    at = &(*at)->next;
  if (*at != NULL) remove_at(world, at);
}

void rule_remove_all(struct sim_world *world) {
  while (world->rules != NULL)
    remove_at(world, &world->rules);
}

static bool matches(const struct rule *rule, uint32_t from, uint32_t to, uint32_t kind) {
  const struct sim_rule *given = &rule->rule;
  if (given->count != 0 && rule->applied == given->count) return false;
  if (given->from != 0 && given->from != from) return false;
  if (given->to != 0 && given->to != to) return false;
  return given->kind == 0 || given->kind == kind;
}

struct rule *rule_match(struct sim_world *world, uint32_t from, uint32_t to, const void *bytes, size_t size,
                        uint64_t identity) {
  const struct sim_node_kind *sender = sim_node_at(world, from)->kind;
  uint32_t kind = sender->classify == NULL ? 0 : sender->classify(bytes, size);
  for (struct rule *rule = world->rules; rule != NULL; rule = rule->next) {
    if (!matches(rule, from, to, kind)) continue;
    uint32_t fired = sim_chance(world, sim_tag(SIM_CHOICE_NET_RULE, sim_tag_link(from, to), identity), 1000000);
    sim_fault_chance(world, SIM_FAULT_NET_RULE, fired);
    if (fired == 0) return NULL;
    rule->applied++;
    link_trace(world, from, to, LINK_RULE_APPLIED);
    return rule;
  }
  return NULL;
}

enum sim_rule_action rule_action(const struct rule *rule) {
  return rule->rule.action;
}

uint64_t rule_delay_ns(const struct rule *rule) {
  return rule->rule.delay_ns;
}

void rule_hold(struct sim_world *world, struct rule *rule, uint32_t slot) {
  held_add(world, &rule->held, slot);
}
