#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/clock/clock.h"
#include "tests/support/toy_world.h"

static struct sim_world *begin(struct sim *sim, uint64_t period_ns) {
  struct sim_config config = {.source = {.seed = 1}, .wall_start_ns = 1000 * SIM_SECOND};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct toy_config toy = {.period_ns = period_ns};
  assert_int_equal(sim_node_add(world, &toy_node_kind, &toy, sizeof toy), 1);
  assert_true(sim_node_boot(world, 1));
  return world;
}

static uint64_t mono(struct sim_world *world) {
  const struct sync_env *env = sim_node_env(sim_node_at(world, 1));
  return env->ops->mono_ns(env->ctx);
}

static uint64_t wall(struct sim_world *world) {
  const struct sync_env *env = sim_node_env(sim_node_at(world, 1));
  return env->ops->wall_ns(env->ctx);
}

/* The toy's timer keeps the world from being idle before the end. */
static void run_to(struct sim *sim, uint64_t time_ns) {
  assert_int_equal(sim_run(sim, time_ns, UINT64_MAX), SIM_END_TIME);
}

static void a_rate_moves_both_clocks_and_a_step_only_the_wall(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_SECOND);
  run_to(sim, 10 * SIM_SECOND);
  assert_int_equal(mono(world), 10 * SIM_SECOND);
  assert_int_equal(wall(world), 1010 * SIM_SECOND);
  sim_clock_rate(world, 1, 100000);
  run_to(sim, 20 * SIM_SECOND);
  assert_int_equal(mono(world), 21 * SIM_SECOND);
  assert_int_equal(wall(world), 1021 * SIM_SECOND);
  sim_clock_step(world, 1, -(int64_t)(21 * SIM_SECOND));
  assert_int_equal(mono(world), 21 * SIM_SECOND);
  assert_int_equal(wall(world), 1000 * SIM_SECOND);
  sim_clock_rate(world, 1, -500000);
  run_to(sim, 30 * SIM_SECOND);
  assert_int_equal(mono(world), 26 * SIM_SECOND);
  assert_int_equal(wall(world), 1005 * SIM_SECOND);
  sim_clock_step(world, 1, INT64_MIN);
  assert_int_equal(wall(world), 0);
  sim_close(sim);
}

static void a_frozen_wall_clock_stands_and_goes_on_from_there(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_SECOND);
  run_to(sim, SIM_SECOND);
  sim_clock_freeze(world, 1, true);
  run_to(sim, 5 * SIM_SECOND);
  assert_int_equal(wall(world), 1001 * SIM_SECOND);
  assert_int_equal(mono(world), 5 * SIM_SECOND);
  sim_clock_freeze(world, 1, false);
  run_to(sim, 6 * SIM_SECOND);
  assert_int_equal(wall(world), 1002 * SIM_SECOND);
  sim_close(sim);
}

static void the_monotonic_clock_begins_anew_with_the_machine_and_not_with_the_process(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_SECOND);
  run_to(sim, 5 * SIM_SECOND);
  sim_node_process_crash(world, 1);
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(mono(world), 5 * SIM_SECOND);
  sim_node_power_loss(world, 1);
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(mono(world), 0);
  assert_int_equal(wall(world), 1005 * SIM_SECOND);
  sim_close(sim);
}

static void when_is_the_first_instant_that_shows_the_time(void **unused) {
  (void)unused;
  uint64_t state = 1;
  for (int i = 0; i < 200000; i++) {
    state = state * UINT64_C(6364136223846793005) + 1;
    struct sim_clock clock = {.since_ns = state >> 20, .mono_ns = state >> 18, .ppm = (int32_t)(state >> 40) % 500001};
    state = state * UINT64_C(6364136223846793005) + 1;
    uint64_t target = clock.mono_ns + (state >> (8 + state % 50));
    uint64_t when = clock_when(&clock, target);
    assert_true(clock_mono(&clock, when) >= target);
    if (when > clock.since_ns) assert_true(clock_mono(&clock, when - 1) < target);
  }
  struct sim_clock slow = {.ppm = -500000};
  assert_int_equal(clock_when(&slow, UINT64_MAX - 1), UINT64_MAX);
}

static void a_timer_never_fires_before_its_monotonic_time_whatever_the_rate(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  for (int32_t ppm = -499999; ppm <= 500000; ppm += 33331) {
    struct sim_world *world = begin(sim, 1234567);
    sim_clock_rate(world, 1, ppm);
    uint64_t before = 0;
    for (int i = 0; i < 100; i++) {
      assert_int_equal(sim_run(sim, UINT64_MAX, 1), SIM_END_EVENTS);
      const struct toy_state *toy = sim_node_peek(world, 1);
      assert_true(toy->last_mono_ns >= before + 1234567);
      assert_true(toy->last_mono_ns <= before + 1234567 + 1001);
      before = toy->last_mono_ns;
    }
  }
  sim_close(sim);
}

