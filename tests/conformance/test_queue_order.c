/* The order in which operations go out: as they were written, by number, whatever the clock says. */
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

#define OPERATIONS 120u /* 2 before 10 before 100 */

static struct sync_engine *engine(void) {
  return world->at[0].engine;
}

static void begin(uint32_t count, uint32_t batch_size) {
  replicas_init(world, count);
  replica_close(world, 0);
  world->at[0].options.batch_size = batch_size;
  replica_open(world, 0);
  for (uint32_t i = 1; i < count; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 100);
}

struct seqs {
  uint64_t of[3 * OPERATIONS];
  uint64_t incarnations[3 * OPERATIONS];
  size_t count;
};

static int take_seq(void *arg, const struct sync_outbox_entry *entry) {
  struct seqs *seqs = arg;
  assert_true(seqs->count < sizeof seqs->of / sizeof seqs->of[0]);
  seqs->incarnations[seqs->count] = entry->dot.origin.incarnation;
  seqs->of[seqs->count++] = entry->dot.seq;
  return 0;
}

static struct seqs listed(void) {
  struct seqs seqs = {.count = 0};
  assert_int_equal(sync_outbox(engine(), take_seq, &seqs), SYNC_OK);
  return seqs;
}

static void operations_are_listed_and_sent_in_the_order_of_their_numbers(void **state) {
  (void)state;
  begin(2, 1);
  struct sync_dot dots[OPERATIONS];
  for (uint32_t i = 0; i < OPERATIONS; i++)
    dots[i] = outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  struct seqs seqs = listed();
  assert_int_equal(seqs.count, OPERATIONS);
  for (uint32_t i = 0; i < OPERATIONS; i++)
    assert_int_equal(seqs.of[i], i + 1);
  assert_int_equal(replica_collect(world, 0), OPERATIONS);
  for (uint32_t i = 0; i < OPERATIONS; i++) {
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    assert_true(sync_holds(world->at[1].engine, "n0", dots[i].origin.incarnation, i + 1));
    assert_false(sync_holds(world->at[1].engine, "n0", dots[i].origin.incarnation, i + 2));
  }
  assert_int_equal(replica_stats(world, 1).not_yet, 0);
  replicas_destroy(world);
}

/* A peer that holds nine does not hold the tenth, though 9 is more than 1. */
static void what_is_held_is_told_by_number_and_not_by_digits(void **state) {
  (void)state;
  begin(2, 0);
  for (uint32_t i = 1; i <= OPERATIONS; i++) {
    char value[8];
    (void)snprintf(value, sizeof value, "%u", (unsigned)i);
    struct sync_dot dot = outbox_put(world, 0, "k", value);
    replica_flush(world, 0);
    assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
    (void)replicas_settle(world, 60);
    assert_true(replica_reads(world, 1, "k", value));
    assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  }
  replicas_destroy(world);
}

/* A clock that was set back makes no later write an earlier one. */
static void the_clock_does_not_change_the_order(void **state) {
  (void)state;
  begin(2, 1);
  struct sync_dot first = outbox_put(world, 0, "k", "first");
  world->at[0].memory.wall_ns -= 86400 * SECOND_NS;
  struct sync_dot second = outbox_put(world, 0, "k", "second");
  world->at[0].memory.wall_ns -= 86400 * SECOND_NS;
  struct sync_dot third = outbox_put(world, 0, "k", "third");
  assert_true(first.seq == 1 && second.seq == 2 && third.seq == 3);
  struct seqs seqs = listed();
  assert_true(seqs.count == 3 && seqs.of[0] == 1 && seqs.of[1] == 2 && seqs.of[2] == 3);
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 3);
  static const char *const reads[] = {"first", "second", "third"};
  for (uint32_t i = 0; i < 3; i++) {
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    assert_true(replica_reads(world, 1, "k", reads[i]));
  }
  replicas_destroy(world);
}

