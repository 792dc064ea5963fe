/* A link that is held: nothing leaves until somebody says so, nothing is lost by it, and nobody counts as silent. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/outbox_fixture.h"

#define SECOND_NS UINT64_C(1000000000)

static struct replicas *world;

static struct sync_engine *engine(void) {
  return world->at[0].engine;
}

/* All know each other, and owe each other nothing. */
static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t a = 0; a < count; a++)
    for (uint32_t b = a + 1; b < count; b++)
      replicas_link(world, a, b);
  (void)replicas_settle(world, 100);
}
static void hold(uint32_t of, bool held) {
  assert_int_equal(sync_peer_hold(engine(), replica_peer(world, 0, of), held), SYNC_OK);
}
static void expect_nothing_leaves(uint64_t seconds) {
  for (uint64_t i = 0; i < seconds; i++) {
    (void)outbox_tick(world, 0, SECOND_NS);
    replica_flush(world, 0);
    assert_int_equal(replica_collect(world, 0), 0);
  }
}

static void nothing_leaves_while_a_link_is_held_and_all_of_it_after(void **state) {
  (void)state;
  begin(2);
  hold(1, true);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  expect_nothing_leaves(300);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
  assert_int_equal(sync_outbox_size(engine()), 1);
  hold(1, false);
  (void)replicas_settle(world, 100);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_true(replica_reads(world, 1, "k", "v"));
  replicas_destroy(world);
}

static void who_is_held_is_told_so_and_never_counts_as_silent(void **state) {
  (void)state;
  begin(2);
  (void)outbox_put(world, 0, "k", "v");
  outbox_park(world, 0, 1);
  hold(1, true); /* also of one that had used up its retries */
  assert_int_equal(outbox_peer(world, 0, 1).state, SYNC_PEER_HELD);
  assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_FAILED), 0);
  const uint64_t timeouts = replica_stats(world, 0).timeouts;
  expect_nothing_leaves(300);
  const struct sync_peer_info info = outbox_peer(world, 0, 1);
  assert_int_equal(info.state, SYNC_PEER_HELD);
  assert_int_equal(info.retries, 0);
  assert_true(info.next_deadline_ns == SYNC_NO_DEADLINE);
  assert_true(sync_next_deadline(engine()) > world->at[0].memory.mono_ns + SECOND_NS); /* nobody is woken for it */
  assert_int_equal(replica_stats(world, 0).timeouts, timeouts);
  hold(1, false);
  assert_int_equal(outbox_peer(world, 0, 1).state, SYNC_PEER_ACTIVE);
  replicas_destroy(world);
}

static void who_was_never_met_does_not_count_as_silent_either(void **state) {
  (void)state;
  replicas_init(world, 2);
  assert_int_equal(sync_peer_add(engine(), "n1", NULL), SYNC_OK);
  hold(1, true); /* before the first frame is taken */
  (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  expect_nothing_leaves(300);
  assert_int_equal(replica_stats(world, 0).timeouts, 0);
  assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_QUEUED), 1);
  hold(1, false);
  assert_int_equal(outbox_peer(world, 0, 1).state, SYNC_PEER_NEW);
  assert_int_equal(replica_collect(world, 0), 1);
  replicas_destroy(world);
}

