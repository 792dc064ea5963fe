/* Conflicts: which are listed, how they read by each policy, tokens, resolving, merge callbacks. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/merges.h"
#include "tests/support/replica.h"

static struct replicas *world;

static const struct sync_policy manual = {.kind = SYNC_MANUAL};
static const struct sync_policy united = {.kind = SYNC_MERGE, .merge = merge_union};

static struct sync_engine *engine_of(uint32_t index) {
  return world->at[index].engine;
}

/* Each of the first `count` replicas puts its own value, unseen by the others; then all meet. */
static void conflict_over(const char *key, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    char value[16];
    (void)snprintf(value, sizeof value, "v%u", i);
    replica_put(world, i, key, value);
  }
  (void)replicas_settle(world, 400);
}

static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t a = 0; a < count; a++)
    for (uint32_t b = a + 1; b < count; b++)
      replicas_link(world, a, b);
  (void)replicas_settle(world, 400);
}

static void end(void) {
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static struct sync_sibling read_of(uint32_t index, const char *key) {
  struct sync_sibling given;
  assert_int_equal(sync_get(engine_of(index), key, strlen(key), &given), SYNC_OK);
  return given;
}

static struct sync_conflict listed(uint32_t index, const char *key) {
  struct sync_conflict conflict;
  assert_int_equal(sync_conflict(engine_of(index), key, strlen(key), &conflict), SYNC_OK);
  return conflict;
}

static int resolve(uint32_t index, const struct sync_token *token, const char *key, const char *value) {
  struct sync_change change = {
      .kind = SYNC_PUT, .key = key, .key_size = strlen(key), .value = value, .value_size = strlen(value)};
  return sync_resolve(engine_of(index), token, &change, NULL);
}

static int resolve_by_delete(uint32_t index, const struct sync_token *token, const char *key) {
  struct sync_change change = {.kind = SYNC_DELETE, .key = key, .key_size = strlen(key)};
  return sync_resolve(engine_of(index), token, &change, NULL);
}

/* --- Listing ------------------------------------------------------------------------------ */

struct names {
  char of[16][8];
  size_t count;
};

static int take_name(void *arg, const struct sync_conflict *conflict) {
  struct names *names = arg;
  assert_true(names->count < 16 && conflict->key_size < 8);
  memcpy(names->of[names->count++], conflict->key, conflict->key_size);
  return names->count == 2 ? 5 : 0;
}

static void keys_in_conflict_are_listed_in_order_and_from_a_start(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 0, "quiet", "1");
  conflict_over("b", 2);
  conflict_over("a", 2);
  conflict_over("c", 2);
  struct names names = {.count = 0};
  assert_int_equal(sync_conflicts(engine_of(0), NULL, 0, take_name, &names), 5);
  assert_string_equal(names.of[0], "a");
  assert_string_equal(names.of[1], "b");
  memset(&names, 0, sizeof names);
  assert_int_equal(sync_conflicts(engine_of(1), "b\0", 2, take_name, &names), SYNC_OK);
  assert_int_equal(names.count, 1);
  assert_string_equal(names.of[0], "c");
  assert_int_equal(replica_stats(world, 0).conflicts, 3);
  end();
}

static void deletes_alone_are_no_conflict_and_a_value_beside_one_is(void **state) {
  (void)state;
  begin(3);
  replica_put(world, 0, "k", "old");
  (void)replicas_settle(world, 400);
  replica_delete(world, 0, "k");
  replica_delete(world, 1, "k");
  (void)replica_collect(world, 2);
  replicas_drop_all(world);
  replica_flush(world, 0);
  replica_flush(world, 1);
  replicas_settle_for(world, UINT64_C(12000000000));
  assert_int_equal(replica_stats(world, 0).conflicts, 0);
  assert_true(replicas_agree(world));
  replica_delete(world, 0, "k");
  replica_put(world, 2, "k", "new");
  (void)replicas_settle(world, 400);
  assert_int_equal(replica_stats(world, 0).conflicts, 1);
  end();
}

