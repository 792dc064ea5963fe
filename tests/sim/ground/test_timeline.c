#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/ground/timeline.h"

#define EVENTS 5000u

static struct memory memory;

static int open_arena(void **unused) {
  (void)unused;
  memory.arena = sim_arena_open(16u << 20, 0, SIM_FILL_NONE);
  memory.heap = sim_heap_create(memory.arena);
  return 0;
}

static int close_arena(void **unused) {
  (void)unused;
  sim_arena_close(memory.arena);
  return 0;
}

static uint64_t push(struct timeline *timeline, uint64_t time_ns, uint32_t tie) {
  uint32_t slot = timeline_slot(timeline, &memory);
  assert_true(slot != UINT32_MAX);
  uint64_t seq = timeline_push(timeline, &memory, time_ns, tie, slot);
  timeline_event(timeline, slot)->id = seq;
  return seq;
}

static void entries_leave_in_the_total_order_of_time_tie_and_sequence(void **unused) {
  (void)unused;
  struct timeline timeline;
  timeline_init(&timeline);
  uint64_t state = 7;
  for (uint32_t i = 0; i < EVENTS; i++) {
    state = state * UINT64_C(6364136223846793005) + 1;
    (void)push(&timeline, (state >> 33) % 300, (uint32_t)(state >> 60) % 3);
  }
  struct timeline_entry last = {0, 0, 0, 0};
  for (uint32_t i = 0; i < EVENTS; i++) {
    struct timeline_entry entry = timeline_pop(&timeline);
    assert_int_equal(timeline_event(&timeline, entry.slot)->id, entry.seq);
    assert_true(entry.time_ns >= last.time_ns);
    if (entry.time_ns == last.time_ns) {
      assert_true(entry.tie >= last.tie);
      if (entry.tie == last.tie) assert_true(entry.seq > last.seq);
    }
    last = entry;
    timeline_release(&timeline, entry.slot);
  }
  assert_null(timeline_first(&timeline));
}

static void simultaneous_entries_leave_first_in_first_out(void **unused) {
  (void)unused;
  struct timeline timeline;
  timeline_init(&timeline);
  for (uint64_t i = 1; i <= 100; i++)
    assert_int_equal(push(&timeline, 50, 0), i);
  for (uint64_t i = 1; i <= 100; i++)
    assert_int_equal(timeline_pop(&timeline).seq, i);
}

static void interleaved_pushes_and_pops_keep_the_order_and_the_memory(void **unused) {
  (void)unused;
  struct timeline timeline;
  timeline_init(&timeline);
  uint64_t state = 3, now = 0;
  for (uint32_t i = 0; i < 1000; i++)
    (void)push(&timeline, i % 17, 0);
  size_t used = sim_arena_used_bytes(memory.arena);
  for (uint32_t i = 0; i < 200000; i++) {
    struct timeline_entry entry = timeline_pop(&timeline);
    assert_true(entry.time_ns >= now);
    now = entry.time_ns;
    timeline_release(&timeline, entry.slot);
    state = state * UINT64_C(6364136223846793005) + 1;
    (void)push(&timeline, now + (state >> 40) % 1000, 0);
  }
  assert_int_equal(sim_arena_used_bytes(memory.arena), used);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(entries_leave_in_the_total_order_of_time_tie_and_sequence, open_arena,
                                      close_arena),
      cmocka_unit_test_setup_teardown(simultaneous_entries_leave_first_in_first_out, open_arena, close_arena),
      cmocka_unit_test_setup_teardown(interleaved_pushes_and_pops_keep_the_order_and_the_memory, open_arena,
                                      close_arena),
  };
  return cmocka_run_group_tests_name("timeline", tests, NULL, NULL) != 0;
}
