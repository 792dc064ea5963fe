/* Fetching and serving snapshots, where files, peers and calls do what they should not. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/support/replica.h"

#define MS UINT64_C(1000000)

static struct replicas *world;

static void begin_with(uint32_t count, uint64_t retain_bytes) {
  replicas_init(world, count);
  for (uint32_t i = 0; i < count; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256;
    world->at[i].options.segment_bytes = retain_bytes > 1024 ? 16384 : 1024;
    world->at[i].options.snapshot_bytes = UINT64_MAX; /* only when asked */
    world->at[i].options.retain_bytes = retain_bytes;
    replica_open(world, i);
  }
}
static void begin(uint32_t count) {
  begin_with(count, 1);
}

/* One frame each way at most; fsyncs are left to the caller. */
static void exchange(void) {
  for (uint32_t i = 0; i < world->count; i++) {
    if (world->at[i].engine == NULL) continue;
    world->at[i].memory.mono_ns += MS;
    int rc = sync_tick(world->at[i].engine, NULL);
    (void)rc;
    (void)replica_collect(world, i);
  }
  while (world->frame_count > 0) {
    int rc = replicas_deliver(world, 0, false);
    (void)rc;
  }
}

/* Until n1 has fetched all of n0's snapshot and waits for its fsync. */
static void fetch_whole(void) {
  replica_put_many(world, 0, 0, 100, "lag");
  replica_snapshot(world, 0);
  replicas_link(world, 0, 1);
  replica_flush(world, 1);
  for (unsigned i = 0; i < 4000 && world->at[1].engine->fetch.stage != FETCH_SYNC_FILE; i++) {
    exchange();
    replica_flush(world, 0);
  }
  assert_int_equal(world->at[1].engine->fetch.stage, FETCH_SYNC_FILE);
}

/* Completes n1's fsyncs one by one; the one of the staged file with that result. */
static int complete_stage(int result) {
  struct replica *replica = &world->at[1];
  for (;;) {
    assert_true(replica->memory.pending_count > 0);
    bool ours = replica->memory.pending[0].token == replica->engine->fetch.token;
    int given = ours ? result : SYNC_OK;
    uint64_t token = 0;
    (void)memory_env_complete(&replica->memory, given, &token);
    int rc = sync_disk_done(replica->engine, token, given);
    if (ours) return rc;
    assert_int_equal(rc, SYNC_OK);
  }
}

static void complete_until_merged(void) {
  struct replica *replica = &world->at[1];
  for (unsigned i = 0; i < 20000; i++) {
    uint64_t token = 0;
    if (replica->engine->merges.count > 0) {
      const struct engine_merge *merge = replica->engine->merges.items;
      if (wal_durable_position(replica->engine->wal) >= merge->end) return;
      assert_true(sync_commit(replica->engine) == SYNC_OK);
    }
    if (memory_env_complete(&replica->memory, SYNC_OK, &token))
      assert_int_equal(sync_disk_done(replica->engine, token, SYNC_OK), SYNC_OK);
    else
      exchange();
    replica_flush(world, 0);
  }
  fail();
}

