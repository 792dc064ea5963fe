/* Memory from the environment. A block remembers neither its size nor its
 * price: whoever frees it says both again.
 */
#ifndef SYNC_CORE_BASE_MEMORY_H
#define SYNC_CORE_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/env.h"

/* A broken invariant ends the node; errors of the world are return codes. */
#define sync_check(env, condition)                                                                                     \
  ((condition) ? (void)0 : (env)->ops->fatal((env)->ctx, __FILE__, __LINE__, #condition))

/* `nominal` is what the block counts against quotas, the same number on every
 * processor. NULL when there is no memory. */
static inline void *memory_alloc(const struct sync_env *env, size_t size, size_t nominal) {
  return env->ops->alloc(env->ctx, size, nominal);
}
static inline void *memory_alloc_zero(const struct sync_env *env, size_t size, size_t nominal) {
  void *block = env->ops->alloc(env->ctx, size, nominal);
  if (block != NULL) memset(block, 0, size);
  return block;
}
static inline void memory_free(const struct sync_env *env, void *block, size_t size, size_t nominal) {
  env->ops->free(env->ctx, block, size, nominal);
}

/* Says that this place will be read soon, so that the wait for it begins now. Any pointer will do. */
static inline void memory_fetch(const void *place) {
#if defined(__GNUC__)
  __builtin_prefetch(place);
#else
  (void)place;
#endif
}

/* Plain bytes cost what they are. */
static inline uint8_t *memory_alloc_bytes(const struct sync_env *env, size_t size) {
  return (uint8_t *)memory_alloc(env, size, size);
}
static inline void memory_free_bytes(const struct sync_env *env, uint8_t *bytes, size_t size) {
  memory_free(env, bytes, size, size);
}

/* A growable array of equal items. Zero it to begin; `items` moves whenever it
 * grows. */
struct memory_array {
  void *items;
  size_t count;
  size_t capacity;
};

/* Room for at least `wanted` items, growing by half, never past `max`.
 * SYNC_E_TOO_MANY when wanted > max, SYNC_E_NO_MEMORY; then nothing changed.
 * `item_size` and `item_nominal` must be the same in every call. */
static inline int memory_array_reserve(const struct sync_env *env, struct memory_array *array, size_t item_size,
                                       size_t item_nominal, size_t wanted, size_t max) {
  if (wanted <= array->capacity) return SYNC_OK;
  if (wanted > max || wanted > SIZE_MAX / item_size || wanted > SIZE_MAX / item_nominal) return SYNC_E_TOO_MANY;
  size_t capacity = array->capacity < 8 ? 8 : array->capacity;
  while (capacity < wanted)
    capacity = capacity > max / 2 ? max : capacity + capacity / 2;
  if (capacity > max) capacity = max;
  if (capacity > SIZE_MAX / item_size || capacity > SIZE_MAX / item_nominal) capacity = wanted;
  void *items = memory_alloc(env, capacity * item_size, capacity * item_nominal);
  if (items == NULL) return SYNC_E_NO_MEMORY;
  if (array->count > 0) memcpy(items, array->items, array->count * item_size);
  memory_free(env, array->items, array->capacity * item_size, array->capacity * item_nominal);
  array->items = items;
  array->capacity = capacity;
  return SYNC_OK;
}
static inline void memory_array_free(const struct sync_env *env, struct memory_array *array, size_t item_size,
                                     size_t item_nominal) {
  memory_free(env, array->items, array->capacity * item_size, array->capacity * item_nominal);
  array->items = NULL;
  array->count = 0;
  array->capacity = 0;
}

#endif
