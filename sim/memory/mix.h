/* Face of room `memory`: integer mixing and exact scaling that every processor computes alike. */
#ifndef SIM_MIX_H
#define SIM_MIX_H

#include <stdint.h>

/* A bijection in which every input bit moves every output bit (Evensen's
 * moremur constants). */
static inline uint64_t sim_mix(uint64_t x) {
  x ^= x >> 27;
  x *= UINT64_C(0x3c79ac492ba7b653);
  x ^= x >> 33;
  x *= UINT64_C(0x1c69b3f74ac4ae35);
  return x ^ (x >> 27);
}

/* The upper half of the 128-bit product. */
static inline uint64_t sim_multiply_high(uint64_t a, uint64_t b) {
  uint64_t a_low = a & UINT32_MAX, a_high = a >> 32;
  uint64_t b_low = b & UINT32_MAX, b_high = b >> 32;
  uint64_t low = a_low * b_low;
  uint64_t middle = a_high * b_low + (low >> 32);
  uint64_t cross = a_low * b_high + (middle & UINT32_MAX);
  return a_high * b_high + (middle >> 32) + (cross >> 32);
}

/* A number of 64 random bits, scaled below n. */
static inline uint64_t sim_scale(uint64_t bits, uint64_t n) {
  if (n <= UINT32_MAX) return ((bits >> 32) * n + (((bits & UINT32_MAX) * n) >> 32)) >> 32;
  return sim_multiply_high(bits, n);
}

#endif
