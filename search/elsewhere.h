/* Worlds at another place in memory: what a run lets in of addresses shows there. */
#ifndef SEARCH_ELSEWHERE_H
#define SEARCH_ELSEWHERE_H

#include "sim/sim.h"

/* The options of a world at another place, with another fill; `number` is another for
 * each, ELSEWHERE_APART for a place that no fresh worker has. */
#define ELSEWHERE_APART UINT32_MAX
struct sim_options elsewhere(const struct sim_options *sim, uint32_t number);

#endif
