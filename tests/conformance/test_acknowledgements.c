/* Acknowledgements: what is waited for, how long, what ends it, and what does not. By the public API alone. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/outbox_fixture.h"

#define SECOND_NS UINT64_C(1000000000)

static struct replicas *world;

static struct sync_engine *engine(void) {
  return world->at[0].engine;
}

/* n0 and n1 know each other, and owe each other nothing. */
static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t i = 1; i < count; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 100);
}

/* What n0 has to send is sent, and waits on its way. */
static void send(void) {
  replica_flush(world, 0);
  assert_true(replica_collect(world, 0) > 0);
}

static void nothing_is_waited_for_before_anything_is_written(void **state) {
  (void)state;
  begin(2);
  assert_int_equal(sync_outbox_size(engine()), 0);
  assert_int_equal(outbox_entries(world, 0), 0);
  assert_int_equal(outbox_peer(world, 0, 1).in_flight_ops, 0);
  struct sync_dot none = {.origin = {.node_id = "n0", .incarnation = 1}, .seq = 1};
  struct sync_outbox_entry entry;
  assert_int_equal(sync_outbox_find(engine(), &none, 0, &entry), SYNC_E_NOT_FOUND);
  replicas_destroy(world);
}

static void what_was_sent_is_waited_for_until_its_time_is_over(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  assert_int_equal(outbox_peer(world, 0, 1).in_flight_ops, 0);
  send();
  replicas_drop_all(world);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(outbox_peer(world, 0, 1).in_flight_ops, 1);
  (void)outbox_tick(world, 0, 10 * SECOND_NS - 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(outbox_peer(world, 0, 1).retries, 0);
  (void)outbox_tick(world, 0, 1);
  assert_int_equal(outbox_peer(world, 0, 1).retries, 1);
  assert_int_equal(outbox_peer(world, 0, 1).in_flight_ops, 0);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
  replicas_destroy(world);
}

static void an_acknowledgement_ends_the_wait(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  (void)replicas_settle(world, 60);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  struct sync_peer_info info = outbox_peer(world, 0, 1);
  assert_true(info.in_flight_ops == 0 && info.owed_ops == 0 && info.retries == 0);
  (void)outbox_tick(world, 0, 3600 * SECOND_NS);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(replica_stats(world, 0).timeouts, 0);
  replicas_destroy(world);
}

/* Whoever acknowledged and then lost power would have lost what the sender no longer keeps for it. */
static void what_came_is_not_acknowledged_before_it_is_durable_there(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  send();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_reads(world, 1, "k", "v"));
  for (uint32_t i = 0; i < 3; i++) { /* n1 may say what it likes: its fsync is not done */
    (void)outbox_tick(world, 1, SECOND_NS);
    (void)replica_collect(world, 1);
    while (world->frame_count > 0)
      assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  }
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_IN_FLIGHT);
  replica_flush(world, 1);
  (void)replica_collect(world, 1);
  while (world->frame_count > 0)
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  replicas_destroy(world);
}

/* n1 acknowledges what n0, whose disk was replaced, knows nothing of. */
static void an_acknowledgement_of_an_unknown_operation_ends_no_other_wait(void **state) {
  (void)state;
  begin(2);
  struct sync_dot gone = outbox_put(world, 0, "k", "of a disk that is no more");
  (void)replicas_settle(world, 60);
  replica_close(world, 0);
  memory_env_destroy(&world->at[0].memory);
  uint64_t mono_ns = world->at[1].memory.mono_ns;
  memory_env_init(&world->at[0].memory);
  world->at[0].memory.mono_ns = mono_ns;
  world->at[0].memory.next_unique = 77000000;
  replica_open(world, 0);
  assert_int_equal(sync_peer_add(engine(), "n1", NULL), SYNC_OK);
  struct sync_dot dot = outbox_put(world, 0, "l", "v");
  assert_int_equal(dot.seq, gone.seq);
  struct sync_outbox_entry entry;
  assert_int_equal(sync_outbox_find(engine(), &gone, 0, &entry), SYNC_E_NOT_FOUND);
  replica_flush(world, 0);
  /* n1 hears n0's HELLO and tells what it holds; nothing that n0 sends after that arrives. */
  (void)replica_collect(world, 0);
  while (world->frame_count > 0)
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_collect(world, 1) > 0);
  while (world->frame_count > 0)
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(outbox_peer(world, 0, 1).state, SYNC_PEER_ACTIVE);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
  assert_int_equal(sync_outbox_size(engine()), 1);
  replicas_settle_for(world, SECOND_NS);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_true(replica_reads(world, 0, "k", "of a disk that is no more")); /* it came back from n1 */
  replicas_destroy(world);
}

