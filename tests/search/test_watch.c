/* The watchdog measures lack of progress: a world that is merely long goes on,
 * one that hangs in one step does not, and both are told of. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "search/outcome.h"
#include "search/suite.h"
#include "search/watch.h"

/* 1,500 steps, of a millisecond or so of real time each where the loops are so many as here. */
#define STEADY_LOOPS 60000u
#define STEADY                                                                                                         \
  "local sim = require \"sim\"\n"                                                                                      \
  "return sim.scenario { name = \"steady\", nodes = 2, duration = \"%s\", settle = \"1s\",\n"                          \
  "  run = function(world) for i = 1, 1500 do world:sleep \"1ms\"\n"                                                   \
  "    local n = 0 for j = 1, %u do n = n + j end end end }\n"
#define WATCHDOG_NS (400 * SIM_MS)

enum trouble { NO_TROUBLE, LOOP_IN_A_STEP, INTERRUPT };

struct troubled {
  enum trouble trouble;
  unsigned shown; /* how often a running world was shown */
  char told[800];
};

static void *boot(struct sim_node *node, const void *config) {
  (void)config;
  sim_timer_set(node, 0, 250 * SIM_MS);
  return node;
}
static void message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  (void)node, (void)state, (void)from, (void)bytes, (void)size;
}
static void timer(struct sim_node *node, void *state, uint32_t number) {
  (void)node, (void)state, (void)number;
  for (;;) {
    (void)usleep(1000);
  }
}
static void disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)state, (void)token, (void)result;
}
static void stop(struct sim_node *node, void *state) {
  (void)node, (void)state;
}
static const struct sim_node_kind looping_kind = {"looping", boot, message, timer, disk_done,
                                                  NULL,      stop, NULL,    NULL,  NULL};

static void before_run(void *arg, struct sim *sim, uint32_t scenario, uint64_t *seed) {
  const struct troubled *troubled = arg;
  (void)scenario;
  if (troubled->trouble == LOOP_IN_A_STEP) {
    const struct sim_config config = {.source = {.seed = *seed}};
    struct sim_world *world = sim_world_begin(sim, &config);
    (void)sim_node_boot(world, sim_node_add(world, &looping_kind, NULL, 0));
    (void)sim_run(sim, SIM_SECOND, UINT64_MAX);
  }
}

static void show(void *arg, const struct suite_progress *progress) {
  struct troubled *troubled = arg;
  if (progress->running_name == NULL) return;
  if (troubled->shown++ > 0) return; /* a second signal would end the program */
  (void)snprintf(troubled->told, sizeof troubled->told, "%s: %s", progress->running_name, progress->running_told);
  if (troubled->trouble == INTERRUPT) (void)kill(getpid(), SIGINT);
}

static struct scenario_file *steady(const char *duration, unsigned loops) {
  char text[600];
  (void)snprintf(text, sizeof text, STEADY, duration, loops);
  struct scenario_file *file = scenario_file_from("steady.lua", text, strlen(text));
  assert_non_null(file);
  return file;
}

static struct suite_options options_of(struct troubled *troubled) {
  struct suite_options options = {.seed_first = 1, .seed_last = 1, .jobs = 1, .watchdog_ns = WATCHDOG_NS};
  options.sim.fill = SIM_FILL_NONE;
  options.before_run = before_run;
  options.before_run_arg = troubled;
  options.progress = show;
  options.progress_arg = troubled;
  return options;
}

static struct suite_result *run(const struct scenario_file *file, const struct suite_options *options) {
  char error[256] = "";
  struct scenario_file *files[1] = {(struct scenario_file *)(uintptr_t)file};
  struct suite_result *result = suite_run_all(files, 1, options, error, sizeof error);
  if (result == NULL) fail_msg("%s", error);
  return result;
}

static void assert_says(const char *text, const char *what) {
  if (strstr(text, what) == NULL) fail_msg("\"%s\" does not say: %s", text, what);
}

static void a_world_that_comes_further_may_take_longer_than_the_watchdog(void **state) {
  (void)state;
  struct troubled troubled = {0};
  struct suite_options options = options_of(&troubled);
  options.slow_ns = WATCHDOG_NS;
  bool longer = false;
  /* However fast this machine is: a step that is doubled took less than a thousandth of what the watchdog gives. */
  for (unsigned loops = STEADY_LOOPS; !longer; loops *= 2) {
    struct scenario_file *file = steady("2s", loops);
    struct suite_result *result = run(file, &options);
    if (result->failure_count > 0) fail_msg("%s", result->failures[0].detail);
    assert_int_equal(result->runs[0].verdict, SUITE_HELD);
    assert_int_equal(result->exit_status, 0);
    longer = result->runs[0].real_ns > 2 * WATCHDOG_NS;
    if (longer) {
      assert_int_equal(result->slow_count, 1);
      assert_false(result->slow[0].stopped);
      assert_int_equal(result->slow[0].seed, 1);
      assert_int_equal(result->slow[0].others, 1); /* its repetition */
      assert_says(result->slow[0].told, "wake-ups of scripts and workloads");
    }
    suite_result_free(result);
    scenario_file_free(file);
  }
}

