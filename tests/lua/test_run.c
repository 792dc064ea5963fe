/* One world from birth to verdict: the same for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/script_fixture.h"

#define HEAD "local sim = require 'sim'\nreturn sim.scenario { name = 'test', nodes = 3, duration = '6s',\n"
#define WORKLOAD "workload = sim.kv { keys = 8, rate = '40/s', deletes = '10%' },\n"
#define BUSY                                                                                                           \
  HEAD WORKLOAD "network = { delay = '1ms..20ms', loss = '3%', reorder = '5%' }, disk = { fsync = '1ms..20ms' }, "     \
                "shuffle = true,\n"                                                                                    \
                "run = function(world)\n"                                                                              \
                "  world:spawn(function(w) while true do w:sleep(w:between('10ms', '400ms')) w:log('tick ' .. "        \
                "w:now()) end end)\n"                                                                                  \
                "  for i = 1, 5 do\n"                                                                                  \
                "    world:sleep(world:between('200ms', '700ms'))\n"                                                   \
                "    local node = world:node(world:pick(3))\n"                                                         \
                "    local cut = world:isolate(node)\n"                                                                \
                "    node:crash { within = 50 }\n"                                                                     \
                "    world:wait_until(function() return not node:up() end, '300ms')\n"                                 \
                "    local t = {} for k, v in pairs(world:stats()) do t[#t + 1] = k .. v end\n"                        \
                "    world:log(table.concat(t, ' '))\n"                                                                \
                "    node:restart()\n"                                                                                 \
                "    cut:heal()\n"                                                                                     \
                "  end\n"                                                                                              \
                "end,\n"                                                                                               \
                "properties = {\n"                                                                                     \
                "  sim.sometimes('it crashed', function(w) return w:fault('power_loss_in_call').firings > 0 end),\n"   \
                "  sim.sometimes('never', function(w) return w:stats().submits > 1000000 end),\n"                      \
                "  sim.eventually('equal', '30s', function(w) return w:converged() end) } }\n"

static uint64_t hash_of(struct script_fixture *fixture, const char *text, uint64_t seed) {
  enum scenario_verdict verdict = script_run(fixture, text, seed);
  if (verdict != SCENARIO_HELD)
    fail_msg("seed %d: %s%s", (int)seed, fixture->result.error.text, fixture->result.violation.detail);
  return fixture->result.trace_hash;
}

static void the_same_seed_gives_the_same_run(void **state) {
  for (uint64_t seed = 1; seed <= 10; seed++) {
    uint64_t first = hash_of(*state, BUSY, seed),
             script = ((struct script_fixture *)*state)->result.trace_hash_of[SIM_SUB_SCRIPT];
    (void)hash_of(*state, HEAD WORKLOAD "}", seed);
    assert_true(hash_of(*state, BUSY, seed) == first);
    assert_true(((struct script_fixture *)*state)->result.trace_hash_of[SIM_SUB_SCRIPT] == script);
  }
}

static void another_arena_gives_the_same_run(void **state) {
  uint64_t first = hash_of(*state, BUSY, 3);
  struct script_fixture other = {0};
  struct sim_options options = {.fill = 0x5a};
  other.sim = sim_open(&options);
  assert_non_null(other.sim);
  assert_true(hash_of(&other, BUSY, 3) == first);
  sim_close(other.sim);
}

static void another_seed_gives_another_run(void **state) {
  uint64_t seen[20];
  for (uint64_t seed = 0; seed < 20; seed++) {
    seen[seed] = hash_of(*state, BUSY, seed);
    for (uint64_t before = 0; before < seed; before++)
      assert_true(seen[before] != seen[seed]);
  }
}

static void the_path_of_the_file_does_not_reach_the_run(void **state) {
  struct script_fixture *fixture = *state;
  uint64_t hashes[2];
  static const char *const paths[] = {"a.lua",
                                      "/some/where/else/with/a/very/long/path/indeed/that/lua/would/cut/short/b.lua"};
  static const char text[] =
      HEAD "run = function(w) w:log(select(2, pcall(error, 'x', 1))) w:log(select(2, pcall(function() "
           "local x = nil + 1 end))) end }";
  for (int i = 0; i < 2; i++) {
    struct scenario_file *file = scenario_file_from(paths[i], text, sizeof text - 1);
    struct scenario_options options = {.source = {.seed = 1}};
    scenario_run(fixture->sim, file, &options, &fixture->result);
    assert_int_equal(fixture->result.verdict, SCENARIO_HELD);
    hashes[i] = fixture->result.trace_hash;
    scenario_file_free(file);
  }
  assert_true(hashes[0] == hashes[1]);
}

static void a_script_in_mid_sleep_goes_on_after_a_restore(void **state) {
  struct script_fixture *fixture = *state;
  struct scenario_file *file = scenario_file_from("file.lua", BUSY, sizeof BUSY - 1);
  struct scenario_options options = {.source = {.seed = 5}, .until_ns = 5 * SIM_SECOND};
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  scenario_run(fixture->sim, file, &options, &fixture->result);
  uint64_t whole = fixture->result.trace_hash;
  for (uint64_t at = 100; at < 4000; at += 371) {
    options.until_ns = at * SIM_MS;
    scenario_run(fixture->sim, file, &options, &fixture->result);
    assert_true(fixture->result.simulated_ns == options.until_ns);
    assert_true(sim_checkpoint_save(checkpoint, sim_arena(fixture->sim)));
    for (int round = 0; round < 2; round++) {
      (void)sim_run(fixture->sim, 5 * SIM_SECOND, UINT64_MAX);
      assert_true(sim_trace_hash(sim_world(fixture->sim)) == whole);
      sim_checkpoint_restore(checkpoint, sim_arena(fixture->sim));
    }
  }
  sim_checkpoint_destroy(checkpoint);
  scenario_file_free(file);
}

static void results_tell_what_became_true(void **state) {
  struct script_fixture *fixture = *state;
  (void)hash_of(fixture, BUSY, 1);
  assert_int_equal(fixture->result.sometimes_count, 2);
  assert_true(fixture->result.sometimes[0]);
  assert_false(fixture->result.sometimes[1]);
  assert_true(fixture->result.faults[SIM_FAULT_POWER_LOSS_IN_CALL].firings > 0);
  assert_true(fixture->result.events > 100 && fixture->result.peak_bytes > 100000);
  assert_true(fixture->result.simulated_ns >= 6 * SIM_SECOND);
}

static void violated(void **state, const char *text, const char *property, const char *detail) {
  struct script_fixture *fixture = *state;
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_VIOLATED);
  assert_string_equal(fixture->result.violation.property, property);
  assert_string_equal(fixture->result.violation.detail, detail);
}

static void properties_are_judged(void **state) {
  violated(state, HEAD "properties = { sim.always('early', function(w) return w:now() < 1234567890 end) } }", "early",
           "was false at 1.3s");
  violated(state, HEAD "settle = '1s', properties = { sim.eventually('late', '3s', function(w) return false end) } }",
           "late", "did not become true within 3s after faults stopped (looked until 9s)");
  violated(state, HEAD "run = function(w)\n w:sleep '1s' w:fail('as it must') end }", "test", "line 4: as it must");
  (void)hash_of(*state,
                HEAD "properties = { sim.eventually('held', '3s', function(w) return w:now() > 8000000000 end) } }", 1);
}

static void a_canary_that_promises_early_is_caught(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] =
      HEAD "workload = sim.kv { rate = '100/s', promise = 'submit' }, disk = { on_crash = 'strict', "
           "fsync = '10ms..40ms' },\nmust_fail = 'durability', run = function(w) for i = 1, 10 do "
           "w:sleep '200ms' w:node(1):put(1) w:node(1):crash() w:node(1):restart() end end }";
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_VIOLATED);
  assert_string_equal(fixture->result.violation.property, "durability");
}

/* The how manyth (from 0) tag of that kind and place in a recording. */
static struct sim_tag find(const struct sim_choice_table *record, uint32_t kind, uint32_t where, size_t number) {
  for (size_t i = 0; i < sim_choice_table_count(record); i++) {
    uint64_t outcome;
    struct sim_tag tag = sim_choice_table_at(record, i, &outcome);
    if (tag.kind == kind && tag.where == where && number-- == 0) return tag;
  }
  fail_msg("no such decision");
  return sim_tag(0, 0, 0);
}

