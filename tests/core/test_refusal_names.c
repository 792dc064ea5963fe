/* Every error that core/env.h names, provoked through the public API; one table says how.
 * What is refused changes nothing, and the next right call succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base.h"
#include "core/log/segment.h"
#include "core/sync.h"
#include "core/wire/frame.h"
#include "tests/support/merges.h"
#include "tests/support/replica.h"

#define FIRST_SEGMENT "wal-0000000000000000-00000001"
#define HEADER_SEED UINT64_C(0x53594e4357414c31)

static struct replicas *world;
static char big[70000];

static struct replica *subject(void) {
  return &world->at[0];
}
static struct sync_engine *engine(void) {
  return world->at[0].engine;
}

struct snapshot {
  struct sync_digest digest;
  uint64_t appended, outbox, peers, files;
};
static struct snapshot before;

static int count_peer(void *arg, uint32_t peer) {
  (void)peer;
  ++*(uint64_t *)arg;
  return 0;
}
static struct snapshot snapshot_take(void) {
  struct snapshot snapshot;
  memset(&snapshot, 0, sizeof snapshot);
  snapshot.files = memory_env_digest(&subject()->memory);
  if (engine() == NULL) return snapshot;
  sync_digest_recompute(engine(), &snapshot.digest);
  snapshot.appended = sync_appended_position(engine());
  snapshot.outbox = sync_outbox_size(engine());
  (void)sync_peers(engine(), count_peer, &snapshot.peers);
  return snapshot;
}
/* From here on nothing may change. */
static void ready(void) {
  before = snapshot_take();
}

/* --- Writing ---------------------------------------------------------------------- */

static int put_of_an_empty_key(void) {
  ready();
  return sync_put(engine(), "", 0, "v", 1, NULL);
}
static int write_of_one_key_twice(void) {
  struct sync_change changes[] = {{.kind = SYNC_DELETE, .key = "k", .key_size = 1},
                                  {.kind = SYNC_DELETE, .key = "k", .key_size = 1}};
  ready();
  return sync_write(engine(), changes, 2, NULL);
}
static int put_of_a_long_key(void) {
  ready();
  return sync_put(engine(), big, SYNC_KEY_BYTES_MAX + 1, "v", 1, NULL);
}
static int put_of_a_long_value(void) {
  ready();
  return sync_put(engine(), "k", 1, big, 65537, NULL);
}
static int write_of_more_than_a_frame(void) {
  struct sync_change changes[] = {{.kind = SYNC_PUT, .key = "a", .key_size = 1, .value = big, .value_size = 40000},
                                  {.kind = SYNC_PUT, .key = "b", .key_size = 1, .value = big, .value_size = 40000}};
  ready();
  return sync_write(engine(), changes, 2, NULL);
}
static int put_without_memory(void) {
  ready();
  subject()->memory.fail_alloc_at = subject()->memory.allocs + 1;
  return sync_put(engine(), "k", 1, big, 60000, NULL);
}
static int put_in_a_full_store(void) {
  replica_close(world, 0);
  subject()->options.store_bytes_max = 1000;
  replica_open(world, 0);
  ready();
  return sync_put(engine(), "k", 1, big, 1000, NULL);
}
static int put_of_one_origin_too_many(void) {
  replica_close(world, 0);
  subject()->options.origins_max = 1;
  replica_open(world, 0); /* a new life, and that of replica_put */
  ready();
  return sync_put(engine(), "k", 1, "v", 1, NULL);
}
static int flush_on_a_full_disk(void) {
  subject()->memory.disk_bytes_max = 1;
  replica_put(world, 0, "k", "v");
  ready();
  return sync_flush(engine());
}
static int put_while_the_disk_is_full(void) {
  assert_int_equal(flush_on_a_full_disk(), SYNC_E_NO_SPACE);
  return sync_put(engine(), "l", 1, "v", 1, NULL);
}
static int flush_on_a_disk_with_errors(void) {
  replica_put(world, 0, "k", "v");
  ready();
  memory_env_fail(&subject()->memory, &(struct memory_env_fault){.call = MEMORY_ENV_WRITE, .status = SYNC_E_IO}, 1, 1);
  return sync_flush(engine());
}
static int flush_that_is_interrupted_for_ever(void) {
  replica_put(world, 0, "k", "v");
  ready();
  memory_env_fail(&subject()->memory,
                  &(struct memory_env_fault){.call = MEMORY_ENV_WRITE, .status = SYNC_E_INTERRUPTED}, 1, UINT64_MAX);
  return sync_flush(engine());
}
static int put_after_a_failed_fsync(void) {
  uint64_t token;
  replica_put(world, 0, "k", "v");
  assert_int_equal(sync_commit(engine()), SYNC_OK);
  assert_true(memory_env_complete(&subject()->memory, SYNC_E_IO, &token));
  ready();
  assert_int_equal(sync_disk_done(engine(), token, SYNC_E_IO), SYNC_E_FAILED);
  return sync_put(engine(), "l", 1, "v", 1, NULL);
}
static int commit_without_power(void) {
  replica_put(world, 0, "k", "v");
  ready();
  subject()->memory.power_off_at = subject()->memory.calls + 1;
  return sync_commit(engine());
}
static int completion_of_nothing(void) {
  ready();
  return sync_disk_done(engine(), 77, SYNC_OK);
}