static void conflicts_are_listed_again_after_an_open_from_log_and_snapshot(void **state) {
  (void)state;
  begin(2);
  conflict_over("a", 2);
  replica_snapshot(world, 0);
  conflict_over("b", 2);
  struct sync_token before = listed(0, "a").token;
  replica_flush(world, 0);
  replica_close(world, 0);
  replica_open(world, 0);
  assert_int_equal(replica_stats(world, 0).conflicts, 2);
  assert_memory_equal(listed(0, "a").token.bytes, before.bytes, sizeof before.bytes);
  assert_memory_equal(listed(1, "a").token.bytes, before.bytes, sizeof before.bytes);
  end();
}

static void a_merged_snapshot_brings_conflicts_and_takes_resolved_ones_away(void **state) {
  (void)state;
  replicas_init(world, 3);
  for (uint32_t i = 0; i < 3; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256;
    world->at[i].options.segment_bytes = 4096;
    world->at[i].options.snapshot_bytes = UINT64_MAX;
    world->at[i].options.retain_bytes = 1;
    replica_open(world, i);
  }
  replicas_link(world, 0, 1);
  replicas_link(world, 0, 2);
  (void)replicas_settle(world, 400);
  conflict_over("taken", 2);
  conflict_over("stays", 2);
  assert_int_equal(replica_stats(world, 2).conflicts, 2);
  replica_put(world, 2, "met", "2");
  replica_delete(world, 2, "gone");
  replica_flush(world, 2);
  replica_close(world, 2);
  replica_delete(world, 0, "gone");
  replica_put(world, 0, "taken", "resolved");
  replica_put(world, 0, "met", "0");
  conflict_over("brought", 2);
  replica_put_many(world, 0, 0, 200, "something that fills the log, so that it is cut behind the snapshot");
  replica_snapshot(world, 0);
  replica_open(world, 2);
  replicas_settle_for(world, UINT64_C(60000000000));
  assert_int_equal(replica_stats(world, 2).merges, 1);
  assert_int_equal(replica_stats(world, 2).conflicts, 3); /* all but `taken` */
  end();
}

static void what_could_not_be_applied_is_not_listed(void **state) {
  (void)state;
  const struct sync_policy keep = {.kind = SYNC_KEEP_LOCAL};
  uint64_t k = 1;
  for (; k < 100; k++) {
    begin(2);
    assert_int_equal(sync_policy_set(engine_of(0), NULL, 0, &keep), SYNC_OK);
    replica_put(world, 0, "a", "0");
    replica_put(world, 0, "b", "0");
    replica_flush(world, 0);
    struct sync_change both[] = {{.kind = SYNC_PUT, .key = "a", .key_size = 1, .value = "1", .value_size = 1},
                                 {.kind = SYNC_PUT, .key = "b", .key_size = 1, .value = "2", .value_size = 1}};
    assert_int_equal(sync_write(engine_of(1), both, 2, NULL), SYNC_OK);
    replica_flush(world, 1);
    replicas_drop_all(world);
    assert_true(replica_collect(world, 1) > 0);
    struct replica *replica = &world->at[0];
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int rc = replicas_deliver(world, 0, false);
    replica->memory.fail_alloc_at = 0;
    assert_int_equal(replica_stats(world, 0).conflicts, rc == SYNC_OK ? 2 : 0);
    assert_true(replica_conflicts_true(world, 0));
    replicas_settle_for(world, UINT64_C(20000000000));
    assert_true(replica_reads(world, 1, "a", "0") && replica_reads(world, 1, "b", "0"));
    end();
    if (rc == SYNC_OK) break;
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
  }
  assert_true(k > 6 && k < 100);
}

/* --- Tokens ---------------------------------------------------------------------------------- */

static void resolving_replaces_what_the_token_names_everywhere(void **state) {
  (void)state;
  begin(3);
  conflict_over("k", 3);
  struct sync_conflict conflict = listed(1, "k");
  assert_int_equal(conflict.siblings, 3);
  assert_int_equal(resolve(1, &conflict.token, "k", "agreed"), SYNC_OK);
  (void)replicas_settle(world, 400);
  for (uint32_t i = 0; i < 3; i++) {
    assert_true(replica_reads(world, i, "k", "agreed"));
    assert_int_equal(replica_stats(world, i).conflicts, 0);
  }
  end();
}

