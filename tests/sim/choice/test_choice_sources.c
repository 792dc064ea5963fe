/* Reseeds and bytes, and what all sources have in common. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/toy_world.h"

#include "sim/choice/choice_bytes.h"
#include "sim/choice/enumerator.h"

#include <stdio.h>
#include <string.h>

#define NODES 4u
#define END (150 * SIM_MS)

static struct sim_world *bare_world(struct sim *sim, const struct sim_choice_source *source) {
  struct sim_config config = {.source = *source};
  return sim_world_begin(sim, &config);
}

static uint64_t run_under(struct sim *sim, const struct sim_choice_source *source) {
  struct sim_config config = toy_world_config(source->seed);
  config.source = *source;
  return toy_world_run(sim, &config, NODES, END);
}

/* Pseudo-random but mostly calm. */
static void fill_bytes(uint8_t *bytes, size_t size, uint64_t seed) {
  for (size_t i = 0; i < size; i++) {
    uint64_t draw = sim_draw(seed, sim_tag(1, 1, i));
    bytes[i] = draw % 3 == 0 ? (uint8_t)(draw >> 32) : 0;
  }
}

/* --- Every source --- */

static void expect_replay(struct sim *sim, struct sim_choice_source source) {
  struct sim_choice_table *record = sim_choice_table_create();
  source.record = record;
  uint64_t hash = run_under(sim, &source);
  assert_true(sim_choice_table_count(record) > 100);
  struct sim_choice_source replay = {.seed = source.seed, .overrides = record, .rest = SIM_REST_CALM};
  assert_int_equal(run_under(sim, &replay), hash);
  sim_choice_table_destroy(record);
}

static void a_recording_made_under_any_source_replays_to_the_same_hash(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_choice_table *table = sim_choice_table_create();
  assert_true(sim_choice_table_reseed(table, (struct sim_reseed){50, 77}));
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_SCENARIO, 0, 1), 2));
  uint8_t bytes[8000];
  fill_bytes(bytes, sizeof bytes, 3);
  struct sim_enumerator_options options = {.depth_max = 40};
  for (uint64_t seed = 1; seed <= 3; seed++) {
    expect_replay(sim, (struct sim_choice_source){.seed = seed});
    expect_replay(sim, (struct sim_choice_source){.seed = seed, .overrides = table});
    expect_replay(sim, (struct sim_choice_source){.seed = seed, .rest = SIM_REST_CALM});
    struct sim_choice_bytes *driver = sim_choice_bytes_create(bytes, sizeof bytes);
    expect_replay(sim, (struct sim_choice_source){.seed = seed, .rest = SIM_REST_BYTES, .bytes = driver});
    assert_true(sim_choice_bytes_used(driver) > 400);
    sim_choice_bytes_destroy(driver);
    struct sim_enumerator *all = sim_enumerator_create(&options);
    for (int leaf = 0; leaf < 20; leaf++) {
      assert_true(sim_enumerator_next(all));
      expect_replay(sim, (struct sim_choice_source){.seed = seed, .rest = SIM_REST_ENUMERATE, .enumerator = all});
    }
    sim_enumerator_destroy(all);
  }
  sim_choice_table_destroy(table);
  sim_close(sim);
}

static void a_new_kind_of_decision_changes_no_other_outcome(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_choice_table *table = sim_choice_table_create();
  assert_true(sim_choice_table_reseed(table, (struct sim_reseed){5, 77}));
  const struct sim_choice_source sources[] = {
      {.seed = 9}, {.seed = 9, .overrides = table}, {.seed = 9, .rest = SIM_REST_CALM}};
  for (size_t s = 0; s < sizeof sources / sizeof sources[0]; s++) {
    uint64_t first[3][100];
    for (int added = 0; added < 2; added++) {
      struct sim_world *world = bare_world(sim, &sources[s]);
      for (uint64_t i = 0; i < 100; i++) {
        if (added) {
          (void)sim_pick(world, sim_tag(SIM_CHOICE_USER, 1, i), 10);
          (void)sim_chance(world, sim_tag(SIM_CHOICE_USER + 1, 1, 7), 500000);
        }
        uint64_t now[3] = {sim_pick(world, sim_tag(SIM_CHOICE_NET_DELAY, 1, i), 1000),
                           sim_chance(world, sim_tag(SIM_CHOICE_NET_LOSS, 1, i), 500000),
                           sim_range(world, sim_tag(SIM_CHOICE_DISK_STYLE, 1, i), 3, 300)};
        for (int k = 0; k < 3; k++) {
          if (added) assert_int_equal(first[k][i], now[k]);
          first[k][i] = now[k];
        }
      }
    }
  }
  sim_choice_table_destroy(table);
  sim_close(sim);
}

