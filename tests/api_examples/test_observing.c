/* Examples of observing an engine. */
#include "tests/api_examples/example.h"

static char logged[160];
static size_t told;

static void write_log(const char *line) {
  (void)snprintf(logged, sizeof logged, "%s", line);
}
static void add_to_counter(const char *name) {
  assert_string_equal(name, "refused");
  told++;
}

/* example: sync_trace_level sync_trace_text sync_trace_name */
/* What an environment may do in its `trace`. */
static void observe(enum sync_trace_kind kind, const uint64_t *fields, size_t count) {
  const char *name = sync_trace_name(kind);
  if (name != NULL) add_to_counter(name);
  if (sync_trace_level(kind, fields, count) > SYNC_LEVEL_INFO) return;
  char line[160];
  sync_trace_text(kind, fields, count, line, sizeof line);
  write_log(line);
}
/* end */

static void a_step_is_counted_and_logged(void **state) {
  (void)state;
  const uint64_t fields[] = {(uint64_t)(int64_t)SYNC_E_NO_SPACE, 0};
  observe(SYNC_TRACE_REFUSED, fields, 2);
  assert_int_equal(told, 1);
  assert_non_null(strstr(logged, "SYNC_E_NO_SPACE"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_step_is_counted_and_logged),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
