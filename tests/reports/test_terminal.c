#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/report.h"
#include "reports/utf8.h"
#include "tests/support/suite_fixture.h"

static bool plain(FILE *file, const struct suite_result *result) {
  return report_terminal(file, result, false);
}
static bool coloured(FILE *file, const struct suite_result *result) {
  return report_terminal(file, result, true);
}
static bool narrow(FILE *file, const struct suite_result *result) {
  return report_terminal_columns(file, result, false, 100);
}
static bool tiny(FILE *file, const struct suite_result *result) {
  return report_terminal_columns(file, result, false, 20);
}

static char *told(bool (*write)(FILE *, const struct suite_result *), struct suite_result *result) {
  char *text = fixture_written(write, result);
  assert_non_null(text);
  fixture_free(result);
  return text;
}
static void says(const char *text, const char *part) {
  if (strstr(text, part) == NULL) print_error("no \"%s\" in:\n%s\n", part, text);
  assert_non_null(strstr(text, part));
}

static void the_table_has_a_line_for_each_scenario(void **state) {
  (void)state;
  char *text = told(plain, fixture_suite());
  says(text, "scenario                            seeds  verdict");
  says(text, "a crash loses nothing promised          4  VIOLATED (3)");
  says(text, "1,048 of 2 kinds     4m 00s");
  says(text, "2.41 s\n");
  says(text, "a partition heals                       2  HARNESS FAILED (1)");
  says(text, "a promise made too early is caught      1  failed as it must");
  free(text);
}

static void slow_worlds_are_named_with_what_to_do(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  result->slow[0] = (struct suite_slow){.scenario = 1,
                                        .seed = 7,
                                        .stopped = true,
                                        .real_ns = UINT64_C(61000000000),
                                        .told = "1.500 s of 20 s simulated, 90 % of them messages"};
  result->slow[1] =
      (struct suite_slow){.seed = 1, .real_ns = UINT64_C(11000000000), .others = 1234, .told = "20 s simulated"};
  result->slow_count = 2;
  char *text = told(plain, result);
  says(text, "Slow worlds (fewer nodes, a lower rate or a shorter duration make them quicker; --time bounds a suite):\n"
             "  - a partition heals, seed 7: stopped after 1m 01s: 1.500 s of 20 s simulated, 90 % of them messages\n"
             "  - a crash loses nothing promised, seed 1: 11.00 s: 20 s simulated; and 1,234 more of its runs\n");
  free(text);
  text = told(plain, fixture_suite());
  assert_null(strstr(text, "Slow worlds"));
  free(text);
}

static void the_totals_close_the_report(void **state) {
  (void)state;
  char *text = told(plain, fixture_suite());
  says(text, "3 scenarios, seeds 1 to 18446744073709551615: 6 runs, 1,234,567 events, 1,048 faults");
  says(text, "FAILED: 1 held, 1 failed as they must, 4 failed, 1 not run; exit status 5\n");
  const size_t length = strlen(text);
  assert_string_equal(text + length - strlen("exit status 5\n"), "exit status 5\n");
  free(text);
  text = told(plain, fixture_large(3, 0, 0, 0));
  says(text, "HELD: 3 held, 0 failed\n");
  free(text);
}

static void a_failure_is_told_in_full(void **state) {
  (void)state;
  char *text = told(plain, fixture_suite());
  says(text, "FAILURE 1 of 2: a crash loses nothing promised (scenarios/crash.lua), seed 2\n");
  says(text, "  property   durability\n");
  says(text, "  saw        n2 promised n2/7f3a:41 at 11.2 s and does not hold it after its restart\n");
  says(text, "  when       12.345678901 s simulated, at node n2\n");
  says(text, "  trace hash 0x00ab54a98ceb1f0c\n");
  says(text, "  history\n    11.200 s n2 submitted\n    11.204 s n2 durable\n    12.345 s n2 powered off\n");
  says(text, "  bundle     build/bundles/crash-2\n");
  says(text, "  and        1 further failure like this one in this scenario\n");
  says(text, "  see it again\n    build/syncsim replay scenarios/crash.lua --seed 2\n");
  says(text, "  bundle     none: it could not be written\n");
  free(text);
}

/* A bug that broke 96 runs of 12 scenarios was told 96 times, in 2,900 lines. */
static void one_cause_is_told_once_across_scenarios(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  struct suite_failure *other = &result->failures[1];
  assert_int_equal(other->scenario, 1);
  other->verdict = SUITE_VIOLATED;
  other->same_signature = 60;
  (void)snprintf(other->property, sizeof other->property, "durability");
  (void)snprintf(other->detail, sizeof other->detail,
                 "n3 promised n3/0b1c:7 at 9.125 s and does not hold it after its restart");
  char *text = told(plain, result);
  says(text, "FAILURE 1 of 1: a crash loses nothing promised (scenarios/crash.lua), seed 2\n");
  assert_null(strstr(text, "n3 promised"));
  says(text, "  and        1 further failure like this one in this scenario\n"
             "             61 further failures like this one in scenarios/partition.lua, such as seed ");
  free(text);
}

