/* Whether a merge callback gives the same for the same values in every order. */
#include <string.h>

#include "core/policies.h"

#define MERGE_CHECK_VALUES_MAX 5u

/* Writers whose dots are in the order of the values given: the callback may not go by them either. */
static const char *const merge_check_nodes[MERGE_CHECK_VALUES_MAX] = {"a", "b", "c", "d", "e"};

struct merge_check {
  const struct sync_policy *policy;
  const void *key;
  size_t key_size;
  const struct sync_merge_value *values;
  size_t count;
  uint8_t *first, *again; /* results */
  size_t capacity;
  size_t first_size;
  bool begun;
  size_t order[MERGE_CHECK_VALUES_MAX];
};

/* Makes the value of the present order, and compares it with the first one that was made. */
static int merge_check_one(struct merge_check *check) {
  struct sync_sibling siblings[MERGE_CHECK_VALUES_MAX];
  memset(siblings, 0, sizeof siblings);
  for (size_t i = 0; i < check->count; i++) {
    const struct sync_merge_value *value = &check->values[check->order[i]];
    siblings[i] =
        (struct sync_sibling){.dot = {.origin = {.node_id = merge_check_nodes[i], .incarnation = 1}, .seq = 1},
                              .hlc = check->order[i] + 1u,
                              .value = value->value,
                              .value_size = value->value_size};
  }
  uint8_t *to = check->begun ? check->again : check->first;
  size_t size = 0;
  int rc = check->policy->merge(check->policy->merge_arg, check->key, check->key_size, siblings, check->count, to,
                                check->capacity, &size);
  if (rc != SYNC_OK) return SYNC_E_MERGE;
  if (size > check->capacity) return SYNC_E_TOO_BIG;
  if (!check->begun) {
    check->begun = true;
    check->first_size = size;
    return SYNC_OK;
  }
  bool same = size == check->first_size && (size == 0 || memcmp(check->first, check->again, size) == 0);
  return same ? SYNC_OK : SYNC_E_MERGE;
}

/* The next order in the sequence of all; false: that was the last. */
static bool merge_check_next(struct merge_check *check) {
  size_t *order = check->order;
  size_t i = check->count - 1;
  while (i > 0 && order[i - 1] > order[i])
    i--;
  if (i == 0) return false;
  size_t k = check->count - 1;
  while (order[k] < order[i - 1])
    k--;
  size_t moved = order[i - 1];
  order[i - 1] = order[k];
  order[k] = moved;
  for (size_t low = i, high = check->count - 1; low < high; low++, high--) {
    moved = order[low];
    order[low] = order[high];
    order[high] = moved;
  }
  return true;
}

int sync_merge_check(const struct sync_policy *policy, const void *key, size_t key_size,
                     const struct sync_merge_value *values, size_t count, void *scratch, size_t capacity) {
  if (policy == NULL || policy->kind != SYNC_MERGE || policies_check(policy) != SYNC_OK) return SYNC_E_INVALID;
  if (values == NULL || scratch == NULL || count < 2 || count > MERGE_CHECK_VALUES_MAX) return SYNC_E_INVALID;
  struct merge_check check = {.policy = policy,
                              .key = key,
                              .key_size = key_size,
                              .values = values,
                              .count = count,
                              .first = scratch,
                              .again = (uint8_t *)scratch + capacity,
                              .capacity = capacity};
  for (size_t i = 0; i < count; i++)
    check.order[i] = i;
  do {
    /* Twice: it may remember nothing. */
    for (int times = 0; times < 2; times++) {
      int rc = merge_check_one(&check);
      if (rc != SYNC_OK) return rc;
    }
  } while (merge_check_next(&check));
  return SYNC_OK;
}
