#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include <stdio.h>
#include <string.h>

#define NODES 3u
#define END (100 * SIM_MS)

/* What a run of two listeners and some injected messages is made of. */
struct variant {
  uint64_t shift_ns;   /* of one delivery */
  uint8_t flip;        /* of a bit of its payload */
  bool swap;           /* two messages of one instant change places */
  uint64_t extra_read; /* the clock is read so often more */
};

static void deliver(struct sim_world *world, void *self, uint64_t token) {
  (void)self;
  uint8_t bytes[100] = {(uint8_t)token, (uint8_t)(token >> 8)};
  sim_inject(world, 1, 2, bytes, sizeof bytes);
}

static uint64_t run(struct sim *sim, struct variant variant, struct sim_trace_log *log, uint64_t *network) {
  struct sim_config config = {.source = {.seed = 1}, .trace = log};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct toy_config toy = {0};
  for (uint32_t i = 0; i < NODES; i++) {
    uint32_t number = sim_node_add(world, &toy_node_kind, &toy, sizeof toy);
    assert_true(sim_node_boot(world, number));
  }
  uint32_t driver = sim_driver_add(world, deliver, NULL);
  for (uint64_t i = 0; i < 20; i++)
    sim_driver_at(world, driver, i * SIM_MS, i);
  sim_driver_at(world, driver, 20 * SIM_MS + variant.shift_ns, 20 | (uint64_t)variant.flip << 8);
  sim_driver_at(world, driver, 21 * SIM_MS, variant.swap ? 22 : 21);
  sim_driver_at(world, driver, 21 * SIM_MS, variant.swap ? 21 : 22);
  (void)sim_run(sim, 30 * SIM_MS, UINT64_MAX);
  if (variant.extra_read > 0) {
    assert_non_null(sim_node_enter(world, 3));
    const struct sync_env *env = sim_node_env(sim_node_at(world, 3));
    (void)env->ops->wall_ns(env->ctx);
    assert_true(sim_node_leave(world, 3));
  }
  (void)sim_run(sim, END, UINT64_MAX);
  if (network != NULL) *network = sim_trace_hash_of(world, SIM_SUB_NETWORK);
  return sim_trace_hash(world);
}

static void equal_runs_have_equal_hashes_with_and_without_a_recording(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *log = sim_trace_log_create();
  uint64_t hash = run(sim, (struct variant){0}, NULL, NULL);
  assert_int_equal(run(sim, (struct variant){0}, NULL, NULL), hash);
  assert_int_equal(run(sim, (struct variant){0}, log, NULL), hash);
  assert_true(sim_trace_log_count(log) > 100);
  sim_trace_log_destroy(log);
  sim_close(sim);
}

static void one_flipped_payload_bit_changes_the_hash(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t network, other;
  uint64_t hash = run(sim, (struct variant){0}, NULL, &network);
  for (unsigned bit = 0; bit < 8; bit++) {
    assert_true(run(sim, (struct variant){.flip = (uint8_t)(1u << bit)}, NULL, &other) != hash);
    assert_true(other != network);
  }
  sim_close(sim);
}

static void a_delivery_one_nanosecond_later_changes_the_hash(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t hash = run(sim, (struct variant){0}, NULL, NULL);
  assert_true(run(sim, (struct variant){.shift_ns = 1}, NULL, NULL) != hash);
  sim_close(sim);
}

static void do_nothing(struct sim_world *world, void *self, uint64_t token) {
  (void)world, (void)self, (void)token;
}

static void an_event_that_does_nothing_is_hashed_with_its_time(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t hashes[2];
  for (uint64_t shift = 0; shift < 2; shift++) {
    struct sim_config config = {.source = {.seed = 1}};
    struct sim_world *world = sim_world_begin(sim, &config);
    uint32_t driver = sim_driver_add(world, do_nothing, NULL);
    sim_driver_at(world, driver, 10 + shift, 0);
    sim_driver_at(world, driver, 20, 0);
    (void)sim_run(sim, 100, UINT64_MAX);
    hashes[shift] = sim_trace_hash_of(world, SIM_SUB_TIMELINE);
  }
  assert_true(hashes[0] != hashes[1]);
  sim_close(sim);
}

