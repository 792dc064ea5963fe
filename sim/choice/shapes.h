/* Face of room `choice` for devices: choices in other shapes than the uniform one. */
#ifndef SIM_SHAPES_H
#define SIM_SHAPES_H

#include "sim/choice/choices.h"
#include "sim/choice/distribution.h"

/* One choice: the quantile, 0 to UINT32_MAX. A mean of 0 decides nothing. */
uint64_t choice_exponential(struct choices *choices, struct sim_tag tag, uint64_t mean);
/* true: slow, and *more is by how much. */
bool choice_slow_tail(struct choices *choices, const struct sim_slow_tail *tail, uint32_t where, uint64_t identity,
                      uint64_t *more);
/* One step; the caller keeps the state. true: lost. */
bool choice_loss_chain(struct choices *choices, const struct sim_loss_chain *chain, bool *bad, uint32_t where,
                       uint64_t identity);

#endif
