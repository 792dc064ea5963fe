/* A world of toy nodes, for tests. */
#ifndef TESTS_SUPPORT_TOY_WORLD_H
#define TESTS_SUPPORT_TOY_WORLD_H

#include "tests/support/toy_node.h"

/* Every fault of the network, shuffled ties, five chatting nodes that persist. */
struct sim_config toy_world_config(uint64_t seed);
struct toy_config toy_world_toy(void);
/* Begins the world and boots `nodes` nodes, with one crash at 40 ms and a
 * restart at 60 ms by a driver. */
struct sim_world *toy_world_begin(struct sim *sim, const struct sim_config *config, uint32_t nodes);
/* ... and runs it for `until_ns`: its trace hash. */
uint64_t toy_world_run(struct sim *sim, const struct sim_config *config, uint32_t nodes, uint64_t until_ns);
struct sim *toy_sim_open(uintptr_t base, unsigned fill);

#endif
