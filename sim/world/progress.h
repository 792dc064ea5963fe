/* Face of room `world`: how far a world is, for somebody outside who watches it run: the watchdog of
 * a suite reads it in another process. A world writes it and reads nothing from
 * it, so that watching changes no run. */
#ifndef SIM_PROGRESS_H
#define SIM_PROGRESS_H

#include <stdint.h>

struct sim;
struct sim_world;

#define SIM_PROGRESS_KINDS 8u /* by enum sim_event_kind; sim_progress_kind_name() */
#define SIM_PROGRESS_SORTS 4u /* of messages; their meaning is the node kind's */

struct sim_progress {
  volatile uint64_t steps; /* entries of the timeline that were begun */
  volatile uint64_t now_ns;
  volatile uint64_t kinds[SIM_PROGRESS_KINDS];
  volatile uint64_t sorts[SIM_PROGRESS_SORTS];
  volatile uint32_t kind, node; /* of the last that was begun; node 0: none */
};

/* The worlds of `sim` tell it from now on. NULL: nobody watches. */
void sim_set_progress(struct sim *sim, struct sim_progress *progress);
/* For node kinds: the message at hand is of this sort. */
void sim_progress_sort(struct sim_world *world, uint32_t sort);
/* "messages", "timers", ...; "other steps" for what has no name. */
const char *sim_progress_kind_name(uint32_t kind);

#endif
