/* Refusals by name: no memory, no space, no room, bad arguments, failed fsync,
 * power lost. Each leaves everything as it was. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/sync.h"
#include "tests/support/replica.h"

#define ACK_WAIT_NS UINT64_C(11000000000) /* longer than an acknowledgement may take */

static struct replicas *world;

struct snapshot {
  struct sync_digest digest;
  uint64_t appended, outbox;
};

static struct snapshot snapshot_of(struct sync_engine *engine) {
  struct snapshot snapshot;
  memset(&snapshot, 0, sizeof snapshot);
  sync_digest_get(engine, &snapshot.digest);
  snapshot.appended = sync_appended_position(engine);
  snapshot.outbox = sync_outbox_size(engine);
  return snapshot;
}

static void expect_unchanged(struct sync_engine *engine, const struct snapshot *before) {
  struct snapshot now = snapshot_of(engine);
  assert_true(now.digest.state == before->digest.state && now.digest.vector == before->digest.vector);
  assert_true(now.digest.keys == before->digest.keys && now.digest.siblings == before->digest.siblings);
  assert_true(now.appended == before->appended && now.outbox == before->outbox);
  struct sync_digest computed;
  sync_digest_recompute(engine, &computed);
  assert_true(computed.state == now.digest.state && computed.vector == now.digest.vector);
}

static int write_three(struct sync_engine *engine) {
  struct sync_change changes[] = {
      {.kind = SYNC_PUT, .key = "c", .key_size = 1, .value = "3", .value_size = 1},
      {.kind = SYNC_DELETE, .key = "a", .key_size = 1},
      {.kind = SYNC_PUT, .key = "b", .key_size = 1, .value = "2", .value_size = 1},
  };
  return sync_write(engine, changes, 3, NULL);
}

static void a_submit_without_memory_changes_nothing_and_its_retry_succeeds(void **state) {
  (void)state;
  replicas_init(world, 1);
  uint64_t k = 1;
  for (; k < 200; k++) {
    replica_close(world, 0);
    replica_open(world, 0);
    struct replica *replica = &world->at[0];
    struct snapshot before = snapshot_of(replica->engine);
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int rc = write_three(replica->engine);
    if (rc == SYNC_OK) break;
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
    expect_unchanged(replica->engine, &before);
    replica->memory.fail_alloc_at = 0;
    assert_int_equal(write_three(replica->engine), SYNC_OK);
    assert_true(replica_reads(world, 0, "b", "2"));
    replica_flush(world, 0);
  }
  assert_true(k > 8 && k < 200);
  world->at[0].memory.fail_alloc_at = 0;
  replicas_destroy(world);
}

/* n0's first frame of operations, with n1 ready to take it. */
static void make_ops_frame(void) {
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 1, "a", "first");
  (void)replicas_settle(world, 60);
  assert_int_equal(write_three(world->at[0].engine), SYNC_OK);
  replica_put(world, 0, "d", "4");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
}

static void a_frame_without_memory_is_taken_later_with_nothing_half_done(void **state) {
  (void)state;
  uint64_t k = 1;
  for (; k < 200; k++) {
    make_ops_frame();
    struct replica *replica = &world->at[1];
    struct snapshot before = snapshot_of(replica->engine);
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int rc = replicas_deliver(world, 0, true);
    replica->memory.fail_alloc_at = 0;
    if (rc == SYNC_OK) {
      replicas_destroy(world);
      break;
    }
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
    struct sync_stats stats;
    sync_stats_get(replica->engine, &stats);
    if (stats.applied_remote == 0) expect_unchanged(replica->engine, &before);
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    (void)replicas_settle(world, 60);
    assert_true(replicas_agree(world));
    assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
    replicas_destroy(world);
  }
  assert_true(k > 4 && k < 200);
}

