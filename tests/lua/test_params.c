/* Parameters and variants: what a file asks for, what is set, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "lua/text/params.h"
#include "tests/support/script_fixture.h"

#define HEAD "local sim = require 'sim'\n"
#define REST "name = 'x', duration = '1s', "

static struct scenario_info info;
static struct scenario_error error;

/* Describes `text` with "name=value" set, and a variant (NULL: none). Gives the error, "" when there is none. */
static const char *describe(struct script_fixture *fixture, const char *text, const char *set, const char *variant) {
  struct scenario_file *file = scenario_file_from("x.lua", text, strlen(text));
  struct params params = {0};
  assert_true(!set || params_set_text(&params, set));
  assert_true(scenario_file_set_params(file, &params) && scenario_file_set_variant(file, variant));
  memset(&error, 0, sizeof error);
  (void)scenario_describe(fixture->sim, file, &info, &error);
  scenario_file_free(file);
  return error.text;
}

static void is(void **state, const char *text, const char *set, const char *wanted) {
  assert_string_equal(describe(*state, text, set, NULL), wanted);
}

static const char with_params[] = HEAD "local nodes = sim.param('nodes', 3, 'how many')\n"
                                       "local loss, on = sim.param('loss', '1%'), sim.param('on', false)\n"
                                       "return sim.scenario { " REST "nodes = nodes, network = { loss = loss },\n"
                                       "shuffle = on }";

static void a_parameter_has_its_standard(void **state) {
  is(state, with_params, NULL, "");
  assert_int_equal(info.nodes, 3);
  assert_int_equal(info.param_count, 3);
  assert_string_equal(info.params[0].name, "nodes");
  assert_string_equal(info.params[0].about, "how many");
  assert_string_equal(info.params[1].value, "1%");
  assert_int_equal(info.params[1].kind, SCENARIO_PARAM_SHARE);
  assert_string_equal(info.params[2].value, "false");
}

static void what_is_set_is_in_its_place(void **state) {
  is(state, with_params, "nodes=5", "");
  assert_int_equal(info.nodes, 5);
  assert_string_equal(info.params[0].value, "5");
  assert_string_equal(info.params[0].standard, "3");
  is(state, with_params, "loss=200ppm", "");
  is(state, with_params, "on=true", "");
}

static void a_value_of_another_kind_is_refused(void **state) {
  is(state, with_params, "nodes=five",
     "x.lua:2: the parameter \"nodes\" is set to \"five\": it is a whole number (3 in "
     "the file)");
  is(state, with_params, "nodes=5x",
     "x.lua:2: the parameter \"nodes\" is set to \"5x\": it is a whole number (3 in the file)");
  is(state, with_params,
     "nodes=", "x.lua:2: the parameter \"nodes\" is set to \"\": it is a whole number (3 in the file)");
  is(state, with_params, "loss=5s",
     "x.lua:3: the parameter \"loss\" is set to \"5s\": it is a share such as 1% or 200ppm "
     "(1% in the file)");
  is(state, with_params, "on=1",
     "x.lua:3: the parameter \"on\" is set to \"1\": it is true or false (false in the file)");
  is(state, with_params, "nodes=100", "x.lua:4: sim.scenario.nodes is outside its range: 1 to 64");
}

static void an_unknown_one_is_refused_with_the_nearest(void **state) {
  is(state, with_params, "nodez=5",
     "x.lua:1: the scenario has no parameter \"nodez\", which is set to \"5\"; did you mean \"nodes\"?");
  is(state, with_params, "zzz=5",
     "x.lua:1: the scenario has no parameter \"zzz\", which is set to \"5\"; it has: nodes, loss, on");
  is(state, HEAD "return sim.scenario { " REST "}", "n=5",
     "x.lua:1: the scenario has no parameter \"n\", which is set to \"5\"; it has none (sim.param makes one)");
}

static void a_wrong_call_says_what_to_write(void **state) {
  static const char *const calls[][2] = {
      {"sim.param()", "write sim.param("},
      {"sim.param('n')", "write sim.param("},
      {"sim.param('n', {})", "write sim.param("},
      {"sim.param('n', 1, 2, 3)", "write sim.param("},
      {"sim.param('a b', 1)", "sim.param: \"a b\" is no name"},
      {"sim.param('1n', 1)", "sim.param: \"1n\" is no name"},
      {"sim.param('n', ('x'):rep(64))", "write sim.param("},
      {"sim.param('n', 1) sim.param('n', 2)", "the parameter \"n\" is 2 here and 1 before"},
      {"for i = 1, 17 do sim.param('n' .. i, 1) end", "a scenario has at most 16 parameters"},
  };
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    char text[300];
    (void)snprintf(text, sizeof text, HEAD "%s\nreturn sim.scenario { " REST "}", calls[i][0]);
    const char *told = describe(*state, text, NULL, NULL);
    if (!strstr(told, calls[i][1]) || strncmp(told, "x.lua:2: ", 9) != 0)
      fail_msg("%s: \"%s\" does not say \"%s\"", calls[i][0], told, calls[i][1]);
  }
  assert_non_null(strstr(script_body(*state, "sim.param('n', 1)"), "sim.param is called at the top of the file"));
}

