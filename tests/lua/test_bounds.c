/* What bounds a script is the same in every process, and nothing goes round it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/emulated.h"
#include "tests/support/script_fixture.h"

static void says(void **state, const char *body, const char *part) {
  const char *told = script_body(*state, body);
  if (!strstr(told, part)) fail_msg("%s\n\"%s\" does not say \"%s\"", body, told, part);
}

/* Each works in C for long without a step of its own, or hides what it takes. */
static void no_loop_inside_c_goes_uncounted(void **state) {
  static const char *const loops[] = {
      "local s = ('x'):rep(1 << 20) local t = ('x'):rep((1 << 20) - 1) .. 'y' while true do local x = s < t end",
      "local s = ('x'):rep(1 << 20) local t = ('x'):rep((1 << 20) - 1) .. 'x' while true do local x = s == t end",
      "local s = ('x'):rep(1 << 20) while true do local x = utf8.len(s) end",
      "local s = ('x'):rep(1 << 20) while true do local x = utf8.offset(s, -1) end",
      "local s = ('x'):rep(1 << 20) while true do local x = s:upper() end",
      "local s = ('x'):rep(1 << 20) while true do local x = s:reverse() end",
      "local s = ('x'):rep(1 << 20) while true do local x = s:sub(2) end",
      "local s = ('1'):rep(1 << 20) while true do local x = tonumber(s) end",
      "while true do local x = ('x'):rep(1 << 20) end",
      "while true do local x = (''):rep(1 << 20) end",
      "local s = ('x'):rep(4000) while true do local x = s .. 'y' end",
      "local s = ('x'):rep(4000) while true do local x = { s:byte(1, -1) } end",
      "local s = ('x'):rep(4000) while true do local x = { utf8.codepoint(s, 1, -1) } end",
      "local t = {} for i = 1, 30000 do t[i] = 'x' end while true do local x = table.concat(t) end",
      "local s = ('x'):rep(1 << 15) local t = {} for i = 1, 30 do t[i] = s end while true do table.concat(t) end",
      "local t = {} for i = 1, 30000 do t[i] = i end while true do table.insert(t, 1, 0) table.remove(t) end",
      "local t = {} for i = 1, 30000 do t[i] = i end while true do table.move(t, 1, 30000, 2) end",
      "local t = {} for i = 1, 30000 do t['k' .. i] = i end while true do local x = pairs(t) end",
      "local t = {} for i = 1, 30000 do t['k' .. i] = i end while true do table.insert(t, 1) table.remove(t) end",
      "local t = {} for i = 1, 30000 do t[i] = i end while true do table.sort(t) end",
      "local s = ('x'):rep(1 << 20) local t = {} for i = 1, 5000 do t[i] = s end while true do table.sort(t) end",
      "local t = {} for i = 1, 5000 do t[i] = i end while true do local x = table.pack(table.unpack(t)) end",
      "while true do coroutine.wrap(function() for i = 1, 400 do local x = i end end)() end",
      "local s = ('a'):rep(30000) while true do for w in s:gmatch('ab') do end end",
      "local s = ('a'):rep(30000) while true do local x = s:find('b', 1, true) end",
      "while true do local x = load(('local x '):rep(5000)) end",
  };
  for (size_t i = 0; i < sizeof loops / sizeof *loops; i++)
    says(state, loops[i], "file.lua:2: the script takes too long");
}

/* Which is what a bound of steps is worth: the work behind them is bounded too. */
static void what_is_handed_on_with_every_call_is_bounded(void **state) {
  says(state, "local x = { ('x'):rep(6000):byte(1, -1) }", "file.lua:2: string.byte: more than 5000 values at once");
  says(state, "local x = { ('x'):rep(6000):byte(-6000, -1) }", "string.byte: more than 5000 values at once");
  says(state, "local x = { utf8.codepoint(('x'):rep(6000), 1, -1) }", "utf8.codepoint: more than 5000 values");
  says(state, "local x = { table.unpack({}, 1, 6000) }", "file.lua:2: table.unpack: more than 5000 values at once");
  assert_true(script_true(*state, "select('#', ('x'):rep(5000):byte(1, -1)) == 5000 and ('abc'):byte(-1) == 99"));
  assert_true(script_true(*state, "select('#', ('abc'):byte(-9, 9)) == 3 and select('#', ('abc'):byte(9)) == 0"));
}

static void small_texts_cost_no_more_than_steps(void **state) {
  assert_string_equal(script_body(*state, "local n = 0 for i = 1, 1000000 do if 'a' .. i < 'b' then n = n + 1 end end"),
                      "");
  /* A great text makes steps dear while it is held, and no longer. */
  assert_string_equal(script_body(*state, "local s = ('x'):rep(1 << 20) s = nil world:sleep '1ms'\n"
                                          "for i = 1, 3000000 do s = i end"),
                      "");
  says(state, "local s = ('x'):rep(1 << 20) world:sleep '1ms'\nfor i = 1, 3000000 do local x = i end world:log(s)",
       "file.lua:3: the script takes too long");
}

/* It was stopped after 400 million steps of a run, whatever they were for. Emulated: fewer
 * than that, but more than a slice has. */
static void each_look_of_a_property_has_steps_of_its_own(void **state) {
  struct script_fixture *fixture = *state;
  char text[300];
  (void)snprintf(text, sizeof text,
                 "local sim = require 'sim' return sim.scenario { name = 'x', nodes = 1, duration = '%ds',\n"
                 "settle = '1s', properties = { sim.always('p', function()\n"
                 "for i = 1, 2000000 do end return true end) } }",
                 emulated() ? 5 : 30);
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_HELD);
}

