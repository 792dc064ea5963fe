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

struct world {
  struct memory_env memory;
  struct wal_model model;
};
static struct world world; /* the program's one group uses it test by test */

static int begin(void **state) {
  memory_env_init(&world.memory);
  wal_model_init(&world.model, &world.memory);
  *state = &world;
  return 0;
}
static int end(void **state) {
  (void)state;
  bool leaked = world.memory.blocks != 0;
  if (world.model.violation != NULL) fprintf(stderr, "violation: %s\n", world.model.violation);
  memory_env_destroy(&world.memory);
  return leaked || world.model.violation != NULL;
}
static void reopen(struct world *w) {
  wal_model_close(&w->model);
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
}
static bool exists(struct world *w, const char *name) {
  for (size_t i = 0; i < w->memory.live_count; i++)
    if (strcmp(w->memory.live[i].name, name) == 0) return true;
  return false;
}

static void records_come_back_after_close_and_open(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  for (size_t i = 0; i < 20; i++)
    assert_int_equal(wal_model_append(&w->model, 4 + i * 20), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_true(wal_durable_position(w->model.wal) == wal_appended_position(w->model.wal));
  wal_model_read_all(&w->model);
  reopen(w);
  assert_int_equal(w->model.count, 20);
  wal_model_read_all(&w->model);
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  wal_model_read_all(&w->model);
  wal_model_close(&w->model);
}

static void nothing_is_durable_before_file_name_and_directory_are(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(w->memory.live_count, 0);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_true(exists(w, "wal-0000000000000000-00000001.new"));
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
  assert_int_equal(w->memory.pending_count, 1);
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_true(exists(w, "wal-0000000000000000-00000001"));
  assert_true(wal_durable_position(w->model.wal) == 0);
  assert_int_equal(w->memory.pending_count, 1);
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_true(wal_durable_position(w->model.wal) == 20);
  assert_int_equal(w->memory.last_trace[SYNC_TRACE_DURABLE], 20);
  assert_int_equal(w->memory.pending_count, 0);
  wal_model_close(&w->model);
}

static void a_turn_is_one_write_and_its_appends_are_no_call(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  uint64_t calls = w->memory.calls, allocs = w->memory.allocs;
  for (size_t i = 0; i < 5; i++)
    assert_int_equal(wal_model_append_only(&w->model, 100), SYNC_OK);
  assert_int_equal(w->memory.calls - calls, 0);
  assert_int_equal(w->memory.allocs - allocs, 0);
  assert_int_equal(wal_written_position(w->model.wal), w->model.records[0].end);
  assert_int_equal(wal_write(w->model.wal), SYNC_OK);
  assert_int_equal(w->memory.calls - calls, 1);
  assert_int_equal(wal_written_position(w->model.wal), w->model.records[5].end);
  assert_int_equal(wal_write(w->model.wal), SYNC_OK); /* nothing is left */
  assert_int_equal(w->memory.calls - calls, 1);
  reopen(w);
  assert_int_equal(w->model.count, 6);
  wal_model_close(&w->model);
}

static void a_commit_writes_the_turn_before_it_asks(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(wal_model_append_only(&w->model, 100), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_int_equal(wal_durable_position(w->model.wal), w->model.records[2].end);
  wal_model_close(&w->model);
}

static void what_a_crash_finds_unwritten_is_lost_and_nothing_else(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append_only(&w->model, 10), SYNC_OK);
  wal_model_crash(&w->model);
  memory_env_process_crash(&w->memory);
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(w->model.count, 1);
  wal_model_close(&w->model);
}

static void a_long_turn_is_written_before_it_takes_more_memory(void **state) {
  struct world *w = *state;
  w->model.options.segment_bytes = 1 << 20;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  uint64_t writes = w->memory.writes;
  for (size_t i = 0; i < 60; i++)
    assert_int_equal(wal_model_append_only(&w->model, WAL_MODEL_PAYLOAD_MAX), SYNC_OK);
  uint64_t bytes = 60 * (WAL_MODEL_PAYLOAD_MAX + 20u);
  assert_int_equal(w->memory.writes - writes, (bytes - 1u) / (64u * 1024u));
  assert_true(wal_appended_position(w->model.wal) - wal_written_position(w->model.wal) <= 64u * 1024u);
  wal_model_close(&w->model);
}

/* Where the segment is full and none may follow yet, a turn is one write all the same. */
static void a_turn_that_overfills_a_segment_is_one_write(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 400), SYNC_OK);
  uint64_t writes = w->memory.writes;
  for (size_t i = 0; i < 10; i++)
    assert_int_equal(wal_model_append_only(&w->model, 400), SYNC_OK);
  assert_int_equal(w->memory.writes - writes, 0);
  assert_int_equal(wal_write(w->model.wal), SYNC_OK);
  assert_int_equal(w->memory.writes - writes, 1);
  wal_model_close(&w->model);
}

