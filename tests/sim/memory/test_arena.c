#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/memory/arena.h"
#include "sim/memory/memory_check.h"

#include <string.h>

#define KIB ((size_t)1024)

static void blocks_are_aligned_apart_and_keep_their_content(void **unused) {
  (void)unused;
  struct sim_arena *arena = sim_arena_open(8 * KIB * KIB, 0, SIM_FILL_NONE);
  struct sim_heap *heap = sim_heap_create(arena);
  unsigned char *blocks[600];
  for (size_t i = 0; i < 600; i++) {
    blocks[i] = sim_heap_alloc(arena, heap, i * 7);
    assert_non_null(blocks[i]);
    assert_int_equal((uintptr_t)blocks[i] % 16, 0);
    memset(blocks[i], (int)(i % 251), i * 7);
  }
  for (size_t i = 0; i < 600; i++) {
    for (size_t byte = 0; byte < i * 7; byte++)
      assert_int_equal(blocks[i][byte], i % 251);
  }
  assert_int_equal(sim_heap_blocks(heap), 600);
  assert_int_equal(sim_heap_bytes(heap), 600 * 599 / 2 * 7);
  for (size_t i = 0; i < 600; i++)
    sim_heap_free(arena, heap, blocks[i], i * 7);
  assert_int_equal(sim_heap_blocks(heap), 0);
  assert_int_equal(sim_heap_bytes(heap), 0);
  sim_arena_close(arena);
}

static void a_dropped_heap_gives_everything_back(void **unused) {
  (void)unused;
  struct sim_arena *arena = sim_arena_open(8 * KIB * KIB, 0, SIM_FILL_NONE);
  struct sim_heap *stays = sim_heap_create(arena);
  assert_non_null(sim_heap_alloc(arena, stays, 100));
  size_t before = sim_arena_used_bytes(arena);
  for (int round = 0; round < 1000; round++) {
    struct sim_heap *heap = sim_heap_create(arena);
    for (size_t i = 0; i < 50; i++)
      assert_non_null(sim_heap_alloc(arena, heap, 1 + i * 97));
    sim_heap_drop(arena, heap);
    assert_int_equal(sim_arena_used_bytes(arena), before);
  }
  assert_true(sim_arena_peak_bytes(arena) < 512 * KIB);
  sim_arena_close(arena);
}

static void large_blocks_are_reused_in_any_order_of_frees(void **unused) {
  (void)unused;
  struct sim_arena *arena = sim_arena_open(64 * KIB * KIB, 0, SIM_FILL_NONE);
  struct sim_heap *heap = sim_heap_create(arena);
  void *blocks[32] = {NULL};
  size_t sizes[32] = {0};
  uint64_t state = 1;
  for (int step = 0; step < 20000; step++) {
    state = state * UINT64_C(6364136223846793005) + 1;
    size_t i = (size_t)(state >> 59);
    if (blocks[i] != NULL) {
      assert_int_equal(*(unsigned char *)blocks[i], i);
      assert_int_equal(((unsigned char *)blocks[i])[sizes[i] - 1], i);
      sim_heap_free(arena, heap, blocks[i], sizes[i]);
    }
    sizes[i] = 1 + (size_t)((state >> 33) % 60000);
    blocks[i] = sim_heap_alloc(arena, heap, sizes[i]);
    assert_non_null(blocks[i]);
    memset(blocks[i], (int)i, sizes[i]);
  }
  for (size_t i = 0; i < 32; i++)
    sim_heap_free(arena, heap, blocks[i], sizes[i]);
  assert_true(sim_arena_peak_bytes(arena) < 3 * KIB * KIB);
  sim_heap_drop(arena, heap);
  assert_true(sim_arena_used_bytes(arena) <= KIB);
  sim_arena_close(arena);
}

