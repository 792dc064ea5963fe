/* Every policy at every node, under frames in any order, twice, late, relayed or never, power losses and changes of
 * policy: nodes end up holding the same, each reads it as its own policy says, and nothing stays that a policy
 * would resolve. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/emulated.h"
#include "tests/support/merges.h"
#include "tests/support/replica.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define STEPS 150u

static struct replicas *world;
static uint64_t chance;
static unsigned seed_at;

/* xorshift64*: the test's own. */
static unsigned draw(unsigned below) {
  chance ^= chance >> 12;
  chance ^= chance << 25;
  chance ^= chance >> 27;
  return (unsigned)((chance * UINT64_C(2685821657736338717)) >> 33) % below;
}

static const char *const keys[] = {"a", "b", "b/1"};

static struct sync_policy some_policy(void) {
  struct sync_policy policy = {.kind = (enum sync_policy_kind)draw(5)};
  if (policy.kind == SYNC_MERGE) policy.merge = draw(2) ? merge_union : merge_longest;
  return policy;
}

static void set_policy(uint32_t index) {
  struct sync_policy policy = some_policy();
  if (draw(3) == 0) {
    assert_int_equal(sync_policy_set(world->at[index].engine, "b/", 2, draw(4) ? &policy : NULL), SYNC_OK);
    return;
  }
  assert_int_equal(sync_policy_set(world->at[index].engine, NULL, 0, &policy), SYNC_OK);
  world->at[index].options.conflict_policy = policy;
}

/* --- What happens ------------------------------------------------------------------------ */

static int take_token(void *arg, const struct sync_conflict *conflict) {
  memcpy(arg, conflict, sizeof *conflict);
  return 1;
}

static void resolve_one(uint32_t index) {
  struct sync_conflict conflict;
  struct sync_engine *engine = world->at[index].engine;
  if (sync_conflicts(engine, NULL, 0, take_token, &conflict) != 1) return;
  struct sync_change change = {
      .kind = draw(4) ? SYNC_PUT : SYNC_DELETE, .key = conflict.key, .key_size = conflict.key_size, .value = "r"};
  change.value_size = change.kind == SYNC_PUT ? 1 : 0;
  char key[8];
  memcpy(key, conflict.key, conflict.key_size);
  change.key = key;
  assert_int_equal(sync_resolve(engine, &conflict.token, &change, NULL), SYNC_OK);
  assert_int_equal(sync_resolve(engine, &conflict.token, &change, NULL), SYNC_E_STALE);
}

static void write_one(uint32_t index) {
  const char *key = keys[draw(3)];
  char value[4] = {(char)('a' + draw(6)), (char)('a' + draw(6)), '\0', '\0'};
  if (draw(3) == 0) value[1] = '\0';
  world->at[index].memory.wall_ns += draw(3) * 1000;
  if (draw(4) == 0)
    replica_delete(world, index, key);
  else
    replica_put(world, index, key, value);
}

static void crash_one(uint32_t index) {
  replica_crash(world, index, draw(2) ? MEMORY_ENV_KEEP_ALL : MEMORY_ENV_LOSE_ALL, chance);
  replica_open(world, index);
}

static void move_frames(void) {
  if (world->frame_count == 0) return;
  size_t place = draw((unsigned)world->frame_count);
  if (draw(6) == 0) {
    replicas_drop(world, place);
    return;
  }
  int rc = replicas_deliver(world, place, draw(3) == 0);
  assert_int_equal(rc, SYNC_OK);
}

static void step(void) {
  uint32_t index = draw(world->count);
  switch (draw(16)) {
  case 0:
  case 1:
  case 2:
  case 3:
    write_one(index);
    break;
  case 4:
    resolve_one(index);
    break;
  case 5:
    set_policy(index);
    break;
  case 6:
    if (draw(4) == 0) crash_one(index);
    break;
  case 7:
    replicas_advance(world, draw(3000) * MS);
    break;
  case 8:
  case 9:
  case 10:
    replica_flush(world, index);
    (void)replica_collect(world, index);
    break;
  default:
    move_frames();
    break;
  }
}

static void begin(void) {
  uint32_t count = 2 + draw(3);
  replicas_init(world, count);
  bool line = draw(2);
  for (uint32_t a = 0; a < count; a++)
    for (uint32_t b = a + 1; b < count; b++)
      if (!line || b == a + 1) replicas_link(world, a, b);
  for (uint32_t i = 0; i < count; i++)
    set_policy(i);
  /* A crash may lose no peer. */
  for (uint32_t i = 0; i < count; i++)
    replica_flush(world, i);
}

