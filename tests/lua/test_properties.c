/* Properties: what they say when they do not hold, sequences of steps, oracles that are switched off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "cluster/config.h"
#include "cluster/oracle_names.h"
#include "tests/support/script_fixture.h"

/* Runs a scenario of one node with these properties, and a second in which `n` counts tenths: the verdict, and what
 * there is to say. */
static const char *told(struct script_fixture *fixture, const char *properties) {
  char text[2000];
  (void)snprintf(text, sizeof text,
                 "local sim = require 'sim'\nlocal n = 0\n"
                 "return sim.scenario { name = 'x', nodes = 1, duration = '1s',\n"
                 "run = function(world) while true do world:sleep '99ms' n = n + 1 end end,\nproperties = {\n%s } }",
                 properties);
  enum scenario_verdict verdict = script_run(fixture, text, 1);
  if (verdict == SCENARIO_WRONG) return fixture->result.error.text;
  return verdict == SCENARIO_VIOLATED ? fixture->result.violation.detail : "";
}

static void a_never_must_not_become_true(void **state) {
  assert_string_equal(told(*state, "sim.never('a', function() return false end)"), "");
  assert_string_equal(told(*state, "sim.never('a', function() return n == 3 end)"), "was true at 300ms");
  const struct script_fixture *fixture = *state;
  assert_string_equal(fixture->result.violation.property, "a");
}

static void a_property_says_what_it_saw(void **state) {
  assert_string_equal(told(*state, "sim.never('a', function() return n == 3, 'n is ' .. n end)"),
                      "was true at 300ms: n is 3");
  assert_string_equal(told(*state, "sim.always('a', function() return n < 3, 'n is ' .. n end)"),
                      "was false at 300ms: n is 3");
  assert_string_equal(told(*state, "sim.eventually('a', '2s', function() return false, 'n stays ' .. n end)"),
                      "did not become true within 2s after faults stopped (looked until 3s): n stays 10");
  assert_string_equal(told(*state, "sim.always('a', function() return true, 'all is well' end)"), "");
}

static void a_text_is_bounded_and_must_be_one(void **state) {
  const char *text = told(*state, "sim.always('a', function() return false, ('x'):rep(5000) end)");
  assert_true(strlen(text) > 600 && strlen(text) < 700);
  assert_string_equal(told(*state, "sim.always('a',\nfunction() return true, {} end)"),
                      "file.lua:7: the property \"a\" returned a table: return true or false, and perhaps a text");
  assert_string_equal(told(*state, "sim.never('a',\nfunction() return 1 end)"),
                      "file.lua:7: the property \"a\" returned a number: return true or false");
}

static void steps_come_true_one_after_the_other(void **state) {
  struct script_fixture *fixture = *state;
  assert_string_equal(told(fixture,
                           "sim.sometimes('first', { { 'one', function() return n == 1 end },\n"
                           "{ 'three', function() return n == 3 end } }),\n"
                           "sim.sometimes('back', { { 'three', function() return n == 3 end },\n"
                           "{ 'one', function() return n == 1 end }, { 'five', function() return true end } }),\n"
                           "sim.sometimes('plain', function() return n == 1 end),\n"
                           "sim.sometimes('none', { { 'no', function() return false end } })"),
                      "");
  assert_int_equal(fixture->result.sometimes_count, 4);
  assert_true(fixture->result.sometimes[0] && !fixture->result.sometimes[1]);
  assert_true(fixture->result.sometimes[2] && !fixture->result.sometimes[3]);
  assert_int_equal(fixture->result.reached[0], 2);
  assert_int_equal(fixture->result.reached[1], 1);
  assert_int_equal(fixture->result.reached[3], 0);
}

static void steps_have_names_in_the_description(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] =
      "local sim = require 'sim'\nlocal f = function() return true end\n"
      "return sim.scenario { name = 'x', properties = { sim.sometimes('p', f), sim.always('q', f),\n"
      "sim.sometimes('r', { { 'a', f }, { 'b', f } }) } }";
  struct scenario_file *file = scenario_file_from("x.lua", text, sizeof text - 1);
  struct scenario_info info;
  struct scenario_error error;
  assert_int_equal(scenario_describe(fixture->sim, file, &info, &error), 0);
  assert_int_equal(info.step_count, 2);
  assert_string_equal(info.steps[1].name, "b");
  assert_true(info.steps[1].sometimes == 1 && info.steps[1].place == 1);
  scenario_file_free(file);
}

static void wrong_steps_are_refused(void **state) {
  static const char *const wrong[][2] = {
      {"sim.sometimes('a', {})", "sim.sometimes has 1 to 12 steps"},
      {"sim.sometimes('a', { 'x' })", "step 1 of sim.sometimes: write { \"what is seen\", function(world) ... end }"},
      {"sim.sometimes('a', { { function() end, 'x' } })", "step 1 of sim.sometimes: write"},
      {"sim.sometimes('a', { { '', function() end } })", "the name of a step is one line of 1 to 47 bytes"},
      {"sim.sometimes('a', { { ('x'):rep(48), function() end } })", "the name of a step is one line of 1 to 47 bytes"},
      {"sim.always('a', { { 'x', function() end } })", "write sim.always("},
      {"sim.nevr('a', function() end)", "did you mean \"never\"?"},
      {"(function() local l = {} for i = 1, 13 do l[i] = { 'x', print } end return sim.sometimes('a', l) end)()",
       "print"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    const char *text = told(*state, wrong[i][0]);
    if (!strstr(text, wrong[i][1]) || strncmp(text, "file.lua:6: ", 12) != 0)
      fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i][0], text, wrong[i][1]);
  }
}

