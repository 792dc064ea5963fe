/* After a restart: the store, the outbox and every id, whatever the power loss left of what was being written. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
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
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 100);
}

/* Power is lost, and comes back. */
static void restart(enum memory_env_loss style, uint64_t seed) {
  replicas_drop_all(world);
  replica_crash(world, 0, style, seed);
  replica_open(world, 0);
}

static void what_was_put_and_deleted_is_so_after_a_restart(void **state) {
  (void)state;
  begin(1);
  replica_put(world, 0, "k1", "alpha");
  replica_put(world, 0, "k2", "beta");
  replica_delete(world, 0, "k1");
  struct sync_digest before, after;
  sync_digest_get(engine(), &before);
  replica_flush(world, 0);
  restart(MEMORY_ENV_LOSE_ALL, 1);
  assert_true(replica_reads(world, 0, "k1", NULL));
  assert_true(replica_reads(world, 0, "k2", "beta"));
  sync_digest_get(engine(), &after);
  assert_memory_equal(&before, &after, sizeof before);
  replicas_destroy(world);
}

static void what_came_from_a_peer_is_there_after_a_restart(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 1, "k", "payload");
  (void)replicas_settle(world, 60);
  restart(MEMORY_ENV_LOSE_ALL, 1);
  struct sync_sibling given;
  assert_int_equal(sync_get(engine(), "k", 1, &given), SYNC_OK);
  assert_true(given.value_size == 7 && memcmp(given.value, "payload", 7) == 0);
  assert_string_equal(given.dot.origin.node_id, "n1");
  assert_true(given.dot.origin.incarnation == dot.origin.incarnation && given.dot.seq == dot.seq);
  replicas_destroy(world);
}

/* Every entry, by its id, for every peer, whatever else the power loss took. */
static void the_outbox_is_there_after_a_restart(void **state) {
  (void)state;
  for (uint32_t style = 0; style < MEMORY_ENV_LOSSES; style++)
    for (uint64_t seed = 1; seed <= 8; seed++) {
      begin(3);
      struct sync_dot dots[5];
      for (uint32_t i = 0; i < 5; i++)
        dots[i] = outbox_put(world, 0, "k", "v");
      replica_flush(world, 0);
      replica_put(world, 0, "l", "promised to nobody: it may go");
      assert_int_equal(sync_flush(engine()), SYNC_OK);
      restart((enum memory_env_loss)style, seed);
      uint64_t more = sync_outbox_size(engine()) - 5;
      assert_true(more <= 1);
      assert_int_equal(outbox_entries(world, 0), 2 * (5 + more));
      replica_flush(world, 0);
      for (uint32_t i = 0; i < 5; i++)
        for (uint32_t to = 1; to < 3; to++)
          assert_int_equal(outbox_status_of(world, 0, to, &dots[i]), SYNC_OUTBOX_QUEUED);
      (void)replicas_settle(world, 200);
      assert_int_equal(sync_outbox_size(engine()), 0);
      assert_true(replica_reads(world, 1, "k", "v") && replica_reads(world, 2, "k", "v"));
      assert_int_equal(replica_stats(world, 1).applied_remote, 5 + more);
      replicas_destroy(world);
    }
}

