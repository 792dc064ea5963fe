/* Suites over worker processes: whatever happens in one world is that seed's
 * result, and the table depends on scenarios and seeds alone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "search/bundle.h"
#include "search/suite.h"
#include "tests/support/temp_directory.h"

#define CALM                                                                                                           \
  "local sim = require \"sim\"\n"                                                                                      \
  "return sim.scenario { name = \"calm\", nodes = 1, duration = \"1s\",\n"                                             \
  "  run = function(world) world:sleep(world:between(\"1ms\", \"500ms\")) end }\n"

/* What the workers do before some seeds, besides running them. */
struct mischief {
  uint64_t crash, hang, nonsense, interrupt; /* seeds; 0: never */
  uint64_t fatal_mod;                        /* seeds divisible by it fail an assertion in a node */
  uint64_t fatal_in_simulator;
  bool other_seed; /* another seed every time */
  char *key;       /* in the text of the scenario */
  uint64_t *calls; /* shared between processes */
};

static void *boot(struct sim_node *node, const void *config) {
  const struct sync_env *env = sim_node_env(node);
  (void)config;
  env->ops->fatal(env->ctx, "toy.c", 7, "two is three");
  return NULL;
}
static void message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  (void)node, (void)state, (void)from, (void)bytes, (void)size;
}
static void timer(struct sim_node *node, void *state, uint32_t number) {
  (void)node, (void)state, (void)number;
}
static void disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)state, (void)token, (void)result;
}
static void stop(struct sim_node *node, void *state) {
  (void)node, (void)state;
}
static const struct sim_node_kind fatal_kind = {"fatal", boot, message, timer, disk_done, NULL, stop, NULL, NULL, NULL};

static void write_nonsense(void) {
  char nonsense[256];
  memset(nonsense, 'x', sizeof nonsense);
  for (int fd = 3; fd < 32; fd++) {
    if (write(fd, nonsense, sizeof nonsense) < 0) continue;
  }
}

static void before_run(void *arg, struct sim *sim, uint32_t scenario, uint64_t *seed) {
  const struct mischief *mischief = arg;
  (void)scenario;
  if (mischief->crash != 0 && *seed == mischief->crash) (void)raise(SIGKILL);
  if (mischief->hang != 0 && *seed == mischief->hang) (void)pause();
  if (mischief->nonsense != 0 && *seed == mischief->nonsense) {
    write_nonsense();
    (void)pause();
  }
  if (mischief->interrupt != 0 && *seed == mischief->interrupt) (void)kill(getppid(), SIGINT);
  const bool in_node = mischief->fatal_mod != 0 && *seed % mischief->fatal_mod == 0;
  if (in_node || (mischief->fatal_in_simulator != 0 && *seed == mischief->fatal_in_simulator)) {
    const struct sim_config config = {.source = {.seed = *seed}};
    struct sim_world *world = sim_world_begin(sim, &config);
    if (!in_node) sim_fatal(world, "world.c", 9, "up is down");
    (void)sim_node_boot(world, sim_node_add(world, &fatal_kind, NULL, 0));
  }
  if (mischief->other_seed) *seed += ++*mischief->calls;
}

static struct suite_options suite_options(struct mischief *mischief, uint64_t seeds, uint32_t jobs) {
  struct suite_options options = {.seed_first = 1, .seed_last = seeds, .jobs = jobs};
  options.sim.fill = SIM_FILL_NONE;
  options.before_run = before_run;
  options.before_run_arg = mischief;
  return options;
}

static struct suite_result *run(const struct suite_options *options) {
  char error[256] = "";
  struct scenario_file *file = scenario_file_from("calm.lua", CALM, strlen(CALM));
  assert_non_null(file);
  struct suite_result *result = suite_run_all(&file, 1, options, error, sizeof error);
  if (result == NULL) fail_msg("%s", error);
  scenario_file_free(file);
  return result;
}

static size_t count_verdict(const struct suite_result *result, enum suite_verdict verdict) {
  size_t count = 0;
  for (size_t i = 0; i < result->run_count; i++) {
    count += result->runs[i].verdict == verdict;
  }
  return count;
}

