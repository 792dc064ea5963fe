/* Texts that a script gives or gets: no address in them, no end within them, and
 * the marks that editors put before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/script_fixture.h"

static void says(void **state, const char *body, const char *part) {
  const char *told = script_body(*state, body);
  if (!strstr(told, part)) fail_msg("\"%s\" does not say \"%s\"", told, part);
}

static const char *const ways[] = {
    "world:stats()[v]",
    "sim[v]",
    "world[v]",
    "world:node(1)[v]",
    "world:fault('net_loss')[v]",
    "world:fault(v)",
    "world:fail(v)",
    "world:sleep(v)",
    "world:between(v, v)",
    "world:pick(v)",
    "world:chance(v)",
    "world:node(v)",
    "world:workload(v)",
    "world:rule(v)",
    "world:rule { from = v }",
    "world:link(v, v)",
    "world:partition(v, v)",
    "world:flap(v, v, v, v)",
    "world:node(1):crash(v)",
    "world:node(1):crash { within = v }",
    "world:node(1):put(v)",
    "world:node(1):put(1, v)",
    "world:node(1):clock { step = v }",
    "world:node(1):disk { quota = v }",
    "world:node(1):memory_quota(v)",
    "sim.kv(v)",
    "sim.kv { keys = v }",
    "sim.kv { [v] = 1 }",
    "sim.always(v, v)",
    "sim.scenario { nodes = v }",
    "require(v)",
    "load(v)",
    "pairs(v, v)",
    "ipairs(v)()",
    "setmetatable(v, v)",
    "getmetatable(v)()",
    "tonumber(v)",
    "tonumber(v, v)",
    "select(v)",
    "error(v)",
    "assert(false, v)",
    "assert(v, v)()",
    "('x' .. v)",
    "(v .. v)",
    "(v + 1)",
    "(v < v)",
    "(v < 1)",
    "#v .. v",
    "v.x.y",
    "v()",
    "v:method()",
    "for i = v, v do end",
    "for i in v do end",
    "string.format('%d', v)",
    "string.format('%s %s', v, v) .. nil",
    "string.format('%q', v)",
    "string.format('%p', v)",
    "string.format('%c', v)",
    "string.rep(v, 1)",
    "string.byte(v)",
    "('x'):rep(v)",
    "('x'):find(v)",
    "('x'):gsub('x', v) .. v",
    "('x'):gsub('x', function() return v end)",
    "string.pack(v, v)",
    "string.pack('<i4', v)",
    "utf8.char(v)",
    "utf8.len(v)",
    "utf8.codepoint(v)",
    "table.concat({ v })",
    "table.concat(v, v)",
    "table.insert(v, v, v)",
    "table.remove(v, v)",
    "table.unpack(v)",
    "table.sort({ v, v })",
    "table.sort(v, v)",
    "table.move(v, v, v, v)",
    "math.max(v)",
    "math.floor(v)",
    "math.tointeger(v) .. v",
    "coroutine.create(v)",
    "coroutine.resume(v)",
    "coroutine.wrap(function() error(v) end)()",
    "coroutine.wrap(function() local x = v .. v end)()",
    "coroutine.close(v)",
    "({ [tostring(v)] = 1 }) .. v",
    "world:log(v) .. v",
    "tostring(v) .. nil",
};

/* Every way in which a value reaches a message. A table's address in one of them
 * gave each process a trace of its own. */
static void no_message_shows_an_address(void **state) {
  static const char *const values[] = {"{}",
                                       "function() end",
                                       "coroutine.create(function() end)",
                                       "world",
                                       "world:node(1)",
                                       "string.format",
                                       "setmetatable({}, { __name = 'N' })"};
  for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
    for (size_t k = 0; k < sizeof values / sizeof *values; k++) {
      char body[1200];
      bool statement = strncmp(ways[i], "for", 3) == 0;
      (void)snprintf(body, sizeof body,
                     "local sim = require 'sim'\nlocal v = %s\nlocal ok, e = pcall(function() %s%s end)\n"
                     "e = tostring(e)\nif e:find('0x') then world:fail(e) end",
                     values[k], statement ? "" : "local x = ", ways[i]);
      assert_string_equal(script_body(*state, body), "");
    }
}

/* Lua looks for the names of functions in the order of a table: with two names
 * for one function an error had one of them, another in each process. */
static void an_error_names_no_function_by_the_order_of_a_table(void **state) {
  assert_string_equal(script_body(*state, "a1, a2, a3, a4, a5 = utf8.char, utf8.char, utf8.char, utf8.char, utf8.char\n"
                                          "local _, e = pcall(utf8.char, {})\nworld:fail(e)"),
                      "VIOLATED: test: line 4: bad argument #1 to '?' (number expected, got table)");
}

