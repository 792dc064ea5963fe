/* What a world is made of. Internal to sim/: everybody else uses sim.h. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/progress.h"
#include "sim/sim.h"
#include "sim/timeline.h"

/* Outside the arena. */
struct sim {
  struct sim_arena *arena;
  struct sim_world *world;
  struct sim_choice_source source;
  uint64_t mixed_seed; /* what draws begin with */
  bool plain_seed;     /* no overrides, no recording, nothing else that decides: draw at once */
  bool has_reseeds;    /* the overrides have some */
  struct sim_trace_log *trace;
  struct sim_progress *progress; /* of who watches; NULL: nobody */
  struct sim_trace_marks *marks;
  uint64_t mark_due; /* after so many events; UINT64_MAX without marks */
  sim_fatal_fn fatal;
  void *fatal_arg;
};

/* In the owner's bytes of the arena, which a restore leaves alone. */
struct sim_root {
  struct sim *sim;
};

/* A sparse map from 64-bit keys; nothing ever iterates over it in slot order. */
struct sim_map_entry {
  uint64_t key; /* 0: empty */
  uint64_t value;
};
struct sim_map {
  struct sim_map_entry *entries;
  uint32_t count, capacity;
};

struct sim_link;
struct sim_flap;
struct rule;

struct sim_driver {
  sim_driver_fn wake;
  void *self;
};
#define SIM_DRIVERS_MAX 64u

struct sim_world {
  struct sim_root *root;
  struct sim_arena *arena;
  struct sim_heap *heap;
  uint64_t seed;   /* under which it began; of identities */
  uint32_t reseed; /* place of the reseed in effect, from 1; 0: none */
  uint64_t now_ns;
  uint64_t event_id; /* the running event, or the last */
  uint64_t event_cause;
  uint64_t node_events; /* that entered a node */
  uint64_t events_run;  /* traced; the running one included */
  uint64_t chains[SIM_SUB_COUNT];
  struct timeline timeline;

  struct sim_node **nodes; /* by number - 1 */
  uint32_t node_count, node_capacity;
  struct sim_node *running; /* the node whose code runs now */

  struct sim_link_config link; /* of links without their own, defaults filled in */
  struct sim_link **links;     /* those touched, in order of first touch */
  uint32_t link_count, link_capacity;
  struct sim_map link_index; /* sim_tag_link -> link number + 1 */
  uint64_t in_flight;
  bool link_has_state;         /* `link` asks for something that a link must remember */
  uint64_t network_generation; /* what was planned in an earlier one is off */
  uint64_t network_ids;        /* of the last clog, flap or rule */
  struct sim_flap *flaps;
  struct rule *rules; /* in order */

  struct sim_map counters;
  struct sim_driver drivers[SIM_DRIVERS_MAX];
  uint32_t driver_count;
  sim_lifecycle_fn lifecycle;
  void *lifecycle_self;
  sim_node_trace_fn node_trace;
  void *node_trace_self;

  struct sim_disk_config disk;
  bool shuffle;
  bool stop;
  uint64_t wall_start_ns;
  uint64_t calls_per_event_max;
  uint64_t events_per_second_max;
  uint64_t second;        /* of the livelock budget */
  uint64_t second_events; /* in it */
  struct sim_fault_count faults[SIM_FAULT_COUNT];
  struct sim_violation violation;
};

static inline struct sim *world_sim(const struct sim_world *world) {
  return world->root->sim;
}

uint64_t sim_mix_seed(uint64_t seed);
/* The source's reseed at this event, if any, is in effect. */
void world_reseed(struct sim_world *world, uint64_t event);
__attribute__((noreturn)) void world_fatal(struct sim_world *world, bool in_node, const char *file, int line,
                                           const char *what);

/* The value's place, made with 0 when it is new. NULL: no memory. */
uint64_t *sim_map_at(struct sim_world *world, struct sim_map *map, uint64_t key);
/* NULL: not there. key is not 0. */
const uint64_t *sim_map_get(const struct sim_map *map, uint64_t key);

/* Grows an array in the arena to hold one more. false: no memory. */
bool sim_array_grow(struct sim_world *world, void **array, uint32_t *capacity, uint32_t count, size_t item_bytes);

/* A tie key for an event with this stable identity. */
uint32_t world_tie(struct sim_world *world, uint32_t node, uint64_t identity);
/* Makes an event caused by the running one. The caller fills in the rest and
 * schedules it. Memory that runs out here is fatal: the arena bounds a world. */
uint32_t world_event(struct sim_world *world, enum sim_event_kind kind, uint32_t node);
/* Returns the event's id. */
uint64_t world_schedule(struct sim_world *world, uint32_t slot, uint64_t time_ns, uint32_t tie);

#endif
