/* The oracle "durability progresses" over histories made by hand: it speaks of
 * each wrong one, at the first step that makes it wrong, and of no right one. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/state.h"
#include "cluster/submit.h"

static struct log_watch watch;
static uint64_t now_ns;
static bool claims = true; /* records say what is durable */

static void begin(const struct sync_options *options) {
  memset(&watch, 0, sizeof watch);
  now_ns = SIM_SECOND;
  log_watch_begin(&watch, options, now_ns);
}
static void traced(enum sync_trace_kind kind, uint64_t field) {
  log_watch_traced(&watch, kind, &field, 1);
}
static void marked(uint64_t position, uint64_t end) {
  uint64_t fields[2] = {position, end};
  log_watch_traced(&watch, SYNC_TRACE_MARK, fields, 2);
  log_watch_claimed(&watch, watch.durable, now_ns);
}
static void opened(uint64_t durable, uint64_t appended) {
  uint64_t fields[5] = {0, 1, durable, appended, 0};
  log_watch_traced(&watch, SYNC_TRACE_OPEN, fields, 5);
}
static void submitted(uint64_t end) {
  uint64_t fields[5] = {1, 2, 3, end, 5};
  log_watch_traced(&watch, SYNC_TRACE_SUBMIT, fields, 5);
  if (claims) log_watch_claimed(&watch, watch.durable, now_ns);
}
/* An fsync that moved the durable position there. */
static void fsynced(uint64_t durable) {
  if (durable > watch.durable) traced(SYNC_TRACE_DURABLE, durable);
  log_watch_fsync_done(&watch);
}
static void look(uint64_t after_ns, uint64_t refusals, bool busy, bool at_work) {
  now_ns += after_ns;
  struct log_watch_look seen = {
      .now_ns = now_ns, .appended = watch.appended, .refusals = refusals, .busy = busy, .disk_at_work = at_work};
  log_watch_look(&watch, &seen);
}
static void expect(enum log_watch_finding finding) {
  assert_int_equal(watch.finding, finding);
}

/* A look after which the last write of the log had failed, or not. */
static void wrote(bool failed) {
  struct log_watch_look seen = {.now_ns = now_ns, .appended = watch.appended, .write_failed = failed};
  log_watch_look(&watch, &seen);
}

/* --- Counts ---------------------------------------------------------------------------- */

static void in_an_established_epoch_two_fsyncs_are_allowed_and_no_third(void **state) {
  (void)state;
  begin(&(struct sync_options){0});
  opened(100, 100);
  traced(SYNC_TRACE_ROTATE, 100);
  submitted(200);
  fsynced(0);
  fsynced(200);
  for (uint64_t end = 300; end < 2000; end += 100) {
    submitted(end);
    fsynced(end - 100); /* always one behind: right */
  }
  expect(LOG_WATCH_HELD);
  submitted(2000);
  fsynced(1900);
  expect(LOG_WATCH_HELD);
  fsynced(1950);
  expect(LOG_WATCH_NOT_DURABLE);
  assert_int_equal(watch.position, 2000);
}

/* What the engine did before it was mended. */
static void a_new_epoch_whose_file_is_fsynced_again_and_again_is_found(void **state) {
  (void)state;
  begin(&(struct sync_options){0});
  opened(0, 0);
  traced(SYNC_TRACE_ROTATE, 0);
  for (uint64_t i = 1; i <= 3; i++) {
    submitted(i * 100);
    fsynced(0);
    expect(LOG_WATCH_HELD);
  }
  submitted(400);
  fsynced(0);
  expect(LOG_WATCH_NOT_DURABLE);
  assert_int_equal(watch.position, 100);
}

static void a_rewritten_tail_has_four_fsyncs_whether_its_segment_is_there_or_not(void **state) {
  (void)state;
  for (int written = 0; written < 2; written++) {
    begin(&(struct sync_options){0});
    if (written) traced(SYNC_TRACE_ROTATE, 500);
    opened(500, 900);
    for (int i = 0; i < 3; i++)
      fsynced(0);
    expect(LOG_WATCH_HELD);
    fsynced(0);
    expect(LOG_WATCH_NOT_DURABLE);
    assert_int_equal(watch.position, 900);
  }
}

