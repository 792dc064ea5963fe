/* Frames whose causes are missing: how many are kept, of whom and for how long, and what becomes of them. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/pending.h"
#include "tests/support/replica.h"

#define SECOND_NS UINT64_C(1000000000)
#define TIMEOUT_NS (10 * SECOND_NS)

static struct replicas *world;
static uint8_t body[80000];

static struct sync_engine *engine(void) {
  return world->at[0].engine;
}
static struct peer *peer_of(uint32_t of) {
  return peer_at(&engine()->peers, replica_peer(world, 0, of));
}

/* n0 has so many peers. */
static void begin(uint32_t peers) {
  replicas_init(world, peers + 1);
  for (uint32_t i = 1; i <= peers; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 400);
}

/* Keeps the n-th body of that peer. */
static bool keep(uint32_t of, uint32_t nth, size_t size) {
  memset(body, (int)of, size);
  memcpy(body, &nth, sizeof nth);
  return pending_keep(engine(), peer_of(of), body, size);
}

static void expect_kept(uint32_t count, size_t bytes) {
  assert_int_equal(engine()->pending.count, count);
  assert_int_equal(engine()->pending.bytes, bytes);
}

/* --- Bounds -------------------------------------------------------------------------------- */

static void of_one_peer_so_many_frames_are_kept_and_no_more(void **state) {
  (void)state;
  begin(2);
  for (uint32_t i = 0; i < 100; i++)
    assert_int_equal(keep(1, i, 100), i < PENDING_FRAMES_OF_PEER);
  expect_kept(PENDING_FRAMES_OF_PEER, PENDING_FRAMES_OF_PEER * 100);
  assert_true(pending_has(engine(), peer_of(1)->handle));
  assert_false(pending_has(engine(), peer_of(2)->handle));
  assert_true(keep(2, 0, 100)); /* it costs the other one nothing */
  assert_true(pending_has(engine(), peer_of(2)->handle));
  replicas_destroy(world);
}

#define FULL_OF_PEER (PENDING_FULL_FRAMES / 4)

static void of_one_peer_so_many_bytes_are_kept_as_four_frames_may_have(void **state) {
  (void)state;
  begin(2);
  size_t most = sync_frame_bytes_max(engine());
  assert_true(most < sizeof body);
  assert_false(keep(1, 0, most + 1));
  expect_kept(0, 0);
  for (uint32_t i = 0; i < FULL_OF_PEER; i++)
    assert_true(keep(1, i, most));
  assert_false(keep(1, FULL_OF_PEER, 8));
  for (uint32_t i = 1; i < FULL_OF_PEER; i++)
    assert_true(keep(2, i, most));
  assert_true(keep(2, FULL_OF_PEER, most - 8));
  assert_true(keep(2, FULL_OF_PEER + 1, 8));
  assert_false(keep(2, FULL_OF_PEER + 2, 8));
  expect_kept(2 * FULL_OF_PEER + 1, 2 * FULL_OF_PEER * most);
  replicas_destroy(world);
}

static void of_all_peers_so_many_frames_and_bytes_are_kept(void **state) {
  (void)state;
  for (uint32_t large = 0; large < 2; large++) {
    begin(5);
    size_t most = sync_frame_bytes_max(engine());
    uint32_t each = large ? FULL_OF_PEER : PENDING_FRAMES_OF_PEER;
    size_t size = large ? most : 100;
    for (uint32_t of = 1; of <= 4; of++)
      for (uint32_t i = 0; i < each; i++)
        assert_true(keep(of, i, size));
    expect_kept(4 * each, 4 * each * size);
    assert_int_equal(4 * each, large ? PENDING_FULL_FRAMES : PENDING_FRAMES_MAX);
    assert_false(keep(5, 0, 8)); /* four that mean no good together */
    pending_peer_gone(engine(), peer_of(3)->handle);
    assert_true(keep(5, 0, 8));
    replicas_destroy(world);
  }
}

