#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include <stdio.h>
#include <string.h>

#define NODES 4u
#define END (150 * SIM_MS)

static struct sim_world *bare_world(struct sim *sim, const struct sim_choice_source *source) {
  struct sim_config config = {.source = *source};
  return sim_world_begin(sim, &config);
}

static void an_outcome_is_a_function_of_seed_and_tag_alone(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_choice_source source = {.seed = 42};
  uint64_t first[50];
  struct sim_world *world = bare_world(sim, &source);
  for (uint64_t i = 0; i < 50; i++)
    first[i] = sim_pick(world, sim_tag(SIM_CHOICE_NET_DELAY, 7, i), 1000000);
  world = bare_world(sim, &source);
  for (uint64_t i = 50; i-- > 0;) {
    (void)sim_pick(world, sim_tag(SIM_CHOICE_DISK_STYLE, 7, i), 5);
    (void)sim_chance(world, sim_tag(SIM_CHOICE_NET_LOSS, 7, i), 500000);
    assert_int_equal(sim_pick(world, sim_tag(SIM_CHOICE_NET_DELAY, 7, i), 1000000), first[i]);
  }
  sim_close(sim);
}

static void every_part_of_a_tag_matters(void **unused) {
  (void)unused;
  uint64_t draw = sim_draw(1, sim_tag(10, 2, 3));
  assert_true(draw != sim_draw(2, sim_tag(10, 2, 3)));
  assert_true(draw != sim_draw(1, sim_tag(11, 2, 3)));
  assert_true(draw != sim_draw(1, sim_tag(10, 3, 3)));
  assert_true(draw != sim_draw(1, sim_tag(10, 2, 4)));
  assert_true(draw != sim_draw(1, sim_tag(2, 10, 3)));
}

static void outcomes_are_uniform_and_within_bounds(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_choice_source source = {.seed = 5};
  struct sim_world *world = bare_world(sim, &source);
  uint32_t counts[10] = {0}, hits = 0;
  for (uint64_t i = 0; i < 100000; i++) {
    counts[sim_pick(world, sim_tag(SIM_CHOICE_USER, 1, i), 10)]++;
    hits += sim_chance(world, sim_tag(SIM_CHOICE_USER + 1, 1, i), 30000);
    uint64_t value = sim_range(world, sim_tag(SIM_CHOICE_USER + 2, 1, i), UINT64_MAX - 4, UINT64_MAX);
    assert_true(value >= UINT64_MAX - 4);
  }
  for (int i = 0; i < 10; i++)
    assert_in_range(counts[i], 9600, 10400);
  assert_in_range(hits, 2800, 3200);
  (void)sim_range(world, sim_tag(SIM_CHOICE_USER, 1, 1), 0, UINT64_MAX);
  assert_int_equal(sim_pick(world, sim_tag(SIM_CHOICE_USER, 1, 1), 1), 0);
  assert_int_equal(sim_chance(world, sim_tag(SIM_CHOICE_USER, 1, 1), 0), 0);
  assert_int_equal(sim_chance(world, sim_tag(SIM_CHOICE_USER, 1, 1), 1000000), 1);
  sim_close(sim);
}

/* An outcome at the end of a hundred would come up once in a hundred otherwise. */
static void the_ends_of_a_range_have_a_third_each_and_the_rest_the_last(void **unused) {
  (void)unused;
  static const uint64_t sizes[] = {2, 3, 4, 137, UINT64_C(1) << 40};
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    uint32_t first = 0, last = 0, low_half = 0;
    uint64_t n = sizes[s];
    for (uint64_t seed = 1; seed <= 30000; seed++) {
      struct sim_choice_source source = {.seed = seed};
      uint64_t outcome = sim_pick_ends(bare_world(sim, &source), sim_tag(SIM_CHOICE_USER, 1, seed % 7), n);
      assert_true(outcome < n);
      first += outcome == 0;
      last += outcome == n - 1;
      low_half += outcome > 0 && outcome < n - 1 && outcome <= (n - 1) / 2;
    }
    assert_in_range(first, n == 2 ? 14600 : 9700, n == 2 ? 15400 : 10300);
    assert_in_range(last, n == 2 ? 14600 : 9700, n == 2 ? 15400 : 10300);
    if (n > 100) assert_in_range(low_half, 4800, 5250); /* between the ends it is uniform */
  }
  struct sim_choice_source calm = {.seed = 1, .rest = SIM_REST_CALM};
  assert_int_equal(sim_pick_ends(bare_world(sim, &calm), sim_tag(SIM_CHOICE_USER, 1, 1), 9), 0);
  assert_int_equal(sim_pick_ends(bare_world(sim, &calm), sim_tag(SIM_CHOICE_USER, 1, 1), 1), 0);
  sim_close(sim);
}

