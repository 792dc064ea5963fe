/* The outbox: what is in it, what goes next, how an entry changes, what becomes of one that failed. */
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

/* n0 and its peers know each other, and owe each other nothing. */
static void begin(uint32_t count, uint32_t batch_size) {
  replicas_init(world, count);
  replica_close(world, 0);
  world->at[0].options.batch_size = batch_size;
  replica_open(world, 0);
  for (uint32_t i = 1; i < count; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 100);
}

/* One frame of n0's, which is lost. SYNC_E_NOT_FOUND: it has none. */
static int lose_one_frame(void) {
  static uint8_t buffer[65536 + SYNC_FRAME_OVERHEAD_BYTES];
  uint32_t peer;
  size_t size;
  return sync_next_frame(engine(), &peer, buffer, sizeof buffer, &size);
}

static void an_empty_outbox_has_nothing_to_send(void **state) {
  (void)state;
  begin(2, 0);
  assert_int_equal(sync_outbox_size(engine()), 0);
  assert_int_equal(outbox_entries(world, 0), 0);
  assert_int_equal(lose_one_frame(), SYNC_E_NOT_FOUND);
  replicas_destroy(world);
}

static void an_entry_is_found_by_the_id_of_its_receipt(void **state) {
  (void)state;
  begin(2, 0);
  struct sync_dot first = outbox_put(world, 0, "a", "1");
  struct sync_dot second = outbox_put(world, 0, "b", "2");
  struct sync_outbox_entry entry;
  uint32_t peer = replica_peer(world, 0, 1);
  assert_int_equal(sync_outbox_find(engine(), &second, peer, &entry), SYNC_OK);
  assert_string_equal(entry.dot.origin.node_id, "n0");
  assert_true(entry.dot.origin.incarnation == second.origin.incarnation);
  assert_true(entry.dot.seq == second.seq && entry.peer == peer && entry.retries == 0);
  assert_int_equal(sync_outbox_find(engine(), &first, peer, &entry), SYNC_OK);
  assert_int_equal(entry.dot.seq, first.seq);
  second.seq++;
  assert_int_equal(sync_outbox_find(engine(), &second, peer, &entry), SYNC_E_NOT_FOUND);
  replicas_destroy(world);
}

