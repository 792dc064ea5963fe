/* What a script says of the network and of strobing clocks reaches the world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/script_fixture.h"

/* Runs `body` in a world of `nodes` with these network options. */
static const struct scenario_result *run(struct script_fixture *fixture, uint32_t nodes, const char *network,
                                         const char *body, uint64_t seed) {
  static char text[4000];
  int size = snprintf(text, sizeof text,
                      "local sim = require 'sim'\n"
                      "return sim.scenario { name = 'test', nodes = %u, duration = '8s', network = { %s },\n"
                      "workload = sim.kv { keys = 4, rate = '30/s' },\n"
                      "engine = { ack_timeout = '300ms', retry_interval = '100ms', retry_cap = '500ms' },\n"
                      "run = function(world)\n%s\nend,\n"
                      "properties = { sim.eventually('equal', '30s', function(w) return w:converged() end) } }\n",
                      (unsigned)nodes, network, body);
  assert_in_range(size, 1, sizeof text - 1);
  if (script_run(fixture, text, seed) != SCENARIO_HELD)
    fail_msg("%s%s", fixture->result.error.text, fixture->result.violation.detail);
  return &fixture->result;
}

static void every_option_of_the_network_fires(void **state) {
  static const char options[] = "delay = '2ms mean 10ms', burst = '2%', burst_end = '25%', burst_loss = '90%', "
                                "clog = '1%', clog_time = '50ms..300ms', bandwidth = '20KiB/s', queue = 8";
  const struct scenario_result *result = run(*state, 3, options, "", 1);
  assert_true(result->faults[SIM_FAULT_NET_BURST].firings > 0);
  assert_true(result->faults[SIM_FAULT_NET_CLOG].firings > 0);
  assert_true(result->faults[SIM_FAULT_NET_BANDWIDTH].firings > 0);
  assert_true(result->faults[SIM_FAULT_NET_OVERFLOW].firings > 0);
}

static void enabled_faults_of_the_network_are_expected(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = "return require 'sim'.scenario { name = 'test', network = { burst = '1%', clog = '1%', "
                             "bandwidth = '1KiB/s', queue = '64KiB' } }";
  struct scenario_error error;
  struct scenario_info info;
  struct scenario_file *file = scenario_file_from("test.lua", text, sizeof text - 1);
  assert_non_null(file);
  assert_int_equal(scenario_describe(fixture->sim, file, &info, &error), 0);
  assert_true(info.expects[SIM_FAULT_NET_BURST] && info.expects[SIM_FAULT_NET_CLOG]);
  assert_true(info.expects[SIM_FAULT_NET_BANDWIDTH] && info.expects[SIM_FAULT_NET_OVERFLOW]);
  assert_false(info.expects[SIM_FAULT_NET_LOSS]);
  scenario_file_free(file);
}

static void every_shape_of_partition_cuts_and_heals(void **state) {
  static const char *const shapes[] = {
      "world:partition_halves()", "world:partition_bridge()",  "world:partition_bridge(2)",
      "world:partition_ring()",   "world:partition_random()",  "world:flap(1, { 2, 3, 4, 5 }, '100ms', '50ms..80ms')",
      "world:isolate(3)",         "world:partition({ 1 }, 2)", "world:partition_one_way(1, { 2, 3 })"};
  char body[700];
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
    (void)snprintf(body, sizeof body,
                   "local cut = %s\nworld:sleep '2s'\nlocal fired = world:fault 'net_partition'.firings\n"
                   "if fired == 0 then world:fail 'nothing was cut' end\ncut:heal()\nworld:sleep '100ms'\n"
                   "fired = world:fault 'net_partition'.firings\nworld:sleep '3s'\n"
                   "if world:fault 'net_partition'.firings > fired then world:fail 'not healed' end\ncut:heal()",
                   shapes[i]);
    for (uint64_t seed = 1; seed <= 5; seed++)
      (void)run(*state, 5, "delay = '1ms..5ms'", body, seed);
  }
}

/* Which links are cut while the script still runs: bit `to` of [from]. */
static void cuts_of(struct script_fixture *fixture, uint32_t nodes, const char *shape, uint64_t seed, uint32_t *cut) {
  char text[400];
  (void)snprintf(text, sizeof text,
                 "local sim = require 'sim' return sim.scenario { name = 'test', nodes = %u, duration = '2s', "
                 "run = function(world) %s end }",
                 (unsigned)nodes, shape);
  struct scenario_file *file = scenario_file_from("file.lua", text, strlen(text));
  struct scenario_options options = {.source = {.seed = seed}, .until_ns = SIM_SECOND};
  scenario_run(fixture->sim, file, &options, &fixture->result);
  assert_int_equal(fixture->result.verdict, SCENARIO_HELD);
  scenario_file_free(file);
  for (uint32_t from = 1; from <= nodes; from++) {
    cut[from] = 0;
    for (uint32_t to = 1; to <= nodes; to++)
      if (sim_link_is_cut(sim_world(fixture->sim), from, to)) cut[from] |= 1u << to;
  }
}

