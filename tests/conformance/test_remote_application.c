/* What becomes of an operation that comes from a peer: applied, read or not, never twice, never as our own. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/outbox_fixture.h"

static struct replicas *world;

static struct sync_engine *engine(void) {
  return world->at[0].engine;
}

static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t i = 1; i < count; i++)
    replicas_link(world, i - 1, i);
  (void)replicas_settle(world, 100);
}

/* n1's next frame, in the first place of the queue. */
static void send_from_n1(void) {
  replica_flush(world, 1);
  assert_int_equal(replica_collect(world, 1), 1);
}

struct sibling_count {
  size_t all, of_n0, of_n1;
};

static int count_sibling(void *arg, const struct sync_sibling *sibling) {
  struct sibling_count *count = arg;
  count->all++;
  count->of_n0 += strcmp(sibling->dot.origin.node_id, "n0") == 0;
  count->of_n1 += strcmp(sibling->dot.origin.node_id, "n1") == 0;
  return 0;
}

static struct sibling_count siblings_of(uint32_t at, const char *key) {
  struct sibling_count count = {0};
  assert_int_equal(sync_siblings(world->at[at].engine, key, strlen(key), count_sibling, &count), SYNC_OK);
  return count;
}

static void a_put_is_applied_to_an_empty_store_with_writer_and_time(void **state) {
  (void)state;
  begin(2);
  world->at[1].memory.wall_ns += 123456;
  struct sync_dot dot = outbox_put(world, 1, "k", "hello");
  send_from_n1();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  struct sync_sibling here, there;
  assert_int_equal(sync_get(engine(), "k", 1, &here), SYNC_OK);
  assert_int_equal(sync_get(world->at[1].engine, "k", 1, &there), SYNC_OK);
  assert_true(here.value_size == 5 && memcmp(here.value, "hello", 5) == 0);
  assert_true(here.hlc == there.hlc && here.hlc >= world->at[1].memory.wall_ns);
  assert_string_equal(here.dot.origin.node_id, "n1");
  assert_true(here.dot.origin.incarnation == dot.origin.incarnation && here.dot.seq == dot.seq);
  assert_int_equal(replica_stats(world, 0).applied_remote, 1);
  replicas_destroy(world);
}

static void a_newer_one_is_read_from_then_on(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 0, "k", "old");
  world->at[1].memory.wall_ns += 5000;
  replica_put(world, 1, "k", "new");
  send_from_n1();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_reads(world, 0, "k", "new"));
  replicas_destroy(world);
}

/* Not read, but held: or replicas that got the two in another order would differ. */
static void an_older_one_is_not_read_and_is_not_lost(void **state) {
  (void)state;
  begin(2);
  world->at[0].memory.wall_ns += 5000;
  replica_put(world, 0, "k", "local");
  struct sync_dot dot = outbox_put(world, 1, "k", "remote");
  send_from_n1();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_reads(world, 0, "k", "local"));
  assert_true(sync_holds(engine(), "n1", dot.origin.incarnation, dot.seq));
  struct sibling_count count = siblings_of(0, "k");
  assert_true(count.all == 2 && count.of_n0 == 1 && count.of_n1 == 1);
  replicas_settle_for(world, UINT64_C(2000000000));
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void of_two_of_one_time_that_of_the_greater_writer_is_read(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 0, "k", "from n0");
  replica_put(world, 1, "k", "from n1");
  replica_flush(world, 0);
  send_from_n1();
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_reads(world, 0, "k", "from n1"));
  assert_true(replica_reads(world, 1, "k", "from n1"));
  replicas_destroy(world);
}

static void what_comes_again_is_ignored(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 1, "k", "v");
  send_from_n1();
  assert_int_equal(replicas_deliver(world, 0, true), SYNC_OK);
  struct sync_digest before, after;
  sync_digest_get(engine(), &before);
  uint64_t log_bytes = replica_stats(world, 0).log_bytes;
  for (uint32_t i = 0; i < 3; i++)
    assert_int_equal(replicas_deliver(world, 0, true), SYNC_OK);
  sync_digest_get(engine(), &after);
  assert_memory_equal(&before, &after, sizeof before);
  assert_int_equal(replica_stats(world, 0).applied_remote, 1);
  assert_int_equal(replica_stats(world, 0).duplicates, 3);
  assert_true(replica_stats(world, 0).log_bytes == log_bytes);
  replicas_destroy(world);
}

/* Also where the first copy came before a restart: what is suppressed is known from the disk. */
static void what_comes_again_after_a_restart_is_ignored(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 1, "k", "v");
  send_from_n1();
  assert_int_equal(replicas_deliver(world, 0, true), SYNC_OK);
  replica_flush(world, 0);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(world, 0);
  assert_int_equal(replicas_deliver(world, 0, true), SYNC_OK);
  assert_int_equal(replica_stats(world, 0).applied_remote, 0);
  assert_int_equal(replica_stats(world, 0).duplicates, 1);
  assert_int_equal(siblings_of(0, "k").all, 1);
  replicas_destroy(world);
}

