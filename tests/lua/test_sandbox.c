/* What differs from run to run, or never ends, does not exist in a script. */
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

static void pairs_goes_in_the_order_of_keys(void **state) {
  assert_string_equal(
      script_body(*state, "local t = { zeta = 1, alpha = 2, mid = 3, [10] = 4, [9] = 5, [-1] = 6, [true] = 7,\n"
                          "  [false] = 8, Beta = 9, [''] = 10, ab = 11, a = 12 }\n"
                          "local list = {}\n"
                          "for k, v in pairs(t) do list[#list + 1] = tostring(k) .. '=' .. v end\n"
                          "world:fail(table.concat(list, ' '))"),
      "VIOLATED: test: line 6: -1=6 9=5 10=4 =10 Beta=9 a=12 ab=11 alpha=2 mid=3 zeta=1 false=8 true=7");
}

static void pairs_skips_what_is_removed_meanwhile(void **state) {
  assert_true(script_true(*state, "(function() local t, n = { a = 1, b = 2, c = 3 }, 0\n"
                                  "for k in pairs(t) do t.b = nil n = n + 1 end return n == 2 end)()"));
}

static void pairs_refuses_keys_without_an_order(void **state) {
  says(state, "for k in pairs({ [{}] = 1 }) do end", "file.lua:2: pairs: a key is a table");
  says(state, "for k in pairs({ [print_me] = 1 }) do end", "file.lua:2: no global \"print_me\"");
  says(state, "for k in pairs({ [function() end] = 1 }) do end", "pairs: a key is a function");
  says(state, "for k in pairs({ [world] = 1 }) do end", "pairs: a key is a userdata");
}

static void a_sort_is_stable(void **state) {
  assert_string_equal(script_body(*state, "local t = {}\n"
                                          "for i = 1, 100 do t[i] = { key = i % 3, at = i } end\n"
                                          "table.sort(t, function(a, b) return a.key < b.key end)\n"
                                          "for i = 2, 100 do\n"
                                          "  local a, b = t[i - 1], t[i]\n"
                                          "  if a.key > b.key or (a.key == b.key and a.at > b.at) then\n"
                                          "    world:fail('at ' .. i) end end"),
                      "");
  assert_true(script_true(*state, "(function() local t = { 3, 1, 2 } table.sort(t) return t[1] == 1 and t[2] == 2 and "
                                  "t[3] == 3 end)()"));
  /* An inconsistent comparator orders somehow, and ends. */
  assert_string_equal(script_body(*state, "local t = {} for i = 1, 500 do t[i] = i end\n"
                                          "table.sort(t, function() return true end)"),
                      "");
}

static void values_show_no_address(void **state) {
  assert_true(script_true(*state, "tostring({}) == 'table' and tostring(function() end) == 'function'"));
  assert_true(script_true(*state, "tostring(coroutine.create(function() end)) == 'thread'"));
  assert_true(script_true(*state, "tostring(world) == 'userdata' and tostring(world:node(1)) == 'userdata'"));
  assert_true(script_true(*state, "string.format('%s %5s %d', {}, 'x', 3) == 'table     x 3'"));
  assert_true(script_true(*state, "tostring(setmetatable({}, { __tostring = function() return 'me' end })) == 'me'"));
  says(state, "string.format('%p', {})", "file.lua:2: string.format: %p is an address");
  says(state, "string.format('%5p', {})", "string.format: %p is an address");
}

static void what_depends_on_the_machine_is_absent(void **state) {
  static const char *const names[] = {"next",   "collectgarbage", "os",    "io",     "debug", "package",
                                      "dofile", "loadfile",       "print", "rawlen", "warn"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    char body[100], part[100];
    (void)snprintf(body, sizeof body, "local x = %s", names[i]);
    (void)snprintf(part, sizeof part, "file.lua:2: \"%s\" is not in the language: ", names[i]);
    says(state, body, part);
  }
  assert_true(script_true(*state, "string.dump == nil and math.random == nil and math.sin == nil"));
  assert_true(script_true(*state, "math.pi == nil and math.huge == nil and math.sqrt == nil"));
  assert_true(script_true(*state, "coroutine.running == nil"));
  says(state, "require 'os'", "file.lua:2: no module \"os\": there are \"sim\", and files of the folder helpers");
}

static void the_collector_is_not_to_be_seen(void **state) {
  says(state, "setmetatable({}, { __gc = function() end })", "file.lua:2: setmetatable: __gc depends on when");
  says(state, "setmetatable({}, { __mode = 'k' })", "file.lua:2: setmetatable: __mode depends on when");
  assert_string_equal(script_body(*state, "setmetatable({}, { __index = {} })"), "");
}