static void what_the_caller_never_saw_is_not_replaced(void **state) {
  (void)state;
  begin(3);
  conflict_over("k", 2);
  struct sync_token token = listed(0, "k").token;
  uint64_t position = sync_appended_position(engine_of(0));
  replica_put(world, 2, "k", "later");
  replicas_drop_all(world);
  struct sync_token other = listed(0, "k").token;
  assert_memory_equal(token.bytes, other.bytes, sizeof token.bytes);
  (void)replicas_settle(world, 400);
  /* n2 had seen both: its write is the only one. */
  assert_int_equal(resolve(0, &token, "k", "blind"), SYNC_E_STALE);
  conflict_over("k", 2);
  assert_int_equal(resolve(0, &token, "k", "blind"), SYNC_E_STALE);
  position = sync_appended_position(engine_of(0));
  struct sync_conflict now = listed(0, "k");
  token = now.token;
  token.bytes[15] ^= 1;
  assert_int_equal(resolve(0, &token, "k", "blind"), SYNC_E_STALE);
  assert_int_equal(resolve(0, &now.token, "absent", "blind"), SYNC_E_STALE);
  assert_int_equal(sync_appended_position(engine_of(0)), position);
  assert_int_equal(resolve_by_delete(0, &now.token, "k"), SYNC_OK);
  assert_true(replica_reads(world, 0, "k", NULL));
  (void)replicas_settle(world, 400);
  end();
}

static void a_token_is_of_one_key_alone(void **state) {
  (void)state;
  begin(2);
  for (uint32_t i = 0; i < 2; i++) {
    struct sync_change both[] = {{.kind = SYNC_PUT, .key = "a", .key_size = 1, .value = "1", .value_size = 1},
                                 {.kind = SYNC_PUT, .key = "b", .key_size = 1, .value = "2", .value_size = 1}};
    assert_int_equal(sync_write(engine_of(i), both, 2, NULL), SYNC_OK);
  }
  (void)replicas_settle(world, 400);
  struct sync_token token = listed(0, "a").token;
  assert_int_equal(resolve(0, &token, "b", "wrong"), SYNC_E_STALE);
  end();
}

static void two_who_resolve_at_once_make_a_conflict_again(void **state) {
  (void)state;
  begin(2);
  conflict_over("k", 2);
  for (uint32_t i = 0; i < 2; i++) {
    struct sync_token token = listed(i, "k").token;
    assert_int_equal(resolve(i, &token, "k", i == 0 ? "mine" : "yours"), SYNC_OK);
  }
  (void)replicas_settle(world, 400);
  assert_int_equal(listed(0, "k").siblings, 2);
  assert_false(listed(0, "k").settled);
  end();
}

/* --- Reading by policy ----------------------------------------------------------------------- */

static void the_longest_prefix_with_a_policy_decides(void **state) {
  (void)state;
  begin(1);
  struct sync_engine *engine = engine_of(0);
  struct sync_policy keep = {.kind = SYNC_KEEP_LOCAL};
  assert_int_equal(sync_policy_of(engine, "doc/1", 5).kind, SYNC_LAST_WRITE_WINS);
  assert_int_equal(sync_policy_set(engine, "doc/", 4, &manual), SYNC_OK);
  assert_int_equal(sync_policy_set(engine, "doc/tags/", 9, &united), SYNC_OK);
  assert_int_equal(sync_policy_set(engine, "", 0, &keep), SYNC_OK);
  assert_int_equal(sync_policy_of(engine, "doc/1", 5).kind, SYNC_MANUAL);
  assert_int_equal(sync_policy_of(engine, "doc/tags/1", 10).kind, SYNC_MERGE);
  assert_int_equal(sync_policy_of(engine, "doc", 3).kind, SYNC_KEEP_LOCAL);
  assert_int_equal(sync_policy_set(engine, "doc/", 4, NULL), SYNC_OK);
  assert_int_equal(sync_policy_of(engine, "doc/1", 5).kind, SYNC_KEEP_LOCAL);
  assert_int_equal(sync_policy_of(engine, "doc/tags/1", 10).kind, SYNC_MERGE);
  assert_int_equal(sync_policy_set(engine, NULL, 0, NULL), SYNC_OK);
  assert_int_equal(sync_policy_of(engine, "doc/1", 5).kind, SYNC_LAST_WRITE_WINS);
  end();
}

