/* What a scenario says of itself, and what is wrong with it. */
#ifndef LUA_TEXT_INFO_H
#define LUA_TEXT_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "sim/sim.h"

#define SCENARIO_SOMETIMES_MAX 16u
#define SCENARIO_NAME_BYTES 96u

/* A wrong scenario: one message for people, beginning with FILE:LINE:, naming
 * what is wrong and what would be right. */
struct scenario_error {
  char text[1024];
};

/* What the file says of itself. */
struct scenario_info {
  char name[SCENARIO_NAME_BYTES];
  char story[256];    /* the real failure that it stands for */
  char must_fail[64]; /* a canary: the property that must be violated; else empty */
  uint32_t nodes;
  uint64_t duration_ns, settle_ns;
  uint32_t sometimes_count;
  char sometimes[SCENARIO_SOMETIMES_MAX][SCENARIO_NAME_BYTES];
  bool expects[SIM_FAULT_COUNT]; /* fault kinds that its settings enable: each must fire somewhere in a suite */
};

#endif
