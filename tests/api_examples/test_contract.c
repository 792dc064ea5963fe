/* What docs/reference.md says that each call leaves, where no other test says it in these words. */
#include "tests/api_examples/example.h"

#define MS UINT64_C(1000000)

static struct memory_env target;

static int refuse(void *arg, const struct sync_lost *lost) {
  (void)arg, (void)lost;
  return 1;
}
static int note(void *arg, const struct sync_damage *damage) {
  (void)damage;
  ++*(size_t *)arg;
  return 0;
}
static int count_peer(void *arg, uint32_t peer) {
  (void)peer;
  ++*(size_t *)arg;
  return 0;
}
static size_t peers_of(struct sync_engine *engine) {
  size_t peers = 0;
  assert_int_equal(sync_peers(engine, count_peer, &peers), SYNC_OK);
  return peers;
}
/* Turns one byte in the middle of a file over. */
static void damage(const char *prefix) {
  const struct sync_env *env = &example_world.at[0].memory.env;
  const char *name = replica_file(&example_world, 0, prefix);
  assert_non_null(name);
  sync_file file;
  uint64_t size;
  uint8_t byte;
  size_t done;
  assert_int_equal(env->ops->file_open(env->ctx, name, 0, &file), SYNC_OK);
  assert_int_equal(env->ops->file_size(env->ctx, file, &size), SYNC_OK);
  assert_int_equal(env->ops->file_read(env->ctx, file, size / 2, &byte, 1, &done), SYNC_OK);
  byte ^= 0xff;
  assert_int_equal(env->ops->file_write(env->ctx, file, size / 2, &byte, 1, &done), SYNC_OK);
  assert_int_equal(env->ops->file_close(env->ctx, file), SYNC_OK);
}
static void written_and_marked(void) {
  replica_put_many(&example_world, 0, 0, 40, "value");
  replica_flush(&example_world, 0);
  replicas_advance(&example_world, 5000 * MS);
  replica_flush(&example_world, 0);
}

static void an_open_that_failed_leaves_no_engine(void **state) {
  (void)state;
  (void)example_begin(1);
  written_and_marked();
  replica_close(&example_world, 0);
  damage("wal-");
  struct replica *replica = &example_world.at[0];
  struct sync_engine *engine = (struct sync_engine *)&example_world; /* no pointer of an engine */
  uint64_t writes = replica->memory.writes;
  assert_int_equal(sync_open(&engine, &replica->memory.env, &replica->options, NULL), SYNC_E_DAMAGED);
  assert_null(engine);
  assert_int_equal(replica->memory.writes, writes);
  assert_int_equal(replica_files(&example_world, 0, "bad-"), 0);
  example_end();
}

static void a_repair_that_was_ended_may_be_made_again(void **state) {
  (void)state;
  (void)example_begin(1);
  written_and_marked();
  replica_close(&example_world, 0);
  damage("wal-");
  struct replica *replica = &example_world.at[0];
  assert_int_equal(sync_open_repair(&replica->engine, &replica->memory.env, &replica->options, NULL, refuse, NULL),
                   SYNC_E_INVALID);
  assert_null(replica->engine);
  assert_int_equal(sync_open_repair(&replica->engine, &replica->memory.env, &replica->options, NULL, NULL, NULL),
                   SYNC_OK);
  assert_true(replica_files(&example_world, 0, "bad-") > 0);
  assert_true(replica_reads(&example_world, 0, "key-000", "value"));
  example_end();
}