static void identities_never_repeat_and_ignore_the_source(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_choice_source seeded = {.seed = 5}, calm = {.seed = 5, .rest = SIM_REST_CALM};
  uint64_t first[200];
  struct sim_world *world = bare_world(sim, &seeded);
  for (uint32_t i = 0; i < 200; i++) {
    first[i] = sim_unique(world, SIM_UNIQUE_NODE, 1 + i % 3);
    assert_true(first[i] != 0);
    for (uint32_t j = 0; j < i; j++)
      assert_true(first[j] != first[i]);
  }
  world = bare_world(sim, &calm);
  for (uint32_t i = 0; i < 200; i++)
    assert_int_equal(sim_unique(world, SIM_UNIQUE_NODE, 1 + i % 3), first[i]);
  assert_int_equal(sim_counter(world, SIM_CHOICE_USER, 1), 0);
  assert_int_equal(sim_counter(world, SIM_CHOICE_USER, 2), 0);
  assert_int_equal(sim_counter(world, SIM_CHOICE_USER, 1), 1);
  sim_close(sim);
}

static void a_recording_written_read_and_replayed_gives_the_same_run(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  for (uint64_t seed = 1; seed <= 5; seed++) {
    struct sim_choice_table *record = sim_choice_table_create();
    struct sim_config config = toy_world_config(seed);
    uint64_t plain = toy_world_run(sim, &config, NODES, END);
    config.source.record = record;
    assert_int_equal(toy_world_run(sim, &config, NODES, END), plain);
    assert_true(sim_choice_table_count(record) > 100);
    FILE *file = tmpfile();
    assert_true(sim_choice_table_write(record, seed, file));
    rewind(file);
    char error[100] = "";
    uint64_t read_seed = 0;
    struct sim_choice_table *read = sim_choice_table_read(file, &read_seed, error, sizeof error);
    assert_non_null(read);
    assert_int_equal(read_seed, seed);
    assert_int_equal(sim_choice_table_count(read), sim_choice_table_count(record));
    config.source = (struct sim_choice_source){.seed = read_seed, .overrides = read, .rest = SIM_REST_CALM};
    assert_int_equal(toy_world_run(sim, &config, NODES, END), plain);
    (void)fclose(file);
    sim_choice_table_destroy(read);
    sim_choice_table_destroy(record);
  }
  sim_close(sim);
}

static void a_recording_is_sorted_by_tag_however_it_was_made(void **unused) {
  (void)unused;
  char text[2][4096] = {{0}};
  for (size_t run = 0; run < 2; run++) {
    struct sim_choice_table *table = sim_choice_table_create();
    for (uint32_t i = 0; i < 60; i++) {
      uint32_t n = run == 0 ? i : 59 - i;
      assert_true(sim_choice_table_set(table, sim_tag(10 + n / 30, n / 10 % 3, n % 10), n));
    }
    FILE *file = tmpfile();
    assert_true(sim_choice_table_write(table, 7, file));
    rewind(file);
    assert_true(fread(text[run], 1, sizeof text[run] - 1, file) > 600);
    (void)fclose(file);
    sim_choice_table_destroy(table);
  }
  assert_string_equal(text[0], text[1]);
  assert_memory_equal(text[0], "syncsim-choices 1\nseed 7\n10 0 0 0\n10 0 1 1\n", 43);
}

