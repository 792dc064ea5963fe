/* Keep local and keep remote: what a node resolves by itself, when, and that it ends. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/replica.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

static struct replicas *world;

static const struct sync_policy last = {.kind = SYNC_LAST_WRITE_WINS};
static const struct sync_policy local = {.kind = SYNC_KEEP_LOCAL};
static const struct sync_policy remote = {.kind = SYNC_KEEP_REMOTE};

static void policy(uint32_t index, const struct sync_policy *set) {
  assert_int_equal(sync_policy_set(world->at[index].engine, NULL, 0, set), SYNC_OK);
  world->at[index].options.conflict_policy = *set; /* for the next open */
}

/* Replicas that know each other, with these policies; NULL ends them. */
static void begin(const struct sync_policy *const *policies) {
  uint32_t count = 0;
  while (policies[count] != NULL)
    count++;
  replicas_init(world, count);
  for (uint32_t a = 0; a < count; a++) {
    policy(a, policies[a]);
    for (uint32_t b = a + 1; b < count; b++)
      replicas_link(world, a, b);
  }
  (void)replicas_settle(world, 400);
}

static void end(void) {
  replicas_settle_for(world, SECOND);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* Puts that nobody has seen of the other, the later one at the higher index. */
static void conflict_over(const char *key) {
  for (uint32_t i = 0; i < world->count; i++) {
    char value[16];
    (void)snprintf(value, sizeof value, "v%u", i);
    world->at[i].memory.wall_ns += i * 1000;
    replica_put(world, i, key, value);
  }
}

static uint64_t resolved_by_all(void) {
  uint64_t resolved = 0;
  for (uint32_t i = 0; i < world->count; i++)
    resolved += replica_stats(world, i).resolved;
  return resolved;
}

static bool all_read(const char *key, const char *value) {
  for (uint32_t i = 0; i < world->count; i++)
    if (!replica_reads(world, i, key, value)) return false;
  return true;
}

static int count_automatic(void *arg, const struct sync_sibling *sibling) {
  unsigned *counts = arg;
  counts[0]++;
  counts[1] += sibling->automatic;
  return 0;
}

/* So many siblings, and so many of them that a policy wrote. */
static void expect_siblings(uint32_t index, const char *key, unsigned siblings, unsigned automatic) {
  unsigned counts[2] = {0, 0};
  (void)sync_siblings(world->at[index].engine, key, strlen(key), count_automatic, counts);
  assert_int_equal(counts[0], siblings);
  assert_int_equal(counts[1], automatic);
}

static void the_node_that_keeps_its_own_is_followed_by_those_that_do_not(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&local, &last, &last, NULL});
  conflict_over("k");
  replicas_settle_for(world, SECOND);
  assert_true(all_read("k", "v0"));
  expect_siblings(2, "k", 1, 1);
  assert_int_equal(resolved_by_all(), 1);
  assert_int_equal(replica_stats(world, 0).conflicts, 0);
  end();
}

static void the_node_that_keeps_the_others_gives_up_its_own(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&last, &last, &remote, NULL});
  conflict_over("k");
  replicas_settle_for(world, SECOND);
  assert_true(all_read("k", "v1")); /* the greatest of the others, though v2 was the latest */
  expect_siblings(0, "k", 1, 1);
  end();
}

static void two_that_keep_their_own_are_settled_by_the_winner_rule(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&local, &local, NULL});
  conflict_over("k");
  replicas_settle_for(world, 10 * SECOND);
  assert_true(all_read("k", "v1"));
  expect_siblings(0, "k", 2, 2);
  assert_int_equal(resolved_by_all(), 2);
  struct sync_conflict conflict;
  assert_int_equal(sync_conflict(world->at[0].engine, "k", 1, &conflict), SYNC_OK);
  assert_true(conflict.settled);
  end();
}

