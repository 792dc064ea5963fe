#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include <string.h>

struct lifecycle {
  uint32_t ups, downs;
  enum sim_node_down why;
};

static void count_lifecycle(struct sim_world *world, void *self, uint32_t node, bool up, enum sim_node_down why) {
  (void)world, (void)node;
  struct lifecycle *lifecycle = self;
  lifecycle->ups += up;
  lifecycle->downs += !up;
  lifecycle->why = why;
}

static struct sim_world *begin(struct sim *sim, const struct sim_config *config, struct toy_config toy) {
  struct sim_world *world = sim_world_begin(sim, config);
  assert_int_equal(sim_node_add(world, &toy_node_kind, &toy, sizeof toy), 1);
  assert_int_equal(sim_node_add(world, &toy_node_kind, &toy, sizeof toy), 2);
  return world;
}

static const struct toy_state *look(struct sim_world *world, uint32_t node) {
  return sim_node_peek(world, node);
}

static enum sim_node_state state_of(struct sim_world *world, uint32_t node) {
  return sim_node_state(sim_node_at(world, node));
}

static void a_node_boots_dies_stops_and_refuses_and_each_is_told(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.persist = true});
  struct lifecycle *lifecycle = sim_alloc(world, sizeof *lifecycle);
  memset(lifecycle, 0, sizeof *lifecycle);
  sim_on_lifecycle(world, count_lifecycle, lifecycle);
  assert_int_equal(state_of(world, 1), SIM_NODE_DOWN);
  assert_null(sim_node_enter(world, 1));
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(state_of(world, 1), SIM_NODE_UP);
  uint64_t id = look(world, 1)->id;
  sim_node_power_loss(world, 1);
  assert_int_equal(state_of(world, 1), SIM_NODE_DOWN);
  assert_int_equal(lifecycle->why, SIM_DOWN_POWER_LOSS);
  assert_true(sim_node_boot(world, 1));
  assert_true(look(world, 1)->id != id);
  sim_node_process_crash(world, 1);
  assert_int_equal(lifecycle->why, SIM_DOWN_PROCESS_CRASH);
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(sim_node_stop(world, 1), 0);
  assert_int_equal(lifecycle->why, SIM_DOWN_STOP);
  assert_int_equal(lifecycle->ups, 3);
  assert_int_equal(lifecycle->downs, 3);
  assert_int_equal(sim_node_lives(sim_node_at(world, 1)), 6);

  struct toy_config refusing = {.refuse = true};
  uint32_t third = sim_node_add(world, &toy_node_kind, &refusing, sizeof refusing);
  assert_false(sim_node_boot(world, third));
  assert_int_equal(state_of(world, third), SIM_NODE_REFUSED);
  assert_int_equal(lifecycle->why, SIM_DOWN_REFUSED);
  assert_false(sim_node_boot(world, third));
  sim_close(sim);
}

/* Power is lost at every single call of a scene, once; the node unwinds each
 * time, comes back, and the world goes on. */
static void power_can_be_lost_at_every_environment_call(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, 0xA5);
  for (int process = 0; process < 2; process++) {
    uint64_t deaths = 0;
    for (uint64_t call = 1;; call++) {
      struct sim_config config = {.source = {.seed = 1}};
      struct sim_world *world = begin(
          sim, &config, (struct toy_config){.peers = 2, .burst = 2, .hops = 6, .period_ns = SIM_MS, .persist = true});
      sim_node_arm(world, 1, call, process != 0);
      bool up = sim_node_boot(world, 1) && sim_node_boot(world, 2);
      if (up) (void)sim_run(sim, 10 * SIM_MS, UINT64_MAX);
      bool died = state_of(world, 1) == SIM_NODE_DOWN;
      if (!died) break;
      deaths++;
      assert_int_equal(sim_node_lives(sim_node_at(world, 1)), 2);
      assert_null(sim_node_peek(world, 1));
      enum sim_fault fault = process ? SIM_FAULT_PROCESS_CRASH : SIM_FAULT_POWER_LOSS_IN_CALL;
      assert_int_equal(sim_fault(world, fault)->firings, 1);
      assert_true(sim_node_boot(world, 1));
      (void)sim_node_boot(world, 2);
      (void)sim_run(sim, 30 * SIM_MS, UINT64_MAX);
      assert_int_equal(state_of(world, 1), SIM_NODE_UP);
      assert_true(look(world, 1)->messages > 0);
    }
    assert_true(deaths > 50);
  }
  sim_close(sim);
}

