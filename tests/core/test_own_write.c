/* Operations that the engine writes by itself. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/own_write.h"
#include "tests/support/replica.h"

static struct replicas *world;

static bool is_tombstone(void *arg, const struct store_sibling *sibling) {
  (void)arg;
  return sibling->tombstone;
}

static int sweep(uint32_t index, const char *key) {
  struct own_change change = {.kind = SYNC_SWEEP, .key = (const uint8_t *)key, .key_size = strlen(key)};
  return own_write(world->at[index].engine, &change, 1, is_tombstone, NULL);
}

static struct own_change automatic(const char *key, const char *value) {
  return (struct own_change){.kind = SYNC_PUT,
                             .key = (const uint8_t *)key,
                             .key_size = strlen(key),
                             .value = (const uint8_t *)value,
                             .value_size = strlen(value)};
}

static int one_automatic(void *arg, const struct sync_sibling *sibling) {
  unsigned *count = arg;
  *count += sibling->automatic ? 1 : 100;
  return 0;
}

static uint64_t siblings(uint32_t index) {
  struct sync_digest digest;
  sync_digest_get(world->at[index].engine, &digest);
  return digest.siblings;
}

static void a_sweep_takes_the_tombstones_that_it_names_and_leaves_nothing(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "1");
  replica_put(world, 0, "b", "2");
  replica_delete(world, 0, "a");
  (void)replicas_settle(world, 100);
  assert_true(siblings(1) == 2);
  assert_int_equal(sweep(0, "a"), SYNC_OK);
  (void)replicas_settle(world, 100);
  assert_true(siblings(0) == 1 && siblings(1) == 1);
  assert_true(replicas_agree(world));
  assert_true(replica_reads(world, 1, "a", NULL) && replica_reads(world, 1, "b", "2"));
  replicas_destroy(world);
}

static void what_is_written_by_itself_is_flagged_owed_and_counted_apart(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "k", "mine");
  replica_put(world, 1, "k", "theirs");
  (void)replicas_settle(world, 100);
  assert_true(siblings(0) == 2);
  struct own_change change = automatic("k", "mine");
  assert_int_equal(own_write(world->at[0].engine, &change, 1, NULL, NULL), SYNC_OK);
  struct sync_stats stats = replica_stats(world, 0);
  assert_true(stats.own_writes == 1 && stats.submits == 1);
  assert_true(sync_outbox_size(world->at[0].engine) == 1);
  (void)replicas_settle(world, 100);
  unsigned count = 0;
  assert_int_equal(sync_siblings(world->at[1].engine, "k", 1, one_automatic, &count), 0);
  assert_int_equal(count, 1);
  assert_true(replica_reads(world, 1, "k", "mine") && replicas_agree(world));
  assert_true(sync_outbox_size(world->at[0].engine) == 0);
  replica_close(world, 0);
  replica_open(world, 0);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void several_keys_are_one_operation_and_one_key_twice_is_none(void **state) {
  (void)state;
  replicas_init(world, 1);
  replica_put(world, 0, "a", "1");
  replica_put(world, 0, "b", "2");
  struct own_change changes[] = {automatic("b", "2"), automatic("a", "1"), automatic("b", "2")};
  uint64_t before = sync_appended_position(world->at[0].engine);
  assert_int_equal(own_write(world->at[0].engine, changes, 3, NULL, NULL), SYNC_E_INVALID);
  assert_int_equal(sweep(0, "a"), SYNC_E_INVALID);
  assert_true(sync_appended_position(world->at[0].engine) == before);
  assert_int_equal(own_write(world->at[0].engine, changes, 2, NULL, NULL), SYNC_OK);
  assert_true(sync_holds(world->at[0].engine, "n0", world->at[0].engine->own->incarnation, 3));
  assert_false(sync_holds(world->at[0].engine, "n0", world->at[0].engine->own->incarnation, 4));
  assert_true(replica_stats(world, 0).submits_refused == 0);
  replicas_destroy(world);
}

static void without_memory_nothing_is_written_and_the_next_try_succeeds(void **state) {
  (void)state;
  replicas_init(world, 1);
  uint64_t k = 1;
  for (; k < 100; k++) {
    replica_put(world, 0, "a", "1");
    replica_delete(world, 0, "a");
    replica_flush(world, 0);
    replica_close(world, 0);
    replica_open(world, 0);
    struct replica *replica = &world->at[0];
    struct sync_digest before, after;
    sync_digest_get(replica->engine, &before);
    uint64_t appended = sync_appended_position(replica->engine);
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int rc = sweep(0, "a");
    replica->memory.fail_alloc_at = 0;
    if (rc == SYNC_OK) break;
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
    sync_digest_get(replica->engine, &after);
    assert_memory_equal(&before, &after, sizeof before);
    assert_true(sync_appended_position(replica->engine) == appended);
    assert_int_equal(sweep(0, "a"), SYNC_OK);
    assert_true(siblings(0) == 0);
  }
  assert_true(k > 4 && k < 100);
  replicas_destroy(world);
}

static void after_a_write_that_failed_it_is_not_the_time_for_one(void **state) {
  (void)state;
  replicas_init(world, 1);
  struct replica *replica = &world->at[0];
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  assert_true(own_write_can(replica->engine));
  replica->memory.fail_status = SYNC_E_NO_SPACE;
  replica->memory.fail_writes_from = replica->memory.writes + 1;
  replica_put(world, 0, "b", "2");
  assert_int_equal(sync_flush(replica->engine), SYNC_E_NO_SPACE);
  assert_false(own_write_can(replica->engine));
  struct own_change change = automatic("a", "1");
  assert_int_equal(own_write(replica->engine, &change, 1, NULL, NULL), SYNC_E_NO_SPACE);
  replica->memory.fail_writes_from = 0;
  replicas_advance(world, UINT64_C(1000000000));
  assert_true(own_write_can(replica->engine));
  replicas_destroy(world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sweep_takes_the_tombstones_that_it_names_and_leaves_nothing),
      cmocka_unit_test(what_is_written_by_itself_is_flagged_owed_and_counted_apart),
      cmocka_unit_test(several_keys_are_one_operation_and_one_key_twice_is_none),
      cmocka_unit_test(without_memory_nothing_is_written_and_the_next_try_succeeds),
      cmocka_unit_test(after_a_write_that_failed_it_is_not_the_time_for_one),
  };
  world = calloc(1, sizeof *world);
  if (world == NULL) return 1;
  int failed = cmocka_run_group_tests_name("own write", tests, NULL, NULL);
  free(world);
  return failed;
}
