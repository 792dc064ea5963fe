/* A staged snapshot that bytes make up; for the fuzzer and for the tests that replay its corpus. */
#ifndef FUZZ_STAGED_SNAPSHOT_H
#define FUZZ_STAGED_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

/* What merge_plan() said of it. */
int fuzz_staged_snapshot(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
