/* A key of the store: its bytes, their order, and what stands under it. */
#ifndef SYNC_CORE_STATE_KEY_H
#define SYNC_CORE_STATE_KEY_H

#include "core/base/base.h"

struct store_sibling;

struct store_key {
  struct store_sibling *siblings; /* at least one, but between a plan and its commit */
  uint32_t sibling_count;
  uint16_t size;
  uint16_t mark; /* of the last snapshot that has it as it was then, or need not have it (store.h) */
  uint8_t bytes[];
};
static inline const uint8_t *store_key_bytes(const struct store_key *key) {
  return key->bytes;
}

/* Eight bytes from `from` on as a number that is ordered as they are. A key
 * that ends before is padded with zeros: so keys that are equal before `from`
 * are ordered as their words where these differ, and where not, words say nothing. */
static inline uint64_t key_word(const uint8_t *bytes, size_t size, size_t from) {
  if (size >= from + 8) {
    bytes += from;
    return (uint64_t)bytes[0] << 56 | (uint64_t)bytes[1] << 48 | (uint64_t)bytes[2] << 40 | (uint64_t)bytes[3] << 32 |
           (uint64_t)bytes[4] << 24 | (uint64_t)bytes[5] << 16 | (uint64_t)bytes[6] << 8 | (uint64_t)bytes[7];
  }
  uint64_t word = 0;
  for (size_t i = 0; i < 8; i++)
    word = word << 8 | (from + i < size ? bytes[from + i] : 0u);
  return word;
}

/* How many bytes both have in common at their beginnings. */
static inline size_t key_common(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
  size_t shorter = a_size < b_size ? a_size : b_size;
  size_t common = 0;
  while (common + 8 <= shorter && memcmp(a + common, b + common, 8) == 0)
    common += 8;
  while (common < shorter && a[common] == b[common])
    common++;
  return common;
}

/* Bytewise, as memcmp; the shorter of two is below where it ends. */
static inline int key_compare(const struct store_key *a, const uint8_t *bytes, size_t size) {
  size_t shorter = a->size < size ? a->size : size;
  int order = shorter == 0 ? 0 : memcmp(a->bytes, bytes, shorter);
  if (order != 0) return order;
  return a->size < size ? -1 : a->size > size ? 1 : 0;
}

#endif