static void policies_that_are_none_are_refused(void **state) {
  (void)state;
  begin(1);
  struct sync_engine *engine = engine_of(0);
  struct sync_policy bare = {.kind = SYNC_MERGE};
  struct sync_policy unknown = {.kind = (enum sync_policy_kind)9};
  char prefix[16];
  assert_int_equal(sync_policy_set(engine, "a", 1, &bare), SYNC_E_INVALID);
  assert_int_equal(sync_policy_set(engine, "a", 1, &unknown), SYNC_E_INVALID);
  assert_int_equal(sync_policy_set(engine, NULL, 1, &manual), SYNC_E_INVALID);
  char *longer = calloc(1, SYNC_KEY_BYTES_MAX + 1);
  assert_int_equal(sync_policy_set(engine, longer, SYNC_KEY_BYTES_MAX + 1, &manual), SYNC_E_TOO_BIG);
  free(longer);
  for (unsigned i = 0; i < SYNC_PREFIX_POLICIES_MAX; i++) {
    (void)snprintf(prefix, sizeof prefix, "p%u", i);
    assert_int_equal(sync_policy_set(engine, prefix, strlen(prefix), &manual), SYNC_OK);
  }
  assert_int_equal(sync_policy_set(engine, "q", 1, &manual), SYNC_E_TOO_MANY);
  assert_int_equal(sync_policy_set(engine, "p3", 2, &united), SYNC_OK);
  struct sync_prefix_policy twice[] = {{"a", 1, {.kind = SYNC_MANUAL}}, {"a", 1, {.kind = SYNC_KEEP_LOCAL}}};
  replica_close(world, 0);
  struct replica *replica = &world->at[0];
  replica->options.prefix_policies = twice;
  replica->options.prefix_policy_count = 2;
  assert_int_equal(sync_open(&replica->engine, &replica->memory.env, &replica->options, NULL), SYNC_E_INVALID);
  assert_int_equal(replica->memory.blocks, 0);
  replica->options.prefix_policy_count = 1;
  replica_open(world, 0);
  assert_int_equal(sync_policy_of(engine_of(0), "a1", 2).kind, SYNC_MANUAL);
  end();
}

static void a_manual_conflict_reads_as_the_latest_write_and_says_so(void **state) {
  (void)state;
  begin(2);
  assert_int_equal(sync_policy_set(engine_of(0), NULL, 0, &manual), SYNC_OK);
  conflict_over("k", 2);
  struct sync_sibling given = read_of(0, "k");
  assert_true(given.conflict && !given.merged);
  assert_memory_equal(given.value, "v1", 2);
  assert_int_equal(listed(0, "k").policy, SYNC_MANUAL);
  assert_int_equal(listed(1, "k").policy, SYNC_LAST_WRITE_WINS);
  replica_put(world, 0, "k", "after");
  assert_false(read_of(0, "k").conflict);
  (void)replicas_settle(world, 400);
  end();
}

static int expect_merged(void *arg, const void *key, size_t key_size, const struct sync_sibling *given) {
  (void)key;
  assert_int_equal(key_size, 1);
  assert_true(given->merged && given->conflict && !given->tombstone);
  assert_int_equal(given->value_size, 4);
  assert_memory_equal(given->value, "012v", 4);
  ++*(int *)arg;
  return 0;
}

static void a_merged_key_reads_as_all_its_values_whatever_the_order(void **state) {
  (void)state;
  begin(3);
  assert_int_equal(sync_policy_set(engine_of(0), NULL, 0, &united), SYNC_OK);
  conflict_over("k", 3);
  struct sync_sibling given = read_of(0, "k");
  assert_true(given.merged && given.conflict);
  assert_int_equal(given.value_size, 4);
  assert_memory_equal(given.value, "012v", 4);
  int seen = 0;
  assert_int_equal(sync_iterate(engine_of(0), "k", 1, NULL, 0, false, expect_merged, &seen), SYNC_OK);
  assert_int_equal(seen, 1);
  assert_memory_equal(read_of(1, "k").value, "v2", 2); /* last write wins there */
  end();
}