static void a_timer_follows_a_change_of_rate_both_ways(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  for (int32_t ppm = -500000; ppm <= 500000; ppm += 1000000) {
    struct sim_world *world = begin(sim, 3 * SIM_SECOND);
    (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
    sim_clock_rate(world, 1, ppm);
    uint64_t due = ppm < 0 ? 5 * SIM_SECOND : SIM_SECOND + 2 * SIM_SECOND * 2 / 3 + 1;
    (void)sim_run(sim, due - 1, UINT64_MAX);
    assert_int_equal(((const struct toy_state *)sim_node_peek(world, 1))->timers, 0);
    (void)sim_run(sim, due, UINT64_MAX);
    assert_int_equal(((const struct toy_state *)sim_node_peek(world, 1))->timers, 1);
  }
  sim_close(sim);
}

/* Whether the wall clock is away from where it would be, at each millisecond. */
static void a_strobe_jumps_away_and_back_and_ends_back(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  for (int backward = 0; backward < 2; backward++) {
    struct sim_world *world = begin(sim, SIM_SECOND);
    int64_t jump = backward ? -(int64_t)(200 * SIM_MS) : (int64_t)(200 * SIM_MS);
    run_to(sim, SIM_SECOND);
    uint64_t ahead = wall(world) - sim_now(world);
    sim_clock_strobe(world, 1, jump, 10 * SIM_MS, 95 * SIM_MS);
    for (uint64_t ms = 0; ms < 300; ms++) {
      run_to(sim, SIM_SECOND + ms * SIM_MS);
      bool away = ms < 95 && ms / 10 % 2 == 0;
      assert_int_equal((int64_t)(wall(world) - sim_now(world) - ahead), away ? jump : 0);
      assert_int_equal(mono(world), sim_now(world));
    }
    assert_int_equal(sim_fault(world, SIM_FAULT_CLOCK_STROBE)->firings, 10);
    assert_int_equal(sim_fault(world, SIM_FAULT_CLOCK_STEP)->firings, 0);
  }
  sim_close(sim);
}

static void calm_or_another_strobe_ends_a_strobe_jumped_back(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_SECOND);
  uint64_t ahead = wall(world);
  sim_clock_strobe(world, 1, (int64_t)SIM_SECOND, 10 * SIM_MS, UINT64_MAX);
  run_to(sim, 25 * SIM_MS);
  assert_int_equal(wall(world), ahead + SIM_SECOND + 25 * SIM_MS);
  sim_clock_strobe(world, 1, (int64_t)SIM_MS, 50 * SIM_MS, UINT64_MAX);
  run_to(sim, 45 * SIM_MS);
  assert_int_equal(wall(world), ahead + 46 * SIM_MS);
  sim_clock_step(world, 1, (int64_t)SIM_SECOND); /* stays */
  sim_calm(world);
  run_to(sim, 150 * SIM_MS);
  assert_int_equal(wall(world), ahead + SIM_SECOND + 150 * SIM_MS);
  run_to(sim, 200 * SIM_MS);
  assert_int_equal(wall(world), ahead + SIM_SECOND + 200 * SIM_MS);
  /* It does not go below 0, and comes back from there. */
  sim_clock_strobe(world, 1, -INT64_MAX, 10 * SIM_MS, 10 * SIM_MS);
  assert_int_equal(wall(world), 0);
  run_to(sim, 300 * SIM_MS);
  assert_int_equal(wall(world), ahead + SIM_SECOND + 300 * SIM_MS);
  sim_close(sim);
}

/* 64 bits of nanoseconds end in 2554: no way leads from there to 1970. */
static void a_wall_clock_centuries_ahead_stands_at_the_end_and_comes_back_from_there(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_world *world = begin(sim, SIM_SECOND);
  sim_clock_step(world, 1, INT64_MAX);
  sim_clock_step(world, 1, INT64_MAX);
  assert_true(wall(world) == UINT64_MAX);
  sim_clock_step(world, 1, -(int64_t)(10 * SIM_SECOND));
  run_to(sim, 5 * SIM_SECOND);
  assert_true(wall(world) == UINT64_MAX - 5 * SIM_SECOND);
  run_to(sim, 20 * SIM_SECOND);
  assert_true(wall(world) == UINT64_MAX);
  assert_int_equal(mono(world), 20 * SIM_SECOND);
  /* A strobe comes back by as much as it went. */
  sim_clock_step(world, 1, -(int64_t)SIM_SECOND);
  sim_clock_freeze(world, 1, true);
  sim_clock_strobe(world, 1, INT64_MAX, 10 * SIM_MS, 10 * SIM_MS);
  assert_true(wall(world) == UINT64_MAX);
  run_to(sim, 21 * SIM_SECOND);
  assert_true(wall(world) == UINT64_MAX - SIM_SECOND);
  sim_clock_step(world, 1, INT64_MIN);
  sim_clock_step(world, 1, -INT64_MAX);
  assert_int_equal(wall(world), 0);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rate_moves_both_clocks_and_a_step_only_the_wall),
      cmocka_unit_test(a_frozen_wall_clock_stands_and_goes_on_from_there),
      cmocka_unit_test(the_monotonic_clock_begins_anew_with_the_machine_and_not_with_the_process),
      cmocka_unit_test(when_is_the_first_instant_that_shows_the_time),
      cmocka_unit_test(a_timer_never_fires_before_its_monotonic_time_whatever_the_rate),
      cmocka_unit_test(a_timer_follows_a_change_of_rate_both_ways),
      cmocka_unit_test(a_strobe_jumps_away_and_back_and_ends_back),
      cmocka_unit_test(calm_or_another_strobe_ends_a_strobe_jumped_back),
      cmocka_unit_test(a_wall_clock_centuries_ahead_stands_at_the_end_and_comes_back_from_there),
  };
  return cmocka_run_group_tests_name("clock", tests, NULL, NULL) != 0;
}
