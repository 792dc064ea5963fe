#include "cluster/merges.h"

#include <string.h>

static int give(const struct sync_sibling *from, void *to, size_t capacity, size_t *size) {
  *size = from->value_size;
  if (from->value_size > 0 && from->value_size <= capacity) memcpy(to, from->value, from->value_size);
  return SYNC_OK;
}

/* Bytewise, as keys are. */
static int compare(const struct sync_sibling *a, const struct sync_sibling *b) {
  size_t shorter = a->value_size < b->value_size ? a->value_size : b->value_size;
  int order = shorter ? memcmp(a->value, b->value, shorter) : 0;
  if (order) return order;
  return a->value_size < b->value_size ? -1 : a->value_size > b->value_size;
}

/* The set of all bytes in them, in order. */
static int merge_union(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count,
                       void *to, size_t capacity, size_t *size) {
  bool has[256] = {false};
  uint8_t *bytes = to;
  (void)arg, (void)key, (void)key_size;
  for (size_t i = 0; i < count; i++)
    for (size_t at = 0; at < values[i].value_size; at++)
      has[((const uint8_t *)values[i].value)[at]] = true;
  *size = 0;
  for (unsigned byte = 0; byte < 256; byte++) {
    if (!has[byte]) continue;
    if (*size < capacity) bytes[*size] = (uint8_t)byte;
    ++*size;
  }
  return SYNC_OK;
}

/* The longest, and of equally long ones the greatest. */
static int merge_longest(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count,
                         void *to, size_t capacity, size_t *size) {
  const struct sync_sibling *best = values;
  (void)arg, (void)key, (void)key_size;
  for (size_t i = 1; i < count; i++)
    if (values[i].value_size > best->value_size ||
        (values[i].value_size == best->value_size && compare(&values[i], best) > 0))
      best = &values[i];
  return give(best, to, capacity, size);
}

static int merge_greatest(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count,
                          void *to, size_t capacity, size_t *size) {
  const struct sync_sibling *best = values;
  (void)arg, (void)key, (void)key_size;
  for (size_t i = 1; i < count; i++)
    if (compare(&values[i], best) > 0) best = &values[i];
  return give(best, to, capacity, size);
}

sync_merge *cluster_merge(enum cluster_policy policy) {
  switch (policy) {
  case CLUSTER_MERGE_UNION:
    return merge_union;
  case CLUSTER_MERGE_LONGEST:
    return merge_longest;
  case CLUSTER_MERGE_GREATEST:
    return merge_greatest;
  default:
    return NULL;
  }
}
