#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NODES 5u
#define END (200 * SIM_MS)
#define SEEDS 30u

static void a_seed_gives_the_same_hash_twice_and_after_another_world(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t hashes[SEEDS];
  for (uint64_t seed = 0; seed < SEEDS; seed++) {
    struct sim_config config = toy_world_config(seed);
    hashes[seed] = toy_world_run(sim, &config, NODES, END);
    for (uint64_t other = 0; other < seed; other++)
      assert_true(hashes[other] != hashes[seed]);
  }
  for (uint64_t seed = SEEDS; seed-- > 0;) {
    struct sim_config config = toy_world_config(seed);
    assert_int_equal(toy_world_run(sim, &config, NODES, END), hashes[seed]);
  }
  sim_close(sim);
}

static void neither_the_base_of_the_arena_nor_what_memory_held_matters(void **unused) {
  (void)unused;
  static const unsigned fills[] = {SIM_FILL_NONE, 0x00, 0xA5, 0x5A};
  static const uint64_t reserves[] = {64u << 20, 32u << 20, 128u << 20, 48u << 20};
  uint64_t hashes[SEEDS];
  struct sim *open[4];
  for (size_t i = 0; i < 4; i++) {
    struct sim_options options = {.arena_bytes = reserves[i], .fill = fills[i]};
    open[i] = sim_open(&options);
    for (size_t j = 0; j < i; j++) {
      assert_true(sim_arena_base(sim_arena(open[j])) != sim_arena_base(sim_arena(open[i])));
    }
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
      struct sim_config config = toy_world_config(seed);
      uint64_t hash = toy_world_run(open[i], &config, NODES, END);
      if (i == 0) hashes[seed] = hash;
      assert_int_equal(hash, hashes[seed]);
    }
  }
  for (size_t i = 0; i < 4; i++)
    sim_close(open[i]);
}

static void a_wished_base_is_taken(void **unused) {
  (void)unused;
  struct sim *somewhere = toy_sim_open(0, SIM_FILL_NONE);
  uintptr_t base = (uintptr_t)sim_arena_base(sim_arena(somewhere));
  struct sim_config config = toy_world_config(1);
  uint64_t hash = toy_world_run(somewhere, &config, NODES, END);
  sim_close(somewhere);
  struct sim *there = NULL;
  uintptr_t wished = base;
  for (int tries = 0; there == NULL && tries < 100; tries++) {
    wished -= (uintptr_t)1 << 24;
    there = toy_sim_open(wished, SIM_FILL_NONE);
  }
  assert_non_null(there);
  assert_int_equal((uintptr_t)sim_arena_base(sim_arena(there)), wished);
  assert_int_equal(toy_world_run(there, &config, NODES, END), hash);
  sim_close(there);
}

static void many_worlds_one_after_another_need_the_memory_of_one(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = toy_world_config(1);
  (void)toy_world_run(sim, &config, NODES, 5 * SIM_MS);
  size_t peak = sim_arena_peak_bytes(sim_arena(sim));
  for (int i = 0; i < 2000; i++)
    (void)toy_world_run(sim, &config, NODES, 5 * SIM_MS);
  assert_int_equal(sim_arena_peak_bytes(sim_arena(sim)), peak);
  sim_close(sim);
}

static void a_run_in_pieces_is_the_run_in_one(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = toy_world_config(5);
  uint64_t whole = toy_world_run(sim, &config, NODES, END);
  struct sim_world *world = toy_world_begin(sim, &config, NODES);
  while (sim_run(sim, END, 1) == SIM_END_EVENTS)
    continue;
  assert_int_equal(sim_trace_hash(world), whole);
  world = toy_world_begin(sim, &config, NODES);
  for (uint64_t time_ns = 0; time_ns <= END; time_ns += SIM_MS / 2)
    (void)sim_run(sim, time_ns, UINT64_MAX);
  assert_int_equal(sim_trace_hash(world), whole);
  sim_close(sim);
}

static void stop_and_violate(struct sim_world *world, void *self, uint64_t token) {
  (void)self;
  const uint64_t subject[3] = {1, 2, 3};
  if (token == 0) sim_stop(world);
  if (token != 1) return;
  sim_violation(world, "durability", 2, subject, "lost %d of %s", 3, "them");
  sim_violation(world, "second", 3, NULL, "later");
}

