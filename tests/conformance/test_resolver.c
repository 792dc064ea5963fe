/* Which of two values a key has: by each policy, by time, by writer; and what becomes of the other one. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/outbox_fixture.h"

#define SECOND_NS UINT64_C(1000000000)

static struct replicas *world;

static struct sync_engine *engine(uint32_t at) {
  return world->at[at].engine;
}

/* All have one policy, and know their neighbours; in a row if there are more than two. */
static void begin(uint32_t count, enum sync_policy_kind kind) {
  replicas_init(world, count);
  for (uint32_t i = 0; i < count; i++) {
    const struct sync_policy policy = {.kind = kind};
    assert_int_equal(sync_policy_set(engine(i), NULL, 0, &policy), SYNC_OK);
    if (i > 0) replicas_link(world, i - 1, i);
  }
  (void)replicas_settle(world, 100);
}

static void settle(void) {
  replicas_settle_for(world, 2 * SECOND_NS);
  assert_true(replicas_agree(world));
}

static bool all_read(const char *key, const char *value) {
  for (uint32_t i = 0; i < world->count; i++)
    if (!replica_reads(world, i, key, value)) return false;
  return true;
}

static void a_value_is_taken_where_there_is_none_and_nothing_is_in_conflict(void **state) {
  (void)state;
  static const enum sync_policy_kind kinds[] = {SYNC_LAST_WRITE_WINS, SYNC_KEEP_LOCAL, SYNC_KEEP_REMOTE, SYNC_MANUAL};
  for (size_t i = 0; i < 4; i++) {
    begin(2, kinds[i]);
    replica_put(world, 1, "k", "from afar");
    settle();
    assert_true(all_read("k", "from afar"));
    assert_int_equal(replica_stats(world, 0).conflicts, 0);
    assert_int_equal(replica_stats(world, 0).own_writes, 0);
    replicas_destroy(world);
  }
}

static void the_newer_of_two_is_read_wherever_it_was_written(void **state) {
  (void)state;
  begin(2, SYNC_LAST_WRITE_WINS);
  world->at[0].memory.wall_ns += 1000;
  replica_put(world, 0, "a", "newer, from n0");
  replica_put(world, 1, "a", "older, from n1");
  world->at[1].memory.wall_ns += 2000;
  replica_put(world, 0, "b", "older, from n0");
  replica_put(world, 1, "b", "newer, from n1");
  settle();
  assert_true(all_read("a", "newer, from n0"));
  assert_true(all_read("b", "newer, from n1"));
  replicas_destroy(world);
}

static void of_two_of_one_time_the_greater_writer_s_is_read(void **state) {
  (void)state;
  begin(2, SYNC_LAST_WRITE_WINS);
  replica_put(world, 0, "k", "from n0");
  replica_put(world, 1, "k", "from n1");
  struct sync_sibling mine, theirs;
  assert_int_equal(sync_get(engine(0), "k", 1, &mine), SYNC_OK);
  assert_int_equal(sync_get(engine(1), "k", 1, &theirs), SYNC_OK);
  assert_true(mine.hlc == theirs.hlc);
  settle();
  assert_true(all_read("k", "from n1")); /* at n0 the other one wins, at n1 its own */
  replicas_destroy(world);
}

/* Neither who asks nor who brings it decides: n0 and n1 write, n2 and n3 only hear of it, by different ways. */
static void a_tie_is_decided_by_the_writers_and_not_by_who_passes_it_on(void **state) {
  (void)state;
  replicas_init(world, 4);
  replicas_link(world, 0, 3);
  replicas_link(world, 3, 2);
  replicas_link(world, 2, 1);
  (void)replicas_settle(world, 100);
  replica_put(world, 0, "k", "from n0");
  replica_put(world, 1, "k", "from n1");
  settle();
  assert_true(all_read("k", "from n1"));
  replicas_destroy(world);
}

