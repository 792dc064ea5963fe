#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/trace_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void marks_change_no_hash_and_agree_for_one_seed(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_marks *a = sim_trace_marks_create(8), *b = sim_trace_marks_create(8);
  uint64_t hash = trace_fixture_run(sim, 1, NULL, NULL);
  assert_int_equal(trace_fixture_run(sim, 1, NULL, a), hash);
  assert_int_equal(trace_fixture_run(sim, 1, NULL, b), hash);
  assert_int_equal(sim_trace_marks_count(a), (sim_events_run(sim_world(sim)) - 1) / 8);
  assert_int_equal(sim_trace_marks_agree(a, b), sim_trace_marks_count(a));
  for (size_t i = 0; i < sim_trace_marks_count(a); i++)
    assert_int_equal(sim_trace_marks_at(a, i)->events, (i + 1) * 8);
  assert_null(sim_trace_marks_at(a, sim_trace_marks_count(a)));
  sim_trace_marks_destroy(a);
  sim_trace_marks_destroy(b);
  sim_close(sim);
}

/* Found by halving, and by looking at each. */
static void the_first_mark_that_differs_is_found(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_marks *a = sim_trace_marks_create(4), *b = sim_trace_marks_create(4);
  (void)trace_fixture_run(sim, 1, NULL, a);
  (void)trace_fixture_run(sim, 2, NULL, b); /* one payload differs, at 30 ms */
  size_t agree = 0;
  while (agree < sim_trace_marks_count(a) && sim_trace_marks_at(a, agree)->hash == sim_trace_marks_at(b, agree)->hash)
    agree++;
  assert_true(agree > 0 && agree < sim_trace_marks_count(a));
  assert_int_equal(sim_trace_marks_agree(a, b), agree);
  assert_true(sim_trace_marks_at(a, agree - 1)->time_ns <= 30 * SIM_MS);
  assert_true(sim_trace_marks_at(a, agree)->time_ns >= 30 * SIM_MS);
  sim_trace_marks_destroy(a);
  sim_trace_marks_destroy(b);
  sim_close(sim);
}

static void a_restore_drops_the_marks_behind_it(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_marks *plain = sim_trace_marks_create(4), *marks = sim_trace_marks_create(4);
  (void)trace_fixture_run(sim, 1, NULL, plain);
  (void)trace_fixture_run(sim, 1, NULL, marks);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  struct sim_world *world = sim_world(sim);
  assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
  size_t count = sim_trace_marks_count(marks);
  uint32_t driver = sim_driver_add(world, trace_fixture_deliver, NULL);
  for (uint64_t i = 1; i < 40; i++)
    sim_driver_at(world, driver, sim_now(world) + i * SIM_MS, i);
  (void)sim_run(sim, 200 * SIM_MS, UINT64_MAX);
  assert_true(sim_trace_marks_count(marks) > count);
  sim_checkpoint_restore(checkpoint, sim_arena(sim));
  (void)sim_run(sim, sim_now(world), UINT64_MAX);
  assert_true(sim_trace_marks_count(marks) <= count + 1);
  assert_true(sim_trace_marks_agree(marks, plain) == count);
  assert_true(sim_trace_marks_at(marks, sim_trace_marks_count(marks) - 1)->events <= sim_events_run(world));
  sim_checkpoint_destroy(checkpoint);
  sim_trace_marks_destroy(plain);
  sim_trace_marks_destroy(marks);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(marks_change_no_hash_and_agree_for_one_seed),
      cmocka_unit_test(the_first_mark_that_differs_is_found),
      cmocka_unit_test(a_restore_drops_the_marks_behind_it),
  };
  return cmocka_run_group_tests_name("trace_marks", tests, NULL, NULL) != 0;
}