static void a_body_is_kept_once_for_each_that_sends_it(void **state) {
  (void)state;
  begin(2);
  for (uint32_t again = 0; again < 3; again++) {
    assert_true(keep(1, 7, 100));
    expect_kept(1, 100);
  }
  assert_true(keep(1, 7, 101)); /* another one */
  assert_true(keep(1, 8, 100));
  expect_kept(3, 301);
  memset(body, 1, 100);
  memcpy(body, &(uint32_t){7}, 4);
  for (uint32_t again = 0; again < 2; again++)
    assert_true(pending_keep(engine(), peer_of(2), body, 100)); /* the same from another one: it may go */
  expect_kept(4, 401);
  for (uint32_t i = 20; i < 60; i++)
    (void)keep(1, i, 100);
  assert_true(keep(1, 7, 100)); /* it is kept already, though there is no room */
  replicas_destroy(world);
}

static void what_is_kept_for_longer_than_senders_wait_is_dropped(void **state) {
  (void)state;
  begin(2);
  struct memory_env *memory = &world->at[0].memory;
  uint64_t blocks = memory->blocks;
  assert_true(keep(1, 0, 100));
  memory->mono_ns += SECOND_NS;
  assert_true(keep(1, 1, 50));
  assert_true(keep(2, 0, 100));
  assert_true(keep(1, 0, 100)); /* a repetition makes it no younger */
  assert_int_equal(memory->blocks, blocks + 3);
  pending_expire(engine(), memory->mono_ns - SECOND_NS + TIMEOUT_NS);
  expect_kept(3, 250);
  pending_expire(engine(), memory->mono_ns - SECOND_NS + TIMEOUT_NS + 1);
  expect_kept(2, 150);
  pending_expire(engine(), memory->mono_ns + TIMEOUT_NS);
  expect_kept(2, 150);
  memory->mono_ns += TIMEOUT_NS + 1;
  assert_int_equal(sync_tick(engine(), NULL), SYNC_OK); /* nobody else needs to ask for it */
  expect_kept(0, 0);
  assert_int_equal(memory->blocks, blocks);
  replicas_destroy(world);
}

static void a_peer_that_is_removed_takes_what_was_kept_of_it_with_it(void **state) {
  (void)state;
  begin(3);
  for (uint32_t i = 0; i < 4; i++)
    for (uint32_t of = 1; of < 4; of++)
      assert_true(keep(of, i, 100 + of));
  uint32_t second = peer_of(2)->handle, again;
  assert_int_equal(sync_peer_remove(engine(), second), SYNC_OK);
  expect_kept(8, 4 * 101 + 4 * 103);
  assert_false(pending_has(engine(), second));
  assert_true(pending_has(engine(), peer_of(1)->handle) && pending_has(engine(), peer_of(3)->handle));
  assert_int_equal(sync_peer_add(engine(), "somebody", &again), SYNC_OK);
  assert_int_equal(again, second);
  assert_false(pending_has(engine(), again));
  replicas_destroy(world); /* and frees what is left */
}

static void without_memory_nothing_is_kept_and_nothing_is_lost(void **state) {
  (void)state;
  begin(1);
  struct memory_env *memory = &world->at[0].memory;
  assert_true(keep(1, 0, 100));
  memory->fail_alloc_at = memory->allocs + 1;
  assert_false(keep(1, 1, 100));
  memory->fail_alloc_at = 0;
  expect_kept(1, 100);
  memory->fail_alloc_at = memory->allocs + 1;
  assert_true(keep(1, 0, 100)); /* needs none */
  memory->fail_alloc_at = 0;
  assert_true(keep(1, 1, 100));
  expect_kept(2, 200);
  replicas_destroy(world);
}

/* --- Trying again --------------------------------------------------------------------------- */

static uint32_t tried[32], tries;
static uint32_t ready_after; /* the body with this number must have been applied before the next */

