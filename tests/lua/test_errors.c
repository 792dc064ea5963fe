/* A wrong scenario says where, what, and what would be right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/script_fixture.h"

static void file_says(void **state, const char *text, const char *message) {
  struct script_fixture *fixture = *state;
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_WRONG);
  assert_string_equal(fixture->result.error.text, message);
}

static void body_says(void **state, const char *body, const char *message) {
  assert_string_equal(script_body(*state, body), message);
}

#define HEAD "local sim = require \"sim\"\n"

static void policies_that_are_none_are_told_by_their_nearest_and_the_first_of_several(void **state) {
  file_says(state, HEAD "return sim.scenario { name = 'x', policy = 'keep_locale' }\n",
            "file.lua:2: there is no policy \"keep_locale\"; did you mean \"keep_local\"?");
  file_says(state, HEAD "return sim.scenario { name = 'x', policies = { b = 'keep_locale', a = 'manuel', c = 'x' } }\n",
            "file.lua:2: there is no policy \"manuel\"; did you mean \"manual\"?");
  file_says(state, HEAD "return sim.scenario { name = 'x', policies = { ['a'] = 'manual', [3] = 'manual' } }\n",
            "file.lua:2: the prefix of a policy is a text of 1 to 30 bytes, as \"key-0000001\" is");
}

/* They were blamed on the engine: no replica could have converged. */
static void settings_that_keep_nodes_apart_for_ever_are_refused(void **state) {
  file_says(state, HEAD "return sim.scenario { name = 'x', nodes = 4, engine = { peers_max = 2 } }\n",
            "file.lua:2: peers_max = 2 is less than the 3 peers that a node of this topology has: they could never "
            "converge");
  file_says(state, HEAD "return sim.scenario { name = 'x', nodes = 2, settle = '0s' }\n",
            "file.lua:2: settle = \"0s\" leaves no time to converge in; give some, or leave it out");
  struct script_fixture *fixture = *state;
  assert_int_equal(script_run(fixture,
                              HEAD "return sim.scenario { name = 'x', nodes = 4, topology = 'ring', duration = '1s', "
                                   "disk = { handles = 1 }, engine = { peers_max = 2 } }\n",
                              1),
                   SCENARIO_HELD); /* handles are a fault, and end with the faults */
}

static void a_syntax_error_names_its_line(void **state) {
  file_says(state, HEAD "return sim.scenario {\n  name = \"x\"\n  nodes = 3,\n}\n",
            "file.lua:4: '}' expected (to close '{' at line 2) near 'nodes'");
}

static void an_unknown_option_names_the_nearest(void **state) {
  file_says(state,
            HEAD
            "return sim.scenario {\n  name = \"x\",\n  network = {\n    delay = \"1ms\",\n    los = \"1%\",\n  },\n}\n",
            "file.lua:6: network has no option \"los\"; did you mean \"loss\"?");
  file_says(state, HEAD "return sim.scenario { name = \"x\",\n nodse = 3 }",
            "file.lua:3: sim.scenario has no option \"nodse\"; did you mean \"nodes\"?");
  file_says(state, HEAD "local w = sim.kv { kyes = 3 }",
            "file.lua:2: sim.kv has no option \"kyes\"; did you mean \"keys\"?");
  file_says(state, HEAD "return sim.scenario { name = \"x\", engine = {\n batchsize = 3 } }",
            "file.lua:3: engine has no option \"batchsize\"; did you mean \"batch_size\"?");
}

static void of_two_unknown_options_the_first_by_name_is_told(void **state) {
  for (int i = 0; i < 20; i++)
    file_says(
        state, HEAD "return sim.scenario { name = \"x\", zzzzzz = 1, qqqqqq = 2, yyyyyy = 3 }",
        "file.lua:2: sim.scenario has no option \"qqqqqq\"; it has: name, story, nodes, spares, topology, duration, "
        "settle, absent, choices, workload, network, disk, engine, policy, policies, node_options, shuffle, faults, "
        "swarm, "
        "vary, "
        "must_fail, expects, run, "
        "properties, variants, without, tags");
}