static void a_delete_beside_values_does_not_count_in_a_merge(void **state) {
  (void)state;
  begin(3);
  assert_int_equal(sync_policy_set(engine_of(0), NULL, 0, &united), SYNC_OK);
  replica_put(world, 0, "k", "x");
  replica_put(world, 1, "k", "y");
  world->at[2].memory.wall_ns += 1000;
  replica_delete(world, 2, "k");
  (void)replicas_settle(world, 400);
  assert_true(replica_reads(world, 0, "k", "xy"));
  assert_true(replica_reads(world, 1, "k", NULL));
  /* With one value there is nothing to merge. */
  replica_put(world, 0, "one", "xx");
  replica_delete(world, 2, "one");
  (void)replicas_settle(world, 400);
  assert_true(replica_reads(world, 0, "one", "xx"));
  assert_true(replica_reads(world, 1, "one", NULL));
  end();
}

static int count_unmerged(void *arg, const void *key, size_t key_size, const struct sync_sibling *given) {
  (void)key;
  (void)key_size;
  *(int *)arg += given->unmerged && given->value_size == 2;
  return 0;
}

static void a_merge_that_fails_is_named_and_holds_up_no_iteration(void **state) {
  (void)state;
  begin(2);
  const struct sync_policy fails = {.kind = SYNC_MERGE, .merge = merge_fails};
  const struct sync_policy grows = {.kind = SYNC_MERGE, .merge = merge_grows};
  assert_int_equal(sync_policy_set(engine_of(0), NULL, 0, &fails), SYNC_OK);
  conflict_over("a", 2);
  conflict_over("b", 2);
  struct sync_sibling given;
  assert_int_equal(sync_get(engine_of(0), "a", 1, &given), SYNC_E_MERGE);
  assert_true(given.unmerged && given.conflict && !given.merged);
  assert_memory_equal(given.value, "v1", 2);
  int unmerged = 0;
  assert_int_equal(sync_iterate(engine_of(0), NULL, 0, NULL, 0, false, count_unmerged, &unmerged), SYNC_OK);
  assert_int_equal(unmerged, 2);
  assert_int_equal(sync_policy_set(engine_of(0), NULL, 0, &grows), SYNC_OK);
  assert_int_equal(sync_get(engine_of(0), "a", 1, &given), SYNC_E_TOO_BIG);
  end();
}

static void reading_a_merge_takes_no_memory(void **state) {
  (void)state;
  begin(3);
  assert_int_equal(sync_policy_set(engine_of(0), NULL, 0, &united), SYNC_OK);
  conflict_over("k", 3);
  uint64_t allocs = world->at[0].memory.allocs;
  assert_true(replica_reads(world, 0, "k", "012v"));
  assert_true(world->at[0].memory.allocs == allocs);
  end();
}

static void setting_a_policy_without_memory_changes_nothing(void **state) {
  (void)state;
  uint64_t k = 1;
  const struct sync_policy keep = {.kind = SYNC_KEEP_LOCAL};
  for (; k < 20; k++) {
    begin(3);
    conflict_over("k", 2);
    struct replica *replica = &world->at[2];
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int first = sync_policy_set(replica->engine, "k", 1, &keep);
    int second = first == SYNC_OK ? sync_policy_set(replica->engine, "m", 1, &united) : SYNC_OK;
    replica->memory.fail_alloc_at = 0;
    assert_int_equal(sync_policy_of(replica->engine, "k", 1).kind,
                     first == SYNC_OK ? SYNC_KEEP_LOCAL : SYNC_LAST_WRITE_WINS);
    assert_int_equal(sync_policy_of(replica->engine, "m", 1).kind,
                     first == SYNC_OK && second == SYNC_OK ? SYNC_MERGE : SYNC_LAST_WRITE_WINS);
    assert_int_equal(sync_policy_set(replica->engine, "k", 1, &keep), SYNC_OK);
    assert_int_equal(sync_policy_set(replica->engine, "m", 1, &united), SYNC_OK);
    end();
    if (first == SYNC_OK && second == SYNC_OK) break;
    assert_true(first == SYNC_E_NO_MEMORY || second == SYNC_E_NO_MEMORY);
  }
  assert_true(k > 3 && k < 20);
}