static void a_hello_without_memory_is_refused_and_contact_follows(void **state) {
  (void)state;
  uint64_t k = 1;
  for (; k < 50; k++) {
    replicas_init(world, 2);
    replica_put(world, 0, "a", "1");
    replicas_link(world, 0, 1);
    (void)replica_collect(world, 1);
    world->at[0].memory.fail_alloc_at = world->at[0].memory.allocs + k;
    int rc = replicas_deliver(world, 0, false);
    world->at[0].memory.fail_alloc_at = 0;
    assert_true(rc == SYNC_OK || rc == SYNC_E_NO_MEMORY);
    for (uint32_t round = 0; round < 4; round++) {
      replicas_advance(world, UINT64_C(6000000000));
      (void)replicas_settle(world, 60);
    }
    assert_true(replicas_agree(world));
    replicas_destroy(world);
    if (rc == SYNC_OK) break;
  }
  assert_true(k > 1 && k < 50);
}

static void an_open_without_memory_leaks_nothing_and_its_retry_succeeds(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "1");
  replica_put(world, 1, "b", "1");
  (void)replicas_settle(world, 60);
  replica_close(world, 0);
  struct replica *replica = &world->at[0];
  uint64_t k = 1;
  for (; k < 300; k++) {
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
    replica->memory.fail_alloc_at = 0;
    if (rc == SYNC_OK) break;
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
    assert_null(replica->engine);
    assert_int_equal(replica->memory.blocks, 0);
    memory_env_process_crash(&replica->memory);
  }
  assert_true(k > 8 && k < 300);
  assert_true(replica_reads(world, 0, "b", "1"));
  replicas_destroy(world);
}

static void a_peer_without_memory_is_refused_whole(void **state) {
  (void)state;
  replicas_init(world, 1);
  struct replica *replica = &world->at[0];
  for (uint64_t k = 1;; k++) {
    uint64_t appended = sync_appended_position(replica->engine);
    uint32_t peer;
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int rc = sync_peer_add(replica->engine, "other", &peer);
    replica->memory.fail_alloc_at = 0;
    if (rc == SYNC_OK) break;
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
    assert_int_equal(sync_appended_position(replica->engine), appended);
    assert_true(k < 50);
  }
  replicas_destroy(world);
}

static void a_full_disk_refuses_submits_by_name_and_recovers(void **state) {
  (void)state;
  replicas_init(world, 1);
  struct replica *replica = &world->at[0];
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  replica->memory.disk_bytes_max = 1;
  /* The turn in which it is noticed waits in memory; nothing else is taken until there is room. */
  replica_put(world, 0, "waits", "1");
  assert_int_equal(sync_flush(replica->engine), SYNC_E_NO_SPACE);
  struct snapshot before = snapshot_of(replica->engine);
  assert_int_equal(write_three(replica->engine), SYNC_E_NO_SPACE);
  assert_int_equal(sync_commit(replica->engine), SYNC_E_NO_SPACE);
  expect_unchanged(replica->engine, &before);
  assert_true(replica_reads(world, 0, "a", "1"));
  assert_true(replica_reads(world, 0, "waits", "1"));
  uint64_t waiting = sync_appended_position(replica->engine);
  assert_true(sync_durable_position(replica->engine) < waiting);
  replica->memory.disk_bytes_max = 0;
  replica_flush(world, 0);
  assert_int_equal(sync_durable_position(replica->engine), waiting);
  assert_int_equal(write_three(replica->engine), SYNC_OK);
  replicas_destroy(world);
}

/* Completes the fsyncs that were asked for; asks for none itself. */
static void complete(struct replica *replica) {
  uint64_t token;
  while (memory_env_complete(&replica->memory, SYNC_OK, &token))
    assert_int_equal(sync_disk_done(replica->engine, token, SYNC_OK), SYNC_OK);
}

static void advance_to_deadline(struct replica *replica) {
  uint64_t deadline = sync_next_deadline(replica->engine), now = replica->memory.mono_ns;
  uint64_t wait = deadline > now ? deadline - now : 0;
  assert_true(wait <= UINT64_C(1000000000)); /* idle_mark_ns */
  replicas_advance(world, wait);
}

