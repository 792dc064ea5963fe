/* The one hash of all formats: XXH3, 64 bits, seeded. Its output is fixed by
 * specification, the same on every processor. */
#ifndef SYNC_CORE_BASE_CHECKSUM_H
#define SYNC_CORE_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t checksum64(const void *bytes, size_t size, uint64_t seed) {
  return (uint64_t)XXH3_64bits_withSeed(bytes, size, (XXH64_hash_t)seed);
}

/* Mixes 64 bits: a bijection in which every input bit changes every output
 * bit (the finalizer of splitmix64). For making seeds out of identities. */
static inline uint64_t checksum_mix(uint64_t value) {
  value ^= value >> 30;
  value *= UINT64_C(0xbf58476d1ce4e5b9);
  value ^= value >> 27;
  value *= UINT64_C(0x94d049bb133111eb);
  return value ^ (value >> 31);
}

#endif