static void what_was_in_flight_is_sent_again_after_a_restart_and_applied_once(void **state) {
  (void)state;
  begin(2);
  struct sync_dot lost = outbox_put(world, 0, "a", "1");
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  replicas_drop_all(world);
  struct sync_dot came = outbox_put(world, 0, "b", "2");
  assert_int_equal(sync_peer_retry(engine(), replica_peer(world, 0, 1)), SYNC_OK);
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  while (world->frame_count > 0) /* n1 has both, and n0 does not hear of it */
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  restart(MEMORY_ENV_LOSE_ALL, 1);
  assert_int_equal(sync_outbox_size(engine()), 2);
  (void)replicas_settle(world, 100);
  assert_int_equal(outbox_status_of(world, 0, 1, &lost), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(outbox_status_of(world, 0, 1, &came), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(replica_stats(world, 1).applied_remote, 2);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void what_was_acknowledged_before_a_restart_is_not_sent_again(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dots[20];
  for (uint32_t i = 0; i < 20; i++)
    dots[i] = outbox_put(world, 0, "k", "v");
  (void)replicas_settle(world, 60);
  assert_int_equal(sync_outbox_size(engine()), 0);
  restart(MEMORY_ENV_LOSE_ALL, 1);
  (void)replicas_settle(world, 100);
  for (uint32_t i = 0; i < 20; i++)
    assert_int_equal(outbox_status_of(world, 0, 1, &dots[i]), SYNC_OUTBOX_ACKNOWLEDGED);
  assert_int_equal(replica_stats(world, 0).ops_out, 0);
  assert_int_equal(replica_stats(world, 1).duplicates, 0);
  replicas_destroy(world);
}

static void what_failed_before_a_restart_is_queued_after_it(void **state) {
  (void)state;
  begin(2);
  struct sync_dot dot = outbox_put(world, 0, "k", "v");
  outbox_park(world, 0, 1);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_FAILED);
  restart(MEMORY_ENV_LOSE_ALL, 1);
  replica_flush(world, 0);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_QUEUED);
  assert_int_equal(outbox_peer(world, 0, 1).retries, 0);
  (void)replicas_settle(world, 100);
  assert_int_equal(outbox_status_of(world, 0, 1, &dot), SYNC_OUTBOX_ACKNOWLEDGED);
  replicas_destroy(world);
}

/* Also of what was lost with the power: somebody may have seen it. */
static void no_id_is_given_twice_whatever_was_lost(void **state) {
  (void)state;
  enum { LIVES = 24, EACH = 3 };
  begin(1);
  struct sync_dot given[LIVES * EACH] = {{.seq = 0}};
  size_t count = 0;
  for (uint32_t life = 0; life < LIVES; life++) {
    for (uint32_t i = 0; i < EACH; i++) {
      struct sync_dot dot = outbox_put(world, 0, "k", "v");
      for (size_t before = 0; before < count; before++)
        assert_false(given[before].seq == dot.seq && given[before].origin.incarnation == dot.origin.incarnation);
      given[count++] = dot;
      if (i == life % EACH) replica_flush(world, 0); /* what comes after is lost */
    }
    restart(MEMORY_ENV_LOSE_ALL, life);
  }
  replicas_destroy(world);
}

static void what_is_written_behind_a_torn_record_is_read_again(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    static const enum memory_env_loss styles[] = {MEMORY_ENV_PREFIX, MEMORY_ENV_SECTORS, MEMORY_ENV_GARBAGE};
    begin(1);
    char key[8];
    for (uint32_t life = 0; life < 4; life++) {
      (void)snprintf(key, sizeof key, "key-%u", (unsigned)life);
      replica_put(world, 0, key, "promised");
      replica_flush(world, 0);
      for (uint32_t i = 0; i < 4; i++)
        replica_put(world, 0, "torn", "a record that power is lost in, longer than a sector of the disk is");
      assert_int_equal(sync_flush(engine()), SYNC_OK);
      restart(styles[seed % 3], seed * 10 + life);
    }
    restart(MEMORY_ENV_LOSE_ALL, seed);
    for (uint32_t life = 0; life < 4; life++) {
      (void)snprintf(key, sizeof key, "key-%u", (unsigned)life);
      assert_true(replica_reads(world, 0, key, "promised"));
    }
    replicas_destroy(world);
  }
}

struct file {
  char name[64];
  uint8_t *bytes;
  size_t size;
};

static size_t files_save(struct file *files, size_t room) {
  struct memory_env *memory = &world->at[0].memory;
  assert_true(memory->live_count <= room);
  for (size_t i = 0; i < memory->live_count; i++) {
    memcpy(files[i].name, memory->live[i].name, sizeof files[i].name);
    const uint8_t *bytes = memory_env_bytes(memory, files[i].name, &files[i].size);
    files[i].bytes = malloc(files[i].size + 1);
    assert_true(bytes != NULL && files[i].bytes != NULL);
    memcpy(files[i].bytes, bytes, files[i].size);
  }
  return memory->live_count;
}

