/* The links of a network: settings, cuts, and messages that wait outside the
 * timeline. Links exist once they were touched. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "sim/ground/ground.h"
#include "sim/network/config.h"

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
  uint8_t *last; /* message that was sent on it, while its settings splice; NULL: none */
  uint32_t last_size;
  struct sim_link_config config;
};

struct links {
  struct ground *ground;
  uint32_t node_count;
  struct sim_link_config config; /* of links without their own, defaults filled in */
  struct sim_link **touched;     /* in order of first touch */
  uint32_t count, capacity;
  struct sim_map index; /* sim_tag_link -> link number + 1 */
  bool has_state;       /* `config` asks for something that a link must remember */
  uint64_t generation;  /* what was planned in an earlier one is off */
  uint64_t ids;         /* of the last clog, flap or rule */
};

/* NULL: never touched, so nothing is wrong with it. */
struct sim_link *link_find(const struct links *links, uint32_t from, uint32_t to);
struct sim_link *link_touch(struct links *links, uint32_t from, uint32_t to);
void link_trace(const struct links *links, uint32_t from, uint32_t to, enum link_change change);
void link_set(struct links *links, uint32_t from, uint32_t to, const struct sim_link_config *config);
void link_set_all(struct links *links, const struct sim_link_config *config);
/* Of links that are touched later; no step of the trace. */
void link_set_default(struct links *links, const struct sim_link_config *config);
void link_cut(struct links *links, uint32_t from, uint32_t to);
void link_heal(struct links *links, uint32_t from, uint32_t to);
bool link_is_cut(const struct links *links, uint32_t from, uint32_t to);
/* No link loses, delays or bounds by its settings. */
void links_calm(struct links *links);

void held_add(const struct links *links, struct held *held, uint32_t slot);
/* All arrive now, in order. */
void held_release(const struct links *links, struct held *held);

/* Events of the network itself (SIM_EVENT_NETWORK): `size` says which. One of an
 * earlier generation (`life`) is stale. */
enum network_timer {
  NETWORK_CLOG_END = 1, /* from, node: the link. value: the clog */
  NETWORK_FLAP = 2,     /* value: the flap */
  NETWORK_SWIZZLE = 3,  /* node. value: until */
};
struct sim_event *network_timer(const struct links *links, enum network_timer timer, uint64_t time_ns);

#endif