static void commits_meanwhile_join_the_next_request(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  uint64_t fsyncs = w->memory.fsyncs;
  for (int i = 0; i < 5; i++) {
    assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
    assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
    assert_int_equal(w->memory.pending_count, 1);
  }
  uint64_t first_end = w->model.records[1].end;
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_true(wal_durable_position(w->model.wal) == first_end);
  assert_int_equal(w->memory.pending_count, 1);
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_true(wal_durable_position(w->model.wal) == wal_appended_position(w->model.wal));
  assert_int_equal(w->memory.fsyncs - fsyncs, 2);
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
  assert_int_equal(w->memory.fsyncs - fsyncs, 2);
  wal_model_close(&w->model);
}

static void durability_passes_into_a_new_segment_only_with_its_name(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 500), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 300), SYNC_OK);
  uint64_t boundary = wal_appended_position(w->model.wal);
  assert_int_equal(wal_model_append(&w->model, 300), SYNC_OK);
  char second[SEGMENT_NAME_BYTES];
  segment_name(second, boundary, 1, false);
  assert_true(exists(w, second));
  assert_int_equal(w->memory.traced_kind[SYNC_TRACE_ROTATE], 2);
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
  assert_true(wal_model_complete(&w->model, SYNC_OK)); /* the old file */
  assert_true(wal_durable_position(w->model.wal) == boundary);
  assert_true(wal_model_complete(&w->model, SYNC_OK)); /* the new file */
  assert_true(wal_durable_position(w->model.wal) == boundary);
  assert_true(wal_model_complete(&w->model, SYNC_OK)); /* the directory */
  assert_true(wal_durable_position(w->model.wal) == wal_appended_position(w->model.wal));
  wal_model_close(&w->model);
}

static void a_failed_fsync_stops_the_log_for_good(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  uint64_t durable = wal_durable_position(w->model.wal);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
  uint64_t fsyncs = w->memory.fsyncs;
  assert_true(wal_model_complete(&w->model, SYNC_E_IO));
  assert_true(wal_failed(w->model.wal));
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_E_FAILED);
  assert_int_equal(wal_model_commit(&w->model), SYNC_E_FAILED);
  assert_int_equal(wal_mark(w->model.wal), SYNC_E_FAILED);
  assert_int_equal(w->memory.fsyncs, fsyncs);
  assert_true(wal_durable_position(w->model.wal) == durable);
  wal_model_close(&w->model);
}

static void a_failed_directory_fsync_stops_the_log_too(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  assert_true(wal_model_complete(&w->model, SYNC_E_IO));
  assert_true(wal_failed(w->model.wal));
  assert_true(wal_durable_position(w->model.wal) == 0);
  wal_model_close(&w->model);
}

static void a_refused_fsync_request_stops_the_log_unless_it_never_began(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  w->memory.fail_at = w->memory.calls + 1;
  w->memory.fail_status = SYNC_E_TOO_MANY;
  assert_int_equal(wal_model_commit(&w->model), SYNC_E_TOO_MANY);
  assert_false(wal_failed(w->model.wal));
  w->memory.fail_at = w->memory.calls + 1;
  w->memory.fail_status = SYNC_E_IO;
  assert_int_equal(wal_model_commit(&w->model), SYNC_E_FAILED);
  assert_true(wal_failed(w->model.wal));
  wal_model_close(&w->model);
}