static void the_first_that_is_ready_goes_first(void **state) {
  (void)state;
  begin(2, 1);
  struct sync_dot first = outbox_put(world, 0, "a", "1");
  struct sync_dot second = outbox_put(world, 0, "b", "2");
  replica_flush(world, 0);
  assert_int_equal(lose_one_frame(), SYNC_OK);
  assert_int_equal(outbox_status_of(world, 0, 1, &first), SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(outbox_status_of(world, 0, 1, &second), SYNC_OUTBOX_QUEUED);
  assert_int_equal(lose_one_frame(), SYNC_OK);
  assert_int_equal(outbox_status_of(world, 0, 1, &second), SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(lose_one_frame(), SYNC_E_NOT_FOUND);
  replicas_destroy(world);
}

/* Ready is what is durable here: before that it is promised to nobody. */
static void a_batch_has_only_what_is_ready(void **state) {
  (void)state;
  begin(2, 10);
  struct sync_dot first = outbox_put(world, 0, "a", "1");
  struct sync_dot second = outbox_put(world, 0, "b", "2");
  replica_flush(world, 0);
  struct sync_dot third = outbox_put(world, 0, "c", "3");
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(outbox_status_of(world, 0, 1, &first), SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(outbox_status_of(world, 0, 1, &second), SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(outbox_status_of(world, 0, 1, &third), SYNC_OUTBOX_PENDING);
  assert_true(replica_reads(world, 1, "b", "2"));
  assert_true(replica_reads(world, 1, "c", NULL));
  replicas_destroy(world);
}

static void an_entry_is_pending_then_queued_then_in_flight_then_acknowledged(void **state) {
  (void)state;
  begin(2, 0);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_PENDING);
  replica_flush(world, 0);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
  (void)replica_collect(world, 0);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_IN_FLIGHT);
  (void)replicas_settle(world, 60);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  replicas_destroy(world);
}

static void what_was_not_acknowledged_in_time_is_queued_again_and_nothing_else_is(void **state) {
  (void)state;
  begin(3, 0);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  assert_int_equal(lose_one_frame(), SYNC_OK); /* to one of them, */
  (void)outbox_tick(world, 0, SECOND_NS);
  uint32_t early = outbox_status_of(world, 0, 1, &dot) == SYNC_OUTBOX_IN_FLIGHT ? 1 : 2, late = 3 - early;
  assert_int_equal(outbox_status_of(world, 0, late, &dot), SYNC_OUTBOX_QUEUED);
  while (outbox_status_of(world, 0, late, &dot) == SYNC_OUTBOX_QUEUED) /* ... and a second later to the other */
    assert_int_equal(lose_one_frame(), SYNC_OK);
  assert_int_equal(outbox_tick(world, 0, 9 * SECOND_NS).retried, 1);
  assert_int_equal(outbox_status_of(world, 0, early, &dot), SYNC_OUTBOX_QUEUED);
  assert_int_equal(outbox_status_of(world, 0, late, &dot), SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(outbox_peer(world, 0, early).retries, 1);
  assert_int_equal(outbox_peer(world, 0, late).retries, 0);
  replicas_destroy(world);
}

/* However long nobody answers. */
static void what_failed_stays_in_the_outbox_until_the_peer_is_back(void **state) {
  (void)state;
  begin(2, 0);
  struct sync_dot first = outbox_put(world, 0, "a", "1");
  struct sync_dot second = outbox_put(world, 0, "b", "2");
  outbox_park(world, 0, 1);
  for (uint32_t day = 0; day < 365; day++) {
    (void)outbox_tick(world, 0, 86400 * SECOND_NS);
    replica_flush(world, 0);
    while (lose_one_frame() == SYNC_OK) {
    }
    assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_FAILED), 2);
  }
  assert_int_equal(outbox_status_of(world, 0, 1, &first), SYNC_OUTBOX_FAILED);
  assert_int_equal(outbox_peer(world, 0, 1).owed_ops, 2);
  replicas_settle_for(world, 20 * SECOND_NS); /* a probe interval, and all arrives */
  assert_int_equal(outbox_status_of(world, 0, 1, &first), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_status_of(world, 0, 1, &second), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_true(replica_reads(world, 1, "b", "2"));
  replicas_destroy(world);
}

static void what_failed_is_queued_again_by_a_call(void **state) {
  (void)state;
  begin(2, 0);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  outbox_park(world, 0, 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_FAILED);
  assert_int_equal(sync_peer_retry(engine(), replica_peer(world, 0, 1)), SYNC_OK);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
  assert_int_equal(outbox_count(world, 0, SYNC_OUTBOX_FAILED), 0);
  (void)replicas_settle(world, 60); /* no time passes */
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  replicas_destroy(world);
}

/* The only call that gives up what is owed. What was written stays written, and owed to the others. */
static void entries_are_erased_by_removing_their_peer_and_by_nothing_else(void **state) {
  (void)state;
  begin(3, 0);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  outbox_park(world, 0, 1);
  assert_int_equal(outbox_entries(world, 0), 2);
  uint32_t gone = replica_peer(world, 0, 1);
  assert_int_equal(sync_peer_remove(engine(), gone), SYNC_OK);
  assert_int_equal(outbox_entries(world, 0), 1);
  struct sync_outbox_entry entry;
  assert_int_equal(sync_outbox_find(engine(), &dot, gone, &entry), SYNC_E_PEER);
  assert_int_equal(sync_outbox_size(engine()), 1);
  assert_true(replica_reads(world, 0, "k", "v"));
  replica_close(world, 1);
  replicas_settle_for(world, 40 * SECOND_NS);
  assert_int_equal(outbox_status_of(world, 0, 2, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  replica_open(world, 1);
  assert_true(replica_reads(world, 1, "k", NULL));
  replicas_link(world, 0, 1); /* a peer again: owed again */
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
  (void)replicas_settle(world, 60);
  assert_true(replica_reads(world, 1, "k", "v"));
  replicas_destroy(world);
}

static void an_operation_is_complete_when_the_last_peer_holds_it(void **state) {
  (void)state;
  begin(3, 0);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  replica_close(world, 2);
  (void)replicas_settle(world, 60);
  assert_int_equal(outbox_tick(world, 0, 0).pruned, 0);
  assert_int_equal(sync_outbox_size(engine()), 1);
  assert_int_equal(outbox_entries(world, 0), 1);
  replica_open(world, 2);
  (void)replicas_settle(world, 60);
  assert_int_equal(outbox_status_of(world, 0, 2, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_tick(world, 0, 0).pruned, 1);
  assert_int_equal(sync_outbox_size(engine()), 0);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_empty_outbox_has_nothing_to_send),
      cmocka_unit_test(an_entry_is_found_by_the_id_of_its_receipt),
      cmocka_unit_test(the_first_that_is_ready_goes_first),
      cmocka_unit_test(a_batch_has_only_what_is_ready),
      cmocka_unit_test(an_entry_is_pending_then_queued_then_in_flight_then_acknowledged),
      cmocka_unit_test(what_was_not_acknowledged_in_time_is_queued_again_and_nothing_else_is),
      cmocka_unit_test(what_failed_stays_in_the_outbox_until_the_peer_is_back),
      cmocka_unit_test(what_failed_is_queued_again_by_a_call),
      cmocka_unit_test(entries_are_erased_by_removing_their_peer_and_by_nothing_else),
      cmocka_unit_test(an_operation_is_complete_when_the_last_peer_holds_it),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
