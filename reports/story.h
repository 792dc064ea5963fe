/* A recording as a story: one line for each thing that a person would tell (acts of the script, faults, nodes that come
 * and go, violations), and between them what happened in numbers. */
#ifndef REPORTS_STORY_H
#define REPORTS_STORY_H

#include <stdbool.h>
#include <stdio.h>

#include "sim/trace/trace.h"

/* Lines are `TIME NODE WORDS`, with simulated seconds; words go on in the next line at `columns` (0: never). false: a
 * write failed or memory ran out. */
bool story_write(FILE *file, const struct sim_trace_log *log, unsigned columns);

#endif