static void after_power_is_lost_every_call_fails_and_nothing_has_effect(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.persist = true});
  assert_true(sim_node_boot(world, 1) && sim_node_boot(world, 2));
  struct sim_node *node = sim_node_at(world, 1);
  sim_node_arm(world, 1, 1, false);
  struct toy_state *toy = sim_node_enter(world, 1);
  assert_non_null(toy);
  const struct sync_env *env = sim_node_env(node);
  uint64_t mono = env->ops->mono_ns(env->ctx);
  uint64_t hash = sim_trace_hash(world);
  assert_int_equal(env->ops->mono_ns(env->ctx), mono);
  assert_null(env->ops->alloc(env->ctx, 10, 10));
  env->ops->free(env->ctx, toy->scratch, 40, 40);
  size_t done = 7;
  assert_int_equal(env->ops->file_write(env->ctx, toy->file, 0, "x", 1, &done), SYNC_E_POWERED_OFF);
  assert_int_equal(done, 0);
  assert_int_equal(env->ops->file_fsync(env->ctx, toy->file, 1), SYNC_E_POWERED_OFF);
  assert_int_equal(env->ops->file_unlink(env->ctx, "toy.log"), SYNC_E_POWERED_OFF);
  uint64_t field = 1;
  env->ops->trace(env->ctx, SYNC_TRACE_MARK, &field, 1);
  sim_send(node, 2, "x", 1);
  sim_timer_set(node, 0, 5);
  assert_int_equal(sim_trace_hash(world), hash);
  assert_int_equal(sim_messages_in_flight(world), 0);
  assert_false(sim_node_leave(world, 1));
  assert_int_equal(state_of(world, 1), SIM_NODE_DOWN);
  sim_close(sim);
}

static void the_call_in_which_power_is_lost_fails_too(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.persist = true});
  assert_true(sim_node_boot(world, 1));
  sim_node_arm(world, 1, 2, true);
  struct toy_state *toy = sim_node_enter(world, 1);
  const struct sync_env *env = sim_node_env(sim_node_at(world, 1));
  size_t done = 0;
  assert_int_equal(env->ops->file_write(env->ctx, toy->file, 0, "x", 1, &done), SYNC_OK);
  assert_int_equal(env->ops->file_write(env->ctx, toy->file, 1, "y", 1, &done), SYNC_E_POWERED_OFF);
  assert_int_equal(env->ops->file_write(env->ctx, toy->file, 1, "y", 1, &done), SYNC_E_POWERED_OFF);
  assert_false(sim_node_leave(world, 1));
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(look(world, 1)->recovered_bytes, 1);
  sim_close(sim);
}

