/* Peers and nodes that come and go by a script. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/script_fixture.h"

#define SCENARIO(options, body)                                                                                        \
  "local sim = require 'sim'\nreturn sim.scenario { name = 'test', duration = '9s', " options                          \
  "workload = sim.kv { keys = 6, rate = '40/s', deletes = '10%' }, network = { delay = '1ms..5ms', loss = '1%' },\n"   \
  "engine = { segment = '8KiB', snapshot = '16KiB', retain = '8KiB', ack_timeout = '400ms', retry_interval = "         \
  "'150ms',\n"                                                                                                         \
  "  retry_cap = '500ms', max_retries = 2, probe_interval = '1s', sweep_interval = '200ms' },\n"                       \
  "run = function(world)\n" body "\nend }\n"

static void holds(void **state, const char *text, uint64_t seeds) {
  struct script_fixture *fixture = *state;
  for (uint64_t seed = 1; seed <= seeds; seed++)
    if (script_run(fixture, text, seed) != SCENARIO_HELD)
      fail_msg("seed %d: %s%s", (int)seed, fixture->result.error.text, fixture->result.violation.detail);
}

static void body_says(void **state, const char *body, const char *expected) {
  assert_string_equal(script_body(*state, body), expected);
}

static void a_removed_peer_gets_nothing_and_one_added_again_gets_all(void **state) {
  holds(state,
        SCENARIO("nodes = 2, ",
                 "local one, two = world:node(1), world:node(2)\n"
                 "world:sleep '1s' world:workload 'stop' world:sleep '1s'\n"
                 "if not one:remove_peer(2) then world:fail 'not removed' end\n"
                 "one:put(7, '64B')\nlocal sent = 0\n"
                 "world:on('sent', { from = 1, to = 2 }, function() sent = sent + 1 end)\nworld:sleep '2s'\n"
                 "if sent > 0 or two:get(7) or one:outbox().size > 0 then world:fail('sent ' .. sent) end\n"
                 "if not one:add_peer(2) or one:outbox().size == 0 then world:fail 'not added' end\n"
                 "if not world:wait_until(function() return two:get(7) == one:get(7) end, '2s') then world:fail "
                 "'late' end"),
        5);
}

/* What a script asked of a node that is down is done when it starts, and stays done. */
static void a_change_of_peers_outlives_crashes(void **state) {
  holds(state,
        SCENARIO("nodes = 3, ",
                 "world:sleep '500ms'\nlocal one = world:node(1)\none:crash()\n"
                 "if one:remove_peer(2) then world:fail 'done already?' end\nworld:node(2):remove_peer(1)\n"
                 "one:restart()\nlocal n = 0\n"
                 "world:on('sent', { from = 1, to = 2 }, function() n = n + 1 end)\nworld:sleep '1s'\n"
                 "one:process_crash() one:restart() world:sleep '1s'\nif n > 0 then world:fail(n) end"),
        5);
}

static void nodes_apart_are_judged_apart(void **state) {
  struct script_fixture *fixture = *state;
  holds(state, SCENARIO("nodes = 2, ", "world:sleep '1s' world:node(1):remove_peer(2)"), 5);
  /* ... and those that are not apart must be equal: nothing was excused. */
  static const char text[] =
      SCENARIO("nodes = 3, settle = '1s', ",
               "world:node(1):remove_peer(2) world:sleep '8990ms' world:node(1):put(1, '64B') world:isolate(3)");
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_HELD);
}

static void peers_may_change_at_any_moment(void **state) {
  holds(state,
        SCENARIO("nodes = 4, topology = 'ring', ",
                 "for i = 1, 8 do\nlocal a, b = world:pick(4), world:pick(4)\nif a ~= b then\n"
                 "world:node(a):remove_peer(b)\nworld:sleep(world:between('0s', '500ms'))\n"
                 "if world:chance '30%' then world:node(b):crash() end\n"
                 "if world:chance '50%' then world:node(b):remove_peer(a) end\n"
                 "world:sleep(world:between('0s', '400ms'))\nworld:node(b):restart()\nworld:node(b):retry(a)\n"
                 "if world:chance '70%' then world:node(a):add_peer(b) world:node(b):add_peer(a) end\nend end"),
        25);
}

