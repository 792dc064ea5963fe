/* The store: order, siblings, sweeps, accounting, digest. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/state/store.h"
#include "tests/support/memory_env.h"

static struct memory_env memory;
static struct origins origins;
static struct store store;
static struct origin *alice, *bob;

static struct origin *add_origin(const char *id, uint64_t incarnation) {
  assert_int_equal(origins_reserve(&origins), SYNC_OK);
  return origins_add(&origins, (const uint8_t *)id, strlen(id), incarnation);
}

static void begin(void) {
  memory_env_init(&memory);
  origins_init(&origins, &memory.env, "alice");
  store_init(&store, &memory.env);
  bob = add_origin("bob", 2);
  alice = add_origin("alice", 9);
}

static void end(void) {
  store_deinit(&store);
  origins_deinit(&origins);
  assert_int_equal(memory.blocks, 0);
  assert_int_equal(memory.nominal_bytes, 0);
  memory_env_destroy(&memory);
}

static void check_digest(void) {
  uint64_t digest, keys, siblings;
  store_recompute(&store, &digest, &keys, &siblings);
  assert_true(digest == store.digest && keys == store.keys && siblings == store.siblings);
}

static void apply(uint8_t kind, const char *key, const char *value, struct origin *origin, uint64_t seq, uint64_t hlc,
                  const struct store_dot *seen, size_t seen_count) {
  struct operation_change_view change = {.kind = kind,
                                         .key = (const uint8_t *)key,
                                         .key_size = strlen(key),
                                         .value = (const uint8_t *)value,
                                         .value_size = kind == SYNC_PUT ? strlen(value) : 0,
                                         .seen_count = seen_count};
  struct store_plan plan;
  uint64_t before = store.bytes;
  assert_int_equal(store_plan_change(&store, &change, seen, hlc, &plan), SYNC_OK);
  uint64_t expected = before + plan.bytes_added - plan.bytes_removed;
  store_plan_commit(&store, &plan, origin, seq, seen, seen_count);
  assert_int_equal(store.bytes, expected);
  check_digest();
}

static const struct store_key *find(const char *key) {
  return store_find(&store, (const uint8_t *)key, strlen(key));
}

static struct store_key *at_or_above(const char *key) {
  struct btree_cursor cursor = store_lower_bound(&store, (const uint8_t *)key, strlen(key));
  return btree_key(&cursor);
}

static void siblings_stand_in_dot_order_and_the_winner_is_the_greatest(void **state) {
  (void)state;
  begin();
  apply(SYNC_PUT, "k", "b1", bob, 1, 50, NULL, 0);
  apply(SYNC_PUT, "k", "a2", alice, 2, 50, NULL, 0);
  apply(SYNC_PUT, "k", "a1", alice, 1, 40, NULL, 0);
  const struct store_key *key = find("k");
  assert_int_equal(key->sibling_count, 3);
  assert_true(key->siblings->origin == alice && key->siblings->seq == 1);
  assert_true(key->siblings->next->seq == 2);
  assert_ptr_equal(key->siblings->next->next->origin, bob);
  assert_ptr_equal(store_winner(key)->origin, bob); /* same clock: the greater node id */
  apply(SYNC_DELETE, "k", NULL, alice, 3, 60, NULL, 0);
  assert_true(store_winner(key)->tombstone);
  end();
}

static void a_change_removes_exactly_what_it_saw(void **state) {
  (void)state;
  begin();
  apply(SYNC_PUT, "k", "a1", alice, 1, 1, NULL, 0);
  apply(SYNC_PUT, "k", "b1", bob, 1, 2, NULL, 0);
  apply(SYNC_PUT, "k", "b2", bob, 2, 3, NULL, 0);
  struct store_dot seen[] = {{alice, 1}, {alice, 7}, {bob, 2}};
  apply(SYNC_PUT, "k", "a2", alice, 2, 4, seen, 3);
  const struct store_key *key = find("k");
  assert_int_equal(key->sibling_count, 2);
  assert_true(key->siblings->origin == alice && key->siblings->seq == 2);
  assert_true(key->siblings->next->origin == bob && key->siblings->next->seq == 1);
  end();
}

static void a_sweep_of_the_last_sibling_removes_the_key(void **state) {
  (void)state;
  begin();
  apply(SYNC_PUT, "j", "1", alice, 1, 1, NULL, 0);
  apply(SYNC_DELETE, "k", NULL, alice, 2, 2, NULL, 0);
  apply(SYNC_PUT, "l", "1", alice, 3, 3, NULL, 0);
  struct store_dot seen[] = {{alice, 2}};
  apply(SYNC_SWEEP, "k", NULL, bob, 1, 4, seen, 1);
  assert_null(find("k"));
  assert_int_equal(store.keys, 2);
  assert_ptr_equal(at_or_above("k"), find("l"));
  apply(SYNC_SWEEP, "k", NULL, bob, 2, 5, seen, 1); /* several sweeps are harmless */
  apply(SYNC_PUT, "k", "back", bob, 3, 6, seen, 1);
  struct store_dot both[] = {{bob, 3}};
  apply(SYNC_SWEEP, "k", NULL, alice, 4, 7, both, 1);
  assert_int_equal(store.siblings, 2);
  end();
}