static void a_crash_is_armed_for_the_nth_call_of_a_kind(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.persist = true});
  size_t done = 0;
  uint64_t size = 0;
  sync_file other = -1;
  assert_true(sim_node_boot(world, 1));
  sim_node_arm_at(world, 1, UINT32_C(1) << SIM_CALL_WRITE, 2, false);
  struct toy_state *toy = sim_node_enter(world, 1);
  const struct sync_env *env = sim_node_env(sim_node_at(world, 1));
  assert_int_equal(env->ops->file_write(env->ctx, toy->file, 0, "x", 1, &done), SYNC_OK);
  assert_int_equal(env->ops->file_fsync(env->ctx, toy->file, 1), SYNC_OK);
  assert_int_equal(env->ops->file_truncate(env->ctx, toy->file, 0), SYNC_OK);
  assert_int_equal(env->ops->file_write(env->ctx, toy->file, 0, "x", 1, &done), SYNC_E_POWERED_OFF);
  assert_false(sim_node_leave(world, 1));
  /* Looking changes nothing: it is not counted. */
  assert_true(sim_node_boot(world, 1));
  sim_node_arm_at(world, 1, SIM_CALLS_CHANGES, 2, false);
  toy = sim_node_enter(world, 1);
  for (int i = 0; i < 5; i++) {
    (void)env->ops->mono_ns(env->ctx);
    assert_int_equal(env->ops->file_size(env->ctx, toy->file, &size), SYNC_OK);
    assert_int_equal(env->ops->file_open(env->ctx, "toy.log", 0, &other), SYNC_OK);
    assert_int_equal(env->ops->file_close(env->ctx, other), SYNC_OK);
  }
  sim_send(sim_node_at(world, 1), 2, "x", 1);
  assert_int_equal(env->ops->file_open(env->ctx, "new", SYNC_OPEN_CREATE, &other), SYNC_E_POWERED_OFF);
  assert_false(sim_node_leave(world, 1));
  assert_int_equal(sim_fault(world, SIM_FAULT_POWER_LOSS_IN_CALL)->firings, 2);
  for (uint32_t call = 1; call < SIM_CALL_COUNT; call++)
    assert_non_null(sim_call_name((enum sim_call)call));
  assert_null(sim_call_name(SIM_CALL_COUNT));
  sim_close(sim);
}

static void a_crash_loop_leaves_no_memory_behind(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.leak = true, .persist = true});
  assert_true(sim_node_boot(world, 1));
  sim_node_power_loss(world, 1);
  size_t used = sim_arena_used_bytes(sim_arena(sim));
  for (uint64_t i = 1; i <= 1000; i++) {
    assert_true(sim_node_boot(world, 1));
    sim_node_power_loss(world, 1);
    (void)sim_run(sim, i * SIM_SECOND, UINT64_MAX);
  }
  assert_true(sim_arena_used_bytes(sim_arena(sim)) <= used + 16384);
  sim_close(sim);
}

static void a_block_that_stop_forgets_is_a_leak(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.leak = true});
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(sim_node_stop(world, 1), 1);
  sim_close(sim);
}

static void a_node_that_never_returns_is_a_livelock(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}, .calls_per_event_max = 5000};
  struct sim_world *world =
      begin(sim, &config, (struct toy_config){.period_ns = SIM_MS, .spin = true, .persist = true});
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(sim_run(sim, SIM_SECOND, UINT64_MAX), SIM_END_VIOLATION);
  const struct sim_violation *violation = sim_violation_get(world);
  assert_true(violation->found);
  assert_string_equal(violation->property, "livelock");
  assert_int_equal(violation->node, 1);
  assert_int_equal(violation->time_ns, SIM_MS);
  assert_int_equal(sim_run(sim, SIM_SECOND, UINT64_MAX), SIM_END_VIOLATION);
  sim_close(sim);
}

static void too_many_events_in_one_simulated_second_are_a_livelock(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}, .events_per_second_max = 1000};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.period_ns = 10 * SIM_US});
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(sim_run(sim, 5 * SIM_SECOND, UINT64_MAX), SIM_END_VIOLATION);
  assert_string_equal(sim_violation_get(world)->property, "livelock");
  config.events_per_second_max = 200000;
  world = begin(sim, &config, (struct toy_config){.period_ns = 10 * SIM_US});
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(sim_run(sim, 5 * SIM_SECOND, UINT64_MAX), SIM_END_TIME);
  sim_close(sim);
}

