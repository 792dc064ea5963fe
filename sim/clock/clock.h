/* Room `clock`: the clocks of one node, in integers only.
 * Takes: the ground, and what is done to the clocks (steps, rates, freezes, strobes).
 * Gives: what they show at a true time, and the true time at which they show
 * something. Knows no node and no world.
 */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/ground/ground.h"

/* Both clocks run at (1,000,000 + ppm) / 1,000,000 of true time, counted from
 * `since_ns`. */
struct sim_clock {
  struct ground *ground;
  uint32_t node;
  uint64_t since_ns;
  uint64_t mono_ns; /* at since_ns */
  uint64_t wall_ns;
  int32_t ppm;
  bool frozen; /* the wall clock */

  int64_t strobe_ns; /* 0: none */
  uint64_t strobe_every_ns, strobe_until_ns;
  uint64_t strobe_generation; /* a jump planned in another is stale */
  bool strobe_away;           /* it has jumped and not yet back */
};

uint64_t clock_mono(const struct sim_clock *clock, uint64_t now_ns);
uint64_t clock_wall(const struct sim_clock *clock, uint64_t now_ns);
/* Counts from now on; what the clocks show does not change. */
void clock_rebase(struct sim_clock *clock, uint64_t now_ns);
/* The first true time at which the monotonic clock shows `mono_ns` or more;
 * UINT64_MAX: never. */
uint64_t clock_when(const struct sim_clock *clock, uint64_t mono_ns);

/* Changes from now on. The wall clock goes neither below 0 (1970) nor past UINT64_MAX (2554): it stands there. */
void clock_step(struct sim_clock *clock, int64_t wall_ns);
void clock_rate(struct sim_clock *clock, int32_t ppm); /* -500000 to 500000; the caller rearms what waits for times */
void clock_freeze(struct sim_clock *clock, bool frozen);
/* Jumps by wall_ns and back, a jump each every_ns (at least 1), until
 * lasting_ns have passed; a wall_ns of 0 only ends an earlier strobe. */
void clock_strobe(struct sim_clock *clock, int64_t wall_ns, uint64_t every_ns, uint64_t lasting_ns);
/* An event of kind SIM_EVENT_STROBE came up. false: it was stale. */
bool clock_strobes(struct sim_clock *clock, const struct sim_event *event);

#endif
