/* Version vectors of peers: the highest contiguous sequence number of every
 * origin, by the origin's index. What is not there is 0. */
#ifndef SYNC_CORE_STATE_VECTOR_H
#define SYNC_CORE_STATE_VECTOR_H

#include "core/base/base.h"

struct vector {
  struct memory_array seqs; /* uint64_t */
};

static inline uint64_t vector_get(const struct vector *vector, uint32_t origin) {
  return origin < vector->seqs.count ? ((const uint64_t *)vector->seqs.items)[origin] : 0;
}
/* Room for origins below `count`. SYNC_E_NO_MEMORY: nothing changed. */
static inline int vector_reserve(const struct sync_env *env, struct vector *vector, size_t count) {
  int rc = memory_array_reserve(env, &vector->seqs, 8, 8, count, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  uint64_t *seqs = vector->seqs.items;
  while (vector->seqs.count < count)
    seqs[vector->seqs.count++] = 0;
  return SYNC_OK;
}
/* Raises one entry; the room must have been reserved. True: it was raised. */
static inline bool vector_raise(struct vector *vector, uint32_t origin, uint64_t seq) {
  uint64_t *seqs = vector->seqs.items;
  if (seqs[origin] >= seq) return false;
  seqs[origin] = seq;
  return true;
}
static inline void vector_clear(struct vector *vector) {
  if (vector->seqs.count > 0) memset(vector->seqs.items, 0, vector->seqs.count * 8);
}
static inline void vector_free(const struct sync_env *env, struct vector *vector) {
  memory_array_free(env, &vector->seqs, 8, 8);
}

#endif
