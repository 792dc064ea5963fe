/* A suite: scenarios x seeds over worker processes.
 *
 * Each worker is a process with one arena that runs worlds one after another
 * and sends their results back; a worker that dies is that seed's failure and
 * is replaced. Every failure, and one pass in a hundred, is run twice and must
 * agree. The table of results is what reports are written from.
 */
#ifndef SEARCH_SUITE_H
#define SEARCH_SUITE_H

#include <stddef.h>

#include "search/result.h"
#include "search/suite_options.h"

/* Runs every scenario under every seed. The files stay the caller's. SIGINT
 * and SIGTERM end it early, with the verdict so far. NULL and a message when
 * it cannot even begin (too many runs, no memory, no process). What comes back
 * depends on scenarios and seeds alone, but for times and `jobs`. */
struct suite_result *suite_run_all(struct scenario_file *const *files, size_t file_count,
                                   const struct suite_options *options, char *error, size_t error_size);

#endif