static void what_comes_over_a_held_link_is_taken_and_acknowledged_when_it_is_let_go(void **state) {
  (void)state;
  begin(2);
  hold(1, true);
  struct sync_dot dot = outbox_put(world, 1, "k", "theirs");
  (void)replicas_settle(world, 100);
  assert_true(replica_reads(world, 0, "k", "theirs"));
  expect_nothing_leaves(1);
  assert_int_not_equal(outbox_status_of(world, 1, 0, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  hold(1, false);
  (void)replicas_settle(world, 100);
  assert_int_equal(outbox_status_of(world, 1, 0, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  replicas_destroy(world);
}

static void other_links_go_on_and_bring_what_the_held_one_would(void **state) {
  (void)state;
  begin(3);
  hold(1, true);
  struct sync_dot dot = outbox_put(world, 0, "ours", "v");
  replica_put(world, 1, "theirs", "v");
  replicas_settle_for(world, 20 * SECOND_NS);
  assert_int_equal(outbox_status_of(world, 0, 2, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_true(replica_reads(world, 1, "ours", "v")); /* by way of n2 */
  assert_true(replica_reads(world, 0, "theirs", "v"));
  assert_int_equal(outbox_peer(world, 0, 1).state, SYNC_PEER_HELD);
  replicas_destroy(world);
}

/* n1 has more than one frame for us, the rest of which is lost: as long as n1 is held, n2 is asked for it. */
static void who_is_held_is_asked_for_nothing_and_others_are(void **state) {
  (void)state;
  begin(3);
  hold(1, true);
  replica_put_many(world, 1, 0, 300, "v");
  replica_flush(world, 1);
  (void)replica_collect(world, 1);
  while (world->frame_count > 0) {
    if (world->frames[0].to == 0 && replicas_frame_type(world, 0) != 1)
      replicas_drop(world, 0); /* n0 only hears of it */
    else
      (void)replicas_deliver(world, 0, false);
  }
  replicas_settle_for(world, 5 * SECOND_NS);
  assert_true(replicas_agree(world));
  assert_true(replica_reads(world, 0, "key-299", "v"));
  replicas_destroy(world);
}

/* n1 offers its snapshot first, and n2 has the same. */
static void a_snapshot_is_fetched_from_another_one(void **state) {
  (void)state;
  replicas_init(world, 3);
  for (uint32_t i = 1; i < 3; i++) {
    replica_close(world, i);
    world->at[i].options.segment_bytes = 4096;
    world->at[i].options.retain_bytes = 1;
    replica_open(world, i);
  }
  replicas_link(world, 1, 2);
  replica_put_many(world, 1, 0, 300, "a value that fills segments, so that the log can be cut behind a snapshot");
  replicas_settle_for(world, 2 * SECOND_NS);
  for (uint32_t i = 1; i < 3; i++)
    replica_snapshot(world, i);
  replicas_settle_for(world, 2 * SECOND_NS);
  assert_true(replica_stats(world, 2).log_first > 0);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 100); /* they have met */
  hold(1, true);
  replicas_settle_for(world, 5 * SECOND_NS);
  assert_int_equal(replica_stats(world, 0).merges, 0);
  replicas_link(world, 0, 2);
  replicas_settle_for(world, 5 * SECOND_NS);
  assert_int_equal(replica_stats(world, 0).merges, 1);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void holding_twice_is_holding_once_and_a_restart_ends_it(void **state) {
  (void)state;
  begin(2);
  hold(1, true);
  hold(1, true);
  hold(1, false);
  assert_int_equal(outbox_peer(world, 0, 1).state, SYNC_PEER_ACTIVE);
  hold(1, true);
  (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  replica_close(world, 0);
  replica_open(world, 0);
  assert_int_equal(outbox_peer(world, 0, 1).state, SYNC_PEER_NEW);
  (void)replicas_settle(world, 100);
  assert_true(replica_reads(world, 1, "k", "v"));
  assert_int_equal(sync_peer_hold(engine(), 9, true), SYNC_E_PEER);
  replicas_destroy(world);
}

/* softadastra's last_attempt_at. */
static void when_a_peer_was_tried_last_is_told(void **state) {
  (void)state;
  replicas_init(world, 2);
  assert_int_equal(sync_peer_add(engine(), "n1", NULL), SYNC_OK);
  assert_int_equal(outbox_peer(world, 0, 1).sent_ns, 0);
  (void)outbox_tick(world, 0, SECOND_NS);
  uint64_t tried_ns = world->at[0].memory.mono_ns;
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  replicas_drop_all(world);
  assert_int_equal(outbox_peer(world, 0, 1).sent_ns, tried_ns);
  (void)outbox_tick(world, 0, SECOND_NS); /* nothing is due */
  (void)replica_collect(world, 0);
  assert_int_equal(outbox_peer(world, 0, 1).sent_ns, tried_ns);
  (void)outbox_tick(world, 0, 5 * SECOND_NS); /* the first retry is */
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(outbox_peer(world, 0, 1).sent_ns, world->at[0].memory.mono_ns);
  assert_int_equal(outbox_peer(world, 0, 1).heard_ns, 0);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_leaves_while_a_link_is_held_and_all_of_it_after),
      cmocka_unit_test(who_is_held_is_told_so_and_never_counts_as_silent),
      cmocka_unit_test(who_was_never_met_does_not_count_as_silent_either),
      cmocka_unit_test(what_comes_over_a_held_link_is_taken_and_acknowledged_when_it_is_let_go),
      cmocka_unit_test(other_links_go_on_and_bring_what_the_held_one_would),
      cmocka_unit_test(who_is_held_is_asked_for_nothing_and_others_are),
      cmocka_unit_test(a_snapshot_is_fetched_from_another_one),
      cmocka_unit_test(holding_twice_is_holding_once_and_a_restart_ends_it),
      cmocka_unit_test(when_a_peer_was_tried_last_is_told),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
