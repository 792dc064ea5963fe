/* One small world whose recording has most kinds of steps, for tests of traces. */
#ifndef TESTS_SUPPORT_TRACE_FIXTURE_H
#define TESTS_SUPPORT_TRACE_FIXTURE_H

#include "tests/support/toy_world.h"

/* A driver: a message of 40 bytes from node 1 to node 2 that holds the token. */
void trace_fixture_deliver(struct sim_world *world, void *self, uint64_t token);

/* Runs three nodes with messages, files and a death for 100 ms; gives the trace
 * hash. Variants above 1 differ in one byte of one message, at 30 ms. */
uint64_t trace_fixture_run(struct sim *sim, uint64_t variant, struct sim_trace_log *log, struct sim_trace_marks *marks);

#endif