static void only_what_waits_runs_out_of_time(void **state) {
  (void)state;
  begin(3);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  replica_close(world, 2);
  (void)replicas_settle(world, 60);
  (void)outbox_tick(world, 0, 5 * SECOND_NS);
  struct sync_dot later = outbox_put(world, 0, "l", "not durable yet");
  struct sync_tick_report report = outbox_tick(world, 0, 5 * SECOND_NS);
  assert_int_equal(report.retried, 1);
  assert_int_equal(outbox_peer(world, 0, 1).retries, 0);
  assert_int_equal(outbox_peer(world, 0, 2).retries, 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_status_of(world, 0, 2, &dot), SYNC_OUTBOX_QUEUED);
  assert_int_equal(outbox_status_of(world, 0, 1, &later), SYNC_OUTBOX_PENDING);
  assert_int_equal(outbox_status_of(world, 0, 2, &later), SYNC_OUTBOX_PENDING);
  replicas_destroy(world);
}

static void what_is_acknowledged_leaves_the_outbox_and_what_waits_stays(void **state) {
  (void)state;
  begin(2);
  struct sync_dot first = outbox_put(world, 0, "a", "1");
  struct sync_dot second = outbox_put(world, 0, "b", "2");
  (void)replicas_settle(world, 60);
  struct sync_dot third = outbox_put(world, 0, "c", "3");
  send();
  struct sync_tick_report report = outbox_tick(world, 0, 0);
  assert_int_equal(report.pruned, 2);
  assert_int_equal(outbox_entries(world, 0), 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &first), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_status_of(world, 0, 1, &second), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_status_of(world, 0, 1, &third), SYNC_OUTBOX_IN_FLIGHT);
  replicas_destroy(world);
}

static void what_is_sent_again_is_waited_for_anew_and_stays_one_entry(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  send();
  replicas_drop_all(world);
  (void)outbox_tick(world, 0, 10 * SECOND_NS);
  send();
  replicas_drop_all(world);
  assert_int_equal(outbox_entries(world, 0), 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(outbox_peer(world, 0, 1).in_flight_ops, 1);
  (void)outbox_tick(world, 0, 10 * SECOND_NS - 1); /* the second wait is twice the retry interval */
  assert_int_equal(outbox_peer(world, 0, 1).retries, 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_IN_FLIGHT);
  (void)outbox_tick(world, 0, 1);
  assert_int_equal(outbox_peer(world, 0, 1).retries, 2);
  assert_int_equal(outbox_entries(world, 0), 1);
  replicas_destroy(world);
}

/* The acknowledgement comes when the operation has been queued again: that copy goes with it. */
static void a_late_acknowledgement_counts_and_nothing_is_sent_for_nothing(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  send();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  replica_flush(world, 1);
  assert_int_equal(replica_collect(world, 1), 1); /* on its way for longer than n0 waits */
  uint64_t sent = replica_stats(world, 0).ops_out;
  (void)outbox_tick(world, 0, 10 * SECOND_NS);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  for (uint32_t i = 0; i < 120; i++) {
    (void)outbox_tick(world, 0, SECOND_NS);
    (void)replicas_settle(world, 60);
    assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  }
  assert_int_equal(replica_stats(world, 0).ops_out, sent);
  assert_int_equal(replica_stats(world, 1).duplicates, 0);
  replicas_destroy(world);
}

static void an_acknowledgement_that_comes_twice_changes_nothing_more(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  send();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  replica_flush(world, 1);
  assert_int_equal(replica_collect(world, 1), 1);
  assert_int_equal(replicas_deliver(world, 0, true), SYNC_OK);
  assert_int_equal(outbox_tick(world, 0, 0).pruned, 1);
  struct sync_dot next = outbox_put(world, 0, "l", "w");
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(outbox_tick(world, 0, 0).pruned, 0);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_status_of(world, 0, 1, &next), SYNC_OUTBOX_PENDING);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_waited_for_before_anything_is_written),
      cmocka_unit_test(what_was_sent_is_waited_for_until_its_time_is_over),
      cmocka_unit_test(an_acknowledgement_ends_the_wait),
      cmocka_unit_test(what_came_is_not_acknowledged_before_it_is_durable_there),
      cmocka_unit_test(an_acknowledgement_of_an_unknown_operation_ends_no_other_wait),
      cmocka_unit_test(only_what_waits_runs_out_of_time),
      cmocka_unit_test(what_is_acknowledged_leaves_the_outbox_and_what_waits_stays),
      cmocka_unit_test(what_is_sent_again_is_waited_for_anew_and_stays_one_entry),
      cmocka_unit_test(a_late_acknowledgement_counts_and_nothing_is_sent_for_nothing),
      cmocka_unit_test(an_acknowledgement_that_comes_twice_changes_nothing_more),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