static int key_order(const void *a, const void *b) {
  const struct store_key *left = *(const struct store_key *const *)a, *right = *(const struct store_key *const *)b;
  size_t shorter = left->size < right->size ? left->size : right->size;
  int order = memcmp(store_key_bytes(left), store_key_bytes(right), shorter);
  return order != 0 ? order : (int)left->size - (int)right->size;
}

/* All keys, each once, in order. */
static void check_order(void) {
  const struct store_key **keys = calloc((size_t)store.keys + 1, sizeof(const struct store_key *));
  size_t count = 0;
  for (struct btree_cursor cursor = store_first(&store); btree_key(&cursor) != NULL; btree_advance(&cursor)) {
    assert_true(count < store.keys);
    keys[count++] = btree_key(&cursor);
  }
  assert_int_equal(count, store.keys);
  for (size_t i = 1; i < count; i++)
    assert_true(key_order(&keys[i - 1], &keys[i]) < 0);
  free(keys);
}

/* What a lookup remembers must never outlive the key, nor a path the links. */
static void keys_are_found_whatever_was_planned_cancelled_or_swept_before(void **state) {
  (void)state;
  begin();
  uint64_t random = 5;
  uint64_t seq_of[40] = {0}; /* of the key's one sibling; 0: absent */
  for (uint64_t seq = 1; seq < 4000; seq += 4) {
    struct store_plan plans[3];
    struct store_dot seen[3];
    struct operation_change_view changes[3];
    char names[3][8];
    uint32_t first = (uint32_t)(memory_env_random(&random) % 38);
    bool keep = memory_env_random(&random) % 4 != 0;
    for (uint32_t i = 0; i < 3; i++) {
      uint64_t held = seq_of[first + i];
      (void)snprintf(names[i], sizeof names[i], "k%u", (unsigned)(first + i));
      seen[i] = (struct store_dot){alice, held};
      changes[i] = (struct operation_change_view){.kind = held != 0 && memory_env_random(&random) % 2 == 0 ? SYNC_SWEEP
                                                                                                           : SYNC_PUT,
                                                  .key = (const uint8_t *)names[i],
                                                  .key_size = strlen(names[i]),
                                                  .value = (const uint8_t *)"v",
                                                  .value_size = 1,
                                                  .seen_count = held != 0 ? 1 : 0};
      if (changes[i].kind == SYNC_SWEEP) changes[i].value_size = 0;
      assert_int_equal(store_plan_change(&store, &changes[i], &seen[i], seq, &plans[i]), SYNC_OK);
    }
    for (uint32_t i = 0; i < 3; i++) {
      if (keep) {
        store_plan_commit(&store, &plans[i], alice, seq + i, &seen[i], changes[i].seen_count);
        seq_of[first + i] = changes[i].kind == SYNC_PUT ? seq + i : 0;
      } else {
        store_plan_cancel(&store, &plans[i]);
      }
    }
    for (uint32_t k = 0; k < 40; k++) {
      char name[8];
      (void)snprintf(name, sizeof name, "k%u", (unsigned)k);
      const struct store_key *key = find(name);
      assert_int_equal(key == NULL ? 0 : key->siblings->seq, seq_of[k]);
      assert_ptr_equal(key, seq_of[k] == 0 ? NULL : at_or_above(name));
    }
    check_order();
  }
  check_digest();
  end();
}

/* Keys that differ in any one of their bytes, or in length only, over and below a word. */
static void keys_of_every_length_stand_in_bytewise_order(void **state) {
  (void)state;
  begin();
  uint64_t random = 11;
  for (uint64_t seq = 1; seq <= 3000; seq++) {
    char key[20] = "mmmmmmmmmmmmmmmmmmm";
    key[memory_env_random(&random) % 19] = (char)(memory_env_random(&random) % 255 + 1);
    key[1 + memory_env_random(&random) % 19] = '\0';
    const struct store_key *held = find(key);
    if (seq % 100 == 0) check_order();
    if (held != NULL && seq < 500) continue;
    struct store_dot seen = {alice, held == NULL ? 0 : held->siblings->seq};
    struct operation_change_view change = {.kind = held != NULL ? SYNC_SWEEP : SYNC_PUT,
                                           .key = (const uint8_t *)key,
                                           .key_size = strlen(key),
                                           .seen_count = held != NULL ? 1 : 0};
    struct store_plan plan;
    assert_ptr_equal(held, store_seek(&store, change.key, change.key_size));
    assert_int_equal(store_plan_change(&store, &change, &seen, seq, &plan), SYNC_OK);
    store_plan_commit(&store, &plan, alice, seq, &seen, change.seen_count);
    assert_true((find(key) == NULL) == (held != NULL));
  }
  assert_true(store.keys > 200);
  check_order();
  end();
}

