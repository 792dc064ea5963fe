/* Whole runs of the engine, in mid-sleep of their scripts: saved, restored,
 * branched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "tests/support/script_fixture.h"

static const char BUSY[] =
    "local sim = require 'sim'\n"
    "return sim.scenario { name = 'test', nodes = 3, duration = '4s', shuffle = true,\n"
    "workload = sim.kv { keys = 8, rate = '40/s', deletes = '10%' },\n"
    "network = { delay = '1ms..20ms', loss = '3%', duplicate = '3%', reorder = '5%' }, disk = { fsync = '1ms..20ms' "
    "},\n"
    "run = function(world)\n"
    "  local seen = {}\n"
    "  world:spawn(function(w) while true do w:sleep(w:between('10ms', '400ms')) seen[#seen + 1] = w:now()\n"
    "    w:log(table.concat(seen, ' ', math.max(1, #seen - 3))) end end)\n"
    "  for i = 1, 4 do\n"
    "    world:sleep(world:between('200ms', '700ms'))\n"
    "    local node = world:node(world:pick(3))\n"
    "    local cut = world:isolate(node)\n"
    "    node:crash { within = 50 }\n"
    "    world:wait_until(function() return not node:up() end, '300ms')\n"
    "    node:restart()\n"
    "    cut:heal()\n"
    "  end\n"
    "end,\n"
    "properties = { sim.eventually('equal', '30s', function(w) return w:converged() end) } }\n";

/* Much is left to do when faults stop. */
static const char HARD_END[] =
    "local sim = require 'sim'\n"
    "return sim.scenario { name = 'test', nodes = 3, duration = '2s', shuffle = true,\n"
    "workload = sim.kv { keys = 8, rate = '40/s' }, network = { delay = '1ms..20ms', loss = '3%' },\n"
    "run = function(world) world:sleep '300ms' world:isolate(1) world:sleep '1500ms' world:node(2):crash() end,\n"
    "properties = { sim.eventually('equal', '30s', function(w) return w:converged() end) } }\n";

#define STOPS 5u

static struct scenario_file *open_file(void) {
  struct scenario_file *file = scenario_file_from("file.lua", BUSY, sizeof BUSY - 1);
  assert_non_null(file);
  return file;
}

static void expect_equal(const struct scenario_result *a, const struct scenario_result *b) {
  assert_int_equal(a->verdict, b->verdict);
  assert_int_equal(a->trace_hash, b->trace_hash);
  assert_int_equal(a->events, b->events);
  assert_int_equal(a->simulated_ns, b->simulated_ns);
  assert_memory_equal(a->faults, b->faults, sizeof a->faults);
}

static void a_run_in_steps_is_the_whole_run(void **state) {
  struct script_fixture *fixture = *state;
  struct scenario_file *file = open_file();
  for (uint64_t seed = 1; seed <= 5; seed++) {
    struct scenario_options options = {.source = {.seed = seed}};
    struct scenario_result whole, steps;
    scenario_run(fixture->sim, file, &options, &whole);
    assert_int_equal(whole.verdict, SCENARIO_HELD);
    struct scenario_world *run = scenario_begin(fixture->sim, file, &options, &steps);
    assert_non_null(run);
    for (uint64_t at = 0; at < 20; at++)
      scenario_continue(run, at * 333 * SIM_MS);
    assert_int_equal(sim_now(sim_world(fixture->sim)), 4 * SIM_SECOND);
    scenario_finish(run, &steps);
    expect_equal(&whole, &steps);
    scenario_free(run);
  }
  scenario_file_free(file);
}

static void nested_checkpoints_restored_in_any_order_lead_to_the_same_verdict(void **state) {
  struct script_fixture *fixture = *state;
  struct sim_arena *arena = sim_arena(fixture->sim);
  struct scenario_file *file = open_file();
  struct sim_checkpoint *saved[STOPS];
  for (uint32_t i = 0; i < STOPS; i++)
    saved[i] = sim_checkpoint_create();
  for (uint64_t seed = 1; seed <= 4; seed++) {
    struct scenario_options options = {.source = {.seed = seed}};
    struct scenario_result whole, again;
    struct scenario_world *run = scenario_begin(fixture->sim, file, &options, &whole);
    assert_non_null(run);
    for (uint32_t i = 0; i < STOPS; i++) {
      scenario_continue(run, (i * 790 + seed * 13) * SIM_MS);
      assert_true(sim_checkpoint_save(saved[i], arena));
    }
    scenario_finish(run, &whole);
    assert_int_equal(whole.verdict, SCENARIO_HELD);
    static const uint32_t order[] = {4, 0, 2, 2, 1, 3, 0, 4};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
      sim_checkpoint_restore(saved[order[i]], arena);
      if (i % 3 == 0) { /* part of the way, and back again */
        scenario_continue(run, 3500 * SIM_MS);
        sim_checkpoint_restore(saved[order[i]], arena);
      }
      scenario_finish(run, &again);
      expect_equal(&whole, &again);
    }
    scenario_free(run);
  }
  for (uint32_t i = 0; i < STOPS; i++)
    sim_checkpoint_destroy(saved[i]);
  scenario_file_free(file);
}

/* Event by event from the end of the duration on: settling has many, the final word one for
 * each node and one before. */