/* --- Reading ------------------------------------------------------------------------ */

static int get_of_an_absent_key(void) {
  struct sync_sibling winner;
  ready();
  return sync_get(engine(), "absent", 6, &winner);
}
static int get_of_a_deleted_key(void) {
  struct sync_sibling winner;
  replica_delete(world, 0, "own");
  ready();
  return sync_get(engine(), "own", 3, &winner);
}

/* --- Peers and frames ------------------------------------------------------------------ */

static int peer_with_our_own_name(void) {
  ready();
  return sync_peer_add(engine(), "n0", NULL);
}
static int peer_past_the_bound(void) {
  replica_close(world, 0);
  subject()->options.peers_max = 1;
  replica_open(world, 0);
  ready();
  return sync_peer_add(engine(), "n2", NULL);
}
static int removal_of_nobody(void) {
  ready();
  return sync_peer_remove(engine(), 9);
}
static int question_about_nobody(void) {
  struct sync_peer_info info;
  ready();
  return sync_peer_info(engine(), 9, &info);
}

/* A HELLO of n1 to n0, and the same with one byte changed and sealed again. */
static const struct replica_frame *hello(void) {
  for (size_t place = 0; place < world->frame_count; place++)
    if (world->frames[place].to == 0 && replicas_frame_type(world, place) == FRAME_HELLO) return &world->frames[place];
  fail();
  return NULL;
}
static void seal_frame(const struct replica_frame *frame) {
  size_t checked = frame->size - FRAME_TRAILER_BYTES;
  uint64_t seed = checksum64(subject()->options.cluster_id, SYNC_CLUSTER_ID_BYTES, 0);
  bytes_put_u64(frame->bytes + checked, checksum64(frame->bytes, checked, seed));
}
static int receive_changed(size_t at, bool seal, uint32_t peer) {
  const struct replica_frame *frame = hello();
  frame->bytes[at] ^= 1;
  if (seal) seal_frame(frame);
  ready();
  int rc = sync_receive(engine(), peer, frame->bytes, frame->size);
  frame->bytes[at] ^= 1;
  seal_frame(frame);
  return rc;
}
static int frame_with_a_flipped_bit(void) {
  return receive_changed(FRAME_HEADER_BYTES, false, replica_peer(world, 0, 1));
}
static int frame_of_another_version(void) {
  return receive_changed(2, true, replica_peer(world, 0, 1));
}
static int frame_of_another_cluster(void) {
  return receive_changed(4, true, replica_peer(world, 0, 1));
}
static int frame_with_other_limits(void) {
  return receive_changed(FRAME_HEADER_BYTES, true, replica_peer(world, 0, 1));
}
static int frame_from_nobody(void) {
  ready();
  return sync_receive(engine(), 9, hello()->bytes, hello()->size);
}
static int frame_that_names_another(void) {
  uint32_t other;
  assert_int_equal(sync_peer_add(engine(), "n2", &other), SYNC_OK);
  ready();
  return sync_receive(engine(), other, hello()->bytes, hello()->size);
}
/* An operation of n1 comes; then another one by its id. */
static int frame_with_a_second_payload(void) {
  (void)replicas_settle(world, 20);
  replica_put(world, 1, "k", "v");
  replica_flush(world, 1);
  assert_int_equal(replica_collect(world, 1), 1);
  assert_int_equal(replicas_frame_type(world, 0), FRAME_OPS);
  assert_int_equal(replicas_deliver(world, 0, true), SYNC_OK);
  struct replica_frame *frame = &world->frames[0];
  frame->bytes[frame->size - FRAME_TRAILER_BYTES - 2] ^= 1; /* of the value */
  struct bytes_writer writer = bytes_writer_to(frame->bytes, frame->size);
  writer.size = frame->size - FRAME_TRAILER_BYTES;
  (void)frame_finish(&writer, FRAME_OPS, subject()->options.cluster_id);
  ready();
  int rc = replicas_deliver(world, 0, false);
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(engine(), replica_peer(world, 0, 1), &info), SYNC_OK);
  assert_int_equal(info.state, SYNC_PEER_PARKED);
  return rc;
}
static int frame_for_a_full_store(void) {
  (void)replicas_settle(world, 20);
  assert_int_equal(sync_put(world->at[1].engine, "k", 1, big, 1000, NULL), SYNC_OK);
  replica_flush(world, 1);
  assert_int_equal(replica_collect(world, 1), 1);
  replica_close(world, 0);
  subject()->options.store_bytes_max = 1000;
  replica_open(world, 0);
  ready();
  return replicas_deliver(world, 0, false);
}
static int frame_for_a_small_buffer(void) {
  uint32_t peer;
  uint8_t buffer[8];
  size_t size;
  ready();
  return sync_next_frame(engine(), &peer, buffer, sizeof buffer, &size);
}

