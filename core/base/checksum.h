/* The one hash of all formats: XXH3, 64 bits, seeded (128 where nothing else vouches). Its output is fixed by
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

/* The same in 128 bits, as 16 bytes that are alike on every processor. May be within the bytes themselves. */
static inline void checksum128(uint8_t to[16], const void *bytes, size_t size) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, size));
  for (size_t i = 0; i < 16; i++)
    to[i] = canonical.digest[i];
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
