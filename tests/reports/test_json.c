#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "reports/report.h"
#include "tests/support/suite_fixture.h"

static json_t *parsed(struct suite_result *result) {
  char *text = fixture_written(report_json, result);
  assert_non_null(text);
  json_error_t error;
  json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
  if (root == NULL) print_error("%s at %d:%d\n", error.text, error.line, error.column);
  assert_non_null(root);
  free(text);
  fixture_free(result);
  return root;
}

static json_t *member(json_t *object, const char *key) {
  json_t *value = json_object_get(object, key);
  if (value == NULL) print_error("no \"%s\"\n", key);
  assert_non_null(value);
  return value;
}
static json_t *item(json_t *root, const char *list, size_t index) {
  json_t *value = json_array_get(member(root, list), index);
  assert_non_null(value);
  return value;
}
static void text_is(json_t *object, const char *key, const char *expected) {
  json_t *value = member(object, key);
  assert_true(json_is_string(value));
  assert_string_equal(json_string_value(value), expected);
}
static void number_is(json_t *object, const char *key, json_int_t expected) {
  json_t *value = member(object, key);
  assert_true(json_is_integer(value));
  assert_true(json_integer_value(value) == expected);
}

static void the_schema_has_a_version(void **state) {
  (void)state;
  json_t *root = parsed(fixture_suite());
  number_is(root, "format", 1);
  json_decref(root);
}

static void the_suite_is_summed_up(void **state) {
  (void)state;
  json_t *root = parsed(fixture_suite());
  json_t *suite = member(root, "suite");
  number_is(suite, "exit_status", 5);
  assert_true(json_is_false(member(suite, "interrupted")));
  text_is(suite, "seed_first", "1");
  text_is(suite, "seed_last", "18446744073709551615");
  number_is(suite, "jobs", 2);
  number_is(suite, "runs", 7);
  number_is(suite, "failed", 4);
  number_is(suite, "not_run", 1);
  number_is(suite, "real_ns", 1500000000);
  assert_string_equal(json_string_value(item(root, "vacuous", 0)),
                      "no message was ever duplicated in scenarios/crash.lua");
  json_decref(root);
}

static void every_run_is_there_whole(void **state) {
  (void)state;
  json_t *root = parsed(fixture_suite());
  static const char *const verdicts[] = {"held",    "violated", "violated",         "not_deterministic",
                                         "harness", "not_run",  "failed_as_it_must"};
  assert_int_equal(json_array_size(member(root, "runs")), 7);
  for (size_t i = 0; i < 7; i++)
    text_is(item(root, "runs", i), "verdict", verdicts[i]);
  json_t *run = item(root, "runs", 3);
  text_is(run, "scenario", "scenarios/crash.lua");
  text_is(run, "seed", "18446744073709551615");
  text_is(run, "trace_hash", "0x00ab54a98ceb1f09");
  number_is(run, "events", 999);
  number_is(run, "simulated_ns", 60000000000);
  number_is(run, "real_ns", 7654321);
  number_is(run, "peak_bytes", 123456);
  json_t *faults = member(run, "faults");
  number_is(member(faults, "net_loss"), "opportunities", 900);
  number_is(member(faults, "net_loss"), "firings", 9);
  assert_int_equal(json_object_size(faults), 2); /* only what had an opportunity */
  json_decref(root);
}

static void every_scenario_is_there_whole(void **state) {
  (void)state;
  json_t *root = parsed(fixture_suite());
  json_t *scenario = item(root, "scenarios", 0);
  text_is(scenario, "path", "scenarios/crash.lua");
  text_is(scenario, "name", "a crash loses nothing promised");
  text_is(scenario, "story", "a power cut in a data centre");
  text_is(scenario, "verdict", "violated");
  assert_true(json_is_null(member(scenario, "must_fail")));
  number_is(scenario, "runs", 4);
  number_is(scenario, "failed", 3);
  number_is(scenario, "events", 1234567);
  assert_int_equal(json_object_size(member(scenario, "faults")), SIM_FAULT_COUNT);
  json_t *sometimes = json_array_get(member(scenario, "sometimes"), 0);
  text_is(sometimes, "name", "a node was down");
  number_is(sometimes, "runs", 2);
  text_is(item(root, "scenarios", 2), "must_fail", "durability");
  json_decref(root);
}

