/* What is one failure and what another; runs as deviations from calm; scenarios of plain statements, and what makes
 * them simpler. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "search/deviation.h"
#include "search/plain.h"
#include "search/same_failure.h"
#include "search/simpler.h"

/* --- One kind of failure -------------------------------------------------------------------- */

static struct outcome outcome(const char *property, const char *detail) {
  struct outcome outcome = {.verdict = SUITE_VIOLATED};
  snprintf(outcome.property, sizeof outcome.property, "%s", property);
  snprintf(outcome.detail, sizeof outcome.detail, "%s", detail);
  return outcome;
}

static bool same(const char *a, const char *b) {
  struct outcome one = outcome("durability", a), other = outcome("durability", b);
  return same_failure(&one, &other) && same_failure(&other, &one);
}

static void numbers_and_names_with_numbers_do_not_tell_failures_apart(void **state) {
  (void)state;
  assert_true(same("n2 promised n2/ffd99a4d/54 and does not have it", "n1 promised n1/0/2 and does not have it"));
  assert_true(same("it has 53 of the 54", "it has 0 of the 1"));
}

static void other_words_are_another_failure(void **state) {
  (void)state;
  assert_false(same("n2 promised it and does not have it", "n2 holds it and does not have it"));
  assert_false(same("n2 promised it", "n2 promised it twice"));
  assert_true(same("n2 lacks it: key-00000001 of n3", "n1 lacks it: all of them")); /* particulars */
}

static void another_property_is_another_failure(void **state) {
  (void)state;
  struct outcome one = outcome("durability", "gone"), other = outcome("convergence", "gone");
  assert_false(same_failure(&one, &other));
  other = one;
  other.verdict = SUITE_HELD;
  assert_false(same_failure(&one, &other));
}

/* --- Deviations --------------------------------------------------------------------------------- */

static struct sim_choice_table *recorded(void) {
  struct sim_choice_table *table = sim_choice_table_create();
  assert_non_null(table);
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_WORKLOAD_GAP, 0, 0), 7));
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_WORKLOAD_SKIP, 0, 0), 0));
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_WORKLOAD_KEY, 0, 0), 5));
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_WORKLOAD_SKIP, 0, 16), 1));
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_NET_LOSS, sim_tag_link(1, 2), 9), 1));
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_NET_LOSS, sim_tag_link(1, 2), 10), 0));
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_SCENARIO, 2, 11), 1));
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_SCENARIO_SKIP, 2, 12), 0));
  return table;
}

static size_t count_of(const struct deviations *deviations, enum deviation_form form) {
  size_t count = 0;
  for (size_t i = 0; i < deviations->count; i++)
    count += deviations->items[i].form == form;
  return count;
}

static void what_is_calm_or_left_out_already_is_no_deviation(void **state) {
  (void)state;
  struct sim_choice_table *recording = recorded();
  struct deviations deviations = {0};
  assert_true(deviations_find(&deviations, recording, NULL));
  assert_int_equal(count_of(&deviations, DEVIATION_SUBMIT), 1);
  assert_int_equal(count_of(&deviations, DEVIATION_DETAIL), 1);
  assert_int_equal(count_of(&deviations, DEVIATION_FATE), 1);
  assert_int_equal(count_of(&deviations, DEVIATION_FAULT), 1);
  assert_int_equal(count_of(&deviations, DEVIATION_ACT), 1);
  assert_int_equal(count_of(&deviations, DEVIATION_FRAME), 2); /* the gap, and the submit that is left out */
  deviations_free(&deviations);
  sim_choice_table_destroy(recording);
}

