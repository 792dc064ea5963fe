/* Sweeps of tombstones (rule 4). */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/support/replica.h"

#define SECOND_NS UINT64_C(1000000000)
#define INTERVAL_NS (30 * SECOND_NS)

static struct replicas *world;

static void name_key(unsigned number, char key[16]) {
  (void)snprintf(key, 16, "key-%03u", number);
}

static void delete_many(uint32_t index, unsigned from, unsigned to) {
  for (unsigned i = from; i < to; i++) {
    char key[16];
    name_key(i, key);
    replica_delete(world, index, key);
    if (i % 50 == 49) (void)replicas_settle(world, 4000);
  }
  (void)replicas_settle(world, 4000);
}

static uint64_t tombstones(uint32_t index) {
  return replica_stats(world, index).tombstones;
}

/* So many replicas, each linked to each, and so many tombstones that n0 wrote. */
static void begin(uint32_t count, unsigned deletes) {
  replicas_init(world, count);
  for (uint32_t a = 0; a < count; a++)
    for (uint32_t b = a + 1; b < count; b++)
      replicas_link(world, a, b);
  (void)replicas_settle(world, 4000);
  replica_put_many(world, 0, 0, deletes, "some value");
  delete_many(0, 0, deletes);
  for (uint32_t i = 0; i < count; i++)
    assert_true(tombstones(i) == deletes);
}

/* An interval, in seconds; whoever is not linked hears nothing. */
static void pass(unsigned seconds) {
  for (unsigned i = 0; i < seconds; i++) {
    replicas_advance(world, SECOND_NS);
    (void)replicas_settle(world, 4000);
  }
}

static void expect_gone(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    struct sync_digest digest;
    sync_digest_get(world->at[i].engine, &digest);
    assert_true(tombstones(i) == 0 && digest.keys == 0 && digest.siblings == 0);
    assert_true(sync_outbox_size(world->at[i].engine) == 0);
  }
  assert_true(replicas_agree(world));
}

static void tombstones_that_all_peers_hold_go_in_one_operation_of_their_author(void **state) {
  (void)state;
  begin(3, 20);
  pass(29);
  assert_true(replica_stats(world, 0).sweeps == 0 && tombstones(1) == 20);
  pass(3);
  expect_gone(3);
  struct sync_stats stats = replica_stats(world, 0);
  assert_true(stats.sweeps == 1 && stats.swept == 20 && stats.own_writes == 1);
  assert_true(replica_stats(world, 1).sweeps == 0 && replica_stats(world, 2).sweeps == 0);
  assert_true(replica_reads(world, 1, "key-007", NULL));
  replicas_destroy(world);
}

static void a_peer_that_is_away_keeps_them_all(void **state) {
  (void)state;
  replicas_init(world, 3);
  for (uint32_t a = 0; a < 3; a++)
    for (uint32_t b = a + 1; b < 3; b++)
      replicas_link(world, a, b);
  (void)replicas_settle(world, 4000);
  replica_close(world, 2);
  replica_put_many(world, 0, 0, 10, "some value");
  delete_many(0, 0, 10);
  for (unsigned i = 0; i < 10; i++) {
    pass(31);
    assert_true(tombstones(0) == 10 && tombstones(1) == 10);
  }
  replica_open(world, 2);
  pass(65);
  expect_gone(3);
  assert_true(replica_stats(world, 0).sweeps == 1);
  replicas_destroy(world);
}

static void a_node_without_peers_sweeps_its_own(void **state) {
  (void)state;
  begin(1, 10);
  pass(31);
  assert_true(tombstones(0) == 0 && replica_stats(world, 0).swept == 10);
  replicas_destroy(world);
}

static void without_an_interval_nothing_is_ever_swept(void **state) {
  (void)state;
  replicas_init(world, 1);
  replica_close(world, 0);
  world->at[0].options.sweep_interval_ns = UINT64_MAX;
  replica_open(world, 0);
  delete_many(0, 0, 600);
  pass(120);
  assert_true(tombstones(0) == 600 && replica_stats(world, 0).own_writes == 0);
  replicas_destroy(world);
}

static void many_go_in_full_operations_before_the_interval_is_over(void **state) {
  (void)state;
  begin(2, 600);
  pass(4); /* more than a sixteenth */
  struct sync_stats stats = replica_stats(world, 0);
  assert_true(stats.sweeps == 2 && stats.swept == 512);
  assert_true(tombstones(0) == 88 && tombstones(1) == 88);
  pass(30);
  expect_gone(2);
  assert_true(replica_stats(world, 0).sweeps == 3);
  replicas_destroy(world);
}

