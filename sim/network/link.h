/* The network: directed links between nodes, and what can be wrong with them.
 * Part of the public header sim/sim.h. */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_world;

/* One directed link. Zero: no fault; delays default to 1 ms constant. */
struct sim_link_config {
  uint64_t delay_min_ns, delay_max_ns; /* uniform between them ... */
  uint64_t delay_mean_ns;    /* ... or, not 0: at least delay_min, exponential beyond it, with this mean in all */
  uint32_t loss_ppm;         /* each message by itself */
  uint32_t duplicate_ppm;    /* a second delivery ... */
  uint64_t duplicate_max_ns; /* ... up to this much later; 10 x delay_max (or mean) */
  uint32_t reorder_ppm;      /* extra delay up to reorder_max, overtaken by later ones */
  uint64_t reorder_max_ns;   /* 4 x delay_max (or mean) */
  uint32_t corrupt_ppm;      /* one bit flips */
  uint32_t truncate_ppm;     /* the end is missing */
  uint32_t slow_ppm;         /* the slow tail: extra delay up to slow_max */
  uint64_t slow_max_ns;      /* 1 s */
  uint32_t burst_enter_ppm;  /* a burst of losses begins, by message */
  uint32_t burst_leave_ppm;  /* ... and ends, by message; 200,000: five messages */
  uint32_t burst_loss_ppm;   /* lost while it lasts; 1,000,000 */
  uint32_t clog_ppm;         /* by message: the link clogs ... */
  uint64_t clog_min_ns, clog_max_ns; /* ... for so long; 100 ms to 2 s */
  uint64_t bandwidth_bytes_per_s;    /* messages follow one another on the line; 0: no bound */
  uint32_t queue_messages;           /* sent and not yet delivered; one more is lost. 0: no bound */
  uint64_t queue_bytes;              /* the same in bytes; an empty queue takes any message */
};

void sim_link_set(struct sim_world *world, uint32_t from, uint32_t to, const struct sim_link_config *config);
void sim_link_set_all(struct sim_world *world, const struct sim_link_config *config);

/* --- Cuts: what meets a cut link is lost ---------------------------------------- */

/* Cuts nest: a link carries messages when it was healed as often as cut.
 * Messages in flight are lost when they arrive at a cut link. */
void sim_link_cut(struct sim_world *world, uint32_t from, uint32_t to);
void sim_link_heal(struct sim_world *world, uint32_t from, uint32_t to);
/* Ends all cuts, flaps, clogs and swizzles. */
void sim_link_heal_all(struct sim_world *world);
bool sim_link_is_cut(const struct sim_world *world, uint32_t from, uint32_t to);

struct sim_link_name {
  uint32_t from, to;
};
/* Cuts the links together for a time, then lets them carry for a time, and so
 * on; each time is drawn. Begins with a cut, now. The list is copied. Returns
 * a number that is never 0. */
struct sim_flap_config {
  uint64_t down_min_ns, down_max_ns;
  uint64_t up_min_ns, up_max_ns;
};
uint64_t sim_flap_begin(struct sim_world *world, const struct sim_flap_config *config,
                        const struct sim_link_name *links, uint32_t count);
/* Ends it, healed. Nothing happens when it has ended. */
void sim_flap_end(struct sim_world *world, uint64_t flap);

/* --- Clogs: what meets a clogged link waits, and arrives in order when it ends ---- */

/* Clogs the link for `ns`, UINT64_MAX: until sim_link_unclog(). A link with
 * several clogs delivers when the last has ended. Returns a number that is never
 * 0. */
uint64_t sim_link_clog(struct sim_world *world, uint32_t from, uint32_t to, uint64_t ns);
/* Ends a clog early. Nothing happens when it has ended. */
void sim_link_unclog(struct sim_world *world, uint32_t from, uint32_t to, uint64_t clog);
bool sim_link_is_clogged(const struct sim_world *world, uint32_t from, uint32_t to);
/* Clogs these nodes, with all their links, one by one within the first half of
 * `ns`, and releases them in an order of its own within the second. */
void sim_swizzle(struct sim_world *world, const uint32_t *nodes, uint32_t count, uint64_t ns);

/* --- Rules: for cases written by hand ---------------------------------------------- */

enum sim_rule_action {
  SIM_RULE_DROP = 1,
  SIM_RULE_DELAY = 2,     /* delay_ns more */
  SIM_RULE_DUPLICATE = 3, /* once more, delay_ns later */
  SIM_RULE_HOLD = 4,      /* until the rule is removed; then all arrive at once, in order */
};
struct sim_rule {
  uint32_t from, to; /* 0: any */
  uint32_t kind;     /* what sim_node_kind.classify says of the bytes; 0: any */
  enum sim_rule_action action;
  uint64_t count; /* so many messages; 0: all */
  uint64_t delay_ns;
};
/* Applies to messages sent from now on. The first rule that matches and is not
 * used up decides, before chance does. Returns a number that is never 0. */
uint64_t sim_rule_add(struct sim_world *world, const struct sim_rule *rule);
/* Nothing happens when it was removed. */
void sim_rule_remove(struct sim_world *world, uint64_t rule);

/* --- Messages ------------------------------------------------------------------------ */

/* Messages sent and not yet delivered or lost. */
uint64_t sim_messages_in_flight(const struct sim_world *world);
/* Delivers bytes once, now, as if `from` had sent them (scripts, tests). */
void sim_inject(struct sim_world *world, uint32_t from, uint32_t to, const void *bytes, size_t size);

#endif
