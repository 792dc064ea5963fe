/* A worker: a process that runs worlds one after another in one arena. */
#ifndef SEARCH_WORKER_H
#define SEARCH_WORKER_H

#include "lua/scenario.h"
#include "search/suite_options.h"
#include "sim/world/progress.h"

/* Serves jobs from `in` until it closes, replies to `out`; the worlds tell how far
 * they are in `progress`. Returns the
 * process's exit status; after a failed assertion it returns at once, for the
 * next world deserves a clean process. */
int worker_serve(int in, int out, struct scenario_file *const *files, size_t file_count,
                 const struct suite_options *options, struct sim_progress *progress);

#endif