static void a_sweep_makes_no_work_that_goes_on(void **state) {
  (void)state;
  begin(2, 10);
  pass(65);
  expect_gone(2);
  uint64_t ends[2] = {sync_appended_position(world->at[0].engine), sync_appended_position(world->at[1].engine)};
  pass(200);
  assert_true(sync_appended_position(world->at[0].engine) == ends[0]);
  assert_true(sync_appended_position(world->at[1].engine) == ends[1]);
  replicas_destroy(world);
}

static void whoever_is_no_peer_of_the_author_sweeps_for_it_after_a_while(void **state) {
  (void)state;
  begin(3, 10);
  for (uint32_t i = 1; i < 3; i++)
    assert_int_equal(sync_peer_remove(world->at[i].engine, replica_peer(world, i, 0)), SYNC_OK);
  replica_close(world, 0);
  pass(100);
  assert_true(tombstones(1) == 10 && tombstones(2) == 10); /* its author may be alive */
  pass(200);
  assert_true(tombstones(1) == 0 && tombstones(2) == 0);
  assert_true(replica_stats(world, 1).swept + replica_stats(world, 2).swept >= 10);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* n0 and n1 write the key without having seen each other; then both hear of it. */
static void collide(void (*first)(void), void (*second)(void)) {
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "k", "old");
  (void)replicas_settle(world, 4000);
  first();
  second();
  (void)replicas_settle(world, 4000);
  assert_true(replicas_agree(world));
}
static void delete_at_0(void) {
  replica_delete(world, 0, "k");
}
static void delete_at_1(void) {
  replica_delete(world, 1, "k");
}
static void put_at_1(void) {
  replica_put(world, 1, "k", "concurrent");
}

static void a_tombstone_beside_a_value_waits_for_the_next_write(void **state) {
  (void)state;
  collide(delete_at_0, put_at_1);
  pass(130);
  assert_true(tombstones(0) == 1 && tombstones(1) == 1 && replica_stats(world, 0).sweeps == 0);
  replica_delete(world, 1, "k");
  (void)replicas_settle(world, 4000);
  pass(65);
  expect_gone(2);
  replicas_destroy(world);
}

/* Both see a delete that came later than their value's: the contested tombstone is alone then. */
static void a_tombstone_whose_value_went_otherwise_is_swept_after_all(void **state) {
  (void)state;
  collide(delete_at_0, put_at_1);
  pass(65); /* it was looked at, and put aside */
  replica_crash(world, 0, MEMORY_ENV_KEEP_ALL, 1);
  replica_open(world, 0);
  (void)replicas_settle(world, 4000);
  pass(65);
  const struct store_key *key = store_find(&world->at[0].engine->state.store, (const uint8_t *)"k", 1);
  assert_non_null(key);
  assert_true(key->sibling_count == 2);
  replica_delete(world, 0, "k");
  (void)replicas_settle(world, 4000);
  pass(65);
  expect_gone(2);
  replicas_destroy(world);
}

static void two_deletes_at_once_are_both_swept_each_by_its_author(void **state) {
  (void)state;
  collide(delete_at_0, delete_at_1);
  assert_true(tombstones(0) == 2 && tombstones(1) == 2);
  pass(65);
  expect_gone(2);
  assert_true(replica_stats(world, 0).swept == 1 && replica_stats(world, 1).swept == 1);
  replicas_destroy(world);
}

static void an_earlier_life_s_tombstones_are_swept_by_the_next(void **state) {
  (void)state;
  begin(2, 30);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 3);
  replica_open(world, 0);
  pass(31);
  expect_gone(2);
  replicas_destroy(world);
}

/* A base has them in the order of keys, and this one in the other order. */
static void what_a_snapshot_brought_is_swept_in_order(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 4000);
  for (unsigned i = 100; i-- > 0;) {
    char key[16];
    name_key(i, key);
    replica_delete(world, 0, key);
    (void)replicas_settle(world, 4000);
  }
  replica_snapshot(world, 0);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 3);
  replica_open(world, 0);
  assert_true(tombstones(0) == 100);
  assert_true(world->at[0].report.base_position > 0);
  for (unsigned i = 0; i < 50; i++) {
    char key[16];
    name_key(i, key);
    replica_put(world, 0, key, "again"); /* takes some out of the middle */
  }
  (void)replicas_settle(world, 4000);
  pass(31);
  assert_true(tombstones(0) == 0 && tombstones(1) == 0 && replica_stats(world, 0).swept == 50);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void long_keys_go_in_several_operations_that_fit_into_frames(void **state) {
  (void)state;
  replicas_init(world, 2);
  for (uint32_t i = 0; i < 2; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 64;
    replica_open(world, i);
  }
  replicas_link(world, 0, 1);
  uint8_t key[SYNC_KEY_BYTES_MAX];
  memset(key, 'k', sizeof key);
  for (unsigned i = 0; i < 20; i++) {
    key[0] = (uint8_t)i;
    assert_int_equal(sync_delete(world->at[0].engine, key, sizeof key, NULL), SYNC_OK);
    (void)replicas_settle(world, 4000);
  }
  pass(40);
  expect_gone(2);
  assert_true(replica_stats(world, 0).sweeps >= 10);
  replicas_destroy(world);
}

