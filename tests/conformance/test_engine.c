/* One engine from submit to prune: ids, batches, acknowledgements, counters; and when anything leaves at all. */
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

static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t i = 1; i < count; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 100);
}

static void a_submit_is_in_the_store_and_in_the_outbox_at_once(void **state) {
  (void)state;
  begin(2);
  struct sync_receipt receipt;
  assert_int_equal(sync_put(engine(), "k", 1, "v", 1, &receipt), SYNC_OK);
  assert_string_equal(receipt.dot.origin.node_id, "n0");
  assert_true(receipt.dot.origin.incarnation != 0 && receipt.dot.seq == 1);
  assert_true(replica_reads(world, 0, "k", "v"));
  assert_int_equal(sync_outbox_size(engine()), 1);
  assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_PENDING), 1);
  assert_int_equal(replica_stats(world, 0).submits, 1);
  replicas_destroy(world);
}

static void a_submit_that_was_refused_is_nowhere(void **state) {
  (void)state;
  begin(2);
  uint64_t appended = sync_appended_position(engine());
  static char value[65537];
  struct sync_receipt receipt = {.position = 77};
  assert_int_equal(sync_put(engine(), "k", 1, value, sizeof value, &receipt), SYNC_E_TOO_BIG);
  assert_int_equal(sync_put(engine(), "", 0, "v", 1, &receipt), SYNC_E_INVALID);
  assert_true(replica_reads(world, 0, "k", NULL));
  assert_int_equal(sync_outbox_size(engine()), 0);
  assert_true(sync_appended_position(engine()) == appended);
  assert_int_equal(replica_stats(world, 0).submits, 0);
  assert_int_equal(replica_stats(world, 0).submits_refused, 2);
  assert_int_equal(outbox_put(world, 0, "k", "v").seq, 1); /* no number was spent */
  replicas_destroy(world);
}

static void nothing_leaves_before_it_is_durable(void **state) {
  (void)state;
  begin(2);
  struct sync_receipt receipt;
  assert_int_equal(sync_put(engine(), "k", 1, "v", 1, &receipt), SYNC_OK);
  for (uint32_t i = 0; i < 5; i++) { /* the write is made, and its fsync asked for and not done */
    (void)outbox_tick(world, 0, SECOND_NS);
    assert_int_equal(replica_collect(world, 0), 0);
  }
  assert_true(sync_durable_position(engine()) < receipt.position);
  replica_flush(world, 0);
  assert_true(sync_durable_position(engine()) >= receipt.position);
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replica_stats(world, 0).ops_out, 1);
  replicas_destroy(world);
}

static void a_batch_is_in_flight_and_waited_for(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_IN_FLIGHT);
  struct sync_peer_info info = outbox_peer(world, 0, 1);
  assert_true(info.in_flight_ops == 1 && info.owed_ops == 1);
  assert_true(sync_next_deadline(engine()) <= world->at[0].memory.mono_ns + 10 * SECOND_NS);
  replicas_destroy(world);
}

static void an_acknowledgement_ends_the_wait_and_the_debt(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  (void)replicas_settle(world, 60);
  struct sync_peer_info info = outbox_peer(world, 0, 1);
  assert_true(info.in_flight_ops == 0 && info.owed_ops == 0);
  assert_int_equal(sync_outbox_size(engine()), 0);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  replicas_destroy(world);
}

static void counters_follow_what_happens(void **state) {
  (void)state;
  begin(2);
  struct sync_stats before = replica_stats(world, 0), there = replica_stats(world, 1);
  replica_put(world, 0, "a", "1");
  replica_delete(world, 0, "b");
  assert_int_equal(replica_stats(world, 0).submits - before.submits, 2);
  assert_int_equal(sync_outbox_size(engine()), 2);
  replica_flush(world, 0);
  assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_QUEUED), 2);
  (void)replica_collect(world, 0);
  assert_int_equal(replica_stats(world, 0).ops_out - before.ops_out, 2);
  assert_int_equal(replica_stats(world, 0).frames_out - before.frames_out, 1);
  assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_IN_FLIGHT), 2);
  replicas_drop_all(world);
  (void)outbox_tick(world, 0, 10 * SECOND_NS);
  assert_int_equal(replica_stats(world, 0).timeouts - before.timeouts, 1);
  (void)replicas_settle(world, 60);
  assert_int_equal(replica_stats(world, 0).ops_out - before.ops_out, 4);
  assert_int_equal(replica_stats(world, 1).applied_remote - there.applied_remote, 2);
  assert_int_equal(replica_stats(world, 0).revived - before.revived, 1);
  assert_int_equal(outbox_entries(world, 0), 0);
  replica_put(world, 1, "c", "3");
  (void)replicas_settle(world, 60);
  assert_int_equal(replica_stats(world, 0).applied_remote - before.applied_remote, 1);
  replicas_destroy(world);
}