static void a_wrong_unit_names_the_right_ones(void **state) {
  file_says(state, HEAD "return sim.scenario { name = \"x\",\n  duration = \"60sec\" }",
            "file.lua:3: sim.scenario.duration: \"60sec\" has the unknown unit \"sec\": write a duration like \"60s\" "
            "(units: ns, us, ms, s, min, h)");
  file_says(state, HEAD "return sim.scenario { name = \"x\", network = { loss = \"1\" } }",
            "file.lua:2: network.loss: \"1\" has no unit: write a share like \"1%\" (units: %, ppm)");
  file_says(state, HEAD "return sim.scenario { name = \"x\", network = { delay = 5 } }",
            "file.lua:2: network.delay is the bare number 5: write a delay like \"5ms\", \"5ms..50ms\" or "
            "\"5ms mean 20ms\"");
}

static void a_value_outside_its_range_names_the_range(void **state) {
  file_says(state, HEAD "return sim.scenario { name = \"x\", nodes = 65 }",
            "file.lua:2: sim.scenario.nodes is outside its range: 1 to 64");
  file_says(state, HEAD "return sim.scenario { name = \"x\", nodes = -1 }",
            "file.lua:2: sim.scenario.nodes is outside its range: 1 to 64");
  file_says(state, HEAD "local w = sim.kv { value = \"8B..64B\" }",
            "file.lua:2: sim.kv.value is outside its range: 16 to 1048576 bytes");
  file_says(state, HEAD "return sim.scenario { name = \"x\", disk = { sector = \"700B\" } }",
            "file.lua:2: disk.sector must be \"512B\", \"1KiB\", \"2KiB\" or \"4KiB\"");
}

static void a_wrong_type_or_word_names_the_right_one(void **state) {
  file_says(state, HEAD "return sim.scenario { name = \"x\", nodes = \"3\" }",
            "file.lua:2: sim.scenario.nodes is a string: write a whole number");
  file_says(state, HEAD "return sim.scenario { name = \"x\", topology = \"star fish\" }",
            "file.lua:2: sim.scenario.topology cannot be \"star fish\": write one of \"mesh\", \"line\", \"ring\", "
            "\"star\", \"random\"");
  file_says(state, HEAD "return sim.scenario { name = \"x\", disk = { on_crash = \"strickt\" } }",
            "file.lua:2: disk.on_crash cannot be \"strickt\"; did you mean \"strict\"? (\"adversarial\", \"ordered\", "
            "\"strict\")");
  file_says(state, HEAD "return sim.scenario { name = \"x\", workload = { keys = 3 } }",
            "file.lua:2: workload must be sim.kv { ... }, not a table");
  file_says(state, HEAD "return sim.scenario { name = \"x\", expects = { \"power_los\" } }",
            "file.lua:2: there is no fault \"power_los\"; did you mean \"power_loss\"?");
  file_says(state, HEAD "return sim.scenario { nodes = 3 }",
            "file.lua:2: sim.scenario needs a name: name = \"what must hold, in a few words\"");
  file_says(state, HEAD "local x = 1", "file.lua:1: the file must end in: return sim.scenario { ... }");
  file_says(state, HEAD "return sim.scenaro {}", "file.lua:2: sim has no \"scenaro\"; did you mean \"scenario\"?");
}

static void a_missing_method_names_the_nearest(void **state) {
  body_says(state, "world:slep '1s'", "file.lua:2: world has no method \"slep\"; did you mean \"sleep\"?");
  body_says(state, "world:node(1):cras()", "file.lua:2: node has no method \"cras\"; did you mean \"crash\"?");
  body_says(state, "world.sleep '1s'",
            "file.lua:2: expected world, got string (call methods with a colon: "
            "world:method(...))");
  body_says(state, "local x = world:stats().timeuots",
            "file.lua:2: there is no counter \"timeuots\"; did you mean \"timeouts\"?");
  body_says(state, "local x = tabel", "file.lua:2: no global \"tabel\"; did you mean \"table\"?");
}