static void without_memory_a_tick_sweeps_nothing_and_a_later_one_does(void **state) {
  (void)state;
  uint64_t k = 1;
  for (; k < 100; k++) {
    begin(2, 5);
    struct replica *replica = &world->at[0];
    replica->memory.mono_ns += 31 * SECOND_NS;
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int rc = sync_tick(replica->engine, NULL);
    bool met = replica->memory.allocs >= replica->memory.fail_alloc_at;
    replica->memory.fail_alloc_at = 0;
    assert_int_equal(rc, SYNC_OK);
    bool swept = replica_stats(world, 0).sweeps > 0;
    assert_true(swept ? tombstones(0) == 0 : tombstones(0) == 5);
    assert_true(replica_stats(world, 0).own_writes == (swept ? 1 : 0));
    pass(95);
    expect_gone(2);
    replicas_destroy(world);
    if (!met) break;
  }
  assert_true(k > 1 && k < 100);
}

static void while_the_disk_is_full_nothing_is_swept(void **state) {
  (void)state;
  begin(2, 5);
  struct replica *replica = &world->at[0];
  replica->memory.fail_status = SYNC_E_NO_SPACE;
  replica->memory.fail_writes_from = replica->memory.writes + 1;
  replica_put(world, 0, "other", "value");
  assert_int_equal(sync_flush(replica->engine), SYNC_E_NO_SPACE);
  pass(65);
  assert_true(replica_stats(world, 0).own_writes == 0 && tombstones(0) == 5);
  replica->memory.fail_writes_from = 0;
  pass(65);
  assert_true(tombstones(0) == 0 && tombstones(1) == 0);
  replicas_destroy(world);
}

/* Each call of the disk fails in turn while a sweep is on its way: it is there, or not, on both alike. */
static void a_disk_that_fails_at_any_call_loses_or_keeps_a_whole_sweep(void **state) {
  (void)state;
  for (uint64_t k = 1; k < 40; k++) {
    begin(2, 5);
    struct replica *replica = &world->at[0];
    replica->memory.mono_ns += 31 * SECOND_NS;
    replica->memory.power_off_at = replica->memory.calls + k;
    int rc = sync_tick(replica->engine, NULL);
    replica_flush(world, 0);
    bool met = replica->memory.powered_off;
    if (!met) {
      assert_int_equal(rc, SYNC_OK);
      replicas_destroy(world);
      assert_true(k > 2);
      return;
    }
    replica->memory.power_off_at = 0;
    replica_crash(world, 0, (enum memory_env_loss)(k % MEMORY_ENV_LOSSES), k);
    replica->memory.powered_off = false;
    replica_open(world, 0);
    assert_true(tombstones(0) == 5 || tombstones(0) == 0);
    pass(65);
    expect_gone(2);
    replicas_destroy(world);
  }
  fail();
}

/* Every error that a call can give, for once or for a while, having done nothing, a part, or all: */
static const struct memory_env_fault faults[] = {
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_PART},
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_NO_SPACE, MEMORY_ENV_PART},
    {MEMORY_ENV_CREATE, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_FSYNC_FILE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_FILE, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DIR, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_IO, MEMORY_ENV_PART},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_ALLOC, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
};

/* n0 begins a life, and its log a segment, with the sweep. False: the fault was not met. */
static bool meet_fault(const struct memory_env_fault *fault, uint64_t k, uint64_t times) {
  begin(2, 5);
  struct replica *replica = &world->at[0];
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, k);
  replica->options.segment_bytes = 150; /* it goes into one of its own */
  replica_open(world, 0);
  (void)replicas_settle(world, 4000);
  replica->memory.mono_ns += 31 * SECOND_NS;
  memory_env_fail(&replica->memory, fault, k, times);
  int rc = sync_tick(replica->engine, NULL);
  uint64_t token;
  int result;
  while (memory_env_complete_next(&replica->memory, &token, &result))
    rc = sync_disk_done(replica->engine, token, result);
  if (rc != SYNC_OK) assert_true(replica_stats(world, 0).failed);
  bool met = replica->memory.fault_met > 0;
  memory_env_heal(&replica->memory);
  assert_true(tombstones(0) == 5 || tombstones(0) == 0);
  if (replica_stats(world, 0).failed) {
    replica_crash(world, 0, (enum memory_env_loss)(k % MEMORY_ENV_LOSSES), k);
    replica_open(world, 0);
    assert_true(tombstones(0) == 5 || tombstones(0) == 0);
  }
  pass(65);
  expect_gone(2);
  replicas_destroy(world);
  return met;
}