static void an_override_changes_one_outcome_and_is_kept_in_bounds(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_choice_table *overrides = sim_choice_table_create();
  struct sim_tag tag = sim_tag(SIM_CHOICE_USER, 3, 4), other = sim_tag(SIM_CHOICE_USER, 3, 5);
  assert_true(sim_choice_table_set(overrides, tag, 9));
  struct sim_choice_source plain = {.seed = 8}, source = {.seed = 8, .overrides = overrides};
  struct sim_world *world = bare_world(sim, &plain);
  uint64_t untouched = sim_pick(world, other, 1000);
  world = bare_world(sim, &source);
  assert_int_equal(sim_pick(world, tag, 1000), 9);
  assert_int_equal(sim_pick(world, tag, 5), 4);
  assert_int_equal(sim_range(world, tag, 20, 30), 20);
  assert_int_equal(sim_chance(world, tag, 1), 1);
  assert_int_equal(sim_pick(world, other, 1000), untouched);
  assert_true(sim_choice_table_set(overrides, tag, 2));
  assert_int_equal(sim_choice_table_count(overrides), 1);
  assert_int_equal(sim_pick(world, tag, 5), 2);
  sim_choice_table_destroy(overrides);
  sim_close(sim);
}

static void a_calm_world_has_no_faults(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = toy_world_config(1);
  config.source.rest = SIM_REST_CALM;
  struct sim_world *world = toy_world_begin(sim, &config, NODES);
  (void)sim_run(sim, END, UINT64_MAX);
  assert_true(sim_fault(world, SIM_FAULT_NET_LOSS)->opportunities > 0);
  for (int fault = SIM_FAULT_NET_LOSS; fault <= SIM_FAULT_NET_SLOW; fault++) {
    assert_int_equal(sim_fault(world, (enum sim_fault)fault)->firings, 0);
  }
  sim_close(sim);
}

static void damaged_recordings_are_refused_with_their_line(void **unused) {
  (void)unused;
  static const struct {
    const char *text, *line;
  } cases[] = {
      {"", "line 0"},
      {"rubbish\n", "line 1"},
      {"syncsim-choices 2\nseed 1\n", "line 1"},
      {"syncsim-choices 1\n", "line 1"},
      {"syncsim-choices 1\nseed x\n", "line 2"},
      {"syncsim-choices 1\nseed 18446744073709551616\n", "line 2"},
      {"syncsim-choices 1\nseed 1\n1 2 3\n", "line 3"},
      {"syncsim-choices 1\nseed 1\n1 2 3 4\n1 4294967296 3 4\n", "line 4"},
      {"syncsim-choices 1\nseed 1\n1 2 3 4 5\n", "line 3"},
      {"syncsim-choices 1\nseed 1\n-1 2 3 4\n", "line 3"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    FILE *file = tmpfile();
    assert_true(fputs(cases[i].text, file) >= 0);
    rewind(file);
    char error[100] = "";
    uint64_t seed = 0;
    assert_null(sim_choice_table_read(file, &seed, error, sizeof error));
    assert_non_null(strstr(error, cases[i].line));
    (void)fclose(file);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_outcome_is_a_function_of_seed_and_tag_alone),
      cmocka_unit_test(every_part_of_a_tag_matters),
      cmocka_unit_test(outcomes_are_uniform_and_within_bounds),
      cmocka_unit_test(the_ends_of_a_range_have_a_third_each_and_the_rest_the_last),
      cmocka_unit_test(identities_never_repeat_and_ignore_the_source),
      cmocka_unit_test(a_recording_written_read_and_replayed_gives_the_same_run),
      cmocka_unit_test(a_recording_is_sorted_by_tag_however_it_was_made),
      cmocka_unit_test(an_override_changes_one_outcome_and_is_kept_in_bounds),
      cmocka_unit_test(a_calm_world_has_no_faults),
      cmocka_unit_test(damaged_recordings_are_refused_with_their_line),
  };
  return cmocka_run_group_tests_name("choice", tests, NULL, NULL) != 0;
}
