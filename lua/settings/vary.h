/* A scenario that is another one under each seed. */
#ifndef LUA_SETTINGS_VARY_H
#define LUA_SETTINGS_VARY_H

#include "lua/settings/settings.h"

/* Each seed chooses: how many of the nodes there are (2 at least), the topology, a share of
 * each fault's rate, batches, window and segments of the engine. Outcome 0 leaves what
 * the scenario says. */
void vary_settings(struct sim_world *world, struct settings *settings);
/* ... and the rate, the keys and the hot share of the workload. */
void vary_workload(struct sim_world *world, struct cluster_workload *workload);

#endif
