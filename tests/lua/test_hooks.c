/* Functions of a script that run when something happens, and waiting for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/support/script_fixture.h"

#define SCENARIO(options, body)                                                                                        \
  "local sim = require 'sim'\nreturn sim.scenario { name = 'test', nodes = 3, duration = '6s', " options               \
  "workload = sim.kv { keys = 4, rate = '40/s' }, network = { delay = '2ms' }, disk = { fsync = '1ms..5ms' },\n"       \
  "engine = { ack_timeout = '300ms', retry_interval = '100ms', retry_cap = '500ms' },\n"                               \
  "run = function(world)\n" body "\nend }\n"

static void holds(void **state, const char *text) {
  struct script_fixture *fixture = *state;
  for (uint64_t seed = 1; seed <= 5; seed++)
    if (script_run(fixture, text, seed) != SCENARIO_HELD)
      fail_msg("seed %d: %s%s", (int)seed, fixture->result.error.text, fixture->result.violation.detail);
}

static void body_says(void **state, const char *body, const char *expected) {
  assert_string_equal(script_body(*state, body), expected);
}

/* What was held arrives at one instant; the first of it takes the receiver down. */
#define AT_ONE_INSTANT                                                                                                 \
  "local rule = world:rule { from = 1, to = 2, hold = true }\n"                                                        \
  "world:sleep '2s'\n"                                                                                                 \
  "local taken, lost, at = 0, 0, 0\n"                                                                                  \
  "world:on('delivered', { from = 1, to = 2 }, function() taken = taken + 1 end)\n"                                    \
  "world:on('lost', { from = 1, to = 2, why = 'receiver_down' }, function(w, event)\n"                                 \
  "  if event.at == at then lost = lost + 1 end end)\n"                                                                \
  "world:on('delivered', { to = 2, from = 1, nth = 1 }, function(w, event)\n"                                          \
  "  if w:now() ~= event.at then w:fail('late') end\n"                                                                 \
  "  at = event.at event.node:crash() end)\n"                                                                          \
  "rule:remove()\nworld:sleep '100ms'\n"                                                                               \
  "if taken ~= 1 or lost < 3 then world:fail(taken .. ' taken, ' .. lost .. ' lost') end\nworld:node(2):restart()"

static void a_hook_runs_before_all_that_waits_at_that_instant(void **state) {
  holds(state, SCENARIO("", AT_ONE_INSTANT));
  holds(state, SCENARIO("shuffle = true, ", AT_ONE_INSTANT));
}

static void a_node_dies_right_after_its_nth_fsync(void **state) {
  holds(state, SCENARIO("", "local done, begun = 0, 0\n"
                            "world:on('fsync_done', { node = 2 }, function() done = done + 1 end)\n"
                            "world:on('fsync_done', { node = 2, nth = 7 }, function(w, event)\n"
                            "  if event.result ~= 'SYNC_OK' or event.nth ~= 7 then w:fail(event.result) end\n"
                            "  event.node:crash() end)\n"
                            "local down = world:wait_for('down', { node = 2 }, '5s')\n"
                            "if done ~= 7 or down.why ~= 'power_loss' then world:fail(done .. down.why) end\n"
                            "if down.node ~= world:node(2) then world:fail 'another node' end\n"
                            "world:sleep '100ms'\nworld:node(2):restart()"));
}

static void a_hook_is_a_task_and_may_sleep(void **state) {
  holds(state, SCENARIO("", "local back = 0\n"
                            "world:on('down', function(w, event) w:sleep '300ms' event.node:restart() back = back + 1 "
                            "end)\n"
                            "for i = 1, 3 do world:node(i):crash() end\nworld:sleep '1s'\n"
                            "if back ~= 3 or not world:node(1):up() then world:fail(back) end"));
}

static void nth_count_and_remove_end_a_hook(void **state) {
  holds(state, SCENARIO("", "local all, some, third = 0, 0, 0\n"
                            "local hook = world:on('sent', { from = 1, kind = 'ops' }, function() all = all + 1 end)\n"
                            "world:on('sent', { from = 1, kind = 'ops', count = 5 }, function() some = some + 1 end)\n"
                            "world:on('sent', { from = 1, kind = 'ops', nth = 3 }, function(w, event)\n"
                            "  third = third + 1 if all ~= 3 or event.nth ~= 3 then w:fail(all) end end)\n"
                            "world:sleep '2s'\nhook:remove()\nlocal before = all\nworld:sleep '2s'\nhook:remove()\n"
                            "if all ~= before or all < 6 or some ~= 5 or third ~= 1 then\n"
                            "  world:fail(all .. ' ' .. before .. ' ' .. some .. ' ' .. third) end"));
}