/* What a run was, with one outcome overridden. */
static void run_with(struct script_fixture *fixture, const struct scenario_file *file, struct sim_tag tag,
                     uint64_t outcome) {
  struct sim_choice_table *table = sim_choice_table_create();
  assert_true(sim_choice_table_set(table, tag, outcome));
  struct scenario_options options = {.source = {.seed = 1, .overrides = table}};
  scenario_run(fixture->sim, file, &options, &fixture->result);
  sim_choice_table_destroy(table);
}

static void whatever_a_recording_names_can_be_left_out_or_cut_short(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] =
      HEAD "run = function(w) w:sleep '1s' local put, why = w:node(2):put(1) w:log(why) w:node(2):crash() w:sleep '1s' "
           "w:node(2):restart() if not put then w:fail(why) end w:sleep '500ms' if not w:node(2):up() then "
           "w:fail('down') end if w:now() < 2400000000 then w:fail('early') end end }";
  struct scenario_file *file = scenario_file_from("file.lua", text, sizeof text - 1);
  struct sim_choice_table *record = sim_choice_table_create();
  struct scenario_options options = {.source = {.seed = 1, .record = record}};
  scenario_run(fixture->sim, file, &options, &fixture->result);
  assert_int_equal(fixture->result.verdict, SCENARIO_HELD);
  uint64_t hash = fixture->result.trace_hash;
  struct scenario_options replay = {.source = {.seed = 1, .overrides = record, .rest = SIM_REST_CALM}};
  scenario_run(fixture->sim, file, &replay, &fixture->result);
  assert_true(fixture->result.trace_hash == hash);
  run_with(fixture, file, find(record, SIM_CHOICE_SCENARIO_SKIP, 2, 0), 1);
  assert_non_null(strstr(fixture->result.violation.detail, "LEFT_OUT"));
  run_with(fixture, file, find(record, SIM_CHOICE_SCENARIO_SKIP, 2, 1), 1);
  assert_non_null(strstr(fixture->result.violation.detail, "down"));
  run_with(fixture, file, find(record, SIM_CHOICE_SCENARIO_SLEEP, 0, 1), SIM_SECOND / 2);
  assert_non_null(strstr(fixture->result.violation.detail, "early"));
  run_with(fixture, file, find(record, SIM_CHOICE_SCENARIO_SLEEP, 0, 1), 5 * SIM_SECOND); /* never longer */
  assert_int_equal(fixture->result.verdict, SCENARIO_HELD);
  assert_true(fixture->result.trace_hash == hash);
  sim_choice_table_destroy(record);
  scenario_file_free(file);
}