static void a_spare_node_is_not_there_until_it_is_added(void **state) {
  holds(state,
        SCENARIO("nodes = 2, spares = 2, ",
                 "if #world:nodes() ~= 2 then world:fail(#world:nodes()) end\n"
                 "if world:node(3):restart() then world:fail 'it boots' end\n"
                 "world:sleep '1s'\nlocal three = world:add_node()\n"
                 "if three ~= world:node(3) or #world:nodes() ~= 3 or not three:up() then world:fail 'not there' end\n"
                 "world:sleep '1s' world:workload 'stop'\n"
                 "if not world:wait_until(function() return three:get(1) == world:node(1):get(1) and "
                 "world:converged() end, '3s') then world:fail 'late' end\n"
                 "local four = world:add_node { peers = { 3 } }\nlocal n = 0\n"
                 "world:on('sent', { from = 4, to = 1 }, function() n = n + 1 end)\n"
                 "world:on('sent', { from = 2, to = 4 }, function() n = n + 1 end)\nworld:sleep '1s'\n"
                 "if n > 0 or four:get(1) ~= three:get(1) then world:fail(n) end"),
        5);
}

static void every_shape_takes_a_node(void **state) {
#define GROWS(shape)                                                                                                   \
  SCENARIO("nodes = 3, spares = 2, topology = '" shape "', ",                                                          \
           "world:sleep '1s' world:add_node() world:sleep(world:between('0s', '1s'))\n"                                \
           "world:add_node() world:sleep '1s' world:node(1 + world:pick(2)):retire()")
  holds(state, GROWS("mesh"), 5);
  holds(state, GROWS("line"), 5);
  holds(state, GROWS("ring"), 5);
  holds(state, GROWS("star"), 5);
  holds(state, GROWS("random"), 5);
}

static void a_spare_node_that_never_comes_is_not_waited_for(void **state) {
  holds(state, SCENARIO("nodes = 1, spares = 3, ", "world:sleep '1s'"), 2);
}

static void retry_ends_parking(void **state) {
  holds(state,
        SCENARIO("nodes = 2, ",
                 "local cut = world:isolate(2)\nworld:wait_for('parked', { node = 1 }, '8s')\ncut:heal()\n"
                 "local before = world:now()\nif not world:node(1):retry(2) then world:fail 'no' end\n"
                 "local heard = world:wait_for('delivered', { to = 2 }, '100ms')\n"
                 "if not heard then world:fail 'not at once' end\n"
                 "world:node(2):remove_peer(1)\nif world:node(2):retry(1) then world:fail 'no peer' end\n"
                 "world:node(2):add_peer(1)"),
        3);
}

static void wrong_calls_are_told_by_line(void **state) {
  body_says(state, "world:node(1):add_peer(1)", "file.lua:2: node:add_peer: node 1 is no peer of itself");
  body_says(state, "\nworld:node(1):remove_peer(3)", "file.lua:3: there is no node 3: the scenario has nodes 1 to 2");
  body_says(state, "world:add_node()",
            "file.lua:2: world:add_node: no spare node is left: sim.scenario { spares = 2, ... } has so many");
  body_says(state, "world:add_node { peer = { 1 } }",
            "file.lua:2: world:add_node has no option \"peer\"; did you mean \"peers\"?");
  struct script_fixture *fixture = *state;
  (void)script_run(fixture, "return require 'sim'.scenario { name = 'x', nodes = 60,\nspares = 5 }", 1);
  assert_string_equal(fixture->result.error.text, "file.lua:2: nodes and spares are more than 64");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_removed_peer_gets_nothing_and_one_added_again_gets_all),
      cmocka_unit_test(a_change_of_peers_outlives_crashes),
      cmocka_unit_test(nodes_apart_are_judged_apart),
      cmocka_unit_test(peers_may_change_at_any_moment),
      cmocka_unit_test(a_spare_node_is_not_there_until_it_is_added),
      cmocka_unit_test(every_shape_takes_a_node),
      cmocka_unit_test(a_spare_node_that_never_comes_is_not_waited_for),
      cmocka_unit_test(retry_ends_parking),
      cmocka_unit_test(wrong_calls_are_told_by_line),
  };
  return cmocka_run_group_tests_name("members", tests, script_fixture_open, script_fixture_close) != 0;
}
