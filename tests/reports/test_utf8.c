#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reports/utf8.h"

static void cleans_to(const char *text, enum utf8_for purpose, const char *expected) {
  char *clean = utf8_clean(text, purpose, 1000);
  assert_non_null(clean);
  assert_string_equal(clean, expected);
  free(clean);
}

static void valid_text_stays_as_it_is(void **state) {
  (void)state;
  const char *text = "caf\xc3\xa9 \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80 \xf4\x8f\xbf\xbd";
  cleans_to(text, UTF8_FOR_JSON, text);
  cleans_to(text, UTF8_FOR_XML, text);
  cleans_to(text, UTF8_FOR_TERMINAL, text);
  cleans_to(NULL, UTF8_FOR_XML, "");
}

static void bytes_that_are_no_utf8_become_replacements(void **state) {
  (void)state;
  cleans_to("a\xff", UTF8_FOR_JSON, "a\xef\xbf\xbd");
  cleans_to("\xc3(", UTF8_FOR_JSON, "\xef\xbf\xbd(");                                                 /* cut short */
  cleans_to("\xe6\x97", UTF8_FOR_JSON, "\xef\xbf\xbd");                                               /* at the end */
  cleans_to("\xc0\xaf", UTF8_FOR_JSON, "\xef\xbf\xbd\xef\xbf\xbd");                                   /* overlong */
  cleans_to("\xe0\x80\xaf", UTF8_FOR_JSON, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");                   /* overlong */
  cleans_to("\xed\xa0\x80", UTF8_FOR_JSON, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");                   /* surrogate */
  cleans_to("\xf4\x90\x80\x80x", UTF8_FOR_JSON, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"); /* > U+10FFFF */
}

static void xml_loses_what_it_forbids(void **state) {
  (void)state;
  cleans_to("a\x01\x08\x0b\x1f"
            "b\tc\nd\re",
            UTF8_FOR_XML, "ab\tc\nd\ne");
  cleans_to("\xef\xbf\xbe\xef\xbf\xbf!", UTF8_FOR_XML, "!"); /* U+FFFE, U+FFFF */
}

static void terminals_see_no_control_character(void **state) {
  (void)state;
  cleans_to("\x1b[2J", UTF8_FOR_TERMINAL, "\xef\xbf\xbd[2J");
  cleans_to("\xc2\x9b"
            "2J",
            UTF8_FOR_TERMINAL,
            "\xef\xbf\xbd"
            "2J");                                              /* C1 */
  cleans_to("\xe2\x80\xae", UTF8_FOR_TERMINAL, "\xef\xbf\xbd"); /* right-to-left override */
  cleans_to("a\nb\tc", UTF8_FOR_TERMINAL, "a\nb c");
  cleans_to("a\nb\rc", UTF8_FOR_LINE, "a b c");
}

static void a_cut_falls_between_characters(void **state) {
  (void)state;
  char *clean = utf8_clean("ab\xe6\x97\xa5", UTF8_FOR_XML, 4);
  assert_string_equal(clean, "ab");
  free(clean);
  clean = utf8_clean("\xff\xff\xff\xff", UTF8_FOR_XML, 7);
  assert_string_equal(clean, "\xef\xbf\xbd\xef\xbf\xbd");
  free(clean);
}

static void every_text_of_three_bytes_cleans_to_utf8(void **state) {
  (void)state;
  static const unsigned char bytes[] = {0x01, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0,
                                        0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4, 0xf5, 0xff};
  const size_t count = sizeof bytes;
  for (size_t i = 0; i < count * count * count * count; i++) {
    const char text[5] = {(char)bytes[i % count], (char)bytes[i / count % count],
                          (char)bytes[i / count / count % count], (char)bytes[i / count / count / count], '\0'};
    char *clean = utf8_clean(text, UTF8_FOR_TERMINAL, 1000);
    assert_non_null(clean);
    for (const char *at = clean; *at != '\0';) {
      uint32_t character;
      bool valid;
      at += utf8_decode(at, &character, &valid);
      assert_true(valid);
      assert_false(utf8_is_control(character));
    }
    free(clean);
  }
}

static void columns_count_what_a_terminal_shows(void **state) {
  (void)state;
  assert_int_equal(utf8_columns('a'), 1);
  assert_int_equal(utf8_columns(0x0301), 0);  /* combining acute */
  assert_int_equal(utf8_columns(0x65e5), 2);  /* CJK */
  assert_int_equal(utf8_columns(0x1f600), 2); /* emoji */
  assert_int_equal(utf8_columns(0x00e9), 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(valid_text_stays_as_it_is),
      cmocka_unit_test(bytes_that_are_no_utf8_become_replacements),
      cmocka_unit_test(xml_loses_what_it_forbids),
      cmocka_unit_test(terminals_see_no_control_character),
      cmocka_unit_test(a_cut_falls_between_characters),
      cmocka_unit_test(every_text_of_three_bytes_cleans_to_utf8),
      cmocka_unit_test(columns_count_what_a_terminal_shows),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
