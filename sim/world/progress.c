#include "sim/world/progress.h"

#include <stddef.h>

#include "sim/world/world.h"

void sim_set_progress(struct sim *sim, struct sim_progress *progress) {
  sim->progress = progress;
}

void sim_progress_sort(struct sim_world *world, uint32_t sort) {
  struct sim_progress *progress = world_sim(world)->progress;
  if (progress != NULL) progress->sorts[sort % SIM_PROGRESS_SORTS]++;
}

const char *sim_progress_kind_name(uint32_t kind) {
  static const char *const names[SIM_PROGRESS_KINDS] = {[SIM_EVENT_MESSAGE] = "messages",
                                                        [SIM_EVENT_TIMER] = "timers",
                                                        [SIM_EVENT_DISK] = "disk completions",
                                                        [SIM_EVENT_DRIVER] = "wake-ups of scripts and workloads",
                                                        [SIM_EVENT_DRAIN] = "wake-ups of busy nodes",
                                                        [SIM_EVENT_NETWORK] = "changes of the network",
                                                        [SIM_EVENT_STROBE] = "jumps of clocks"};
  return kind >= SIM_PROGRESS_KINDS || names[kind] == NULL ? "other steps" : names[kind];
}