static void a_run_ends_as_it_says(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = {.source = {.seed = 77}};
  struct sim_world *world = sim_world_begin(sim, &config);
  assert_int_equal(sim_seed(world), 77);
  uint32_t driver = sim_driver_add(world, stop_and_violate, NULL);
  sim_driver_at(world, driver, 10, 0);
  sim_driver_at(world, driver, 20, 3);
  sim_driver_at(world, driver, 30, 1);
  assert_int_equal(sim_run(sim, 5, UINT64_MAX), SIM_END_TIME);
  assert_int_equal(sim_now(world), 5);
  assert_int_equal(sim_run(sim, 100, UINT64_MAX), SIM_END_STOPPED);
  assert_int_equal(sim_run(sim, 100, 1), SIM_END_EVENTS);
  assert_int_equal(sim_now(world), 20);
  assert_int_equal(sim_run(sim, 100, UINT64_MAX), SIM_END_VIOLATION);
  const struct sim_violation *violation = sim_violation_get(world);
  assert_string_equal(violation->property, "durability");
  assert_string_equal(violation->detail, "lost 3 of them");
  assert_int_equal(violation->time_ns, 30);
  assert_int_equal(violation->node, 2);
  assert_int_equal(violation->subject[2], 3);
  sim_close(sim);
}

struct fatal_seen {
  jmp_buf back;
  bool in_node;
  uint32_t node;
  uint64_t seed;
};

__attribute__((noreturn)) static void on_fatal(void *arg, bool in_node, const char *file, int line, const char *what,
                                               uint64_t seed, uint64_t time_ns, uint64_t event, uint32_t node) {
  (void)file, (void)line, (void)what, (void)time_ns, (void)event;
  struct fatal_seen *seen = arg;
  seen->in_node = in_node;
  seen->node = node;
  seen->seed = seed;
  longjmp(seen->back, 1);
}

static void a_broken_invariant_of_a_node_is_told_from_one_of_the_world(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = toy_world_config(6);
  struct sim_world *world = toy_world_begin(sim, &config, NODES);
  struct fatal_seen seen = {.in_node = false};
  sim_on_fatal(sim, on_fatal, &seen);
  if (setjmp(seen.back) == 0) {
    assert_non_null(sim_node_enter(world, 2));
    const struct sync_env *env = sim_node_env(sim_node_at(world, 2));
    env->ops->fatal(env->ctx, "x.c", 1, "broken");
  }
  assert_true(seen.in_node);
  assert_int_equal(seen.node, 2);
  assert_int_equal(seen.seed, 6);
  world = toy_world_begin(sim, &config, NODES);
  if (setjmp(seen.back) == 0) (void)sim_node_at(world, 99);
  assert_false(seen.in_node);
  sim_close(sim);
}

static void every_fault_and_choice_has_its_own_name(void **unused) {
  (void)unused;
  for (int a = 0; a < SIM_FAULT_COUNT; a++) {
    const char *name = sim_fault_name((enum sim_fault)a);
    assert_string_not_equal(name, "unknown");
    for (int b = 0; b < a; b++)
      assert_string_not_equal(name, sim_fault_name((enum sim_fault)b));
  }
  assert_string_equal(sim_fault_name(SIM_FAULT_NET_LOSS), "net_loss");
  assert_string_equal(sim_choice_kind_name(SIM_CHOICE_DISK_TORN), "disk_torn");
  assert_string_equal(sim_choice_kind_name(SIM_CHOICE_USER + 5), "user");
  assert_string_equal(sim_choice_kind_name(9), "unknown");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_seed_gives_the_same_hash_twice_and_after_another_world),
      cmocka_unit_test(neither_the_base_of_the_arena_nor_what_memory_held_matters),
      cmocka_unit_test(a_wished_base_is_taken),
      cmocka_unit_test(many_worlds_one_after_another_need_the_memory_of_one),
      cmocka_unit_test(a_run_in_pieces_is_the_run_in_one),
      cmocka_unit_test(a_run_ends_as_it_says),
      cmocka_unit_test(a_broken_invariant_of_a_node_is_told_from_one_of_the_world),
      cmocka_unit_test(every_fault_and_choice_has_its_own_name),
  };
  return cmocka_run_group_tests_name("world", tests, NULL, NULL) != 0;
}