/* Ids say nothing of the order: a later life may have the smaller one. */
static void operations_of_an_earlier_life_go_first_whatever_its_id(void **state) {
  (void)state;
  begin(2, 1);
  replica_close(world, 1);
  uint64_t lives[6];
  bool descends = false;
  for (uint32_t i = 0; i < 6; i++) {
    replica_close(world, 0);
    replica_open(world, 0);
    lives[i] = outbox_put(world, 0, "a", "1").origin.incarnation;
    (void)outbox_put(world, 0, "b", "2");
    replica_flush(world, 0);
    descends = descends || (i > 0 && lives[i] < lives[i - 1]);
  }
  assert_true(descends);
  struct seqs seqs = listed();
  assert_int_equal(seqs.count, 12);
  for (uint32_t i = 0; i < 12; i++)
    assert_true(seqs.incarnations[i] == lives[i / 2] && seqs.of[i] == i % 2 + 1);
  replica_open(world, 1);
  (void)replicas_settle(world, 200);
  assert_int_equal(replica_stats(world, 1).not_yet, 0);
  assert_int_equal(replica_stats(world, 1).applied_remote, 12);
  replicas_destroy(world);
}

static void looking_takes_nothing_away(void **state) {
  (void)state;
  begin(2, 0);
  for (uint32_t i = 0; i < 5; i++)
    (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  struct seqs before = listed(), after = listed();
  assert_int_equal(before.count, 5);
  assert_memory_equal(&before, &after, sizeof before);
  (void)replicas_settle(world, 60);
  assert_int_equal(replica_stats(world, 1).applied_remote, 5);
  replicas_destroy(world);
}

static void what_was_taken_to_be_sent_is_not_given_again(void **state) {
  (void)state;
  begin(2, 0);
  for (uint32_t i = 0; i < 5; i++)
    (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replica_stats(world, 0).ops_out, 5);
  (void)outbox_put(world, 0, "k", "w");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replica_stats(world, 0).ops_out, 6);
  assert_int_equal(replica_collect(world, 0), 0);
  replicas_destroy(world);
}

static void a_batch_has_at_most_as_many_as_it_may(void **state) {
  (void)state;
  begin(2, 2);
  for (uint32_t i = 0; i < 5; i++)
    (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  uint64_t sent = replica_stats(world, 0).ops_out;
  static const uint64_t sizes[] = {2, 2, 1};
  static uint8_t buffer[65536 + SYNC_FRAME_OVERHEAD_BYTES];
  for (uint32_t i = 0; i < 3; i++) {
    uint32_t peer;
    size_t size;
    assert_int_equal(sync_next_frame(engine(), &peer, buffer, sizeof buffer, &size), SYNC_OK);
    assert_int_equal(replica_stats(world, 0).ops_out - sent, sizes[i]);
    sent = replica_stats(world, 0).ops_out;
  }
  assert_int_equal(replica_collect(world, 0), 0);
  replicas_destroy(world);
}

static void what_is_owed_to_nobody_is_not_in_the_queue(void **state) {
  (void)state;
  begin(2, 0);
  for (uint32_t i = 0; i < 5; i++)
    (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  assert_int_equal(sync_peer_remove(engine(), replica_peer(world, 0, 1)), SYNC_OK);
  assert_int_equal(listed().count, 0);
  assert_int_equal(replica_collect(world, 0), 0);
  assert_true(replica_reads(world, 0, "k", "v"));
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(operations_are_listed_and_sent_in_the_order_of_their_numbers),
      cmocka_unit_test(what_is_held_is_told_by_number_and_not_by_digits),
      cmocka_unit_test(the_clock_does_not_change_the_order),
      cmocka_unit_test(operations_of_an_earlier_life_go_first_whatever_its_id),
      cmocka_unit_test(looking_takes_nothing_away),
      cmocka_unit_test(what_was_taken_to_be_sent_is_not_given_again),
      cmocka_unit_test(a_batch_has_at_most_as_many_as_it_may),
      cmocka_unit_test(what_is_owed_to_nobody_is_not_in_the_queue),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