static void a_write_that_failed_is_made_again_with_the_same_bytes(void **state) {
  struct world *w = *state;
  for (int after_effect = 0; after_effect < 2; after_effect++) {
    wal_model_init(&w->model, &w->memory);
    assert_int_equal(wal_model_open(&w->model), SYNC_OK);
    assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
    w->memory.fail_status = SYNC_E_IO;
    w->memory.fail_after_effect = after_effect != 0;
    w->memory.fail_at = w->memory.calls + 1;
    assert_int_equal(wal_model_append(&w->model, 200), SYNC_E_IO); /* it stays appended */
    assert_int_equal(w->model.count, 2);
    assert_true(wal_blocked(w->model.wal));
    assert_int_equal(wal_model_append(&w->model, 5), SYNC_E_IO); /* refused: nothing of it is anywhere */
    assert_int_equal(w->model.count, 2);
    assert_int_equal(wal_write(w->model.wal), SYNC_OK);
    assert_false(wal_blocked(w->model.wal));
    assert_int_equal(wal_model_append(&w->model, 5), SYNC_OK);
    assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
    reopen(w);
    assert_int_equal(w->model.count, 3);
    wal_model_close(&w->model);
    memory_env_destroy(&w->memory);
    memory_env_init(&w->memory);
  }
}

static void what_was_written_becomes_durable_while_the_rest_cannot_be_written(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_append_only(&w->model, 10), SYNC_OK);
  w->memory.fail_status = SYNC_E_NO_SPACE;
  w->memory.fail_writes_from = w->memory.writes + 1;
  assert_int_equal(wal_model_commit(&w->model), SYNC_E_NO_SPACE);
  while (wal_model_complete(&w->model, SYNC_OK))
    continue;
  assert_int_equal(wal_durable_position(w->model.wal), w->model.records[1].end);
  w->memory.fail_writes_from = 0;
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_int_equal(wal_durable_position(w->model.wal), w->model.records[2].end);
  wal_model_close(&w->model);
}

static void too_long_a_record_is_refused(void **state) {
  struct world *w = *state;
  uint64_t position = 0, end_position = 0;
  uint8_t payload[WAL_MODEL_PAYLOAD_MAX + 1] = {0};
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_append(w->model.wal, WAL_OPERATION, payload, sizeof payload, &position, &end_position),
                   SYNC_E_TOO_BIG);
  assert_int_equal(wal_model_append(&w->model, WAL_MODEL_PAYLOAD_MAX), SYNC_OK);
  wal_model_close(&w->model);
}

static void a_mark_is_written_once_for_each_news(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_mark(w->model.wal), SYNC_OK);
  assert_int_equal(w->memory.traced_kind[SYNC_TRACE_MARK], 0);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_mark(w->model.wal), SYNC_OK);
  assert_int_equal(w->memory.traced_kind[SYNC_TRACE_MARK], 0);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  for (int i = 0; i < 4; i++) {
    assert_int_equal(wal_mark(w->model.wal), SYNC_OK);
    while (wal_model_complete(&w->model, SYNC_OK)) {
    }
  }
  assert_int_equal(w->memory.traced_kind[SYNC_TRACE_MARK], 1);
  assert_true(wal_claimed_position(w->model.wal) == 20);
  assert_true(wal_durable_position(w->model.wal) == 31);
  wal_model_close(&w->model);
}

static void a_clean_close_leaves_a_mark_and_the_next_open_rewrites_nothing(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  uint64_t fsyncs = w->memory.fsyncs;
  wal_model_close(&w->model);
  assert_int_equal(w->memory.fsyncs, fsyncs);
  assert_int_equal(w->memory.traced_kind[SYNC_TRACE_MARK], 1);
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_true(w->model.report.durable_position == 20);
  assert_true(w->model.report.appended_position == 31);
  assert_int_equal(w->model.report.records, 2);
  assert_int_equal(w->model.report.tail_bytes_cut, 0);
  wal_model_close(&w->model);
}

