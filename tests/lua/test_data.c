/* What a script writes and reads: keys and values of its own, several changes as one, lists, siblings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/script_fixture.h"

static void says(void **state, const char *body, const char *message) {
  assert_string_equal(script_body(*state, body), message);
}
static void holds(void **state, const char *body) {
  says(state, body, "");
}

static void a_chosen_value_is_read_back_to_the_byte_wherever_it_arrives(void **state) {
  holds(state, "local a, b = world:node(1), world:node(2)\n"
               "local values = { '', '\\0', '\\xff\\0x', ('v'):rep(65536) }\n"
               "for i, value in ipairs(values) do assert(a:put(i, { text = value })) end\n"
               "world:sleep '2s'\n"
               "for i, value in ipairs(values) do\n"
               "  local found, status = b:read(i)\n"
               "  assert(found == value and status == 'SYNC_OK')\n"
               "end\n"
               "assert(b:get(2) == 2)\n");
}

static void a_key_is_any_text_and_the_same_key_by_its_number(void **state) {
  holds(state, "local n = world:node(1)\n"
               "local keys = { 'a', '\\0', '\\xff\\0\\xfe', ('k'):rep(1024) }\n"
               "for i, key in ipairs(keys) do assert(n:put(key, { text = tostring(i) })) end\n"
               "for i, key in ipairs(keys) do assert(n:read(key) == tostring(i)) end\n"
               "assert(n:put('key-00000007', { text = 'by text' }))\n"
               "assert(n:read(7) == 'by text' and n:list('key-')[1].key == 'key-00000007')\n"
               "assert(n:put(7, { text = 'by number' }))\n"
               "assert(n:read 'key-00000007' == 'by number' and n:list('key-')[1].key == 7)\n"
               "assert(n:delete 'a' and n:read 'a' == nil)\n");
}

static void what_is_not_there_is_told_by_its_status(void **state) {
  holds(state, "local n = world:node(1)\n"
               "local function status(key) return select(2, n:read(key)) end\n"
               "assert(status 'nowhere' == 'SYNC_E_NOT_FOUND')\n"
               "n:put('k', { text = 'v' })\n"
               "n:delete 'k'\n"
               "assert(status 'k' == 'SYNC_E_NOT_FOUND')\n"
               "n:crash()\n"
               "assert(status 'k' == 'SYNC_E_POWERED_OFF' and #n:list '' == 0 and #n:siblings 'k' == 0)\n");
}

static void several_changes_are_taken_together_or_not_at_all(void **state) {
  holds(
      state,
      "local n = world:node(1)\n"
      "assert(n:put('gone', { text = 'x' }))\n"
      "local done = n:submit { { key = 'b', text = '2' }, { key = 'a', text = '1' }, { key = 'gone', delete = true },\n"
      "                        { key = 3, size = '20B' }, { key = 4 } }\n"
      "assert(done and n:read 'a' == '1' and n:read 'b' == '2' and n:read 'gone' == nil)\n"
      "assert(#n:read(3) == 20 and #n:read(4) == 32)\n"
      "local taken, why = n:submit { { key = 'a', text = 'no' }, { key = 'c', text = ('v'):rep(65537) } }\n"
      "assert(not taken and why == 'SYNC_E_TOO_BIG' and n:read 'a' == '1' and n:read 'c' == nil)\n"
      "taken, why = n:submit { { key = 'a', text = 'no' }, { key = 'a', text = 'twice' } }\n"
      "assert(not taken and why == 'SYNC_E_INVALID' and n:read 'a' == '1')\n"
      "world:sleep '1s'\n"
      "assert(world:node(2):read 'a' == '1' and world:node(2):get(3) ~= nil)\n");
}

static void a_list_is_in_order_within_its_prefix_and_from_where_it_was_asked(void **state) {
  holds(state, "local n = world:node(1)\n"
               "for _, key in ipairs { 'p/2', 'p/10', 'p', 'q', 'p/1' } do n:put(key, { text = key }) end\n"
               "n:delete 'p/1'\n"
               "local function keys(...)\n"
               "  local list = {}\n"
               "  for i, found in ipairs(n:list(...)) do list[i] = found.key .. (found.deleted and '!' or '') end\n"
               "  return table.concat(list, ' ')\n"
               "end\n"
               "assert(keys() == 'p p/10 p/2 q')\n"
               "assert(keys 'p/' == 'p/10 p/2')\n"
               "assert(keys('p/', { deleted = true }) == 'p/1! p/10 p/2')\n"
               "assert(keys('p/', { from = 'p/2' }) == 'p/2')\n"
               "assert(keys('', { limit = 2 }) == 'p p/10')\n"
               "assert(keys 'z' == '')\n");
}

static void siblings_of_a_conflict_have_their_values_and_writers(void **state) {
  holds(state, "local a, b = world:node(1), world:node(2)\n"
               "world:sleep '1s'\n"
               "local cut = world:isolate(1)\n"
               "a:put('k', { text = 'left' })\n"
               "b:put('k', { text = 'right' })\n"
               "b:put('d', { text = 'kept' })\n"
               "a:delete 'd'\n"
               "cut:heal()\n"
               "world:wait_until(function() return world:converged() end, '20s')\n"
               "local found = a:siblings 'k'\n"
               "assert(#found == 2 and found[1].node == 1 and found[1].value == 'left')\n"
               "assert(found[2].node == 2 and found[2].value == 'right' and not found[2].automatic)\n"
               "found = b:siblings 'd'\n"
               "assert(#found == 2 and found[1].deleted and found[1].value == nil and found[2].value == 'kept')\n"
               "assert(#a:siblings 'absent' == 0 and a:list('k')[1].conflict)\n"
               "local conflicts = b:conflicts()\n"
               "assert(#conflicts == 2 and conflicts[2].key == 'k')\n"
               "assert(b:resolve('k', conflicts[2].token, { text = 'both' }))\n"
               "assert(b:read 'k' == 'both' and #b:siblings 'k' == 1)\n"
               "local done, why = a:resolve('d', conflicts[2].token, 'delete')\n"
               "assert(not done and why == 'SYNC_E_STALE')\n"
               "world:wait_until(function() return world:converged() end, '20s')\n"
               "assert(a:read 'k' == 'both')\n");
}

static void what_is_no_key_no_value_and_no_change_is_told(void **state) {
  says(state, "world:node(1):put({}, '64B')",
       "file.lua:2: node:put: a key is a whole number, as the workload's keys are, or a text; this one is a table");
  says(state, "world:node(1):put('', '64B')", "file.lua:2: node:put: a key has 1 to 1024 bytes; this one has 0");
  says(state, "world:node(1):get(('k'):rep(1025))",
       "file.lua:2: node:get: a key has 1 to 1024 bytes; this one has 1025");
  says(state, "world:node(1):put(1, 'hello')",
       "file.lua:2: \"hello\" does not begin with a number: write a size like \"64KiB\" (units: B, KiB, MiB, GiB) (a "
       "value of your own is { text = \"...\" })");
  says(state, "world:node(1):put(1, { txt = 'x' })",
       "file.lua:2: node:put has no option \"txt\"; did you mean \"text\"?");
  says(state, "world:node(1):put(1, { text = 3 })",
       "file.lua:2: node:put: text is the bytes of the value in quotes, not a number");
  says(state, "world:node(1):put(1, { text = 'x', size = '20B' })", "file.lua:2: node:put takes one of text and size");
  says(state, "world:node(1):submit { key = 1 }",
       "file.lua:2: node:submit takes a list of changes: { { key = 1, text = \"...\" }, { key = 2, delete = true } }");
  says(state, "world:node(1):submit(1)",
       "file.lua:2: node:submit takes a list of changes: { { key = 1, text = \"...\" }, { key = 2, delete = true } }");
  says(
      state, "world:node(1):submit { { key = 1 }, { text = 'x' } }",
      "file.lua:2: node:submit, change 2: a change needs a key: { key = 3, text = \"...\" } or { key = \"a\", delete = "
      "true }");
  says(state, "world:node(1):submit { { key = 1, delete = true, text = 'x' } }",
       "file.lua:2: node:submit, change 1: a change that deletes has no text and no size");
  says(state, "world:node(1):list(3)",
       "file.lua:2: node:list(prefix, options): the prefix is a text, \"\" for all keys");
  says(state, "world:node(1):list('', { form = 'a' })",
       "file.lua:2: node:list has no option \"form\"; did you mean \"from\"?");
  says(state, "world:node(1):list('', { limit = 0 })",
       "file.lua:2: node:list.limit is outside its range: 1 to 1000000");
}

static void a_property_may_read_and_not_write(void **state) {
  struct script_fixture *fixture = *state;
  assert_int_equal(script_run(fixture,
                              "local sim = require 'sim'\n"
                              "return sim.scenario { name = 'x', nodes = 1, duration = '1s', properties = {\n"
                              "  sim.always('reads', function(w) return #w:node(1):list '' == 0 end),\n"
                              "  sim.always('writes', function(w) return w:node(1):submit { { key = 1 } } end) } }\n",
                              1),
                   SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text, "file.lua:4: node:submit: a property or condition may look, not act");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_chosen_value_is_read_back_to_the_byte_wherever_it_arrives),
      TEST(a_key_is_any_text_and_the_same_key_by_its_number),
      TEST(what_is_not_there_is_told_by_its_status),
      TEST(several_changes_are_taken_together_or_not_at_all),
      TEST(a_list_is_in_order_within_its_prefix_and_from_where_it_was_asked),
      TEST(siblings_of_a_conflict_have_their_values_and_writers),
      TEST(what_is_no_key_no_value_and_no_change_is_told),
      TEST(a_property_may_read_and_not_write),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
