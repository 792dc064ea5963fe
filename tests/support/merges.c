#include "tests/support/merges.h"

#include <string.h>

int merge_union(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count, void *to,
                size_t capacity, size_t *size) {
  bool has[256] = {false};
  uint8_t *bytes = to;
  (void)arg;
  (void)key;
  (void)key_size;
  for (size_t i = 0; i < count; i++)
    for (size_t k = 0; k < values[i].value_size; k++)
      has[((const uint8_t *)values[i].value)[k]] = true;
  *size = 0;
  for (unsigned byte = 0; byte < 256; byte++) {
    if (!has[byte]) continue;
    if (*size < capacity) bytes[*size] = (uint8_t)byte;
    ++*size;
  }
  return SYNC_OK;
}

static const struct sync_sibling *longest(const struct sync_sibling *values, size_t count) {
  const struct sync_sibling *most = values;
  for (size_t i = 1; i < count; i++) {
    bool longer = values[i].value_size > most->value_size;
    bool as_long = values[i].value_size == most->value_size && most->value_size > 0;
    if (longer || (as_long && memcmp(values[i].value, most->value, most->value_size) > 0)) most = &values[i];
  }
  return most;
}

static int give(const void *value, size_t value_size, void *to, size_t capacity, size_t *size) {
  *size = value_size;
  if (value_size > 0 && value_size <= capacity) memcpy(to, value, value_size);
  return SYNC_OK;
}

int merge_longest(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count,
                  void *to, size_t capacity, size_t *size) {
  (void)arg;
  (void)key;
  (void)key_size;
  const struct sync_sibling *most = longest(values, count);
  return give(most->value, most->value_size, to, capacity, size);
}

int merge_first(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count, void *to,
                size_t capacity, size_t *size) {
  (void)arg;
  (void)key;
  (void)key_size;
  (void)count;
  return give(values[0].value, values[0].value_size, to, capacity, size);
}

int merge_joined(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count, void *to,
                 size_t capacity, size_t *size) {
  uint8_t *bytes = to;
  (void)arg;
  (void)key;
  (void)key_size;
  *size = 0;
  for (size_t i = 0; i < count; i++) {
    if (values[i].value_size > 0 && *size + values[i].value_size <= capacity)
      memcpy(bytes + *size, values[i].value, values[i].value_size);
    *size += values[i].value_size;
  }
  return SYNC_OK;
}

int merge_counts(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count, void *to,
                 size_t capacity, size_t *size) {
  static uint8_t calls;
  (void)arg;
  (void)key;
  (void)key_size;
  (void)values;
  (void)count;
  calls++;
  return give(&calls, 1, to, capacity, size);
}

int merge_author(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count, void *to,
                 size_t capacity, size_t *size) {
  (void)arg;
  (void)key;
  (void)key_size;
  const char *author = longest(values, count)->dot.origin.node_id;
  return give(author, strlen(author), to, capacity, size);
}

int merge_fails(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count, void *to,
                size_t capacity, size_t *size) {
  (void)arg;
  (void)key;
  (void)key_size;
  (void)values;
  (void)count;
  (void)to;
  (void)capacity;
  (void)size;
  return -1;
}

int merge_grows(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count, void *to,
                size_t capacity, size_t *size) {
  (void)arg;
  (void)key;
  (void)key_size;
  (void)values;
  (void)count;
  (void)to;
  *size = capacity + 1;
  return SYNC_OK;
}
