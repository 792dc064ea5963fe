/* What a source that is neither seed nor table is asked. */
#ifndef SIM_QUESTION_H
#define SIM_QUESTION_H

#include <stdbool.h>

#include "sim/choice/tag.h"

struct sim_question {
  struct sim_tag tag;
  uint64_t lo, hi; /* lo is calm */
  uint32_t ppm;    /* of a chance; else 0 */
  bool is_range;
  bool ends; /* under a seed the first and the last outcome have a third each */
};

#endif
