/* What a seed draws for a tag: bits that depend on nothing else. */
#ifndef SIM_DRAW_H
#define SIM_DRAW_H

#include "sim/choice/tag.h"
#include "sim/memory/mix.h"

#define DRAW_SALT_IDENTITY UINT64_C(0x9e3779b97f4a7c15)

static inline uint64_t draw_mix_seed(uint64_t seed) {
  return sim_mix(seed + DRAW_SALT_IDENTITY);
}

static inline uint64_t draw_mixed(uint64_t mixed_seed, struct sim_tag tag) {
  uint64_t where = (uint64_t)tag.kind << 32 | tag.where;
  uint64_t mixed = sim_mix(mixed_seed ^ where);
  return sim_mix(sim_mix(mixed + tag.identity * DRAW_SALT_IDENTITY) ^ tag.identity);
}

#endif