static void every_failure_is_there_whole(void **state) {
  (void)state;
  json_t *root = parsed(fixture_suite());
  assert_int_equal(json_array_size(member(root, "failures")), 2);
  json_t *failure = item(root, "failures", 0);
  text_is(failure, "scenario", "scenarios/crash.lua");
  text_is(failure, "seed", "2");
  text_is(failure, "verdict", "violated");
  text_is(failure, "property", "durability");
  text_is(failure, "detail", "n2 promised n2/7f3a:41 at 11.2 s and does not hold it after its restart");
  number_is(failure, "time_ns", 12345678901);
  number_is(failure, "node", 2);
  text_is(failure, "history", "11.200 s n2 submitted\n11.204 s n2 durable\n12.345 s n2 powered off\n");
  text_is(failure, "bundle", "build/bundles/crash-2");
  text_is(failure, "reproduce", "build/syncsim replay scenarios/crash.lua --seed 2");
  number_is(failure, "same_signature", 1);
  assert_true(json_is_null(member(item(root, "failures", 1), "node")));
  assert_true(json_is_null(member(item(root, "failures", 1), "bundle")));
  json_decref(root);
}

static void has_no_real(json_t *value) {
  assert_false(json_is_real(value));
  const char *key;
  json_t *child;
  size_t index;
  json_object_foreach(value, key, child) has_no_real(child);
  json_array_foreach(value, index, child) has_no_real(child);
}

static void no_number_is_floating_point(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  result->runs[0].events = UINT64_MAX; /* past what JSON integers hold here */
  json_t *root = parsed(result);
  has_no_real(root);
  number_is(item(root, "runs", 0), "events", INT64_MAX);
  json_decref(root);
}

static void hostile_text_is_kept_but_for_what_is_no_utf8(void **state) {
  (void)state;
  json_t *root = parsed(fixture_hostile());
  text_is(item(root, "failures", 0), "history",
          "a\x01\x1b[31m]]>\"'&<b>\nc\r\td\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbf"
          "\xe2\x80\xae\xc2\x9b!");
  json_decref(root);
}

static void an_empty_suite_is_valid(void **state) {
  (void)state;
  json_t *root = parsed(fixture_large(0, 0, 0, 0));
  assert_int_equal(json_array_size(member(root, "runs")), 0);
  assert_int_equal(json_array_size(member(root, "failures")), 0);
  json_decref(root);
}

static void runs_and_failures_take_one_line_each(void **state) {
  (void)state;
  struct suite_result *result = fixture_hostile();
  char *text = fixture_written(report_json, result);
  size_t lines = 0;
  for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
    lines++;
  /* Scenarios, failures, sentences and runs; nothing is known. */
  assert_int_equal(lines, 1 + 1 + (3 + 2) + (2 + 2) + (1 + 2) + 1 + (7 + 2));
  free(text);
  fixture_free(result);
}

static void equal_results_give_equal_bytes(void **state) {
  (void)state;
  struct suite_result *a = fixture_suite(), *b = fixture_suite();
  char *first = fixture_written(report_json, a), *second = fixture_written(report_json, b);
  assert_string_equal(first, second);
  free(first);
  free(second);
  fixture_free(a);
  fixture_free(b);
}

static void a_full_disk_is_an_error(void **state) {
  (void)state;
  struct suite_result *small = fixture_suite(), *large = fixture_large(1000, 0, 0, 0);
  assert_false(fixture_written_to_full_disk(report_json, small));
  assert_false(fixture_written_to_full_disk(report_json, large));
  fixture_free(small);
  fixture_free(large);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_schema_has_a_version),
      cmocka_unit_test(the_suite_is_summed_up),
      cmocka_unit_test(every_run_is_there_whole),
      cmocka_unit_test(every_scenario_is_there_whole),
      cmocka_unit_test(every_failure_is_there_whole),
      cmocka_unit_test(no_number_is_floating_point),
      cmocka_unit_test(hostile_text_is_kept_but_for_what_is_no_utf8),
      cmocka_unit_test(an_empty_suite_is_valid),
      cmocka_unit_test(runs_and_failures_take_one_line_each),
      cmocka_unit_test(equal_results_give_equal_bytes),
      cmocka_unit_test(a_full_disk_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
