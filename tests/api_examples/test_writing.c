/* Examples of writing. */
#include "tests/api_examples/example.h"

static void several_changes_are_one_operation(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  example_put(0, "stock/apple", "3");
  /* example: sync_write */
  const struct sync_change changes[] = {
      {.kind = SYNC_DELETE, .key = "stock/apple", .key_size = 11},
      {.kind = SYNC_PUT, .key = "sold/apple", .key_size = 10, .value = "3", .value_size = 1},
  };
  struct sync_receipt receipt;
  int status = sync_write(engine, changes, 2, &receipt); /* both, or none, here and everywhere */
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_true(replica_reads(&example_world, 0, "stock/apple", NULL));
  assert_true(replica_reads(&example_world, 0, "sold/apple", "3"));
  example_end();
}

static void one_key_is_put_and_deleted(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  struct sync_receipt receipt;
  /* example: sync_put */
  int status = sync_put(engine, "colour", 6, "green", 5, &receipt);
  if (status == SYNC_E_NO_SPACE) puts("not written: try again when there is room");
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_true(replica_reads(&example_world, 0, "colour", "green"));
  /* example: sync_delete */
  status = sync_delete(engine, "colour", 6, &receipt);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_true(replica_reads(&example_world, 0, "colour", NULL));
  example_end();
}

static void a_write_is_promised_at_its_position(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  struct memory_env *disk = &example_world.at[0].memory;
  struct sync_receipt receipt;
  assert_int_equal(sync_put(engine, "colour", 6, "green", 5, &receipt), SYNC_OK);
  /* example: sync_flush */
  int status = sync_flush(engine); /* in the file: behind the first fsyncs it survives the process */
  /* end */
  assert_int_equal(status, SYNC_OK);
  /* example: sync_commit */
  status = sync_commit(engine); /* asks for an fsync, and does not wait */
  /* end */
  assert_int_equal(status, SYNC_OK);
  /* example: sync_durable_position */
  bool promised = sync_durable_position(engine) >= receipt.position;
  /* end */
  assert_false(promised);
  for (uint64_t token; memory_env_complete(disk, SYNC_OK, &token);)
    assert_int_equal(sync_disk_done(engine, token, SYNC_OK), SYNC_OK);
  assert_true(sync_durable_position(engine) >= receipt.position);
  /* example: sync_appended_position */
  uint64_t all = sync_appended_position(engine); /* when this is durable, so is all that was submitted by now */
  /* end */
  assert_true(all >= receipt.position);
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(several_changes_are_one_operation),
      cmocka_unit_test(one_key_is_put_and_deleted),
      cmocka_unit_test(a_write_is_promised_at_its_position),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