/* So an edit moves only what is like it. */
static void an_act_is_named_by_its_task_its_call_and_its_node(void **state) {
  struct script_fixture *fixture = *state;
  static const char *const bodies[] = {
      "w:spawn(function(w) w:log(w:between('1ms', '9s')) end) w:node(2):crash { within = 90 } w:log(w:pick(1000))",
      "w:spawn(function(w) w:log(w:between('1ms', '9s')) end) w:log 'x' w:node(1):put(1) w:chance '5%' "
      "w:node(1):crash { within = 90 } w:node(2):crash { within = 90 } w:log(w:pick(1000))"};
  uint64_t outcomes[2][3];
  for (size_t i = 0; i < 2; i++) {
    char text[1000];
    int size = snprintf(text, sizeof text, "%s run = function(w) %s end }", HEAD, bodies[i]);
    struct scenario_file *file = scenario_file_from("file.lua", text, (size_t)size);
    struct sim_choice_table *record = sim_choice_table_create();
    struct scenario_options options = {.source = {.seed = 1, .record = record}};
    scenario_run(fixture->sim, file, &options, &fixture->result);
    assert_true(sim_choice_table_get(record, find(record, SIM_CHOICE_NODE_CRASH_CALL, 2, 0), &outcomes[i][0]));
    assert_true(sim_choice_table_get(record, find(record, SIM_CHOICE_SCENARIO, 0, i), &outcomes[i][1]));
    assert_true(sim_choice_table_get(record, find(record, SIM_CHOICE_SCENARIO, 0, i + 1), &outcomes[i][2]));
    sim_choice_table_destroy(record);
    scenario_file_free(file);
  }
  for (size_t i = 0; i < 3; i++)
    assert_true(outcomes[0][i] == outcomes[1][i]);
}

