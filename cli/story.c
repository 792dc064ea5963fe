#include "cli/story.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/command.h"
#include "reports/story.h"
#include "reports/wrap.h"
#include "search/outcome.h"
#include "search/room.h"

int story_of_log(const struct sim_trace_log *log) {
  if (story_write(stdout, log, wrap_columns(stdout))) return EXIT_HELD;
  (void)fprintf(stderr, "syncsim: the timeline could not be written\n");
  return EXIT_HARNESS;
}

int story_of_run(const struct scenario_file *file, uint64_t seed, const struct sim_options *sim_options) {
  struct outcome *outcome = calloc(1, sizeof *outcome);
  struct sim_trace_log *log = sim_trace_log_create();
  struct sim *sim = sim_open(sim_options);
  int status = EXIT_HARNESS;
  if (outcome == NULL || log == NULL || sim == NULL) {
    char why[400] = "no memory for a recording";
    if (sim == NULL) room_refused(sim_options, why, sizeof why);
    (void)fprintf(stderr, "syncsim: %s\n", why);
  } else {
    const struct scenario_options options = {.source = {.seed = seed, .rest = SIM_REST_SEED}, .trace = log};
    outcome_run(sim, file, &options, NULL, NULL, outcome);
    status = story_of_log(log);
  }
  if (sim != NULL) sim_close(sim);
  sim_trace_log_destroy(log);
  free(outcome);
  return status;
}
