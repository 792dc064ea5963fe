#include "cluster/zipf.h"

#define ONE (UINT64_C(1) << 40) /* the weight of the first rank */
#define FRACTION_BITS 24u

/* log2(n), FRACTION_BITS of it behind the point: of 1 <= m < 2, squared again and again, each doubling is a bit. */
static uint64_t log2_of(uint32_t n) {
  unsigned whole = 0;
  while (n >> whole > 1u)
    whole++;
  uint64_t result = whole, m = ((uint64_t)n << 31) >> whole; /* 31 bits behind the point */
  for (unsigned bit = 0; bit < FRACTION_BITS; bit++) {
    m = (m * m) >> 31;
    result = result << 1 | m >> 32;
    if (m >> 32) m >>= 1;
  }
  return result;
}

/* 2^-x by the roots of a half for each bit of the fraction: 2^(-2^-i), 32 bits behind the point. */
static uint64_t weight(uint64_t x) {
  static const uint32_t roots[] = {
      0xb504f334, 0xd744fccb, 0xeac0c6e8, 0xf5257d15, 0xfa83b2db, 0xfd3e0c0d, 0xfe9e115c, 0xff4ecb59,
      0xffa75652, 0xffd3a752, 0xffe9d2b3, 0xfff4e91c, 0xfffa747f, 0xfffd3a3b, 0xfffe9d1d, 0xffff4e8e,
  };
  uint64_t whole = x >> FRACTION_BITS, result = ONE - 1u;
  if (whole >= 40u) return 1;
  for (unsigned i = 0; i < sizeof roots / sizeof *roots; i++)
    if (x >> (FRACTION_BITS - 1u - i) & 1u) result = (result >> 16) * roots[i] >> 16;
  result >>= whole;
  return result ? result : 1;
}

void zipf_make(struct zipf *zipf, struct sim_world *world, uint32_t ranks, uint32_t exponent) {
  SIM_ASSERT(world, ranks > 0 && ranks <= ZIPF_RANKS_MAX && exponent <= ZIPF_EXPONENT_MAX);
  zipf->upto = sim_alloc(world, ranks * sizeof *zipf->upto);
  SIM_ASSERT(world, zipf->upto != NULL);
  zipf->ranks = ranks;
  uint64_t sum = 0;
  for (uint32_t rank = 0; rank < ranks; rank++)
    zipf->upto[rank] = sum += weight(log2_of(rank + 1u) * exponent / 100u);
}

uint32_t zipf_draw(const struct zipf *zipf, struct sim_world *world, struct sim_tag tag) {
  uint64_t drawn = sim_pick(world, tag, zipf->upto[zipf->ranks - 1u]);
  uint32_t low = 0, high = zipf->ranks - 1u;
  while (low < high) { /* the first that is above it */
    uint32_t middle = low + (high - low) / 2u;
    if (zipf->upto[middle] > drawn)
      high = middle;
    else
      low = middle + 1u;
  }
  return low;
}