static uint64_t submits_of(struct script_fixture *fixture, struct sim_tag tag) {
  static const char text[] =
      "local sim = require 'sim' return sim.scenario { name = 'test', nodes = 4, topology = 'ring', duration = '3s', "
      "workload = sim.kv { keys = 8, rate = '40/s', writers = 3 }, run = function(w) w:sleep '1s' w:node(4):crash() "
      "w:sleep '1s' w:node(4):restart() w:sleep '990ms' w:log(string.format('%d', w:stats().submits)) "
      "if w:stats().submits ~= 118 then w:fail(string.format('submits %d', w:stats().submits)) end end }";
  struct scenario_file *file = scenario_file_from("file.lua", text, sizeof text - 1);
  run_with(fixture, file, tag, 1);
  scenario_file_free(file);
  if (fixture->result.verdict == SCENARIO_HELD) return 118;
  const char *said = strstr(fixture->result.violation.detail, "submits ");
  assert_non_null(said);
  return strtoull(said + strlen("submits "), NULL, 10);
}

static void a_submit_or_a_node_left_out_leaves_the_rest(void **state) {
  struct script_fixture *fixture = *state;
  uint64_t whole = submits_of(fixture, sim_tag(0, 0, 0));
  assert_in_range(whole, 100, 140);
  assert_int_equal(submits_of(fixture, sim_tag(SIM_CHOICE_WORKLOAD_SKIP, 0, UINT64_C(7) << 4)), whole - 1);
  assert_int_equal(submits_of(fixture, sim_tag(SIM_CHOICE_NODE_SKIP, 4, 0)), whole);
  assert_int_equal(fixture->result.faults[SIM_FAULT_POWER_LOSS].firings, 0);
  assert_true(submits_of(fixture, sim_tag(SIM_CHOICE_NODE_SKIP, 1, 0)) < whole - 20);
}

static void the_nodes_that_are_left_close_the_gap(void **state) {
  struct script_fixture *fixture = *state;
  static const char *const shapes[] = {"line", "ring", "star", "mesh", "random"};
  for (size_t i = 0; i < 5; i++) {
    char text[600];
    int size = snprintf(text, sizeof text,
                        "local sim = require 'sim' return sim.scenario { name = 'test', nodes = 4, topology = '%s', "
                        "duration = '2s', settle = '20s', workload = sim.kv { keys = 8 }, run = function(w) "
                        "w:sleep '1s' for n = 1, 4 do w:node(n):crash() w:node(n):restart() end end }",
                        shapes[i]);
    struct scenario_file *file = scenario_file_from("file.lua", text, (size_t)size);
    for (uint32_t node = 1; node <= 4; node++) {
      run_with(fixture, file, sim_tag(SIM_CHOICE_NODE_SKIP, node, 0), 1);
      assert_int_equal(fixture->result.verdict, SCENARIO_HELD);
      assert_true(fixture->result.simulated_ns < 10 * SIM_SECOND);
    }
    scenario_file_free(file);
  }
}