/* One that was removed at an instant at which it had still to run does not run. */
static void a_removed_hook_does_not_run_any_more(void **state) {
  holds(state, SCENARIO("", "local hooks, ran = {}, 0\n"
                            "for i = 1, 2 do hooks[i] = world:on('down', function() ran = ran + 1\n"
                            "  hooks[1]:remove() hooks[2]:remove() end) end\n"
                            "world:node(1):crash()\nworld:sleep '1s'\nworld:node(1):restart()\n"
                            "if ran ~= 1 then world:fail(ran) end"));
}

static void messages_are_told_by_kind_and_end(void **state) {
  holds(state,
        SCENARIO("", "local sent, got, lost = 0, 0, 0\n"
                     "local other = function(w, event) w:fail(event.what .. event.kind) end\n"
                     "world:on('sent', { from = 1, to = 3, kind = 'ops' }, function(w, e) sent = sent + 1\n"
                     "  if e.kind ~= 'ops' or e.from ~= 1 or e.to ~= 3 or e.size < 30 then other(w, e) end end)\n"
                     "world:on('delivered', { from = 1, to = 3, kind = 'ops' }, function(w, e) got = got + 1\n"
                     "  if e.kind ~= 'ops' or e.from ~= 1 or e.to ~= 3 then other(w, e) end end)\n"
                     "world:on('lost', { from = 1, to = 3, kind = 'ops' }, function(w, e) lost = lost + 1\n"
                     "  if e.why ~= 'net_partition' then w:fail(e.why) end end)\n"
                     "world:sleep '1s'\nlocal cut = world:isolate(3)\nworld:sleep '1s'\ncut:heal()\n"
                     "world:sleep '1s'\nworld:workload 'stop'\nworld:sleep '1s'\n"
                     "if sent ~= got + lost or lost == 0 or got < 5 then\n"
                     "  world:fail(sent .. ' ' .. got .. ' ' .. lost) end"));
}

static void steps_of_the_engine_are_told_by_their_names(void **state) {
  holds(state, SCENARIO("", "local peer = world:wait_for('apply', { node = 2, author = 1, nth = 2 }, '5s')\n"
                            "if peer.author ~= 1 or peer.seq ~= 2 or #peer.incarnation ~= 16 then world:fail 'apply' "
                            "end\n"
                            "world:node(3):stop()\n"
                            "local silent = world:wait_for('timeout', { node = 1, peer = 3 }, '5s')\n"
                            "if silent.peer ~= 3 or silent.retries ~= 1 then world:fail 'timeout' end\n"
                            "world:spawn(function(w) w:sleep '1s' w:node(3):restart() end)\n"
                            "local open = world:wait_for('open', '5s')\n"
                            "if open.status ~= 'SYNC_OK' or open.epoch ~= 2 then world:fail(open.status) end\n"
                            "if not world:wait_for('revived', { peer = 3 }, '5s') then world:fail 'revived' end"));
}

static void a_wait_ends_with_nil_when_its_time_is_over(void **state) {
  holds(state, SCENARIO("", "local before = world:now()\n"
                            "if world:wait_for('down', '700ms') ~= nil then world:fail 'who?' end\n"
                            "if world:now() - before ~= 700000000 then world:fail(world:now() - before) end\n"
                            "for i = 1, 200 do world:wait_for('down', '1ms') end\n"
                            "world:spawn(function(w) w:node(1):crash() w:node(1):restart() end)\n"
                            "local down = world:wait_for('down', '1s')\n"
                            "if not down or down.nth ~= 1 then world:fail 'not told' end"));
}