/* --- Reseeds --- */

static void a_branch_with_another_seed_is_a_reseed_at_its_first_event(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  struct sim_config config = toy_world_config(3);
  uint64_t straight = toy_world_run(sim, &config, NODES, END);
  for (uint64_t at = 1; at < 300; at += 23) {
    struct sim_world *world = toy_world_begin(sim, &config, NODES);
    (void)sim_run(sim, END, at);
    assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
    (void)sim_run(sim, END, 5);
    sim_checkpoint_restore(checkpoint, sim_arena(sim));
    struct sim_choice_source other = {.seed = 4};
    sim_set_source(sim, &other);
    (void)sim_run(sim, END, 1);
    uint64_t event = sim_event_id(world);
    (void)sim_run(sim, END, UINT64_MAX);
    uint64_t branched = sim_trace_hash(world);
    assert_true(branched != straight);
    struct sim_choice_table *table = sim_choice_table_create();
    assert_true(sim_choice_table_reseed(table, (struct sim_reseed){event, 4}));
    struct sim_choice_source reseeded = {.seed = 3, .overrides = table};
    assert_int_equal(run_under(sim, &reseeded), branched);
    sim_choice_table_destroy(table);
  }
  sim_checkpoint_destroy(checkpoint);
  sim_close(sim);
}

static void reseeds_are_recorded_written_and_read(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_choice_table *table = sim_choice_table_create(), *record = sim_choice_table_create();
  assert_true(sim_choice_table_reseed(table, (struct sim_reseed){200, 8}));
  assert_true(sim_choice_table_reseed(table, (struct sim_reseed){60, 7}));
  assert_true(sim_choice_table_reseed(table, (struct sim_reseed){UINT64_MAX, 6}));
  struct sim_choice_source source = {.seed = 1, .overrides = table, .record = record};
  uint64_t hash = run_under(sim, &source);
  size_t count = 0;
  const struct sim_reseed *reseeds = sim_choice_table_reseeds(record, &count);
  assert_int_equal(count, 2);
  assert_true(reseeds[0].event + reseeds[1].event == 260); /* in the order in which they ran */
  FILE *file = tmpfile();
  assert_true(sim_choice_table_write(record, 1, file));
  rewind(file);
  char error[100] = "";
  uint64_t seed = 0;
  struct sim_choice_table *read = sim_choice_table_read(file, &seed, error, sizeof error);
  assert_non_null(read);
  /* Its outcomes and its reseeds each say the same. */
  for (int i = 0; i < 2; i++) {
    struct sim_choice_source replay = {.seed = seed, .overrides = read, .rest = i == 0 ? SIM_REST_SEED : SIM_REST_CALM};
    assert_int_equal(run_under(sim, &replay), hash);
  }
  struct sim_choice_table *bare = sim_choice_table_create();
  reseeds = sim_choice_table_reseeds(read, &count);
  for (size_t i = 0; i < count; i++)
    assert_true(sim_choice_table_reseed(bare, reseeds[i]));
  struct sim_choice_source again = {.seed = 1, .overrides = bare};
  assert_int_equal(run_under(sim, &again), hash);
  (void)fclose(file);
  sim_choice_table_destroy(bare);
  sim_choice_table_destroy(read);
  sim_choice_table_destroy(record);
  sim_choice_table_destroy(table);
  sim_close(sim);
}