static void all_seeds_hold_and_are_in_order(void **state) {
  (void)state;
  struct mischief none = {0};
  const struct suite_options options = suite_options(&none, 30, 2);
  struct suite_result *result = run(&options);
  assert_int_equal(result->run_count, 30);
  for (size_t i = 0; i < 30; i++) {
    assert_int_equal(result->runs[i].seed, i + 1);
    assert_int_equal(result->runs[i].verdict, SUITE_HELD);
    assert_int_not_equal(result->runs[i].trace_hash, 0);
  }
  assert_int_equal(result->failure_count, 0);
  assert_int_equal(result->scenarios[0].runs, 30);
  assert_int_equal(result->exit_status, 0);
  suite_result_free(result);
}

static void assert_equal_results(const struct suite_result *a, const struct suite_result *b) {
  assert_int_equal(a->run_count, b->run_count);
  for (size_t i = 0; i < a->run_count; i++) {
    assert_int_equal(a->runs[i].seed, b->runs[i].seed);
    assert_int_equal(a->runs[i].verdict, b->runs[i].verdict);
    assert_int_equal(a->runs[i].trace_hash, b->runs[i].trace_hash);
    assert_int_equal(a->runs[i].events, b->runs[i].events);
    assert_memory_equal(a->runs[i].faults, b->runs[i].faults, sizeof a->runs[i].faults);
  }
  assert_int_equal(a->failure_count, b->failure_count);
  for (size_t i = 0; i < a->failure_count; i++) {
    assert_int_equal(a->failures[i].seed, b->failures[i].seed);
    assert_int_equal(a->failures[i].same_signature, b->failures[i].same_signature);
    assert_string_equal(a->failures[i].property, b->failures[i].property);
    assert_string_equal(a->failures[i].detail, b->failures[i].detail);
    assert_string_equal(a->failures[i].history, b->failures[i].history);
  }
  assert_int_equal(a->exit_status, b->exit_status);
}

static void any_number_of_jobs_gives_the_same_table(void **state) {
  (void)state;
  struct mischief mischief = {.crash = 5, .fatal_mod = 7};
  struct suite_options options = suite_options(&mischief, 60, 1);
  struct suite_result *one = run(&options);
  assert_int_equal(count_verdict(one, SUITE_VIOLATED), 8);
  for (uint32_t jobs = 2; jobs <= 5; jobs++) {
    options.jobs = jobs;
    struct suite_result *many = run(&options);
    assert_equal_results(one, many);
    suite_result_free(many);
  }
  suite_result_free(one);
}

static void fail_fast_gives_the_same_table_for_any_number_of_jobs(void **state) {
  (void)state;
  struct mischief mischief = {.fatal_mod = 11};
  struct suite_options options = suite_options(&mischief, 60, 1);
  options.fail_fast = true;
  struct suite_result *one = run(&options);
  options.jobs = 4;
  struct suite_result *four = run(&options);
  assert_int_equal(count_verdict(one, SUITE_HELD), 10);
  assert_int_equal(count_verdict(one, SUITE_VIOLATED), 1);
  assert_int_equal(count_verdict(one, SUITE_NOT_RUN), 49);
  assert_equal_results(one, four);
  suite_result_free(one);
  suite_result_free(four);
}

static void a_killed_worker_is_one_failure_and_the_suite_goes_on(void **state) {
  (void)state;
  struct mischief mischief = {.crash = 5};
  const struct suite_options options = suite_options(&mischief, 20, 2);
  struct suite_result *result = run(&options);
  assert_int_equal(count_verdict(result, SUITE_HELD), 19);
  assert_int_equal(result->runs[4].verdict, SUITE_HARNESS);
  assert_int_equal(result->failure_count, 1);
  assert_string_equal(result->failures[0].property, "crash");
  assert_non_null(strstr(result->failures[0].detail, "signal 9"));
  assert_non_null(strstr(result->failures[0].detail, "it happened again"));
  assert_int_equal(result->exit_status, 5);
  suite_result_free(result);
}

static void a_hang_is_ended_by_the_watchdog(void **state) {
  (void)state;
  struct mischief mischief = {.hang = 3};
  struct suite_options options = suite_options(&mischief, 10, 2);
  options.watchdog_ns = 700 * SIM_MS;
  struct suite_result *result = run(&options);
  assert_int_equal(count_verdict(result, SUITE_HELD), 9);
  assert_int_equal(result->runs[2].verdict, SUITE_HARNESS);
  assert_string_equal(result->failures[0].property, "hang");
  assert_non_null(strstr(result->failures[0].detail, "no progress in 700ms"));
  assert_int_equal(result->exit_status, 5);
  suite_result_free(result);
}

