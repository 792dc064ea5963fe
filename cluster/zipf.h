/* Zipf's law over ranks, in whole numbers: rank k (from 1) is drawn as often as 1 / k^s says. */
#ifndef CLUSTER_ZIPF_H
#define CLUSTER_ZIPF_H

#include <stdint.h>

#include "sim/sim.h"

#define ZIPF_RANKS_MAX 65536u
#define ZIPF_EXPONENT_MAX 400u /* hundredths */

struct zipf {
  uint64_t *upto; /* by rank - 1: the weights of it and all before it */
  uint32_t ranks; /* 0: none were made */
};

/* Exponent in hundredths, up to ZIPF_EXPONENT_MAX; ranks up to ZIPF_RANKS_MAX. In the world's memory. */
void zipf_make(struct zipf *zipf, struct sim_world *world, uint32_t ranks, uint32_t exponent);
/* A rank, from 0; the calm outcome is the first, which is drawn most. */
uint32_t zipf_draw(const struct zipf *zipf, struct sim_world *world, struct sim_tag tag);

#endif
