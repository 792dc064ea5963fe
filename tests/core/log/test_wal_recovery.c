#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "core/log/segment.h"
#include "tests/support/wal_model.h"

#define FIRST_SEGMENT "wal-0000000000000000-00000001"

struct world {
  struct memory_env memory;
  struct wal_model model;
};
static struct world world; /* the program's one group uses it test by test */

static void world_begin(struct world *w) {
  memory_env_init(&w->memory);
  wal_model_init(&w->model, &w->memory);
}
static int begin(void **state) {
  world_begin(&world);
  *state = &world;
  return 0;
}
static bool world_end(struct world *w) {
  bool leaked = w->memory.blocks != 0;
  if (leaked) fprintf(stderr, "%u blocks leaked\n", (unsigned)w->memory.blocks);
  if (w->model.violation != NULL) fprintf(stderr, "violation: %s\n", w->model.violation);
  memory_env_destroy(&w->memory);
  return leaked || w->model.violation != NULL;
}
static int end(void **state) {
  return world_end((struct world *)*state);
}

static void open_ok(struct world *w) {
  int status = wal_model_open(&w->model);
  if (status != SYNC_OK) fprintf(stderr, "open: %d %s\n", status, w->model.report.detail);
  assert_int_equal(status, SYNC_OK);
}
/* Opens a fresh log with `count` records of 100 bytes, all durable but nothing
 * written since that would say so of the last. */
static void fresh(struct world *w, size_t count) {
  open_ok(w);
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
    assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  }
}
static void power_loss(struct world *w, enum memory_env_loss style, uint64_t seed) {
  wal_model_crash(&w->model);
  memory_env_power_loss(&w->memory, style, seed);
}
static void process_crash(struct world *w) {
  wal_model_crash(&w->model);
  memory_env_process_crash(&w->memory);
}
static bool exists(struct world *w, const char *name) {
  for (size_t i = 0; i < w->memory.live_count; i++)
    if (strcmp(w->memory.live[i].name, name) == 0) return true;
  return false;
}
/* Offset of a record of a log that never rotated. */
static size_t offset_of(const struct world *w, size_t record) {
  return SEGMENT_HEADER_BYTES + (size_t)w->model.records[record].position;
}

/* Bytes of the records from one up to before another. */
static uint64_t bytes_of(const struct world *w, size_t from, size_t to) {
  return w->model.records[to - 1].end - w->model.records[from].position;
}
/* The name of the segment of that epoch that begins behind the record. */
static const char *segment_behind(const struct world *w, size_t record, uint32_t epoch, bool aside) {
  static char names[4][SEGMENT_NAME_BYTES];
  static unsigned next;
  char *name = names[next++ % 4u];
  segment_name(name, w->model.records[record].end, epoch, aside);
  return name;
}

/* --- Tail or corruption ----------------------------------------------------------------- */