static void nonsense_from_a_worker_is_not_believed(void **state) {
  (void)state;
  struct mischief mischief = {.nonsense = 2};
  const struct suite_options options = suite_options(&mischief, 5, 2);
  struct suite_result *result = run(&options);
  assert_int_equal(count_verdict(result, SUITE_HELD), 4);
  assert_int_equal(result->runs[1].verdict, SUITE_HARNESS);
  assert_non_null(strstr(result->failures[0].detail, "nonsense"));
  suite_result_free(result);
}

static void a_failed_assertion_in_a_node_is_a_violation(void **state) {
  (void)state;
  struct mischief mischief = {.fatal_mod = 4};
  const struct suite_options options = suite_options(&mischief, 7, 2);
  struct suite_result *result = run(&options);
  assert_int_equal(result->runs[3].verdict, SUITE_VIOLATED);
  assert_int_equal(count_verdict(result, SUITE_HELD), 6);
  assert_string_equal(result->failures[0].property, "assertion");
  assert_non_null(strstr(result->failures[0].detail, "toy.c:7"));
  assert_non_null(strstr(result->failures[0].detail, "two is three"));
  assert_int_equal(result->failures[0].node, 1);
  assert_int_equal(result->exit_status, 1);
  suite_result_free(result);
}

static void a_failed_assertion_in_the_simulator_is_the_harness_s(void **state) {
  (void)state;
  struct mischief mischief = {.fatal_in_simulator = 4};
  const struct suite_options options = suite_options(&mischief, 7, 2);
  struct suite_result *result = run(&options);
  assert_int_equal(result->runs[3].verdict, SUITE_HARNESS);
  assert_non_null(strstr(result->failures[0].detail, "world.c:9"));
  assert_int_equal(result->exit_status, 5);
  suite_result_free(result);
}

static void a_seed_that_runs_differently_the_second_time_is_not_deterministic(void **state) {
  (void)state;
  uint64_t *calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(calls != MAP_FAILED);
  struct mischief mischief = {.other_seed = true, .calls = calls};
  const struct suite_options options = suite_options(&mischief, 1, 2);
  struct suite_result *result = run(&options);
  assert_int_equal(result->runs[0].verdict, SUITE_NOT_DETERMINISTIC);
  assert_int_equal(result->failure_count, 1);
  assert_int_equal(result->exit_status, 4);
  suite_result_free(result);
  (void)munmap(calls, sizeof *calls);
}

/* Writes to another key every other time, long after the start. */
#define RESTLESS                                                                                                       \
  "local sim = require \"sim\"\n"                                                                                      \
  "return sim.scenario { name = \"restless\", nodes = 2, duration = \"6s\", workload = sim.kv { rate = \"500/s\" },\n" \
  "  run = function(world) world:sleep(\"4s\") world:node(1):put(70) end }\n"

static void write_another_key(void *arg, struct sim *sim, uint32_t scenario, uint64_t *seed) {
  struct mischief *mischief = arg;
  (void)sim, (void)scenario, (void)seed;
  if (mischief->key != NULL) *mischief->key = (char)('0' + ++*mischief->calls % 8);
}

