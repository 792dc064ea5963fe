/* The merges that scenarios choose by name go by the values alone; policies of nodes are found by the longest prefix.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/merges.h"
#include "cluster/policies.h"

#define ROUNDS 300u

static uint64_t below(uint64_t *state, uint64_t n) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state % n;
}

static void every_merge_gives_the_same_in_every_order(void **state) {
  (void)state;
  uint64_t chance = 7;
  static uint8_t scratch[2 * 256];
  uint8_t bytes[5][8];
  struct sync_merge_value values[5];
  for (unsigned round = 0; round < ROUNDS; round++) {
    size_t count = 2 + (size_t)below(&chance, 4);
    for (size_t i = 0; i < count; i++) {
      size_t size = (size_t)below(&chance, 8); /* equal ones and empty ones are often among them */
      for (size_t at = 0; at < size; at++)
        bytes[i][at] = (uint8_t)('a' + below(&chance, 3));
      values[i] = (struct sync_merge_value){bytes[i], size};
    }
    for (uint32_t policy = CLUSTER_MERGE_UNION; policy < CLUSTER_POLICY_COUNT; policy++) {
      struct sync_policy given = policies_given(NULL, (enum cluster_policy)policy);
      assert_int_equal(sync_merge_check(&given, "k", 1, values, count, scratch, 256), SYNC_OK);
    }
  }
}

static void only_merges_have_a_callback_and_all_have_a_word(void **state) {
  (void)state;
  for (uint32_t policy = 0; policy < CLUSTER_POLICY_COUNT; policy++) {
    assert_non_null(cluster_policy_words[policy]);
    bool merges = policies_kind((enum cluster_policy)policy) == SYNC_MERGE;
    assert_true((cluster_merge((enum cluster_policy)policy) != NULL) == merges);
  }
  assert_null(cluster_policy_words[CLUSTER_POLICY_COUNT]);
}

static void the_longest_prefix_decides_in_whatever_order_they_came(void **state) {
  (void)state;
  static const char *const prefixes[] = {"a", "ab", "abc", "b", "aa"};
  static const enum cluster_policy given[] = {CLUSTER_MANUAL, CLUSTER_KEEP_LOCAL, CLUSTER_MERGE_UNION,
                                              CLUSTER_KEEP_REMOTE, CLUSTER_MERGE_LONGEST};
  for (unsigned first = 0; first < 5; first++) {
    struct cluster_policies policies = {.count = 0};
    for (unsigned i = 0; i < 5; i++) {
      unsigned place = (first + 2 * i) % 5;
      assert_true(policies_put(&policies, prefixes[place], strlen(prefixes[place]), given[place]));
    }
    assert_int_equal(policies_find(&policies, "abcd", 4), CLUSTER_MERGE_UNION);
    assert_int_equal(policies_find(&policies, "abd", 3), CLUSTER_KEEP_LOCAL);
    assert_int_equal(policies_find(&policies, "aaz", 3), CLUSTER_MERGE_LONGEST);
    assert_int_equal(policies_find(&policies, "az", 2), CLUSTER_MANUAL);
    assert_int_equal(policies_find(&policies, "c", 1), CLUSTER_LAST_WRITE_WINS);
  }
}

static void there_is_a_bound(void **state) {
  (void)state;
  struct cluster_policies policies = {.count = 0};
  char prefix[CLUSTER_PREFIX_BYTES_MAX + 1];
  memset(prefix, 'p', sizeof prefix);
  assert_false(policies_put(&policies, prefix, sizeof prefix, CLUSTER_MANUAL));
  for (size_t size = 1; size <= CLUSTER_PREFIXES_MAX; size++)
    assert_true(policies_put(&policies, prefix, size, CLUSTER_MANUAL));
  assert_false(policies_put(&policies, prefix, CLUSTER_PREFIXES_MAX + 1, CLUSTER_MANUAL));
  assert_true(policies_put(&policies, prefix, 3, CLUSTER_KEEP_LOCAL));
  assert_int_equal(policies_find(&policies, prefix, 3), CLUSTER_KEEP_LOCAL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_merge_gives_the_same_in_every_order),
      cmocka_unit_test(only_merges_have_a_callback_and_all_have_a_word),
      cmocka_unit_test(the_longest_prefix_decides_in_whatever_order_they_came),
      cmocka_unit_test(there_is_a_bound),
  };
  return cmocka_run_group_tests_name("merges", tests, NULL, NULL);
}
