/* Snapshots of an engine's own state: the base, and the log behind it. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/replica.h"

#define MS UINT64_C(1000000)

static struct replicas *world;

static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t i = 0; i < count; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256;
    world->at[i].options.segment_bytes = 1024;
    world->at[i].options.snapshot_bytes = UINT64_MAX; /* only when asked */
    world->at[i].options.retain_bytes = 1;
    replica_open(world, i);
  }
}

static struct sync_digest digest_of(uint32_t index) {
  struct sync_digest digest;
  sync_digest_get(world->at[index].engine, &digest);
  return digest;
}

/* A turn of the loop: time passes, what is due is done, fsyncs complete. */
static void turn(uint32_t index) {
  struct replica *replica = &world->at[index];
  replica->memory.mono_ns += MS;
  int rc = sync_tick(replica->engine, NULL);
  (void)rc;
  replica_flush(world, index);
}

/* Takes a snapshot, and writes in between by `meanwhile`. */
static void take_snapshot(uint32_t index, void (*meanwhile)(unsigned turn_number)) {
  uint64_t before = replica_stats(world, index).snapshots;
  assert_int_equal(sync_snapshot(world->at[index].engine), SYNC_OK);
  for (unsigned i = 0; i < 1000 && replica_stats(world, index).snapshots == before; i++) {
    turn(index);
    if (meanwhile != NULL) meanwhile(i);
  }
  assert_int_equal(replica_stats(world, index).snapshots, before + 1);
}

static void reopen(uint32_t index) {
  struct sync_digest before = digest_of(index);
  replica_close(world, index);
  replica_open(world, index);
  struct sync_digest after = digest_of(index);
  assert_memory_equal(&before, &after, sizeof before);
  sync_digest_recompute(world->at[index].engine, &after);
  assert_memory_equal(&before, &after, sizeof before);
}

static void a_snapshot_becomes_the_base_and_the_log_behind_it_goes(void **state) {
  (void)state;
  begin(1);
  replica_put_many(world, 0, 0, 200, "some value");
  size_t segments = replica_files(world, 0, "wal-");
  assert_true(segments > 5);
  take_snapshot(0, NULL);
  assert_int_equal(replica_files(world, 0, "base-"), 1);
  for (unsigned i = 0; i < 20; i++) /* a few files a step */
    turn(0);
  assert_true(replica_files(world, 0, "wal-") <= 2);
  struct sync_stats stats = replica_stats(world, 0);
  assert_true(stats.log_first > 0 && stats.snapshot_position >= stats.log_first && stats.snapshot_bytes > 200);
  reopen(0);
  assert_int_equal(world->at[0].report.base_position, stats.snapshot_position);
  assert_true(replica_reads(world, 0, "key-123", "some value"));
  replica_put_many(world, 0, 100, 120, "a later value");
  take_snapshot(0, NULL);
  assert_int_equal(replica_files(world, 0, "base-"), 1);
  reopen(0);
  assert_true(replica_reads(world, 0, "key-119", "a later value"));
  replicas_destroy(world);
}

static void change_some(unsigned number) {
  char key[16];
  (void)snprintf(key, sizeof key, "key-%03u", (number * 37) % 400);
  if (number % 3 == 0)
    replica_delete(world, 0, key);
  else
    replica_put(world, 0, key, "written while a snapshot was taken, so that it is not in it");
}