static void short_and_interrupted_calls_are_completed(void **state) {
  struct world *w = *state;
  w->memory.transfer_max = 7;
  w->memory.interrupt_every = 3;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  for (size_t i = 0; i < 12; i++)
    assert_int_equal(wal_model_append(&w->model, 10 + 30 * i), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_true(wal_durable_position(w->model.wal) == wal_appended_position(w->model.wal));
  wal_model_read_all(&w->model);
  reopen(w);
  assert_int_equal(w->model.count, 12);
  wal_model_close(&w->model);
}

static void many_segments_are_read_through_few_handles(void **state) {
  struct world *w = *state;
  w->memory.handles_max = 10;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  for (size_t i = 0; i < 80; i++) {
    assert_int_equal(wal_model_append(&w->model, 400), SYNC_OK);
    assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  }
  assert_true(w->memory.live_count > 30);
  wal_model_read_all(&w->model);
  reopen(w);
  wal_model_read_all(&w->model);
  wal_model_close(&w->model);
}

static void unsynced_segments_are_bounded_and_the_last_grows_instead(void **state) {
  struct world *w = *state;
  w->memory.handles_max = 10;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 400), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  for (size_t i = 0; i < 60; i++)
    assert_int_equal(wal_model_append(&w->model, 400), SYNC_OK);
  assert_true(w->memory.live_count <= 5);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_true(wal_durable_position(w->model.wal) == wal_appended_position(w->model.wal));
  reopen(w);
  assert_int_equal(w->model.count, 61);
  wal_model_close(&w->model);
}

static void a_read_is_verified_every_time(void **state) {
  struct world *w = *state;
  uint8_t buffer[WAL_MODEL_PAYLOAD_MAX];
  enum wal_record_type type = WAL_MARK;
  size_t size = 0;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 10), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 590), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  const char *name = "wal-0000000000000000-00000001";
  uint64_t second = w->model.records[1].position;
  assert_int_equal(wal_read(w->model.wal, second, &type, buffer, 589, &size), SYNC_E_BUFFER);
  assert_int_equal(wal_read(w->model.wal, second - 1, &type, buffer, sizeof buffer, &size), SYNC_E_DAMAGED);
  assert_int_equal(wal_read(w->model.wal, wal_appended_position(w->model.wal), &type, buffer, sizeof buffer, &size),
                   SYNC_E_INVALID);
  for (size_t at = 0; at < w->model.records[1].end - second; at += 5) {
    memory_env_flip(&w->memory, name, SEGMENT_HEADER_BYTES + (size_t)second + at);
    assert_int_equal(wal_read(w->model.wal, second, &type, buffer, sizeof buffer, &size), SYNC_E_DAMAGED);
    memory_env_flip(&w->memory, name, SEGMENT_HEADER_BYTES + (size_t)second + at);
  }
  /* What cannot be read holds up what it is part of, and not the record before it. */
  w->memory.unreadable_from = SEGMENT_HEADER_BYTES + 100;
  assert_int_equal(wal_read(w->model.wal, second, &type, buffer, sizeof buffer, &size), SYNC_E_IO);
  assert_int_equal(wal_read(w->model.wal, 0, &type, buffer, sizeof buffer, &size), SYNC_OK);
  w->memory.unreadable_from = SEGMENT_HEADER_BYTES + second + WAL_RECORD_HEADER_BYTES_MIN;
  assert_int_equal(wal_read(w->model.wal, second, &type, buffer, sizeof buffer, &size), SYNC_E_IO);
  w->memory.unreadable_from = 0;
  assert_int_equal(wal_read(w->model.wal, second, &type, buffer, sizeof buffer, &size), SYNC_OK);
  wal_model_close(&w->model);
}

