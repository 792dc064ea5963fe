/* Live backups: the state of one instant in another directory, a node of its own right. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/file_io.h"
#include "core/snapshot/block.h"
#include "core/snapshot/image.h"
#include "tests/support/replica.h"

#define MS UINT64_C(1000000)

static struct replicas *world;
static struct memory_env target;

static void begin(uint32_t count) {
  replicas_init(world, count);
  memory_env_init(&target);
  target.next_unique = 900000000;
}
static void end(void) {
  assert_int_equal(memory_env_handles(&target), 0);
  memory_env_destroy(&target);
  replicas_destroy(world);
}

static void put(uint32_t index, unsigned key, const char *value) {
  char name[16];
  (void)snprintf(name, sizeof name, "key-%04u", key);
  replica_put(world, index, name, value);
}

/* Steps until it is done or fails; `meanwhile` between them. */
static int run(struct sync_backup *backup, void (*meanwhile)(unsigned turn)) {
  bool done = false;
  int rc = SYNC_OK;
  for (unsigned i = 0; i < 10000 && rc == SYNC_OK && !done; i++) {
    rc = sync_backup_step(backup, &done);
    uint64_t token;
    while (rc == SYNC_OK && memory_env_complete(&target, SYNC_OK, &token))
      rc = sync_backup_disk_done(backup, token, SYNC_OK);
    if (meanwhile != NULL) meanwhile(i);
  }
  assert_true(done || rc != SYNC_OK);
  return rc;
}

static struct sync_digest digest_of(struct sync_engine *engine) {
  struct sync_digest kept, fresh;
  sync_digest_get(engine, &kept);
  sync_digest_recompute(engine, &fresh);
  assert_memory_equal(&kept, &fresh, sizeof kept);
  return kept;
}

static struct sync_engine *open_backup(void) {
  struct sync_engine *engine = NULL;
  struct sync_open_report report;
  int rc = sync_open(&engine, &target.env, &world->at[0].options, &report);
  if (rc != SYNC_OK) print_error("%s\n", report.detail);
  assert_int_equal(rc, SYNC_OK);
  return engine;
}

static void change_some(unsigned turn) {
  put(0, turn * 37 % 600, "written meanwhile");
  if (turn % 3 == 0) replica_delete(world, 0, "key-0007");
}

static void a_backup_is_of_one_instant_while_writing_goes_on(void **state) {
  (void)state;
  begin(1);
  char value[300];
  memset(value, 'v', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  for (unsigned i = 0; i < 600; i++)
    put(0, i, value);
  replica_flush(world, 0);
  struct sync_digest then = digest_of(world->at[0].engine);
  struct sync_backup *backup, *other;
  assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &backup), SYNC_OK);
  assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &other), SYNC_E_TOO_MANY);
  assert_int_equal(run(backup, change_some), SYNC_OK);
  sync_backup_end(backup);
  memory_env_power_loss(&target, MEMORY_ENV_LOSE_ALL, 1); /* it is durable */
  struct sync_engine *engine = open_backup();
  struct sync_digest copy = digest_of(engine);
  assert_memory_equal(&then, &copy, sizeof then);
  struct sync_sibling winner;
  assert_int_equal(sync_get(engine, "key-0007", 8, &winner), SYNC_OK);
  sync_close(engine);
  memory_env_process_crash(&target);
  /* It may write a snapshot of its own again, and another backup goes elsewhere only. */
  assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &other), SYNC_E_EXISTS);
  end();
}

static int base_of(void *arg, const char *name) {
  uint64_t position = 0, id = 0;
  bool aside = false;
  if (base_name_parse(name, &position, &id, &aside) && !aside) (void)snprintf(arg, SNAPSHOT_NAME_BYTES, "%s", name);
  return 0;
}

/* Position and id stand in the head as well: tools read them there, and a file that was renamed is told. */
static void the_head_of_a_backup_says_what_its_name_says(void **state) {
  (void)state;
  begin(1);
  for (unsigned i = 0; i < 20; i++)
    put(0, i, "value");
  replica_flush(world, 0);
  struct sync_backup *backup;
  assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &backup), SYNC_OK);
  assert_int_equal(run(backup, NULL), SYNC_OK);
  sync_backup_end(backup);
  char name[SNAPSHOT_NAME_BYTES] = "";
  assert_int_equal(file_io_list(&target.env, base_of, name), SYNC_OK);
  uint64_t position = 0, id = 0;
  bool aside = true;
  assert_true(base_name_parse(name, &position, &id, &aside));
  assert_true(position > 0);
  size_t size = 0;
  const uint8_t *bytes = memory_env_bytes(&target, name, &size);
  struct block block;
  struct image_head head;
  assert_true(size > BLOCK_HEADER_BYTES && block_peek(bytes, BLOCK_FULL_BYTES, &block) && block.type == BLOCK_HEAD);
  assert_int_equal(image_head_parse(bytes + BLOCK_HEADER_BYTES, block.size, &head), SYNC_OK);
  assert_int_equal(head.position, position);
  assert_int_equal(head.id, id);
  end();
}