static uint32_t count_bits(uint32_t bits) {
  uint32_t count = 0;
  for (; bits != 0; bits &= bits - 1)
    count++;
  return count;
}

static void in_a_ring_each_node_sees_a_majority_of_its_own(void **state) {
  uint32_t cut[16], first[16] = {0};
  bool varies = false;
  for (uint32_t nodes = 4; nodes <= 9; nodes++)
    for (uint64_t seed = 1; seed <= 10; seed++) {
      cuts_of(*state, nodes, "world:partition_ring()", seed, cut);
      for (uint32_t i = 1; i <= nodes; i++) {
        uint32_t seen = nodes - count_bits(cut[i]);
        assert_in_range(seen, nodes / 2 + 1, nodes / 2 + 2);
        assert_true(seen < nodes);
        for (uint32_t j = 1; j <= nodes; j++) {
          assert_int_equal(cut[i] >> j & 1u, cut[j] >> i & 1u);
          /* Four in a ring: opposite nodes see each other's neighbours and not each other. */
          assert_true(i == j || cut[i] != cut[j]);
        }
        varies |= seed > 1 && cut[i] != first[i];
        if (seed == 1) first[i] = cut[i];
      }
    }
  assert_true(varies);
}

static void a_bridge_talks_to_both_halves_and_they_not_to_each_other(void **state) {
  uint32_t cut[16];
  for (uint32_t nodes = 3; nodes <= 7; nodes++)
    for (uint64_t seed = 1; seed <= 10; seed++) {
      cuts_of(*state, nodes, "world:partition_bridge(3)", seed, cut);
      assert_int_equal(cut[3], 0);
      uint32_t small = (nodes - 1) / 2, large = nodes - 1 - small, smalls = 0;
      for (uint32_t i = 1; i <= nodes; i++) {
        if (i == 3) continue;
        uint32_t others = count_bits(cut[i]);
        assert_true((others == small || others == large) && (cut[i] >> 3 & 1u) == 0);
        smalls += others == large;
      }
      assert_int_equal(smalls, small == large ? 2 * small : small);
      cuts_of(*state, nodes, "world:partition_halves()", seed, cut);
      for (uint32_t i = 1; i <= nodes; i++)
        assert_in_range(count_bits(cut[i]), nodes / 2, nodes - nodes / 2);
    }
}

static void a_clog_of_groups_is_healed_whole_and_alone(void **state) {
  (void)run(*state, 3, "delay = '1ms..5ms'",
            "local one, two = world:clog(1, { 2, 3 }), world:clog(2, 3)\nworld:sleep '1s'\none:heal()\n"
            "world:sleep '1s'\nlocal held = world:fault 'net_clog'.firings\nworld:node(1):put(1)\n"
            "world:sleep '1s'\nif world:fault 'net_clog'.firings == held then world:fail 'the other ended too' end\n"
            "two:heal()\nworld:sleep '100ms'\nheld = world:fault 'net_clog'.firings\nworld:sleep '1s'\n"
            "if world:fault 'net_clog'.firings > held then world:fail 'still clogged' end",
            1);
}

static void healing_all_ends_flaps_and_clogs_too(void **state) {
  (void)run(*state, 3, "delay = '1ms..5ms'",
            "local flap = world:flap(1, 2, '50ms', '50ms')\nlocal clog = world:clog({ 1, 2 }, 3)\nworld:sleep '2s'\n"
            "if world:fault 'net_clog'.firings == 0 then world:fail 'nothing waited' end\n"
            "world:heal_all()\nworld:sleep '100ms'\nlocal held = world:fault 'net_clog'.firings\n"
            "local cut = world:fault 'net_partition'.firings\nworld:sleep '2s'\nflap:heal() clog:heal()\n"
            "if world:fault 'net_clog'.firings > held then world:fail 'still clogged' end\n"
            "if world:fault 'net_partition'.firings > cut then world:fail 'still flapping' end",
            1);
}

