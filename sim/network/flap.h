/* Flaps: links that are cut and healed together, for drawn times. */
#ifndef SIM_FLAP_H
#define SIM_FLAP_H

#include "sim/network/link.h"

struct sim_flap; /* in a list */

uint64_t flap_begin(struct links *links, struct sim_flap **flaps, const struct sim_flap_config *config,
                    const struct sim_link_name *names, uint32_t count);
/* false: it has ended. */
bool flap_turn(struct links *links, struct sim_flap **flaps, uint64_t flap);
void flap_end(struct links *links, struct sim_flap **flaps, uint64_t flap);
void flap_end_all(struct links *links, struct sim_flap **flaps);

#endif