static void what_goes_is_left_out_or_calm(void **state) {
  (void)state;
  struct sim_choice_table *recording = recorded(), *table = sim_choice_table_create();
  struct deviations deviations = {0};
  struct candidate candidate;
  uint64_t outcome = 0;
  assert_true(deviations_find(&deviations, recording, NULL));
  assert_true(candidate_init(&candidate, &deviations));
  assert_int_equal(candidate_events(&candidate), 4);
  const uint64_t whole = candidate_hash(&candidate);
  for (size_t i = 0; i < deviations.count; i++)
    if (deviation_is_event(&deviations.items[i])) candidate.there[i] = 0;
  assert_int_equal(candidate_events(&candidate), 0);
  assert_true(candidate_hash(&candidate) != whole);
  assert_true(candidate_table(&candidate, table));
  assert_true(sim_choice_table_get(table, sim_tag(SIM_CHOICE_WORKLOAD_SKIP, 0, 0), &outcome) && outcome == 1);
  assert_true(sim_choice_table_get(table, sim_tag(SIM_CHOICE_SCENARIO_SKIP, 2, 12), &outcome) && outcome == 1);
  assert_false(sim_choice_table_get(table, sim_tag(SIM_CHOICE_NET_LOSS, sim_tag_link(1, 2), 9), &outcome));
  assert_false(sim_choice_table_get(table, sim_tag(SIM_CHOICE_SCENARIO, 2, 11), &outcome));
  assert_true(sim_choice_table_get(table, sim_tag(SIM_CHOICE_WORKLOAD_GAP, 0, 0), &outcome) && outcome == 7);
  candidate_free(&candidate);
  deviations_free(&deviations);
  sim_choice_table_destroy(table);
  sim_choice_table_destroy(recording);
}

/* --- Tags as people write them ------------------------------------------------------------------ */

static void a_tag_is_read_as_it_was_written(void **state) {
  (void)state;
  const struct sim_tag tags[] = {sim_tag(SIM_CHOICE_NET_LOSS, sim_tag_link(12, 3), UINT64_MAX),
                                 sim_tag(SIM_CHOICE_DISK_STYLE, 2, 1), sim_tag(SIM_CHOICE_WORKLOAD_SKIP, 0, 0x30)};
  for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
    char text[SIM_TAG_TEXT_BYTES];
    struct sim_tag tag;
    sim_tag_write(tags[i], text);
    assert_null(sim_tag_read(text, &tag));
    assert_true(tag.kind == tags[i].kind && tag.where == tags[i].where && tag.identity == tags[i].identity);
  }
}

static void what_is_no_tag_is_refused(void **state) {
  (void)state;
  static const char *const wrong[] = {"",
                                      "net_loss",
                                      "net_loss n1>n2",
                                      "net_loss n1>2 9",
                                      "net_loss n 9",
                                      "net_loss n0 9",
                                      "net_loss world 9g",
                                      "net_loss n1>n2 12345678901234567",
                                      "loss n1 9"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct sim_tag tag;
    assert_non_null(sim_tag_read(wrong[i], &tag));
  }
}

/* --- Plain scenarios ------------------------------------------------------------------------------ */

static void begin(struct plain_scenario *plain) {
  assert_true(plain_read(plain, "Onodes = 3\n"
                                "Odisk = { fsync = \"1ms..30ms\" }\n"
                                "S2000000 9 world:node(3):crash { at = 17 }\n"
                                "S1000000 4 world:node(3):put(12, \"64B\")\n"));
  plain->duration_ns = 3000000;
}

static bool says(const struct plain_scenario *plain, const char *text) {
  const struct plain_frame frame = {.name = "a \"name\"", .heading = "two\nlines"};
  char *written = plain_write(plain, &frame);
  assert_non_null(written);
  const bool found = strstr(written, text) != NULL;
  free(written);
  return found;
}

static void statements_stand_in_order_of_time(void **state) {
  (void)state;
  struct plain_scenario plain;
  begin(&plain);
  assert_true(plain.whole);
  assert_true(says(&plain, "    world:sleep \"1ms\"\n    world:node(3):put(12, \"64B\")\n    world:sleep \"1ms\"\n"
                           "    world:node(3):crash { at = 17 }\n"));
  assert_true(says(&plain, "-- two\n-- lines\n"));
  assert_true(says(&plain, "name = \"a \\\"name\\\"\""));
  assert_true(says(&plain, "duration = \"3ms\""));
  plain_free(&plain);
}

static void what_has_no_words_is_seen(void **state) {
  (void)state;
  struct plain_scenario plain;
  assert_true(plain_read(&plain, "S1 1 -- world:sleep: what it was given cannot be written down\n"));
  assert_false(plain.whole);
  plain_free(&plain);
}

static void a_range_becomes_its_end(void **state) {
  (void)state;
  struct plain_scenario plain;
  begin(&plain);
  assert_true(plain_slowest(&plain, "disk", "fsync", "2ms"));
  assert_true(says(&plain, "disk = { fsync = \"30ms\" }"));
  assert_false(plain_slowest(&plain, "network", "delay", NULL));
  assert_true(plain_set_within(&plain, "disk", "on_crash", "\"strict\""));
  assert_true(says(&plain, "on_crash = \"strict\""));
  plain_free(&plain);
}

