/* Worlds one after another in one process leave nothing behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "sim/memory/memory_check.h"
#include "tests/support/toy_world.h"

#include <malloc.h>
#include <sys/resource.h>

#define WORLDS (SIM_ASAN ? 2000u : 20000u)
#define NODES 3u
#define END (30 * SIM_MS)

/* With a recording and a checkpoint now and then, as a search makes them. */
static uint64_t run_one(struct sim *sim, struct sim_checkpoint *checkpoint, uint64_t seed) {
  struct sim_config config = toy_world_config(seed);
  if (seed % 10 != 0) return toy_world_run(sim, &config, NODES, END);
  struct sim_choice_table *record = sim_choice_table_create();
  config.source.record = record;
  struct sim_world *world = toy_world_begin(sim, &config, NODES);
  (void)sim_run(sim, END / 2, UINT64_MAX);
  assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
  struct sim_mark mark = sim_mark(sim);
  (void)sim_run(sim, END, UINT64_MAX);
  sim_checkpoint_restore(checkpoint, sim_arena(sim));
  sim_rewind(sim, mark);
  (void)sim_run(sim, END, UINT64_MAX);
  sim_choice_table_destroy(record);
  return sim_trace_hash(world);
}

static void memory_and_results_stay_flat_over_many_worlds(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  enum { PROBES = 20 };
  uint64_t first[PROBES];
  for (uint64_t seed = 0; seed < PROBES; seed++)
    first[seed] = run_one(sim, checkpoint, seed);
  size_t peak = 0, allocated = 0;
  struct rusage early, late;
  for (uint64_t seed = 0; seed < WORLDS; seed++) {
    if (seed == WORLDS / 10) {
      peak = sim_arena_peak_bytes(sim_arena(sim));
      allocated = mallinfo2().uordblks;
      assert_int_equal(getrusage(RUSAGE_SELF, &early), 0);
    }
    (void)run_one(sim, checkpoint, seed);
  }
  assert_int_equal(getrusage(RUSAGE_SELF, &late), 0);
  /* Only a world that is by chance greater may raise the peak a little. */
  assert_true(sim_arena_peak_bytes(sim_arena(sim)) <= peak + peak / 4);
#if !SIM_ASAN
  assert_true(mallinfo2().uordblks <= allocated + 65536);
  assert_true(late.ru_maxrss <= early.ru_maxrss + 1024);
#else
  (void)allocated;
#endif
  for (uint64_t seed = 0; seed < PROBES; seed++)
    assert_int_equal(run_one(sim, checkpoint, seed), first[seed]);
  sim_checkpoint_destroy(checkpoint);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_and_results_stay_flat_over_many_worlds),
  };
  return cmocka_run_group_tests_name("many worlds", tests, NULL, NULL) != 0;
}
