/* Repair: damage goes aside, what precedes it opens, peers bring back what they hold. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/replica.h"

#define MS UINT64_C(1000000)
#define VALUE "a value of some length, so that segments fill"

static struct replicas *world;

static void begin(uint32_t count, uint64_t snapshot_bytes) {
  replicas_init(world, count);
  for (uint32_t i = 0; i < count; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256;
    world->at[i].options.segment_bytes = 1024;
    world->at[i].options.snapshot_bytes = snapshot_bytes;
    world->at[i].options.retain_bytes = 1;
    replica_open(world, i);
  }
}

static void settle(uint64_t ns) {
  for (uint64_t passed = 0; passed < ns; passed += 50 * MS) {
    for (unsigned turns = 0; turns < 60; turns++) {
      for (uint32_t i = 0; i < world->count; i++) {
        replica_flush(world, i);
        (void)replica_collect(world, i);
      }
      if (world->frame_count == 0) break;
      while (world->frame_count > 0)
        assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    }
    replicas_advance(world, 50 * MS);
  }
}

static void write_some(uint32_t index, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    char key[16];
    (void)snprintf(key, sizeof key, "key-%03u", i);
    replica_put(world, index, key, VALUE);
    if (i % 4 == 0) replica_flush(world, index);
  }
  replica_flush(world, index);
}

static size_t bytes_of(uint32_t index, const char *prefix) {
  size_t sum = 0, size = 0;
  for (size_t i = 0; i < world->at[index].memory.live_count; i++) {
    const char *name = world->at[index].memory.live[i].name;
    if (strncmp(name, prefix, strlen(prefix)) != 0) continue;
    (void)memory_env_bytes(&world->at[index].memory, name, &size);
    sum += size;
  }
  return sum;
}

struct told {
  uint64_t count, last_seq;
  char node_id[64];
};
static int take_lost(void *arg, const struct sync_lost *lost) {
  struct told *told = arg;
  told->count++;
  told->last_seq = lost->dot.seq;
  (void)snprintf(told->node_id, sizeof told->node_id, "%s", lost->dot.origin.node_id);
  return 0;
}

static int open_repaired(uint32_t index, struct told *told) {
  struct replica *replica = &world->at[index];
  memset(told, 0, sizeof *told);
  return sync_open_repair(&replica->engine, &replica->memory.env, &replica->options, &replica->report, take_lost, told);
}

static void an_undamaged_directory_opens_as_it_is(void **state) {
  (void)state;
  begin(1, 4096);
  write_some(0, 40);
  struct sync_digest before, after;
  sync_digest_get(world->at[0].engine, &before);
  replica_close(world, 0);
  struct told told;
  assert_int_equal(open_repaired(0, &told), SYNC_OK);
  sync_digest_get(world->at[0].engine, &after);
  assert_memory_equal(&before, &after, sizeof before);
  assert_false(world->at[0].report.repaired);
  assert_int_equal(bytes_of(0, "bad-"), 0);
  replicas_destroy(world);
}

static void a_base_whose_log_is_gone_is_mended_for_good(void **state) {
  (void)state;
  begin(1, UINT64_MAX);
  write_some(0, 40);
  assert_int_equal(sync_snapshot(world->at[0].engine), SYNC_OK);
  settle(3000 * MS);
  struct sync_stats stats;
  sync_stats_get(world->at[0].engine, &stats);
  assert_true(stats.snapshot_position > 0);
  struct memory_env *memory = &world->at[0].memory;
  replica_close(world, 0);
  for (size_t i = memory->live_count; i-- > 0;)
    if (strncmp(memory->live[i].name, "wal-", 4) == 0)
      assert_int_equal(memory->env.ops->file_unlink(memory->env.ctx, memory->live[i].name), SYNC_OK);
  struct told told;
  struct sync_digest before, after;
  assert_int_equal(sync_open(&world->at[0].engine, &memory->env, &world->at[0].options, &world->at[0].report),
                   SYNC_E_DAMAGED);
  assert_int_equal(open_repaired(0, &told), SYNC_OK);
  assert_true(world->at[0].report.repaired);
  sync_digest_get(world->at[0].engine, &before);
  assert_true(before.keys > 0);
  settle(100 * MS); /* nothing is written, but for what the repair itself does */
  replica_close(world, 0);
  assert_int_equal(sync_open(&world->at[0].engine, &memory->env, &world->at[0].options, &world->at[0].report), SYNC_OK);
  sync_digest_get(world->at[0].engine, &after);
  assert_memory_equal(&before, &after, sizeof before);
  replicas_destroy(world);
}