static void damaged_reseeds_are_refused_with_their_line(void **unused) {
  (void)unused;
  static const char *const texts[] = {"reseed 1\n", "reseed 1 2 3\n", "reseed x 2\n",
                                      "reseed 1 18446744073709551616\n"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    FILE *file = tmpfile();
    assert_true(fprintf(file, "syncsim-choices 1\nseed 1\n%s", texts[i]) > 0);
    rewind(file);
    char error[100] = "";
    uint64_t seed = 0;
    assert_null(sim_choice_table_read(file, &seed, error, sizeof error));
    assert_non_null(strstr(error, "line 3: expected \"reseed\""));
    (void)fclose(file);
  }
}

static void identities_are_those_of_the_first_seed_in_every_branch(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_choice_source source = {.seed = 5}, other = {.seed = 6};
  struct sim_world *world = bare_world(sim, &source);
  (void)sim_unique(world, SIM_UNIQUE_NODE, 1);
  uint64_t second = sim_unique(world, SIM_UNIQUE_NODE, 1);
  world = bare_world(sim, &source);
  (void)sim_unique(world, SIM_UNIQUE_NODE, 1);
  sim_set_source(sim, &other);
  assert_int_equal(sim_unique(world, SIM_UNIQUE_NODE, 1), second);
  assert_int_equal(sim_seed(world), 5);
  sim_close(sim);
}

/* --- Bytes --- */

static void zeros_and_the_end_of_the_bytes_are_calm(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  static const uint8_t zeros[4000];
  struct sim_choice_source calm = {.seed = 1, .rest = SIM_REST_CALM};
  uint64_t hash = run_under(sim, &calm);
  for (size_t size = 0; size <= sizeof zeros; size += 997) {
    struct sim_choice_bytes *driver = sim_choice_bytes_create(zeros, size);
    struct sim_choice_source source = {.seed = 1, .rest = SIM_REST_BYTES, .bytes = driver};
    assert_int_equal(run_under(sim, &source), hash);
    assert_true(sim_choice_bytes_used(driver) <= size);
    sim_choice_bytes_destroy(driver);
  }
  sim_close(sim);
}

static void each_decision_takes_one_record_and_a_tag_keeps_its_answer(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  static const uint8_t bytes[] = {7, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 1, 2, 0, 0, 0, 1, 0, 0, 9, 9};
  struct sim_choice_bytes *driver = sim_choice_bytes_create(bytes, sizeof bytes);
  struct sim_choice_source source = {.rest = SIM_REST_BYTES, .bytes = driver};
  struct sim_world *world = bare_world(sim, &source);
  assert_int_equal(sim_pick(world, sim_tag(SIM_CHOICE_USER, 1, 1), 5), 2);
  assert_int_equal(sim_pick(world, sim_tag(SIM_CHOICE_USER, 1, 1), 5), 2);
  assert_int_equal(sim_pick(world, sim_tag(SIM_CHOICE_USER, 1, 9), 1), 0);
  assert_int_equal(sim_chance(world, sim_tag(SIM_CHOICE_USER, 1, 2), 1), 1);
  assert_int_equal(sim_range(world, sim_tag(SIM_CHOICE_USER, 1, 3), 5, UINT64_MAX), UINT64_MAX);
  assert_int_equal(sim_range(world, sim_tag(SIM_CHOICE_USER, 1, 4), 1000, 100000), 1000 + 0x201);
  assert_int_equal(sim_chance(world, sim_tag(SIM_CHOICE_USER, 1, 5), 500000), 0);
  assert_int_equal(sim_choice_bytes_used(driver), 20);
  assert_int_equal(sim_pick(world, sim_tag(SIM_CHOICE_USER, 1, 6), 5), 0);
  assert_int_equal(sim_choice_bytes_used(driver), 20);
  sim_choice_bytes_destroy(driver);
  sim_close(sim);
}