static void two_swapped_events_change_the_hash(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t hash = run(sim, (struct variant){0}, NULL, NULL);
  assert_true(run(sim, (struct variant){.swap = true}, NULL, NULL) != hash);
  sim_close(sim);
}

static void a_clock_that_is_read_changes_the_node_chain_and_no_other(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t network, other;
  uint64_t hash = run(sim, (struct variant){0}, NULL, &network);
  assert_true(run(sim, (struct variant){.extra_read = 1}, NULL, &other) != hash);
  assert_int_equal(other, network);
  sim_close(sim);
}

static void the_diff_names_the_first_step_that_differs(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *a = sim_trace_log_create(), *b = sim_trace_log_create();
  char text[4096];
  size_t index = 0;
  (void)run(sim, (struct variant){0}, a, NULL);
  (void)run(sim, (struct variant){0}, b, NULL);
  assert_false(sim_trace_diff(a, b, &index, text, sizeof text));
  sim_trace_log_clear(b);
  (void)run(sim, (struct variant){.shift_ns = 1}, b, NULL);
  assert_true(sim_trace_diff(a, b, &index, text, sizeof text));
  assert_int_equal(sim_trace_log_at(a, index)->step, SIM_STEP_EVENT);
  assert_int_equal(sim_trace_log_at(a, index)->time_ns, 20 * SIM_MS);
  assert_int_equal(sim_trace_log_at(b, index)->time_ns, 20 * SIM_MS + 1);
  assert_non_null(strstr(text, "a   0.020000000 "));
  assert_non_null(strstr(text, "b   0.020000001 "));
  sim_trace_log_clear(b);
  (void)run(sim, (struct variant){.flip = 1}, b, NULL);
  assert_true(sim_trace_diff(a, b, &index, text, sizeof text));
  sim_trace_log_clear(b);
  assert_true(sim_trace_diff(a, b, &index, text, sizeof text));
  assert_int_equal(index, 0);
  assert_non_null(strstr(text, "b ends here"));
  assert_true(sim_trace_diff(a, b, &index, text, 30));
  assert_int_equal(strlen(text), 29);
  sim_trace_log_destroy(a);
  sim_trace_log_destroy(b);
  sim_close(sim);
}

static void every_event_tells_its_cause(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *log = sim_trace_log_create();
  (void)run(sim, (struct variant){0}, log, NULL);
  size_t caused = 0;
  for (size_t i = 0; i < sim_trace_log_count(log); i++) {
    const struct sim_trace_record *record = sim_trace_log_at(log, i);
    if (record->step != SIM_STEP_EVENT || record->node != 2) continue;
    assert_true(record->cause != 0 && record->cause < record->event);
    caused++;
  }
  assert_int_equal(caused, 23);
  sim_trace_log_destroy(log);
  sim_close(sim);
}

static void a_recording_is_written_as_text_and_write_errors_are_told(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *log = sim_trace_log_create();
  (void)run(sim, (struct variant){0}, log, NULL);
  FILE *file = tmpfile();
  assert_true(sim_trace_log_write_text(log, NULL, file));
  rewind(file);
  char line[600];
  size_t lines = 0;
  assert_non_null(fgets(line, sizeof line, file));
  assert_string_equal(line, "syncsim-timeline 2\n");
  while (fgets(line, sizeof line, file) != NULL)
    lines++;
  assert_int_equal(lines, sim_trace_log_count(log));
  (void)fclose(file);
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  assert_false(sim_trace_log_write_text(log, NULL, full));
  (void)fclose(full);
  sim_trace_log_destroy(log);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equal_runs_have_equal_hashes_with_and_without_a_recording),
      cmocka_unit_test(one_flipped_payload_bit_changes_the_hash),
      cmocka_unit_test(a_delivery_one_nanosecond_later_changes_the_hash),
      cmocka_unit_test(an_event_that_does_nothing_is_hashed_with_its_time),
      cmocka_unit_test(two_swapped_events_change_the_hash),
      cmocka_unit_test(a_clock_that_is_read_changes_the_node_chain_and_no_other),
      cmocka_unit_test(the_diff_names_the_first_step_that_differs),
      cmocka_unit_test(every_event_tells_its_cause),
      cmocka_unit_test(a_recording_is_written_as_text_and_write_errors_are_told),
  };
  return cmocka_run_group_tests_name("trace", tests, NULL, NULL) != 0;
}