static void one_that_keeps_its_own_and_one_that_keeps_the_others_agree(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&local, &remote, NULL});
  conflict_over("k");
  replicas_settle_for(world, 10 * SECOND);
  assert_true(all_read("k", "v0"));
  end();
}

static void a_delete_is_kept_as_a_value_is(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&local, &last, NULL});
  replica_put(world, 0, "k", "old");
  replicas_settle_for(world, SECOND);
  replica_delete(world, 0, "k");
  replica_put(world, 1, "k", "new");
  replicas_settle_for(world, SECOND);
  assert_true(all_read("k", NULL));
  expect_siblings(1, "k", 1, 1);
  end();
}

static void who_wrote_nothing_of_it_resolves_nothing(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&last, &last, &local, NULL});
  replica_put(world, 0, "k", "a");
  replica_put(world, 1, "k", "b");
  replicas_settle_for(world, SECOND);
  assert_int_equal(resolved_by_all(), 0);
  expect_siblings(2, "k", 2, 0);
  end();
}

/* Trace 6: its author resolves it in whatever run. */
static void a_conflict_is_resolved_after_a_crash_by_the_next_run(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&local, &last, NULL});
  conflict_over("k");
  (void)replicas_settle(world, 400); /* no tick so far */
  expect_siblings(0, "k", 2, 0);
  replica_crash(world, 0, MEMORY_ENV_KEEP_ALL, 1);
  replica_open(world, 0);
  assert_int_equal(sync_next_deadline(world->at[0].engine), 0);
  replicas_settle_for(world, 20 * SECOND);
  assert_true(all_read("k", "v0"));
  expect_siblings(1, "k", 1, 1);
  end();
}

static void a_policy_that_changes_is_acted_upon_at_once(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&last, &last, NULL});
  conflict_over("k");
  conflict_over("prefix/k");
  replicas_settle_for(world, SECOND);
  assert_int_equal(sync_policy_set(world->at[0].engine, "prefix/", 7, &local), SYNC_OK);
  replicas_settle_for(world, SECOND);
  assert_true(all_read("prefix/k", "v0"));
  expect_siblings(0, "k", 2, 0);
  policy(1, &remote);
  replicas_settle_for(world, SECOND);
  assert_true(all_read("k", "v0"));
  assert_int_equal(resolved_by_all(), 2);
  end();
}

static void many_conflicts_are_few_operations_in_bounded_turns(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&local, &last, NULL});
  replica_put_many(world, 0, 0, 200, "mine");
  replica_put_many(world, 1, 0, 200, "theirs");
  while (world->frame_count > 0 || replica_stats(world, 0).conflicts < 200) {
    (void)replicas_settle(world, 400);
    if (replica_stats(world, 0).own_writes > 0) fail();
    for (uint32_t i = 0; i < 2; i++)
      world->at[i].memory.mono_ns += 100 * MS;
    if (replica_stats(world, 0).conflicts < 200) assert_int_equal(sync_tick(world->at[1].engine, NULL), SYNC_OK);
  }
  assert_int_equal(sync_tick(world->at[0].engine, NULL), SYNC_OK);
  assert_int_equal(replica_stats(world, 0).own_writes, 1);
  assert_int_equal(replica_stats(world, 0).resolved, 64);
  replicas_settle_for(world, SECOND);
  assert_int_equal(replica_stats(world, 0).own_writes, 4);
  assert_int_equal(replica_stats(world, 0).resolved, 200);
  assert_true(all_read("key-150", "mine"));
  end();
}

static void values_that_fill_a_frame_are_resolved_one_by_one(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&local, &last, NULL});
  static char large[60000];
  memset(large, 'x', sizeof large - 1);
  for (uint32_t i = 0; i < 2; i++) {
    large[0] = (char)('0' + i);
    replica_put(world, i, "a", large);
    replica_put(world, i, "b", large);
    replica_put(world, i, "c", large);
  }
  replicas_settle_for(world, SECOND);
  assert_int_equal(replica_stats(world, 0).own_writes, 3);
  large[0] = '0';
  assert_true(all_read("c", large));
  end();
}