static void every_call_that_fails_leaves_a_whole_sweep_or_none(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
    for (uint64_t times = 1; times <= 5; times += 4) {
      uint64_t k = 1;
      while (k < 60 && meet_fault(&faults[i], k, times))
        k++;
      if (k == 1) print_message("no call %d was met\n", (int)faults[i].call);
      assert_true(k > 1 && k < 60);
    }
}

/* A write that came late, of which the delete knew nothing, stays: the one consequence that users are told of. */
static void a_concurrent_write_that_comes_after_the_sweep_stays(void **state) {
  (void)state;
  replicas_init(world, 3);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "k", "old");
  (void)replicas_settle(world, 4000);
  replica_put(world, 2, "k", "late");
  replica_delete(world, 0, "k");
  pass(35);
  assert_true(tombstones(0) == 0 && tombstones(1) == 0);
  replicas_link(world, 1, 2);
  pass(35);
  for (uint32_t i = 0; i < 3; i++)
    assert_true(replica_reads(world, i, "k", "late"));
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* n2 has the old write, and neither the delete nor the sweep, when it is registered. */
static void a_write_that_the_delete_had_seen_never_comes_back(void **state) {
  (void)state;
  replicas_init(world, 3);
  replicas_link(world, 0, 2);
  replica_put(world, 0, "k", "old");
  (void)replicas_settle(world, 4000);
  assert_int_equal(sync_peer_remove(world->at[0].engine, replica_peer(world, 0, 2)), SYNC_OK);
  assert_int_equal(sync_peer_remove(world->at[2].engine, replica_peer(world, 2, 0)), SYNC_OK);
  world->linked[0][2] = world->linked[2][0] = false;
  replicas_link(world, 0, 1);
  replica_delete(world, 0, "k");
  pass(65);
  assert_true(tombstones(0) == 0 && replica_reads(world, 2, "k", "old"));
  replicas_link(world, 1, 2);
  pass(65);
  for (uint32_t i = 0; i < 3; i++)
    assert_true(replica_reads(world, i, "k", NULL) && tombstones(i) == 0);
  replicas_destroy(world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(tombstones_that_all_peers_hold_go_in_one_operation_of_their_author),
      cmocka_unit_test(a_peer_that_is_away_keeps_them_all),
      cmocka_unit_test(a_node_without_peers_sweeps_its_own),
      cmocka_unit_test(without_an_interval_nothing_is_ever_swept),
      cmocka_unit_test(many_go_in_full_operations_before_the_interval_is_over),
      cmocka_unit_test(a_sweep_makes_no_work_that_goes_on),
      cmocka_unit_test(whoever_is_no_peer_of_the_author_sweeps_for_it_after_a_while),
      cmocka_unit_test(a_tombstone_beside_a_value_waits_for_the_next_write),
      cmocka_unit_test(a_tombstone_whose_value_went_otherwise_is_swept_after_all),
      cmocka_unit_test(two_deletes_at_once_are_both_swept_each_by_its_author),
      cmocka_unit_test(an_earlier_life_s_tombstones_are_swept_by_the_next),
      cmocka_unit_test(what_a_snapshot_brought_is_swept_in_order),
      cmocka_unit_test(long_keys_go_in_several_operations_that_fit_into_frames),
      cmocka_unit_test(without_memory_a_tick_sweeps_nothing_and_a_later_one_does),
      cmocka_unit_test(while_the_disk_is_full_nothing_is_swept),
      cmocka_unit_test(a_disk_that_fails_at_any_call_loses_or_keeps_a_whole_sweep),
      cmocka_unit_test(every_call_that_fails_leaves_a_whole_sweep_or_none),
      cmocka_unit_test(a_concurrent_write_that_comes_after_the_sweep_stays),
      cmocka_unit_test(a_write_that_the_delete_had_seen_never_comes_back),
  };
  world = calloc(1, sizeof *world);
  if (world == NULL) return 1;
  int failed = cmocka_run_group_tests_name("sweep", tests, NULL, NULL);
  free(world);
  return failed;
}
