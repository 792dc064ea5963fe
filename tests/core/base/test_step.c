/* Steps in words: every kind has a name, a level and a line that says its fields. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/sync.h"

#define KINDS 27

static void every_kind_has_a_name_of_its_own_a_level_and_a_line(void **state) {
  (void)state;
  const uint64_t fields[6] = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX};
  for (int kind = 1; kind <= KINDS; kind++) {
    const char *name = sync_trace_name((enum sync_trace_kind)kind);
    assert_non_null(name);
    assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
    for (int other = 1; other < kind; other++)
      assert_string_not_equal(name, sync_trace_name((enum sync_trace_kind)other));
    enum sync_level level = sync_trace_level((enum sync_trace_kind)kind, fields, 6);
    assert_in_range(level, SYNC_LEVEL_ERROR, SYNC_LEVEL_TRACE);
    char line[160], all[400];
    sync_trace_text((enum sync_trace_kind)kind, fields, 6, line, sizeof line);
    sync_trace_text((enum sync_trace_kind)kind, fields, 6, all, sizeof all);
    assert_string_equal(line, all); /* whatever the numbers, it was not cut */
    assert_true(strlen(line) > 5 && strpbrk(line, "%\n\r\t") == NULL);
    for (const char *c = line; *c != '\0'; c++)
      assert_in_range((unsigned char)*c, 0x20, 0x7e);
  }
  assert_null(sync_trace_name((enum sync_trace_kind)0));
  assert_null(sync_trace_name(
      (enum sync_trace_kind)(KINDS + 1))); /* a new kind belongs in this test, and its fields in the lines */
}

static void lines_say_the_fields(void **state) {
  (void)state;
  char line[160];
  const uint64_t refused[] = {(uint64_t)(int64_t)SYNC_E_NO_SPACE, 3};
  sync_trace_text(SYNC_TRACE_REFUSED, refused, 2, line, sizeof line);
  assert_string_equal(line, "refused a write, or a frame of type 3: SYNC_E_NO_SPACE");
  const uint64_t timeout[] = {2, 5, UINT64_C(61005999999)};
  sync_trace_text(SYNC_TRACE_TIMEOUT, timeout, 3, line, sizeof line);
  assert_string_equal(line, "peer 2 does not answer: try 5 of it, the next at 61.005 s");
  const uint64_t apply[] = {0x1f, UINT64_C(0xabcdef0123456789), 17, 4096, 1};
  sync_trace_text(SYNC_TRACE_APPLY, apply, 5, line, sizeof line);
  assert_string_equal(
      line, "applied operation 17 of life abcdef0123456789 of node 000000000000001f, from peer 1, to 4096 of the log");
  sync_trace_text((enum sync_trace_kind)99, apply, 5, line, sizeof line);
  assert_string_equal(line, "step 99");
  sync_trace_text(SYNC_TRACE_APPLY, apply, 1, line, sizeof line); /* of another build, with fewer fields */
  assert_string_equal(
      line, "applied operation 0 of life 0000000000000000 of node 000000000000001f, from peer 0, to 0 of the log");
  char little[12] = "xxxxxxxxxxx";
  sync_trace_text(SYNC_TRACE_REFUSED, refused, 2, little, sizeof little);
  assert_string_equal(little, "refused a w");
  sync_trace_text(SYNC_TRACE_REFUSED, refused, 2, little, 0);
  assert_string_equal(little, "refused a w");
}

static void an_open_that_fails_is_an_error_and_one_that_does_not_is_none(void **state) {
  (void)state;
  const uint64_t good[] = {SYNC_OK, 1, 0, 0, 0}, bad[] = {(uint64_t)(int64_t)SYNC_E_DAMAGED, 1, 0, 0, 0};
  assert_int_equal(sync_trace_level(SYNC_TRACE_OPEN, good, 5), SYNC_LEVEL_INFO);
  assert_int_equal(sync_trace_level(SYNC_TRACE_OPEN, bad, 5), SYNC_LEVEL_ERROR);
  assert_int_equal(sync_trace_level(SYNC_TRACE_OPEN, bad, 0), SYNC_LEVEL_INFO);
  assert_int_equal(sync_trace_level(SYNC_TRACE_FAIL_STOP, bad, 1), SYNC_LEVEL_ERROR);
  assert_int_equal(sync_trace_level(SYNC_TRACE_PARKED, good, 1), SYNC_LEVEL_WARNING);
  assert_int_equal(sync_trace_level(SYNC_TRACE_SEND_OP, good, 4), SYNC_LEVEL_TRACE);
  assert_int_equal(sync_trace_level((enum sync_trace_kind)99, good, 4), SYNC_LEVEL_TRACE);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kind_has_a_name_of_its_own_a_level_and_a_line),
      cmocka_unit_test(lines_say_the_fields),
      cmocka_unit_test(an_open_that_fails_is_an_error_and_one_that_does_not_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
