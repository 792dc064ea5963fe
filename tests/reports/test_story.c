/* Lines for terminals of any width, and a story in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lua/scenario.h"
#include "reports/story.h"
#include "reports/wrap.h"

static char *wrapped(const char *text, unsigned used, unsigned indent, unsigned columns) {
  char *bytes = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&bytes, &size);
  assert_non_null(file);
  assert_true(wrap_write(file, text, used, indent, columns));
  assert_int_equal(fclose(file), 0);
  return bytes;
}
static void gives(const char *text, unsigned used, unsigned indent, unsigned columns, const char *expected) {
  char *bytes = wrapped(text, used, indent, columns);
  assert_string_equal(bytes, expected);
  free(bytes);
}

static void words_go_on_in_the_next_line(void **state) {
  (void)state;
  gives("one two three", 0, 0, 0, "one two three\n");
  gives("one two three", 0, 0, 7, "one two\nthree\n");
  gives("one two three", 0, 0, 6, "one\ntwo\nthree\n");
  gives("one two three", 4, 4, 11, "one two\n    three\n");
  gives("one two three", 8, 2, 11, "one\n  two three\n");
  gives("", 3, 3, 10, "\n");
  gives("  a   b ", 0, 0, 10, "a b\n");
}

static void a_word_that_is_too_long_stands_alone(void **state) {
  (void)state;
  gives("a incomprehensible b", 0, 2, 8, "a\n  incomprehensible\n  b\n");
  gives("incomprehensible", 3, 3, 5, "incomprehensible\n");
  gives("a b", 0, 10, 5, "a b\n"); /* no room at all: better long than broken for each word */
}

static void wide_characters_take_two_columns(void **state) {
  (void)state;
  assert_int_equal(wrap_width("\xe6\x97\xa5\xe6\x9c\xac"), 4);
  gives("\xe6\x97\xa5\xe6\x9c\xac \xe8\xaa\x9e", 0, 0, 6, "\xe6\x97\xa5\xe6\x9c\xac\n\xe8\xaa\x9e\n");
  gives("\xe6\x97\xa5\xe6\x9c\xac \xe8\xaa\x9e", 0, 0, 7, "\xe6\x97\xa5\xe6\x9c\xac \xe8\xaa\x9e\n");
}

static void a_full_disk_is_an_error_here_too(void **state) {
  (void)state;
  FILE *full = fopen("/dev/full", "w");
  if (full == NULL) skip();
  (void)setvbuf(full, NULL, _IONBF, 0);
  assert_false(wrap_write(full, "text", 0, 0, 0));
  (void)fclose(full);
}

/* --- A story --------------------------------------------------------------------------- */

#define SCENARIO                                                                                                       \
  "local sim = require 'sim' return sim.scenario { name = 'busy', nodes = 5, duration = '3s',\n"                       \
  "workload = sim.kv { rate = '40/s' }, network = { delay = '1ms..20ms', loss = '5%' },\n"                             \
  "run = function(world) while true do world:sleep(world:between('50ms', '300ms'))\n"                                  \
  "local node, cut = world:node(world:pick(5)), world:partition_random() node:crash() world:sleep('50ms')\n"           \
  "cut:heal() node:restart() world:log('\xe6\x97\xa5\xe6\x9c\xac ' .. ('word '):rep(20)) end end }\n"

static struct sim_trace_log *record(void) {
  const struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  struct sim_trace_log *log = sim_trace_log_create();
  struct scenario_file *file = scenario_file_from("busy.lua", SCENARIO, strlen(SCENARIO));
  struct scenario_result result;
  const struct scenario_options run = {.source = {.seed = 3}, .trace = log};
  assert_non_null(sim);
  assert_non_null(log);
  scenario_run(sim, file, &run, &result);
  assert_int_equal(result.verdict, SCENARIO_HELD);
  scenario_file_free(file);
  sim_close(sim);
  return log;
}

static char *story_of(const struct sim_trace_log *log, unsigned columns) {
  char *bytes = NULL;
  size_t size = 0;
  FILE *file = open_memstream(&bytes, &size);
  assert_non_null(file);
  assert_true(story_write(file, log, columns));
  assert_int_equal(fclose(file), 0);
  return bytes;
}

/* The next word, or NULL. */
static char *next_word(char **at) {
  char *word = *at + strspn(*at, " \n");
  if (*word == '\0') return NULL;
  *at = word + strcspn(word, " \n");
  if (**at != '\0') *(*at)++ = '\0';
  return word;
}

/* A line is longer than the terminal only if it is one word. */
static void assert_lines_fit(const char *text, unsigned columns) {
  while (*text != '\0') {
    char line[2048];
    const size_t size = strcspn(text, "\n");
    assert_true(size < sizeof line);
    memcpy(line, text, size);
    line[size] = '\0';
    if (wrap_width(line) > columns && strchr(line + strspn(line, " "), ' ') != NULL)
      fail_msg("more than %u columns: %s", columns, line);
    text += size + (text[size] == '\n');
  }
}

static void a_story_fits_every_terminal_and_says_the_same(void **state) {
  struct sim_trace_log *log = record();
  (void)state;
  for (unsigned columns = 48; columns <= 140; columns += 4) {
    char *whole = story_of(log, 0), *fitted = story_of(log, columns), *a = whole, *b = fitted;
    assert_lines_fit(fitted, columns);
    for (;;) {
      const char *one = next_word(&a), *other = next_word(&b);
      assert_true((one == NULL) == (other == NULL));
      if (one == NULL) break;
      assert_string_equal(one, other);
    }
    free(whole);
    free(fitted);
  }
  sim_trace_log_destroy(log);
}

static void a_recording_of_nothing_is_no_story(void **state) {
  struct sim_trace_log *log = sim_trace_log_create();
  (void)state;
  char *bytes = story_of(log, 80);
  assert_string_equal(bytes, "");
  free(bytes);
  sim_trace_log_destroy(log);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_go_on_in_the_next_line),
      cmocka_unit_test(a_word_that_is_too_long_stands_alone),
      cmocka_unit_test(wide_characters_take_two_columns),
      cmocka_unit_test(a_full_disk_is_an_error_here_too),
      cmocka_unit_test(a_story_fits_every_terminal_and_says_the_same),
      cmocka_unit_test(a_recording_of_nothing_is_no_story),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
