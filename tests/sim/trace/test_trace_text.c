#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/trace_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES (1u << 20)

struct fixture {
  struct sim *sim;
  struct sim_trace_log *log;
  char *text;
};

static int set_up(void **state) {
  struct fixture *fixture = calloc(1, sizeof *fixture);
  fixture->sim = toy_sim_open(0, SIM_FILL_NONE);
  fixture->log = sim_trace_log_create();
  fixture->text = calloc(1, TEXT_BYTES);
  (void)trace_fixture_run(fixture->sim, 1, fixture->log, NULL);
  *state = fixture;
  return 0;
}

static int tear_down(void **state) {
  struct fixture *fixture = *state;
  sim_trace_log_destroy(fixture->log);
  sim_close(fixture->sim);
  free(fixture->text);
  free(fixture);
  return 0;
}

static const char *slurp(struct fixture *fixture, FILE *file) {
  rewind(file);
  size_t size = fread(fixture->text, 1, TEXT_BYTES - 1, file);
  fixture->text[size] = '\0';
  (void)fclose(file);
  return fixture->text;
}

static const char *text_of(struct fixture *fixture, const struct sim_trace_filter *filter) {
  FILE *file = tmpfile();
  assert_true(sim_trace_log_write_text(fixture->log, filter, file));
  return slurp(fixture, file);
}

static void assert_says(const char *text, const char *sentence) {
  if (strstr(text, sentence) == NULL) fail_msg("it does not say: %s", sentence);
}

static void lines_are_sentences_with_names(void **state) {
  const char *text = text_of(*state, NULL);
  assert_says(text, "  n1 -> n2 message 40 bytes (");
  assert_says(text, "), arrives 0.007000000 s\n");
  assert_says(text, "  n2 <- n1 message 40 bytes (");
  assert_says(text, "  n3 opens a-file, create\n");
  assert_says(text, "  n3 writes 5 of 5 bytes at 0 of a-file (");
  assert_says(text, "  n3 asks for fsync of a-file (token 77), due ");
  assert_says(text, "  n3 fsync of a-file ended (token 77)\n");
  assert_says(text, "  n3 opens absent: SYNC_E_NOT_FOUND\n");
  assert_says(text, "  n3 submitted n3/1a2b3c4d/17 (log 4711)\n");
  assert_says(text, "  n3 goes down: power is lost\n");
  assert_says(text, " bytes of a-file\n");
  assert_null(strstr(text, "184467440737"));
}

static size_t lines_in(const char *text) {
  size_t lines = 0;
  for (; (text = strchr(text, '\n')) != NULL; text++)
    lines++;
  return lines;
}

static void a_filter_leaves_what_was_asked_for(void **state) {
  struct fixture *fixture = *state;
  size_t all = lines_in(text_of(fixture, NULL));
  const char *text = text_of(fixture, &(struct sim_trace_filter){.subsystems = 1u << SIM_SUB_DISK});
  assert_says(text, "n3 writes 5 of 5 bytes at 0 of a-file");
  assert_null(strstr(text, "message"));
  text = text_of(fixture, &(struct sim_trace_filter){.node = 2});
  assert_says(text, "n1 -> n2 message");
  assert_null(strstr(text, "n3 "));
  text = text_of(fixture, &(struct sim_trace_filter){.from_ns = 10 * SIM_MS, .to_ns = 12 * SIM_MS});
  assert_null(strstr(text, "0.009"));
  assert_null(strstr(text, "0.013000000 s  #"));
  assert_says(text, "  0.012000000 s  #");
  assert_true(lines_in(text) > 3 && lines_in(text) < all / 5);
}

static void why_tells_the_chain_to_the_start(void **state) {
  struct fixture *fixture = *state;
  uint64_t event = 0, cause = 0;
  for (size_t i = 0; i < sim_trace_log_count(fixture->log); i++) {
    const struct sim_trace_record *record = sim_trace_log_at(fixture->log, i);
    if (record->step != SIM_STEP_EVENT || record->node != 2) continue;
    event = record->event;
    cause = record->cause;
  }
  FILE *file = tmpfile();
  assert_int_equal(sim_trace_log_why(fixture->log, event, file), SIM_WHY_TOLD);
  const char *text = slurp(fixture, file);
  char line[64];
  (void)snprintf(line, sizeof line, "event #%llu has 2 causes before it\n", (unsigned long long)event);
  assert_says(text, line);
  (void)snprintf(line, sizeof line, "(event caused by #%llu)\n", (unsigned long long)cause);
  assert_says(text, line);
  assert_says(text, "world driver 0 wakes");
  assert_says(text, "n1 starts");
  file = tmpfile();
  assert_int_equal(sim_trace_log_why(fixture->log, 999999, file), SIM_WHY_NO_EVENT);
  (void)fclose(file);
}

static void the_tail_is_the_last_lines_without_clocks(void **state) {
  struct fixture *fixture = *state;
  size_t length = sim_trace_log_tail(fixture->log, 10, fixture->text, TEXT_BYTES);
  assert_int_equal(length, strlen(fixture->text));
  assert_int_equal(lines_in(fixture->text), 10);
  assert_says(text_of(fixture, NULL), "reads its monotonic clock");
  (void)sim_trace_log_tail(fixture->log, SIZE_MAX, fixture->text, TEXT_BYTES);
  assert_says(fixture->text, "n1 starts");
  assert_null(strstr(fixture->text, "reads its monotonic clock"));
  char little[50];
  assert_true(sim_trace_log_tail(fixture->log, 10, little, sizeof little) < sizeof little);
}

static void write_errors_of_every_form_are_told(void **state) {
  struct fixture *fixture = *state;
  FILE *full = fopen("/dev/full", "w");
  assert_non_null(full);
  assert_false(sim_trace_log_write_chrome(fixture->log, NULL, full));
  assert_false(sim_trace_log_write_text(fixture->log, NULL, full));
  assert_false(sim_trace_log_write(fixture->log, full));
  (void)fclose(full);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_sentences_with_names),
      cmocka_unit_test(a_filter_leaves_what_was_asked_for),
      cmocka_unit_test(why_tells_the_chain_to_the_start),
      cmocka_unit_test(the_tail_is_the_last_lines_without_clocks),
      cmocka_unit_test(write_errors_of_every_form_are_told),
  };
  return cmocka_run_group_tests_name("trace_text", tests, set_up, tear_down) != 0;
}
