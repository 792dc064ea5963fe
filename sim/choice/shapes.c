#include "sim/choice/shapes.h"

uint64_t choice_exponential(struct choices *choices, struct sim_tag tag, uint64_t mean) {
  if (mean == 0) return 0;
  return sim_exponential_at(mean, (uint32_t)choice_range(choices, tag, 0, UINT32_MAX));
}

bool choice_slow_tail(struct choices *choices, const struct sim_slow_tail *tail, uint32_t where, uint64_t identity,
                      uint64_t *more) {
  *more = 0;
  if (choice_chance(choices, sim_tag(tail->slow_kind, where, identity), tail->slow_ppm) == 0) return false;
  if (tail->more_max != 0) *more = choice_range(choices, sim_tag(tail->more_kind, where, identity), 0, tail->more_max);
  return true;
}

bool choice_loss_chain(struct choices *choices, const struct sim_loss_chain *chain, bool *bad, uint32_t where,
                       uint64_t identity) {
  if (*bad) {
    *bad = choice_chance(choices, sim_tag(chain->stay_kind, where, identity), 1000000 - chain->leave_ppm) != 0;
  } else {
    *bad = choice_chance(choices, sim_tag(chain->enter_kind, where, identity), chain->enter_ppm) != 0;
  }
  return *bad && choice_chance(choices, sim_tag(chain->loss_kind, where, identity), chain->loss_ppm) != 0;
}