static void each_fresh_segment_below_a_record_is_one_fsync_more_and_their_names_one(void **state) {
  (void)state;
  begin(&(struct sync_options){0});
  opened(100, 100);
  traced(SYNC_TRACE_ROTATE, 100);
  submitted(200);
  fsynced(0);
  fsynced(200);
  submitted(300);
  traced(SYNC_TRACE_ROTATE, 300);
  submitted(400);
  traced(SYNC_TRACE_ROTATE, 400);
  submitted(500); /* 2, two segments, names: 5 */
  fsynced(250);
  fsynced(300);
  fsynced(300);
  fsynced(400);
  expect(LOG_WATCH_HELD);
  fsynced(400);
  expect(LOG_WATCH_NOT_DURABLE);
  assert_int_equal(watch.position, 500);
}

/* Writes fail at one place, and the log goes on in a new segment with what waited. */
static void what_waited_for_a_write_may_need_a_segment_that_it_did_not_know_of(void **state) {
  (void)state;
  for (unsigned more = 0; more < 2; more++) {
    begin(&(struct sync_options){0});
    opened(100, 100);
    traced(SYNC_TRACE_ROTATE, 100);
    submitted(200);
    wrote(false);
    fsynced(0);
    fsynced(200);
    submitted(300);
    wrote(true);
    for (unsigned i = 0; i < 5; i++)
      fsynced(200); /* while nothing can be written, as many as there may be */
    traced(SYNC_TRACE_ROTATE, 200);
    wrote(false);
    for (unsigned i = 0; i < 3 + more; i++)
      fsynced(200); /* one in flight, its file, the names; and the fourth */
    expect(more ? LOG_WATCH_NOT_DURABLE : LOG_WATCH_HELD);
  }
}

static void a_full_segment_that_is_written_to_for_ever_is_found(void **state) {
  (void)state;
  begin(&(struct sync_options){.segment_bytes = 1000});
  opened(0, 0);
  traced(SYNC_TRACE_ROTATE, 0);
  submitted(800);
  fsynced(0);
  fsynced(800);
  for (uint64_t i = 1; i <= 4; i++) {
    submitted(800 + i * 100);
    fsynced(800 + i * 100);
    expect(LOG_WATCH_HELD);
  }
  submitted(1300);
  expect(LOG_WATCH_NOT_ROTATED);
  assert_int_equal(watch.position, 0);
}

static void a_full_segment_that_waits_for_three_fsyncs_is_right_and_so_is_one_great_record(void **state) {
  (void)state;
  begin(&(struct sync_options){.segment_bytes = 1000});
  opened(0, 0);
  uint64_t at = 0;
  for (int segment = 0; segment < 5; segment++) {
    traced(SYNC_TRACE_ROTATE, at);
    submitted(at + 5000); /* longer than a segment */
    for (int i = 1; i <= 3; i++) {
      submitted(at + 5000 + (uint64_t)i * 100);
      fsynced(i == 3 ? at + 5300 : 0);
    }
    at += 5300;
  }
  expect(LOG_WATCH_HELD);
}

/* --- Time ------------------------------------------------------------------------------- */

static void what_nobody_asks_the_disk_for_is_found_in_time(void **state) {
  (void)state;
  begin(&(struct sync_options){0});
  opened(0, 0);
  submitted(100);
  for (int i = 0; i < 40; i++) { /* steady writing, and a commit that each write puts off */
    submitted(200 + (uint64_t)i * 100);
    look(50 * SIM_MS, 0, false, false);
  }
  expect(LOG_WATCH_HELD);
  for (int i = 0; i < 6; i++)
    look(50 * SIM_MS, 0, false, false);
  expect(LOG_WATCH_NOT_ASKED);
}

static void a_disk_at_work_a_refusal_and_a_paused_node_each_excuse_for_as_long_as_they_last(void **state) {
  (void)state;
  for (int excuse = 0; excuse < 3; excuse++) {
    begin(&(struct sync_options){0});
    opened(0, 0);
    submitted(100);
    uint64_t refusals = 0;
    for (int i = 0; i < 20; i++)
      look(2 * SIM_SECOND, excuse == 0 ? ++refusals : 0, excuse == 1, excuse == 2);
    expect(LOG_WATCH_HELD);
    look(2 * SIM_SECOND, refusals, false, false);
    expect(LOG_WATCH_HELD);
    look(SIM_SECOND, refusals, false, false);
    expect(LOG_WATCH_NOT_ASKED);
  }
}

static void what_is_durable_and_never_marked_is_found_and_new_writes_mark_it(void **state) {
  (void)state;
  begin(&(struct sync_options){.idle_mark_ns = 300 * SIM_MS});
  opened(0, 0);
  for (uint64_t end = 100; end < 3000; end += 100) { /* each record says what was durable before it */
    submitted(end);
    fsynced(end);
    look(200 * SIM_MS, 0, false, false);
  }
  expect(LOG_WATCH_HELD);
  look(500 * SIM_MS, 0, false, false);
  expect(LOG_WATCH_HELD);
  look(200 * SIM_MS, 0, false, false);
  expect(LOG_WATCH_NOT_MARKED);
  assert_int_equal(watch.position, 2900);
}