/* --- Oracles that are switched off ---------------------------------------------------- */

/* Promised before it is durable: durability speaks. */
#define EARLY                                                                                                          \
  "local sim = require 'sim'\nreturn sim.scenario { name = 'x', nodes = 3, duration = '3s',\n"                         \
  "workload = sim.kv { keys = 8, rate = '100/s', promise = 'submit' }, network = { delay = '1ms..10ms' },\n"           \
  "disk = { on_crash = 'strict', fsync = '10ms..40ms' },\n"                                                            \
  "run = function(world) for _ = 1, 5 do world:sleep '200ms' local node = world:node(2) node:put(1) node:crash()\n"    \
  "node:restart() end end,\n"

static void an_oracle_is_silent_when_it_is_switched_off(void **state) {
  struct script_fixture *fixture = *state;
  assert_int_equal(script_run(fixture, EARLY "}", 1), SCENARIO_VIOLATED);
  assert_string_equal(fixture->result.violation.property, "durability");
  enum scenario_verdict verdict =
      script_run(fixture, EARLY "without = { durability = 'promises are false here' } }", 1);
  assert_true(verdict != SCENARIO_VIOLATED || strcmp(fixture->result.violation.property, "durability") != 0);
  assert_true(fixture->result.silenced[0]);
  /* Another oracle, which has nothing to say, changes nothing. */
  assert_int_equal(script_run(fixture, EARLY "without = { ['clock safety'] = 'no reason' } }", 1), SCENARIO_VIOLATED);
  assert_string_equal(fixture->result.violation.property, "durability");
  assert_false(fixture->result.silenced[0]);
}

static void what_switches_nothing_off_is_refused(void **state) {
  static const char *const wrong[][2] = {
      {"{ durabilty = 'x' }", "there is no oracle \"durabilty\"; did you mean \"durability\"?"},
      {"{ zzzzzzzz = 'x' }", "there is no oracle \"zzzzzzzz\" (docs/promises.md has them)"},
      {"{ livelock = 'x' }", "there is no oracle \"livelock\""},
      {"{ durability = '' }", "without[\"durability\"] is the reason, one line of 1 to 159 bytes"},
      {"{ durability = true }", "without[\"durability\"] is the reason"},
      {"{ 'durability' }", "without is { [\"bounded traffic\"] ="},
      {"'durability'", "sim.scenario.without is a string: write a table { ... }"},
  };
  struct script_fixture *fixture = *state;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char text[300];
    (void)snprintf(text, sizeof text, "local sim = require 'sim'\nreturn sim.scenario { name = 'x',\nwithout = %s }",
                   wrong[i][0]);
    assert_int_equal(script_run(fixture, text, 1), SCENARIO_WRONG);
    if (!strstr(fixture->result.error.text, wrong[i][1]) ||
        strncmp(fixture->result.error.text, "file.lua:3: ", 12) != 0)
      fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i][0], fixture->result.error.text, wrong[i][1]);
  }
  assert_int_equal(script_run(fixture, EARLY "must_fail = 'durability', without = { durability = 'x' } }", 1),
                   SCENARIO_WRONG);
  assert_non_null(strstr(fixture->result.error.text, "must fail: it cannot be switched off"));
}

/* Every oracle alone is off in a world in which much goes wrong: nothing falls over what it would have ended. */
static void what_an_oracle_would_have_ended_goes_on(void **state) {
  struct script_fixture *fixture = *state;
  static const char *const worlds[] = {
      EARLY,
      "local sim = require 'sim'\nreturn sim.scenario { name = 'x', nodes = 3, duration = '5s', settle = '5s',\n"
      "workload = sim.kv { rate = '50/s' }, disk = { fsync_lie = '50%' }, engine = { max_retries = 1 },\n"
      "run = function(world) world:sleep '2s' world:power_loss() world:sleep '100ms'\n"
      "for n in world:nodes() do n:restart() end end,\n",
  };
  for (size_t w = 0; w < sizeof worlds / sizeof *worlds; w++)
    for (size_t i = 0; i < cluster_oracle_count(); i++) {
      char text[2000];
      (void)snprintf(text, sizeof text, "%swithout = { [\"%s\"] = 'a test', %s%s } }", worlds[w],
                     cluster_oracle_names[i],
                     strcmp(cluster_oracle_names[i], CLUSTER_DURABILITY) == 0 ? "" : "durability = 'a test', ",
                     strcmp(cluster_oracle_names[i], CLUSTER_CONVERGENCE) == 0 ? "" : "convergence = 'a test'");
      (void)script_run(fixture, text, 1);
    }
}

#define SCRIPT(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)
int main(void) {
  const struct CMUnitTest tests[] = {
      SCRIPT(a_never_must_not_become_true),
      SCRIPT(a_property_says_what_it_saw),
      SCRIPT(a_text_is_bounded_and_must_be_one),
      SCRIPT(steps_come_true_one_after_the_other),
      SCRIPT(steps_have_names_in_the_description),
      SCRIPT(wrong_steps_are_refused),
      SCRIPT(an_oracle_is_silent_when_it_is_switched_off),
      SCRIPT(what_switches_nothing_off_is_refused),
      SCRIPT(what_an_oracle_would_have_ended_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
