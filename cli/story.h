/* One run told as a story (reports/story.h), on standard output. */
#ifndef CLI_STORY_H
#define CLI_STORY_H

#include <stdint.h>

#include "lua/file.h"
#include "sim/sim.h"

/* Runs a seed again in this process, recorded, and tells it. The exit status: 5 after a message when it could not be
 * told. */
int story_of_run(const struct scenario_file *file, uint64_t seed, const struct sim_options *options);
/* The same of a recording. */
int story_of_log(const struct sim_trace_log *log);

#endif