/* The last sector of the log had become unreadable: every append was refused for ever. */
static void a_place_where_no_write_succeeds_is_left_for_a_new_segment(void **state) {
  struct world *w = *state;
  for (int after_effect = 0; after_effect < 2; after_effect++) {
    wal_model_init(&w->model, &w->memory);
    assert_int_equal(wal_model_open(&w->model), SYNC_OK);
    for (size_t i = 0; i < 3; i++)
      assert_int_equal(wal_model_append(&w->model, 20), SYNC_OK);
    assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
    size_t files = w->memory.live_count;
    w->memory.fail_status = SYNC_E_IO;
    w->memory.fail_after_effect = after_effect != 0;
    w->memory.fail_writes_from = w->memory.writes + 1;
    assert_int_equal(wal_model_append_only(&w->model, 20), SYNC_OK);
    assert_int_equal(wal_model_append_only(&w->model, 30), SYNC_OK);
    for (size_t i = 0; i < 4; i++)
      assert_int_equal(wal_write(w->model.wal), SYNC_E_IO);
    assert_int_equal(w->memory.live_count, files);
    w->memory.fail_writes_from = 0;
    assert_int_equal(wal_write(w->model.wal), SYNC_OK); /* all that waited is in the new segment */
    assert_int_equal(w->memory.live_count, files + 1);
    assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
    wal_model_read_all(&w->model);
    reopen(w);
    assert_int_equal(w->model.count, 5);
    wal_model_close(&w->model);
    memory_env_destroy(&w->memory);
    memory_env_init(&w->memory);
  }
}

static void writes_that_go_on_failing_where_no_segment_may_begin_stop_the_log(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 20), SYNC_OK);
  w->memory.fail_status = SYNC_E_IO;
  w->memory.fail_writes_from = w->memory.writes + 1;
  assert_int_equal(wal_model_append(&w->model, 20), SYNC_E_IO);
  for (size_t i = 0; i < 2; i++)
    assert_int_equal(wal_write(w->model.wal), SYNC_E_IO);
  assert_int_equal(wal_write(w->model.wal), SYNC_E_FAILED);
  assert_true(wal_failed(w->model.wal));
  w->memory.fail_writes_from = 0;
  assert_int_equal(wal_model_append(&w->model, 20), SYNC_E_FAILED);
  reopen(w);
  assert_int_equal(wal_model_append(&w->model, 20), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  wal_model_close(&w->model);
}

