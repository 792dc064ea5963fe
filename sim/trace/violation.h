/* Face of room `trace`: a property that does not hold. The first one of a run counts. */
#ifndef SIM_VIOLATION_H
#define SIM_VIOLATION_H

#include <stdbool.h>
#include <stdint.h>

struct sim_violation {
  bool found;
  char property[64]; /* plain name: "durability" */
  char detail[960];  /* what was seen, expected, where */
  uint64_t time_ns;
  uint64_t event;
  uint32_t node;       /* 0: none in particular */
  uint64_t subject[3]; /* what the history is told of: an operation's {node hash, incarnation, seq}, or zeros */
};

#endif
