/* Seeds as people write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "search/seeds.h"

static void decimal_and_hexadecimal_seeds_are_read(void **state) {
  (void)state;
  uint64_t seed = 0;
  assert_true(seeds_parse_one("0", &seed) && seed == 0);
  assert_true(seeds_parse_one("42", &seed) && seed == 42);
  assert_true(seeds_parse_one("0xff", &seed) && seed == 255);
  assert_true(seeds_parse_one("0XfF", &seed) && seed == 255);
  assert_true(seeds_parse_one("18446744073709551615", &seed) && seed == UINT64_MAX);
  assert_true(seeds_parse_one("0xffffffffffffffff", &seed) && seed == UINT64_MAX);
}

static void what_is_no_number_of_64_bits_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    " 1",
                                    "1 ",
                                    "-1",
                                    "+1",
                                    "1.5",
                                    "0x",
                                    "0xg",
                                    "12a",
                                    "x1",
                                    "1e3",
                                    "18446744073709551616",
                                    "0x10000000000000000"};
  uint64_t seed = 7;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_false(seeds_parse_one(bad[i], &seed));
  }
  assert_int_equal(seed, 7);
}

static void a_count_starts_at_one_and_a_range_where_it_says(void **state) {
  (void)state;
  uint64_t first = 0;
  uint64_t last = 0;
  const char *why;
  assert_true(seeds_parse_range("100", &first, &last, &why) && first == 1 && last == 100);
  assert_true(seeds_parse_range("5..9", &first, &last, &why) && first == 5 && last == 9);
  assert_true(seeds_parse_range("0x10..0x20", &first, &last, &why) && first == 16 && last == 32);
  assert_true(seeds_parse_range("7..7", &first, &last, &why) && first == 7 && last == 7);
}

static void a_wrong_range_says_why(void **state) {
  (void)state;
  static const char *const bad[] = {"0", "9..5", "..5", "5..", "5...9", "a..b", "1..2..3", "5-9", ""};
  uint64_t first;
  uint64_t last;
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    const char *why = NULL;
    assert_false(seeds_parse_range(bad[i], &first, &last, &why));
    assert_non_null(why);
  }
}

static void a_text_gives_always_the_same_first_seed_with_room_above(void **state) {
  (void)state;
  assert_true(seeds_from_text("abc") == seeds_from_text("abc"));
  assert_true(seeds_from_text("abc") != seeds_from_text("abd"));
  assert_true((seeds_from_text("abc") & UINT32_MAX) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(decimal_and_hexadecimal_seeds_are_read),
      cmocka_unit_test(what_is_no_number_of_64_bits_is_refused),
      cmocka_unit_test(a_count_starts_at_one_and_a_range_where_it_says),
      cmocka_unit_test(a_wrong_range_says_why),
      cmocka_unit_test(a_text_gives_always_the_same_first_seed_with_room_above),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed != 0;
}