static void a_paused_node_takes_what_waited_in_order_when_it_resumes(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){0});
  assert_true(sim_node_boot(world, 1) && sim_node_boot(world, 2));
  struct sim_trace_log *log = sim_trace_log_create();
  sim_set_trace(sim, log);
  sim_node_pause(world, 2);
  assert_null(sim_node_enter(world, 2));
  for (uint8_t i = 0; i < 20; i++)
    sim_inject(world, 1, 2, &i, 1);
  (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(look(world, 2)->messages, 0);
  assert_int_equal(sim_messages_in_flight(world), 20);
  sim_node_resume(world, 2);
  sim_trace_log_clear(log);
  (void)sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(look(world, 2)->messages, 20);
  uint8_t next = 0;
  for (size_t i = 0; i < sim_trace_log_count(log); i++) {
    const struct sim_trace_record *record = sim_trace_log_at(log, i);
    if (record->step != SIM_STEP_DELIVER) continue;
    assert_int_equal(record->fields[2], sim_hash_bytes(&next, 1));
    assert_int_equal(record->time_ns, SIM_SECOND);
    next++;
  }
  assert_int_equal(next, 20);
  sim_trace_log_destroy(log);
  sim_close(sim);
}

static void what_waits_for_a_node_that_dies_is_lost(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){0});
  assert_true(sim_node_boot(world, 1) && sim_node_boot(world, 2));
  sim_node_pause(world, 2);
  for (uint8_t i = 0; i < 20; i++)
    sim_inject(world, 1, 2, &i, 1);
  (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
  sim_node_power_loss(world, 2);
  assert_int_equal(sim_messages_in_flight(world), 0);
  assert_true(sim_node_boot(world, 2));
  (void)sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(look(world, 2)->messages, 0);
  sim_inject(world, 1, 2, "x", 1);
  (void)sim_run(sim, 3 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(look(world, 2)->messages, 1);
  sim_close(sim);
}

static void a_busy_node_takes_its_events_later_and_in_order(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){0});
  assert_true(sim_node_boot(world, 1) && sim_node_boot(world, 2));
  sim_node_busy(world, 2, 10 * SIM_MS);
  sim_node_busy(world, 2, 5 * SIM_MS);
  for (uint8_t i = 0; i < 5; i++)
    sim_inject(world, 1, 2, &i, 1);
  (void)sim_run(sim, 15 * SIM_MS - 1, UINT64_MAX);
  assert_int_equal(look(world, 2)->messages, 0);
  (void)sim_run(sim, 15 * SIM_MS, UINT64_MAX);
  assert_int_equal(look(world, 2)->messages, 5);
  uint8_t last = 4;
  assert_int_equal(look(world, 2)->last_hash, sim_hash_bytes(&last, 1));
  sim_close(sim);
}

static void a_completion_of_an_earlier_life_is_not_delivered(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.persist = true});
  assert_true(sim_node_boot(world, 1) && sim_node_boot(world, 2));
  for (int i = 0; i < 10; i++)
    sim_inject(world, 2, 1, "12345678", 8);
  (void)sim_run(sim, 0, UINT64_MAX);
  assert_int_equal(look(world, 1)->messages, 10);
  sim_node_process_crash(world, 1);
  assert_true(sim_node_boot(world, 1));
  assert_int_equal(look(world, 1)->recovered_bytes, 80);
  (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(look(world, 1)->fsyncs, 1); /* the directory's, at boot */
  sim_close(sim);
}

static void allocations_fail_on_demand_and_at_the_quota(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){0});
  for (uint64_t count = 1; count <= 2; count++) {
    sim_node_fail_alloc(world, 1, count);
    assert_false(sim_node_boot(world, 1));
    assert_int_equal(sim_fault(world, SIM_FAULT_ALLOC)->firings, count);
  }
  sim_node_memory_quota(world, 1, 64 + 40 - 1);
  assert_false(sim_node_boot(world, 1));
  sim_node_memory_quota(world, 1, 64 + 40);
  assert_true(sim_node_boot(world, 1));
  sim_node_power_loss(world, 1);
  assert_true(sim_node_boot(world, 1));
  sim_close(sim);
}

