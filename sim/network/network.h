/* Links and messages on their way. Internal to sim/. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "sim/world/world.h"

/* Of SIM_STEP_LINK; part of every trace hash: append only. */
enum link_change {
  LINK_CUT = 1,
  LINK_HEAL = 2,
  LINK_SET = 3,
  LINK_SET_ALL = 4,
  LINK_HEAL_ALL = 5,
  LINK_CLOG = 6,
  LINK_UNCLOG = 7,
  LINK_HELD = 8, /* a message waits for the end of a clog */
  LINK_RULE = 9, /* {from, to} as the rule names them */
  LINK_RULE_END = 10,
  LINK_RULE_APPLIED = 11,
};

/* Events waiting outside the timeline, first in first out: slot + 1. */
struct held {
  uint32_t first, last;
};

struct sim_clog {
  uint64_t id;
  struct sim_clog *next;
};

struct sim_link {
  uint32_t from, to;
  uint32_t cuts;
  bool configured;
  bool bad; /* in a burst of losses */
  struct sim_clog *clogs;
  struct held held; /* by the clogs */
  uint64_t line_free_ns;
  uint64_t queued_messages, queued_bytes;
  struct sim_link_config config;
};

/* What a message event's `life` says. */
#define MESSAGE_INJECTED UINT64_C(1) /* no link carries it */
#define MESSAGE_QUEUED UINT64_C(2)   /* counted in its link's queue */

/* NULL: never touched, so nothing is wrong with it. */
struct sim_link *link_find(const struct sim_world *world, uint32_t from, uint32_t to);
struct sim_link *link_touch(struct sim_world *world, uint32_t from, uint32_t to);
void link_trace(struct sim_world *world, uint32_t from, uint32_t to, enum link_change change);

void held_add(struct sim_world *world, struct held *held, uint32_t slot);
/* All arrive now, in order. */
void held_release(struct sim_world *world, struct held *held);

/* Network events: `size` says which. One of an earlier generation (`life`) is
 * stale. */
enum network_timer {
  NETWORK_CLOG_END = 1, /* from, node: the link. value: the clog */
  NETWORK_FLAP = 2,     /* value: the flap */
  NETWORK_SWIZZLE = 3,  /* node. value: until */
};
struct sim_event *network_timer(struct sim_world *world, enum network_timer timer, uint64_t time_ns);

bool clog_end(struct sim_world *world, uint32_t from, uint32_t to, uint64_t clog);
/* A message meets the link: may begin a clog by chance. */
void clog_by_chance(struct sim_world *world, struct sim_link *link, uint64_t identity);
void clog_node(struct sim_world *world, uint32_t node, uint64_t until_ns);
void clog_end_all(struct sim_world *world);
bool flap_turn(struct sim_world *world, uint64_t flap);
void flap_end_all(struct sim_world *world);

/* NULL, or the rule that decides for this message; it is counted. */
struct rule;
struct rule *rule_match(struct sim_world *world, uint32_t from, uint32_t to, const void *bytes, size_t size,
                        uint64_t identity);
enum sim_rule_action rule_action(const struct rule *rule);
uint64_t rule_delay_ns(const struct rule *rule);
void rule_hold(struct sim_world *world, struct rule *rule, uint32_t slot);
void rule_remove_all(struct sim_world *world);

#endif
