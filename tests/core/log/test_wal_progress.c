/* Under steady writing, where something is appended and wanted before each
 * fsync is done, every record becomes durable within a bounded number of
 * completed fsyncs; and no power loss on that way takes what was promised.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/base.h"
#include "tests/support/wal_model.h"

struct world {
  struct memory_env memory;
  struct wal_model model;
  uint64_t completed;                     /* fsyncs so far */
  uint64_t since[WAL_MODEL_RECORDS_MAX];  /* by record: `completed` at its append */
  uint64_t bound[WAL_MODEL_RECORDS_MAX];  /* ... and what it may take from there */
  uint64_t firsts[WAL_MODEL_RECORDS_MAX]; /* where segments begin */
  size_t segments;
};
static struct world world; /* the program's one group uses it test by test */

static int begin(void **state) {
  memset(&world, 0, sizeof world);
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

/* The segment that a record begins is the last one that was traced. */
static void note_segment(struct world *w) {
  uint64_t first = w->memory.last_trace[SYNC_TRACE_ROTATE];
  if (w->memory.traced_kind[SYNC_TRACE_ROTATE] == 0) return;
  if (w->segments > 0 && w->firsts[w->segments - 1] == first) return;
  w->firsts[w->segments++] = first;
}

/* Two: the one in flight and the next. For segments of which nothing is durable
 * yet, one more each for the file, and one for their names. */
static uint64_t allowed(const struct world *w) {
  uint64_t durable = wal_durable_position(w->model.wal), fresh = 0;
  for (size_t i = 0; i < w->segments; i++)
    if (w->firsts[i] >= durable) fresh++;
  return 2 + fresh + (fresh > 0 ? 1 : 0);
}

static void append(struct world *w, size_t size) {
  assert_int_equal(wal_model_append(&w->model, size), SYNC_OK);
  note_segment(w);
  w->since[w->model.count - 1] = w->completed;
  w->bound[w->model.count - 1] = allowed(w);
  assert_int_equal(wal_model_commit(&w->model), SYNC_OK);
}

static void complete(struct world *w) {
  assert_true(wal_model_complete(&w->model, SYNC_OK));
  w->completed++;
  uint64_t durable = wal_durable_position(w->model.wal);
  for (size_t i = 0; i < w->model.count; i++)
    if (w->model.records[i].end > durable) assert_true(w->completed - w->since[i] < w->bound[i]);
}

static void a_new_epoch_becomes_durable_while_it_is_written_to(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  append(w, 10);
  for (int i = 0; i < 100; i++) {
    append(w, 10);
    complete(w);
    if (i >= 1) assert_true(wal_durable_position(w->model.wal) > 0);
  }
  assert_true(w->memory.traced_kind[SYNC_TRACE_ROTATE] > 1); /* it even rotates */
  wal_model_close(&w->model);
}

static void an_established_epoch_takes_the_fsync_in_flight_and_the_next(void **state) {
  struct world *w = *state;
  w->model.options.segment_bytes = 1 << 20;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  append(w, 10);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  for (int i = 0; i < 100; i++) {
    append(w, 10);
    append(w, 10);
    assert_true(w->bound[w->model.count - 1] == 2);
    complete(w);
  }
  wal_model_close(&w->model);
}

static void segments_that_fill_faster_than_the_disk_answers_are_passed(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  append(w, 10);
  for (int i = 0; i < 60; i++) {
    for (int j = 0; j < 8; j++)
      if (w->model.count < WAL_MODEL_RECORDS_MAX) append(w, 150);
    complete(w);
  }
  assert_true(w->segments > 10);
  assert_true(w->memory.live_count > 10);
  wal_model_close(&w->model);
}

/* Its records may have been promised by the life before: they come first. */
static void a_rewritten_tail_becomes_durable_while_it_is_written_to(void **state) {
  struct world *w = *state;
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  for (int i = 0; i < 5; i++)
    assert_int_equal(wal_model_append(&w->model, 100), SYNC_OK);
  assert_int_equal(wal_model_settle(&w->model), SYNC_OK);
  wal_model_crash(&w->model);
  memory_env_power_loss(&w->memory, MEMORY_ENV_LOSE_ALL, 1);
  assert_int_equal(wal_model_open(&w->model), SYNC_OK);
  assert_int_equal(w->model.count, 5);
  note_segment(w);
  for (size_t i = 0; i < w->model.count; i++)
    w->bound[i] = 4;
  for (int i = 0; i < 50; i++) {
    append(w, 10);
    complete(w);
  }
  wal_model_close(&w->model);
}

/* Steady writing over rotations, then power loss at the given call. */
static bool write_until_power_fails(struct world *w, uint64_t at, enum memory_env_loss style, uint64_t seed) {
  w->memory.power_off_at = at;
  int status = wal_model_open(&w->model);
  for (int i = 0; status == SYNC_OK && i < 24; i++) {
    status = wal_model_append(&w->model, 40 + (size_t)(i * 37 % 200));
    if (status == SYNC_OK) status = wal_model_commit(&w->model);
    if (status == SYNC_OK && i % 2 == 1) (void)wal_model_complete(&w->model, SYNC_OK);
    if (w->memory.powered_off) break;
  }
  bool off = w->memory.powered_off;
  if (w->model.wal != NULL) wal_model_crash(&w->model);
  memory_env_power_loss(&w->memory, style, seed);
  w->memory.power_off_at = 0;
  return off;
}

static void power_loss_at_every_call_of_steady_writing_keeps_every_promise(void **state) {
  struct world *w = *state;
  for (int style = 0; style < MEMORY_ENV_LOSSES; style++) {
    bool off = true;
    for (uint64_t at = 1; off && at < 400; at++) {
      memory_env_destroy(&w->memory);
      memory_env_init(&w->memory);
      wal_model_init(&w->model, &w->memory);
      off = write_until_power_fails(w, at, (enum memory_env_loss)style, at);
      /* Once more, over what the first left: a rewritten tail under steady writing. */
      (void)write_until_power_fails(w, w->memory.calls + 1 + at % 40, (enum memory_env_loss)style, at + 1);
      assert_int_equal(wal_model_open(&w->model), SYNC_OK);
      wal_model_read_all(&w->model);
      wal_model_close(&w->model);
      assert_null(w->model.violation);
    }
    assert_false(off);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_new_epoch_becomes_durable_while_it_is_written_to, begin, end),
      cmocka_unit_test_setup_teardown(an_established_epoch_takes_the_fsync_in_flight_and_the_next, begin, end),
      cmocka_unit_test_setup_teardown(segments_that_fill_faster_than_the_disk_answers_are_passed, begin, end),
      cmocka_unit_test_setup_teardown(a_rewritten_tail_becomes_durable_while_it_is_written_to, begin, end),
      cmocka_unit_test_setup_teardown(power_loss_at_every_call_of_steady_writing_keeps_every_promise, begin, end),
  };
  int r = cmocka_run_group_tests_name("wal_progress", tests, NULL, NULL);
  return r != 0;
}