static int first_origin(void *arg, const struct sync_origin *origin, uint64_t seq) {
  uint64_t *incarnation = arg;
  (void)seq;
  if (strcmp(origin->node_id, "n0") == 0) *incarnation ^= origin->incarnation;
  return 0;
}

/* The original and its copy both write on, and a third meets both: no id has two payloads. */
static void a_backup_is_a_node_of_its_own_right(void **state) {
  (void)state;
  begin(2);
  replicas_link(world, 0, 1);
  for (unsigned i = 0; i < 20; i++)
    put(0, i, "before");
  (void)replicas_settle(world, 1000);
  struct sync_backup *backup;
  assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &backup), SYNC_OK);
  assert_int_equal(run(backup, NULL), SYNC_OK);
  sync_backup_end(backup);
  put(0, 100, "by the original");
  (void)replicas_settle(world, 1000);
  /* The copy takes the original's place in the test's network. */
  replica_close(world, 0);
  struct memory_env original = world->at[0].memory;
  world->at[0].memory = target;
  world->at[0].memory.env.ctx = &world->at[0].memory;
  replica_open(world, 0);
  assert_int_not_equal(replica_peer(world, 0, 1), SYNC_PEER_NONE); /* peers come with it */
  put(0, 200, "by the copy");
  for (unsigned i = 0; i < 40; i++) {
    (void)replicas_settle(world, 1000);
    replicas_advance(world, 500 * MS);
  }
  assert_true(replica_reads(world, 0, "key-0100", "by the original"));
  assert_true(replica_reads(world, 1, "key-0200", "by the copy"));
  assert_true(replicas_agree(world));
  struct sync_stats stats;
  sync_stats_get(world->at[1].engine, &stats);
  assert_int_equal(stats.id_conflicts, 0);
  uint64_t lives = 0;
  (void)sync_vector(world->at[1].engine, false, first_origin, &lives);
  assert_true(lives != 0);
  replica_close(world, 0);
  target = world->at[0].memory;
  target.env.ctx = &target;
  world->at[0].memory = original;
  world->at[0].memory.env.ctx = &world->at[0].memory;
  end();
}

static void whatever_fails_there_leaves_nothing_that_counts(void **state) {
  (void)state;
  for (uint64_t k = 1; k < 40; k++)
    for (unsigned style = 0; style <= MEMORY_ENV_LOSSES; style++) {
      begin(1);
      for (unsigned i = 0; i < 30; i++)
        put(0, i, "value");
      replica_flush(world, 0);
      struct sync_digest then = digest_of(world->at[0].engine);
      struct sync_backup *backup;
      bool power = style < MEMORY_ENV_LOSSES;
      if (power)
        target.power_off_at = k;
      else
        target.fail_at = k, target.fail_status = SYNC_E_NO_SPACE, target.fail_after_effect = k % 2 == 0;
      int rc = sync_backup_begin(world->at[0].engine, &target.env, &backup);
      bool whole = rc == SYNC_OK && run(backup, NULL) == SYNC_OK;
      if (rc == SYNC_OK) sync_backup_end(backup);
      target.power_off_at = target.fail_at = 0;
      if (power)
        memory_env_power_loss(&target, (enum memory_env_loss)style, k);
      else
        memory_env_process_crash(&target);
      struct sync_engine *engine = NULL;
      rc = sync_open(&engine, &target.env, &world->at[0].options, NULL);
      if (whole) assert_int_equal(rc, SYNC_OK);
      if (rc == SYNC_OK) {
        struct sync_digest copy = digest_of(engine);
        if (copy.keys > 0 || whole) assert_memory_equal(&then, &copy, sizeof then);
        sync_close(engine);
        memory_env_process_crash(&target);
      }
      /* The engine has noticed nothing. */
      put(0, 1, "after");
      assert_int_equal(sync_snapshot(world->at[0].engine), SYNC_OK);
      replica_flush(world, 0);
      end();
    }
}

