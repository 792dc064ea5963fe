/* faults = "swarm": each seed has a random half of all faults, each at a strength of its own. */
#ifndef LUA_SETTINGS_SWARM_H
#define LUA_SETTINGS_SWARM_H

#include "lua/settings/settings.h"

/* The faults of network and disk: what is written is the most, what is not has a standard. Calm: none. */
void swarm_faults(struct sim_world *world, struct settings *settings);
/* The clocks of the nodes, which are there: how far each is off, and how wrong its rate is. Calm: they are right. */
void swarm_clocks(struct sim_world *world);
/* sim.kv { swarm = true }: which kinds of operations there are, and how many of each. Calm: plain writes. */
void swarm_operations(struct sim_world *world, struct cluster_workload *workload);

#endif
