#include "sim/network/rule.h"

struct rule {
  uint64_t id;
  struct rule *next;
  struct sim_rule rule;
  uint64_t applied;
  struct held held;
};

uint64_t link_rule_add(struct links *links, struct rule **rules, const struct sim_rule *given) {
  GROUND_ASSERT(links->ground, given->from <= SIM_NODES_MAX && given->to <= SIM_NODES_MAX);
  GROUND_ASSERT(links->ground, given->action >= SIM_RULE_DROP && given->action <= SIM_RULE_HOLD);
  struct rule *rule = ground_alloc(links->ground, sizeof *rule);
  GROUND_ASSERT(links->ground, rule != NULL);
  *rule = (struct rule){.id = ++links->ids, .rule = *given};
  struct rule **last = rules;
  while (*last != NULL)
    last = &(*last)->next;
  *last = rule;
  link_trace(links, given->from, given->to, LINK_RULE);
  return rule->id;
}

static void remove_at(struct links *links, struct rule **at) {
  struct rule *rule = *at;
  *at = rule->next;
  link_trace(links, rule->rule.from, rule->rule.to, LINK_RULE_END);
  held_release(links, &rule->held);
  ground_free(links->ground, rule, sizeof *rule);
}

void link_rule_remove(struct links *links, struct rule **rules, uint64_t id) {
  struct rule **at = rules;
  while (*at != NULL && (*at)->id != id)
    at = &(*at)->next;
  if (*at != NULL) remove_at(links, at);
}

void rule_remove_all(struct links *links, struct rule **rules) {
  while (*rules != NULL)
    remove_at(links, rules);
}

static bool matches(const struct rule *rule, uint32_t from, uint32_t to, uint32_t kind) {
  const struct sim_rule *given = &rule->rule;
  if (given->count != 0 && rule->applied == given->count) return false;
  if (given->from != 0 && given->from != from) return false;
  if (given->to != 0 && given->to != to) return false;
  return given->kind == 0 || given->kind == kind;
}

struct rule *rule_match(struct links *links, struct rule *rules, uint32_t from, uint32_t to, uint32_t kind,
                        uint64_t identity) {
  for (struct rule *rule = rules; rule != NULL; rule = rule->next) {
    if (!matches(rule, from, to, kind)) continue;
    uint32_t fired =
        ground_chance(links->ground, sim_tag(SIM_CHOICE_NET_RULE, sim_tag_link(from, to), identity), 1000000);
    ground_fault(links->ground, SIM_FAULT_NET_RULE, fired);
    if (fired == 0) return NULL;
    rule->applied++;
    link_trace(links, from, to, LINK_RULE_APPLIED);
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

void rule_hold(const struct links *links, struct rule *rule, uint32_t slot) {
  held_add(links, &rule->held, slot);
}