static void a_torn_tail_is_cut_and_later_appends_survive(void **state) {
  struct world *w = *state;
  fresh(w, 3);
  assert_int_equal(wal_model_append(&w->model, 300), SYNC_OK);
  size_t size = 0;
  uint64_t torn = bytes_of(w, 3, 4);
  (void)memory_env_bytes(&w->memory, FIRST_SEGMENT, &size);
  process_crash(w);
  memory_env_cut(&w->memory, FIRST_SEGMENT, size - 1);
  open_ok(w);
  assert_int_equal(w->model.count, 3);
  assert_int_equal(w->model.report.tail_bytes_cut, torn - 1);
  assert_int_equal(wal_model_append(&w->model, 50), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  power_loss(w, MEMORY_ENV_LOSE_ALL, 0);
  open_ok(w);
  assert_int_equal(w->model.count, 4);
  wal_model_read_all(&w->model);
  wal_model_close(&w->model);
}

static void valid_records_behind_a_hole_are_not_served(void **state) {
  struct world *w = *state;
  w->model.options.segment_bytes = 1u << 20;
  fresh(w, 2);
  for (size_t i = 0; i < 6; i++)
    assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  size_t hole = offset_of(w, 4);
  uint64_t cut = bytes_of(w, 4, 8);
  process_crash(w);
  memory_env_flip(&w->memory, FIRST_SEGMENT, hole + 20);
  open_ok(w);
  assert_int_equal(w->model.count, 4);
  assert_int_equal(w->model.report.tail_bytes_cut, cut);
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  process_crash(w);
  open_ok(w);
  assert_int_equal(w->model.count, 5);
  wal_model_close(&w->model);
}

static void damage_below_a_claim_is_damage_and_changes_nothing(void **state) {
  struct world *w = *state;
  w->model.options.segment_bytes = 1u << 20;
  fresh(w, 8); /* record i claims the end of record i - 1 */
  size_t offsets[8];
  for (size_t i = 0; i < 8; i++)
    offsets[i] = offset_of(w, i);
  uint64_t whole = bytes_of(w, 0, 1);
  process_crash(w);
  uint64_t digest = memory_env_digest(&w->memory);
  for (size_t i = 0; i < 7; i++) {
    for (size_t at = 0; at < whole; at++) {
      memory_env_flip(&w->memory, FIRST_SEGMENT, offsets[i] + at);
      assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
      assert_true(w->model.report.damage_position == offsets[i] - SEGMENT_HEADER_BYTES);
      assert_true(w->model.report.claimed_position > offsets[i] - SEGMENT_HEADER_BYTES);
      assert_non_null(strstr(w->model.report.detail, FIRST_SEGMENT));
      memory_env_flip(&w->memory, FIRST_SEGMENT, offsets[i] + at);
    }
  }
  assert_true(memory_env_digest(&w->memory) == digest);
  /* Damage behind the last claim cannot be told from a tail. */
  memory_env_flip(&w->memory, FIRST_SEGMENT, offsets[7]);
  w->model.promised = offsets[7] - SEGMENT_HEADER_BYTES;
  open_ok(w);
  assert_int_equal(w->model.count, 7);
  wal_model_close(&w->model);
}

static void after_a_mark_damage_to_the_last_record_is_damage(void **state) {
  struct world *w = *state;
  fresh(w, 3);
  assert_int_equal(wal_mark(w->model.wal), SYNC_OK);
  size_t offset = offset_of(w, 2);
  wal_model_close(&w->model);
  memory_env_process_crash(&w->memory);
  memory_env_flip(&w->memory, FIRST_SEGMENT, offset + 40);
  assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
  memory_env_flip(&w->memory, FIRST_SEGMENT, offset + 40);
  open_ok(w);
  wal_model_close(&w->model);
}

static void a_smaller_limit_is_refused_and_cuts_nothing(void **state) {
  struct world *w = *state;
  fresh(w, 3);
  wal_model_close(&w->model);
  memory_env_process_crash(&w->memory);
  uint64_t digest = memory_env_digest(&w->memory);
  w->model.options.payload_bytes_max--;
  assert_int_equal(wal_model_open(&w->model), SYNC_E_LIMITS);
  assert_non_null(strstr(w->model.report.detail, "value_bytes_max"));
  assert_true(memory_env_digest(&w->memory) == digest);
  w->model.options.payload_bytes_max += 2;
  open_ok(w);
  assert_int_equal(w->model.count, 3);
  wal_model_close(&w->model);
}

static void a_missing_or_headless_segment_in_the_middle_is_damage(void **state) {
  struct world *w = *state;
  fresh(w, 30); /* several segments */
  char second[SEGMENT_NAME_BYTES] = "";
  for (size_t i = 0; i < w->memory.live_count; i++)
    if (strcmp(w->memory.live[i].name, FIRST_SEGMENT) != 0 &&
        (second[0] == '\0' || strcmp(w->memory.live[i].name, second) < 0))
      memcpy(second, w->memory.live[i].name, sizeof second);
  process_crash(w);
  for (size_t at = 0; at < SEGMENT_HEADER_BYTES; at++) {
    memory_env_flip(&w->memory, second, at);
    assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
    memory_env_flip(&w->memory, second, at);
  }
  uint8_t kept[2048];
  size_t size = 0;
  const uint8_t *bytes = memory_env_bytes(&w->memory, second, &size);
  assert_true(size <= sizeof kept);
  memcpy(kept, bytes, size);
  memory_env_remove(&w->memory, second);
  assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
  memory_env_put(&w->memory, second, kept, size);
  open_ok(w);
  assert_int_equal(w->model.count, 30);
  wal_model_close(&w->model);
}

static void a_missing_or_headless_first_segment_is_damage(void **state) {
  struct world *w = *state;
  fresh(w, 20);
  process_crash(w);
  for (size_t at = 0; at < SEGMENT_HEADER_BYTES; at++) {
    memory_env_flip(&w->memory, FIRST_SEGMENT, at);
    assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
    memory_env_flip(&w->memory, FIRST_SEGMENT, at);
  }
  memory_env_remove(&w->memory, FIRST_SEGMENT);
  assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
  assert_true(w->model.report.damage_position == 0);
}

static void a_header_that_is_damaged_hides_no_claim_of_its_records(void **state) {
  struct world *w = *state;
  fresh(w, 12); /* the second segment begins behind the seventh or so; its records claim durability */
  char last[SEGMENT_NAME_BYTES] = "";
  for (size_t i = 0; i < w->memory.live_count; i++)
    if (strcmp(w->memory.live[i].name, last) > 0) memcpy(last, w->memory.live[i].name, sizeof last);
  assert_string_not_equal(last, FIRST_SEGMENT);
  process_crash(w);
  memory_env_flip(&w->memory, last, 30);
  assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
  memory_env_flip(&w->memory, last, 30);
  open_ok(w);
  assert_int_equal(w->model.count, 12);
  wal_model_close(&w->model);
}

static void the_claim_of_a_segment_header_alone_is_believed(void **state) {
  struct world *w = *state;
  fresh(w, 7);
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  const char *second = segment_behind(w, 6, 1, false);
  uint64_t damage = w->model.records[6].position, claimed = w->model.records[6].end;
  assert_true(exists(w, second));
  size_t offset = offset_of(w, 6);
  process_crash(w);
  memory_env_cut(&w->memory, second, SEGMENT_HEADER_BYTES);
  memory_env_flip(&w->memory, FIRST_SEGMENT, offset);
  assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
  assert_true(w->model.report.damage_position == damage && w->model.report.claimed_position == claimed);
  memory_env_flip(&w->memory, FIRST_SEGMENT, offset);
  open_ok(w);
  assert_int_equal(w->model.count, 7);
  wal_model_close(&w->model);
}

/* What an epoch cut may come back in the file of the next one: as the old content of a block
 * that was given to another file. */
static void a_record_of_an_epoch_that_is_over_is_not_served(void **state) {
  struct world *w = *state;
  uint8_t old[200];
  size_t size = 0;
  fresh(w, 3);
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  size_t whole = bytes_of(w, 4, 5), offset = offset_of(w, 4);
  memcpy(old, memory_env_bytes(&w->memory, FIRST_SEGMENT, &size) + offset, whole);
  process_crash(w);
  memory_env_cut(&w->memory, FIRST_SEGMENT, offset);
  open_ok(w);
  uint64_t first = w->model.report.durable_position;
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_true(w->model.count == 5 && offset_of(w, 4) == offset && bytes_of(w, 4, 5) == whole);
  char name[SEGMENT_NAME_BYTES];
  segment_name(name, first, 2, false);
  uint8_t *file = memory_env_bytes(&w->memory, name, &size);
  process_crash(w);
  memcpy(file + (offset - first), old, whole);
  w->model.promised = offset - SEGMENT_HEADER_BYTES;
  open_ok(w);
  assert_int_equal(w->model.count, 4);
  assert_int_equal(w->model.report.tail_bytes_cut, whole);
  wal_model_close(&w->model);
}

/* Seals a header anew that says that its segment follows another one. */
static void follow_another(struct world *w, const char *name) {
  size_t size = 0;
  uint8_t *bytes = memory_env_bytes(&w->memory, name, &size);
  bytes[68] ^= 1;
  bytes_put_u64(bytes + 136, checksum64(bytes, 136, UINT64_C(0x53594e4357414c31)));
}

static void a_segment_that_follows_another_than_the_one_before_it_is_not_served(void **state) {
  struct world *w = *state;
  fresh(w, 3);
  process_crash(w);
  open_ok(w); /* rewrites the third */
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  const char *second = segment_behind(w, 1, 2, false);
  process_crash(w);
  follow_another(w, second);
  assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
  follow_another(w, second);
  open_ok(w);
  assert_int_equal(w->model.count, 3);
  wal_model_close(&w->model);
}

static void a_segment_of_the_same_epoch_that_follows_another_is_no_header(void **state) {
  struct world *w = *state;
  fresh(w, 7);
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  const char *second = segment_behind(w, 6, 1, false);
  assert_true(exists(w, second));
  process_crash(w);
  follow_another(w, second);
  open_ok(w); /* nothing in it was durable: a tail */
  assert_int_equal(w->model.count, 7);
  wal_model_close(&w->model);
}

/* Whatever their headers have for sizes, copied records keep their places: the copy is sealed anew. */
static void copied_records_are_sealed_for_their_epoch(void **state) {
  struct world *w = *state;
  fresh(w, 2);
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(wal_model_append(&w->model, 10 + 60 * i), SYNC_OK);
  for (uint32_t epoch = 2; epoch < 5; epoch++) {
    process_crash(w);
    open_ok(w);
    assert_int_equal(w->model.count, 6);
    assert_int_equal(w->model.report.tail_bytes_cut, 0);
    wal_model_read_all(&w->model);
  }
  wal_model_close(&w->model);
}

static void a_segment_whose_size_survived_without_its_data_is_a_tail(void **state) {
  struct world *w = *state;
  fresh(w, 3);
  uint8_t zeros[700] = {0};
  uint64_t at = wal_appended_position(w->model.wal);
  char name[SEGMENT_NAME_BYTES];
  segment_name(name, at, 1, false);
  process_crash(w);
  memory_env_put(&w->memory, name, zeros, sizeof zeros);
  open_ok(w);
  assert_int_equal(w->model.count, 3);
  assert_int_equal(w->model.report.tail_bytes_cut, sizeof zeros - SEGMENT_HEADER_BYTES);
  assert_int_equal(wal_model_append(&w->model, 30), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_false(exists(w, name)); /* void now, and gone */
  wal_model_close(&w->model);
}

static void a_read_error_is_an_error_and_no_tail(void **state) {
  struct world *w = *state;
  fresh(w, 12);
  process_crash(w);
  uint64_t first = w->memory.calls + 1;
  for (uint64_t k = 0;; k++) {
    w->memory.fail_at = w->memory.calls + 1 + k;
    w->memory.fail_status = SYNC_E_IO;
    int status = wal_model_open(&w->model);
    bool fired = w->memory.calls >= w->memory.fail_at;
    if (status == SYNC_OK) {
      wal_model_crash(&w->model);
      memory_env_process_crash(&w->memory);
      if (!fired) break;
      continue; /* a close, or the removal of what is aside: of no consequence */
    }
    assert_int_equal(status, SYNC_E_IO);
    memory_env_process_crash(&w->memory);
  }
  assert_true(w->memory.calls > first);
  w->memory.fail_at = 0;
  open_ok(w);
  assert_int_equal(w->model.count, 12);
  wal_model_close(&w->model);
}

static void no_memory_at_any_allocation_is_an_error_and_the_retry_succeeds(void **state) {
  struct world *w = *state;
  fresh(w, 12);
  process_crash(w);
  uint64_t failures = 0;
  for (uint64_t k = 1;; k++) {
    w->memory.fail_alloc_at = w->memory.allocs + k;
    int status = wal_model_open(&w->model);
    if (status == SYNC_OK) break;
    assert_int_equal(status, SYNC_E_NO_MEMORY);
    assert_int_equal(w->memory.blocks, 0);
    failures++;
  }
  assert_true(failures >= 4);
  assert_int_equal(w->model.count, 12);
  wal_model_close(&w->model);
}

/* --- Whose log ------------------------------------------------------------------------------ */

static void a_log_of_another_cluster_or_node_is_refused(void **state) {
  struct world *w = *state;
  fresh(w, 1);
  wal_model_close(&w->model);
  memory_env_process_crash(&w->memory);
  w->model.options.cluster_id[3] ^= 1u;
  assert_int_equal(wal_model_open(&w->model), SYNC_E_CLUSTER);
  assert_non_null(strstr(w->model.report.detail, "another cluster"));
  w->model.options.cluster_id[3] ^= 1u;
  w->model.options.node_id = "node-2";
  assert_int_equal(wal_model_open(&w->model), SYNC_E_CLUSTER);
  assert_non_null(strstr(w->model.report.detail, "node-1"));
  w->model.options.node_id = "node-1";
  open_ok(w);
  wal_model_close(&w->model);
}

static void an_unknown_version_is_named_and_a_flipped_version_is_damage(void **state) {
  struct world *w = *state;
  fresh(w, 1);
  wal_model_close(&w->model);
  memory_env_process_crash(&w->memory);
  size_t size = 0;
  uint8_t *bytes = memory_env_bytes(&w->memory, FIRST_SEGMENT, &size);
  bytes[8] = 9;
  assert_int_equal(wal_model_open(&w->model), SYNC_E_DAMAGED);
  uint64_t seed = UINT64_C(0x53594e4357414c31);
  bytes_put_u64(bytes + 136, checksum64(bytes, 136, seed));
  assert_int_equal(wal_model_open(&w->model), SYNC_E_VERSION);
  assert_non_null(strstr(w->model.report.detail, FIRST_SEGMENT));
}

/* --- Epochs ------------------------------------------------------------------------------------ */

static void an_unclaimed_tail_is_rewritten_and_the_old_copy_stays_until_then(void **state) {
  struct world *w = *state;
  fresh(w, 3); /* claimed: two records */
  process_crash(w);
  open_ok(w);
  const char *aside = segment_behind(w, 1, 2, true), *counts = segment_behind(w, 1, 2, false);
  uint64_t claimed = w->model.records[1].end, end_of_log = w->model.records[2].end;
  assert_true(w->model.report.durable_position == claimed);
  assert_true(w->model.report.appended_position == end_of_log);
  assert_true(exists(w, aside) && exists(w, FIRST_SEGMENT));
  assert_int_equal(w->memory.pending_count, 1);
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_true(exists(w, counts) && !exists(w, aside));
  assert_true(wal_durable_position(w->model.wal) == claimed);
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_true(wal_durable_position(w->model.wal) == end_of_log);
  wal_model_read_all(&w->model);
  /* A second rewrite makes the first void. */
  process_crash(w);
  open_ok(w);
  assert_true(exists(w, counts));
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_true(exists(w, counts));
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_false(exists(w, counts));
  assert_true(exists(w, segment_behind(w, 1, 3, false)));
  wal_model_read_all(&w->model);
  wal_model_close(&w->model);
}

static void with_nothing_to_rewrite_an_open_writes_nothing(void **state) {
  struct world *w = *state;
  open_ok(w); /* of no log at all */
  wal_model_close(&w->model);
  assert_int_equal(w->memory.live_count, 0);
  fresh(w, 3);
  const char *counts = segment_behind(w, 1, 2, false);
  process_crash(w);
  open_ok(w);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_true(exists(w, counts));
  process_crash(w);
  size_t size = 0;
  (void)memory_env_bytes(&w->memory, counts, &size);
  memory_env_cut(&w->memory, counts, SEGMENT_HEADER_BYTES); /* what is claimed ends here */
  w->model.promised = w->model.records[1].end;
  uint64_t digest = memory_env_digest(&w->memory), writes = w->memory.writes, fsyncs = w->memory.fsyncs;
  for (int i = 0; i < 3; i++) {
    open_ok(w);
    assert_int_equal(w->model.count, 2);
    wal_model_read_all(&w->model);
    wal_model_close(&w->model);
  }
  assert_true(memory_env_digest(&w->memory) == digest);
  assert_true(w->memory.writes == writes && w->memory.fsyncs == fsyncs);
}

static void a_failed_fsync_and_a_crash_lose_nothing_promised(void **state) {
  struct world *w = *state;
  fresh(w, 3);
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
  assert_true(wal_model_complete(&w->model, SYNC_E_IO)); /* clean pages that the disk does not have */
  process_crash(w);
  open_ok(w);
  assert_int_equal(w->model.count, 4); /* readable, and so served ... */
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_true(w->model.promised >= w->model.records[3].end); /* ... and promised only after it was rewritten */
  power_loss(w, MEMORY_ENV_LOSE_ALL, 0);
  open_ok(w);
  assert_int_equal(w->model.count, 4);
  wal_model_close(&w->model);
}

static void a_full_disk_at_open_does_not_prevent_reading(void **state) {
  struct world *w = *state;
  fresh(w, 3);
  process_crash(w);
  w->memory.disk_bytes_max = 1;
  open_ok(w);
  assert_int_equal(w->model.count, 3);
  wal_model_read_all(&w->model);
  assert_true(wal_durable_position(w->model.wal) == w->model.records[1].end);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_E_NO_SPACE);
  assert_int_equal(wal_model_commit(&w->model), SYNC_E_NO_SPACE);
  assert_int_equal(wal_mark(w->model.wal), SYNC_E_NO_SPACE);
  assert_int_equal(w->memory.live_count, 1); /* attempts leave nothing behind */
  w->memory.disk_bytes_max = 0;
  assert_int_equal(wal_mark(w->model.wal), SYNC_OK);
  while (wal_model_complete(&w->model, SYNC_OK)) {
  }
  assert_true(wal_durable_position(w->model.wal) >= w->model.records[2].end);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  power_loss(w, MEMORY_ENV_LOSE_ALL, 0);
  open_ok(w);
  assert_int_equal(w->model.count, 4);
  wal_model_close(&w->model);
}

static void a_rename_that_is_refused_is_tried_again(void **state) {
  struct world *w = *state;
  open_ok(w);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
  w->memory.fail_at = w->memory.calls + 1;
  w->memory.fail_status = SYNC_E_NO_SPACE;
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_int_equal(w->memory.pending_count, 0);
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
  while (wal_model_complete(&w->model, SYNC_OK)) {
  }
  assert_true(wal_durable_position(w->model.wal) == w->model.records[0].end);
  wal_model_close(&w->model);
}

/* --- Power loss at every call ------------------------------------------------------------------ */

enum { SCRIPTS = 4 };

/* Runs until the power goes; ignores what it costs. */
static void run_script(struct world *w, int script) {
  struct wal_model *model = &w->model;
  uint64_t random = (uint64_t)script + 100;
  int opens = script == 0 ? 1 : 3;
  for (int life = 0; life < opens && !w->memory.powered_off; life++) {
    if (model->wal == NULL && wal_model_open(model) != SYNC_OK) break;
    for (int step = 0; step < 14 && !w->memory.powered_off; step++) {
      uint64_t what = memory_env_random(&random) % 8;
      if (what <= 3) (void)wal_model_append(model, 4 + (size_t)(memory_env_random(&random) % 300));
      if (what == 4) (void)wal_model_commit(model);
      if (what == 5) (void)wal_model_complete(model, SYNC_OK);
      if (what == 6) (void)wal_model_settle(model);
      if (what == 7) (void)wal_mark(model->wal);
      wal_model_observe(model);
    }
    if (w->memory.powered_off || life + 1 == opens) break;
    uint64_t armed = w->memory.power_off_at;
    if (script == 1) wal_model_close(model);
    if (w->memory.powered_off) break;
    process_crash(w);
    w->memory.power_off_at = armed;
  }
}

/* After whatever happened: the log opens, keeps its promises, and works. */
static bool works(struct world *w) {
  struct wal_model *model = &w->model;
  int status = wal_model_open(model);
  if (status != SYNC_OK) {
    fprintf(stderr, "open after power loss: %d %s\n", status, model->report.detail);
    return false;
  }
  size_t before = model->count;
  for (size_t i = 0; i < 3; i++)
    if (wal_model_append(model, 100 + 90 * i) != SYNC_OK) return false;
  if (wal_model_settle(model) != SYNC_OK) return false;
  if (wal_durable_position(model->wal) != wal_appended_position(model->wal)) return false;
  wal_model_read_all(model);
  power_loss(w, MEMORY_ENV_LOSE_ALL, 0);
  if (wal_model_open(model) != SYNC_OK || model->count != before + 3) return false;
  wal_model_read_all(model);
  wal_model_close(model);
  return model->violation == NULL;
}

static bool crash_once(int script, uint64_t k, enum memory_env_loss style, uint64_t seed, bool *finished) {
  struct world *w = &world;
  world_begin(w);
  w->memory.power_off_at = k;
  run_script(w, script);
  *finished = !w->memory.powered_off;
  power_loss(w, style, seed);
  bool good = works(w);
  if (w->model.wal != NULL) wal_model_crash(&w->model);
  if (world_end(w)) good = false;
  if (!good)
    fprintf(stderr, "script %d, call %u, style %d, seed %u\n", script, (unsigned)k, (int)style, (unsigned)seed);
  return good;
}

static void power_loss_at_every_call_keeps_every_promise(void **state) {
  (void)state;
  for (int script = 0; script < SCRIPTS; script++) {
    bool finished = false;
    uint64_t k = 1;
    for (; !finished; k++)
      for (int style = 0; style < MEMORY_ENV_LOSSES; style++)
        for (uint64_t seed = 0; seed < (style < MEMORY_ENV_PREFIX ? 1u : 12u); seed++)
          assert_true(crash_once(script, k, (enum memory_env_loss)style, seed * 7919 + k, &finished));
    assert_true(k > 20);
  }
}

static bool crash_twice(int script, uint64_t k, uint64_t k2, enum memory_env_loss style, uint64_t seed, bool *finished,
                        bool *finished2) {
  struct world *w = &world;
  world_begin(w);
  w->memory.power_off_at = k;
  run_script(w, script);
  *finished = !w->memory.powered_off;
  power_loss(w, style, seed);
  w->memory.power_off_at = w->memory.calls + k2;
  if (wal_model_open(&w->model) == SYNC_OK) {
    (void)wal_model_append(&w->model, 60);
    (void)wal_model_settle(&w->model);
  }
  *finished2 = !w->memory.powered_off;
  bool good = w->model.violation == NULL;
  power_loss(w, style, seed + 1);
  good = good && works(w);
  if (w->model.wal != NULL) wal_model_crash(&w->model);
  if (world_end(w)) good = false;
  if (!good)
    fprintf(stderr, "script %d, calls %u and %u, style %d, seed %u\n", script, (unsigned)k, (unsigned)k2, (int)style,
            (unsigned)seed);
  return good;
}

static void power_loss_during_recovery_keeps_every_promise(void **state) {
  (void)state;
  for (int script = 0; script < 3; script++) {
    bool finished = false;
    for (uint64_t k = 1; !finished; k += 1)
      for (int style = 0; style < MEMORY_ENV_LOSSES; style++) {
        bool finished2 = false;
        for (uint64_t k2 = 1; !finished2; k2++)
          assert_true(crash_twice(script, k, k2, (enum memory_env_loss)style, k * 1009 + k2, &finished, &finished2));
      }
  }
}

/* Long random lives: crashes of both kinds, failing fsyncs and calls. */
static void random_lives_keep_every_promise(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 1500; seed++) {
    struct world *w = &world;
    uint64_t random = seed;
    world_begin(w);
    bool good = true;
    for (int life = 0; life < 12 && good; life++) {
      w->memory.transfer_max = memory_env_random(&random) % 3 == 0 ? 50 : 0;
      w->memory.disk_bytes_max = memory_env_random(&random) % 6 == 0 ? 2500 : 0;
      if (wal_model_open(&w->model) != SYNC_OK) {
        good = false;
        break;
      }
      bool fsync_failed = false;
      for (uint64_t steps = memory_env_random(&random) % 20; steps > 0; steps--) {
        uint64_t what = memory_env_random(&random) % 16;
        w->memory.fail_at = 0;
        w->memory.fail_after_effect = memory_env_random(&random) % 2 == 0;
        w->memory.fail_status = memory_env_random(&random) % 2 == 0 ? SYNC_E_IO : SYNC_E_NO_SPACE;
        if (what == 15) w->memory.fail_at = w->memory.calls + 1 + memory_env_random(&random) % 3;
        if (what <= 7 || what == 15) (void)wal_model_append(&w->model, 4 + (size_t)(memory_env_random(&random) % 400));
        if (what == 8) (void)wal_model_commit(&w->model);
        if (what >= 9 && what <= 10) (void)wal_model_complete(&w->model, SYNC_OK);
        if (what == 11) (void)wal_model_settle(&w->model);
        if (what == 12) (void)wal_mark(w->model.wal);
        if (what == 13 && !fsync_failed && memory_env_random(&random) % 3 == 0)
          fsync_failed = wal_model_complete(&w->model, SYNC_E_IO);
        wal_model_observe(&w->model);
      }
      w->memory.fail_at = 0;
      uint64_t how = memory_env_random(&random) % 4;
      if (how == 0) wal_model_close(&w->model);
      if (how <= 1) process_crash(w);
      if (how >= 2) power_loss(w, (enum memory_env_loss)(memory_env_random(&random) % MEMORY_ENV_LOSSES), random);
      good = w->model.violation == NULL;
    }
    w->memory.disk_bytes_max = 0;
    good = good && works(w);
    if (w->model.wal != NULL) wal_model_crash(&w->model);
    if (world_end(w)) good = false;
    if (!good) fprintf(stderr, "seed %u: %s\n", (unsigned)seed, w->model.report.detail);
    assert_true(good);
  }
}