/* An embedder that only ticks when it was told to, and ends its turns with
 * sync_next_frame. `flushes`: the write is made again by sync_flush. */
static void what_waits_for_room_is_tried_again_at_the_deadlines_that_are_told(void **state) {
  (void)state;
  for (unsigned way = 0; way < 4; way++) {
    bool fast = way % 2 != 0, flushes = way / 2 != 0;
    replicas_init(world, 1);
    struct replica *replica = &world->at[0];
    replica_close(world, 0);
    if (fast) sync_options_fast(&replica->options);
    replica_open(world, 0);
    replica_put(world, 0, "a", "1");
    replica_flush(world, 0);
    replicas_advance(world, UINT64_C(1500000000)); /* that is marked, */
    complete(replica);
    replica->memory.disk_bytes_max = 1;
    replica_put(world, 0, "waits", "1");
    (void)replica_collect(world, 0);
    for (unsigned tries = 0; tries < 12; tries++) { /* and the first tries are close together */
      advance_to_deadline(replica);
      complete(replica);
    }
    uint64_t waiting = sync_appended_position(replica->engine);
    assert_true(sync_durable_position(replica->engine) < waiting);
    replica->memory.disk_bytes_max = 0;
    if (flushes) {
      assert_int_equal(sync_flush(replica->engine), SYNC_OK);
      (void)replica_collect(world, 0);
    } else {
      advance_to_deadline(replica);
    }
    complete(replica);
    assert_true(sync_durable_position(replica->engine) >= waiting);
    replicas_destroy(world);
  }
}