static void nodes_that_are_named_close_ranks(void **state) {
  (void)state;
  struct plain_scenario plain;
  begin(&plain);
  assert_true(simpler_close_ranks(&plain, 0, NULL));
  assert_true(says(&plain, "nodes = 1,"));
  assert_true(says(&plain, "world:node(1):put(12"));
  plain_free(&plain);
}

static void statements_get_simpler(void **state) {
  (void)state;
  struct plain_scenario plain;
  size_t first = 0, second = 1;
  begin(&plain);
  size_t changes = 0;
  for (size_t i = 0; i < simpler_statements; i++)
    changes += simpler_statement(&plain, i, &first);
  assert_true(changes >= 2);
  assert_true(says(&plain, "put(1, \"16B\")"));
  assert_true(simpler_statement(&plain, 0, &second));
  assert_true(says(&plain, ":crash()\n"));
  assert_true(simpler_coarse_gap(&plain, 0, &first)); /* none at all */
  assert_true(says(&plain, "run = function(world)\n    world:node(3):put"));
  assert_true(simpler_drop_one(&plain, 0, NULL));
  assert_false(says(&plain, "crash"));
  plain_free(&plain);
}

static void a_key_of_an_option_goes(void **state) {
  (void)state;
  struct plain_scenario plain;
  assert_true(plain_read(&plain, "Oengine = { a = \"1, 2\", b = { c = 3, d = 4 }, e = 5 }\nOnodes = 2\n"));
  plain.duration_ns = 1;
  assert_true(simpler_drop_key(&plain, 1, NULL));
  assert_true(says(&plain, "engine = { a = \"1, 2\", e = 5 }"));
  assert_true(simpler_drop_key(&plain, 1, NULL));
  assert_true(says(&plain, "engine = { a = \"1, 2\",}"));
  assert_false(simpler_drop_key(&plain, 1, NULL));
  plain_free(&plain);
}

static void whole_kibibytes_are_told_as_such(void **state) {
  (void)state;
  struct plain_scenario plain;
  assert_true(plain_read(&plain, "S1 1 world:node(1):put(4096, \"4096B\")\nS1 1 world:node(1):put(1, \"4097B\")\n"));
  plain.duration_ns = 2;
  assert_true(says(&plain, "put(4096, \"4KiB\")"));
  assert_true(says(&plain, "put(1, \"4097B\")"));
  plain_free(&plain);
}

static void few_great_puts_stand_for_many_small_ones(void **state) {
  (void)state;
  struct plain_scenario plain;
  char text[1024] = "";
  for (int i = 1; i <= 8; i++)
    snprintf(text + strlen(text), sizeof text - strlen(text), "S%d 1 world:node(1):put(%d, \"20B\")\n", i, i);
  snprintf(text + strlen(text), sizeof text - strlen(text),
           "S9 1 world:node(1):submit { { key = 0, size = \"20B\" } }\n");
  assert_true(plain_read(&plain, text));
  plain.duration_ns = 10;
  assert_true(simpler_greater_puts(&plain, 2, NULL)); /* one of four, of 512 bytes */
  assert_int_equal(plain.statement_count, 3);
  assert_true(says(&plain, "put(4, \"512B\")"));
  assert_true(says(&plain, "put(0, \"512B\")"));
  plain_free(&plain);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_and_names_with_numbers_do_not_tell_failures_apart),
      cmocka_unit_test(other_words_are_another_failure),
      cmocka_unit_test(another_property_is_another_failure),
      cmocka_unit_test(what_is_calm_or_left_out_already_is_no_deviation),
      cmocka_unit_test(what_goes_is_left_out_or_calm),
      cmocka_unit_test(a_tag_is_read_as_it_was_written),
      cmocka_unit_test(what_is_no_tag_is_refused),
      cmocka_unit_test(statements_stand_in_order_of_time),
      cmocka_unit_test(what_has_no_words_is_seen),
      cmocka_unit_test(a_range_becomes_its_end),
      cmocka_unit_test(nodes_that_are_named_close_ranks),
      cmocka_unit_test(statements_get_simpler),
      cmocka_unit_test(a_key_of_an_option_goes),
      cmocka_unit_test(whole_kibibytes_are_told_as_such),
      cmocka_unit_test(few_great_puts_stand_for_many_small_ones),
  };
  return cmocka_run_group_tests_name("shrink", tests, NULL, NULL);
}