static void bytes_that_look_random_fire_about_as_often_as_a_seed(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  static uint8_t bytes[40000];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(sim_draw(1, sim_tag(1, 1, i)) >> 20);
  struct sim_choice_bytes *driver = sim_choice_bytes_create(bytes, sizeof bytes);
  struct sim_choice_source source = {.rest = SIM_REST_BYTES, .bytes = driver};
  struct sim_world *world = bare_world(sim, &source);
  uint32_t fired = 0;
  for (uint64_t i = 0; i < 10000; i++)
    fired += sim_chance(world, sim_tag(SIM_CHOICE_USER, 1, i), 100000);
  assert_in_range(fired, 900, 1100);
  sim_choice_bytes_destroy(driver);
  sim_close(sim);
}

static void kinds_that_are_not_asked_are_calm(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  static const uint8_t bytes[] = {1, 0, 0, 0, 1, 0, 0, 0};
  static const uint32_t only[] = {SIM_CHOICE_USER + 1};
  struct sim_choice_bytes *driver = sim_choice_bytes_create(bytes, sizeof bytes);
  struct sim_choice_source source = {.rest = SIM_REST_BYTES, .bytes = driver, .only = only, .only_count = 1};
  struct sim_world *world = bare_world(sim, &source);
  assert_int_equal(sim_pick(world, sim_tag(SIM_CHOICE_USER, 1, 1), 5), 0);
  assert_int_equal(sim_pick(world, sim_tag(SIM_CHOICE_USER + 1, 1, 1), 5), 1);
  assert_int_equal(sim_choice_bytes_used(driver), 4);
  sim_choice_bytes_destroy(driver);
  sim_close(sim);
}

/* --- Marks --- */

static void a_rewound_run_writes_the_same_recording_and_log_again(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  uint8_t bytes[8000];
  fill_bytes(bytes, sizeof bytes, 5);
  struct sim_enumerator_options deep = {.depth_max = 2000};
  struct sim_enumerator *all = sim_enumerator_create(&deep);
  struct sim_choice_source enumerate = {.seed = 3, .rest = SIM_REST_ENUMERATE, .enumerator = all};
  for (int leaf = 0; leaf < 9; leaf++) {
    assert_true(sim_enumerator_next(all));
    (void)run_under(sim, &enumerate);
  }
  assert_true(sim_enumerator_next(all));
  for (int which = 0; which < 3; which++) {
    struct sim_choice_table *record = sim_choice_table_create();
    struct sim_trace_log *log = sim_trace_log_create();
    struct sim_choice_bytes *driver = sim_choice_bytes_create(bytes, sizeof bytes);
    static const enum sim_choice_rest rests[] = {SIM_REST_SEED, SIM_REST_BYTES, SIM_REST_ENUMERATE};
    struct sim_config config = toy_world_config(3);
    config.source = (struct sim_choice_source){
        .seed = 3, .rest = rests[which], .record = record, .bytes = driver, .enumerator = all};
    config.trace = log;
    struct sim_world *world = toy_world_begin(sim, &config, NODES);
    (void)sim_run(sim, END, 60);
    assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
    struct sim_mark mark = sim_mark(sim);
    (void)sim_run(sim, END, UINT64_MAX);
    uint64_t hash = sim_trace_hash(world);
    size_t outcomes = sim_choice_table_count(record), steps = sim_trace_log_count(log);
    size_t used = sim_choice_bytes_used(driver);
    for (int again = 0; again < 3; again++) {
      sim_checkpoint_restore(checkpoint, sim_arena(sim));
      sim_rewind(sim, mark);
      assert_true(sim_choice_table_count(record) < outcomes && sim_trace_log_count(log) < steps);
      (void)sim_run(sim, END, UINT64_MAX);
      assert_int_equal(sim_trace_hash(world), hash);
      assert_int_equal(sim_choice_table_count(record), outcomes);
      assert_int_equal(sim_trace_log_count(log), steps);
      assert_int_equal(sim_choice_bytes_used(driver), used);
    }
    struct sim_choice_source replay = {.seed = 3, .overrides = record, .rest = SIM_REST_CALM};
    assert_int_equal(run_under(sim, &replay), hash);
    sim_choice_bytes_destroy(driver);
    sim_trace_log_destroy(log);
    sim_choice_table_destroy(record);
  }
  sim_enumerator_destroy(all);
  sim_checkpoint_destroy(checkpoint);
  sim_close(sim);
}