/* --- Opening ------------------------------------------------------------------------------ */

static void close_with_a_mark(void) {
  replica_flush(world, 0);
  replica_close(world, 0);
}
/* A refused open changes no file; the one with the right options reads all. */
static int open_refused(const struct sync_options *options) {
  ready();
  int rc = sync_open(&subject()->engine, &subject()->memory.env, options, &subject()->report);
  assert_null(subject()->engine);
  assert_true(strlen(subject()->report.detail) > 8);
  assert_int_equal(subject()->memory.blocks, 0);
  assert_int_equal(memory_env_handles(&subject()->memory), 0);
  return rc;
}
static int open_with_a_bad_name(void) {
  close_with_a_mark();
  struct sync_options options = subject()->options;
  options.node_id = "no spaces";
  return open_refused(&options);
}
static int open_of_another_cluster(void) {
  close_with_a_mark();
  struct sync_options options = subject()->options;
  options.cluster_id[3] ^= 1;
  return open_refused(&options);
}
static int open_of_another_node(void) {
  close_with_a_mark();
  struct sync_options options = subject()->options;
  options.node_id = "n7";
  return open_refused(&options);
}
static int open_with_a_smaller_limit(void) {
  close_with_a_mark();
  struct sync_options options = subject()->options;
  options.value_bytes_max = 100;
  return open_refused(&options);
}
static int open_of_another_version(void) {
  close_with_a_mark();
  size_t size = 0;
  uint8_t *bytes = memory_env_bytes(&subject()->memory, FIRST_SEGMENT, &size);
  uint8_t version = bytes[8];
  bytes[8] = 99;
  bytes_put_u64(bytes + SEGMENT_HEADER_BYTES - 8, checksum64(bytes, SEGMENT_HEADER_BYTES - 8, HEADER_SEED));
  int rc = open_refused(&subject()->options);
  bytes[8] = version;
  bytes_put_u64(bytes + SEGMENT_HEADER_BYTES - 8, checksum64(bytes, SEGMENT_HEADER_BYTES - 8, HEADER_SEED));
  before.files = memory_env_digest(&subject()->memory);
  return rc;
}
static int open_of_a_damaged_log(void) {
  close_with_a_mark();
  memory_env_flip(&subject()->memory, FIRST_SEGMENT, SEGMENT_HEADER_BYTES + 9);
  int rc = open_refused(&subject()->options);
  assert_true(subject()->report.claimed_position > subject()->report.damage_position);
  memory_env_flip(&subject()->memory, FIRST_SEGMENT, SEGMENT_HEADER_BYTES + 9);
  before.files = memory_env_digest(&subject()->memory);
  return rc;
}
static int open_without_memory(void) {
  close_with_a_mark();
  subject()->memory.fail_alloc_at = subject()->memory.allocs + 1;
  return open_refused(&subject()->options);
}
static int open_with_too_many_files(void) {
  close_with_a_mark();
  memory_env_fail(&subject()->memory, &(struct memory_env_fault){.call = MEMORY_ENV_OPEN, .status = SYNC_E_TOO_MANY}, 1,
                  1);
  return open_refused(&subject()->options);
}
static int open_that_cannot_be_read(void) {
  close_with_a_mark();
  memory_env_fail(&subject()->memory, &(struct memory_env_fault){.call = MEMORY_ENV_READ, .status = SYNC_E_IO}, 1, 1);
  return open_refused(&subject()->options);
}

