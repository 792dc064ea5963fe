/* Face of room `world`: what drivers do to the network of a world. Part of the public header
 * sim/sim.h; struct sim_link_config and its like: sim/network/config.h. */
#ifndef SIM_LINKS_H
#define SIM_LINKS_H

#include "sim/network/config.h"

struct sim_world;

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

/* Cuts the links together for a time, then lets them carry for a time, and so
 * on; each time is drawn. Begins with a cut, now. The list is copied. Returns
 * a number that is never 0. */
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

/* Applies to messages sent from now on. The first rule that matches and is not
 * used up decides, before chance does. Returns a number that is never 0. */
uint64_t sim_rule_add(struct sim_world *world, const struct sim_rule *rule);
/* Nothing happens when it was removed. */
void sim_rule_remove(struct sim_world *world, uint64_t rule);

/* --- For oracles of progress ------------------------------------------------------------ */

/* Counts from now on what links do to messages, among the nodes that there are now. */
void sim_link_watch(struct sim_world *world);
struct sim_link_health {
  uint64_t harmed;     /* messages that did not arrive as they were sent */
  uint64_t slowest_ns; /* the longest way of any, as it was planned when it was sent */
  bool blocked;        /* cut or clogged now, or some rule may decide */
};
struct sim_link_health sim_link_health(const struct sim_world *world, uint32_t from, uint32_t to);

/* --- Messages ------------------------------------------------------------------------ */

/* Messages sent and not yet delivered or lost. */
uint64_t sim_messages_in_flight(const struct sim_world *world);
/* Delivers bytes once, now, as if `from` had sent them (scripts, tests). */
void sim_inject(struct sim_world *world, uint32_t from, uint32_t to, const void *bytes, size_t size);

#endif
