/* Chrome's trace events, read back by a JSON library.
 * host only: jansson is not there for other processors */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/trace_fixture.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

static void chrome_events_are_valid_and_every_arrow_that_ends_began(void **state) {
  (void)state;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_trace_log *log = sim_trace_log_create();
  (void)trace_fixture_run(sim, 1, log, NULL);
  FILE *file = tmpfile();
  assert_true(sim_trace_log_write_chrome(log, NULL, file));
  rewind(file);
  json_error_t error;
  json_t *root = json_loadf(file, 0, &error);
  (void)fclose(file);
  if (root == NULL) fail_msg("%s", error.text);
  json_t *events = json_object_get(root, "traceEvents");
  bool began[256] = {false};
  size_t index, starts = 0, ends = 0, tracks = 0, depth[4] = {0};
  json_t *event;
  json_array_foreach(events, index, event) {
    const char *phase = json_string_value(json_object_get(event, "ph"));
    json_int_t id = json_integer_value(json_object_get(event, "id"));
    json_int_t track = json_integer_value(json_object_get(event, "tid"));
    assert_non_null(phase);
    assert_true(json_is_number(json_object_get(event, "ts")) && json_is_string(json_object_get(event, "name")));
    assert_true(track >= 0 && track <= 3 && id < 256);
    if (*phase == 's') began[id] = true, starts++;
    if (*phase == 'f') assert_true(began[id]), ends++;
    if (*phase == 'B') depth[track]++;
    if (*phase == 'E') assert_true(depth[track]-- > 0);
    if (*phase == 'M' && strcmp(json_string_value(json_object_get(event, "name")), "thread_name") == 0) tracks++;
  }
  assert_int_equal(starts, 50);
  assert_int_equal(ends, 50);
  assert_int_equal(tracks, 4);
  assert_true(depth[1] + depth[2] + depth[3] == 0);
  json_decref(root);
  sim_trace_log_destroy(log);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(chrome_events_are_valid_and_every_arrow_that_ends_began),
  };
  return cmocka_run_group_tests_name("trace_chrome", tests, NULL, NULL) != 0;
}