/* --- Conflicts --------------------------------------------------------------------------------- */

static void make_conflict(void) {
  replica_put(world, 0, "k", "0");
  replica_put(world, 1, "k", "1");
  (void)replicas_settle(world, 100);
  assert_true(replica_stats(world, 0).conflicts == 1);
}
static int get_of_a_failed_merge(void) {
  make_conflict();
  const struct sync_policy fails = {.kind = SYNC_MERGE, .merge = merge_fails};
  assert_int_equal(sync_policy_set(engine(), NULL, 0, &fails), SYNC_OK);
  ready();
  struct sync_sibling given;
  return sync_get(engine(), "k", 1, &given);
}
static int get_of_a_merge_too_long(void) {
  make_conflict();
  const struct sync_policy grows = {.kind = SYNC_MERGE, .merge = merge_grows};
  assert_int_equal(sync_policy_set(engine(), NULL, 0, &grows), SYNC_OK);
  ready();
  struct sync_sibling given;
  return sync_get(engine(), "k", 1, &given);
}
static int policy_without_a_callback(void) {
  ready();
  const struct sync_policy bare = {.kind = SYNC_MERGE};
  return sync_policy_set(engine(), NULL, 0, &bare);
}
static int resolution_of_what_has_changed(void) {
  struct sync_conflict conflict;
  make_conflict();
  assert_int_equal(sync_conflict(engine(), "k", 1, &conflict), SYNC_OK);
  replica_put(world, 0, "k", "2");
  replica_flush(world, 0);
  ready();
  struct sync_change change = {.kind = SYNC_DELETE, .key = "k", .key_size = 1};
  return sync_resolve(engine(), &conflict.token, &change, NULL);
}

/* --- The table -------------------------------------------------------------------------------- */