/* Name of the n-th file of the node. */
static const char *file_of(uint32_t index, size_t n) {
  return n < world->at[index].memory.live_count ? world->at[index].memory.live[n].name : NULL;
}

/* A byte of a file is changed; then the node must open, by itself or repaired, and end as its peer. */
static void damage_and_mend(size_t file, size_t at, uint64_t snapshot_bytes, size_t *size, bool *refused) {
  begin(2, snapshot_bytes);
  replicas_link(world, 0, 1);
  write_some(0, 60);
  settle(3000 * MS);
  replica_put(world, 0, "last", "known to nobody else");
  replica_close(world, 0);
  struct replica *replica = &world->at[0];
  const char *name = file_of(0, file);
  *size = 0;
  if (name != NULL) (void)memory_env_bytes(&replica->memory, name, size);
  if (at < *size) {
    size_t held = bytes_of(0, "wal-") + bytes_of(0, "base-");
    memory_env_flip(&replica->memory, name, at);
    int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
    struct told told = {0};
    *refused = rc == SYNC_E_DAMAGED;
    if (*refused) {
      assert_int_equal(open_repaired(0, &told), SYNC_OK);
      assert_true(replica->report.repaired);
      assert_int_equal(told.count, replica->report.lost_named);
      if (told.count > 0) assert_string_equal(told.node_id, "n0");
      /* Nothing was deleted. */
      assert_true(bytes_of(0, "wal-") + bytes_of(0, "base-") + bytes_of(0, "bad-") >= held);
    } else {
      assert_int_equal(rc, SYNC_OK);
    }
    if (sync_peer_add(replica->engine, "n1", NULL) != SYNC_OK) fail();
    settle(12000 * MS);
    assert_true(replicas_agree(world));
    assert_true(replica_reads(world, 0, "key-059", VALUE));
    replica_close(world, 0);
    replica_open(world, 0); /* it is whole again */
    assert_true(replica_reads(world, 0, "key-007", VALUE));
  }
  replicas_destroy(world);
}

static void every_file_is_mended(uint64_t snapshot_bytes, size_t step) {
  size_t size = 1, refusals = 0;
  for (size_t file = 0; size > 0; file++) {
    bool refused = false;
    damage_and_mend(file, 0, snapshot_bytes, &size, &refused);
    refusals += refused;
    for (size_t at = step; at < size; at += step) {
      size_t same = 0;
      damage_and_mend(file, at, snapshot_bytes, &same, &refused);
      refusals += refused;
    }
  }
  assert_true(refusals > 3);
}

static void whatever_is_damaged_in_a_log_is_mended_by_a_peer(void **state) {
  (void)state;
  every_file_is_mended(UINT64_MAX, 173);
}

static void whatever_is_damaged_behind_a_snapshot_is_mended_by_a_peer(void **state) {
  (void)state;
  every_file_is_mended(2048, 131);
}

/* --- Power losses --------------------------------------------------------------------- */

static int open_or_repair(uint32_t index) {
  struct replica *replica = &world->at[index];
  struct told told;
  int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
  if (rc == SYNC_E_DAMAGED) rc = open_repaired(index, &told);
  if (rc != SYNC_OK) replica->engine = NULL;
  return rc;
}