static void a_crash_point_is_a_call_and_its_ordinal(void **state) {
  struct script_fixture *fixture = *state;
  /* A put is one write; nothing else of this world writes. */
  assert_string_equal(
      script_body(
          fixture,
          "local a = world:node(1) world:sleep '1s'\n"
          "a:put(1) world:sleep '1ms' a:crash { at = { call = 'write', nth = 2 } }\n"
          "assert(a:put(1)) assert(a:up()) local put, why = a:put(2) assert(not put and not a:up()) a:restart()\n"
          "a:crash { within = 1, calls = 'truncate' } a:put(3) world:sleep '100ms' assert(a:up()) a:restart()\n"
          "a:crash { at = 1, calls = 'all' } a:put(3) assert(not a:up()) a:restart()\n"
          "a:crash { at = 1 } world:sleep '1us' a:put(4) assert(not a:up())\n"
          "assert(not a:restart { crash_at = { call = 'list' } }) assert(a:restart())"),
      "");
}

static void nodes_may_differ_in_engine_and_clock(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] =
      "local sim = require 'sim' return sim.scenario { name = 'test', nodes = 2, duration = '20s', "
      "engine = { value_max = '4KiB', store_max = '1MiB' }, "
      "node_options = { [2] = { engine = { store_max = '4KiB' }, clock = '-1h' } }, run = function(w) w:sleep '1s' "
      "for i = 1, 60 do assert(w:node(1):put(i, '128B')) end w:sleep '5s' "
      "local put, why = w:node(2):put(99, '1KiB') if not put then w:fail(why) end end }";
  assert_int_equal(script_run(fixture, text, 1), SCENARIO_VIOLATED);
  assert_non_null(strstr(fixture->result.violation.detail, "SYNC_E_FULL"));
  assert_int_equal(fixture->result.faults[SIM_FAULT_CLOCK_STEP].firings, 1);
  static const char wrong[] = "local sim = require 'sim' return sim.scenario { name = 'test', nodes = 2,\n"
                              "node_options = { [3] = { clock = '1h' } } }";
  assert_int_equal(script_run(fixture, wrong, 1), SCENARIO_WRONG);
  assert_non_null(strstr(fixture->result.error.text, "by numbers from 1 to 2"));
}

static void power_is_lost_everywhere_at_once_and_forged_frames_do_no_harm(void **state) {
  struct script_fixture *fixture = *state;
  assert_string_equal(script_body(fixture,
                                  "local a, b = world:node(1), world:node(2) a:put(1) world:sleep '500ms'\n"
                                  "world:forge(1, 2, 'hello') world:forge(2, 1, 'nonsense') world:sleep '1ms'\n"
                                  "assert(a:up() and b:up() and world:drained()) a:put(2) world:power_loss()\n"
                                  "assert(not a:up() and not b:up()) a:restart() b:restart()"),
                      "");
  assert_int_equal(fixture->result.faults[SIM_FAULT_POWER_LOSS].firings, 2);
}

static void a_varied_scenario_has_other_nodes_under_other_seeds(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = "local sim = require 'sim' return sim.scenario { name = 'test', nodes = 5, vary = true, "
                             "run = function(w) w:fail(string.format('%d nodes', #w:nodes())) end }";
  uint32_t seen[6] = {0};
  for (uint64_t seed = 1; seed <= 40; seed++) {
    assert_int_equal(script_run(fixture, text, seed), SCENARIO_VIOLATED);
    const char *nodes = strstr(fixture->result.violation.detail, " nodes");
    assert_true(nodes != NULL && nodes[-1] >= '2' && nodes[-1] <= '5');
    seen[nodes[-1] - '0']++;
  }
  for (size_t i = 2; i <= 5; i++)
    assert_in_range(seen[i], 1, 39);
}

