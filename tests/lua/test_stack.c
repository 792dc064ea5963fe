/* What is said of where a script was: its stack when it fails, where its tasks wait when a run ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/script_fixture.h"

#define HEAD "local sim = require 'sim'\n"

static void is(void **state, const char *text, const char *wanted) {
  struct script_fixture *fixture = *state;
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text, wanted);
}

static void an_error_says_who_called_whom(void **state) {
  is(state,
     HEAD "local function inner(n)\n  error('no luck')\nend\nlocal t = {}\nfunction t.outer(world)\n  inner(1)\nend\n"
          "return sim.scenario { name = 'x', run = function(world)\n  world:sleep '1s'\n  t.outer(world)\nend }",
     "file.lua:3: no luck; in inner, called at file.lua:7 in outer, called at file.lua:11");
}

static void an_error_of_a_call_too(void **state) {
  is(state,
     HEAD "local function cut(world, n)\n  world:isolate(n)\nend\n"
          "return sim.scenario { name = 'x', nodes = 2, run = function(world)\n  cut(world, 7)\nend }",
     "file.lua:3: there is no node 7: the scenario has nodes 1 to 2; in cut, called at file.lua:6");
}

static void an_error_at_the_top_of_the_file_too(void **state) {
  is(state,
     HEAD
     "local function options()\n  return { keyz = 3 }\nend\nlocal function load()\n  return sim.kv(options())\nend\n"
     "local kv = load()",
     "file.lua:6: sim.kv has no option \"keyz\"; did you mean \"keys\"?; in load, called at file.lua:8");
}

static void an_error_in_a_property_too(void **state) {
  is(state,
     HEAD "local function look(world)\n  return world:workloadd(1):up()\nend\nreturn sim.scenario { name = 'x', "
          "properties = {\n"
          "sim.always('a', function(world)\n  local up = look(world)\n  return up\nend) } }",
     "file.lua:3: world has no method \"workloadd\"; did you mean \"workload\"?; in look, called at file.lua:7");
}

static void one_line_alone_has_no_stack(void **state) {
  is(state, HEAD "return sim.scenario { name = 'x', run = function(world)\n  error('no luck')\nend }",
     "file.lua:3: no luck");
}

static void a_deep_stack_is_cut(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] =
      HEAD "local function down(n)\n  if n == 0 then error('deep') end\n  down(n - 1)\n  n = 0\nend\n"
           "return sim.scenario { name = 'x', run = function(world)\n  down(100)\nend }";
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_WRONG);
  assert_non_null(
      strstr(fixture->result.error.text, "file.lua:3: deep; in down, called at file.lua:4 in down, called"));
  assert_non_null(strstr(fixture->result.error.text, ", and 94 more"));
}

static void an_endless_loop_says_who_called_it(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = HEAD "local function spin()\n  while true do end\nend\n"
                                  "return sim.scenario { name = 'x', run = function(world)\n  spin()\nend }";
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_WRONG);
  assert_non_null(strstr(fixture->result.error.text, "; in spin, called at file.lua:6"));
}

/* --- Waiting ------------------------------------------------------------------------- */

static const char *waits(void **state, const char *body) {
  struct script_fixture *fixture = *state;
  char text[1000];
  (void)snprintf(text, sizeof text,
                 HEAD
                 "local function nap(world, time) world:sleep(time) end\nreturn sim.scenario { name = 'x', nodes = 1,\n"
                 "duration = '9s', properties = { sim.always('a', function(w) return w:now() < 2000000000 end) },\n"
                 "run = function(world)\n%s\nend }",
                 body);
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_VIOLATED);
  return fixture->result.waits;
}

static void a_task_that_sleeps_is_told(void **state) {
  assert_string_equal(waits(state, "world:sleep '1s' world:sleep '4s'"),
                      "task 1 sleeps at file.lua:6 since 1s, until 5s");
  assert_string_equal(waits(state, "nap(world, '4s') nap(world, '1s')"),
                      "task 1 sleeps at file.lua:2 in nap since 0ns, until 4s");
}

static void a_task_that_waits_for_a_condition_is_told(void **state) {
  assert_string_equal(waits(state, "world:sleep '500ms'\nworld:wait_until(function() return false end, '3s')"),
                      "task 1 waits for a condition at file.lua:7 since 500ms, until 3.5s at the latest");
}

static void what_has_ended_is_not_told(void **state) {
  assert_string_equal(waits(state, "world:sleep '1s'"), "");
}

static void many_tasks_are_counted(void **state) {
  const char *text = waits(state, "for i = 1, 9 do world:spawn(nap, '5s') end");
  assert_non_null(strstr(text, "task 2 sleeps at file.lua:2"));
  assert_non_null(strstr(text, "; and 6 more"));
}

/* --- Words that name nothing ----------------------------------------------------------------- */

static void a_canary_must_name_what_can_fail(void **state) {
  is(state, HEAD "return sim.scenario { name = 'x',\nmust_fail = 'durabilty' }",
     "file.lua:3: must_fail: there is no oracle or property \"durabilty\"; did you mean \"durability\"?");
  is(state, HEAD "return sim.scenario { name = 'x',\nmust_fail = 'zzzzzzzzz' }",
     "file.lua:3: must_fail: there is no oracle or property \"zzzzzzzzz\" (docs/promises.md has the oracles)");
  struct script_fixture *fixture = *state;
  static const char *const right[] = {"mine", "x", "convergence", "livelock", "assertion"};
  for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
    char text[300];
    (void)snprintf(text, sizeof text,
                   HEAD "return sim.scenario { name = 'x', duration = '1s', must_fail = '%s',\n"
                        "properties = { sim.never('mine', function() return false end) } }",
                   right[i]);
    assert_int_equal(script_run(fixture, text, 1), SCENARIO_HELD);
  }
}

#define SCRIPT(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)
int main(void) {
  const struct CMUnitTest tests[] = {
      SCRIPT(an_error_says_who_called_whom),
      SCRIPT(an_error_of_a_call_too),
      SCRIPT(an_error_at_the_top_of_the_file_too),
      SCRIPT(an_error_in_a_property_too),
      SCRIPT(one_line_alone_has_no_stack),
      SCRIPT(a_deep_stack_is_cut),
      SCRIPT(an_endless_loop_says_who_called_it),
      SCRIPT(a_task_that_sleeps_is_told),
      SCRIPT(a_task_that_waits_for_a_condition_is_told),
      SCRIPT(what_has_ended_is_not_told),
      SCRIPT(many_tasks_are_counted),
      SCRIPT(a_canary_must_name_what_can_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