/* How many keys a table has room for depends on their hashes, which differ from
 * process to process: it may change neither the bound of memory nor that of steps.
 * Here from state to state, for each has hashes of its own. Not emulated: nothing in it is a matter of the processor,
 * and it would take minutes. */
static void churn_of_keys_takes_neither_memory_nor_steps(void **state) {
  struct script_fixture *fixture = *state;
  char first[1200] = "";
  for (int round = 0; round < 3 && !emulated(); round++) {
    struct sim_options options = {.fill = 0x11u * (unsigned)(round + 1)};
    sim_close(fixture->sim);
    fixture->sim = sim_open(&options);
    assert_non_null(fixture->sim);
    const char *told = script_body(fixture, "local t, all, n = {}, {}, 0\n"
                                            "while true do\n"
                                            "  local r = {}\n"
                                            "  for i = 1, 24 do r['k' .. n + i] = i end\n"
                                            "  for i = 1, 20 do r['k' .. n + i] = nil end\n"
                                            "  for i = 25, 34 do r['k' .. n + i] = i r['k' .. n + i - 4] = nil end\n"
                                            "  r.text = ('x'):rep(1500) .. n\n"
                                            "  all[#all + 1] = r n = n + 40\n"
                                            "  world:log(n) world:sleep '1us'\n"
                                            "end");
    assert_non_null(strstr(told, "more than 32 MiB"));
    char now[1200];
    (void)snprintf(now, sizeof now, "%.900s %llx", told, (unsigned long long)fixture->result.trace_hash);
    if (round) assert_string_equal(now, first);
    memcpy(first, now, sizeof now);
  }
}

static void the_places_of_tables_are_bounded_too(void **state) {
  says(state,
       "local all = {} while true do local t = {} for i = 1, 1000 do t[i * 2] = true end all[#all + 1] = t\n"
       "if #all % 50 == 0 then world:sleep '1us' end end",
       "the script uses more than 128 MiB of memory for the places of its tables");
}

static void no_float_comes_in_through_the_math_library(void **state) {
  static const char *const calls[] = {"abs('1.5')",    "ceil('1.5')",   "floor('1e300')", "fmod('1.5', 1)",
                                      "max('1.5', 2)", "min(1, '1.5')", "ult('1', 2)",    "abs('1')",
                                      "max()",         "fmod(1)"};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
    char body[100];
    (void)snprintf(body, sizeof body, "local x = math.%s", calls[i]);
    says(state, body, "takes whole numbers, not a ");
  }
  says(state, "math.fmod(1, 0)", "file.lua:2: math.fmod: the divisor is zero");
  assert_true(script_true(*state, "math.abs(-3) == 3 and math.abs(math.mininteger) == math.mininteger"));
  assert_true(script_true(*state, "math.floor(3) == 3 and math.ceil(-3) == -3 and math.max(1, 3, 2) == 3"));
  assert_true(script_true(*state, "math.min(2, 1, 3) == 1 and math.fmod(-7, 3) == -1 and math.fmod(7, -1) == 0"));
  assert_true(script_true(*state, "math.ult(1, -1) and math.type(1) == 'integer' and math.type('1') == nil"));
  assert_true(script_true(*state, "math.tointeger('7') == 7 and math.tointeger({}) == nil"));
  assert_true(script_true(*state, "math.maxinteger + 1 == math.mininteger"));
}

/* A loop from a text counts in floats; what shows one is an error. */
static void a_float_of_a_loop_is_not_shown(void **state) {
  says(state, "for i = '1.5', 3 do world:log(i) end", "file.lua:2: a floating-point number is in the script");
  says(state, "for i = '1.5', 3 do string.format('%q', i) end", "string.format: %q of a floating-point number");
  says(state, "for i = '1.5', 3 do string.format('%s', i) end", "a floating-point number is in the script");
  says(state, "for i = '1.5', 3 do world:fail(tostring(i)) end", "a floating-point number is in the script");
}

static void what_a_metatable_gets_later_is_refused_too(void **state) {
  says(state, "local m = {} local t = setmetatable({}, m) m.__mode = 'k' world:sleep '1s'",
       "a metatable was given __mode after setmetatable");
  says(state, "local m = {} local t = setmetatable({}, m) m.__gc = function() end world:sleep '1s' t = nil",
       "a metatable was given __gc after setmetatable");
  says(state,
       "local m = setmetatable({}, { __index = { __mode = 'k' } }) local t = setmetatable({}, m)\n"
       "rawset(m, '__mo' .. 'de', 'v')",
       "a metatable was given __mode after setmetatable");
  assert_string_equal(script_body(*state, "local m = {} local t = setmetatable({}, m) m.__index = m"), "");
}

static void it_is_refused_before_the_collector_may_see_it(void **state) {
  says(state,
       "local m = {} all = setmetatable({}, m) m.__mode = 'k' all[{}] = 1\n"
       "for i = 1, 1000 do world:sleep '1ms' end\n"
       "m.__mode = nil",
       "a metatable was given __mode after setmetatable");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(no_loop_inside_c_goes_uncounted),
      TEST(what_is_handed_on_with_every_call_is_bounded),
      TEST(small_texts_cost_no_more_than_steps),
      TEST(each_look_of_a_property_has_steps_of_its_own),
      TEST(churn_of_keys_takes_neither_memory_nor_steps),
      TEST(the_places_of_tables_are_bounded_too),
      TEST(no_float_comes_in_through_the_math_library),
      TEST(a_float_of_a_loop_is_not_shown),
      TEST(what_a_metatable_gets_later_is_refused_too),
      TEST(it_is_refused_before_the_collector_may_see_it),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