/* Bodies are applied from the greatest number down. */
static struct pending_again apply_downwards(struct sync_engine *with, struct peer *peer, const uint8_t *bytes,
                                            size_t size) {
  uint32_t nth;
  assert_true(with == engine() && peer == peer_of(1) && size == 100 && tries < 32);
  memcpy(&nth, bytes, sizeof nth);
  tried[tries++] = nth;
  if (nth != ready_after) return (struct pending_again){.waits = true};
  ready_after--;
  return (struct pending_again){.applied = true};
}
static struct pending_again apply_never(struct sync_engine *with, struct peer *peer, const uint8_t *bytes,
                                        size_t size) {
  (void)with;
  (void)peer;
  (void)bytes;
  (void)size;
  tries++;
  return (struct pending_again){.waits = true};
}
static struct pending_again apply_stops(struct sync_engine *with, struct peer *peer, const uint8_t *bytes,
                                        size_t size) {
  (void)peer;
  (void)bytes;
  (void)size;
  tries++;
  with->stopped = SYNC_E_FAILED;
  return (struct pending_again){.applied = true, .waits = true};
}

static void what_is_kept_is_tried_oldest_first_and_again_while_anything_is_applied(void **state) {
  (void)state;
  begin(1);
  for (uint32_t i = 0; i < 4; i++)
    assert_true(keep(1, i, 100));
  tries = 0;
  ready_after = 3;
  assert_int_equal(pending_retry(engine(), apply_downwards), SYNC_OK);
  static const uint32_t order[] = {0, 1, 2, 3, 0, 1, 2, 0, 1, 0};
  assert_int_equal(tries, sizeof order / sizeof order[0]);
  assert_memory_equal(tried, order, sizeof order);
  expect_kept(0, 0);
  for (uint32_t i = 0; i < 4; i++)
    assert_true(keep(1, i, 100));
  tries = 0;
  assert_int_equal(pending_retry(engine(), apply_never), SYNC_OK);
  assert_int_equal(tries, 4);
  expect_kept(4, 400);
  tries = 0;
  assert_int_equal(pending_retry(engine(), apply_stops), SYNC_E_FAILED);
  assert_int_equal(tries, 1);
  engine()->stopped = SYNC_OK;
  replicas_destroy(world);
}

/* --- Frames --------------------------------------------------------------------------------- */

/* n1 has written so many operations, each in a frame of its own, which are in the queue. */
static void write_frames(uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    char key[16];
    (void)snprintf(key, sizeof key, "k%u", i);
    replica_put(world, 1, key, "v");
    replica_flush(world, 1);
    assert_int_equal(replica_collect(world, 1), 1);
    assert_int_equal(replicas_frame_type(world, i), FRAME_OPS);
  }
}

static struct sync_digest digest(void) {
  struct sync_digest kept, computed;
  sync_digest_get(engine(), &kept);
  sync_digest_recompute(engine(), &computed);
  assert_true(kept.state == computed.state && kept.vector == computed.vector && kept.siblings == computed.siblings);
  return kept;
}

static void frames_in_any_order_are_applied_once_the_first_came(void **state) {
  (void)state;
  static const uint8_t orders[][6] = {{5, 4, 3, 2, 1, 0}, {1, 2, 3, 4, 5, 0}, {3, 1, 5, 2, 4, 0}, {0, 2, 4, 5, 3, 1}};
  for (size_t k = 0; k < sizeof orders / sizeof orders[0]; k++) {
    begin(1);
    write_frames(6);
    for (size_t i = 0; i < 6; i++) {
      uint64_t applied = replica_stats(world, 0).applied_remote;
      assert_int_equal(replicas_deliver(world, orders[k][i], true), SYNC_OK);
      assert_true(i == 5 || replica_stats(world, 0).applied_remote - applied <= 1);
    }
    assert_int_equal(replica_stats(world, 0).applied_remote, 6);
    assert_int_equal(replica_stats(world, 0).duplicates, 0); /* what was kept was not sent twice */
    expect_kept(0, 0);
    (void)digest();
    replicas_drop_all(world);
    replica_flush(world, 0);
    (void)replicas_settle(world, 40); /* an acknowledgement says so of all: nothing is sent again */
    assert_int_equal(replica_stats(world, 1).ops_out, 6);
    assert_int_equal(sync_outbox_size(world->at[1].engine), 0);
    assert_true(replicas_agree(world));
    replicas_destroy(world);
  }
}

