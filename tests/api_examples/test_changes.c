/* Examples of the change feed. */
#include "tests/api_examples/example.h"

/* example: sync_changes */
/* Keeps a count of all puts, as a reader would keep an index. */
static int count_put(void *arg, const struct sync_applied *applied) {
  size_t *puts_told = arg;
  if (applied->kind == SYNC_PUT) ++*puts_told;
  return 0; /* another result ends the call, and the operation is told again */
}

static int follow(struct sync_engine *engine, struct sync_bookmark *bookmark, size_t *puts_told) {
  bool more = true;
  int status = SYNC_OK;
  while (status == SYNC_OK && more)
    status = sync_changes(engine, bookmark, 100, &more, count_put, puts_told);
  if (status == SYNC_E_STALE) puts("the log has not all of it: take all keys by sync_iterate(), and go on from here");
  return status; /* keep *bookmark with what was made of the changes */
}
/* end */

static void a_reader_is_told_each_durable_change_once(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  struct sync_bookmark bookmark = {0};
  size_t puts_told = 0;
  example_put(0, "a", "1");
  example_put(0, "b", "2");
  assert_int_equal(follow(engine, &bookmark, &puts_told), SYNC_OK);
  assert_int_equal(puts_told, 0); /* not durable */
  replica_flush(&example_world, 0);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(follow(engine, &bookmark, &puts_told), SYNC_OK);
    assert_int_equal(puts_told, 2);
  }
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_reader_is_told_each_durable_change_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
