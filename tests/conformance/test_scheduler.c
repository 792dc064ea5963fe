/* A tick: what it counts, when it has something to do, and that waiting is waiting. */
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

static void begin(uint32_t count, uint32_t batch_size) {
  replicas_init(world, count);
  replica_close(world, 0);
  world->at[0].options.batch_size = batch_size;
  replica_open(world, 0);
  for (uint32_t i = 1; i < count; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 100);
}

static void expect_report(const struct sync_tick_report *report, uint32_t retried, uint32_t pruned, uint32_t batched) {
  assert_int_equal(report->retried, retried);
  assert_int_equal(report->pruned, pruned);
  assert_int_equal(report->batched, batched);
}

static void a_tick_with_nothing_to_do_counts_nothing(void **state) {
  (void)state;
  begin(2, 0);
  for (uint32_t i = 0; i < 100; i++) { /* greetings now and then are no retries */
    struct sync_tick_report report = outbox_tick(world, 0, SECOND_NS);
    expect_report(&report, 0, 0, 0);
  }
  replicas_destroy(world);
}

static void a_tick_counts_what_became_ready_once(void **state) {
  (void)state;
  begin(2, 0);
  (void)outbox_put(world, 0, "a", "1");
  (void)outbox_put(world, 0, "b", "2");
  struct sync_tick_report report = outbox_tick(world, 0, 0);
  expect_report(&report, 0, 0, 0); /* not durable yet */
  replica_flush(world, 0);
  report = outbox_tick(world, 0, 0);
  expect_report(&report, 0, 0, 2);
  report = outbox_tick(world, 0, 0);
  expect_report(&report, 0, 0, 0);
  replicas_destroy(world);
}

/* a is acknowledged, b behind it is lost, c is written: ten seconds later all three are seen in one tick. */
static void one_tick_counts_retries_completions_and_what_became_ready(void **state) {
  (void)state;
  begin(2, 1);
  struct sync_dot a = outbox_put(world, 0, "a", "1");
  struct sync_dot b = outbox_put(world, 0, "b", "2");
  replica_flush(world, 0);
  struct sync_tick_report report = outbox_tick(world, 0, 0);
  expect_report(&report, 0, 0, 2);
  assert_int_equal(replica_collect(world, 0), 2);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  replicas_drop_all(world);
  replica_flush(world, 1);
  assert_int_equal(replica_collect(world, 1), 1);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  struct sync_dot c = outbox_put(world, 0, "c", "3");
  replica_flush(world, 0);
  report = outbox_tick(world, 0, 10 * SECOND_NS);
  expect_report(&report, 1, 1, 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &a), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_status_of(world, 0, 1, &b), SYNC_OUTBOX_QUEUED);
  assert_int_equal(outbox_status_of(world, 0, 1, &c), SYNC_OUTBOX_QUEUED);
  report = outbox_tick(world, 0, 0);
  expect_report(&report, 0, 0, 0);
  replicas_destroy(world);
}

static void each_peer_is_retried_and_counted_by_itself(void **state) {
  (void)state;
  begin(4, 0);
  (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 3);
  replicas_drop_all(world);
  assert_int_equal(outbox_tick(world, 0, 10 * SECOND_NS).retried, 3);
  for (uint32_t i = 1; i < 4; i++)
    assert_int_equal(outbox_peer(world, 0, i).retries, 1);
  replicas_destroy(world);
}

/* The deadline is when a tick does something: not before, and then it does. */
static void the_deadline_says_when_a_tick_has_something_to_do(void **state) {
  (void)state;
  begin(2, 0);
  (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  replicas_drop_all(world);
  uint32_t retries = 0;
  for (uint32_t i = 0; i < 60 && retries < 6; i++) {
    struct memory_env *memory = &world->at[0].memory;
    uint64_t deadline = sync_next_deadline(engine());
    assert_true(deadline > memory->mono_ns && deadline != SYNC_NO_DEADLINE);
    uint64_t traced = memory->traced, writes = memory->writes;
    (void)outbox_tick(world, 0, deadline - memory->mono_ns - 1);
    assert_int_equal(outbox_peer(world, 0, 1).retries, retries);
    assert_int_equal(replica_collect(world, 0), 0);
    assert_true(memory->traced == traced && memory->writes == writes);
    (void)outbox_tick(world, 0, 1);
    retries = outbox_peer(world, 0, 1).retries;
    replica_flush(world, 0);
    size_t frames = replica_collect(world, 0);
    assert_true(frames > 0 || memory->traced > traced || memory->writes > writes);
    replicas_drop_all(world);
  }
  assert_int_equal(retries, 6);
  replicas_destroy(world);
}

/* The waits that are computed are kept: however often time is told, an operation is sent once in each, and
 * they grow. */
static void ticking_often_sends_nothing_sooner(void **state) {
  (void)state;
  begin(2, 0);
  (void)outbox_put(world, 0, "k", "v");
  replica_flush(world, 0);
  static const uint64_t waits[] = {10, 10, 20, 30, 30}; /* ack_timeout; then twice, four times the interval; the cap */
  uint64_t sent = 1;
  (void)replica_collect(world, 0);
  replicas_drop_all(world);
  for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
    for (uint64_t tick = 1; tick <= waits[i] * 100; tick++) {
      assert_int_equal(replica_stats(world, 0).ops_out, sent);
      (void)outbox_tick(world, 0, SECOND_NS / 100);
      replica_flush(world, 0);
      (void)replica_collect(world, 0);
      replicas_drop_all(world);
    }
    assert_int_equal(replica_stats(world, 0).ops_out, ++sent);
  }
  replicas_destroy(world);
}

static void who_used_up_its_retries_is_greeted_on_and_sent_nothing(void **state) {
  (void)state;
  begin(2, 0);
  (void)outbox_put(world, 0, "k", "v");
  outbox_park(world, 0, 1);
  assert_int_equal(replica_stats(world, 0).timeouts, 6); /* five retries, and the last wait */
  assert_int_equal(replica_stats(world, 0).ops_out, 6);
  uint64_t greeted = replica_stats(world, 0).hellos_out;
  for (uint32_t i = 0; i < 10; i++) {
    assert_int_equal(outbox_tick(world, 0, 15 * SECOND_NS).retried, 0);
    replica_flush(world, 0);
    (void)replica_collect(world, 0);
    replicas_drop_all(world);
  }
  assert_int_equal(replica_stats(world, 0).ops_out, 6);
  assert_int_equal(replica_stats(world, 0).hellos_out, greeted + 10);
  assert_int_equal(sync_outbox_size(engine()), 1);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_tick_with_nothing_to_do_counts_nothing),
      cmocka_unit_test(a_tick_counts_what_became_ready_once),
      cmocka_unit_test(one_tick_counts_retries_completions_and_what_became_ready),
      cmocka_unit_test(each_peer_is_retried_and_counted_by_itself),
      cmocka_unit_test(the_deadline_says_when_a_tick_has_something_to_do),
      cmocka_unit_test(ticking_often_sends_nothing_sooner),
      cmocka_unit_test(who_used_up_its_retries_is_greeted_on_and_sent_nothing),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
