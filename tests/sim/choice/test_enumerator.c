#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include "sim/choice/enumerator.h"

#include <string.h>

#define USER SIM_CHOICE_USER

static struct sim_world *begin(struct sim *sim, struct sim_enumerator *all) {
  struct sim_config config = {.source = {.seed = 1, .rest = SIM_REST_ENUMERATE, .enumerator = all}};
  return sim_world_begin(sim, &config);
}

static void every_combination_comes_once_and_the_calm_one_first(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_enumerator *all = sim_enumerator_create(NULL);
  uint32_t seen[2][3][4] = {{{0}}}, leaves = 0;
  while (sim_enumerator_next(all)) {
    struct sim_world *world = begin(sim, all);
    uint64_t a = sim_chance(world, sim_tag(USER, 1, 1), 1);
    uint64_t b = sim_pick(world, sim_tag(USER, 1, 2), 3);
    uint64_t c = a ? sim_pick(world, sim_tag(USER, 1, 3), 4) : 0;
    assert_int_equal(sim_pick(world, sim_tag(USER, 1, 4), 1), 0);
    if (leaves++ == 0) assert_true(a == 0 && b == 0 && c == 0);
    seen[a][b][c]++;
  }
  assert_int_equal(leaves, 3 + 3 * 4);
  assert_int_equal(sim_enumerator_leaves(all), leaves);
  assert_true(sim_enumerator_complete(all));
  for (int b = 0; b < 3; b++) {
    assert_int_equal(seen[0][b][0], 1);
    for (int c = 0; c < 4; c++)
      assert_int_equal(seen[1][b][c], 1);
  }
  assert_false(sim_enumerator_next(all));
  sim_enumerator_destroy(all);
  sim_close(sim);
}

static void a_range_is_tried_at_its_ends_and_at_declared_values_within(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_enumerator *all = sim_enumerator_create(NULL);
  static const uint64_t declared[] = {70, 30, 5, 10, 90, 200, 30};
  for (size_t i = 0; i < sizeof declared / sizeof declared[0]; i++)
    assert_true(sim_enumerator_value(all, USER, declared[i]));
  static const uint64_t expected[][2] = {{10, 6}, {10, UINT64_MAX}, {30, 6}, {30, UINT64_MAX},
                                         {70, 6}, {70, UINT64_MAX}, {90, 6}, {90, UINT64_MAX}};
  size_t leaves = 0;
  while (sim_enumerator_next(all)) {
    struct sim_world *world = begin(sim, all);
    assert_true(leaves < 8);
    assert_int_equal(sim_range(world, sim_tag(USER, 1, 1), 10, 90), expected[leaves][0]);
    assert_int_equal(sim_range(world, sim_tag(USER + 1, 1, 1), 6, UINT64_MAX), expected[leaves][1]);
    assert_int_equal(sim_range(world, sim_tag(USER + 1, 1, 2), 6, 6), 6);
    leaves++;
  }
  assert_int_equal(leaves, 8);
  assert_true(sim_enumerator_complete(all));
  sim_enumerator_destroy(all);
  sim_close(sim);
}