static void a_run_interrupted_while_it_settles_or_is_judged_is_the_whole_run(void **state) {
  struct script_fixture *fixture = *state;
  struct sim_arena *arena = sim_arena(fixture->sim);
  struct scenario_file *file = scenario_file_from("file.lua", HARD_END, sizeof HARD_END - 1);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  for (uint64_t seed = 1; seed <= 2; seed++) {
    struct scenario_options options = {.source = {.seed = seed}};
    struct scenario_result whole, again;
    scenario_run(fixture->sim, file, &options, &whole);
    struct scenario_world *run = scenario_begin(fixture->sim, file, &options, &again);
    assert_non_null(run);
    scenario_continue(run, UINT64_MAX);
    uint64_t first = sim_events_run(sim_world(fixture->sim)), steps = 1;
    while (scenario_step(run, UINT64_MAX, 1))
      steps++;
    assert_int_equal(sim_events_run(sim_world(fixture->sim)), first + steps);
    scenario_finish(run, &again);
    expect_equal(&whole, &again);
    scenario_free(run);
    assert_true(steps > 30);
    const uint64_t at[] = {1, 2, steps / 3, steps / 2, steps - 4, steps - 3, steps - 2, steps - 1};
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
      run = scenario_begin(fixture->sim, file, &options, &again);
      scenario_continue(run, UINT64_MAX);
      assert_true(scenario_step(run, UINT64_MAX, at[i]));
      assert_true(sim_checkpoint_save(checkpoint, arena));
      for (int round = 0; round < 3; round++) {
        if (round == 1) (void)scenario_step(run, UINT64_MAX, 3);
        if (round > 0) sim_checkpoint_restore(checkpoint, arena);
        scenario_finish(run, &again);
        expect_equal(&whole, &again);
      }
      scenario_free(run);
    }
  }
  sim_checkpoint_destroy(checkpoint);
  scenario_file_free(file);
}

static void a_run_ends_after_so_many_events_or_faults_earlier(void **state) {
  struct script_fixture *fixture = *state;
  struct scenario_file *file = open_file();
  struct scenario_options options = {.source = {.seed = 3}, .until_events = 800};
  struct scenario_result result, stepped;
  scenario_run(fixture->sim, file, &options, &result);
  assert_int_equal(sim_events_run(sim_world(fixture->sim)), 800);
  struct scenario_world *run = scenario_begin(fixture->sim, file, &options, &stepped);
  assert_true(scenario_step(run, UINT64_MAX, 800));
  assert_true(result.trace_hash == sim_trace_hash(sim_world(fixture->sim)));
  scenario_free(run);
  options = (struct scenario_options){.source = {.seed = 3}};
  scenario_run(fixture->sim, file, &options, &stepped);
  options = (struct scenario_options){.source = {.seed = 3}, .duration_ns = 2 * SIM_SECOND};
  scenario_run(fixture->sim, file, &options, &result);
  assert_int_equal(result.verdict, SCENARIO_HELD);
  assert_true(result.simulated_ns >= 2 * SIM_SECOND && result.events < stepped.events);
  scenario_file_free(file);
}

static void a_branch_of_a_run_replays_from_its_recording(void **state) {
  struct script_fixture *fixture = *state;
  struct sim_arena *arena = sim_arena(fixture->sim);
  struct scenario_file *file = open_file();
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  struct sim_choice_table *record = sim_choice_table_create();
  struct sim_trace_log *log = sim_trace_log_create();
  struct scenario_options options = {.source = {.seed = 6, .record = record}, .trace = log};
  struct scenario_result branch, replay;
  struct scenario_world *run = scenario_begin(fixture->sim, file, &options, &branch);
  assert_non_null(run);
  scenario_continue(run, 1234 * SIM_MS);
  assert_true(sim_checkpoint_save(checkpoint, arena));
  struct sim_mark mark = sim_mark(fixture->sim);
  uint64_t hashes[4];
  for (uint64_t seed = 0; seed < 4; seed++) {
    sim_checkpoint_restore(checkpoint, arena);
    sim_rewind(fixture->sim, mark);
    struct sim_choice_source other = {.seed = 100 + seed, .record = record};
    sim_set_source(fixture->sim, &other);
    scenario_finish(run, &branch);
    assert_int_equal(branch.verdict, SCENARIO_HELD);
    hashes[seed] = branch.trace_hash;
    for (uint64_t before = 0; before < seed; before++)
      assert_true(hashes[before] != hashes[seed]);
  }
  struct sim_trace_log *other_log = sim_trace_log_create();
  struct scenario_options exact = {.source = {.seed = 6, .overrides = record, .rest = SIM_REST_CALM},
                                   .trace = other_log};
  scenario_run(fixture->sim, file, &exact, &replay);
  expect_equal(&branch, &replay);
  size_t index = 0;
  char text[1000];
  assert_false(sim_trace_diff(log, other_log, &index, text, sizeof text));
  scenario_free(run);
  sim_trace_log_destroy(other_log);
  sim_trace_log_destroy(log);
  sim_choice_table_destroy(record);
  sim_checkpoint_destroy(checkpoint);
  scenario_file_free(file);
}

static void a_wrong_scenario_does_not_begin(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = "return 1";
  struct scenario_file *file = scenario_file_from("file.lua", text, sizeof text - 1);
  struct scenario_options options = {.source = {.seed = 1}};
  assert_null(scenario_begin(fixture->sim, file, &options, &fixture->result));
  assert_int_equal(fixture->result.verdict, SCENARIO_WRONG);
  assert_non_null(strstr(fixture->result.error.text, "file.lua:1:"));
  scenario_file_free(file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, script_fixture_open, script_fixture_close)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_run_in_steps_is_the_whole_run),
      TEST(nested_checkpoints_restored_in_any_order_lead_to_the_same_verdict),
      TEST(a_run_interrupted_while_it_settles_or_is_judged_is_the_whole_run),
      TEST(a_run_ends_after_so_many_events_or_faults_earlier),
      TEST(a_branch_of_a_run_replays_from_its_recording),
      TEST(a_wrong_scenario_does_not_begin),
  };
  return cmocka_run_group_tests_name("checkpoint of scenarios", tests, NULL, NULL) != 0;
}
