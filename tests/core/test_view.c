/* Reading keys with more values than there is room for beforehand. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/view.h"
#include "tests/support/memory_env.h"
#include "tests/support/merges.h"

#define SIBLINGS 100u

static struct memory_env memory;
static struct state held;

static struct store_key *key_with(unsigned siblings) {
  memory_env_init(&memory);
  state_init(&held, &memory.env, "n0", UINT64_MAX, 1u << 20);
  struct store_key *key = store_key_make(&held.store, (const uint8_t *)"k", 1);
  for (unsigned i = 0; i < siblings; i++) {
    char name[16];
    int size = snprintf(name, sizeof name, "w%03u", i);
    assert_int_equal(origins_reserve(&held.origins), SYNC_OK);
    uint8_t value = (uint8_t)('0' + i);
    struct store_content content = {.key = key->bytes,
                                    .key_size = 1,
                                    .origin = origins_add(&held.origins, (uint8_t *)name, (size_t)size, i + 1),
                                    .seq = 1,
                                    .hlc = 1000 - i,
                                    .value = &value,
                                    .value_size = 1};
    struct store_sibling *sibling = store_sibling_make(&held.store, &content);
    assert_non_null(sibling);
    sibling->hash = store_content_hash(&content);
    if (i > 0) assert_int_equal(store_key_reserve(&held.store, key), SYNC_OK);
    store_sibling_put(&held.store, key, sibling);
    store_key_settle(&held.store, key);
  }
  return key;
}

static void many_values_are_merged_and_without_memory_the_read_is_refused(void **unused) {
  (void)unused;
  struct policies policies;
  struct store_key *key = key_with(SIBLINGS);
  const struct sync_policy united = {.kind = SYNC_MERGE, .merge = merge_union};
  policies_init(&policies, &memory.env);
  assert_int_equal(policies_set(&policies, NULL, 0, &united), SYNC_OK);
  struct view *view = view_new(&memory.env, 256);
  assert_non_null(view);
  struct sync_sibling given;
  memory.fail_alloc_at = memory.allocs + 1;
  assert_int_equal(view_read(view, &policies, key, &given), SYNC_E_NO_MEMORY);
  memory.fail_alloc_at = 0;
  assert_int_equal(view_read(view, &policies, key, &given), SYNC_OK);
  assert_int_equal(given.value_size, SIBLINGS);
  assert_true(given.merged && given.conflict);
  assert_string_equal(given.dot.origin.node_id, "w000"); /* the greatest clock */
  view_free(view);
  policies_deinit(&policies);
  state_deinit(&held);
  assert_int_equal(memory.blocks, 0);
  memory_env_destroy(&memory);
}

static void a_view_without_memory_is_none_and_leaks_nothing(void **unused) {
  (void)unused;
  memory_env_init(&memory);
  for (uint64_t k = 1; k <= 3; k++) {
    memory.fail_alloc_at = memory.allocs + k;
    assert_null(view_new(&memory.env, 256));
    assert_int_equal(memory.blocks, 0);
  }
  memory_env_destroy(&memory);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(many_values_are_merged_and_without_memory_the_read_is_refused),
      cmocka_unit_test(a_view_without_memory_is_none_and_leaks_nothing),
  };
  return cmocka_run_group_tests_name("view", tests, NULL, NULL);
}