static const char with_variants[] =
    HEAD "local nodes, text = sim.param('nodes', 3), sim.param('text', 'a')\n"
         "return sim.scenario { " REST "nodes = nodes, story = text, variants = {\n"
         "  two = { nodes = 2 }, ['a pair of them'] = { nodes = 2, text = 'b' }, plain = {} } }";

static void variants_have_an_order_and_names(void **state) {
  is(state, with_variants, NULL, "");
  assert_int_equal(info.variant_count, 3);
  assert_string_equal(info.variants[0], "a pair of them");
  assert_string_equal(info.variants[1], "plain");
  assert_string_equal(info.variants[2], "two");
  assert_string_equal(info.variant, "");
  assert_string_equal(info.name, "x");
  assert_int_equal(info.nodes, 3);
}

static void a_variant_sets_its_parameters_and_the_command_line_wins(void **state) {
  assert_string_equal(describe(*state, with_variants, NULL, "a pair of them"), "");
  assert_string_equal(info.name, "x (a pair of them)");
  assert_string_equal(info.variant, "a pair of them");
  assert_int_equal(info.nodes, 2);
  assert_string_equal(info.story, "b");
  assert_string_equal(describe(*state, with_variants, "nodes=7", "a pair of them"), "");
  assert_int_equal(info.nodes, 7);
  assert_string_equal(info.story, "b");
  assert_string_equal(describe(*state, with_variants, NULL, "plane"),
                      "x.lua:1: the scenario has no variant \"plane\"; did you mean \"plain\"?");
  assert_string_equal(
      describe(*state, with_variants, NULL, "seventeen"),
      "x.lua:1: the scenario has no variant \"seventeen\": it has \"a pair of them\", \"plain\", \"two\"");
}

static void a_wrong_variant_is_refused(void **state) {
  static const char *const wrong[][2] = {
      {"{ a = { nodez = 2 } }", "variants[\"a\"]: the scenario has no parameter \"nodez\"; did you mean \"nodes\"?"},
      {"{ a = { nodes = 'x' } }", "variants[\"a\"].nodes is not a whole number"},
      {"{ a = { nodes = {} } }", "variants[\"a\"].nodes is not a whole number"},
      {"{ a = 3 }", "variants is { [\"three nodes\"] = { nodes = 3 }, ... }"},
      {"{ { nodes = 3 } }", "variants is { [\"three nodes\"] = { nodes = 3 }, ... }"},
      {"{ ['a#b'] = {} }", "one line of 1 to 47 bytes without # and /"},
      {"{ [''] = {} }", "one line of 1 to 47 bytes without # and /"},
      {"(function() local t = {} for i = 1, 17 do t['v' .. i] = {} end return t end)()", "at most 16 variants"},
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    char text[400];
    (void)snprintf(text, sizeof text, HEAD "sim.param('nodes', 3)\nreturn sim.scenario { " REST "\nvariants = %s }",
                   wrong[i][0]);
    const char *told = describe(*state, text, NULL, NULL);
    if (!strstr(told, wrong[i][1]) || strncmp(told, "x.lua:4: ", 9) != 0)
      fail_msg("%s: \"%s\" does not say \"%s\"", wrong[i][0], told, wrong[i][1]);
  }
}

static void parameters_and_seed_decide_the_run(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = HEAD "local n = sim.param('n', 3)\nreturn sim.scenario { " REST "nodes = 2,\n"
                                  "run = function(world) for i = 1, n do world:log('at ' .. i) end end }";
  uint64_t hashes[3];
  for (int i = 0; i < 3; i++) {
    struct scenario_file *file = scenario_file_from("x.lua", text, sizeof text - 1);
    struct params params = {0};
    assert_true(i == 0 || params_set(&params, "n", i == 1 ? "3" : "4"));
    assert_true(scenario_file_set_params(file, &params));
    const struct scenario_options options = {.source = {.seed = 1}};
    scenario_run(fixture->sim, file, &options, &fixture->result);
    hashes[i] = fixture->result.trace_hash;
    scenario_file_free(file);
  }
  assert_true(hashes[0] == hashes[1]);
  assert_true(hashes[0] != hashes[2]);
}

#define SCRIPT(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)
int main(void) {
  const struct CMUnitTest tests[] = {
      SCRIPT(a_parameter_has_its_standard),
      SCRIPT(what_is_set_is_in_its_place),
      SCRIPT(a_value_of_another_kind_is_refused),
      SCRIPT(an_unknown_one_is_refused_with_the_nearest),
      SCRIPT(a_wrong_call_says_what_to_write),
      SCRIPT(variants_have_an_order_and_names),
      SCRIPT(a_variant_sets_its_parameters_and_the_command_line_wins),
      SCRIPT(a_wrong_variant_is_refused),
      SCRIPT(parameters_and_seed_decide_the_run),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
