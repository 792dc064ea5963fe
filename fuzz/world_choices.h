/* The world that bytes drive; for the fuzzer and for the tests that replay its
 * corpus. */
#ifndef FUZZ_WORLD_CHOICES_H
#define FUZZ_WORLD_CHOICES_H

#include "sim/sim.h"

/* Runs one world to its verdict, which is left in `sim`. */
void fuzz_world_choices(struct sim *sim, const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
