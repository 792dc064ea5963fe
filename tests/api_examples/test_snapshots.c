/* Examples of snapshots and backups. */
#include "tests/api_examples/example.h"

static void a_snapshot_is_taken_now(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  replica_put_many(&example_world, 0, 0, 20, "value");
  /* example: sync_snapshot */
  int status = sync_snapshot(engine); /* sync_tick() and sync_next_frame() take it, in steps */
  /* end */
  assert_int_equal(status, SYNC_OK);
  struct sync_stats stats = {.snapshots = 0};
  for (int i = 0; i < 100 && stats.snapshots == 0; i++) {
    replica_flush(&example_world, 0);
    replicas_advance(&example_world, UINT64_C(1000000));
    sync_stats_get(engine, &stats);
  }
  assert_int_equal(stats.snapshots, 1);
  example_end();
}

static struct memory_env target;
static bool next_completion(uint64_t *token, int *result) {
  *result = SYNC_OK;
  return memory_env_complete(&target, SYNC_OK, token);
}

/* example: sync_backup_begin sync_backup_step sync_backup_disk_done sync_backup_end */
static int back_up(struct sync_engine *engine, const struct sync_env *other) {
  struct sync_backup *backup = NULL;
  int status = sync_backup_begin(engine, other, &backup);
  for (bool done = false; status == SYNC_OK && !done;) {
    status = sync_backup_step(backup, &done);
    uint64_t token;
    int result; /* of the fsyncs of `other`; the turns of `engine` go on here too */
    while (status == SYNC_OK && next_completion(&token, &result))
      status = sync_backup_disk_done(backup, token, result);
  }
  sync_backup_end(backup);
  return status;
}
/* end */

static void a_backup_opens_as_a_node(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  example_put(0, "colour", "green");
  memory_env_init(&target);
  target.next_unique = 900000000;
  assert_int_equal(back_up(engine, &target.env), SYNC_OK);
  struct sync_engine *copy;
  assert_int_equal(sync_open(&copy, &target.env, &example_world.at[0].options, NULL), SYNC_OK);
  struct sync_sibling found;
  assert_int_equal(sync_get(copy, "colour", 6, &found), SYNC_OK);
  sync_close(copy);
  memory_env_destroy(&target);
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_snapshot_is_taken_now),
      cmocka_unit_test(a_backup_opens_as_a_node),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