static const struct {
  int status;
  int (*provoke)(void);
  const char *otherwise; /* who provokes it, or why nothing does */
} table[] = {
    {SYNC_E_INVALID, put_of_an_empty_key, NULL},
    {SYNC_E_INVALID, write_of_one_key_twice, NULL},
    {SYNC_E_INVALID, peer_with_our_own_name, NULL},
    {SYNC_E_INVALID, completion_of_nothing, NULL},
    {SYNC_E_INVALID, open_with_a_bad_name, NULL},
    {SYNC_E_INVALID, policy_without_a_callback, NULL},
    {SYNC_E_TOO_BIG, put_of_a_long_key, NULL},
    {SYNC_E_TOO_BIG, put_of_a_long_value, NULL},
    {SYNC_E_TOO_BIG, get_of_a_merge_too_long, NULL},
    {SYNC_E_TOO_BIG, write_of_more_than_a_frame, NULL},
    {SYNC_E_NO_MEMORY, put_without_memory, NULL},
    {SYNC_E_NO_MEMORY, open_without_memory, NULL},
    {SYNC_E_NO_SPACE, flush_on_a_full_disk, NULL},
    {SYNC_E_NO_SPACE, put_while_the_disk_is_full, NULL},
    {SYNC_E_IO, flush_on_a_disk_with_errors, NULL},
    {SYNC_E_IO, flush_that_is_interrupted_for_ever, NULL},
    {SYNC_E_IO, open_that_cannot_be_read, NULL},
    {SYNC_E_NOT_FOUND, get_of_an_absent_key, NULL},
    {SYNC_E_NOT_FOUND, get_of_a_deleted_key, NULL},
    {SYNC_E_EXISTS, NULL, "of file_open with EXCLUSIVE only: tests/posix/test_posix_env.c, tests/sim/disk/test_disk.c"},
    {SYNC_E_POWERED_OFF, commit_without_power, NULL},
    {SYNC_E_FAILED, put_after_a_failed_fsync, NULL},
    {SYNC_E_FULL, put_in_a_full_store, NULL},
    {SYNC_E_FULL, frame_for_a_full_store, NULL},
    {SYNC_E_DAMAGED, open_of_a_damaged_log, NULL},
    {SYNC_E_CORRUPT, frame_with_a_flipped_bit, NULL},
    {SYNC_E_VERSION, frame_of_another_version, NULL},
    {SYNC_E_VERSION, open_of_another_version, NULL},
    {SYNC_E_CLUSTER, frame_of_another_cluster, NULL},
    {SYNC_E_CLUSTER, open_of_another_cluster, NULL},
    {SYNC_E_CLUSTER, open_of_another_node, NULL},
    {SYNC_E_LIMITS, frame_with_other_limits, NULL},
    {SYNC_E_LIMITS, open_with_a_smaller_limit, NULL},
    {SYNC_E_ID_CONFLICT, frame_with_a_second_payload, NULL},
    {SYNC_E_PEER, removal_of_nobody, NULL},
    {SYNC_E_PEER, question_about_nobody, NULL},
    {SYNC_E_PEER, frame_from_nobody, NULL},
    {SYNC_E_PEER, frame_that_names_another, NULL},
    {SYNC_E_BUFFER, frame_for_a_small_buffer, NULL},
    {SYNC_E_STALE, resolution_of_what_has_changed, NULL},
    {SYNC_E_LOCKED, NULL, "of sync_posix_open only: tests/posix/test_posix_env.c"},
    {SYNC_E_TOO_MANY, put_of_one_origin_too_many, NULL},
    {SYNC_E_TOO_MANY, peer_past_the_bound, NULL},
    {SYNC_E_TOO_MANY, open_with_too_many_files, NULL},
    {SYNC_E_INTERRUPTED, NULL, "of the port only; the engine asks again: flush_that_is_interrupted_for_ever"},
    {SYNC_E_MERGE, get_of_a_failed_merge, NULL},
};
#define ROWS (sizeof table / sizeof table[0])