static void what_is_not_overdue_stays_in_flight(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  for (uint32_t i = 0; i < 9; i++) {
    assert_int_equal(outbox_tick(world, 0, SECOND_NS).retried, 0);
    assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_IN_FLIGHT);
  }
  assert_int_equal(replica_stats(world, 0).ops_out, 1);
  replicas_destroy(world);
}

static void what_is_complete_is_pruned_and_counted_once(void **state) {
  (void)state;
  begin(2);
  (void)outbox_put(world, 0, "k", "v");
  (void)replicas_settle(world, 60);
  assert_int_equal(outbox_tick(world, 0, 0).pruned, 1);
  assert_int_equal(outbox_tick(world, 0, 0).pruned, 0);
  assert_int_equal(outbox_entries(world, 0), 0);
  assert_true(replica_reads(world, 0, "k", "v"));
  replicas_destroy(world);
}

/* Queueing by hand: the caller asks for frames when it wants something to leave, and not before. */
static void nothing_leaves_until_frames_are_asked_for_and_nothing_is_lost_by_waiting(void **state) {
  (void)state;
  begin(2);
  struct sync_dot first = outbox_put(world, 0, "a", "1");
  struct sync_dot second = outbox_put(world, 0, "b", "2");
  for (uint32_t hour = 0; hour < 24; hour++) {
    (void)outbox_tick(world, 0, 3600 * SECOND_NS);
    replica_flush(world, 0);
    assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_QUEUED), 2);
  }
  assert_int_equal(replica_stats(world, 0).ops_out, 0);
  assert_int_equal(outbox_peer(world, 0, 1).retries, 0); /* nothing was sent, so nothing is overdue */
  (void)replicas_settle(world, 60);
  assert_int_equal(outbox_status_of(world, 0, 1, &first), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_status_of(world, 0, 1, &second), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_true(replica_reads(world, 1, "b", "2"));
  replicas_destroy(world);
}

/* ... or adds the peer when it wants to owe it something: then what was written before is owed as well. */
static void what_was_written_before_there_was_a_peer_is_queued_with_it(void **state) {
  (void)state;
  replicas_init(world, 2);
  (void)outbox_put(world, 0, "a", "1");
  (void)outbox_put(world, 0, "b", "2");
  replica_flush(world, 0);
  assert_int_equal(sync_outbox_size(engine()), 0);
  replicas_link(world, 0, 1);
  assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_QUEUED), 2);
  (void)replicas_settle(world, 60);
  assert_true(replica_reads(world, 1, "a", "1") && replica_reads(world, 1, "b", "2"));
  replicas_destroy(world);
}

/* There is no sending without acknowledgement: what was sent and lost would be gone. */
static void what_was_sent_is_done_only_when_it_is_acknowledged(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
  replicas_drop_all(world);
  for (uint32_t i = 0; i < 4; i++)
    assert_int_equal(outbox_tick(world, 0, SECOND_NS).pruned, 0);
  assert_int_equal(sync_outbox_size(engine()), 1);
  assert_true(replica_reads(world, 1, "k", NULL));
  replicas_settle_for(world, 20 * SECOND_NS);
  assert_true(replica_reads(world, 1, "k", "v"));
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  replicas_destroy(world);
}

static void a_peer_that_is_removed_is_waited_for_no_longer(void **state) {
  (void)state;
  begin(3);
  (void)outbox_put(world, 0, "k", "v");
  replica_close(world, 2);
  (void)replicas_settle(world, 60);
  assert_int_equal(sync_outbox_size(engine()), 1);
  assert_int_equal(outbox_tick(world, 0, 0).pruned, 0);
  assert_int_equal(sync_peer_remove(engine(), replica_peer(world, 0, 2)), SYNC_OK);
  assert_int_equal(sync_outbox_size(engine()), 0);
  assert_int_equal(outbox_tick(world, 0, 0).pruned, 1);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_submit_is_in_the_store_and_in_the_outbox_at_once),
      cmocka_unit_test(a_submit_that_was_refused_is_nowhere),
      cmocka_unit_test(nothing_leaves_before_it_is_durable),
      cmocka_unit_test(a_batch_is_in_flight_and_waited_for),
      cmocka_unit_test(an_acknowledgement_ends_the_wait_and_the_debt),
      cmocka_unit_test(counters_follow_what_happens),
      cmocka_unit_test(what_is_not_overdue_stays_in_flight),
      cmocka_unit_test(what_is_complete_is_pruned_and_counted_once),
      cmocka_unit_test(nothing_leaves_until_frames_are_asked_for_and_nothing_is_lost_by_waiting),
      cmocka_unit_test(what_was_written_before_there_was_a_peer_is_queued_with_it),
      cmocka_unit_test(what_was_sent_is_done_only_when_it_is_acknowledged),
      cmocka_unit_test(a_peer_that_is_removed_is_waited_for_no_longer),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