static void files_are_told_by_name(void **state) {
  holds(state, SCENARIO("", "local event = world:wait_for('file_written', { node = 1, file = 'wal-' }, '5s')\n"
                            "if event.size < 10 or event.file:sub(1, 4) ~= 'wal-' then world:fail(event.file) end\n"
                            "local n = 0 world:on('file_written', { file = 'nothing' }, function() n = n + 1 end)\n"
                            "world:on('fsync_done', { failed = true }, function() n = n + 1 end)\n"
                            "world:sleep '2s' if n > 0 then world:fail(n) end"));
}

static void a_fault_that_fires_is_told(void **state) {
  holds(state, SCENARIO("", "world:link(1, 2) { duplicate = '100%' }\n"
                            "local event = world:wait_for('fault', { why = 'net_duplicate', nth = 3 }, '5s')\n"
                            "if world:fault('net_duplicate').firings ~= 3 then world:fail 'not then' end"));
}

static void wrong_hooks_are_told_by_line(void **state) {
  body_says(state, "world:on('delivred', function() end)",
            "file.lua:2: world:on: there is no event \"delivred\"; did you mean \"delivered\"?");
  body_says(state, "\nworld:on('delivered', { form = 1 }, function() end)",
            "file.lua:3: world:on(\"delivered\") has no option \"form\"; did you mean \"from\"?");
  body_says(state, "world:on('boot', { kind = 'ops' }, function() end)",
            "file.lua:2: world:on(\"boot\") has no option \"kind\"; it has: node, nth, count");
  body_says(state, "world:on('delivered', { to = 3 }, function() end)",
            "file.lua:2: there is no node 3: the scenario has nodes 1 to 2");
  body_says(state, "world:on('down', { why = 'power_lost' }, function() end)",
            "file.lua:2: world:on(\"down\"): why cannot be \"power_lost\"; did you mean \"power_loss\"?");
  body_says(state, "world:on('down', { nth = 1, count = 2 }, function() end)",
            "file.lua:2: world:on(\"down\") takes one of nth and count");
  body_says(state, "world:on('down', { nth = 0 }, function() end)",
            "file.lua:2: world:on(\"down\").nth is outside its range: 1 to 1000000000");
  body_says(state, "world:on('down')",
            "file.lua:2: write world:on(\"delivered\", { to = 2, kind = \"ops\" }, function(world, event) ... end)");
  body_says(state, "world:wait_for('down')", "file.lua:2: write world:wait_for(\"boot\", { node = 2 }, \"10s\")");
  body_says(state, "world:wait_for('down', { count = 2 }, '1s')",
            "file.lua:2: world:wait_for waits for one event: count goes with world:on, write nth");
  body_says(state, "world:on('down', function(w, event)\nlocal x = event.whi end)\nworld:node(1):crash()\n",
            "file.lua:3: there is no field \"whi\"; did you mean \"why\"?");
  body_says(state, "world:on('down', function(w, event)\nw:node(9) end)\nworld:node(1):crash()\n",
            "file.lua:3: there is no node 9: the scenario has nodes 1 to 2");
  body_says(state, "world:wait_until(function(w) w:on('down', function() end) end, '1s')",
            "file.lua:2: world:on: a property or condition may look, not act");
}

static void hooks_are_bounded(void **state) {
  body_says(state, "for i = 1, 65 do\nworld:on('down', function() end) end",
            "file.lua:3: more than 64 hooks and waits at once");
  body_says(state, "for i = 1, 500 do local hook = world:on('down', function() end) hook:remove() end", "");
  body_says(state,
            "local node = world:node(1)\nworld:on('down', function() node:restart() end)\n"
            "world:on('boot', { node = 1 }, function() node:process_crash() end)\nnode:crash()",
            "file.lua:3: hooks fire more than 20000 times at one instant (does one cause what it waits for?)");
  body_says(state, "world:on('down', function()\nwhile true do end end)\nworld:node(1):crash()",
            "file.lua:3: the script takes too long without world:sleep (an endless loop?): more than 20 million steps "
            "in one go");
}

static void nothing_runs_once_faults_have_stopped(void **state) {
  holds(state, SCENARIO("", "world:node(2):crash()\nworld:on('boot', function(w) w:fail('at the end') end)"));
}