static void the_order_of_arrival_leaves_no_trace(void **state) {
  (void)state;
  uint64_t random = 3;
  uint64_t first = 0;
  for (uint32_t round = 0; round < 20; round++) {
    begin();
    uint32_t order[200];
    for (uint32_t i = 0; i < 200; i++)
      order[i] = i;
    for (uint32_t i = 200; i-- > 1;) {
      uint32_t other = (uint32_t)(memory_env_random(&random) % (i + 1));
      uint32_t moving = order[i];
      order[i] = order[other];
      order[other] = moving;
    }
    for (uint32_t i = 0; i < 200; i++) {
      char key[8];
      (void)snprintf(key, sizeof key, "%u", (unsigned)(order[i] % 90));
      apply(SYNC_PUT, key, "v", order[i] % 2 == 0 ? alice : bob, order[i] + 1, order[i] % 7, NULL, 0);
    }
    if (round == 0) first = store.digest;
    assert_true(store.digest == first);
    assert_int_equal(store.keys, 90);
    check_order();
    end();
  }
}

static void a_cancelled_plan_gives_everything_back(void **state) {
  (void)state;
  begin();
  uint64_t blocks = memory.blocks;
  struct operation_change_view change = {
      .kind = SYNC_PUT, .key = (const uint8_t *)"k", .key_size = 1, .value = (const uint8_t *)"v", .value_size = 1};
  struct store_plan plan;
  assert_int_equal(store_plan_change(&store, &change, NULL, 1, &plan), SYNC_OK);
  assert_int_equal(memory.blocks, blocks + 3); /* sibling, key, the first node of the index */
  store_plan_cancel(&store, &plan);
  assert_int_equal(memory.blocks, blocks);
  assert_true(store.bytes == 0 && store.keys == 0 && at_or_above("") == NULL);
  end();
}

/* An operation of many new keys, some of which divide nodes; at each allocation in turn. */
static void an_operation_without_memory_gives_everything_back(void **state) {
  (void)state;
  enum { CHANGES = 150 };
  static struct store_plan plans[CHANGES];
  static char names[CHANGES][16];
  begin();
  uint64_t random = 6;
  for (uint64_t i = 0; i < 700; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "k%05u", (unsigned)(memory_env_random(&random) % 10007));
    apply(SYNC_PUT, name, "v", alice, i + 1, i, NULL, 0);
  }
  uint64_t digest = store.digest, bytes = store.bytes, nominal = memory.nominal_bytes, blocks = memory.blocks;
  uint64_t in_turn = 1;
  for (size_t planned = 0; planned < CHANGES; in_turn++) {
    memory.fail_alloc_at = memory.allocs + in_turn;
    for (planned = 0; planned < CHANGES; planned++) {
      (void)snprintf(names[planned], sizeof names[0], "k%05ux", (unsigned)(planned * 61));
      struct operation_change_view change = {.kind = SYNC_PUT,
                                             .key = (const uint8_t *)names[planned],
                                             .key_size = strlen(names[planned]),
                                             .value = (const uint8_t *)"v",
                                             .value_size = 1};
      if (store_plan_change(&store, &change, NULL, 1, &plans[planned]) != SYNC_OK) break;
    }
    for (size_t i = planned; i-- > 0;)
      store_plan_cancel(&store, &plans[i]);
    check_order();
    check_digest();
    assert_true(store.digest == digest && store.bytes == bytes);
    assert_true(memory.nominal_bytes <= nominal && memory.blocks <= blocks);
    nominal = memory.nominal_bytes; /* a cancelled insertion may have joined nodes: never the other way */
    blocks = memory.blocks;
  }
  assert_true(in_turn > 2 * CHANGES + 5);
  memory.fail_alloc_at = 0;
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(siblings_stand_in_dot_order_and_the_winner_is_the_greatest),
      cmocka_unit_test(a_change_removes_exactly_what_it_saw),
      cmocka_unit_test(a_sweep_of_the_last_sibling_removes_the_key),
      cmocka_unit_test(keys_are_found_whatever_was_planned_cancelled_or_swept_before),
      cmocka_unit_test(keys_of_every_length_stand_in_bytewise_order),
      cmocka_unit_test(the_order_of_arrival_leaves_no_trace),
      cmocka_unit_test(a_cancelled_plan_gives_everything_back),
      cmocka_unit_test(an_operation_without_memory_gives_everything_back),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  return r != 0;
}