static void bounds_cut_and_are_told(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  static const struct {
    struct sim_enumerator_options options;
    uint32_t leaves;
    bool complete;
  } cases[] = {
      {{.depth_max = 3}, 3 * 3 * 3, true},     {{.depth_max = 2}, 3 * 3, false}, {{.leaves_max = 5}, 5, false},
      {{.outcomes_max = 2}, 2 * 2 * 2, false}, {{.leaves_max = 27}, 27, true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct sim_enumerator *all = sim_enumerator_create(&cases[i].options);
    uint32_t leaves = 0;
    while (sim_enumerator_next(all)) {
      struct sim_world *world = begin(sim, all);
      for (uint64_t n = 0; n < 3; n++)
        (void)sim_pick(world, sim_tag(USER, 1, n), 3);
      leaves++;
    }
    assert_int_equal(leaves, cases[i].leaves);
    assert_int_equal(sim_enumerator_complete(all), cases[i].complete);
    sim_enumerator_destroy(all);
  }
  sim_close(sim);
}

static void only_some_kinds_are_tried_and_a_tag_keeps_its_answer(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_enumerator *all = sim_enumerator_create(NULL);
  static const uint32_t only[] = {USER, USER + 2};
  struct sim_config config = {.source = {.rest = SIM_REST_ENUMERATE, .enumerator = all, .only = only, .only_count = 2}};
  uint32_t leaves = 0;
  while (sim_enumerator_next(all)) {
    struct sim_world *world = sim_world_begin(sim, &config);
    uint64_t first = sim_pick(world, sim_tag(USER, 1, 1), 3);
    assert_int_equal(sim_pick(world, sim_tag(USER + 1, 1, 1), 3), 0);
    (void)sim_chance(world, sim_tag(USER + 2, 1, 1), 5);
    assert_int_equal(sim_pick(world, sim_tag(USER, 1, 1), 3), first);
    leaves++;
  }
  assert_int_equal(leaves, 6);
  sim_enumerator_destroy(all);
  sim_close(sim);
}

/* Three messages, each lost or not, late or not; the same from a checkpoint. */
static void enumerate_losses(struct sim *sim, bool from_checkpoint, uint64_t hashes[64]) {
  static const uint32_t only[] = {SIM_CHOICE_NET_LOSS, SIM_CHOICE_NET_DELAY};
  struct sim_enumerator *all = sim_enumerator_create(NULL);
  struct sim_choice_source source = {.rest = SIM_REST_ENUMERATE, .enumerator = all, .only = only, .only_count = 2};
  struct sim_config config = {.link = {.delay_min_ns = 1, .delay_max_ns = 5, .loss_ppm = 1}};
  struct toy_config toy = {0};
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  uint32_t leaves = 0, delivered_all = 0;
  while (sim_enumerator_next(all)) {
    struct sim_world *world = sim_world(sim);
    if (!from_checkpoint || leaves == 0) {
      world = sim_world_begin(sim, &config);
      for (uint32_t number = 1; number <= 4; number++)
        assert_true(sim_node_add(world, &toy_node_kind, &toy, sizeof toy) == number && sim_node_boot(world, number));
      assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
    } else {
      sim_checkpoint_restore(checkpoint, sim_arena(sim));
    }
    sim_set_source(sim, &source);
    for (uint32_t number = 2; number <= 4; number++) {
      assert_non_null(sim_node_enter(world, number));
      sim_send(sim_node_at(world, number), 1, "x", 1);
      assert_true(sim_node_leave(world, number));
    }
    (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
    const struct toy_state *state = sim_node_peek(world, 1);
    delivered_all += state->messages == 3;
    assert_true(leaves < 64);
    hashes[leaves++] = sim_trace_hash(world);
  }
  assert_int_equal(leaves, 27); /* lost; in time; late: for each of three */
  assert_int_equal(delivered_all, 8);
  assert_true(sim_enumerator_complete(all));
  sim_checkpoint_destroy(checkpoint);
  sim_enumerator_destroy(all);
}

static void a_small_world_is_enumerated_anew_or_from_a_checkpoint_alike(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  uint64_t anew[64] = {0}, restored[64] = {0};
  enumerate_losses(sim, false, anew);
  enumerate_losses(sim, true, restored);
  assert_memory_equal(anew, restored, sizeof anew);
  for (int i = 0; i < 27; i++) {
    for (int j = 0; j < i; j++)
      assert_true(anew[i] != anew[j]);
  }
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_combination_comes_once_and_the_calm_one_first),
      cmocka_unit_test(a_range_is_tried_at_its_ends_and_at_declared_values_within),
      cmocka_unit_test(bounds_cut_and_are_told),
      cmocka_unit_test(only_some_kinds_are_tried_and_a_tag_keeps_its_answer),
      cmocka_unit_test(a_small_world_is_enumerated_anew_or_from_a_checkpoint_alike),
  };
  return cmocka_run_group_tests_name("enumerator", tests, NULL, NULL) != 0;
}
