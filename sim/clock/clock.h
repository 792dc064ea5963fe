/* The clocks of one node, in integers only. Internal to sim/. */
#ifndef SIM_CLOCK_H
#define SIM_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Both clocks run at (1,000,000 + ppm) / 1,000,000 of true time, counted from
 * `since_ns`. */
struct sim_clock {
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

#endif