/* Killed at each call: the next backup goes to the same directory, unless what is there opens. After a loss of power a
 * log may be left alone, which might be anybody's. */
static void a_backup_goes_where_one_was_killed(void **state) {
  (void)state;
  unsigned again = 0;
  for (uint64_t k = 1; k < 40; k++)
    for (unsigned style = 0; style < MEMORY_ENV_LOSSES; style++) {
      begin(1);
      for (unsigned i = 0; i < 30; i++)
        put(0, i, "value");
      replica_flush(world, 0);
      struct sync_backup *backup;
      target.power_off_at = k;
      int rc = sync_backup_begin(world->at[0].engine, &target.env, &backup);
      if (rc == SYNC_OK) (void)run(backup, NULL);
      if (rc == SYNC_OK) sync_backup_end(backup);
      target.power_off_at = 0;
      memory_env_power_loss(&target, (enum memory_env_loss)style, k);
      const size_t left = target.live_count;
      rc = sync_backup_begin(world->at[0].engine, &target.env, &backup);
      if (rc == SYNC_OK) {
        assert_int_equal(target.live_count, 0);
        again += left > 0;
        assert_int_equal(run(backup, NULL), SYNC_OK);
        sync_backup_end(backup);
      } else {
        assert_int_equal(rc, SYNC_E_EXISTS);
        assert_int_equal(target.live_count, left);
      }
      if (rc == SYNC_OK || style == MEMORY_ENV_KEEP_ALL) sync_close(open_backup());
      memory_env_process_crash(&target);
      end();
    }
  assert_true(again > 10);
}

static int create(const char *name) {
  sync_file file = -1;
  int rc = target.env.ops->file_open(target.env.ctx, name, SYNC_OPEN_CREATE, &file);
  return rc == SYNC_OK ? target.env.ops->file_close(target.env.ctx, file) : rc;
}
static void what_an_engine_has_there_is_not_removed(void **state) {
  (void)state;
  static const char *const theirs[][3] = {
      {"wal-0000000000000000-00000001"},
      {"wal-0000000000000070-00000001"},
      {"wal-0000000000000070-00000001.new"},
      {"base-0000000000000070-00000000000000aa"},
      {"base-0000000000000070-00000000000000aa.new", "wal-0000000000000000-00000001"},
      {"base-0000000000000070-00000000000000aa.new", "wal-0000000000000070-00000002"},
      {"base-0000000000000070-00000000000000aa.new", "base-0000000000000060-00000000000000bb.new"},
      {"base-0000000000000070-00000000000000aa.new", "wal-0000000000000070-00000001",
       "base-0000000000000060-00000000000000bb"},
      {"base-0000000000000070-00000000000000aa.new", "wal-0000000000000070-00000001", "wal-0000000000000080-00000001"},
      {"stage-00000000000000aa"},
  };
  for (size_t i = 0; i < sizeof theirs / sizeof theirs[0]; i++) {
    begin(1);
    put(0, 1, "value");
    for (size_t k = 0; k < 3 && theirs[i][k] != NULL; k++)
      assert_int_equal(create(theirs[i][k]), SYNC_OK);
    const size_t count = target.live_count;
    struct sync_backup *backup;
    assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &backup), SYNC_E_EXISTS);
    assert_int_equal(target.live_count, count);
    end();
  }
}

static void closing_the_engine_ends_its_backup(void **state) {
  (void)state;
  begin(1);
  put(0, 1, "value");
  struct sync_backup *backup;
  bool done = false;
  assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &backup), SYNC_OK);
  sync_backup_end(backup);
  sync_backup_end(NULL);
  assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &backup), SYNC_OK);
  assert_int_equal(sync_backup_step(backup, &done), SYNC_OK); /* begun */
  sync_backup_end(backup);
  assert_int_equal(target.live_count, 0);
  end();
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
      cmocka_unit_test(a_backup_is_of_one_instant_while_writing_goes_on),
      cmocka_unit_test(the_head_of_a_backup_says_what_its_name_says),
      cmocka_unit_test(a_backup_is_a_node_of_its_own_right),
      cmocka_unit_test(whatever_fails_there_leaves_nothing_that_counts),
      cmocka_unit_test(a_backup_goes_where_one_was_killed),
      cmocka_unit_test(what_an_engine_has_there_is_not_removed),
      cmocka_unit_test(closing_the_engine_ends_its_backup),
  };
  return cmocka_run_group_tests(tests, allocate, release);
}