static void being_watched_changes_no_run(void **state) {
  (void)state;
  struct troubled troubled = {0};
  const struct suite_options options = options_of(&troubled);
  struct scenario_file *file = steady("2s", STEADY_LOOPS);
  struct suite_result *result = run(file, &options);
  struct sim *sim = sim_open(&options.sim);
  assert_non_null(sim);
  const struct scenario_options alone = {.source = {.seed = 1, .rest = SIM_REST_SEED}};
  struct outcome outcome;
  outcome_run(sim, file, &alone, NULL, NULL, &outcome);
  assert_int_equal(outcome.verdict, SUITE_HELD);
  assert_int_equal(result->runs[0].trace_hash, outcome.trace_hash);
  assert_int_equal(result->runs[0].events, outcome.events);
  sim_close(sim);
  suite_result_free(result);
  scenario_file_free(file);
}

static void a_step_without_end_is_a_hang_and_told_with_its_place(void **state) {
  (void)state;
  struct troubled troubled = {.trouble = LOOP_IN_A_STEP};
  const struct suite_options options = options_of(&troubled);
  struct scenario_file *file = steady("2s", STEADY_LOOPS);
  struct suite_result *result = run(file, &options);
  assert_int_equal(result->runs[0].verdict, SUITE_HARNESS);
  assert_int_equal(result->exit_status, 5);
  const struct suite_failure *failure = &result->failures[0];
  assert_string_equal(failure->property, "hang");
  assert_says(failure->detail, "no progress in 400ms of real time, in or after step 1 (of the timers) at n1");
  assert_says(failure->detail, "0.250 s of 2 s simulated, 1 step");
  assert_says(failure->detail, "--watchdog");
  suite_result_free(result);
  scenario_file_free(file);
}

static void a_suite_out_of_time_stops_the_long_world_and_tells_how_far_it_came(void **state) {
  (void)state;
  struct troubled troubled = {0};
  struct suite_options options = options_of(&troubled);
  options.time_ns = 200 * SIM_MS;
  struct scenario_file *file = steady("2s", STEADY_LOOPS);
  const uint64_t start = outcome_clock_ns();
  struct suite_result *result = run(file, &options);
  if (outcome_clock_ns() - start > 20 * SIM_SECOND) fail_msg("it was not stopped");
  assert_int_equal(result->runs[0].verdict, SUITE_NOT_RUN);
  assert_int_equal(result->failure_count, 0);
  assert_int_equal(result->slow_count, 1);
  assert_true(result->slow[0].stopped);
  assert_says(result->slow[0].told, " of 2 s simulated, ");
  assert_says(result->slow[0].told, " per second, ");
  suite_result_free(result);
  scenario_file_free(file);
}

static void a_world_under_way_is_shown_and_an_interruption_names_it(void **state) {
  (void)state;
  struct troubled troubled = {.trouble = INTERRUPT};
  struct suite_options options = options_of(&troubled);
  options.seed_last = 20;
  options.slow_ns = SIM_SECOND;
  char text[600];
  (void)snprintf(text, sizeof text, STEADY, "20s", STEADY_LOOPS);
  char *count = strstr(text, "1500");
  memcpy(count, "9999", 4);
  struct scenario_file *file = scenario_file_from("steady.lua", text, strlen(text));
  struct suite_result *result = run(file, &options);
  assert_true(result->interrupted);
  assert_true(troubled.shown >= 1);
  assert_says(troubled.told, "steady: ");
  assert_says(troubled.told, " of 20 s simulated, ");
  assert_int_equal(result->slow_count, 1);
  assert_true(result->slow[0].stopped);
  suite_result_free(result);
  scenario_file_free(file);
}

static void words_say_what_most_steps_are(void **state) {
  (void)state;
  char text[WATCH_TEXT_BYTES];
  struct sim_progress progress = {.steps = 1000, .now_ns = 22500 * SIM_MS};
  const struct job job = {.scenario_duration_ns = 20 * SIM_SECOND, .scenario_settle_ns = 30 * SIM_SECOND};
  progress.kinds[1] = 900; /* messages */
  progress.kinds[2] = 100;
  progress.sorts[1] = 700; /* HELLO */
  progress.sorts[2] = 150;
  watch_tell(&progress, &job, 2 * SIM_SECOND - SIM_MS, text, sizeof text);
  assert_string_equal(
      text, "20 s simulated and 2.500 s of at most 30 s of settling, 1000 steps, 500 per second, 90 % of them "
            "messages (HELLO 70 %, OPS 15 %)");
  progress = (struct sim_progress){0};
  watch_tell(&progress, &job, 0, text, sizeof text);
  assert_string_equal(text, "not one step of the world");
  char little[8];
  progress.steps = 5;
  watch_tell(&progress, &job, 0, little, sizeof little);
  assert_int_equal(strlen(little), 7);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_world_that_comes_further_may_take_longer_than_the_watchdog),
      cmocka_unit_test(being_watched_changes_no_run),
      cmocka_unit_test(a_step_without_end_is_a_hang_and_told_with_its_place),
      cmocka_unit_test(a_suite_out_of_time_stops_the_long_world_and_tells_how_far_it_came),
      cmocka_unit_test(a_world_under_way_is_shown_and_an_interruption_names_it),
      cmocka_unit_test(words_say_what_most_steps_are),
  };
  return cmocka_run_group_tests_name("watch", tests, NULL, NULL) != 0;
}