static void an_override_leaves_one_act_out(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] =
      HEAD "run = function(w) w:sleep '1s' w:node(2):crash() w:sleep '1s' w:node(2):restart() end }";
  struct scenario_file *file = scenario_file_from("file.lua", text, sizeof text - 1);
  struct sim_choice_table *table = sim_choice_table_create(), *record = sim_choice_table_create();
  struct scenario_options options = {.source = {.seed = 1, .record = record}};
  uint64_t outcome;
  scenario_run(fixture->sim, file, &options, &fixture->result);
  uint64_t hash = fixture->result.trace_hash;
  assert_int_equal(fixture->result.faults[SIM_FAULT_POWER_LOSS].firings, 1);
  struct sim_tag act = find(record, SIM_CHOICE_SCENARIO, 2, 0);
  assert_true(sim_choice_table_get(record, act, &outcome) && outcome == 1);
  /* The recording replays ... */
  options.source = (struct sim_choice_source){.seed = 1, .overrides = record, .rest = SIM_REST_CALM};
  scenario_run(fixture->sim, file, &options, &fixture->result);
  assert_true(fixture->result.trace_hash == hash);
  /* ... and the one crash can be left out. */
  assert_true(sim_choice_table_set(table, act, 0));
  options.source = (struct sim_choice_source){.seed = 1, .overrides = table};
  scenario_run(fixture->sim, file, &options, &fixture->result);
  assert_int_equal(fixture->result.verdict, SCENARIO_HELD);
  assert_int_equal(fixture->result.faults[SIM_FAULT_POWER_LOSS].firings, 0);
  sim_choice_table_destroy(table);
  sim_choice_table_destroy(record);
  scenario_file_free(file);
}

static void a_swarm_leaves_out_half_of_the_faults(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = HEAD WORKLOAD "network = { loss = '5%', duplicate = '5%' }, swarm = true }";
  unsigned both = 0, none = 0, one = 0;
  for (uint64_t seed = 1; seed <= 40; seed++) {
    (void)hash_of(fixture, text, seed);
    bool loss = fixture->result.faults[SIM_FAULT_NET_LOSS].firings > 0;
    bool duplicate = fixture->result.faults[SIM_FAULT_NET_DUPLICATE].firings > 0;
    both += loss && duplicate;
    none += !loss && !duplicate;
    one += loss != duplicate;
  }
  assert_true(both >= 4 && none >= 4 && one >= 10);
}

static void every_method_does_what_it_says(void **state) {
  assert_string_equal(
      script_body(
          *state,
          "local a, b = world:node(1), world:node(2)\n"
          "assert(a == world:nodes()[1] and a:number() == 1 and a:up() and a:state() == 'up' and a:lives() >= 1)\n"
          "local ok, status = a:put(7, '100B') assert(ok and status == 'SYNC_OK')\n"
          "assert(a:get(7) and b:get(7) == nil and a:get(8) == nil)\n"
          "assert(a:outbox().size == 1 and world:stats().submits == 1)\n"
          "assert(world:wait_until(function() return world:drained() end, '10s') == true)\n"
          "assert(b:get(7) == a:get(7) and world:converged())\n"
          "b:delete(7) assert(b:get(7) == nil)\n"
          "assert(world:wait_until(function() return false end, '20ms') == false)\n"
          "local ns, text = world:now() assert(math.type(ns) == 'integer' and text:find('ms'))\n"
          "a:stop() assert(a:state() == 'down' and not a:up()) ok, status = a:put(1) assert(not ok)\n"
          "assert(status == 'SYNC_E_POWERED_OFF') assert(a:restart() and a:restart())\n"
          "a:crash { at = 1 } world:sleep '1ms' a:put(3) assert(not a:up()) a:restart()\n"
          "b:pause() assert(b:state() == 'paused') b:resume() assert(b:up())\n"
          "a:wipe() assert(not a:up()) a:restart() assert(a:calls() > 0 and a:disk_used() > 0)\n"
          "a:process_crash() a:restart() a:clock { step = '-1s', rate = '100ppm', freeze = true }\n"
          "b:backup() local x = b:get(7) b:put(9) b:restore() assert(not b:up()) b:restart() assert(b:get(7) == x)\n"
          "local function fails(f, text) local good, why = pcall(f) assert(not good and why:find(text, 1, true)) end\n"
          "fails(function() a:restore() end, 'has no backup') fails(function() a:memory_quota(5) end, '64KiB')\n"
          "fails(function() a:fail_alloc('x') end, 'whole number')\n"
          "a:memory_quota '1KiB' a:process_crash() assert(not a:restart() and a:state() == 'refused')\n"
          "a:memory_quota '0B' assert(a:restart()) a:fail_alloc(1) ok, status = a:put(11, '64KiB')\n"
          "assert(not ok and status == 'SYNC_E_NO_MEMORY' and a:get(11) == nil) assert(a:put(11, '64KiB'))\n"
          "a:fail_alloc(1) a:fail_alloc(0) assert(a:put(12, '64KiB'))\n"
          "a:disk { quota = '1MiB', fsync = '1ms', torn = 'never', overwrite = 'unsafe', rename = 'loose', "
          "fsync_names = true, erase_block = '8KiB', rot_running = '0%', latent = '0%', open_error = '0%' }\n"
          "local files = a:files() assert(#files > 0 and files[1].size > 0)\n"
          "assert(a:disk_flip(files[1].name, 7) and a:disk_flip(files[1].name, 7))\n"
          "assert(not a:disk_flip('no-such', 1) and not a:disk_flip(files[1].name, files[1].size * 8))\n"
          "assert(not a:disk_unreadable(files[1].name, 1000000)) fails(function() a:disk_flip(7, 1) end, "
          "'node:files')\n"
          "fails(function() a:disk_flip('x', -1) end, 'whole number')\n"
          "assert(world:fault('disk_unreadable').firings == 0 and b:disk_unreadable(b:files()[1].name, 0, 1))\n"
          "assert(world:fault('disk_unreadable').firings == 1)\n"
          "local cut = world:partition(a, { b }) cut:heal() cut:heal() world:partition_one_way({ 1 }, { 2 })\n"
          "world:heal_all() world:isolate(1):heal() world:link(1, 2) { loss = '50%' }\n"
          "for i = 1, 50 do local x = world:pick(3) assert(x >= 1 and x <= 3) end\n"
          "assert(world:pick { 'only' } == 'only' and world:chance '100%' and not world:chance '0%')\n"
          "assert(world:between('5ms', '5ms') == '5ms') world:check() world:log('a text longer than forty-eight bytes, "
          "so that it takes more than one step of the trace')\n"
          "local f = world:fault('power_loss_in_call') assert(f.firings == 1)\n"
          "world:spawn(function(w, x, y) w:log(x .. y) end, 'x', 'y')"),
      "");
}