static void the_first_step_that_differs_is_named_however_late_it_comes(void **state) {
  (void)state;
  uint64_t *calls = mmap(NULL, sizeof *calls, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(calls != MAP_FAILED);
  char error[256] = "";
  size_t size = 0;
  struct scenario_file *file = scenario_file_from("restless.lua", RESTLESS, strlen(RESTLESS));
  assert_non_null(file);
  /* Workers are copies of this process: what they write into the text is theirs. */
  char *text = (char *)(uintptr_t)scenario_file_text(file, &size);
  struct mischief mischief = {.key = strstr(text, "70") + 1, .calls = calls};
  struct suite_options options = suite_options(&mischief, 1, 2);
  options.before_run = write_another_key;
  struct suite_result *result = suite_run_all(&file, 1, &options, error, sizeof error);
  if (result == NULL) {
    fail_msg("%s", error);
    return;
  }
  assert_int_equal(result->runs[0].verdict, SUITE_NOT_DETERMINISTIC);
  assert_int_equal(result->failure_count, 1);
  const char *history = result->failures[0].history;
  const char *agree = strstr(history, "agree in the first ");
  assert_non_null(agree);
  uint64_t events = strtoull(agree + strlen("agree in the first "), NULL, 10);
  assert_in_range(events, 4096, 100000);
  assert_true(events % 1024 == 0);
  assert_non_null(strstr(history, "the runs differ first in a step of"));
  assert_non_null(strstr(history, "4.000000"));
  suite_result_free(result);
  scenario_file_free(file);
  (void)munmap(calls, sizeof *calls);
}

static void an_interruption_gives_the_verdict_so_far(void **state) {
  (void)state;
  struct mischief mischief = {.interrupt = 20};
  const struct suite_options options = suite_options(&mischief, 100000, 2);
  struct suite_result *result = run(&options);
  assert_true(result->interrupted);
  assert_int_equal(result->runs[0].verdict, SUITE_HELD);
  assert_int_equal(result->runs[99999].verdict, SUITE_NOT_RUN);
  assert_true(result->scenarios[0].runs >= 10);
  assert_int_equal(result->exit_status, 5);
  suite_result_free(result);
}

static void a_suite_without_time_runs_nothing_and_says_so(void **state) {
  (void)state;
  struct mischief none = {0};
  struct suite_options options = suite_options(&none, 10, 1);
  options.time_ns = 1;
  struct suite_result *result = run(&options);
  assert_int_equal(count_verdict(result, SUITE_NOT_RUN), 10);
  assert_int_equal(result->exit_status, 5);
  suite_result_free(result);
}

static void the_highest_seeds_can_be_run(void **state) {
  (void)state;
  struct mischief none = {0};
  struct suite_options options = suite_options(&none, 1, 2);
  options.seed_first = UINT64_MAX - 2;
  options.seed_last = UINT64_MAX;
  struct suite_result *result = run(&options);
  assert_int_equal(count_verdict(result, SUITE_HELD), 3);
  assert_true(result->runs[2].seed == UINT64_MAX);
  suite_result_free(result);
  char error[256];
  struct scenario_file *file = scenario_file_from("calm.lua", CALM, strlen(CALM));
  options.seed_first = 0;
  assert_null(suite_run_all(&file, 1, &options, error, sizeof error));
  assert_non_null(strstr(error, "split the seeds"));
  scenario_file_free(file);
}

static void a_failure_leaves_a_bundle(void **state) {
  (void)state;
  static const char *const names[] = {"scenario.lua", "manifest", "choices", "history"};
  struct temp_directory folder;
  struct mischief mischief = {.fatal_mod = 2};
  struct suite_options options = suite_options(&mischief, 3, 2);
  struct bundle bundle;
  char error[256];
  char path[600];
  temp_directory_init(&folder);
  options.bundles = folder.path;
  struct suite_result *result = run(&options);
  assert_int_equal(result->failure_count, 1);
  assert_non_null(strstr(result->failures[0].bundle, "/calm-2"));
  assert_true(bundle_is(result->failures[0].bundle));
  assert_true(bundle_read(result->failures[0].bundle, &bundle, error, sizeof error));
  assert_int_equal(bundle.seed, 2);
  assert_true(bundle.trace_hash == result->runs[1].trace_hash);
  assert_string_equal(bundle.scenario, "calm");
  assert_string_equal(bundle.path, "calm.lua");
  assert_string_equal(bundle.property, "assertion");
  assert_string_equal(bundle.command, "syncsim replay calm.lua --seed 2");
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    (void)snprintf(path, sizeof path, "%s/%s", result->failures[0].bundle, names[i]);
    assert_int_equal(unlink(path), 0);
  }
  suite_result_free(result);
  temp_directory_deinit(&folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_seeds_hold_and_are_in_order),
      cmocka_unit_test(any_number_of_jobs_gives_the_same_table),
      cmocka_unit_test(fail_fast_gives_the_same_table_for_any_number_of_jobs),
      cmocka_unit_test(a_killed_worker_is_one_failure_and_the_suite_goes_on),
      cmocka_unit_test(a_hang_is_ended_by_the_watchdog),
      cmocka_unit_test(nonsense_from_a_worker_is_not_believed),
      cmocka_unit_test(a_failed_assertion_in_a_node_is_a_violation),
      cmocka_unit_test(a_failed_assertion_in_the_simulator_is_the_harness_s),
      cmocka_unit_test(a_seed_that_runs_differently_the_second_time_is_not_deterministic),
      cmocka_unit_test(the_first_step_that_differs_is_named_however_late_it_comes),
      cmocka_unit_test(an_interruption_gives_the_verdict_so_far),
      cmocka_unit_test(a_suite_without_time_runs_nothing_and_says_so),
      cmocka_unit_test(the_highest_seeds_can_be_run),
      cmocka_unit_test(a_failure_leaves_a_bundle),
  };
  const int failed = cmocka_run_group_tests(tests, NULL, NULL);
  return failed != 0;
}