static void a_later_delete_wins_over_a_put_and_a_later_put_over_a_delete(void **state) {
  (void)state;
  begin(2, SYNC_LAST_WRITE_WINS);
  replica_put(world, 0, "a", "old");
  replica_put(world, 0, "b", "old");
  settle();
  replica_put(world, 0, "a", "put before the delete");
  world->at[1].memory.wall_ns += 1000;
  replica_delete(world, 1, "a");
  replica_delete(world, 1, "b");
  world->at[0].memory.wall_ns += 2000;
  replica_put(world, 0, "b", "put after the delete");
  settle();
  assert_true(all_read("a", NULL));
  assert_true(all_read("b", "put after the delete"));
  replicas_destroy(world);
}

/* A clock that is an hour behind loses nothing that was written by who had seen the other value. */
static void who_has_seen_a_value_replaces_it_whatever_the_clocks_say(void **state) {
  (void)state;
  begin(2, SYNC_LAST_WRITE_WINS);
  world->at[0].memory.wall_ns += 3600 * SECOND_NS;
  replica_put(world, 0, "k", "from the hour to come");
  settle();
  replica_put(world, 1, "k", "written after it was read");
  settle();
  assert_true(all_read("k", "written after it was read"));
  assert_int_equal(replica_stats(world, 0).conflicts, 0);
  replicas_destroy(world);
}

struct values {
  char of[4][32];
  size_t count;
};

static int take_value(void *arg, const struct sync_sibling *sibling) {
  struct values *values = arg;
  assert_true(values->count < 4 && sibling->value_size < sizeof values->of[0]);
  if (sibling->value_size > 0) memcpy(values->of[values->count], sibling->value, sibling->value_size);
  values->count++;
  return 0;
}

static struct values values_of(uint32_t at, const char *key) {
  struct values values;
  memset(&values, 0, sizeof values);
  assert_int_equal(sync_siblings(engine(at), key, strlen(key), take_value, &values), SYNC_OK);
  return values;
}

static bool values_have(const struct values *values, const char *value) {
  for (size_t i = 0; i < values->count; i++)
    if (strcmp(values->of[i], value) == 0) return true;
  return false;
}

/* n0 keeps its own, n1 has no opinion: both hold what n0 kept, although it is the older one. */
static void keep_local_keeps_the_local_value_everywhere(void **state) {
  (void)state;
  begin(2, SYNC_LAST_WRITE_WINS);
  const struct sync_policy policy = {.kind = SYNC_KEEP_LOCAL};
  assert_int_equal(sync_policy_set(engine(0), NULL, 0, &policy), SYNC_OK);
  replica_put(world, 0, "k", "local, older");
  world->at[1].memory.wall_ns += 1000;
  replica_put(world, 1, "k", "remote, newer");
  settle();
  assert_true(all_read("k", "local, older"));
  assert_int_equal(replica_stats(world, 0).resolved, 1);
  assert_int_equal(values_of(1, "k").count, 1);
  replicas_destroy(world);
}

static void keep_remote_gives_way_to_the_other_value_everywhere(void **state) {
  (void)state;
  begin(2, SYNC_LAST_WRITE_WINS);
  const struct sync_policy policy = {.kind = SYNC_KEEP_REMOTE};
  assert_int_equal(sync_policy_set(engine(0), NULL, 0, &policy), SYNC_OK);
  replica_put(world, 1, "k", "remote, older");
  world->at[0].memory.wall_ns += 1000;
  replica_put(world, 0, "k", "local, newer");
  settle();
  assert_true(all_read("k", "remote, older"));
  assert_int_equal(replica_stats(world, 0).resolved, 1);
  assert_int_equal(values_of(1, "k").count, 1);
  replicas_destroy(world);
}