static void an_open_with_policies_without_memory_is_none_and_leaks_nothing(void **state) {
  (void)state;
  struct sync_prefix_policy policies[] = {{"a", 1, {.kind = SYNC_KEEP_LOCAL}},
                                          {"b", 1, {.kind = SYNC_MERGE, .merge = merge_union}}};
  begin(2);
  conflict_over("a", 2);
  replica_flush(world, 0);
  replica_close(world, 0);
  struct replica *replica = &world->at[0];
  replica->options.prefix_policies = policies;
  replica->options.prefix_policy_count = 2;
  uint64_t k = 1;
  for (; k < 200; k++) {
    replica->memory.fail_alloc_at = replica->memory.allocs + k;
    int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, NULL);
    replica->memory.fail_alloc_at = 0;
    if (rc == SYNC_OK) break;
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
    assert_null(replica->engine);
    assert_int_equal(replica->memory.blocks, 0);
    memory_env_process_crash(&replica->memory);
  }
  assert_true(k > 8 && k < 200);
  assert_int_equal(sync_policy_of(engine_of(0), "a", 1).kind, SYNC_KEEP_LOCAL);
  assert_int_equal(sync_policy_of(engine_of(0), "b", 1).kind, SYNC_MERGE);
  replicas_settle_for(world, UINT64_C(20000000000));
  assert_int_equal(replica_stats(world, 0).resolved, 1);
  assert_true(replica_reads(world, 1, "a", "v0"));
  end();
}

/* --- Callbacks ---------------------------------------------------------------------------------- */

static int check_merge(sync_merge *merge, size_t count) {
  static const struct sync_merge_value values[] = {{"ab", 2}, {"c", 1}, {"bcd", 3}, {"b", 1}, {"zz", 2}};
  uint8_t scratch[2 * 64];
  struct sync_policy policy = {.kind = SYNC_MERGE, .merge = merge};
  return sync_merge_check(&policy, "k", 1, values, count, scratch, 64);
}

static void merge_callbacks_that_go_by_order_are_found(void **state) {
  (void)state;
  for (size_t count = 2; count <= 5; count++) {
    assert_int_equal(check_merge(merge_union, count), SYNC_OK);
    assert_int_equal(check_merge(merge_longest, count), SYNC_OK);
    assert_int_equal(check_merge(merge_first, count), SYNC_E_MERGE);
    assert_int_equal(check_merge(merge_joined, count), SYNC_E_MERGE);
    assert_int_equal(check_merge(merge_counts, count), SYNC_E_MERGE);
    assert_int_equal(check_merge(merge_author, count), SYNC_E_MERGE);
    assert_int_equal(check_merge(merge_fails, count), SYNC_E_MERGE);
    assert_int_equal(check_merge(merge_grows, count), SYNC_E_TOO_BIG);
  }
  assert_int_equal(check_merge(NULL, 2), SYNC_E_INVALID);
  assert_int_equal(check_merge(merge_union, 1), SYNC_E_INVALID);
  assert_int_equal(check_merge(merge_union, 6), SYNC_E_INVALID);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_in_conflict_are_listed_in_order_and_from_a_start),
      cmocka_unit_test(deletes_alone_are_no_conflict_and_a_value_beside_one_is),
      cmocka_unit_test(conflicts_are_listed_again_after_an_open_from_log_and_snapshot),
      cmocka_unit_test(a_merged_snapshot_brings_conflicts_and_takes_resolved_ones_away),
      cmocka_unit_test(what_could_not_be_applied_is_not_listed),
      cmocka_unit_test(resolving_replaces_what_the_token_names_everywhere),
      cmocka_unit_test(what_the_caller_never_saw_is_not_replaced),
      cmocka_unit_test(a_token_is_of_one_key_alone),
      cmocka_unit_test(two_who_resolve_at_once_make_a_conflict_again),
      cmocka_unit_test(the_longest_prefix_with_a_policy_decides),
      cmocka_unit_test(policies_that_are_none_are_refused),
      cmocka_unit_test(a_manual_conflict_reads_as_the_latest_write_and_says_so),
      cmocka_unit_test(a_merged_key_reads_as_all_its_values_whatever_the_order),
      cmocka_unit_test(a_delete_beside_values_does_not_count_in_a_merge),
      cmocka_unit_test(a_merge_that_fails_is_named_and_holds_up_no_iteration),
      cmocka_unit_test(reading_a_merge_takes_no_memory),
      cmocka_unit_test(setting_a_policy_without_memory_changes_nothing),
      cmocka_unit_test(an_open_with_policies_without_memory_is_none_and_leaks_nothing),
      cmocka_unit_test(merge_callbacks_that_go_by_order_are_found),
  };
  int failed = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return failed;
}
