/* Merge functions written in Lua: what they see, what they give, and what is no function of the values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/script_fixture.h"

/* A run in which nodes 1, 2 and 3 write the same key apart and then hear of each other; `merge` begins on line 2. */
static enum scenario_verdict conflict(void **state, const char *merge, const char *then) {
  static char text[4096];
  (void)snprintf(text, sizeof text,
                 "local sim = require 'sim'\n"
                 "local merge = sim.merge(%s)\n"
                 "return sim.scenario { name = 'x', nodes = 3, duration = '8s', policies = { ['m/'] = merge },\n"
                 "run = function(world)\n"
                 "  world:sleep '1s'\n"
                 "  local cuts = { world:isolate(1), world:isolate(2) }\n"
                 "  for i, value in ipairs { 'b', 'a', 'c' } do world:node(i):put('m/k', { text = value }) end\n"
                 "  cuts[1]:heal()\n"
                 "  cuts[2]:heal()\n"
                 "  world:wait_until(function() return world:converged() end, '5s')\n"
                 "  local value, status = world:node(2):read 'm/k'\n"
                 "  %s\n"
                 "end }\n",
                 merge, then);
  return script_run(*state, text, 1);
}

static void gives(void **state, const char *merge, const char *then) {
  struct script_fixture *fixture = *state;
  if (conflict(state, merge, then) != SCENARIO_HELD)
    fail_msg("%s%s", fixture->result.error.text, fixture->result.violation.detail);
}

static void is_wrong(void **state, const char *merge, const char *message) {
  struct script_fixture *fixture = *state;
  assert_int_equal(conflict(state, merge, ""), SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text, message);
}

#define SORTED "local all = table.move(values, 1, #values, 1, {}) table.sort(all) return table.concat(all, ',') end"

static void a_key_reads_as_what_the_function_makes_of_its_values(void **state) {
  gives(state, "function(key, values) " SORTED, "assert(value == 'a,b,c' and status == 'SYNC_OK')");
  gives(state, "function(key, values) return '' end", "assert(value == '' and world:node(1):list('m/')[1].merged)");
  gives(state, "function(key, values) return key .. #values end", "assert(value == 'm/k3')");
}

static void a_function_set_while_a_run_goes_on_counts_from_then_on(void **state) {
  gives(state, "function(key, values) return 'before' end",
        "assert(value == 'before')\n"
        "local n = world:node(2)\n"
        "assert(n:policy(sim.merge(function(key, values) return 'after' end), 'm/') == 'SYNC_OK')\n"
        "assert(n:read 'm/k' == 'after' and world:node(1):read 'm/k' == 'before')\n"
        "n:crash() n:restart()\n"
        "assert(n:read 'm/k' == 'after' and n:conflicts()[1].policy == 'merge')");
}

static void what_cannot_be_merged_reads_as_the_greatest_and_says_so(void **state) {
  gives(state, "function(key, values) return nil end",
        "assert(value ~= nil and status == 'SYNC_E_MERGE')\n"
        "assert(not world:node(2):list('m/')[1].merged)");
  gives(state, "function(key, values) return ('v'):rep(65537) end", "assert(value and status == 'SYNC_E_TOO_BIG')");
  gives(state, "function(key, values) return ('v'):rep(65536) end", "assert(#value == 65536 and status == 'SYNC_OK')");
}

static void one_that_goes_by_the_order_is_told_with_both_orders(void **state) {
  is_wrong(state, "function(key, values) return values[1] end",
           "file.lua:2: the merge function goes by the order of its values: of key \"m/k\", { \"b\", \"c\" } gives "
           "\"b\", and { \"c\", \"b\" } gives \"c\"");
  /* In the middle of three: only turning them shows it. */
  is_wrong(state, "function(key, values) return #values == 3 and values[2] or '' end",
           "file.lua:2: the merge function goes by the order of its values: of key \"m/k\", { \"b\", \"a\", \"c\" } "
           "gives \"a\", and { \"a\", \"c\", \"b\" } gives \"c\"");
}

static void one_that_remembers_is_told(void **state) {
  is_wrong(
      state, "(function() local n = 0 return function() n = n + 1 return tostring(n) end end)()",
      "file.lua:2: the merge function remembers what it did: of key \"m/k\", { \"b\", \"c\" } gave \"1\", and then "
      "\"2\"");
}