static void the_recording_of_a_branch_replays_from_the_beginning(void **unused) {
  (void)unused;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  struct sim_choice_table *record = sim_choice_table_create();
  struct sim_config config = toy_world_config(3);
  config.source.record = record;
  struct sim_world *world = toy_world_begin(sim, &config, NODES);
  (void)sim_run(sim, END, 80);
  assert_true(sim_checkpoint_save(checkpoint, sim_arena(sim)));
  struct sim_mark mark = sim_mark(sim);
  for (uint64_t seed = 20; seed < 30; seed++) {
    sim_checkpoint_restore(checkpoint, sim_arena(sim));
    sim_rewind(sim, mark);
    struct sim_choice_source other = {.seed = seed, .record = record};
    sim_set_source(sim, &other);
    (void)sim_run(sim, END, UINT64_MAX);
  }
  uint64_t hash = sim_trace_hash(world);
  struct sim_choice_source replay = {.seed = 3, .overrides = record, .rest = SIM_REST_CALM};
  assert_int_equal(run_under(sim, &replay), hash);
  sim_choice_table_destroy(record);
  sim_checkpoint_destroy(checkpoint);
  sim_close(sim);
}

static void a_cut_table_is_what_it_was_at_the_mark(void **unused) {
  (void)unused;
  struct sim_choice_table *table = sim_choice_table_create();
  uint64_t outcome = 0;
  for (uint64_t i = 0; i < 300; i++)
    assert_true(sim_choice_table_set(table, sim_tag(1, 1, i), i));
  struct sim_choice_mark mark = sim_choice_table_mark(table);
  for (uint64_t i = 100; i < 2000; i++)
    assert_true(sim_choice_table_set(table, sim_tag(1, 1, i), i + 1) &&
                sim_choice_table_set(table, sim_tag(1, 1, i), 0));
  assert_true(sim_choice_table_reseed(table, (struct sim_reseed){1, 2}));
  sim_choice_table_cut(table, mark);
  assert_int_equal(sim_choice_table_count(table), 300);
  for (uint64_t i = 0; i < 2000; i++) {
    assert_int_equal(sim_choice_table_get(table, sim_tag(1, 1, i), &outcome), i < 300);
    if (i < 300) assert_int_equal(outcome, i);
  }
  size_t count = 1;
  (void)sim_choice_table_reseeds(table, &count);
  assert_int_equal(count, 0);
  sim_choice_table_clear(table);
  assert_false(sim_choice_table_get(table, sim_tag(1, 1, 5), &outcome));
  sim_choice_table_destroy(table);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_recording_made_under_any_source_replays_to_the_same_hash),
      cmocka_unit_test(a_new_kind_of_decision_changes_no_other_outcome),
      cmocka_unit_test(a_branch_with_another_seed_is_a_reseed_at_its_first_event),
      cmocka_unit_test(reseeds_are_recorded_written_and_read),
      cmocka_unit_test(damaged_reseeds_are_refused_with_their_line),
      cmocka_unit_test(identities_are_those_of_the_first_seed_in_every_branch),
      cmocka_unit_test(zeros_and_the_end_of_the_bytes_are_calm),
      cmocka_unit_test(each_decision_takes_one_record_and_a_tag_keeps_its_answer),
      cmocka_unit_test(bytes_that_look_random_fire_about_as_often_as_a_seed),
      cmocka_unit_test(kinds_that_are_not_asked_are_calm),
      cmocka_unit_test(a_rewound_run_writes_the_same_recording_and_log_again),
      cmocka_unit_test(the_recording_of_a_branch_replays_from_the_beginning),
      cmocka_unit_test(a_cut_table_is_what_it_was_at_the_mark),
  };
  return cmocka_run_group_tests_name("choice_sources", tests, NULL, NULL) != 0;
}