static void a_wrong_call_names_its_line(void **state) {
  body_says(state, "\nworld:sleep(5)", "file.lua:3: 5 has no unit: write a duration like \"5s\" or \"20ms\"");
  body_says(state, "world:node(3)", "file.lua:2: there is no node 3: the scenario has nodes 1 to 2");
  body_says(state, "world:partition({ 1 }, { 1, 2 })", "file.lua:2: node 1 is in both groups");
  body_says(state, "world:node(1):crash { withn = 3 }",
            "file.lua:2: node:crash has no option \"withn\"; did you mean \"within\"?");
  body_says(state, "world:node(1):crash { within = 3, at = 2 }", "file.lua:2: node:crash takes one of within and at");
  body_says(
      state, "world:node(1):crash { at = { call = 'unlnk' } }",
      "file.lua:2: node:crash: call is one of changes, all, open, close, read, write, truncate, size, rename, unlink, "
      "list, fsync_file, fsync_dir, alloc, free, clock, unique, pick, send");
  body_says(state, "world:node(1):crash { at = { nth = 2 } }",
            "file.lua:2: node:crash: at needs call = \"unlink\" or its like");
  body_says(state, "world:node(1):restart { crash_at = 'write' }",
            "file.lua:2: node:restart: crash_at is a number of calls, or { call = \"unlink\", nth = 2 }");
  body_says(state, "world:node(1):clock { step = '5' }",
            "file.lua:2: node:clock.step: \"5\" has no unit: write a duration like \"60s\" (units: ns, us, ms, s, min, "
            "h)");
  body_says(state, "world:fault('net_los')", "file.lua:2: there is no fault \"net_los\"; did you mean \"net_loss\"?");
  body_says(state, "world:link(1, 2) { los = '1%' }",
            "file.lua:2: network has no option \"los\"; did you mean \"loss\"?");
  body_says(state, "local x = nil\nx.y = 1", "file.lua:3: attempt to index a nil value (local 'x')");
  body_says(state, "error('mine')", "file.lua:2: mine");
  body_says(state, "error({})", "file.lua:2: the script raised an error that is no text");
  body_says(state, "world:spawn(function() error('later') end) world:sleep '1s'", "file.lua:2: later");
}

