/* Rules: what happens to single messages, by link and kind. */
#ifndef SIM_RULE_H
#define SIM_RULE_H

#include "sim/network/link.h"

struct rule; /* in a list, in order */

uint64_t link_rule_add(struct links *links, struct rule **rules, const struct sim_rule *given);
void link_rule_remove(struct links *links, struct rule **rules, uint64_t rule);
void rule_remove_all(struct links *links, struct rule **rules);
/* NULL, or the rule that decides for this message; it is counted. */
struct rule *rule_match(struct links *links, struct rule *rules, uint32_t from, uint32_t to, uint32_t kind,
                        uint64_t identity);
enum sim_rule_action rule_action(const struct rule *rule);
uint64_t rule_delay_ns(const struct rule *rule);
void rule_hold(const struct links *links, struct rule *rule, uint32_t slot);

#endif