/* An override leaves out the hook as any act, and what it does as any other. */
static void a_hook_can_be_left_out(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = SCENARIO("", "world:on('fsync_done', { node = 2, nth = 4 }, function(w, event)\n"
                                          "event.node:crash() w:sleep '1s' event.node:restart() end)");
  struct sim_choice_table *record = sim_choice_table_create(), *without = sim_choice_table_create();
  struct scenario_file *file = scenario_file_from("file.lua", text, sizeof text - 1);
  struct scenario_options options = {.source = {.seed = 1, .record = record}};
  scenario_run(fixture->sim, file, &options, &fixture->result);
  assert_int_equal(fixture->result.faults[SIM_FAULT_POWER_LOSS].firings, 1);
  uint32_t acts = 0, faults = 0;
  for (size_t i = 0; i < sim_choice_table_count(record); i++) {
    uint64_t outcome;
    struct sim_tag tag = sim_choice_table_at(record, i, &outcome);
    bool act = tag.kind == SIM_CHOICE_SCENARIO_SKIP, fault = tag.kind == SIM_CHOICE_SCENARIO;
    if (!act && !fault) continue;
    acts += act, faults += fault;
    if (acts > 1) continue; /* the restart */
    sim_choice_table_clear(without);
    assert_true(sim_choice_table_set(without, tag, act ? 1 : 0));
    struct scenario_options edited = {.source = {.seed = 1, .overrides = without}};
    scenario_run(fixture->sim, file, &edited, &fixture->result);
    assert_int_equal(fixture->result.verdict, SCENARIO_HELD);
    assert_int_equal(fixture->result.faults[SIM_FAULT_POWER_LOSS].firings, 0);
  }
  assert_int_equal(acts, 2);
  assert_int_equal(faults, 1);
  sim_choice_table_destroy(record);
  sim_choice_table_destroy(without);
  scenario_file_free(file);
}

/* Checkpoints between a happening and the hook that it fires, too: a run in single events is the whole run. */
static void a_run_in_single_events_is_the_whole_run(void **state) {
  struct script_fixture *fixture = *state;
  static const char text[] = SCENARIO("shuffle = true, ", AT_ONE_INSTANT);
  struct scenario_file *file = scenario_file_from("file.lua", text, sizeof text - 1);
  struct scenario_options options = {.source = {.seed = 3}};
  struct scenario_result whole, steps;
  scenario_run(fixture->sim, file, &options, &whole);
  struct scenario_world *run = scenario_begin(fixture->sim, file, &options, &steps);
  struct sim_arena *arena = sim_arena(fixture->sim);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  assert_non_null(checkpoint);
  for (uint32_t i = 0; scenario_step(run, SIM_TIME_NEVER, 1); i++) {
    if (i % 10 != 0) continue;
    assert_true(sim_checkpoint_save(checkpoint, arena));
    (void)scenario_step(run, SIM_TIME_NEVER, 3);
    sim_checkpoint_restore(checkpoint, arena);
  }
  scenario_finish(run, &steps);
  assert_int_equal(whole.verdict, SCENARIO_HELD);
  assert_int_equal(steps.verdict, SCENARIO_HELD);
  assert_int_equal(whole.trace_hash, steps.trace_hash);
  sim_checkpoint_destroy(checkpoint);
  scenario_free(run);
  scenario_file_free(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_hook_runs_before_all_that_waits_at_that_instant),
      cmocka_unit_test(a_node_dies_right_after_its_nth_fsync),
      cmocka_unit_test(a_hook_is_a_task_and_may_sleep),
      cmocka_unit_test(nth_count_and_remove_end_a_hook),
      cmocka_unit_test(a_removed_hook_does_not_run_any_more),
      cmocka_unit_test(messages_are_told_by_kind_and_end),
      cmocka_unit_test(steps_of_the_engine_are_told_by_their_names),
      cmocka_unit_test(a_wait_ends_with_nil_when_its_time_is_over),
      cmocka_unit_test(files_are_told_by_name),
      cmocka_unit_test(a_fault_that_fires_is_told),
      cmocka_unit_test(wrong_hooks_are_told_by_line),
      cmocka_unit_test(hooks_are_bounded),
      cmocka_unit_test(nothing_runs_once_faults_have_stopped),
      cmocka_unit_test(a_hook_can_be_left_out),
      cmocka_unit_test(a_run_in_single_events_is_the_whole_run),
  };
  return cmocka_run_group_tests_name("hooks", tests, script_fixture_open, script_fixture_close) != 0;
}
