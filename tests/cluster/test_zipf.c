/* Ranks are drawn as often as Zipf's law says, in whole numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cluster/zipf.h"

static uint64_t weight(const struct zipf *zipf, uint32_t rank) { /* from 1 */
  return zipf->upto[rank - 1u] - (rank > 1 ? zipf->upto[rank - 2u] : 0);
}

/* Whether a is `times` b, to one in 10,000. */
static void assert_times(uint64_t a, uint64_t times, uint64_t b) {
  uint64_t apart = a > times * b ? a - times * b : times * b - a;
  assert_true(apart < a / 10000u);
}

static void a_rank_is_as_much_rarer_as_the_law_says(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct zipf one, two, half, flat;
  zipf_make(&one, world, 1000, 100);
  zipf_make(&two, world, 1000, 200);
  zipf_make(&half, world, 1000, 50);
  zipf_make(&flat, world, ZIPF_RANKS_MAX, 1);
  for (uint32_t rank = 1; rank <= 500; rank++) {
    assert_times(weight(&one, rank), 2, weight(&one, 2 * rank));
    assert_times(weight(&one, 1), rank, weight(&one, rank));
    assert_times(weight(&two, 1), (uint64_t)rank * rank, weight(&two, rank));
    if (rank * rank <= 1000) assert_times(weight(&half, 1), rank, weight(&half, rank * rank));
  }
  for (uint32_t rank = 2; rank <= ZIPF_RANKS_MAX; rank++)
    assert_true(weight(&flat, rank) <= weight(&flat, rank - 1u));
  assert_true(weight(&flat, ZIPF_RANKS_MAX) > weight(&flat, 1) / 2u);
  sim_close(sim);
}

static void ranks_are_drawn_by_their_weights_and_the_calm_one_is_the_first(void **state) {
  (void)state;
  enum { DRAWS = 20000 };
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 7}};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct zipf zipf;
  uint32_t drawn[10] = {0};
  zipf_make(&zipf, world, 10, 100);
  for (uint32_t i = 0; i < DRAWS; i++) {
    uint32_t rank = zipf_draw(&zipf, world, sim_tag(SIM_CHOICE_WORKLOAD_KEY, 0, i));
    assert_true(rank < 10);
    drawn[rank]++;
  }
  for (uint32_t rank = 0; rank < 10; rank++) {
    uint64_t expected = DRAWS * weight(&zipf, rank + 1u) / zipf.upto[9];
    assert_in_range(drawn[rank], expected - expected / 8u, expected + expected / 8u);
  }
  struct sim_config calm = {.source = {.rest = SIM_REST_CALM}};
  world = sim_world_begin(sim, &calm);
  zipf_make(&zipf, world, 10, 100);
  assert_int_equal(zipf_draw(&zipf, world, sim_tag(SIM_CHOICE_WORKLOAD_KEY, 0, 1)), 0);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_rank_is_as_much_rarer_as_the_law_says),
      cmocka_unit_test(ranks_are_drawn_by_their_weights_and_the_calm_one_is_the_first),
  };
  return cmocka_run_group_tests_name("zipf", tests, NULL, NULL) != 0;
}