static void an_arena_that_is_used_up_refuses_and_recovers(void **unused) {
  (void)unused;
  struct sim_arena *arena = sim_arena_open(256 * KIB, 0, SIM_FILL_NONE);
  struct sim_heap *heap = sim_heap_create(arena);
  assert_null(sim_heap_alloc(arena, heap, 300 * KIB));
  assert_null(sim_heap_alloc(arena, heap, SIZE_MAX - 8));
  while (sim_heap_alloc(arena, heap, 100) != NULL)
    continue;
  while (sim_heap_create(arena) != NULL)
    continue;
  sim_heap_drop(arena, heap);
  assert_non_null(sim_heap_create(arena));
  sim_arena_close(arena);
}

static void fresh_memory_is_filled_on_demand(void **unused) {
  (void)unused;
  struct sim_arena *arena = sim_arena_open(KIB * KIB, 0, 0xA5);
  struct sim_heap *heap = sim_heap_create(arena);
  for (int round = 0; round < 2; round++) {
    for (size_t size = 1; size < 9000; size += 777) {
      unsigned char *block = sim_heap_alloc(arena, heap, size);
      for (size_t i = 0; i < size; i++)
        assert_int_equal(block[i], 0xA5);
      memset(block, 1, size);
      sim_heap_free(arena, heap, block, size);
    }
  }
  sim_arena_close(arena);
}

static size_t offsets_of(struct sim_arena *arena) {
  struct sim_heap *heap = sim_heap_create(arena);
  size_t sum = 0;
  for (size_t i = 0; i < 300; i++) {
    unsigned char *block = sim_heap_alloc(arena, heap, 1 + i * 13 % 5000);
    sum = sum * 31 + (size_t)(block - (unsigned char *)sim_arena_base(arena));
    if (i % 3 == 0) sim_heap_free(arena, heap, block, 1 + i * 13 % 5000);
  }
  return sum;
}

static void equal_calls_give_equal_offsets_at_any_base_and_after_a_reset(void **unused) {
  (void)unused;
  struct sim_arena *a = sim_arena_open(8 * KIB * KIB, 0, SIM_FILL_NONE);
  struct sim_arena *b = sim_arena_open(8 * KIB * KIB, 0, 0x5A);
  size_t first = offsets_of(a);
  assert_true(sim_arena_base(a) != sim_arena_base(b));
  assert_int_equal(offsets_of(b), first);
  sim_arena_reset(a);
  assert_int_equal(offsets_of(a), first);
  sim_arena_close(a);
  sim_arena_close(b);
}

static void a_taken_base_is_refused(void **unused) {
  (void)unused;
  struct sim_arena *arena = sim_arena_open(KIB * KIB, 0, SIM_FILL_NONE);
  assert_null(sim_arena_open(KIB * KIB, (uintptr_t)sim_arena_base(arena), SIM_FILL_NONE));
  sim_arena_close(arena);
}

static void sanitizers_see_freed_blocks_and_redzones(void **unused) {
  (void)unused;
#if SIM_ASAN
  struct sim_arena *arena = sim_arena_open(KIB * KIB, 0, SIM_FILL_NONE);
  struct sim_heap *heap = sim_heap_create(arena);
  for (size_t size = 1; size < 3000; size += 333) {
    char *block = sim_heap_alloc(arena, heap, size);
    assert_false(__asan_address_is_poisoned(block));
    assert_false(__asan_address_is_poisoned(block + size - 1));
    assert_true(__asan_address_is_poisoned(block - 1));
    assert_true(__asan_address_is_poisoned(block + size));
    sim_heap_free(arena, heap, block, size);
    assert_true(__asan_address_is_poisoned(block));
  }
  sim_arena_close(arena);
#endif
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_are_aligned_apart_and_keep_their_content),
      cmocka_unit_test(a_dropped_heap_gives_everything_back),
      cmocka_unit_test(large_blocks_are_reused_in_any_order_of_frees),
      cmocka_unit_test(an_arena_that_is_used_up_refuses_and_recovers),
      cmocka_unit_test(fresh_memory_is_filled_on_demand),
      cmocka_unit_test(equal_calls_give_equal_offsets_at_any_base_and_after_a_reset),
      cmocka_unit_test(a_taken_base_is_refused),
      cmocka_unit_test(sanitizers_see_freed_blocks_and_redzones),
  };
  return cmocka_run_group_tests_name("arena", tests, NULL, NULL) != 0;
}