static void a_delete_is_applied(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 0, "k", "value");
  (void)replicas_settle(world, 60);
  replica_delete(world, 1, "k");
  send_from_n1();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_reads(world, 0, "k", NULL));
  replicas_destroy(world);
}

/* What was deleted leaves something to compare with: an older put that comes late does not bring the key back. */
static void an_older_put_that_comes_after_a_delete_does_not_undo_it(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 0, "k", "value");
  (void)replicas_settle(world, 60);
  replica_put(world, 1, "k", "older than the delete, and late");
  world->at[0].memory.wall_ns += 5000;
  replica_delete(world, 0, "k");
  send_from_n1();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_reads(world, 0, "k", NULL));
  replicas_settle_for(world, UINT64_C(2000000000));
  assert_true(replica_reads(world, 1, "k", NULL));
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void under_keep_local_a_newer_one_is_not_read_in_the_end(void **state) {
  (void)state;
  begin(2);
  const struct sync_policy policy = {.kind = SYNC_KEEP_LOCAL};
  assert_int_equal(sync_policy_set(engine(), NULL, 0, &policy), SYNC_OK);
  replica_put(world, 0, "k", "local");
  world->at[1].memory.wall_ns += 5000;
  replica_put(world, 1, "k", "remote");
  send_from_n1();
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(sync_next_deadline(engine()) <= world->at[0].memory.mono_ns);
  assert_int_equal(sync_tick(engine(), NULL), SYNC_OK);
  assert_true(replica_reads(world, 0, "k", "local"));
  replicas_destroy(world);
}

static void what_was_applied_is_nobody_s_own_write_and_does_not_go_back(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 1, "k", "v");
  replicas_settle_for(world, UINT64_C(40000000000));
  assert_int_equal(sync_outbox_size(engine()), 0);
  assert_int_equal(replica_stats(world, 0).submits, 0);
  assert_int_equal(replica_stats(world, 0).ops_out, 0);
  struct sync_outbox_entry entry;
  assert_int_equal(sync_outbox_find(engine(), &dot, 0, &entry), SYNC_E_NOT_FOUND);
  replicas_destroy(world);
}

/* n0 and n2 know each other only by n1. */
static void who_passes_operations_on_leaves_their_writer_and_id(void **state) {
  (void)state;
  begin(3);
  for (uint64_t i = 1; i <= 3; i++) {
    struct sync_dot dot = outbox_put(world, 0, "k", "from n0");
    replicas_settle_for(world, UINT64_C(2000000000));
    struct sync_sibling given;
    assert_int_equal(sync_get(world->at[2].engine, "k", 1, &given), SYNC_OK);
    assert_string_equal(given.dot.origin.node_id, "n0");
    assert_true(given.dot.origin.incarnation == dot.origin.incarnation && given.dot.seq == i);
  }
  assert_int_equal(replica_stats(world, 1).submits + replica_stats(world, 1).own_writes, 0);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void what_is_no_frame_changes_nothing(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 1, "k", "v");
  send_from_n1();
  struct replica_frame *frame = &world->frames[0];
  struct sync_digest before, after;
  sync_digest_get(engine(), &before);
  for (size_t i = 0; i < frame->size; i++) {
    frame->bytes[i] ^= 0x40;
    assert_int_not_equal(replicas_deliver(world, 0, true), SYNC_OK);
    frame->bytes[i] ^= 0x40;
  }
  sync_digest_get(engine(), &after);
  assert_memory_equal(&before, &after, sizeof before);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(replica_reads(world, 0, "k", "v"));
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_put_is_applied_to_an_empty_store_with_writer_and_time),
      cmocka_unit_test(a_newer_one_is_read_from_then_on),
      cmocka_unit_test(an_older_one_is_not_read_and_is_not_lost),
      cmocka_unit_test(of_two_of_one_time_that_of_the_greater_writer_is_read),
      cmocka_unit_test(what_comes_again_is_ignored),
      cmocka_unit_test(what_comes_again_after_a_restart_is_ignored),
      cmocka_unit_test(a_delete_is_applied),
      cmocka_unit_test(an_older_put_that_comes_after_a_delete_does_not_undo_it),
      cmocka_unit_test(under_keep_local_a_newer_one_is_not_read_in_the_end),
      cmocka_unit_test(what_was_applied_is_nobody_s_own_write_and_does_not_go_back),
      cmocka_unit_test(who_passes_operations_on_leaves_their_writer_and_id),
      cmocka_unit_test(what_is_no_frame_changes_nothing),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