static void a_zero_byte_ends_no_text_unseen(void **state) {
  static const struct {
    const char *body, *part;
  } cases[] = {
      {"world:fail('one\\0two')", "file.lua:2: world:fail: the text has a zero byte"},
      {"world:fault('net_loss\\0x')", "file.lua:2: world:fault: the text has a zero byte"},
      {"world:workload('stop\\0x')", "file.lua:2: world:workload: the text has a zero byte"},
      {"require('sim\\0x')", "file.lua:2: require: the text has a zero byte"},
      {"local s = require('sim').kv { promise = 'submit\\0x' }", "sim.kv.promise: the text has a zero byte"},
      {"local s = require('sim').kv { ['keys\\0x'] = 3 }", "sim.kv: the name of an option has a zero byte"},
      {"require('sim').always('p\\0q', function() return true end)",
       "the name of a property: the text has a zero byte"},
      {"world:node(1):clock { step = '1s\\0h' }", "node:clock.step: the text has a zero byte"},
      {"world:sleep('1s\\0h')", "has the unknown unit"},
      {"error('one\\0two')", "file.lua:2: one\\0two"},
      {"local x = world:stats()['sent\\0x']", "there is no counter \"sent\\0x\""},
      {"local x = world['sleep\\0x']", "world has no method \"sleep\\0x\""},
      {"string.pack('<i4\\0i', 1)", "the format: the text has a zero byte"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    says(state, cases[i].body, cases[i].part);
}

static enum scenario_verdict run_bytes(struct script_fixture *fixture, const char *text, size_t size) {
  struct scenario_file *file = scenario_file_from("file.lua", text, size);
  struct scenario_options options = {.source = {.seed = 1}};
  assert_non_null(file);
  scenario_run(fixture->sim, file, &options, &fixture->result);
  scenario_file_free(file);
  return fixture->result.verdict;
}

#define TAIL "local sim = require 'sim'\nreturn sim.scenario { name = 'x', nodes = 1, duration = '1s' }"

static void a_mark_or_a_shell_line_before_a_script_is_passed_over(void **state) {
  static const char mark[] = "\xef\xbb\xbf" TAIL, shell[] = "#!/usr/bin/env syncsim\n" TAIL,
                    both[] = "\xef\xbb\xbf#!/usr/bin/env syncsim\n" TAIL;
  static const char wrong[] = "\xef\xbb\xbf#!/usr/bin/env syncsim\n\nlocal x = 0.5", empty[] = "\xef\xbb\xbf";
  struct script_fixture *fixture = *state;
  assert_int_equal(run_bytes(fixture, mark, sizeof mark - 1), SCENARIO_HELD);
  assert_int_equal(run_bytes(fixture, shell, sizeof shell - 1), SCENARIO_HELD);
  assert_int_equal(run_bytes(fixture, both, sizeof both - 1), SCENARIO_HELD);
  assert_int_equal(run_bytes(fixture, wrong, sizeof wrong - 1), SCENARIO_WRONG);
  assert_memory_equal(fixture->result.error.text, "file.lua:3: 0.5 is a", 20);
  assert_int_equal(run_bytes(fixture, empty, sizeof empty - 1), SCENARIO_WRONG);
}

static void what_is_no_utf8_is_called_by_its_name(void **state) {
  struct script_fixture *fixture = *state;
  assert_int_equal(run_bytes(fixture, "\xff\xfel\0o\0", 6), SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text,
                      "file.lua:1: the file begins with a UTF-16 byte order mark: save it as UTF-8");
  assert_int_equal(run_bytes(fixture, "\x1bLuaT", 5), SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text, "file.lua:1: the file is compiled Lua: a scenario is its source");
}

/* It crashed the process: the settings are there while the file is read only. */
static void a_scenario_within_a_run_is_refused(void **state) {
  says(state, "require('sim').scenario { name = 'x' }", "file.lua:2: sim.scenario is called at the top of the file");
}

static void a_quantity_that_is_too_great_says_what_is_not(void **state) {
  says(state, "world:node(1):clock { step = '-3000000h' }",
       "file.lua:2: node:clock.step: \"3000000h\" is too great (1281023h is the most)");
  assert_string_equal(script_body(*state, "world:node(1):clock { step = '1281023h' }"), "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(no_message_shows_an_address),
      TEST(an_error_names_no_function_by_the_order_of_a_table),
      TEST(a_zero_byte_ends_no_text_unseen),
      TEST(a_mark_or_a_shell_line_before_a_script_is_passed_over),
      TEST(what_is_no_utf8_is_called_by_its_name),
      TEST(a_scenario_within_a_run_is_refused),
      TEST(a_quantity_that_is_too_great_says_what_is_not),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
