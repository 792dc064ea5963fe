/* What a suite makes of many runs: canaries, what never happened, scenarios
 * that prove wrong, and the exit status of all together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "search/suite.h"

#define SCENARIO(options, body)                                                                                        \
  "local sim = require \"sim\"\n"                                                                                      \
  "local drawn = 0\n"                                                                                                  \
  "return sim.scenario { name = \"x\", nodes = 2, duration = \"1s\", " options "\n"                                    \
  "  run = function(world) drawn = world:pick(4); world:sleep \"1ms\"\n" body "\n  end }\n"
#define THREES "properties = { sim.always(\"no three is drawn\", function(world) return drawn ~= 3 end) },"

static struct suite_result *run(const char *const *texts, size_t count, uint64_t seeds) {
  struct scenario_file *files[4] = {NULL};
  struct suite_options options = {.seed_first = 1, .seed_last = seeds, .jobs = 2};
  char error[256] = "";
  options.sim.fill = SIM_FILL_NONE;
  for (size_t i = 0; i < count; i++) {
    files[i] = scenario_file_from("x.lua", texts[i], strlen(texts[i]));
    assert_non_null(files[i]);
  }
  struct suite_result *result = suite_run_all(files, count, &options, error, sizeof error);
  if (result == NULL) fail_msg("%s", error);
  for (size_t i = 0; i < count; i++) {
    scenario_file_free(files[i]);
  }
  return result;
}
static struct suite_result *run_one(const char *text, uint64_t seeds) {
  return run(&text, 1, seeds);
}

static void a_violation_is_told_once_per_seed_up_to_four(void **state) {
  (void)state;
  struct suite_result *result = run_one(SCENARIO(THREES, ""), 60);
  assert_int_equal(result->scenarios[0].verdict, SUITE_VIOLATED);
  assert_int_equal(result->failure_count, 4);
  assert_string_equal(result->failures[0].property, "no three is drawn");
  assert_int_equal(result->failures[0].same_signature, result->scenarios[0].failed - 4);
  assert_true(result->failures[0].history[0] != '\0');
  assert_int_equal(result->exit_status, 1);
  suite_result_free(result);
}

static void a_canary_that_fails_by_its_property_is_a_success(void **state) {
  (void)state;
  struct suite_result *result = run_one(SCENARIO(THREES " must_fail = \"no three is drawn\",", ""), 40);
  assert_int_equal(result->scenarios[0].verdict, SUITE_FAILED_AS_IT_MUST);
  assert_true(result->scenarios[0].failed > 0 && result->scenarios[0].failed < 40);
  assert_int_equal(result->failure_count, 0);
  assert_int_equal(result->exit_status, 0);
  suite_result_free(result);
}

static void a_canary_that_never_fails_is_missed(void **state) {
  (void)state;
  struct suite_result *result = run_one(SCENARIO("must_fail = \"durability\",", ""), 10);
  assert_int_equal(result->scenarios[0].verdict, SUITE_CANARY_MISSED);
  assert_int_equal(result->failure_count, 1);
  assert_int_equal(result->failures[0].verdict, SUITE_CANARY_MISSED);
  assert_int_equal(result->exit_status, 1);
  suite_result_free(result);
}

static void a_canary_that_fails_otherwise_is_violated(void **state) {
  (void)state;
  struct suite_result *result = run_one(SCENARIO(THREES " must_fail = \"durability\",", ""), 40);
  assert_int_equal(result->scenarios[0].verdict, SUITE_VIOLATED);
  assert_int_equal(result->exit_status, 1);
  suite_result_free(result);
}

#define PIGS "properties = { sim.sometimes(\"pigs fly\", function(world) return drawn > 4 end) },"
static void what_never_happened_in_twenty_runs_fails_the_suite(void **state) {
  (void)state;
  struct suite_result *few = run_one(SCENARIO(PIGS, ""), 19);
  assert_int_equal(few->vacuous_count, 1);
  assert_int_equal(few->exit_status, 0);
  suite_result_free(few);
  struct suite_result *enough = run_one(SCENARIO(PIGS, ""), 20);
  assert_int_equal(enough->vacuous_count, 1);
  assert_non_null(strstr(enough->vacuous[0], "pigs fly"));
  assert_int_equal(enough->exit_status, 1);
  suite_result_free(enough);
}

static void a_fault_that_never_fires_is_told(void **state) {
  (void)state;
  struct suite_result *result = run_one(SCENARIO("nodes = 1, network = { loss = \"1%\" },", ""), 20);
  assert_int_equal(result->vacuous_count, 1); /* alone, it sends nothing */
  assert_non_null(strstr(result->vacuous[0], "net_loss"));
  assert_int_equal(result->exit_status, 1);
  suite_result_free(result);
}

static void a_sometimes_that_happens_in_one_run_is_enough(void **state) {
  (void)state;
  struct suite_result *result =
      run_one(SCENARIO("properties = { sim.sometimes(\"four\", function(world) return drawn == 4 end) },", ""), 40);
  assert_int_equal(result->vacuous_count, 0);
  assert_true(result->scenarios[0].sometimes[0] > 0 && result->scenarios[0].sometimes[0] < 40);
  assert_int_equal(result->exit_status, 0);
  suite_result_free(result);
}

static void a_script_that_errs_at_one_seed_ends_its_scenario_there(void **state) {
  (void)state;
  static const char *const texts[] = {SCENARIO("", "if drawn == 3 then world:no_such_thing() end"), SCENARIO("", "")};
  struct suite_result *result = run(texts, 2, 40);
  bool wrong = false;
  for (size_t i = 0; i < 40; i++) {
    const enum suite_verdict verdict = result->runs[i].verdict;
    assert_int_equal(verdict, wrong                             ? SUITE_NOT_RUN
                              : verdict == SUITE_SCENARIO_WRONG ? SUITE_SCENARIO_WRONG
                                                                : SUITE_HELD);
    wrong = wrong || verdict == SUITE_SCENARIO_WRONG;
  }
  assert_true(wrong);
  assert_int_equal(result->scenarios[1].runs, 40);
  assert_int_equal(result->exit_status, 3);
  suite_result_free(result);
}

static void a_wrong_scenario_outranks_a_violation(void **state) {
  (void)state;
  static const char *const texts[] = {SCENARIO(THREES, ""), "return 7"};
  struct suite_result *result = run(texts, 2, 40);
  assert_int_equal(result->scenarios[0].verdict, SUITE_VIOLATED);
  assert_int_equal(result->scenarios[1].verdict, SUITE_SCENARIO_WRONG);
  assert_int_equal(result->run_count, 41);
  assert_int_equal(result->exit_status, 3);
  suite_result_free(result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_violation_is_told_once_per_seed_up_to_four),
      cmocka_unit_test(a_canary_that_fails_by_its_property_is_a_success),
      cmocka_unit_test(a_canary_that_never_fails_is_missed),
      cmocka_unit_test(a_canary_that_fails_otherwise_is_violated),
      cmocka_unit_test(what_never_happened_in_twenty_runs_fails_the_suite),
      cmocka_unit_test(a_fault_that_never_fires_is_told),
      cmocka_unit_test(a_sometimes_that_happens_in_one_run_is_enough),
      cmocka_unit_test(a_script_that_errs_at_one_seed_ends_its_scenario_there),
      cmocka_unit_test(a_wrong_scenario_outranks_a_violation),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed != 0;
}
