/* Examples of conflicts. */
#include "tests/api_examples/example.h"

/* example: sync_conflicts */
struct first_conflict {
  char key[64];
  size_t key_size;
  struct sync_token token;
};
static int take_first(void *arg, const struct sync_conflict *conflict) {
  struct first_conflict *first = arg;
  if (conflict->key_size > sizeof first->key) return 0;
  memcpy(first->key, conflict->key, conflict->key_size); /* the engine's: copied */
  first->key_size = conflict->key_size;
  first->token = conflict->token;
  return 1; /* ends the listing */
}
/* end */

static void a_conflict_is_listed_and_resolved(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(2);
  example_put(0, "title", "one");
  example_put(1, "title", "two");
  example_settle();
  /* example: sync_conflicts */
  struct first_conflict first;
  bool any = sync_conflicts(engine, NULL, 0, take_first, &first) == 1;
  /* end */
  assert_true(any);
  assert_memory_equal(first.key, "title", 5);
  /* example: sync_conflict */
  struct sync_conflict conflict;
  int status = sync_conflict(engine, "title", 5, &conflict);
  if (status == SYNC_OK) printf("%" PRIu64 " writes that did not see each other\n", conflict.siblings);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(conflict.siblings, 2);
  /* example: sync_resolve */
  struct sync_change chosen = {
      .kind = SYNC_PUT, .key = first.key, .key_size = first.key_size, .value = "both", .value_size = 4};
  struct sync_receipt receipt;
  status = sync_resolve(engine, &first.token, &chosen, &receipt);
  if (status == SYNC_E_STALE) puts("another write came in meanwhile: show the conflict again");
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(sync_conflict(engine, "title", 5, &conflict), SYNC_E_NOT_FOUND);
  assert_int_equal(sync_resolve(engine, &first.token, &chosen, &receipt), SYNC_E_STALE);
  example_end();
}

static void a_policy_is_of_a_prefix(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  /* example: sync_policy_set */
  const struct sync_policy by_hand = {.kind = SYNC_MANUAL};
  int status = sync_policy_set(engine, "doc/", 4, &by_hand); /* until the engine is closed */
  /* end */
  assert_int_equal(status, SYNC_OK);
  /* example: sync_policy_of */
  bool asks = sync_policy_of(engine, "doc/7", 5).kind == SYNC_MANUAL;
  /* end */
  assert_true(asks);
  assert_int_equal(sync_policy_of(engine, "pos/7", 5).kind, SYNC_LAST_WRITE_WINS);
  example_end();
}

/* example: sync_merge_check */
/* Of all values the longest, of equally long ones the greatest: no order of them matters. */
static int longest(void *arg, const void *key, size_t key_size, const struct sync_sibling *values, size_t count,
                   void *to, size_t capacity, size_t *size) {
  const struct sync_sibling *best = &values[0];
  (void)arg, (void)key, (void)key_size;
  for (size_t i = 1; i < count; i++) {
    const struct sync_sibling *one = &values[i];
    if (one->value_size > best->value_size ||
        (one->value_size == best->value_size && memcmp(one->value, best->value, one->value_size) > 0))
      best = one;
  }
  *size = best->value_size;
  if (best->value_size <= capacity) memcpy(to, best->value, best->value_size);
  return SYNC_OK;
}
/* end */

static void a_merge_is_checked_in_all_orders(void **state) {
  (void)state;
  /* example: sync_merge_check */
  const struct sync_policy policy = {.kind = SYNC_MERGE, .merge = longest};
  const struct sync_merge_value values[] = {{"ab", 2}, {"abc", 3}, {"xyz", 3}};
  char scratch[2 * 64];
  int status = sync_merge_check(&policy, "note/1", 6, values, 3, scratch, 64);
  /* end */
  assert_int_equal(status, SYNC_OK);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_conflict_is_listed_and_resolved),
      cmocka_unit_test(a_policy_is_of_a_prefix),
      cmocka_unit_test(a_merge_is_checked_in_all_orders),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