static void a_record_that_does_not_say_what_is_durable_is_no_mark(void **state) {
  (void)state;
  for (int said = 0; said < 2; said++) {
    begin(&(struct sync_options){.idle_mark_ns = 300 * SIM_MS});
    opened(0, 0);
    for (uint64_t end = 100; end < 3000; end += 100) {
      claims = said == 1 || end < 2000;
      submitted(end);
      fsynced(end);
      look(200 * SIM_MS, 0, false, false);
    }
    claims = true;
    submitted(3000);
    expect(said ? LOG_WATCH_HELD : LOG_WATCH_NOT_MARKED);
  }
}

static void a_mark_ends_it_and_needs_no_mark_itself(void **state) {
  (void)state;
  begin(&(struct sync_options){0});
  opened(0, 0);
  traced(SYNC_TRACE_ROTATE, 0);
  submitted(100);
  fsynced(0);
  fsynced(100);
  marked(100, 120);
  fsynced(120);
  for (int i = 0; i < 20; i++)
    look(SIM_SECOND, 0, false, false);
  expect(LOG_WATCH_HELD);
}

/* --- In a world ------------------------------------------------------------------------- */

static struct cluster *world(struct sim *sim, uint64_t fsync_ns) {
  struct sim_config config = {.source = {.seed = 5}};
  config.disk.fsync_min_ns = config.disk.fsync_max_ns = fsync_ns;
  struct cluster_config cluster_config = {.nodes = 2};
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  assert_non_null(cluster);
  return cluster;
}

/* 20 s for an fsync, and a pause of a minute: slow, not wrong. */
static void a_slow_disk_and_a_paused_node_are_no_finding(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = world(sim, 20 * SIM_SECOND);
  assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
  sim_run(sim, 10 * SIM_SECOND, UINT64_MAX);
  sim_node_pause(cluster->world, 1);
  sim_run(sim, 70 * SIM_SECOND, UINT64_MAX);
  sim_node_resume(cluster->world, 1);
  sim_run(sim, 300 * SIM_SECOND, UINT64_MAX);
  assert_false(cluster_violated(cluster));
  assert_true(cluster->ledger.promised == 1);
  sim_close(sim);
}

static void a_finding_is_a_violation_that_names_the_node_and_the_position(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = world(sim, SIM_MS);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
  struct log_watch *of = &cluster->nodes[1].watch;
  assert_int_equal(of->group_count, 1);
  of->fsyncs += 1; /* as if one more had been completed meanwhile */
  of->groups[0].end += 1000;
  sim_run(sim, 3 * SIM_SECOND, UINT64_MAX);
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_PROGRESS);
  assert_int_equal(sim_violation_get(cluster->world)->node, 1);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(in_an_established_epoch_two_fsyncs_are_allowed_and_no_third),
      cmocka_unit_test(a_new_epoch_whose_file_is_fsynced_again_and_again_is_found),
      cmocka_unit_test(a_rewritten_tail_has_four_fsyncs_whether_its_segment_is_there_or_not),
      cmocka_unit_test(each_fresh_segment_below_a_record_is_one_fsync_more_and_their_names_one),
      cmocka_unit_test(what_waited_for_a_write_may_need_a_segment_that_it_did_not_know_of),
      cmocka_unit_test(a_full_segment_that_is_written_to_for_ever_is_found),
      cmocka_unit_test(a_full_segment_that_waits_for_three_fsyncs_is_right_and_so_is_one_great_record),
      cmocka_unit_test(what_nobody_asks_the_disk_for_is_found_in_time),
      cmocka_unit_test(a_disk_at_work_a_refusal_and_a_paused_node_each_excuse_for_as_long_as_they_last),
      cmocka_unit_test(what_is_durable_and_never_marked_is_found_and_new_writes_mark_it),
      cmocka_unit_test(a_record_that_does_not_say_what_is_durable_is_no_mark),
      cmocka_unit_test(a_mark_ends_it_and_needs_no_mark_itself),
      cmocka_unit_test(a_slow_disk_and_a_paused_node_are_no_finding),
      cmocka_unit_test(a_finding_is_a_violation_that_names_the_node_and_the_position),
  };
  int r = cmocka_run_group_tests_name("log_watch", tests, NULL, NULL);
  return r != 0;
}