static void a_look_at_a_node_is_no_call_and_leaves_no_trace(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){0});
  assert_true(sim_node_boot(world, 1));
  struct sim_node *node = sim_node_at(world, 1);
  const struct sync_env *env = sim_node_env(node);
  sim_node_arm(world, 1, 1, false);
  uint64_t calls = sim_node_calls(node), hash = sim_trace_hash(world), events = sim_events(world);
  void *block = env->ops->alloc(env->ctx, 100, 100);
  assert_non_null(block);
  env->ops->free(env->ctx, block, 100, 100);
  (void)env->ops->mono_ns(env->ctx);
  (void)toy_node_kind.digest(node, sim_node_peek(world, 1));
  assert_int_equal(sim_node_calls(node), calls);
  assert_int_equal(sim_trace_hash(world), hash);
  assert_int_equal(sim_events(world), events);
  assert_int_equal(state_of(world, 1), SIM_NODE_UP);
  sim_close(sim);
}

static void a_timer_that_is_set_again_and_again_leaves_no_entries_behind(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.period_ns = SIM_SECOND});
  assert_true(sim_node_boot(world, 1));
  size_t used = sim_arena_used_bytes(sim_arena(sim));
  for (uint64_t i = 0; i < 100000; i++) {
    assert_non_null(sim_node_enter(world, 1));
    sim_timer_set(sim_node_at(world, 1), 0, SIM_SECOND + i % 7 * SIM_SECOND + i);
    assert_true(sim_node_leave(world, 1));
  }
  assert_int_equal(sim_arena_used_bytes(sim_arena(sim)), used);
  sim_timer_set(sim_node_at(world, 1), 0, UINT64_MAX);
  assert_int_equal(sim_run(sim, 20 * SIM_SECOND, UINT64_MAX), SIM_END_IDLE);
  assert_int_equal(look(world, 1)->timers, 0);
  sim_close(sim);
}

static void calm_ends_every_fault(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 1}, .link = {.loss_ppm = 1000000}};
  struct sim_world *world = begin(sim, &config, (struct toy_config){.period_ns = SIM_MS});
  assert_true(sim_node_boot(world, 1) && sim_node_boot(world, 2));
  sim_node_pause(world, 1);
  sim_node_arm(world, 2, 1, false);
  sim_link_cut(world, 1, 2);
  sim_clock_rate(world, 1, 400000);
  sim_clock_freeze(world, 1, true);
  sim_calm(world);
  assert_int_equal(state_of(world, 1), SIM_NODE_UP);
  assert_false(sim_link_is_cut(world, 1, 2));
  assert_non_null(sim_node_enter(world, 2));
  sim_send(sim_node_at(world, 2), 1, "x", 1);
  assert_true(sim_node_leave(world, 2));
  (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(look(world, 1)->messages, 1);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_node_boots_dies_stops_and_refuses_and_each_is_told),
      cmocka_unit_test(power_can_be_lost_at_every_environment_call),
      cmocka_unit_test(after_power_is_lost_every_call_fails_and_nothing_has_effect),
      cmocka_unit_test(the_call_in_which_power_is_lost_fails_too),
      cmocka_unit_test(a_crash_is_armed_for_the_nth_call_of_a_kind),
      cmocka_unit_test(a_crash_loop_leaves_no_memory_behind),
      cmocka_unit_test(a_block_that_stop_forgets_is_a_leak),
      cmocka_unit_test(a_node_that_never_returns_is_a_livelock),
      cmocka_unit_test(too_many_events_in_one_simulated_second_are_a_livelock),
      cmocka_unit_test(a_paused_node_takes_what_waited_in_order_when_it_resumes),
      cmocka_unit_test(what_waits_for_a_node_that_dies_is_lost),
      cmocka_unit_test(a_busy_node_takes_its_events_later_and_in_order),
      cmocka_unit_test(a_completion_of_an_earlier_life_is_not_delivered),
      cmocka_unit_test(allocations_fail_on_demand_and_at_the_quota),
      cmocka_unit_test(a_look_at_a_node_is_no_call_and_leaves_no_trace),
      cmocka_unit_test(a_timer_that_is_set_again_and_again_leaves_no_entries_behind),
      cmocka_unit_test(calm_ends_every_fault),
  };
  return cmocka_run_group_tests_name("node", tests, NULL, NULL) != 0;
}