static void a_peer_is_there_after_a_loss_of_power_once_its_position_is_durable(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  replica_flush(&example_world, 0);
  assert_int_equal(sync_peer_add(engine, "beta", NULL), SYNC_OK);
  uint64_t position = sync_appended_position(engine);
  assert_true(sync_durable_position(engine) < position);
  replica_crash(&example_world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(&example_world, 0);
  engine = example_world.at[0].engine;
  assert_int_equal(peers_of(engine), 0);
  assert_int_equal(sync_peer_add(engine, "beta", NULL), SYNC_OK);
  position = sync_appended_position(engine);
  replica_flush(&example_world, 0);
  assert_true(sync_durable_position(engine) >= position);
  replica_crash(&example_world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(&example_world, 0);
  assert_int_equal(peers_of(example_world.at[0].engine), 1);
  example_end();
}

static void a_flush_survives_the_process_once_the_durable_position_has_moved(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  example_put(0, "first", "1");
  replica_flush(&example_world, 0);
  example_put(0, "colour", "green");
  assert_int_equal(sync_flush(engine), SYNC_OK);
  /* Killed, not closed: nothing more is written. */
  replica_crash(&example_world, 0, MEMORY_ENV_KEEP_ALL, 1);
  replica_open(&example_world, 0);
  assert_true(replica_reads(&example_world, 0, "colour", "green"));
  example_end();
}

static void a_policy_is_not_stored(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  const struct sync_policy by_hand = {.kind = SYNC_MANUAL};
  assert_int_equal(sync_policy_set(engine, NULL, 0, &by_hand), SYNC_OK);
  replica_flush(&example_world, 0);
  replica_close(&example_world, 0);
  replica_open(&example_world, 0);
  assert_int_equal(sync_policy_of(example_world.at[0].engine, "a", 1).kind, SYNC_LAST_WRITE_WINS);
  example_end();
}

static void a_snapshot_that_is_wanted_is_not_taken_within_the_call(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  written_and_marked();
  uint64_t calls = example_world.at[0].memory.calls;
  uint64_t durable = sync_durable_position(engine);
  assert_int_equal(sync_snapshot(engine), SYNC_OK);
  assert_int_equal(example_world.at[0].memory.calls, calls);
  assert_int_equal(sync_durable_position(engine), durable);
  example_end();
}

static void damage_that_verify_finds_wants_a_snapshot(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  written_and_marked();
  damage("wal-");
  size_t found = 0;
  uint64_t writes = example_world.at[0].memory.writes;
  for (uint64_t position = 0; position != SYNC_VERIFIED;)
    assert_int_equal(sync_verify(engine, &position, 1024, note, &found), SYNC_OK);
  assert_int_equal(found, 1);
  assert_int_equal(example_world.at[0].memory.writes, writes);
  struct sync_stats stats = {.snapshots = 0};
  for (int i = 0; i < 100 && stats.snapshots == 0; i++) {
    replica_flush(&example_world, 0);
    replicas_advance(&example_world, MS);
    sync_stats_get(engine, &stats);
  }
  assert_int_equal(stats.snapshots, 1);
  example_end();
}

static void a_backup_that_was_ended_or_failed_opens_as_none(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  replica_put_many(&example_world, 0, 0, 40, "value");
  for (int fails = 0; fails < 2; fails++) {
    memory_env_init(&target);
    target.next_unique = 900000000;
    struct sync_backup *backup = NULL;
    bool done = false;
    assert_int_equal(sync_backup_begin(engine, &target.env, &backup), SYNC_OK);
    assert_int_equal(target.live_count, 0);
    if (fails) target.disk_bytes_max = 64;
    int status = sync_backup_step(backup, &done);
    for (uint64_t token; fails && status == SYNC_OK && !done;) {
      while (status == SYNC_OK && memory_env_complete(&target, SYNC_OK, &token))
        status = sync_backup_disk_done(backup, token, SYNC_OK);
      if (status == SYNC_OK) status = sync_backup_step(backup, &done);
    }
    assert_int_equal(status, fails ? SYNC_E_NO_SPACE : SYNC_OK);
    assert_false(done);
    if (fails) assert_int_equal(sync_backup_step(backup, &done), SYNC_E_NO_SPACE); /* final */
    sync_backup_end(backup);
    assert_int_equal(target.live_count, 0);
    memory_env_destroy(&target);
  }
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_open_that_failed_leaves_no_engine),
      cmocka_unit_test(a_repair_that_was_ended_may_be_made_again),
      cmocka_unit_test(a_peer_is_there_after_a_loss_of_power_once_its_position_is_durable),
      cmocka_unit_test(a_flush_survives_the_process_once_the_durable_position_has_moved),
      cmocka_unit_test(a_policy_is_not_stored),
      cmocka_unit_test(a_snapshot_that_is_wanted_is_not_taken_within_the_call),
      cmocka_unit_test(damage_that_verify_finds_wants_a_snapshot),
      cmocka_unit_test(a_backup_that_was_ended_or_failed_opens_as_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
