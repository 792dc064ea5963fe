/* Knobs of the workload: hot keys, growing keys, bursts and silences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/script_fixture.h"

static enum scenario_verdict run(void **state, const char *workload, const char *body) {
  static char text[2048];
  (void)snprintf(text, sizeof text,
                 "local sim = require 'sim'\n"
                 "local workload = sim.kv { %s }\n"
                 "return sim.scenario { name = 'x', nodes = 2, duration = '10s', workload = workload,\n"
                 "run = function(world)\n%s\nend }\n",
                 workload, body);
  return script_run(*state, text, 1);
}
static void holds(void **state, const char *workload, const char *body) {
  struct script_fixture *fixture = *state;
  if (run(state, workload, body) != SCENARIO_HELD)
    fail_msg("%s%s", fixture->result.error.text, fixture->result.violation.detail);
}
static void says(void **state, const char *workload, const char *message) {
  assert_int_equal(run(state, workload, ""), SCENARIO_WRONG);
  assert_string_equal(((struct script_fixture *)*state)->result.error.text, message);
}

static void growing_keys_become_more_at_their_rate(void **state) {
  holds(state, "keys = 1, grow = '10/s', rate = '2000/s'",
        "world:sleep '5s'\n"
        "local count = #world:node(1):list ''\n"
        "assert(count >= 45 and count <= 52, count)");
  holds(state, "keys = 5, rate = '500/s'", "world:sleep '5s' assert(#world:node(1):list '' == 5)");
}

static void of_growing_keys_the_newest_are_written_most(void **state) {
  holds(state, "keys = 4, zipf = '3', grow = '10/s', rate = '200/s'",
        "world:sleep '4s'\n"
        "local first = world:node(1):get(0)\n"
        "world:sleep '4s'\n"
        "assert(first == world:node(1):get(0) and world:node(1):get(70) ~= nil)");
}

static void a_workload_is_silent_between_its_bursts(void **state) {
  holds(state, "rate = '200/s', busy = '300ms', quiet = '1s'",
        "local before, still, moved = 0, 0, 0\n"
        "for _ = 1, 90 do\n"
        "  world:sleep '100ms'\n"
        "  local now = world:stats().submits\n"
        "  if now == before then still = still + 1 else moved = moved + 1 end\n"
        "  before = now\n"
        "end\n"
        "assert(still > 55 and still < 75 and moved > 15, still)");
}

static void what_does_not_go_together_is_told(void **state) {
  static const char exponent[] =
      "file.lua:2: sim.kv.zipf is an exponent from \"0.01\" to \"4\", with two digits behind "
      "the point at most; \"0.99\" is usual";
  says(state, "zipf = 'much'", exponent);
  says(state, "zipf = '0'", exponent);
  says(state, "zipf = '4.01'", exponent);
  says(state, "zipf = '0.999'", exponent);
  says(state, "zipf = '1', hot = '10%'", "file.lua:2: sim.kv takes one of hot and zipf");
  says(state, "zipf = '1', keys = 100000", "file.lua:2: sim.kv.zipf goes with at most 65536 keys");
  says(state, "busy = '1s'", "file.lua:2: sim.kv takes busy and quiet together, or neither");
  says(state, "busy = '0s', quiet = '1s'",
       "file.lua:2: sim.kv.busy is outside its range: 1000000 to 31536000000000000 ns");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(growing_keys_become_more_at_their_rate),
      TEST(of_growing_keys_the_newest_are_written_most),
      TEST(a_workload_is_silent_between_its_bursts),
      TEST(what_does_not_go_together_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