/* Errors that pass, one now and then, are nothing to it. */
static void a_write_that_succeeds_begins_the_count_of_failures_anew(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(wal_model_append(&w->model, 20), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  size_t files = w->memory.live_count;
  w->memory.fail_status = SYNC_E_IO;
  for (size_t i = 0; i < 20; i++) {
    if (i % 4 == 0) assert_int_equal(wal_model_append_only(&w->model, 20), SYNC_OK);
    if (i % 4 != 3) w->memory.fail_at = w->memory.calls + 1;
    assert_int_equal(wal_write(w->model.wal), i % 4 != 3 ? SYNC_E_IO : SYNC_OK);
  }
  assert_int_equal(w->memory.live_count, files);
  wal_model_close(&w->model);
}

static void a_record_of_another_place_epoch_or_log_is_not_taken(void **state) {
  struct world *w = *state;
  uint8_t buffer[WAL_MODEL_PAYLOAD_MAX], bytes[30];
  enum wal_record_type type = WAL_MARK;
  size_t size = 0;
  struct segment_record record;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  for (size_t i = 0; i < 3; i++)
    assert_int_equal(wal_model_append(&w->model, 20), SYNC_OK);
  uint8_t *file = memory_env_bytes(&w->memory, "wal-0000000000000000-00000001.new", &size) + SEGMENT_HEADER_BYTES;
  assert_int_equal(wal_read(w->model.wal, 60, &type, buffer, sizeof buffer, &size), SYNC_OK);
  memcpy(bytes, file + 60, sizeof bytes);
  memcpy(file + 60, file, sizeof bytes); /* a misdirected write */
  assert_int_equal(wal_read(w->model.wal, 60, &type, buffer, sizeof buffer, &size), SYNC_E_DAMAGED);
  memcpy(file + 60, bytes, sizeof bytes);
  uint64_t log_id = wal_id(w->model.wal);
  assert_true(segment_record_peek(bytes, sizeof bytes, 60, WAL_MODEL_PAYLOAD_MAX, &record));
  assert_int_equal(segment_record_bytes(&record), sizeof bytes);
  assert_true(segment_record_verify(bytes, &record, segment_key(log_id, 1), 60));
  assert_false(segment_record_verify(bytes, &record, segment_key(log_id + 1, 1), 60));
  assert_false(segment_record_verify(bytes, &record, segment_key(log_id, 2), 60));
  assert_false(segment_record_verify(bytes, &record, segment_key(log_id, 1), 90));
  wal_model_close(&w->model);
}

static void a_record_header_has_the_bytes_of_the_format_and_no_others_are_read(void **state) {
  (void)state;
  uint8_t bytes[WAL_RECORD_HEADER_BYTES_MAX + 3] = {0};
  struct segment_record record = {.type = WAL_OPERATION, .size = 300, .claims = true, .durable = 872};
  static const uint8_t expected[] = {0x81, 0xac, 0x02, 0x80, 0x01};
  assert_int_equal(segment_record_begin(bytes, &record, 1000), 13);
  assert_memory_equal(bytes + 8, expected, sizeof expected);
  assert_true(segment_record_peek(bytes, 13, 1000, 300, &record));
  assert_true(record.head == 13 && record.size == 300 && record.claims && record.durable == 872);
  assert_false(segment_record_peek(bytes, 12, 1000, 300, &record)); /* cut */
  assert_false(segment_record_peek(bytes, 13, 1000, 299, &record)); /* too long */
  assert_false(segment_record_peek(bytes, 13, 127, 300, &record));  /* durable before the beginning */
  bytes[9] = 0xac, bytes[10] = 0x82, bytes[11] = 0;
  assert_false(segment_record_peek(bytes, 13, 1000, 300, &record)); /* not the shortest form */
  for (unsigned kind = 0; kind < 256; kind++) {
    memset(bytes, 0, sizeof bytes);
    bytes[8] = (uint8_t)kind;
    bool is_one = (kind & 0x7fu) >= WAL_OPERATION && (kind & 0x7fu) <= WAL_RECORD_TYPE_LAST;
    assert_int_equal(segment_record_peek(bytes, sizeof bytes, 1000, 300, &record), is_one);
  }
  record = (struct segment_record){.type = WAL_MARK, .size = 1};
  assert_int_equal(segment_record_begin(bytes, &record, 1000), 10);
  assert_false(segment_record_peek(bytes, sizeof bytes, 1000, 300, &record)); /* a mark is empty */
  record = (struct segment_record){.type = WAL_OPERATION, .size = WAL_PAYLOAD_BYTES_MAX, .claims = true};
  assert_int_equal(segment_record_begin(bytes, &record, UINT64_MAX), WAL_RECORD_HEADER_BYTES_MAX);
  record = (struct segment_record){.type = WAL_MARK};
  assert_int_equal(segment_record_begin(bytes, &record, UINT64_MAX), WAL_RECORD_HEADER_BYTES_MIN);
}

/* One claim is enough for as long as nothing more is durable. */
static void a_record_claims_when_more_is_durable_than_was_said(void **state) {
  struct world *w = *state;
  static const bool claims[] = {false, false, true, false, true};
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  for (size_t i = 0; i < 5; i++) {
    if (i == 2 || i == 4) assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
    assert_int_equal(wal_model_append(&w->model, 20), SYNC_OK);
    struct wal_model_record record = w->model.records[i];
    assert_int_equal(record.end - record.position > WAL_RECORD_HEADER_BYTES_MIN + 20, claims[i]);
    assert_true(wal_claimed_position(w->model.wal) == wal_durable_position(w->model.wal));
  }
  wal_model_close(&w->model);
}

static void a_full_disk_refuses_appends_until_there_is_room(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  for (size_t i = 0; i < 4; i++)
    assert_int_equal(wal_model_append(&w->model, 300), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  w->memory.disk_bytes_max = 1500;
  int status = SYNC_OK;
  for (size_t i = 0; i < 20 && status == SYNC_OK; i++)
    status = wal_model_append(&w->model, 300);
  assert_int_equal(status, SYNC_E_NO_SPACE);
  /* A smaller record must not slip in behind a rotation that has begun. */
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_E_NO_SPACE);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  wal_model_read_all(&w->model);
  w->memory.disk_bytes_max = 0;
  assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  assert_true(wal_durable_position(w->model.wal) == wal_appended_position(w->model.wal));
  wal_model_read_all(&w->model);
  reopen(w);
  wal_model_close(&w->model);
}

static void names_are_parsed_strictly(void **state) {
  (void)state;
  uint64_t first = 0;
  uint32_t epoch = 0;
  bool aside = false;
  char name[SEGMENT_NAME_BYTES];
  segment_name(name, UINT64_C(0x123456789abcdef0), 0x10fu, true);
  assert_string_equal(name, "wal-123456789abcdef0-0000010f.new");
  assert_true(segment_name_parse(name, &first, &epoch, &aside));
  assert_true(first == UINT64_C(0x123456789abcdef0) && epoch == 0x10f && aside);
  assert_true(segment_name_parse("wal-0000000000000001-00000002", &first, &epoch, &aside));
  assert_true(first == 1 && epoch == 2 && !aside);
  assert_false(segment_name_parse("wal-0000000000000001-0000000A", &first, &epoch, &aside));
  assert_false(segment_name_parse("wal-0000000000000001-00000002.old", &first, &epoch, &aside));
  assert_false(segment_name_parse("wal-0000000000000001-0000002", &first, &epoch, &aside));
  assert_false(segment_name_parse("", &first, &epoch, &aside));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(records_come_back_after_close_and_open),
      TEST(nothing_is_durable_before_file_name_and_directory_are),
      TEST(a_turn_is_one_write_and_its_appends_are_no_call),
      TEST(a_commit_writes_the_turn_before_it_asks),
      TEST(what_a_crash_finds_unwritten_is_lost_and_nothing_else),
      TEST(a_long_turn_is_written_before_it_takes_more_memory),
      TEST(a_turn_that_overfills_a_segment_is_one_write),
      TEST(commits_meanwhile_join_the_next_request),
      TEST(durability_passes_into_a_new_segment_only_with_its_name),
      TEST(a_failed_fsync_stops_the_log_for_good),
      TEST(a_failed_directory_fsync_stops_the_log_too),
      TEST(a_refused_fsync_request_stops_the_log_unless_it_never_began),
      TEST(a_write_that_failed_is_made_again_with_the_same_bytes),
      TEST(what_was_written_becomes_durable_while_the_rest_cannot_be_written),
      TEST(too_long_a_record_is_refused),
      TEST(a_mark_is_written_once_for_each_news),
      TEST(a_clean_close_leaves_a_mark_and_the_next_open_rewrites_nothing),
      TEST(short_and_interrupted_calls_are_completed),
      TEST(many_segments_are_read_through_few_handles),
      TEST(unsynced_segments_are_bounded_and_the_last_grows_instead),
      TEST(a_read_is_verified_every_time),
      TEST(a_place_where_no_write_succeeds_is_left_for_a_new_segment),
      TEST(writes_that_go_on_failing_where_no_segment_may_begin_stop_the_log),
      TEST(a_write_that_succeeds_begins_the_count_of_failures_anew),
      TEST(a_record_of_another_place_epoch_or_log_is_not_taken),
      TEST(a_record_header_has_the_bytes_of_the_format_and_no_others_are_read),
      TEST(a_record_claims_when_more_is_durable_than_was_said),
      TEST(a_full_disk_refuses_appends_until_there_is_room),
      TEST(names_are_parsed_strictly),
  };
  return cmocka_run_group_tests_name("wal", tests, NULL, NULL) != 0;
}