static void a_snapshot_is_of_one_instant_while_writing_goes_on(void **state) {
  (void)state;
  begin(1);
  char value[200];
  memset(value, 'v', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  /* More than a step's worth. */
  for (unsigned i = 0; i < 800; i++) {
    char key[16];
    (void)snprintf(key, sizeof key, "key-%03u", i);
    replica_put(world, 0, key, value);
    if (i % 16 == 0) replica_flush(world, 0);
  }
  replica_flush(world, 0);
  take_snapshot(0, change_some);
  reopen(0);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(world, 0);
  assert_true(replica_reads(world, 0, "key-037", "written while a snapshot was taken, so that it is not in it"));
  assert_true(replica_reads(world, 0, "key-000", NULL));
  assert_true(replica_reads(world, 0, "key-799", value));
  replicas_destroy(world);
}

/* --- A power loss at every call ------------------------------------------------------- */

static uint64_t promised; /* operations of n0's first life */

static const char early[] = "before the snapshot, and long enough for several segments";

static void fill(void) {
  begin(1);
  replica_put_many(world, 0, 0, 60, early);
  promised = 60;
}

static void try_snapshot(void) {
  int rc = sync_snapshot(world->at[0].engine);
  for (unsigned i = 0; i < 12 && rc == SYNC_OK; i++) {
    struct replica *replica = &world->at[0];
    replica->memory.mono_ns += MS;
    rc = sync_tick(replica->engine, NULL);
    uint64_t token;
    while (rc == SYNC_OK && !replica->memory.powered_off && memory_env_complete(&replica->memory, SYNC_OK, &token))
      rc = sync_disk_done(replica->engine, token, SYNC_OK);
  }
}

static uint64_t calls_of_a_snapshot(void) {
  fill();
  uint64_t before = world->at[0].memory.calls;
  try_snapshot();
  uint64_t calls = world->at[0].memory.calls - before;
  assert_int_equal(replica_stats(world, 0).snapshots, 1);
  replicas_destroy(world);
  return calls;
}

static void open_after_two_crashes(uint64_t again, enum memory_env_loss style, uint64_t seed) {
  struct replica *replica = &world->at[0];
  replica->memory.power_off_at = replica->memory.calls + again;
  int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
  replica->memory.power_off_at = 0;
  if (rc == SYNC_OK) {
    replica_crash(world, 0, style, seed);
  } else {
    replica->engine = NULL;
    assert_true(replica->memory.powered_off); /* then no memory is given either */
    memory_env_power_loss(&replica->memory, style, seed);
  }
  replica_open(world, 0);
}

static void power_may_go_at_every_call_of_a_snapshot_and_again_while_recovering(void **state) {
  (void)state;
  uint64_t calls = calls_of_a_snapshot();
  assert_true(calls > 15);
  for (uint64_t k = 1; k <= calls; k++)
    for (unsigned style = 0; style < MEMORY_ENV_LOSSES; style++)
      for (uint64_t again = 1; again < 30; again += 4) {
        fill();
        struct sync_digest before = digest_of(0);
        world->at[0].memory.power_off_at = world->at[0].memory.calls + k;
        try_snapshot();
        replica_crash(world, 0, (enum memory_env_loss)style, k * 31 + again);
        world->at[0].memory.power_off_at = 0;
        open_after_two_crashes(again, (enum memory_env_loss)style, k * 17 + again);
        struct sync_digest after = digest_of(0);
        assert_memory_equal(&before, &after, sizeof before);
        replica_put_many(world, 0, 60, 64, "after");
        take_snapshot(0, NULL);
        reopen(0);
        assert_int_equal(replica_files(world, 0, "base-"), 1);
        replicas_destroy(world);
      }
}

/* The process dies at the k-th call of a snapshot, so that its name may be in the page cache alone; the next life takes
 * another one at once, and at its j-th call power goes. */
static void a_name_that_only_the_page_cache_has_is_not_built_upon(void **state) {
  (void)state;
  uint64_t calls = calls_of_a_snapshot();
  for (uint64_t k = 1; k <= calls; k++)
    for (uint64_t j = 1; j <= calls + 8; j++)
      for (unsigned style = 0; style < MEMORY_ENV_LOSSES; style++) {
        fill();
        take_snapshot(0, NULL);
        replica_put_many(world, 0, 30, 50, "then");
        struct sync_digest before = digest_of(0);
        struct replica *replica = &world->at[0];
        replica->memory.power_off_at = replica->memory.calls + k;
        try_snapshot();
        replica->memory.powered_off = true;
        sync_close(replica->engine);
        replica->engine = NULL;
        replica->memory.power_off_at = 0;
        memory_env_process_crash(&replica->memory);
        replica_open(world, 0);
        replica->memory.power_off_at = replica->memory.calls + j;
        int rc = sync_put(replica->engine, "last", 4, "v", 1, NULL);
        try_snapshot();
        bool durable =
            rc == SYNC_OK && sync_durable_position(replica->engine) == sync_appended_position(replica->engine);
        replica_crash(world, 0, (enum memory_env_loss)style, k * 41 + j);
        replica->memory.power_off_at = 0;
        replica_open(world, 0);
        struct sync_digest after = digest_of(0);
        bool last = replica_reads(world, 0, "last", "v");
        assert_true(last || !durable);
        if (!last) assert_memory_equal(&before, &after, sizeof before);
        assert_true(replica_reads(world, 0, "key-055", early) && replica_reads(world, 0, "key-049", "then"));
        replicas_destroy(world);
      }
}

/* --- Damage ------------------------------------------------------------------------------ */

static void settle(uint64_t ns) {
  for (uint64_t passed = 0; passed < ns; passed += 50 * MS) {
    for (uint32_t i = 0; i < world->count; i++)
      replica_flush(world, i);
    for (unsigned turns = 0; turns < 50; turns++) {
      for (uint32_t i = 0; i < world->count; i++)
        (void)replica_collect(world, i);
      if (world->frame_count == 0) break;
      while (world->frame_count > 0)
        assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
      for (uint32_t i = 0; i < world->count; i++)
        replica_flush(world, i);
    }
    replicas_advance(world, 50 * MS);
  }
}

static void a_base_with_any_byte_changed_is_refused_by_name(void **state) {
  (void)state;
  begin(1);
  replica_put_many(world, 0, 0, 20, "v");
  take_snapshot(0, NULL);
  replica_close(world, 0);
  struct replica *replica = &world->at[0];
  size_t size = 0;
  (void)memory_env_bytes(&replica->memory, replica_file(world, 0, "base-"), &size);
  for (size_t at = 0; at < size; at++) {
    memory_env_flip(&replica->memory, replica_file(world, 0, "base-"), at);
    int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
    assert_int_equal(rc, SYNC_E_DAMAGED);
    assert_non_null(strstr(replica->report.detail, "base-"));
    assert_int_equal(replica->memory.blocks, 0);
    memory_env_flip(&replica->memory, replica_file(world, 0, "base-"), at);
  }
  replica_open(world, 0);
  replicas_destroy(world);
}

static void damage_of_the_log_below_the_base_costs_no_state(void **state) {
  (void)state;
  begin(1);
  world->at[0].options.retain_bytes = 0; /* the default: all of it stays */
  replica_close(world, 0);
  replica_open(world, 0);
  assert_int_equal(sync_peer_add(world->at[0].engine, "n1", NULL), SYNC_OK); /* it lacks everything */
  replica_put_many(world, 0, 0, 60, "a value that is long enough for several segments of the log");
  take_snapshot(0, NULL);
  assert_true(replica_files(world, 0, "wal-") > 3);
  struct sync_digest before = digest_of(0);
  replica_close(world, 0);
  size_t size = 0;
  struct replica *replica = &world->at[0];
  (void)memory_env_bytes(&replica->memory, replica_file(world, 0, "wal-"), &size);
  for (size_t at = 0; at < size; at += 7) {
    memory_env_flip(&replica->memory, replica_file(world, 0, "wal-"), at);
    replica_open(world, 0);
    struct sync_digest after = digest_of(0);
    assert_memory_equal(&before, &after, sizeof before);
    replica_close(world, 0);
    memory_env_flip(&replica->memory, replica_file(world, 0, "wal-"), at);
  }
  replicas_destroy(world);
}

static void what_rotted_in_the_log_goes_when_it_is_found(void **state) {
  (void)state;
  begin(2);
  replica_put_many(world, 0, 0, 60, "a value that is long enough for several segments of the log");
  size_t size = 0;
  struct replica *replica = &world->at[0];
  (void)memory_env_bytes(&replica->memory, replica_file(world, 0, "wal-"), &size);
  memory_env_flip(&replica->memory, replica_file(world, 0, "wal-"), size / 2);
  replicas_link(world, 0, 1);
  settle(4000 * MS);
  /* What could not be read back for the peer is in the snapshot that was taken of memory. */
  assert_true(replica_stats(world, 0).snapshots >= 1);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  assert_true(replicas_agree(world));
  reopen(0);
  replicas_destroy(world);
}

/* --- Peers -------------------------------------------------------------------------------- */

static void a_peer_that_lacks_what_the_log_has_no_more_takes_a_snapshot(void **state) {
  (void)state;
  begin(2);
  replica_put_many(world, 0, 0, 300, "from n0");
  take_snapshot(0, NULL);
  replica_put_many(world, 0, 290, 310, "written behind it");
  replica_put(world, 1, "key-005", "from n1, never sent");
  replica_put(world, 1, "own", "from n1, never sent");
  replicas_link(world, 0, 1);
  settle(3000 * MS);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  assert_true(replica_stats(world, 1).blocks_in > 0);
  assert_true(replica_reads(world, 1, "key-123", "from n0"));
  assert_true(replica_reads(world, 1, "key-300", "written behind it"));
  assert_true(replica_reads(world, 0, "own", "from n1, never sent"));
  assert_true(replicas_agree(world));
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_int_equal(sync_outbox_size(world->at[1].engine), 0);
  /* The merged file goes when a base has what it had. */
  assert_int_equal(replica_files(world, 1, "stage-"), 0);
  assert_int_equal(replica_files(world, 1, "base-"), 1);
  reopen(1);
  replicas_destroy(world);
}

static void lag(uint32_t from, uint32_t to) {
  replica_put_many(world, from, 0, 100, "lag");
  take_snapshot(from, NULL);
  replicas_link(world, from, to);
}

/* Power goes at the k-th call of the receiver from here on; then it starts again. */
static void power_may_go_at_every_call_of_a_merge(void **state) {
  (void)state;
  for (uint64_t k = 1; k < 60; k++)
    for (unsigned style = 0; style < MEMORY_ENV_LOSSES; style++) {
      begin(2);
      replica_put(world, 1, "own", "kept");
      replica_flush(world, 1);
      lag(0, 1);
      replica_flush(world, 1);
      struct replica *receiver = &world->at[1];
      receiver->memory.power_off_at = receiver->memory.calls + k;
      for (unsigned i = 0; i < 100 && !receiver->memory.powered_off; i++) {
        (void)replica_collect(world, 0);
        (void)replica_collect(world, 1);
        while (world->frame_count > 0 && !receiver->memory.powered_off)
          (void)replicas_deliver(world, 0, false);
        uint64_t token;
        while (!receiver->memory.powered_off && memory_env_complete(&receiver->memory, SYNC_OK, &token)) {
          int rc = sync_disk_done(receiver->engine, token, SYNC_OK);
          (void)rc;
        }
        world->at[0].memory.mono_ns += MS;
        receiver->memory.mono_ns += MS;
        int rc = sync_tick(receiver->engine, NULL);
        (void)rc;
        replica_flush(world, 0);
      }
      replica_crash(world, 1, (enum memory_env_loss)style, k);
      receiver->memory.power_off_at = 0;
      replicas_drop_all(world);
      replica_open(world, 1);
      settle(8000 * MS);
      assert_true(replica_reads(world, 1, "own", "kept"));
      assert_true(replica_reads(world, 1, "key-050", "lag"));
      assert_true(replicas_agree(world));
      replicas_destroy(world);
    }
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
      cmocka_unit_test(a_snapshot_becomes_the_base_and_the_log_behind_it_goes),
      cmocka_unit_test(a_snapshot_is_of_one_instant_while_writing_goes_on),
      cmocka_unit_test(power_may_go_at_every_call_of_a_snapshot_and_again_while_recovering),
      cmocka_unit_test(a_name_that_only_the_page_cache_has_is_not_built_upon),
      cmocka_unit_test(a_base_with_any_byte_changed_is_refused_by_name),
      cmocka_unit_test(damage_of_the_log_below_the_base_costs_no_state),
      cmocka_unit_test(what_rotted_in_the_log_goes_when_it_is_found),
      cmocka_unit_test(a_peer_that_lacks_what_the_log_has_no_more_takes_a_snapshot),
      cmocka_unit_test(power_may_go_at_every_call_of_a_merge),
  };
  return cmocka_run_group_tests(tests, allocate, release);
}
