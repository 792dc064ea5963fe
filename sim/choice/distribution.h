/* Face of room `choice`: distributions over choices, in integers only, so that every
 * processor draws alike. Ranges are the uniform one. Outcome 0 of each choice is
 * calm. */
#ifndef SIM_DISTRIBUTION_H
#define SIM_DISTRIBUTION_H

#include <stdbool.h>
#include <stdint.h>

/* The value that a share of quantile / 2^32 of an exponential distribution
 * lies below. Grows with the quantile: 0 gives 0, the greatest 22.2 means.
 * Saturates at UINT64_MAX. */
uint64_t sim_exponential_at(uint64_t mean, uint32_t quantile);
/* Most are prompt; `slow_ppm` of them take up to `more_max` more, uniformly. */
struct sim_slow_tail {
  uint32_t slow_ppm;
  uint64_t more_max;
  uint32_t slow_kind, more_kind; /* of the two choices */
};
/* Losses in bursts (Gilbert-Elliott): a good state without losses, a bad one
 * with. At each step the state may change first. In the long run a share of
 * enter / (enter + leave) of the steps is bad; a stay lasts 1 / leave steps. */
struct sim_loss_chain {
  uint32_t enter_ppm;                        /* good to bad */
  uint32_t leave_ppm;                        /* bad to good; at most 1,000,000 */
  uint32_t loss_ppm;                         /* in the bad state */
  uint32_t enter_kind, stay_kind, loss_kind; /* of the three choices */
};
#endif