static void files_restore(const struct file *files, size_t count) {
  struct memory_env *memory = &world->at[0].memory;
  while (memory->live_count > 0) {
    char name[64];
    memcpy(name, memory->live[0].name, sizeof name);
    memory_env_remove(memory, name);
  }
  for (size_t i = 0; i < count; i++)
    memory_env_put(memory, files[i].name, files[i].bytes, files[i].size);
}

/* Opens with one file as it is given: all that was there before must be there, or the open is refused. True: it was. */
static bool open_is_refused(const struct file *files, size_t count, const struct file *damaged,
                            const struct sync_digest *before) {
  struct replica *replica = &world->at[0];
  struct sync_digest after;
  memory_env_put(&replica->memory, damaged->name, damaged->bytes, damaged->size);
  bool refused = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report) != SYNC_OK;
  if (refused) {
    replica->engine = NULL;
    assert_int_equal(replica->memory.blocks, 0);
  } else {
    sync_digest_get(engine(), &after);
    assert_memory_equal(before, &after, sizeof after);
    assert_int_equal(sync_outbox_size(engine()), 5);
  }
  replica_close(world, 0);
  files_restore(files, count);
  return refused;
}

/* Any bit of any file, in heads of records and of files too; and bytes that were written to another place. */
static void no_damage_makes_a_restart_forget_anything(void **state) {
  (void)state;
  begin(2);
  replica_close(world, 1);
  struct sync_receipt receipts[5];
  for (uint32_t i = 0; i < 5; i++)
    assert_int_equal(sync_put(engine(), i % 2 == 0 ? "a" : "b", 1, "written to the log", 18, &receipts[i]), SYNC_OK);
  const size_t record = (size_t)(receipts[3].position - receipts[2].position);
  replica_flush(world, 0);
  replicas_advance(world, UINT64_C(2000000000)); /* the quiet time, and a mark */
  replica_flush(world, 0);
  /* Only what stands behind the last record of an operation tells its damage from a record that power was lost in. */
  const size_t mark = (size_t)(sync_appended_position(engine()) - receipts[4].position);
  assert_true(mark > 0);
  struct sync_digest before;
  sync_digest_get(engine(), &before);
  replica_close(world, 0);
  struct file files[16];
  size_t count = files_save(files, 16), refused = 0, tried = 0;
  for (size_t at = 0; at < count; at++) {
    struct file damaged = files[at];
    damaged.bytes = malloc(damaged.size + 1);
    assert_non_null(damaged.bytes);
    memcpy(damaged.bytes, files[at].bytes, damaged.size);
    for (size_t bit = 0; bit < 8 * damaged.size; bit++, tried++) {
      damaged.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
      refused += open_is_refused(files, count, &damaged, &before);
      damaged.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t from = 0; from + 2 * record + mark <= damaged.size; from++) {
      memcpy(damaged.bytes + from + record, files[at].bytes + from, record);
      (void)open_is_refused(files, count, &damaged, &before);
      memcpy(damaged.bytes, files[at].bytes, damaged.size);
    }
    free(damaged.bytes);
  }
  assert_true(refused > tried / 2);
  replica_open(world, 0);
  for (size_t i = 0; i < count; i++)
    free(files[i].bytes);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_put_and_deleted_is_so_after_a_restart),
      cmocka_unit_test(what_came_from_a_peer_is_there_after_a_restart),
      cmocka_unit_test(the_outbox_is_there_after_a_restart),
      cmocka_unit_test(what_was_in_flight_is_sent_again_after_a_restart_and_applied_once),
      cmocka_unit_test(what_was_acknowledged_before_a_restart_is_not_sent_again),
      cmocka_unit_test(what_failed_before_a_restart_is_queued_after_it),
      cmocka_unit_test(no_id_is_given_twice_whatever_was_lost),
      cmocka_unit_test(what_is_written_behind_a_torn_record_is_read_again),
      cmocka_unit_test(no_damage_makes_a_restart_forget_anything),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
