/* The history of one operation, told from a recording. */
#ifndef CLUSTER_HISTORY_H
#define CLUSTER_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "sim/sim.h"

/* Writes the history of an operation as lines of text, from a recording of the
 * run: submitted, durable, sent, applied, lost, ... `subject` as in struct
 * sim_violation. Returns the length. */
size_t cluster_history(const struct sim_trace_log *log, const uint64_t subject[3], uint32_t nodes, char *text,
                       size_t size);

#endif