static void garbage_as_a_log_is_an_error_or_empty_and_never_a_crash(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 400; seed++) {
    struct world *w = &world;
    uint64_t random = seed;
    world_begin(w);
    fresh(w, 14);
    process_crash(w);
    uint64_t flips = 1 + memory_env_random(&random) % 6;
    for (uint64_t i = 0; i < flips; i++) {
      size_t size = 0;
      const char *name = w->memory.live[memory_env_random(&random) % w->memory.live_count].name;
      (void)memory_env_bytes(&w->memory, name, &size);
      memory_env_flip(&w->memory, name, (size_t)(memory_env_random(&random) % size));
    }
    w->model.promised = 0; /* damage at rest may cost the last record */
    int status = wal_model_open(&w->model);
    assert_true(status == SYNC_OK || status == SYNC_E_DAMAGED);
    /* One flip leaves a claim standing for all but the last record. */
    if (status == SYNC_OK && flips == 1) assert_true(w->model.count >= 13);
    if (w->model.wal != NULL) wal_model_close(&w->model);
    assert_false(world_end(w));
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_torn_tail_is_cut_and_later_appends_survive),
      TEST(valid_records_behind_a_hole_are_not_served),
      TEST(damage_below_a_claim_is_damage_and_changes_nothing),
      TEST(after_a_mark_damage_to_the_last_record_is_damage),
      TEST(a_smaller_limit_is_refused_and_cuts_nothing),
      TEST(a_missing_or_headless_segment_in_the_middle_is_damage),
      TEST(a_missing_or_headless_first_segment_is_damage),
      TEST(a_header_that_is_damaged_hides_no_claim_of_its_records),
      TEST(the_claim_of_a_segment_header_alone_is_believed),
      TEST(a_record_of_an_epoch_that_is_over_is_not_served),
      TEST(a_segment_that_follows_another_than_the_one_before_it_is_not_served),
      TEST(a_segment_of_the_same_epoch_that_follows_another_is_no_header),
      TEST(copied_records_are_sealed_for_their_epoch),
      TEST(a_segment_whose_size_survived_without_its_data_is_a_tail),
      TEST(a_read_error_is_an_error_and_no_tail),
      TEST(no_memory_at_any_allocation_is_an_error_and_the_retry_succeeds),
      TEST(a_log_of_another_cluster_or_node_is_refused),
      TEST(an_unknown_version_is_named_and_a_flipped_version_is_damage),
      TEST(an_unclaimed_tail_is_rewritten_and_the_old_copy_stays_until_then),
      TEST(with_nothing_to_rewrite_an_open_writes_nothing),
      TEST(a_failed_fsync_and_a_crash_lose_nothing_promised),
      TEST(a_full_disk_at_open_does_not_prevent_reading),
      TEST(a_rename_that_is_refused_is_tried_again),
      cmocka_unit_test(power_loss_at_every_call_keeps_every_promise),
      cmocka_unit_test(power_loss_during_recovery_keeps_every_promise),
      cmocka_unit_test(random_lives_keep_every_promise),
      cmocka_unit_test(garbage_as_a_log_is_an_error_or_empty_and_never_a_crash),
  };
  return cmocka_run_group_tests_name("wal_recovery", tests, NULL, NULL) != 0;
}