static void a_receiver_with_a_full_disk_says_so_and_resumes(void **state) {
  (void)state;
  make_ops_frame();
  struct sync_stats stats;
  world->at[1].memory.disk_bytes_max = 1;
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(sync_flush(world->at[1].engine), SYNC_E_NO_SPACE);
  sync_stats_get(world->at[1].engine, &stats);
  assert_true(stats.full);
  assert_int_equal(replica_collect(world, 1), 1); /* a HELLO that says it */
  replicas_drop_all(world);
  world->at[1].memory.disk_bytes_max = 0;
  assert_int_equal(sync_flush(world->at[1].engine), SYNC_OK);
  assert_int_equal(replica_collect(world, 1), 1); /* ... and that there is room again */
  replicas_drop_all(world);
  for (uint32_t round = 0; round < 3; round++) {
    replicas_advance(world, ACK_WAIT_NS);
    (void)replicas_settle(world, 60);
  }
  sync_stats_get(world->at[1].engine, &stats);
  assert_false(stats.full);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* What was refused was the segment that a mark needed: nothing waits to be written. */
static void there_is_room_again_when_a_mark_could_be_written(void **state) {
  (void)state;
  replicas_init(world, 1);
  struct replica *replica = &world->at[0];
  replica_close(world, 0);
  replica->options.segment_bytes = 1;
  replica_open(world, 0);
  replica_put(world, 0, "a", "1");
  (void)replicas_settle(world, 60);
  assert_int_equal(sync_durable_position(replica->engine), sync_appended_position(replica->engine));
  struct sync_stats stats;
  replica->memory.disk_bytes_max = 1;
  replicas_advance(world, UINT64_C(2000000000));
  sync_stats_get(replica->engine, &stats);
  assert_true(stats.full);
  replica->memory.disk_bytes_max = 0;
  replicas_advance(world, UINT64_C(2000000000));
  sync_stats_get(replica->engine, &stats);
  assert_false(stats.full);
  replicas_destroy(world);
}

static void a_full_store_refuses_growth_and_takes_what_shrinks(void **state) {
  (void)state;
  replicas_init(world, 1);
  replica_close(world, 0);
  struct replica *replica = &world->at[0];
  replica->options.store_bytes_max = 1000;
  replica_open(world, 0);
  char value[600];
  memset(value, 'v', sizeof value);
  assert_int_equal(sync_put(replica->engine, "a", 1, value, sizeof value, NULL), SYNC_OK);
  struct snapshot before = snapshot_of(replica->engine);
  assert_int_equal(sync_put(replica->engine, "b", 1, value, sizeof value, NULL), SYNC_E_FULL);
  expect_unchanged(replica->engine, &before);
  assert_int_equal(sync_put(replica->engine, "a", 1, value, 10, NULL), SYNC_OK);
  assert_int_equal(sync_put(replica->engine, "b", 1, value, sizeof value, NULL), SYNC_OK);
  assert_int_equal(sync_delete(replica->engine, "b", 1, NULL), SYNC_OK);
  struct sync_stats stats;
  sync_stats_get(replica->engine, &stats);
  assert_int_equal(stats.store_bytes, (64 + 1) * 2 + (64 + 10) + 64);
  replicas_destroy(world);
}

static void bad_arguments_are_refused_by_name(void **state) {
  (void)state;
  replicas_init(world, 1);
  struct sync_engine *engine = world->at[0].engine;
  static char big[70000];
  struct sync_change twice[] = {{.kind = SYNC_DELETE, .key = "a", .key_size = 1},
                                {.kind = SYNC_DELETE, .key = "b", .key_size = 1},
                                {.kind = SYNC_DELETE, .key = "a", .key_size = 1}};
  assert_int_equal(sync_write(engine, twice, 3, NULL), SYNC_E_INVALID);
  assert_int_equal(sync_write(engine, twice, 0, NULL), SYNC_E_INVALID);
  assert_int_equal(sync_write(engine, twice, 257, NULL), SYNC_E_TOO_BIG);
  twice[0].kind = SYNC_SWEEP;
  assert_int_equal(sync_write(engine, twice, 1, NULL), SYNC_E_INVALID);
  assert_int_equal(sync_put(engine, "a", 0, "", 0, NULL), SYNC_E_INVALID);
  assert_int_equal(sync_put(engine, big, 1025, "", 0, NULL), SYNC_E_TOO_BIG);
  assert_int_equal(sync_put(engine, "a", 1, big, 65537, NULL), SYNC_E_TOO_BIG);
  assert_int_equal(sync_put(engine, big, 1024, big, 65536, NULL), SYNC_OK);
  uint32_t peer;
  assert_int_equal(sync_peer_add(engine, "n0", &peer), SYNC_E_INVALID);
  assert_int_equal(sync_peer_add(engine, "with space", &peer), SYNC_E_INVALID);
  assert_int_equal(sync_peer_add(engine, "", &peer), SYNC_E_INVALID);
  assert_int_equal(sync_peer_remove(engine, 3), SYNC_E_PEER);
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  assert_int_equal(stats.submits, 1);
  assert_int_equal(stats.submits_refused, 7);
  replicas_destroy(world);
}

static void several_changes_too_big_for_one_frame_are_refused(void **state) {
  (void)state;
  replicas_init(world, 1);
  static char big[40000];
  struct sync_change changes[] = {
      {.kind = SYNC_PUT, .key = "a", .key_size = 1, .value = big, .value_size = sizeof big},
      {.kind = SYNC_PUT, .key = "b", .key_size = 1, .value = big, .value_size = sizeof big}};
  assert_int_equal(sync_write(world->at[0].engine, changes, 2, NULL), SYNC_E_TOO_BIG);
  assert_int_equal(sync_write(world->at[0].engine, changes, 1, NULL), SYNC_OK);
  replicas_destroy(world);
}

static void a_failed_fsync_stops_the_engine_for_good_but_not_its_reads(void **state) {
  (void)state;
  replicas_init(world, 1);
  struct replica *replica = &world->at[0];
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  uint64_t durable = sync_durable_position(replica->engine);
  replica_put(world, 0, "b", "2");
  assert_int_equal(sync_commit(replica->engine), SYNC_OK);
  uint64_t token;
  assert_true(memory_env_complete(&replica->memory, SYNC_E_IO, &token));
  assert_int_equal(sync_disk_done(replica->engine, token, SYNC_E_IO), SYNC_E_FAILED);
  assert_int_equal(write_three(replica->engine), SYNC_E_FAILED);
  assert_int_equal(sync_commit(replica->engine), SYNC_E_FAILED);
  assert_int_equal(sync_tick(replica->engine, NULL), SYNC_E_FAILED);
  uint8_t buffer[8];
  uint32_t peer;
  size_t size;
  assert_int_equal(sync_next_frame(replica->engine, &peer, buffer, sizeof buffer, &size), SYNC_E_FAILED);
  assert_true(sync_next_deadline(replica->engine) == SYNC_NO_DEADLINE);
  assert_int_equal(sync_durable_position(replica->engine), durable);
  assert_true(replica_reads(world, 0, "a", "1"));
  assert_int_equal(replica->memory.traced_kind[SYNC_TRACE_FAIL_STOP], 1);
  replicas_destroy(world);
}

static void power_lost_at_any_call_unwinds_quietly_and_keeps_promises(void **state) {
  (void)state;
  uint64_t unwound = 0;
  for (uint64_t k = 1; k < 60; k++) {
    replicas_init(world, 1);
    struct replica *replica = &world->at[0];
    replica_put(world, 0, "a", "1");
    replica_flush(world, 0);
    replica->memory.power_off_at = replica->memory.calls + k;
    int rc = SYNC_OK;
    uint64_t token;
    for (uint32_t i = 0; i < 12 && rc == SYNC_OK; i++) {
      rc = write_three(replica->engine);
      if (rc == SYNC_OK) rc = sync_commit(replica->engine);
      while (rc == SYNC_OK && memory_env_complete(&replica->memory, SYNC_OK, &token))
        rc = sync_disk_done(replica->engine, token, SYNC_OK);
    }
    if (rc != SYNC_OK) {
      assert_int_equal(rc, SYNC_E_POWERED_OFF);
      assert_int_equal(write_three(replica->engine), SYNC_E_POWERED_OFF);
      unwound++;
    }
    replica->memory.power_off_at = 0;
    replica_crash(world, 0, MEMORY_ENV_SECTORS, k);
    replica_open(world, 0);
    struct sync_digest digest;
    sync_digest_get(replica->engine, &digest);
    assert_true(digest.keys == 1 || digest.keys == 3);
    replicas_destroy(world);
  }
  assert_true(unwound > 10);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_submit_without_memory_changes_nothing_and_its_retry_succeeds),
      cmocka_unit_test(a_frame_without_memory_is_taken_later_with_nothing_half_done),
      cmocka_unit_test(a_hello_without_memory_is_refused_and_contact_follows),
      cmocka_unit_test(an_open_without_memory_leaks_nothing_and_its_retry_succeeds),
      cmocka_unit_test(a_peer_without_memory_is_refused_whole),
      cmocka_unit_test(a_full_disk_refuses_submits_by_name_and_recovers),
      cmocka_unit_test(what_waits_for_room_is_tried_again_at_the_deadlines_that_are_told),
      cmocka_unit_test(a_receiver_with_a_full_disk_says_so_and_resumes),
      cmocka_unit_test(there_is_room_again_when_a_mark_could_be_written),
      cmocka_unit_test(a_full_store_refuses_growth_and_takes_what_shrinks),
      cmocka_unit_test(bad_arguments_are_refused_by_name),
      cmocka_unit_test(several_changes_too_big_for_one_frame_are_refused),
      cmocka_unit_test(a_failed_fsync_stops_the_engine_for_good_but_not_its_reads),
      cmocka_unit_test(power_lost_at_any_call_unwinds_quietly_and_keeps_promises),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
