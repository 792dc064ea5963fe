/* Quantities with units. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lua/text/nearest.h"
#include "lua/text/source.h"
#include "lua/text/units.h"

static uint64_t duration(const char *text) {
  struct units_error error;
  uint64_t ns = 0;
  assert_true(units_duration(text, strlen(text), &ns, &error));
  return ns;
}

static void duration_fails(const char *text, const char *message) {
  struct units_error error;
  uint64_t ns;
  assert_false(units_duration(text, strlen(text), &ns, &error));
  assert_string_equal(error.text, message);
}

static void durations_are_read_to_the_nanosecond(void **state) {
  (void)state;
  assert_int_equal(duration("60s"), UINT64_C(60000000000));
  assert_int_equal(duration("5ms"), 5000000);
  assert_int_equal(duration("1us"), 1000);
  assert_int_equal(duration("7ns"), 7);
  assert_int_equal(duration("2min"), UINT64_C(120000000000));
  assert_int_equal(duration("1h"), UINT64_C(3600000000000));
  assert_int_equal(duration("0s"), 0);
}

static void decimals_are_exact(void **state) {
  (void)state;
  assert_int_equal(duration("2.5s"), UINT64_C(2500000000));
  assert_int_equal(duration("0.000000001s"), 1);
  assert_int_equal(duration("1.000000000000s"), 1000000000);
  assert_int_equal(duration("0.1min"), UINT64_C(6000000000));
  assert_int_equal(duration("12345.678901234s"), UINT64_C(12345678901234));
}

static void a_wrong_unit_is_told_with_the_right_ones(void **state) {
  (void)state;
  duration_fails("60", "\"60\" has no unit: write a duration like \"60s\" (units: ns, us, ms, s, min, h)");
  duration_fails(
      "60sec", "\"60sec\" has the unknown unit \"sec\": write a duration like \"60s\" (units: ns, us, ms, s, min, h)");
  duration_fails("soon",
                 "\"soon\" does not begin with a number: write a duration like \"60s\" (units: ns, us, ms, s, min, h)");
  duration_fails("0.5ns", "\"0.5ns\" is finer than 1ns: write a duration like \"60s\" (units: ns, us, ms, s, min, h)");
  duration_fails("-5s",
                 "\"-5s\" does not begin with a number: write a duration like \"60s\" (units: ns, us, ms, s, min, h)");
  duration_fails("5 s",
                 "\"5 s\" has the unknown unit \" s\": write a duration like \"60s\" (units: ns, us, ms, s, min, h)");
}

static void a_number_that_does_not_fit_is_refused(void **state) {
  (void)state;
  struct units_error error;
  uint64_t value;
  assert_false(units_duration("99999999999h", 12, &value, &error));
  assert_false(units_duration("99999999999999999999999999s", 27, &value, &error));
  assert_false(units_size("9999999999999GiB", 16, &value, &error));
}

static void ranges_have_two_ends_or_one(void **state) {
  (void)state;
  struct units_error error;
  uint64_t lo, hi;
  assert_true(units_duration_range("5ms..50ms", 9, &lo, &hi, &error));
  assert_true(lo == 5000000 && hi == 50000000);
  assert_true(units_duration_range("0.5ms..1.5ms", 12, &lo, &hi, &error));
  assert_true(lo == 500000 && hi == 1500000);
  assert_true(units_duration_range("5ms", 3, &lo, &hi, &error));
  assert_true(lo == 5000000 && hi == 5000000);
  assert_false(units_duration_range("50ms..5ms", 9, &lo, &hi, &error));
  assert_non_null(strstr(error.text, "begins above its end"));
  assert_false(units_duration_range("5..50ms", 7, &lo, &hi, &error));
  assert_non_null(strstr(error.text, "\"5\" has no unit"));
  assert_true(units_size_range("16B..64B", 8, &lo, &hi, &error));
  assert_true(lo == 16 && hi == 64);
}

static void shares_sizes_and_rates(void **state) {
  (void)state;
  struct units_error error;
  uint64_t value;
  assert_true(units_share("1%", 2, &value, &error) && value == 10000);
  assert_true(units_share("0.5%", 4, &value, &error) && value == 5000);
  assert_true(units_share("0.0001%", 7, &value, &error) && value == 1);
  assert_true(units_share("200ppm", 6, &value, &error) && value == 200);
  assert_true(units_share("100%", 4, &value, &error) && value == 1000000);
  assert_false(units_share("101%", 4, &value, &error));
  assert_false(units_share("0.00001%", 8, &value, &error));
  assert_true(units_size("64KiB", 5, &value, &error) && value == 65536);
  assert_true(units_size("1.5MiB", 6, &value, &error) && value == 1572864);
  assert_false(units_size("64KB", 4, &value, &error));
  assert_true(units_rate("50/s", 4, &value, &error) && value == 20000000);
  assert_true(units_rate("0.5/s", 5, &value, &error) && value == 2000000000);
  assert_true(units_rate("6/min", 5, &value, &error) && value == UINT64_C(10000000000));
  assert_false(units_rate("0/s", 3, &value, &error));
  assert_false(units_rate("50", 2, &value, &error));
}

static void clocks_may_run_and_step_back(void **state) {
  (void)state;
  struct units_error error;
  int64_t value;
  assert_true(units_signed_share("-200ppm", 7, &value, &error) && value == -200);
  assert_true(units_signed_duration("-1.5s", 5, &value, &error) && value == -1500000000);
  assert_true(units_signed_duration("3s", 2, &value, &error) && value == INT64_C(3000000000));
  assert_false(units_signed_duration("--3s", 4, &value, &error));
}

static void a_duration_is_written_as_it_is_read(void **state) {
  (void)state;
  static const uint64_t values[] = {0, 1, 999, 1000, 1001, 50000000, 1000000001, UINT64_C(12345678901234)};
  for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
    char text[32];
    units_format_duration(values[i], text, sizeof text);
    assert_int_equal(duration(text), values[i]);
  }
  char text[32];
  units_format_duration(UINT64_C(1500000000), text, sizeof text);
  assert_string_equal(text, "1.5s");
}

static void any_bytes_are_a_quantity_or_an_error(void **state) {
  (void)state;
  uint32_t x = 1;
  for (int round = 0; round < 200000; round++) {
    static const char letters[] = "0123456789..smunhiBKGM%/p-\0x";
    char text[12];
    size_t size = (size_t)round % sizeof text;
    for (size_t i = 0; i < size; i++) {
      x = x * 1664525u + 1013904223u;
      text[i] = letters[(x >> 16) % (sizeof letters - 1)];
    }
    struct units_error error;
    uint64_t lo, hi, mean;
    int64_t sign;
    (void)units_duration_range(text, size, &lo, &hi, &error);
    (void)units_delay(text, size, &lo, &hi, &mean, &error);
    (void)units_bandwidth(text, size, &lo, &error);
    (void)units_size_range(text, size, &lo, &hi, &error);
    (void)units_share(text, size, &lo, &error);
    (void)units_rate(text, size, &lo, &error);
    (void)units_signed_duration(text, size, &sign, &error);
  }
}

static void the_nearest_word_is_the_one_meant(void **state) {
  (void)state;
  static const char *const words[] = {"delay", "loss", "duplicate", "reorder", "corrupt"};
  assert_string_equal(nearest_word("los", words, 5), "loss");
  assert_string_equal(nearest_word("losss", words, 5), "loss");
  assert_string_equal(nearest_word("dealy", words, 5), "delay");
  assert_string_equal(nearest_word("dup", words, 5), "duplicate");
  assert_string_equal(nearest_word("recorder", words, 5), "reorder");
  assert_null(nearest_word("bandwidth", words, 5));
  assert_int_equal(nearest_distance("ab", "ba"), 1);
  assert_int_equal(nearest_distance("", "abc"), 3);
}

static const char *float_message(const char *text, int *line) {
  static char message[300];
  return source_has_no_floats(text, strlen(text), line, message, sizeof message) ? NULL : message;
}

static void floats_are_found_in_the_text(void **state) {
  (void)state;
  int line = 0;
  assert_non_null(float_message("local a = 1\nlocal b = 0.5", &line));
  assert_int_equal(line, 2);
  assert_non_null(float_message("x = 1e3", &line));
  assert_non_null(float_message("x = .5", &line));
  assert_non_null(float_message("x = 0x1p4", &line));
  assert_non_null(float_message("x = 7 / 2", &line));
  assert_non_null(float_message("x = 2 ^ 3", &line));
  assert_non_null(float_message("x = 9223372036854775808", &line));
  assert_null(float_message("x = 9223372036854775807 x = 0xffffffffffffffff x = 7 // 2", &line));
  assert_null(float_message("-- 0.5 / 2\nx = '0.5' y = \"2.5s / \\\" 3\" --[[ 1.5\n / ]] z = [==[ 0.5 ]] ]==]", &line));
  assert_null(float_message("x = a .. b x = t[1] ~= 2 x = 0x1e", &line));
  assert_non_null(float_message("--[==[ ]] ]==]\n\n x = 1.5", &line));
  assert_int_equal(line, 3);
}

static void the_line_of_an_option_is_found(void **state) {
  (void)state;
  static const char text[] = "local loss = 1\nreturn sim.scenario {\n  -- loss = 2\n  disk = { fsync = 1 },\n"
                             "  network = {\n    loss = 5,\n  },\n}\n";
  assert_int_equal(source_line_of(text, sizeof text - 1, 2, "network.loss"), 6);
  assert_int_equal(source_line_of(text, sizeof text - 1, 2, "disk.fsync"), 4);
  assert_int_equal(source_line_of(text, sizeof text - 1, 2, "network.delay"), 0);
  assert_int_equal(source_line_of(text, sizeof text - 1, 1, "loss"), 1);
}

static void delays_have_a_range_or_a_mean_and_bandwidths_a_second(void **unused) {
  (void)unused;
  struct units_error error;
  uint64_t lo, hi, mean;
  assert_true(units_delay("5ms mean 20ms", 13, &lo, &hi, &mean, &error));
  assert_true(lo == 5000000 && hi == 5000000 && mean == 20000000);
  assert_true(units_delay("5ms..50ms", 9, &lo, &hi, &mean, &error));
  assert_true(lo == 5000000 && hi == 50000000 && mean == 0);
  assert_false(units_delay("5ms mean 5ms", 12, &lo, &hi, &mean, &error));
  assert_false(units_delay("5ms mean", 8, &lo, &hi, &mean, &error));
  assert_false(units_delay(" mean 5ms", 9, &lo, &hi, &mean, &error));
  assert_true(units_bandwidth("64KiB/s", 7, &lo, &error));
  assert_int_equal(lo, 65536);
  assert_false(units_bandwidth("64KiB", 5, &lo, &error));
  assert_false(units_bandwidth("/s", 2, &lo, &error));
  assert_false(units_bandwidth("s", 1, &lo, &error));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(durations_are_read_to_the_nanosecond),
      cmocka_unit_test(decimals_are_exact),
      cmocka_unit_test(a_wrong_unit_is_told_with_the_right_ones),
      cmocka_unit_test(a_number_that_does_not_fit_is_refused),
      cmocka_unit_test(ranges_have_two_ends_or_one),
      cmocka_unit_test(shares_sizes_and_rates),
      cmocka_unit_test(clocks_may_run_and_step_back),
      cmocka_unit_test(delays_have_a_range_or_a_mean_and_bandwidths_a_second),
      cmocka_unit_test(a_duration_is_written_as_it_is_read),
      cmocka_unit_test(any_bytes_are_a_quantity_or_an_error),
      cmocka_unit_test(the_nearest_word_is_the_one_meant),
      cmocka_unit_test(floats_are_found_in_the_text),
      cmocka_unit_test(the_line_of_an_option_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