/* Opens n0, repaired where it must be, and lets it work; at its `k`-th call from here power goes. False: there was no
 * such call. */
static bool repair_until(uint64_t k, enum memory_env_loss style, uint64_t seed) {
  struct replica *replica = &world->at[0];
  replica->memory.power_off_at = replica->memory.calls + k;
  int rc = open_or_repair(0);
  for (unsigned turns = 0; turns < 20 && rc == SYNC_OK && !replica->memory.powered_off; turns++) {
    replica->memory.mono_ns += 50 * MS;
    uint64_t token = 0;
    rc = sync_tick(replica->engine, NULL);
    while (rc == SYNC_OK && !replica->memory.powered_off && memory_env_complete(&replica->memory, SYNC_OK, &token))
      rc = sync_disk_done(replica->engine, token, SYNC_OK);
  }
  bool struck = replica->memory.powered_off;
  assert_true(struck || rc == SYNC_OK);
  replica->memory.power_off_at = 0;
  if (replica->engine != NULL)
    replica_crash(world, 0, style, seed);
  else
    memory_env_power_loss(&replica->memory, style, seed);
  return struck;
}

static void power_may_go_at_every_call_of_a_repair_and_again_in_the_next(void **state) {
  (void)state;
  bool struck = true;
  uint64_t k = 1;
  for (; struck; k++)
    for (unsigned style = 0; style < MEMORY_ENV_LOSSES; style++)
      for (uint64_t again = 1; again < 60; again += 7) {
        begin(2, k % 2 == 0 ? 2048 : UINT64_MAX);
        replicas_link(world, 0, 1);
        write_some(0, 60);
        settle(3000 * MS);
        replica_close(world, 0);
        struct replica *replica = &world->at[0];
        const char *name = NULL;
        size_t size = 0;
        for (size_t file = 0; name == NULL; file++)
          if (strncmp(file_of(0, file), k % 2 == 0 ? "base-" : "wal-", 4) == 0) name = file_of(0, file);
        (void)memory_env_bytes(&replica->memory, name, &size);
        memory_env_flip(&replica->memory, name, size / 2);
        size_t held = bytes_of(0, "wal-") + bytes_of(0, "base-");
        assert_int_equal(sync_open(&replica->engine, &replica->memory.env, &replica->options, NULL), SYNC_E_DAMAGED);
        replica->engine = NULL;
        struck = repair_until(k, (enum memory_env_loss)style, k * 31 + again);
        (void)repair_until(again, (enum memory_env_loss)style, k * 17 + again);
        assert_int_equal(open_or_repair(0), SYNC_OK);
        assert_true(bytes_of(0, "wal-") + bytes_of(0, "base-") + bytes_of(0, "bad-") >= held);
        int added = sync_peer_add(replica->engine, "n1", NULL); /* it may know it */
        assert_true(added == SYNC_OK || added == SYNC_E_EXISTS);
        replicas_drop_all(world);
        settle(12000 * MS);
        assert_true(replicas_agree(world));
        assert_true(replica_reads(world, 0, "key-059", VALUE));
        replica_close(world, 0);
        replica_open(world, 0);
        replicas_destroy(world);
      }
  assert_true(k > 10);
}

static int allocate(void **state) {
  (void)state;
  world = calloc(1, sizeof *world);
  return world == NULL;
}
static int release(void **state) {
  (void)state;
  free(world);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_undamaged_directory_opens_as_it_is),
      cmocka_unit_test(a_base_whose_log_is_gone_is_mended_for_good),
      cmocka_unit_test(whatever_is_damaged_in_a_log_is_mended_by_a_peer),
      cmocka_unit_test(whatever_is_damaged_behind_a_snapshot_is_mended_by_a_peer),
      cmocka_unit_test(power_may_go_at_every_call_of_a_repair_and_again_in_the_next),
  };
  return cmocka_run_group_tests(tests, allocate, release);
}