/* Each keeps its own, or gives way: they write two resolutions, and agree on one of them. */
static void who_keep_different_values_agree_in_the_end(void **state) {
  (void)state;
  static const enum sync_policy_kind kinds[] = {SYNC_KEEP_LOCAL, SYNC_KEEP_REMOTE};
  begin(3, SYNC_LAST_WRITE_WINS);
  for (size_t i = 0; i < 2; i++) {
    const struct sync_policy policy = {.kind = kinds[i]};
    for (uint32_t at = 0; at < 3; at++)
      assert_int_equal(sync_policy_set(engine(at), NULL, 0, &policy), SYNC_OK);
    const char *key = i == 0 ? "local" : "remote";
    for (uint32_t at = 0; at < 3; at++)
      replica_put(world, at, key, world->at[at].node_id);
    replicas_settle_for(world, 10 * SECOND_NS);
    assert_true(replicas_agree(world));
    assert_true(all_read(key, "n0") || all_read(key, "n1") || all_read(key, "n2"));
    for (uint32_t at = 0; at < 3; at++)
      assert_int_equal(sync_outbox_size(engine(at)), 0);
  }
  replicas_destroy(world);
}

/* Acknowledged or not: the other value is kept, here and there, until somebody decides who has seen both. */
static void manual_keeps_both_values_until_somebody_decides(void **state) {
  (void)state;
  begin(2, SYNC_MANUAL);
  replica_put(world, 0, "k", "from n0");
  replica_put(world, 1, "k", "from n1");
  settle();
  for (uint32_t at = 0; at < 2; at++) {
    assert_int_equal(sync_outbox_size(engine(at)), 0);
    struct values values = values_of(at, "k");
    assert_true(values.count == 2 && values_have(&values, "from n0") && values_have(&values, "from n1"));
    struct sync_sibling given;
    assert_int_equal(sync_get(engine(at), "k", 1, &given), SYNC_OK);
    assert_true(given.conflict);
  }
  replica_flush(world, 0);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 5);
  replica_open(world, 0);
  struct sync_conflict conflict;
  assert_int_equal(sync_conflict(engine(0), "k", 1, &conflict), SYNC_OK);
  assert_int_equal(conflict.siblings, 2);
  const struct sync_change chosen = {
      .kind = SYNC_PUT, .key = "k", .key_size = 1, .value = "of both", .value_size = strlen("of both")};
  assert_int_equal(sync_resolve(engine(0), &conflict.token, &chosen, NULL), SYNC_OK);
  settle();
  assert_true(all_read("k", "of both"));
  assert_int_equal(replica_stats(world, 1).conflicts, 0);
  replicas_destroy(world);
}

/* What lost by the clock can still be read, and goes only when a write has seen it. */
static void the_value_that_lost_is_kept_until_it_is_replaced(void **state) {
  (void)state;
  begin(2, SYNC_LAST_WRITE_WINS);
  replica_put(world, 0, "k", "older");
  world->at[1].memory.wall_ns += 1000;
  replica_put(world, 1, "k", "newer");
  settle();
  for (uint32_t at = 0; at < 2; at++) {
    struct values values = values_of(at, "k");
    assert_true(values.count == 2 && values_have(&values, "older") && values_have(&values, "newer"));
  }
  replica_put(world, 0, "k", "of who has seen both");
  settle();
  for (uint32_t at = 0; at < 2; at++)
    assert_int_equal(values_of(at, "k").count, 1);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_value_is_taken_where_there_is_none_and_nothing_is_in_conflict),
      cmocka_unit_test(the_newer_of_two_is_read_wherever_it_was_written),
      cmocka_unit_test(of_two_of_one_time_the_greater_writer_s_is_read),
      cmocka_unit_test(a_tie_is_decided_by_the_writers_and_not_by_who_passes_it_on),
      cmocka_unit_test(a_later_delete_wins_over_a_put_and_a_later_put_over_a_delete),
      cmocka_unit_test(who_has_seen_a_value_replaces_it_whatever_the_clocks_say),
      cmocka_unit_test(keep_local_keeps_the_local_value_everywhere),
      cmocka_unit_test(keep_remote_gives_way_to_the_other_value_everywhere),
      cmocka_unit_test(who_keep_different_values_agree_in_the_end),
      cmocka_unit_test(manual_keeps_both_values_until_somebody_decides),
      cmocka_unit_test(the_value_that_lost_is_kept_until_it_is_replaced),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