static void rules_see_the_kinds_of_frames(void **state) {
  (void)run(*state, 2, "delay = '1ms'",
            "world:sleep '1s'\nlocal before = world:node(2):get(1)\n"
            "local r = world:rule { from = 1, to = 2, kind = 'ops', drop = true }\nworld:sleep '100ms'\n"
            "local applied, hellos = world:stats().applied, world:stats().hellos\n"
            "world:node(1):put(7)\nworld:sleep '1s'\n"
            "if world:node(2):get(7) then world:fail 'an operation came through' end\n"
            "if world:stats().hellos == hellos then world:fail 'greetings were dropped too' end\n"
            "r:remove()\nworld:sleep '2s'\n"
            "if not world:node(2):get(7) then world:fail 'the rule did not end' end\n"
            "local h = world:rule { kind = 'hello', hold = 2 }\nworld:sleep '1s'\n"
            "local d = world:rule { from = 2, delay = '200ms', count = 1 }\n"
            "local t = world:rule { duplicate = 2, after = '100ms' }\nworld:sleep '1s'\nh:remove()\n"
            "world:log(world:fault 'net_rule'.firings)",
            1);
}

static void a_strobe_jumps_as_often_as_it_is_told(void **state) {
  const struct scenario_result *result =
      run(*state, 2, "", "world:node(1):clock { strobe = '-200ms', every = '10ms', lasting = '1s' }", 1);
  /* At 0, 10, ... 990 ms; the hundredth jump was back. */
  assert_int_equal(result->faults[SIM_FAULT_CLOCK_STROBE].firings, 100);
}

static void a_swizzle_holds_messages_of_the_nodes_named(void **state) {
  const struct scenario_result *result = run(*state, 4, "delay = '1ms'", "world:swizzle('3s', { 1, 2 })", 1);
  assert_true(result->faults[SIM_FAULT_NET_CLOG].firings > 0);
  result = run(*state, 4, "delay = '1ms'", "world:swizzle '3s'", 2);
  assert_true(result->faults[SIM_FAULT_NET_CLOG].firings > 0);
}

static void wrong_settings_and_calls_are_named(void **state) {
  static const struct {
    const char *body, *error;
  } cases[] = {
      {"world:link(1, 2) { delay = '5ms mean 2ms' }", "has a mean that is not above its least"},
      {"world:link(1, 2) { delay = 5 }", "network.delay is the bare number 5"},
      {"world:link(1, 2) { bandwidth = '64KiB' }", "does not end in /s"},
      {"world:link(1, 2) { queue = -1 }", "1 to 1000000 messages"},
      {"world:link(1, 2) { queue = true }", "network.queue is a boolean"},
      {"world:link(1, 2) { bursts = '1%' }", "did you mean \"burst\""},
      {"world:rule { from = 1 }", "does one thing"},
      {"world:rule { drop = 1, hold = 1 }", "does one thing"},
      {"world:rule { drop = 0 }", "a number of messages, or true"},
      {"world:rule { drop = 1, count = 2 }", "write drop = 2"},
      {"world:rule { hold = 1, after = '1s' }", "after goes with duplicate"},
      {"world:rule { kind = 'helo', drop = 1 }", "did you mean \"hello\""},
      {"world:flap(1, 2, '0s', '1s')", "at least \"1us\""},
      {"world:flap(1, 1, '1s', '1s')", "in both groups"},
      {"world:partition_ring()", "needs 4 nodes"},
      {"world:partition_bridge()", "needs 3 nodes"},
      {"world:clog(1)", "write world:clog"},
      {"world:node(1):clock { strobe = '5' }", "node:clock.strobe"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *error = script_body(*state, cases[i].body);
    if (strstr(error, cases[i].error) == NULL) fail_msg("%s gave: %s", cases[i].body, error);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_option_of_the_network_fires),
      cmocka_unit_test(enabled_faults_of_the_network_are_expected),
      cmocka_unit_test(every_shape_of_partition_cuts_and_heals),
      cmocka_unit_test(in_a_ring_each_node_sees_a_majority_of_its_own),
      cmocka_unit_test(a_bridge_talks_to_both_halves_and_they_not_to_each_other),
      cmocka_unit_test(a_clog_of_groups_is_healed_whole_and_alone),
      cmocka_unit_test(healing_all_ends_flaps_and_clogs_too),
      cmocka_unit_test(rules_see_the_kinds_of_frames),
      cmocka_unit_test(a_strobe_jumps_as_often_as_it_is_told),
      cmocka_unit_test(a_swizzle_holds_messages_of_the_nodes_named),
      cmocka_unit_test(wrong_settings_and_calls_are_named),
  };
  return cmocka_run_group_tests_name("lua_network", tests, script_fixture_open, script_fixture_close) != 0;
}
