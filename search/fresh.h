/* Workers that are executed anew. A forked worker has its parent's addresses and
 * more; what a run lets in of these is the same in all of them, so a repetition
 * in one of them cannot show it. Here is another image of the program at other
 * addresses, another place for the arena, another fill, and so other hash seeds. */
#ifndef SEARCH_FRESH_H
#define SEARCH_FRESH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lua/scenario.h"
#include "search/suite_options.h"

/* The first argument of a program that is to serve; four more follow it, for
 * fresh_main. No command for people. */
#define FRESH_COMMAND "serve-worlds"

/* In a new process: executes this very program, which reads jobs from `in` and
 * replies to `out`; worlds tell how far they are in block `place` of `blocks`
 * (progress_blocks.h). Comes back only when it cannot be executed; then it serves
 * here, at another place at least, and gives the exit status. */
int fresh_worker(int in, int out, int blocks, uint32_t place);
/* What the program does: argv[0] is FRESH_COMMAND. Returns the exit status. */
int fresh_main(int argc, char **argv);
/* Tells a new worker what it serves; `number` is another for each. false: it is gone. */
bool fresh_tell(int to, struct scenario_file *const *files, size_t file_count, const struct suite_options *options,
                uint32_t number);

#endif