/* No append could go on behind a sector that could not be read. */
static void a_log_whose_last_sector_went_bad_goes_on(void **state) {
  assert_string_equal(script_body(*state,
                                  "local a = world:node(1) for i = 1, 5 do a:put(i) end world:sleep '1500ms'\n"
                                  "local files = a:files() local last = files[#files] assert(last.size % 512 ~= 0)\n"
                                  "assert(a:disk_unreadable(last.name, last.size // 512))\n"
                                  "local taken = 0 for i = 1, 20 do if a:put(i) then taken = taken + 1 end end\n"
                                  "assert(taken >= 10) world:sleep '100ms' assert(#a:files() > #files and a:up())"),
                      "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(the_same_seed_gives_the_same_run),
      TEST(another_arena_gives_the_same_run),
      TEST(another_seed_gives_another_run),
      TEST(the_path_of_the_file_does_not_reach_the_run),
      TEST(a_script_in_mid_sleep_goes_on_after_a_restore),
      TEST(results_tell_what_became_true),
      TEST(properties_are_judged),
      TEST(a_canary_that_promises_early_is_caught),
      TEST(an_override_leaves_one_act_out),
      TEST(whatever_a_recording_names_can_be_left_out_or_cut_short),
      TEST(an_act_is_named_by_its_task_its_call_and_its_node),
      TEST(the_nodes_that_are_left_close_the_gap),
      TEST(a_crash_point_is_a_call_and_its_ordinal),
      TEST(nodes_may_differ_in_engine_and_clock),
      TEST(power_is_lost_everywhere_at_once_and_forged_frames_do_no_harm),
      TEST(a_varied_scenario_has_other_nodes_under_other_seeds),
      TEST(a_submit_or_a_node_left_out_leaves_the_rest),
      TEST(a_swarm_leaves_out_half_of_the_faults),
      TEST(every_method_does_what_it_says),
      TEST(a_log_whose_last_sector_went_bad_goes_on),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