static void there_are_no_floats(void **state) {
  says(state, "local x = 0.5", "file.lua:2: 0.5 is a floating-point number");
  says(state, "local x = 1 / 2", "file.lua:2: / gives a floating-point number");
  says(state, "local x = 2 ^ 2", "file.lua:2: ^ gives a floating-point number");
  says(state, "string.format('%.3f', 1)", "string.format: %f is for floating-point numbers");
  says(state, "local x = '1.5' + 1", "attempt to perform arithmetic on a string value");
  assert_true(script_true(*state, "tonumber('1.5') == nil and tonumber('0x10') == 16 and tonumber('7') == 7"));
  assert_true(script_true(*state, "load('return 1.5') == nil and load('return 7')() == 7"));
  assert_true(script_true(*state, "select(2, load('return 1.5')) ~= nil"));
  says(state, "string.unpack('<d', '12345678')", "\"d\" is native or floating-point");
}

static void packing_is_the_same_everywhere(void **state) {
  says(state, "string.pack('i4', 1)", "file.lua:2: string.pack: begin the format with <");
  says(state, "string.pack('<i', 1)", "\"i\" needs a size, like i4");
  says(state, "string.pack('<l', 1)", "\"l\" is native");
  says(state, "string.pack('<!j', 1)", "\"!\" is native");
  assert_true(script_true(*state, "string.pack('>i4', 1) == '\\0\\0\\0\\1'"));
  assert_true(script_true(*state, "string.unpack('<I2', '\\1\\2') == 513"));
}

static void bytecode_is_not_loaded(void **state) {
  assert_true(script_true(*state, "load('\\27Lua') == nil"));
  says(state, "load(function() return nil end)", "load takes the text of a chunk");
}

static void lists_with_holes_have_no_length(void **state) {
  says(state, "table.insert({ 1, nil, 3 }, 4)", "file.lua:2: the list has holes (2 items, the last at 3)");
  says(state, "table.unpack({ 1, nil, 3 })", "the list has holes");
  says(state, "world:pick { 1, nil, 3 }", "the list has holes");
  assert_true(script_true(*state, "select('#', table.unpack({ 1, nil, 3 }, 1, 3)) == 3"));
  assert_true(script_true(*state, "table.pack(1, nil, 3).n == 3"));
}

static void the_table_library_does_what_it_should(void **state) {
  assert_true(script_true(*state, "(function() local t = { 1, 3 } table.insert(t, 2, 2) table.insert(t, 4)\n"
                                  "return table.concat(t, ',') == '1,2,3,4' and table.remove(t, 1) == 1 and\n"
                                  "table.remove(t) == 4 and table.concat(t, '') == '23' end)()"));
  assert_true(script_true(*state, "table.concat(table.move({ 1, 2, 3 }, 1, 3, 2), ',') == '1,1,2,3'"));
  assert_true(script_true(*state, "table.concat(table.move({ 1, 2, 3 }, 2, 3, 1), ',') == '2,3,3'"));
  assert_true(script_true(*state, "table.concat(table.move({ 1, 2 }, 1, 2, 2, { 9 }), ',') == '9,1,2'"));
  assert_true(script_true(*state, "select('#', table.unpack({})) == 0"));
}

static void an_endless_loop_ends(void **state) {
  says(state, "while true do end", "file.lua:2: the script takes too long without world:sleep");
  says(state, "while true do pcall(function() while true do end end) end", "the script takes too long");
  says(state, "while true do pcall(error) end", "the script takes too long");
  says(state, "while true do coroutine.wrap(function() pcall(function() while true do end end) end)() end",
       "the script takes too long");
  says(state, "local t = setmetatable({}, { __index = function(t, k) return t[k] end }) local x = t.a", "C stack");
  says(state, "local function f() return f() end f()", "the script takes too long");
}

static void a_loop_at_the_top_of_the_file_ends(void **state) {
  struct script_fixture *fixture = *state;
  assert_int_equal(script_run(fixture, "\nwhile true do end", 1), SCENARIO_WRONG);
  assert_memory_equal(fixture->result.error.text, "file.lua:2: the script takes too long", 37);
}