/* --- What must be in the end -------------------------------------------------------------- */

struct siblings {
  struct sync_sibling at[32];
  size_t count, values, automatic;
  bool mine;
  const char *node_id;
};

static int take_sibling(void *arg, const struct sync_sibling *sibling) {
  struct siblings *siblings = arg;
  assert_true(siblings->count < 32);
  siblings->at[siblings->count++] = *sibling;
  siblings->values += !sibling->tombstone;
  siblings->automatic += sibling->automatic;
  if (strcmp(sibling->dot.origin.node_id, siblings->node_id) == 0) siblings->mine = true;
  return 0;
}

static const struct sync_sibling *latest(const struct siblings *siblings) {
  const struct sync_sibling *best = NULL;
  for (size_t i = 0; i < siblings->count; i++)
    if (best == NULL || siblings->at[i].hlc >= best->hlc) best = &siblings->at[i];
  return best;
}

/* What the policy makes of these siblings, worked out here. */
static void expect_read(uint32_t index, const char *key, const struct sync_policy *policy,
                        const struct siblings *siblings) {
  struct sync_sibling given;
  int rc = sync_get(world->at[index].engine, key, strlen(key), &given);
  if (policy->kind != SYNC_MERGE || siblings->values < 2) {
    const struct sync_sibling *best = latest(siblings);
    for (size_t i = 0; policy->kind == SYNC_MERGE && i < siblings->count; i++)
      if (!siblings->at[i].tombstone) best = &siblings->at[i];
    bool present = best != NULL && !best->tombstone;
    assert_int_equal(rc, present ? SYNC_OK : SYNC_E_NOT_FOUND);
    if (present) assert_true(given.value == best->value && !given.merged);
    return;
  }
  struct sync_sibling values[32];
  size_t count = 0, size = 0;
  uint8_t merged[64];
  for (size_t i = siblings->count; i-- > 0;) /* the other way round */
    if (!siblings->at[i].tombstone) values[count++] = siblings->at[i];
  assert_int_equal(policy->merge(NULL, key, strlen(key), values, count, merged, sizeof merged, &size), SYNC_OK);
  assert_int_equal(rc, SYNC_OK);
  assert_int_equal(given.value_size, size);
  assert_memory_equal(given.value, merged, size);
}

static void expect_key(uint32_t index, const char *key) {
  struct siblings siblings = {.node_id = world->at[index].node_id};
  struct sync_engine *engine = world->at[index].engine;
  (void)sync_siblings(engine, key, strlen(key), take_sibling, &siblings);
  struct sync_policy policy = sync_policy_of(engine, key, strlen(key));
  expect_read(index, key, &policy, &siblings);
  bool conflict = siblings.count > 1 && siblings.values > 0;
  bool resolves = policy.kind == SYNC_KEEP_LOCAL || policy.kind == SYNC_KEEP_REMOTE;
  if (conflict && resolves && siblings.automatic < siblings.count && siblings.mine) fail();
}

static uint64_t resolved(void) {
  uint64_t keys_resolved = 0;
  for (uint32_t i = 0; i < world->count; i++)
    keys_resolved += replica_stats(world, i).resolved;
  return keys_resolved;
}

static void expect_end(void) {
  for (unsigned rounds = 0; rounds < 60; rounds++) {
    replicas_settle_for(world, 2 * SECOND);
    if (replicas_agree(world)) break;
  }
  replicas_settle_for(world, 2 * SECOND);
  assert_true(replicas_agree(world));
  uint64_t before = resolved();
  for (uint32_t i = 0; i < world->count; i++)
    for (unsigned k = 0; k < 3; k++)
      expect_key(i, keys[k]);
  replicas_settle_for(world, 40 * SECOND);
  assert_true(resolved() == before); /* they end */
}

static int tell_seed(void **state) {
  (void)state;
  print_message("seed %u\n", seed_at);
  return 0;
}

static void all_policies_converge_whatever_arrives_when(void **state) {
  (void)state;
  unsigned seeds = emulated() ? 10 : 300;
  uint64_t all = 0;
  for (seed_at = 1; seed_at <= seeds; seed_at++) {
    chance = seed_at * UINT64_C(0x9e3779b97f4a7c15);
    begin();
    for (unsigned i = 0; i < STEPS; i++)
      step();
    expect_end();
    all += resolved();
    replicas_destroy(world);
  }
  assert_true(all > seeds);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(all_policies_converge_whatever_arrives_when, tell_seed),
  };
  int failed = cmocka_run_group_tests_name("policies", tests, NULL, NULL);
  free(world);
  return failed;
}
