#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include "sim/memory/memory_check.h"

#define NODES 5u
#define END (200 * SIM_MS)

static void a_run_continued_after_a_restore_is_the_uninterrupted_run(void **unused) {
  (void)unused;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
    struct sim_config config = toy_world_config(seed);
    uint64_t whole = toy_world_run(sim, &config, NODES, END);
    struct sim_checkpoint *checkpoint = sim_checkpoint_create();
    struct sim_world *world = toy_world_begin(sim, &config, NODES);
    (void)sim_run(sim, END, 100 + 13 * seed);
    assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
    uint64_t here = sim_trace_hash(world);
    (void)sim_run(sim, END, UINT64_MAX);
    assert_int_equal(sim_trace_hash(world), whole);
    for (int again = 0; again < 2; again++) {
      sim_checkpoint_restore(checkpoint, sim_arena(sim));
      assert_int_equal(sim_trace_hash(world), here);
      (void)sim_run(sim, END, UINT64_MAX);
      assert_int_equal(sim_trace_hash(world), whole);
    }
    sim_checkpoint_destroy(checkpoint);
    sim_close(sim);
  }
}

static void a_restored_world_can_branch_with_another_seed(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = toy_world_config(3);
  struct sim_world *world = toy_world_begin(sim, &config, NODES);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  (void)sim_run(sim, END, 200);
  assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
  (void)sim_run(sim, END, UINT64_MAX);
  uint64_t straight = sim_trace_hash(world);
  sim_checkpoint_restore(checkpoint, sim_arena(sim));
  struct sim_choice_source other = {.seed = 4};
  sim_set_source(sim, &other);
  (void)sim_run(sim, END, UINT64_MAX);
  assert_true(sim_trace_hash(world) != straight);
  sim_checkpoint_restore(checkpoint, sim_arena(sim));
  sim_set_source(sim, &config.source);
  (void)sim_run(sim, END, UINT64_MAX);
  assert_int_equal(sim_trace_hash(world), straight);
  sim_checkpoint_destroy(checkpoint);
  sim_close(sim);
}

static void checkpoints_nest_and_a_buffer_is_reused(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = toy_world_config(9);
  struct sim_world *world = toy_world_begin(sim, &config, NODES);
  struct sim_checkpoint *early = sim_checkpoint_create(), *late = sim_checkpoint_create();
  assert_true(sim_checkpoint_save(late, sim_arena(sim)));
  (void)sim_run(sim, END, 50);
  assert_true(sim_checkpoint_save(early, sim_arena(sim)));
  uint64_t at_early = sim_trace_hash(world);
  (void)sim_run(sim, END, 500);
  assert_true(sim_checkpoint_save(late, sim_arena(sim)));
  uint64_t at_late = sim_trace_hash(world);
  sim_checkpoint_restore(early, sim_arena(sim));
  assert_int_equal(sim_trace_hash(world), at_early);
  sim_checkpoint_restore(late, sim_arena(sim));
  assert_int_equal(sim_trace_hash(world), at_late);
  sim_checkpoint_destroy(early);
  sim_checkpoint_destroy(late);
  sim_close(sim);
}

static void many_checkpoints_are_restored_in_any_order_and_after_growth(void **unused) {
  (void)unused;
  enum { STOPS = 6 };
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = toy_world_config(11);
  uint64_t whole = toy_world_run(sim, &config, NODES, END);
  struct sim_world *world = toy_world_begin(sim, &config, NODES);
  struct sim_checkpoint *saved[STOPS];
  uint64_t hashes[STOPS];
  for (uint32_t i = 0; i < STOPS; i++) {
    saved[i] = sim_checkpoint_create();
    (void)sim_run(sim, END, 60);
    assert_true(sim_checkpoint_save(saved[i], sim_arena(sim)));
    hashes[i] = sim_trace_hash(world);
  }
  static const uint32_t order[] = {5, 0, 3, 3, 1, 4, 2, 0, 5};
  for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
    /* What ran, grew and was branched off meanwhile leaves no trace. */
    struct sim_choice_source other = {.seed = 50 + i};
    sim_set_source(sim, &other);
    (void)sim_run(sim, 3 * END, UINT64_MAX);
    for (int block = 0; block < 50; block++)
      assert_non_null(sim_alloc(world, 20000));
    sim_checkpoint_restore(saved[order[i]], sim_arena(sim));
    assert_int_equal(sim_trace_hash(world), hashes[order[i]]);
    assert_int_equal(sim_arena_used_bytes(sim_arena(sim)), sim_checkpoint_bytes(saved[order[i]]));
    sim_set_source(sim, &config.source);
    (void)sim_run(sim, END, UINT64_MAX);
    assert_int_equal(sim_trace_hash(world), whole);
  }
  for (uint32_t i = 0; i < STOPS; i++)
    sim_checkpoint_destroy(saved[i]);
  sim_close(sim);
}

static void a_restore_brings_the_poison_back(void **unused) {
  (void)unused;
#if SIM_ASAN
  struct sim_arena *arena = sim_arena_open(1u << 20, 0, SIM_FILL_NONE);
  struct sim_heap *heap = sim_heap_create(arena);
  char *kept = sim_heap_alloc(arena, heap, 50);
  char *freed = sim_heap_alloc(arena, heap, 50);
  sim_heap_free(arena, heap, freed, 50);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  assert_true(sim_checkpoint_save(checkpoint, arena));
  sim_heap_free(arena, heap, kept, 50);
  char *later = sim_heap_alloc(arena, heap, 5000);
  sim_checkpoint_restore(checkpoint, arena);
  assert_false(__asan_address_is_poisoned(kept));
  assert_false(__asan_address_is_poisoned(kept + 49));
  assert_true(__asan_address_is_poisoned(kept + 50));
  assert_true(__asan_address_is_poisoned(freed));
  assert_true(__asan_address_is_poisoned(later));
  sim_checkpoint_destroy(checkpoint);
  sim_arena_close(arena);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_run_continued_after_a_restore_is_the_uninterrupted_run),
      cmocka_unit_test(a_restored_world_can_branch_with_another_seed),
      cmocka_unit_test(checkpoints_nest_and_a_buffer_is_reused),
      cmocka_unit_test(many_checkpoints_are_restored_in_any_order_and_after_growth),
      cmocka_unit_test(a_restore_brings_the_poison_back),
  };
  return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL) != 0;
}