static void a_loop_in_a_property_ends(void **state) {
  struct script_fixture *fixture = *state;
  assert_int_equal(script_run(fixture,
                              "local sim = require 'sim' return sim.scenario { name = 'x', nodes = 1, properties = {\n"
                              "sim.always('p', function() while true do end end) } }",
                              1),
                   SCENARIO_WRONG);
  assert_memory_equal(fixture->result.error.text, "file.lua:2: the script takes too long", 37);
}

static void loops_inside_c_end(void **state) {
  says(state, "local x = ('a'):rep(400):find(('.-'):rep(8) .. 'b')", "file.lua:2: string.find: this pattern may take");
  says(state, "local x = ('a'):rep(400):match(('.-'):rep(8) .. 'b')", "string.match: this pattern may take");
  says(state, "local x = ('a'):rep(400):gsub(('.-'):rep(8) .. 'b', '')", "string.gsub: this pattern may take");
  says(state, "for x in ('a'):rep(400):gmatch(('.-'):rep(8) .. 'b') do end", "string.gmatch: this pattern may take");
  says(state, "local x = (''):rep(math.maxinteger)", "file.lua:2: string.rep: the result would have more than");
  says(state, "local x = ('x'):rep(1 << 40)", "string.rep: the result would have more than");
  says(state, "table.move({}, 1, math.maxinteger - 1, 2)", "file.lua:2: table.move: more than 1000000 items");
  says(state, "table.concat({}, '', 1, math.maxinteger)", "table.concat: more than");
  says(state, "table.unpack({}, 1, math.maxinteger)", "table.unpack: more than");
  says(state, "table.insert(setmetatable({}, { __len = function() return 1 << 62 end }), 1, 0)", "plain tables");
  assert_true(script_true(*state, "('key=value'):match('^(%w+)=(%w*)$') == 'key'"));
  assert_true(script_true(*state, "('a'):rep(1000):find('b', 1, true) == nil"));
}

static void memory_is_bounded(void **state) {
  says(state, "local t = {} while true do t[#t + 1] = ('x'):rep(100000) .. #t end",
       "file.lua:2: the script uses more than 32 MiB of memory");
  says(state, "local s = 'x' while true do s = s .. s end",
       "file.lua:2: the script uses too much memory for one text: more than 1 MiB");
  says(state, "while true do pcall(function() local s = 'x' while true do s = s .. s end end) end",
       "file.lua:2: the script");
}

static void garbage_of_a_long_run_is_collected(void **state) {
  struct script_fixture *fixture = *state;
  assert_int_equal(
      script_run(fixture,
                 "local sim = require 'sim' return sim.scenario { name = 'x', nodes = 1, duration = '30s',"
                 "run = function(w) for i = 1, 2000 do local s = ('x'):rep(50000) .. i w:sleep '10ms' end end }",
                 1),
      SCENARIO_HELD);
  assert_true(fixture->result.peak_bytes < 64u * 1024u * 1024u);
}

static void texts_compare_and_change_case_by_bytes(void **state) {
  assert_true(script_true(*state, "('aZ\\xe4'):upper() == 'AZ\\xe4' and ('aZ'):lower() == 'az'"));
  assert_true(script_true(*state, "'Z' < 'a'"));
}

static void coroutines_of_a_script_are_its_own(void **state) {
  assert_true(script_true(*state, "coroutine.wrap(function() coroutine.yield(7) end)() == 7"));
  says(state, "coroutine.wrap(function() world:sleep '1s' end)()", "not in a coroutine of one's own");
  says(state, "coroutine.yield()", "file.lua:2: coroutine.yield in a task: use world:sleep");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(pairs_goes_in_the_order_of_keys),
      TEST(pairs_skips_what_is_removed_meanwhile),
      TEST(pairs_refuses_keys_without_an_order),
      TEST(a_sort_is_stable),
      TEST(values_show_no_address),
      TEST(what_depends_on_the_machine_is_absent),
      TEST(the_collector_is_not_to_be_seen),
      TEST(there_are_no_floats),
      TEST(packing_is_the_same_everywhere),
      TEST(bytecode_is_not_loaded),
      TEST(lists_with_holes_have_no_length),
      TEST(the_table_library_does_what_it_should),
      TEST(an_endless_loop_ends),
      TEST(a_loop_at_the_top_of_the_file_ends),
      TEST(a_loop_in_a_property_ends),
      TEST(loops_inside_c_end),
      TEST(memory_is_bounded),
      TEST(garbage_of_a_long_run_is_collected),
      TEST(texts_compare_and_change_case_by_bytes),
      TEST(coroutines_of_a_script_are_its_own),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
