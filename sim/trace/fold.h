/* Face of room `trace`: the hash of one step, inline where steps enter. */
#ifndef SIM_FOLD_H
#define SIM_FOLD_H

#include <stddef.h>

#include "sim/trace/trace.h"

#define TRACE_FALLS_THROUGH __attribute__((fallthrough))

static inline uint64_t trace_field(uint64_t field, uint64_t factor) {
  return (field ^ field >> 31) * factor;
}

/* One step is one fold: its fields are summed under odd multipliers first, so
 * that the long chain of the hash is only one multiplication per step. Where the
 * count is a constant, as at most callers, the switch is straight code. */
static inline uint64_t trace_fold(uint64_t chain, uint64_t event, uint64_t time_ns, uint32_t node, uint32_t step,
                                  const uint64_t *fields, size_t count) {
  uint64_t sum = (uint64_t)node << 32 | (uint64_t)step << 8 | count;
  sum += event * UINT64_C(0x9e3779b97f4a7c15) + time_ns * UINT64_C(0xa0761d6478bd642f);
  switch (count) {
  case 7:
    sum += trace_field(fields[6], UINT64_C(0x1d8e4e27c47d124f));
    TRACE_FALLS_THROUGH;
  case 6:
    sum += trace_field(fields[5], UINT64_C(0x589965cc75374cc3));
    TRACE_FALLS_THROUGH;
  case 5:
    sum += trace_field(fields[4], UINT64_C(0x8ebc6af09c88c6e3));
    TRACE_FALLS_THROUGH;
  case 4:
    sum += trace_field(fields[3], UINT64_C(0xe7037ed1a0b428db));
    TRACE_FALLS_THROUGH;
  case 3:
    sum += trace_field(fields[2], UINT64_C(0xd6e8feb86659fd93));
    TRACE_FALLS_THROUGH;
  case 2:
    sum += trace_field(fields[1], UINT64_C(0x94d049bb133111eb));
    TRACE_FALLS_THROUGH;
  case 1:
    sum += trace_field(fields[0], UINT64_C(0xbf58476d1ce4e5b9));
    TRACE_FALLS_THROUGH;
  default:
    break;
  }
  return sim_hash_fold(chain, sum);
}

#endif