static void every_error_of_the_api_is_provoked_and_changes_nothing(void **state) {
  (void)state;
  for (size_t row = 0; row < ROWS; row++) {
    if (table[row].provoke == NULL) continue;
    replicas_init(world, 2);
    replica_put(world, 0, "own", "1");
    replicas_link(world, 0, 1);
    replica_flush(world, 0);
    replica_flush(world, 1);
    (void)replica_collect(world, 1);
    int rc = table[row].provoke();
    if (rc != table[row].status)
      print_error("row %zu: %s, not %s\n", row, sync_status_name(rc), sync_status_name(table[row].status));
    assert_int_equal(rc, table[row].status);
    struct snapshot now = snapshot_take();
    assert_memory_equal(&now, &before, sizeof now);

    struct memory_env *memory = &subject()->memory;
    memory_env_heal(memory);
    memory->fail_alloc_at = 0;
    memory->disk_bytes_max = 0;
    memory->power_off_at = 0;
    subject()->options.store_bytes_max = 0;
    subject()->options.origins_max = 0;
    subject()->options.peers_max = 0;
    bool ended = rc == SYNC_E_FAILED || rc == SYNC_E_POWERED_OFF;
    if (ended) replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 0);
    if (!ended && engine() != NULL && (rc == SYNC_E_FULL || rc == SYNC_E_TOO_MANY)) replica_close(world, 0);
    if (engine() == NULL) replica_open(world, 0);
    assert_int_equal(replica_reads(world, 0, "own", "1"), table[row].provoke != get_of_a_deleted_key);
    assert_int_equal(sync_flush(engine()), SYNC_OK);
    replica_put(world, 0, "after", "1");
    replica_flush(world, 0);
    assert_true(replica_reads(world, 0, "after", "1"));
    assert_int_equal(sync_durable_position(engine()), sync_appended_position(engine()));
    replicas_destroy(world);
  }
}

static void every_error_has_a_row_a_name_and_a_sentence(void **state) {
  (void)state;
  static const char *const names[] = {
      "SYNC_OK",       "SYNC_E_INVALID",     "SYNC_E_TOO_BIG",     "SYNC_E_NO_MEMORY",   "SYNC_E_NO_SPACE",
      "SYNC_E_IO",     "SYNC_E_NOT_FOUND",   "SYNC_E_EXISTS",      "SYNC_E_POWERED_OFF", "SYNC_E_FAILED",
      "SYNC_E_FULL",   "SYNC_E_DAMAGED",     "SYNC_E_CORRUPT",     "SYNC_E_VERSION",     "SYNC_E_CLUSTER",
      "SYNC_E_LIMITS", "SYNC_E_ID_CONFLICT", "SYNC_E_PEER",        "SYNC_E_BUFFER",      "SYNC_E_STALE",
      "SYNC_E_LOCKED", "SYNC_E_TOO_MANY",    "SYNC_E_INTERRUPTED", "SYNC_E_MERGE",
  };
  const int last = SYNC_E_MERGE;
  assert_int_equal(sizeof names / sizeof names[0], 1 - last);
  for (int status = 0; status >= last; status--) {
    assert_string_equal(sync_status_name(status), names[-status]);
    assert_true(strlen(sync_status_message(status)) >= strlen("success"));
    bool there = status == SYNC_OK;
    for (size_t row = 0; row < ROWS; row++)
      there = there || (table[row].status == status && (table[row].provoke != NULL) == (table[row].otherwise == NULL));
    assert_true(there);
    for (int other = 0; other > status; other--)
      assert_string_not_equal(sync_status_message(status), sync_status_message(other));
  }
  /* The enum ends there: who adds an error adds it here. */
  assert_string_equal(sync_status_name(last - 1), "SYNC_E_UNKNOWN");
  assert_string_equal(sync_status_name(1), "SYNC_E_UNKNOWN");
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_error_of_the_api_is_provoked_and_changes_nothing),
      cmocka_unit_test(every_error_has_a_row_a_name_and_a_sentence),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