static void what_is_kept_is_neither_acknowledged_nor_survives_the_process(void **state) {
  (void)state;
  begin(1);
  write_frames(2);
  assert_int_equal(replicas_deliver(world, 1, false), SYNC_OK);
  expect_kept(1, engine()->pending.bytes);
  replica_flush(world, 0);
  replicas_drop_all(world);
  assert_int_equal(replica_collect(world, 0), 0); /* nothing is to be said: neither a gap nor what is held */
  assert_int_equal(sync_outbox_size(world->at[1].engine), 2);
  replica_crash(world, 0, MEMORY_ENV_KEEP_ALL, 1);
  replica_open(world, 0);
  expect_kept(0, 0);
  assert_true(replica_reads(world, 0, "k1", NULL));
  replicas_settle_for(world, 30 * SECOND_NS);
  assert_true(replicas_agree(world));
  assert_int_equal(sync_outbox_size(world->at[1].engine), 0);
  replicas_destroy(world);
}

static void the_sender_hears_of_a_gap_only_when_there_is_no_room(void **state) {
  (void)state;
  begin(1);
  write_frames(PENDING_FRAMES_OF_PEER + 3);
  for (uint32_t i = 1; i < PENDING_FRAMES_OF_PEER + 3; i++) {
    assert_int_equal(replicas_deliver(world, i, true), SYNC_OK);
    assert_int_equal(peer_of(1)->gap_pending, i > PENDING_FRAMES_OF_PEER);
  }
  expect_kept(PENDING_FRAMES_OF_PEER, engine()->pending.bytes);
  replicas_drop_all(world);
  replicas_settle_for(world, SECOND_NS / 5); /* a restart may wait for its spacing */
  assert_int_equal(sync_outbox_size(world->at[1].engine), 0);
  assert_true(replicas_agree(world));
  expect_kept(0, 0);
  assert_int_equal(replica_stats(world, 1).timeouts, 0);
  replicas_destroy(world);
}

static void a_store_that_is_full_keeps_nothing(void **state) {
  (void)state;
  begin(1);
  write_frames(2);
  engine()->stats.full = true;
  assert_int_equal(replicas_deliver(world, 1, true), SYNC_OK);
  expect_kept(0, 0);
  engine()->stats.full = false;
  assert_int_equal(replicas_deliver(world, 1, true), SYNC_OK);
  expect_kept(1, engine()->pending.bytes);
  replicas_destroy(world);
}

/* One whose frames all lack their causes, and one that means it well. */
static void a_hostile_peer_crowds_nobody_out(void **state) {
  (void)state;
  begin(2);
  write_frames(60);
  for (size_t i = 1; i < 60; i++)
    assert_int_equal(replicas_deliver(world, i, true), SYNC_OK);
  expect_kept(PENDING_FRAMES_OF_PEER, engine()->pending.bytes);
  replicas_drop_all(world);
  (void)replica_collect(world, 0);
  replicas_drop_all(world);
  for (uint32_t i = 0; i < 3; i++) {
    replica_put(world, 2, "other", "v");
    replica_flush(world, 2);
    assert_int_equal(replica_collect(world, 2), 1);
  }
  assert_int_equal(replicas_deliver(world, 2, false), SYNC_OK);
  assert_int_equal(replicas_deliver(world, 1, false), SYNC_OK);
  expect_kept(PENDING_FRAMES_OF_PEER + 2, engine()->pending.bytes);
  assert_false(peer_of(2)->gap_pending);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_reads(world, 0, "other", "v"));
  expect_kept(PENDING_FRAMES_OF_PEER, engine()->pending.bytes);
  assert_int_equal(replica_stats(world, 0).applied_remote, 3);
  replicas_destroy(world);
}