static void other_words_are_another_cause(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  struct suite_failure *other = &result->failures[1];
  other->verdict = SUITE_VIOLATED;
  (void)snprintf(other->property, sizeof other->property, "durability");
  (void)snprintf(other->detail, sizeof other->detail, "n2 does not start");
  char *text = told(plain, result);
  says(text, "FAILURE 2 of 2: ");
  says(text, "n2 does not start");
  free(text);
}

static void what_is_wrong_with_a_scenario_is_its_own(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  for (size_t i = 0; i < 2; i++) {
    struct suite_failure *one = &result->failures[i];
    one->verdict = SUITE_CANARY_MISSED;
    (void)snprintf(one->property, sizeof one->property, "durability");
    (void)snprintf(one->detail, sizeof one->detail, "this canary must violate it");
  }
  char *text = told(plain, result);
  says(text, "FAILURE 2 of 2: ");
  free(text);
}

static void what_never_happened_is_noted(void **state) {
  (void)state;
  char *text = told(plain, fixture_suite());
  says(text,
       "Never happened, so nothing was tested there:\n  - no message was ever duplicated in scenarios/crash.lua\n");
  free(text);
}

static void colour_comes_only_when_asked_for(void **state) {
  (void)state;
  char *text = told(plain, fixture_suite());
  assert_null(strchr(text, '\033'));
  free(text);
  text = told(coloured, fixture_suite());
  says(text, "\033[31mVIOLATED (3)");
  says(text, "\033[32mfailed as it must");
  free(text);
}

static void hostile_text_reaches_no_terminal(void **state) {
  (void)state;
  char *text = told(plain, fixture_hostile());
  for (const char *at = text; *at != '\0';) {
    uint32_t character;
    bool valid;
    at += utf8_decode(at, &character, &valid);
    assert_true(valid);
    assert_true(character == '\n' || !utf8_is_control(character));
  }
  free(text);
}

static unsigned widest_line(const char *text) {
  unsigned widest = 0, columns = 0;
  while (*text != '\0') {
    uint32_t character;
    bool valid;
    text += utf8_decode(text, &character, &valid);
    columns = character == '\n' ? 0 : columns + utf8_columns(character);
    if (columns > widest) widest = columns;
  }
  return widest;
}

static void lines_stay_within_the_width(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  for (size_t i = 0; i < 40; i++)
    memcpy(result->scenarios[1].info.name + 2 * i, "\xc3\xa9", 3); /* as long as a name gets, nearly */
  char *text = told(narrow, result);
  assert_true(widest_line(text) <= 100);
  says(text, "\xc3\xa9...");
  free(text);
}

static void a_tiny_width_breaks_nothing_and_the_command_stays_whole(void **state) {
  (void)state;
  char *text = told(tiny, fixture_suite());
  says(text, "\n    build/syncsim replay scenarios/crash.lua --seed 2\n");
  free(text);
}

static void wide_characters_keep_the_columns(void **state) {
  (void)state;
  struct suite_result *result = fixture_suite();
  (void)snprintf(result->scenarios[1].info.name, sizeof result->scenarios[1].info.name,
                 "\xe6\x97\xa5\xe6\x9c\xac e\xcc\x81");
  char *text = told(plain, result);
  /* 2 + 2 + 1 + 1 columns, filled to the 34 of the longest name. */
  says(text, "\xe6\x97\xa5\xe6\x9c\xac e\xcc\x81                                  2  HARNESS FAILED (1)");
  free(text);
}

static void a_full_disk_is_an_error(void **state) {
  (void)state;
  struct suite_result *small = fixture_suite();
  assert_false(fixture_written_to_full_disk(plain, small));
  fixture_free(small);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_table_has_a_line_for_each_scenario),
      cmocka_unit_test(slow_worlds_are_named_with_what_to_do),
      cmocka_unit_test(the_totals_close_the_report),
      cmocka_unit_test(a_failure_is_told_in_full),
      cmocka_unit_test(one_cause_is_told_once_across_scenarios),
      cmocka_unit_test(other_words_are_another_cause),
      cmocka_unit_test(what_is_wrong_with_a_scenario_is_its_own),
      cmocka_unit_test(what_never_happened_is_noted),
      cmocka_unit_test(colour_comes_only_when_asked_for),
      cmocka_unit_test(hostile_text_reaches_no_terminal),
      cmocka_unit_test(lines_stay_within_the_width),
      cmocka_unit_test(a_tiny_width_breaks_nothing_and_the_command_stays_whole),
      cmocka_unit_test(wide_characters_keep_the_columns),
      cmocka_unit_test(a_full_disk_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