static void an_error_in_it_is_the_scripts_and_no_pcall_hides_it(void **state) {
  is_wrong(state, "function(key, values)\n error 'oh no' end", "file.lua:3: oh no");
  is_wrong(state, "function(key, values) return #values end",
           "file.lua:2: the merge function returned a number: return a text, or nil where the values cannot be merged");
  struct script_fixture *fixture = *state;
  assert_int_equal(conflict(state, "function(key, values) return 'm' end",
                            "world:node(2):policy(sim.merge(function() error 'hidden' end), 'm/')\n"
                            "pcall(function() return world:node(2):read 'm/k' end) world:sleep '1s'"),
                   SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text, "file.lua:12: hidden");
}

static void one_that_waits_acts_or_looks_elsewhere_is_told(void **state) {
  is_wrong(state, "function() coroutine.yield() end", "file.lua:2: attempt to yield from outside a coroutine");
  struct script_fixture *fixture = *state;
  assert_int_equal(conflict(state, "function(key, values) return 'm' end",
                            "world:node(2):policy(sim.merge(function() return world:now() end), 'm/')\n"
                            "world:node(2):read 'm/k'"),
                   SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text,
                      "file.lua:12: a merge function sees its key and its values, and nothing else: no world");
  assert_int_equal(conflict(state, "function(key, values) return 'm' end",
                            "local n = world:node(2)\n"
                            "n:policy(sim.merge(function() return n:read 'm/k' end), 'm/')\n"
                            "n:read 'm/k'"),
                   SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text,
                      "file.lua:13: a merge function sees its key and its values, and nothing else: no node");
}

static void one_that_never_ends_or_takes_all_memory_is_stopped(void **state) {
  is_wrong(state, "function(key, values) while true do end end",
           "file.lua:2: a merge function takes too long (an endless loop?)");
  is_wrong(state, "function(key, values) while true do pcall(function() while true do end end) end end",
           "file.lua:2: a merge function takes too long (an endless loop?)");
  is_wrong(state, "function(key, values)\n local all = {} for i = 1, 1000000 do all[i] = {} end end",
           "file.lua:3: a merge function takes too long (an endless loop?)");
}

/* Oracles read conflicts all the time, while no script runs that would collect. */
static void many_merges_take_no_more_memory_than_a_few(void **state) {
  struct script_fixture *fixture = *state;
  assert_int_equal(
      script_run(
          fixture,
          "local sim = require 'sim'\n"
          "return sim.scenario { name = 'x', nodes = 3, duration = '60s',\n"
          "  workload = sim.kv { keys = 2, rate = '60/s', value = '1KiB' }, network = { delay = '20ms..200ms' },\n"
          "  policy = sim.merge(function(key, values)\n"
          "    local longest = ''\n"
          "    for _, v in ipairs(values) do if v .. v > longest .. longest then longest = v end end\n"
          "    return longest\n"
          "  end) }\n",
          1),
      SCENARIO_HELD);
}

static void what_is_no_function_and_too_many_are_told(void **state) {
  assert_string_equal(script_body(*state, "sim.merge('union')"),
                      "file.lua:2: write sim.merge(function(key, values) ... return value end)");
  assert_string_equal(script_body(*state, "for _ = 1, 17 do sim.merge(function() end) end"),
                      "file.lua:2: a scenario has at most 16 merge functions: make each once, not in a loop");
  assert_string_equal(
      script_body(*state, "world:node(1):policy(function() end)"),
      "file.lua:2: a policy is \"last_write_wins\", \"keep_local\", \"keep_remote\", \"manual\", "
      "\"merge_union\", \"merge_longest\", \"merge_greatest\" or sim.merge(function(key, values) ... end)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_key_reads_as_what_the_function_makes_of_its_values),
      TEST(a_function_set_while_a_run_goes_on_counts_from_then_on),
      TEST(what_cannot_be_merged_reads_as_the_greatest_and_says_so),
      TEST(one_that_goes_by_the_order_is_told_with_both_orders),
      TEST(one_that_remembers_is_told),
      TEST(an_error_in_it_is_the_scripts_and_no_pcall_hides_it),
      TEST(one_that_waits_acts_or_looks_elsewhere_is_told),
      TEST(one_that_never_ends_or_takes_all_memory_is_stopped),
      TEST(many_merges_take_no_more_memory_than_a_few),
      TEST(what_is_no_function_and_too_many_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