static void what_an_fsync_did_not_make_durable_is_written_again_before_the_log_names_it(void **state) {
  (void)state;
  begin(2);
  fetch_whole();
  assert_int_equal(complete_stage(SYNC_E_IO), SYNC_E_FAILED); /* the pages are clean now, and on no disk */
  replica_close(world, 1);
  replicas_drop_all(world);
  replica_open(world, 1);
  complete_until_merged();
  replica_crash(world, 1, MEMORY_ENV_LOSE_ALL, 1);
  replicas_drop_all(world);
  replica_open(world, 1);
  replicas_settle_for(world, 8000 * MS);
  assert_true(replica_reads(world, 1, "key-050", "lag"));
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* --- What is staged goes bad ------------------------------------------------------------- */

static void a_staged_snapshot_that_goes_bad_is_fetched_again(void **state) {
  (void)state;
  begin(2);
  fetch_whole();
  size_t size = 0;
  (void)memory_env_bytes(&world->at[1].memory, replica_file(world, 1, "stage-"), &size);
  memory_env_flip(&world->at[1].memory, replica_file(world, 1, "stage-"), size / 2);
  replicas_settle_for(world, 30000 * MS);
  assert_true(replica_reads(world, 1, "key-050", "lag"));
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* Nothing proves that the name of n1's base is durable, so that an older base and what was merged since may be needed
 * yet: what is staged is not written anew over it before there is a base that is proven. */
static void what_was_staged_and_is_not_whole_is_fetched_again_in_the_next_life(void **state) {
  (void)state;
  for (size_t left = 0; left < 2; left++) {
    begin(2);
    replica_put_many(world, 1, 200, 230, "own");
    replica_snapshot(world, 1);
    fetch_whole();
    replica_close(world, 1);
    replicas_drop_all(world);
    memory_env_cut(&world->at[1].memory, replica_file(world, 1, "stage-"), left);
    replica_open(world, 1);
    replicas_settle_for(world, 30000 * MS);
    assert_true(replica_reads(world, 1, "key-050", "lag"));
    assert_true(replicas_agree(world));
    replicas_destroy(world);
  }
}

static void a_staged_snapshot_that_cannot_be_read_any_more_is_fetched_again(void **state) {
  (void)state;
  begin(2);
  fetch_whole();
  struct replica *receiver = &world->at[1];
  memory_env_fail(&receiver->memory, &(struct memory_env_fault){.call = MEMORY_ENV_READ, .status = SYNC_E_IO}, 1, 3);
  replicas_settle_for(world, 30000 * MS);
  memory_env_heal(&receiver->memory);
  replicas_settle_for(world, 30000 * MS);
  assert_true(replica_reads(world, 1, "key-050", "lag"));
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* --- Frames that ask for what is not there -------------------------------------------------- */

static int forge_fetch(uint32_t at, uint32_t from, uint64_t id, uint64_t offset) {
  uint8_t bytes[256];
  struct bytes_writer writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
  fetch_write(&writer,
              &(struct fetch_request){.id = id, .offset = offset, .until = offset + 4096, .flags = FETCH_FLAG_LOST});
  size_t size = frame_finish(&writer, FRAME_FETCH, world->at[at].options.cluster_id);
  return sync_receive(world->at[at].engine, replica_peer(world, at, from), bytes, size);
}

static void a_request_from_within_a_block_says_nothing_about_the_snapshot(void **state) {
  (void)state;
  begin(2);
  replica_put_many(world, 0, 0, 300, "v");
  replicas_link(world, 0, 1);
  replicas_settle_for(world, 2000 * MS);
  replica_snapshot(world, 0);
  struct sync_stats before = replica_stats(world, 0);
  uint64_t id = world->at[0].engine->compaction.base.id;
  for (uint64_t offset = 1; offset < before.snapshot_bytes; offset += 97) {
    int rc = forge_fetch(0, 1, id, offset);
    (void)rc;
    (void)replica_collect(world, 0);
    replicas_drop_all(world);
    assert_false(world->at[0].engine->compaction.unreadable);
  }
  replicas_settle_for(world, 5000 * MS);
  assert_int_equal(replica_stats(world, 0).snapshots, before.snapshots);
  /* One that has gone bad is not served, whoever asks for it how. */
  size_t size = 0;
  (void)memory_env_bytes(&world->at[0].memory, replica_file(world, 0, "base-"), &size);
  memory_env_flip(&world->at[0].memory, replica_file(world, 0, "base-"), 40);
  assert_int_equal(forge_fetch(0, 1, id, 0), SYNC_OK);
  replicas_settle_for(world, 5000 * MS);
  assert_int_equal(replica_stats(world, 0).snapshots, before.snapshots + 1);
  replicas_destroy(world);
}

/* --- What is believed of the sender ----------------------------------------------------------- */

static void an_offer_of_a_session_that_is_over_says_nothing_of_the_next(void **state) {
  (void)state;
  begin(2);
  fetch_whole();
  uint64_t id = world->at[1].engine->fetch.id, size = world->at[1].engine->fetch.size;
  assert_int_equal(complete_stage(SYNC_OK), SYNC_OK); /* durable, but its name is not, so it is not merged */
  /* An offer of n0's that comes late. */
  uint8_t late[512];
  struct bytes_writer writer = frame_begin(late, sizeof late - FRAME_TRAILER_BYTES);
  hello_write_head(&writer, &(struct hello){.limits_hash = world->at[1].engine->limits_hash,
                                            .node_id = (const uint8_t *)"n0",
                                            .node_id_size = 2,
                                            .session = world->at[0].engine->session,
                                            .nonce = 77,
                                            .echo = 78,
                                            .known_session = world->at[1].engine->session,
                                            .snapshot_id = id,
                                            .snapshot_size = size});
  bytes_write_varint(&writer, 0); /* no peers */
  size_t late_size = frame_finish(&writer, FRAME_HELLO, world->at[1].options.cluster_id);
  replica_crash(world, 1, MEMORY_ENV_KEEP_ALL, 1);
  replicas_drop_all(world);
  /* n0 loses its disk. */
  replica_close(world, 0);
  while (world->at[0].memory.live_count > 0)
    memory_env_remove(&world->at[0].memory, world->at[0].memory.live[0].name);
  replica_open(world, 0);
  replica_open(world, 1);
  assert_int_equal(sync_peer_add(world->at[0].engine, "n1", NULL), SYNC_OK);
  replicas_settle_for(world, 2000 * MS);
  int rc = sync_receive(world->at[1].engine, replica_peer(world, 1, 0), late, late_size);
  (void)rc;
  replicas_settle_for(world, 30000 * MS);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  assert_true(replica_reads(world, 1, "key-050", "lag"));
  assert_true(replica_reads(world, 0, "key-050", "lag"));
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* --- Transfers that take long --------------------------------------------------------------- */

/* n1 takes one block of n0's snapshot for each two snapshots that n0 takes. */
static void a_transfer_ends_whatever_snapshots_are_taken_meanwhile(void **state) {
  (void)state;
  begin_with(2, 1024 * 1024);
  char value[200];
  memset(value, 'v', sizeof value - 1);
  value[sizeof value - 1] = '\0';
  replica_put_many(world, 0, 0, 999, value);
  world->at[0].engine->options.retain_bytes = 1;
  replica_snapshot(world, 0);
  world->at[0].engine->options.retain_bytes = 1024 * 1024;
  replicas_link(world, 0, 1);
  replica_flush(world, 1);
  unsigned rounds = 0;
  for (; rounds < 2000 && replica_stats(world, 1).merges == 0; rounds++) {
    if (rounds % 8 == 0) {
      replica_put_many(world, 0, rounds % 999, rounds % 999 + 1, "new");
      replica_snapshot(world, 0);
    }
    for (uint32_t i = 0; i < 2; i++) {
      (void)replica_collect(world, i);
      replica_flush(world, i);
    }
    /* The link carries one block in a round. */
    bool carried = false;
    while (world->frame_count > 0) {
      if (replicas_frame_type(world, 0) == FRAME_BLOCK && carried) {
        replicas_drop(world, 0);
        continue;
      }
      carried = carried || replicas_frame_type(world, 0) == FRAME_BLOCK;
      assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    }
    replicas_advance(world, 1000 * MS);
  }
  assert_true(rounds < 1000);
  replicas_settle_for(world, 10000 * MS);
  /* What came behind it went as operations: the log had kept them. */
  assert_int_equal(replica_stats(world, 1).merges, 1);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* --- Files -------------------------------------------------------------------------------------- */

static void transfers_that_end_nowhere_leave_two_files(void **state) {
  (void)state;
  begin(2);
  replica_put_many(world, 0, 0, 300, "v");
  replicas_link(world, 0, 1);
  replicas_settle_for(world, 2000 * MS);
  for (uint64_t id = 1000; id < 1010; id++) {
    uint8_t bytes[512];
    struct bytes_writer writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
    hello_write_head(&writer, &(struct hello){.limits_hash = world->at[1].engine->limits_hash,
                                              .node_id = (const uint8_t *)"n0",
                                              .node_id_size = 2,
                                              .session = world->at[0].engine->session,
                                              .nonce = 77,
                                              .echo = 78,
                                              .known_session = world->at[1].engine->session,
                                              .snapshot_id = id,
                                              .snapshot_size = 100000});
    bytes_write_varint(&writer, 0); /* no peers */
    size_t size = frame_finish(&writer, FRAME_HELLO, world->at[1].options.cluster_id);
    assert_int_equal(sync_receive(world->at[1].engine, replica_peer(world, 1, 0), bytes, size), SYNC_OK);
    replicas_settle_for(world, 60000 * MS);
    assert_int_equal(world->at[1].engine->fetch.stage, FETCH_IDLE);
    assert_true(replica_files(world, 1, "stage-") <= 2);
  }
  replicas_destroy(world);
}

/* A segment of the log may be missing only where the log says so. */
static void a_base_without_its_log_is_refused(void **state) {
  (void)state;
  begin(1);
  replica_put_many(world, 0, 0, 20, "v");
  replica_snapshot(world, 0);
  replica_put_many(world, 0, 20, 40, "behind the base");
  replica_close(world, 0);
  while (replica_file(world, 0, "wal-") != NULL)
    memory_env_remove(&world->at[0].memory, replica_file(world, 0, "wal-"));
  struct replica *replica = &world->at[0];
  int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
  assert_int_equal(rc, SYNC_E_DAMAGED);
  assert_int_equal(replica->memory.blocks, 0);
  replica->engine = NULL;
  replicas_destroy(world);
}

static void a_base_whose_log_begins_behind_it_is_refused(void **state) {
  (void)state;
  begin(1);
  replica_put_many(world, 0, 0, 20, "v");
  replica_snapshot(world, 0);
  replica_put_many(world, 0, 20, 99, "behind the base");
  replica_close(world, 0);
  assert_true(replica_files(world, 0, "wal-") > 2);
  struct replica *replica = &world->at[0];
  char first[64] = "wal-z";
  for (size_t i = 0; i < replica->memory.live_count; i++) {
    const char *name = replica->memory.live[i].name;
    if (strncmp(name, "wal-", 4) == 0 && strcmp(name, first) < 0) (void)snprintf(first, sizeof first, "%s", name);
  }
  memory_env_remove(&replica->memory, first);
  int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
  assert_int_equal(rc, SYNC_E_DAMAGED);
  assert_int_equal(replica->memory.blocks, 0);
  replica->engine = NULL;
  replicas_destroy(world);
}

/* A snapshot that cannot be merged for now must not keep our own from being taken. */
static void a_merge_that_waits_for_room_keeps_no_snapshot_from_being_taken(void **state) {
  (void)state;
  begin(2);
  replica_close(world, 1);
  world->at[1].options.store_bytes_max = 4096;
  replica_open(world, 1);
  replica_put_many(world, 0, 0, 100, "more than n1 has room for");
  replica_snapshot(world, 0);
  replica_put_many(world, 1, 500, 505, "v");
  replicas_link(world, 0, 1);
  replicas_settle_for(world, 3000 * MS);
  assert_int_equal(world->at[1].engine->fetch.stage, FETCH_MERGE);
  uint64_t before = replica_stats(world, 1).snapshots;
  assert_int_equal(sync_snapshot(world->at[1].engine), SYNC_OK);
  /* A slow disk: one fsync in 700 ms. */
  for (unsigned i = 0; i < 60; i++) {
    for (unsigned k = 0; k < 7; k++)
      replicas_advance(world, 100 * MS);
    for (uint32_t n = 0; n < 2; n++)
      (void)replica_collect(world, n);
    replicas_drop_all(world);
    replica_flush(world, 0);
    uint64_t token = 0;
    if (memory_env_complete(&world->at[1].memory, SYNC_OK, &token))
      assert_int_equal(sync_disk_done(world->at[1].engine, token, SYNC_OK), SYNC_OK);
  }
  assert_true(replica_stats(world, 1).snapshots > before);
  replicas_destroy(world);
}

static void a_transfer_for_which_there_is_no_room_leaves_the_log_what_there_is(void **state) {
  (void)state;
  begin(2);
  replica_put_many(world, 0, 0, 300, "some value that takes room");
  replica_snapshot(world, 0);
  replica_put(world, 1, "first", "v");
  replica_flush(world, 1);
  struct replica *receiver = &world->at[1];
  uint64_t used = 0;
  for (size_t i = 0; i < receiver->memory.live_count; i++) {
    size_t size = 0;
    (void)memory_env_bytes(&receiver->memory, receiver->memory.live[i].name, &size);
    used += size;
  }
  receiver->memory.disk_bytes_max = used + 6000; /* the snapshot is longer */
  assert_true(replica_stats(world, 0).snapshot_bytes > 7000);
  replicas_link(world, 0, 1);
  for (unsigned i = 0; i < 40; i++) {
    for (uint32_t n = 0; n < 2; n++) {
      (void)replica_collect(world, n);
      replica_flush(world, n);
    }
    while (world->frame_count > 0) {
      int rc = replicas_deliver(world, 0, false);
      assert_true(rc == SYNC_OK || rc == SYNC_E_NO_SPACE);
    }
    replicas_advance(world, 50 * MS);
  }
  assert_int_equal(replica_files(world, 1, "stage-"), 0);
  for (unsigned i = 0; i < 10; i++) {
    replica_put(world, 1, "own", "goes on");
    replica_flush(world, 1);
  }
  receiver->memory.disk_bytes_max = 0;
  replicas_settle_for(world, 40000 * MS);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* --- Own operations that came back --------------------------------------------------------------- */

struct owed {
  uint64_t count, bits[2]; /* by seq, of each life */
  uint64_t lives[2];
  bool twice;
};
static int owe(void *arg, const struct sync_outbox_entry *entry) {
  struct owed *owed = arg;
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(world->at[0].engine, entry->peer, &info), SYNC_OK);
  if (strcmp(info.node_id, "n2") != 0) return 0;
  unsigned life = owed->lives[0] == 0 || owed->lives[0] == entry->dot.origin.incarnation ? 0 : 1;
  owed->lives[life] = entry->dot.origin.incarnation;
  owed->twice = owed->twice || (owed->bits[life] >> entry->dot.seq & 1u) != 0;
  owed->bits[life] |= UINT64_C(1) << entry->dot.seq;
  owed->count++;
  return 0;
}

static void an_operation_that_a_merge_jumped_over_is_owed_once(void **state) {
  (void)state;
  begin_with(3, 1024 * 1024);
  replica_close(world, 1);
  world->at[1].options.segment_bytes = 1024;
  world->at[1].options.retain_bytes = 1;
  replica_open(world, 1);
  replica_close(world, 2); /* n2 is never heard of */
  assert_int_equal(sync_peer_add(world->at[0].engine, "n2", NULL), SYNC_OK);
  replicas_link(world, 0, 1);
  replica_put_many(world, 0, 0, 2, "an older life");
  replicas_settle_for(world, 1000 * MS);
  replica_close(world, 0);
  replica_open(world, 0);
  replica_put_many(world, 0, 2, 4, "in the backup");
  replicas_settle_for(world, 1000 * MS);
  struct {
    char name[64];
    uint8_t *bytes;
    size_t size;
  } backup[4] = {0};
  size_t files = world->at[0].memory.live_count;
  assert_true(files <= 4);
  for (size_t i = 0; i < files; i++) {
    (void)snprintf(backup[i].name, sizeof backup[i].name, "%s", world->at[0].memory.live[i].name);
    const uint8_t *bytes = memory_env_bytes(&world->at[0].memory, backup[i].name, &backup[i].size);
    backup[i].bytes = malloc(backup[i].size);
    assert_non_null(backup[i].bytes);
    memcpy(backup[i].bytes, bytes, backup[i].size);
  }
  replica_put_many(world, 0, 4, 40, "behind the backup");
  replicas_settle_for(world, 1000 * MS);

  replica_snapshot(world, 1); /* from now on n1 sends a snapshot */
  replica_close(world, 0);
  while (world->at[0].memory.live_count > 0)
    memory_env_remove(&world->at[0].memory, world->at[0].memory.live[0].name);
  for (size_t i = 0; i < files; i++) {
    memory_env_put(&world->at[0].memory, backup[i].name, backup[i].bytes, backup[i].size);
    free(backup[i].bytes);
  }
  replica_open(world, 0);
  replicas_settle_for(world, 2000 * MS);
  assert_int_equal(replica_stats(world, 0).merges, 1);
  struct owed owed = {0};
  assert_int_equal(sync_outbox(world->at[0].engine, owe, &owed), SYNC_OK);
  assert_int_equal(owed.count, 40);
  assert_false(owed.twice);
  replicas_destroy(world);
}

/* What a merge brought is in no log of n1's and not in its base: until there is another one, nobody is offered any. */
static void a_base_from_before_a_merge_is_offered_to_nobody(void **state) {
  (void)state;
  begin(3);
  replica_put_many(world, 1, 200, 260, "of n1");
  replica_snapshot(world, 1);
  uint64_t old = world->at[1].engine->compaction.base.id;
  world->at[1].engine->compaction.due_ns = UINT64_MAX; /* the next one is long in coming */
  replica_put_many(world, 0, 0, 100, "lag");
  replica_snapshot(world, 0);
  replicas_link(world, 0, 1);
  for (unsigned i = 0; i < 4000 && replica_stats(world, 1).merges == 0; i++) {
    exchange();
    replica_flush(world, 0);
    uint64_t token = 0;
    if (replica_stats(world, 1).merges == 0 && memory_env_complete(&world->at[1].memory, SYNC_OK, &token))
      assert_int_equal(sync_disk_done(world->at[1].engine, token, SYNC_OK), SYNC_OK);
  }
  assert_int_equal(replica_stats(world, 1).merges, 1);
  assert_int_equal(world->at[1].engine->compaction.stage, COMPACTION_IDLE);
  replicas_link(world, 1, 2);
  replicas_settle_for(world, 8000 * MS);
  assert_int_equal(world->at[1].engine->compaction.base.id, old);
  assert_int_equal(replica_stats(world, 2).merges, 0);
  assert_int_equal(replica_stats(world, 2).blocks_in, 0);
  world->at[1].engine->compaction.due_ns = 0;
  replicas_settle_for(world, 30000 * MS);
  assert_int_equal(replica_stats(world, 2).merges, 1);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* What a life had seen of its node's others is everywhere the same: in the log, in a base, in what a peer merged. */
static void check_births(uint32_t index, uint32_t like) {
  const struct origins *origins = &world->at[index].engine->state.origins;
  const struct origins *others = &world->at[like].engine->state.origins;
  assert_int_equal(origins_count(origins), origins_count(others));
  for (size_t i = 0; i < origins_count(origins); i++) {
    const struct origin *origin = origins_sorted(origins, i), *other = origins_sorted(others, i);
    assert_int_equal(origin_compare(origin, other), 0);
    assert_int_equal(origin->birth_count, other->birth_count);
    assert_int_equal(origin->covered, other->covered);
  }
}

static void births_come_with_a_snapshot(void **state) {
  (void)state;
  begin(2);
  for (unsigned life = 0; life < 6; life++) {
    replica_put_many(world, 0, life, life + 30, "v");
    replica_close(world, 0);
    replica_open(world, 0);
  }
  size_t births = 0;
  for (size_t i = 0; i < origins_count(&world->at[0].engine->state.origins); i++)
    births += origins_at(&world->at[0].engine->state.origins, i)->birth_count;
  assert_int_equal(births, 5);
  replica_snapshot(world, 0);
  replicas_link(world, 0, 1);
  replicas_settle_for(world, 8000 * MS);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  check_births(1, 0);
  replica_close(world, 0);
  replica_open(world, 0); /* from its base */
  births = 0;
  for (size_t i = 0; i < origins_count(&world->at[0].engine->state.origins); i++)
    births += origins_at(&world->at[0].engine->state.origins, i)->birth_count;
  assert_int_equal(births, 5);
  check_births(1, 0);
  replicas_destroy(world);
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
      cmocka_unit_test(what_an_fsync_did_not_make_durable_is_written_again_before_the_log_names_it),
      cmocka_unit_test(a_staged_snapshot_that_goes_bad_is_fetched_again),
      cmocka_unit_test(what_was_staged_and_is_not_whole_is_fetched_again_in_the_next_life),
      cmocka_unit_test(a_staged_snapshot_that_cannot_be_read_any_more_is_fetched_again),
      cmocka_unit_test(a_request_from_within_a_block_says_nothing_about_the_snapshot),
      cmocka_unit_test(an_offer_of_a_session_that_is_over_says_nothing_of_the_next),
      cmocka_unit_test(a_transfer_ends_whatever_snapshots_are_taken_meanwhile),
      cmocka_unit_test(transfers_that_end_nowhere_leave_two_files),
      cmocka_unit_test(a_base_without_its_log_is_refused),
      cmocka_unit_test(a_transfer_for_which_there_is_no_room_leaves_the_log_what_there_is),
      cmocka_unit_test(an_operation_that_a_merge_jumped_over_is_owed_once),
      cmocka_unit_test(a_base_from_before_a_merge_is_offered_to_nobody),
      cmocka_unit_test(a_base_whose_log_begins_behind_it_is_refused),
      cmocka_unit_test(births_come_with_a_snapshot),
      cmocka_unit_test(a_merge_that_waits_for_room_keeps_no_snapshot_from_being_taken),
  };
  return cmocka_run_group_tests(tests, allocate, release);
}
