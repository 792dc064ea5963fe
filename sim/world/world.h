/* Room `world`: everything together.
 * Takes: settings, a source of choices, drivers. Gives: one run (run.c), judged by
 * what happened; the calls of sim/sim.h, which name worlds and nodes by number.
 * Knows all other rooms; everybody outside sim/ includes sim/sim.h.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/ground/ground.h"
#include "sim/network/network.h"
#include "sim/node/node.h"
#include "sim/sim.h"
#include "sim/world/progress.h"

/* Outside the arena. */
struct sim {
  struct sim_arena *arena;
  struct sim_world *world;
  struct choice_seat seat;
  struct trace_sink sink;
  struct sim_progress *progress; /* of who watches; NULL: nobody */
  sim_fatal_fn fatal;
  void *fatal_arg;
  sim_full_fn full;
  void *full_arg;
};

struct sim_driver {
  sim_driver_fn wake;
  void *self;
};
#define SIM_DRIVERS_MAX 64u

/* A property that counts for nothing. */
struct silenced {
  uint64_t name; /* hash */
  uint64_t times;
};

struct sim_world {
  struct ground ground;
  struct network network;
  struct nodes nodes;
  struct sim_driver drivers[SIM_DRIVERS_MAX];
  uint32_t driver_count;
  uint32_t next_first, next_last; /* slot + 1; wakes of drivers that come before the timeline's (sim_driver_next) */
  bool stop;
  uint64_t events_per_second_max;
  uint64_t second;        /* of the livelock budget */
  uint64_t second_events; /* in it */
  struct silenced silenced[SIM_SILENCED_MAX];
  uint32_t silenced_count;
};

static inline struct sim *world_sim(const struct sim_world *world) {
  return world->ground.memory.root->sim;
}

#endif