static void a_property_may_look_and_not_act(void **state) {
  static const char format[] = HEAD "return sim.scenario { name = \"x\", nodes = 1, properties = {\n%s } }";
  static const struct {
    const char *property, *message;
  } cases[] = {
      {"sim.always('p', function(w) w:node(1):crash() return true end)",
       "file.lua:3: node:crash: a property or condition may look, not act"},
      {"sim.always('p', function(w) w:sleep '1s' return true end)",
       "file.lua:3: world:sleep: a property or condition may look, not wait"},
      {"sim.always('p', function(w) return w:pick(3) == 1 end)",
       "file.lua:3: world:pick: a property or condition may look, not act"},
      {"sim.always('p', function(w) end)", "file.lua:3: the property \"p\" returned a nil: return true or false"},
      {"sim.always('p', function(w) return w.x.y end)",
       "file.lua:3: world has no method \"x\"; it has: sleep, now, between, pick, chance, spawn, wait_until, wait_for, "
       "on, "
       "node, nodes, add_node, "
       "partition, partition_one_way, isolate, partition_halves, partition_bridge, partition_ring, partition_random, "
       "flap, clog, swizzle, rule, heal_all, power_loss, forge, link, workload, stats, fault, drained, converged, "
       "check, log, "
       "fail"},
      {"sim.always(function(w) return true end)",
       "file.lua:3: write sim.always(\"name\", function(world) ... return true or false end)"},
      {"sim.eventually('p', 30, function(w) return true end)",
       "file.lua:3: 30 has no unit: write a duration like \"5s\" or \"20ms\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[1000];
    (void)snprintf(text, sizeof text, format, cases[i].property);
    file_says(state, text, cases[i].message);
  }
}

static void describing_gives_the_same_error(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = HEAD "return sim.scenario { name = 3 }";
  struct scenario_file *file = scenario_file_from("/a/long/path/to/wrong.lua", text, sizeof text - 1);
  struct scenario_info info;
  struct scenario_error error;
  assert_int_equal(scenario_describe(fixture->sim, file, &info, &error), -1);
  assert_string_equal(error.text, "/a/long/path/to/wrong.lua:2: sim.scenario.name is the bare number 3: write a text "
                                  "in quotes");
  scenario_file_free(file);
}

static void a_description_tells_what_to_expect(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = HEAD
      "return sim.scenario { name = 'a name', story = 'a story', nodes = 5, duration = '7s', settle = '9s',\n"
      "must_fail = 'durability', network = { loss = '1%' }, disk = { quota = '1MiB' }, expects = { 'wipe' },\n"
      "properties = { sim.always('a', function() return true end), sim.sometimes('b', function() return true end),\n"
      "sim.sometimes('c', function() return true end) } }";
  struct scenario_file *file = scenario_file_from("x.lua", text, sizeof text - 1);
  struct scenario_info info;
  struct scenario_error error;
  assert_int_equal(scenario_describe(fixture->sim, file, &info, &error), 0);
  assert_string_equal(info.name, "a name");
  assert_string_equal(info.story, "a story");
  assert_string_equal(info.must_fail, "durability");
  assert_int_equal(info.nodes, 5);
  assert_true(info.duration_ns == 7 * SIM_SECOND && info.settle_ns == 9 * SIM_SECOND);
  assert_int_equal(info.sometimes_count, 2);
  assert_string_equal(info.sometimes[0], "b");
  assert_string_equal(info.sometimes[1], "c");
  for (int i = 0; i < SIM_FAULT_COUNT; i++)
    assert_int_equal(info.expects[i], i == SIM_FAULT_NET_LOSS || i == SIM_FAULT_DISK_FULL || i == SIM_FAULT_WIPE);
  scenario_file_free(file);
}

static void a_file_that_cannot_be_read_sets_errno(void **state) {
  (void)state;
  assert_null(scenario_file_read("/nonexistent/file.lua"));
  assert_int_equal(errno, ENOENT);
  assert_null(scenario_file_read("/"));
  assert_int_equal(errno, EISDIR);
}

/* Whatever is in the file: an error or a run, never a crash. */
static void any_bytes_are_an_error_or_a_scenario(void **state) {
  struct script_fixture *fixture = *state;
  static const char *const words[] = {"local", "sim",   "=",     "require", "\"sim\"", "return",   "{",    "}",
                                      "(",     ")",     "nodes", "name",    ".",       "scenario", "kv",   "\n",
                                      "'x'",   "5",     "..",    "[[",      "--",      "end",      "then", "function",
                                      "if",    "while", "0.5",   "\\",      "\"",      "\1"};
  uint32_t x = 7;
  for (int round = 0; round < 3000; round++) {
    char text[300] = "";
    for (int i = 0; i < 25; i++) {
      x = x * 1664525u + 1013904223u;
      strcat(text, words[(x >> 16) % (sizeof words / sizeof *words)]);
      strcat(text, " ");
    }
    enum scenario_verdict verdict = script_run(fixture, text, 1);
    assert_true(verdict == SCENARIO_WRONG || verdict == SCENARIO_HELD);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_syntax_error_names_its_line),
      TEST(policies_that_are_none_are_told_by_their_nearest_and_the_first_of_several),
      TEST(settings_that_keep_nodes_apart_for_ever_are_refused),
      TEST(an_unknown_option_names_the_nearest),
      TEST(of_two_unknown_options_the_first_by_name_is_told),
      TEST(a_wrong_unit_names_the_right_ones),
      TEST(a_value_outside_its_range_names_the_range),
      TEST(a_wrong_type_or_word_names_the_right_one),
      TEST(a_missing_method_names_the_nearest),
      TEST(a_wrong_call_names_its_line),
      TEST(a_property_may_look_and_not_act),
      TEST(describing_gives_the_same_error),
      TEST(a_description_tells_what_to_expect),
      TEST(a_file_that_cannot_be_read_sets_errno),
      TEST(any_bytes_are_an_error_or_a_scenario),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
