/* What a scenario says of itself, and what is wrong with it. */
#ifndef LUA_TEXT_INFO_H
#define LUA_TEXT_INFO_H

#include <stdbool.h>
#include <stdint.h>

#include "lua/text/params.h"
#include "sim/sim.h"

#define SCENARIO_SOMETIMES_MAX 16u
#define SCENARIO_NAME_BYTES 96u
#define SCENARIO_VARIANTS_MAX 16u
#define SCENARIO_VARIANT_BYTES 48u
#define SCENARIO_TITLE_BYTES (SCENARIO_NAME_BYTES + SCENARIO_VARIANT_BYTES + 4u)
#define SCENARIO_PARAMS_MAX 16u
#define SCENARIO_TAGS_MAX 8u
#define SCENARIO_TAG_BYTES 32u

/* A wrong scenario: one message for people, beginning with FILE:LINE:, naming
 * what is wrong and what would be right. */
struct scenario_error {
  char text[1024];
};

/* A step of a sim.sometimes over a sequence. */
#define SCENARIO_STEPS_MAX 32u
struct scenario_step {
  char name[48];
  uint32_t sometimes; /* whose it is, and which of its steps from 0 */
  uint32_t place;
};

/* An oracle that is switched off, and why. */
#define SCENARIO_WITHOUT_MAX 8u
struct scenario_without {
  char oracle[40];
  char reason[160];
};

enum scenario_param_kind {
  SCENARIO_PARAM_NUMBER = 0,
  SCENARIO_PARAM_BOOL,
  SCENARIO_PARAM_TEXT,
  SCENARIO_PARAM_SHARE,
  SCENARIO_PARAM_DURATION, /* or a range of them */
  SCENARIO_PARAM_SIZE,     /* or a range of them */
  SCENARIO_PARAM_RATE,
  SCENARIO_PARAM_BANDWIDTH,
};

/* What sim.param asks for. */
struct scenario_param {
  char name[PARAM_NAME_BYTES];
  enum scenario_param_kind kind;
  char value[PARAM_VALUE_BYTES];    /* as the scenario was described or run */
  char standard[PARAM_VALUE_BYTES]; /* as the file has it */
  char about[96];                   /* may be empty */
};

/* What the file says of itself. */
struct scenario_info {
  char name[SCENARIO_TITLE_BYTES]; /* "NAME (VARIANT)" when a variant is chosen */
  char story[256];                 /* the real failure that it stands for */
  char must_fail[64];              /* a canary: the property that must be violated; else empty */
  uint32_t tag_count;
  char tags[SCENARIO_TAGS_MAX][SCENARIO_TAG_BYTES];
  uint32_t nodes;
  uint64_t duration_ns, settle_ns;
  uint32_t sometimes_count;
  char sometimes[SCENARIO_SOMETIMES_MAX][SCENARIO_NAME_BYTES];
  uint32_t step_count;
  struct scenario_step steps[SCENARIO_STEPS_MAX]; /* in the order of sometimes, and of the steps of each */
  uint32_t without_count;
  struct scenario_without without[SCENARIO_WITHOUT_MAX];
  uint32_t param_count;
  struct scenario_param params[SCENARIO_PARAMS_MAX]; /* in the order in which the file asks for them */
  uint32_t variant_count;
  char variants[SCENARIO_VARIANTS_MAX][SCENARIO_VARIANT_BYTES]; /* in the order of their names */
  char variant[SCENARIO_VARIANT_BYTES];                         /* the one that was chosen, or empty */
  bool expects[SIM_FAULT_COUNT]; /* fault kinds that its settings enable: each must fire somewhere in a suite */
};

#endif