/* A frame that waits, and then the one that it waits for: each allocation of either fails once. */
static void an_allocation_that_fails_leaves_all_as_it_was_and_the_frame_may_come_again(void **state) {
  (void)state;
  uint32_t met[2] = {0};
  for (size_t which = 0; which < 2; which++)
    for (uint64_t nth = 1, struck = 1; struck > 0; nth++) {
      begin(1);
      replica_put(world, 0, "own", "1");
      replica_flush(world, 0);
      struct memory_env *memory = &world->at[0].memory;
      write_frames(3);
      if (which == 1) {
        assert_int_equal(replicas_deliver(world, 2, true), SYNC_OK);
        assert_int_equal(replicas_deliver(world, 1, true), SYNC_OK);
        expect_kept(2, engine()->pending.bytes);
      }
      struct sync_digest before = digest();
      uint32_t count = engine()->pending.count;
      memory->fail_alloc_at = memory->allocs + nth;
      int rc = replicas_deliver(world, which == 0 ? 2 : 0, true);
      struck = memory->allocs >= memory->fail_alloc_at;
      memory->fail_alloc_at = 0;
      met[which] += (uint32_t)struck;
      assert_true(rc == SYNC_OK || (rc == SYNC_E_NO_MEMORY && struck));
      struct sync_digest after = digest();
      if (rc != SYNC_OK) {
        assert_true(after.state == before.state && after.vector == before.vector);
        assert_int_equal(engine()->pending.count, count);
      }
      if (which == 0 && rc == SYNC_OK) /* it was kept, or its sender is told of the gap */
        assert_int_equal(engine()->pending.count + peer_of(1)->gap_pending, 1);
      for (size_t place = 0; place < 3; place++)
        assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
      assert_int_equal(replica_stats(world, 0).applied_remote, 3);
      (void)digest();
      replicas_drop_all(world);
      replicas_settle_for(world, 15 * SECOND_NS);
      expect_kept(0, 0);
      assert_true(replicas_agree(world));
      assert_int_equal(sync_outbox_size(world->at[1].engine), 0);
      replicas_destroy(world);
    }
  assert_true(met[0] > 0 && met[1] > 2);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(of_one_peer_so_many_frames_are_kept_and_no_more),
      cmocka_unit_test(of_one_peer_so_many_bytes_are_kept_as_four_frames_may_have),
      cmocka_unit_test(of_all_peers_so_many_frames_and_bytes_are_kept),
      cmocka_unit_test(a_body_is_kept_once_for_each_that_sends_it),
      cmocka_unit_test(what_is_kept_for_longer_than_senders_wait_is_dropped),
      cmocka_unit_test(a_peer_that_is_removed_takes_what_was_kept_of_it_with_it),
      cmocka_unit_test(without_memory_nothing_is_kept_and_nothing_is_lost),
      cmocka_unit_test(what_is_kept_is_tried_oldest_first_and_again_while_anything_is_applied),
      cmocka_unit_test(frames_in_any_order_are_applied_once_the_first_came),
      cmocka_unit_test(what_is_kept_is_neither_acknowledged_nor_survives_the_process),
      cmocka_unit_test(the_sender_hears_of_a_gap_only_when_there_is_no_room),
      cmocka_unit_test(a_store_that_is_full_keeps_nothing),
      cmocka_unit_test(a_hostile_peer_crowds_nobody_out),
      cmocka_unit_test(an_allocation_that_fails_leaves_all_as_it_was_and_the_frame_may_come_again),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
