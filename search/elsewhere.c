#include "search/elsewhere.h"

/* Far from where programs, libraries and stacks are put. */
#define BASE_FIRST (UINT64_C(0x60) << 40)
#define BASE_STEP (UINT64_C(1) << 38)
#define BASE_COUNT 64u

struct sim_options elsewhere(const struct sim_options *sim, uint32_t number) {
  struct sim_options other = *sim;
  other.fill = sim->fill == 0x5a ? 0xa5 : 0x5a;
  other.arena_base = 0;
  if (sizeof(void *) < 8) return other;
  const uint64_t base = BASE_FIRST + (number == ELSEWHERE_APART ? BASE_COUNT : number % BASE_COUNT) * BASE_STEP;
  other.arena_base = (uintptr_t)(base == sim->arena_base ? base + BASE_STEP / 2 : base);
  return other;
}