static void without_memory_it_is_tried_again_and_nothing_is_half_done(void **state) {
  (void)state;
  uint64_t k = 1;
  for (; k < 60; k++) {
    begin((const struct sync_policy *[]){&local, &last, NULL});
    replica_flush(world, 0);
    replica_close(world, 0); /* the resolution begins a life */
    replica_open(world, 0);
    replica_put(world, 1, "k", "theirs");
    replica_put(world, 0, "k", "mine");
    (void)replicas_settle(world, 400);
    replica_close(world, 0);
    replica_open(world, 0);
    struct replica *replica = &world->at[0];
    struct sync_digest before, after;
    sync_digest_get(replica->engine, &before);
    if (before.siblings != 2) { /* it has not heard of the other yet */
      replicas_settle_for(world, 12 * SECOND);
      assert_int_equal(replica_stats(world, 0).resolved, 1);
      end();
      continue;
    }
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    assert_int_equal(sync_tick(replica->engine, NULL), SYNC_OK);
    bool failed = replica->memory.allocs < replica->memory.fail_alloc_at;
    replica->memory.fail_alloc_at = 0;
    sync_digest_get(replica->engine, &after);
    if (after.siblings == 2) assert_true(after.state == before.state && after.vector == before.vector);
    replicas_settle_for(world, 12 * SECOND);
    assert_true(all_read("k", "mine"));
    assert_int_equal(replica_stats(world, 0).resolved, 1);
    end();
    if (failed) break;
  }
  assert_true(k > 4 && k < 60);
}

static void a_full_disk_waits_and_the_conflict_is_resolved_when_there_is_room(void **state) {
  (void)state;
  begin((const struct sync_policy *[]){&local, &last, NULL});
  conflict_over("k");
  (void)replicas_settle(world, 400);
  struct replica *replica = &world->at[0];
  replica->memory.fail_status = SYNC_E_NO_SPACE;
  replica->memory.fail_writes_from = replica->memory.writes + 1;
  replica_put(world, 0, "other", "1");
  assert_int_equal(sync_flush(replica->engine), SYNC_E_NO_SPACE);
  assert_int_equal(sync_tick(replica->engine, NULL), SYNC_OK);
  assert_int_equal(replica_stats(world, 0).own_writes, 0);
  replica->memory.fail_writes_from = 0;
  replicas_settle_for(world, 20 * SECOND);
  assert_int_equal(replica_stats(world, 0).own_writes, 1);
  assert_true(all_read("k", "v0"));
  end();
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_node_that_keeps_its_own_is_followed_by_those_that_do_not),
      cmocka_unit_test(the_node_that_keeps_the_others_gives_up_its_own),
      cmocka_unit_test(two_that_keep_their_own_are_settled_by_the_winner_rule),
      cmocka_unit_test(one_that_keeps_its_own_and_one_that_keeps_the_others_agree),
      cmocka_unit_test(a_delete_is_kept_as_a_value_is),
      cmocka_unit_test(who_wrote_nothing_of_it_resolves_nothing),
      cmocka_unit_test(a_conflict_is_resolved_after_a_crash_by_the_next_run),
      cmocka_unit_test(a_policy_that_changes_is_acted_upon_at_once),
      cmocka_unit_test(many_conflicts_are_few_operations_in_bounded_turns),
      cmocka_unit_test(values_that_fill_a_frame_are_resolved_one_by_one),
      cmocka_unit_test(without_memory_it_is_tried_again_and_nothing_is_half_done),
      cmocka_unit_test(a_full_disk_waits_and_the_conflict_is_resolved_when_there_is_room),
  };
  int failed = cmocka_run_group_tests_name("keep", tests, NULL, NULL);
  free(world);
  return failed;
}
