/* Jobs as they travel: seed, overrides, reseeds and an end arrive, and are what the run is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <unistd.h>

#include "search/pool.h"

static const char TEXT[] =
    "local sim = require 'sim'\n"
    "return sim.scenario { name = 'test', nodes = 2, duration = '4s',\n"
    "workload = sim.kv { keys = 8, rate = '40/s' }, network = { delay = '1ms..20ms', loss = '3%' },\n"
    "run = function(world) world:sleep '1s' world:node(1):crash() world:sleep '1s' "
    "world:node(1):restart() end }\n";

static void a_job_arrives_as_it_was_sent(void **state) {
  (void)state;
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  struct sim_choice_table *table = sim_choice_table_create();
  for (uint64_t i = 0; i < 100; i++)
    assert_true(sim_choice_table_set(table, sim_tag(11, 2, i), i * i));
  assert_true(sim_choice_table_reseed(table, (struct sim_reseed){50, 77}));
  struct job sent = {.magic = JOB_MAGIC, .kind = JOB_RUN, .seed = 5, .overrides = table}, got;
  sent.until_events = 9;
  assert_true(job_write(ends[1], &sent));
  sent.overrides = NULL;
  assert_true(job_write(ends[1], &sent));
  assert_true(job_read(ends[0], &got));
  assert_int_equal(got.seed, 5);
  assert_int_equal(got.until_events, 9);
  assert_int_equal(sim_choice_table_count(got.overrides), 100);
  uint64_t outcome = 0;
  size_t reseeds = 0;
  assert_true(sim_choice_table_get(got.overrides, sim_tag(11, 2, 99), &outcome) && outcome == 99 * 99);
  assert_int_equal(sim_choice_table_reseeds(got.overrides, &reseeds)[0].seed, 77);
  assert_int_equal(reseeds, 1);
  sim_choice_table_destroy(got.overrides);
  assert_true(job_read(ends[0], &got));
  assert_null(got.overrides);
  (void)close(ends[1]);
  assert_false(job_read(ends[0], &got));
  (void)close(ends[0]);
  sim_choice_table_destroy(table);
}

static struct outcome run_in_worker(struct pool *pool, struct job job) {
  static struct pool_event event;
  job.kind = JOB_RUN;
  job.seed = 3;
  uint32_t place = pool_idle(pool, POOL_NONE);
  assert_true(pool_start(pool, place, &job));
  pool_wait(pool, 60 * SIM_SECOND, &event);
  assert_int_equal(event.news, POOL_REPLY);
  return event.outcome;
}

static void a_worker_runs_what_the_job_says(void **state) {
  (void)state;
  struct scenario_file *file = scenario_file_from("file.lua", TEXT, sizeof TEXT - 1);
  struct suite_options options;
  memset(&options, 0, sizeof options);
  struct pool *pool = pool_open(&file, 1, &options, 1, 60 * SIM_SECOND);
  assert_non_null(pool);
  struct outcome whole = run_in_worker(pool, (struct job){.kind = 0});
  assert_int_equal(whole.verdict, SUITE_HELD);
  struct sim_choice_table *table = sim_choice_table_create();
  assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_NODE_SKIP, 1, 0), 1));
  struct outcome alone = run_in_worker(pool, (struct job){.overrides = table});
  assert_int_equal(alone.verdict, SUITE_HELD);
  assert_int_equal(alone.faults[SIM_FAULT_POWER_LOSS].firings, 0); /* the node that would lose it is not there */
  assert_int_equal(whole.faults[SIM_FAULT_POWER_LOSS].firings, 1);
  struct outcome cut = run_in_worker(pool, (struct job){.until_ns = SIM_SECOND / 2});
  assert_int_equal(cut.simulated_ns, SIM_SECOND / 2);
  struct outcome shorter = run_in_worker(pool, (struct job){.duration_ns = 2 * SIM_SECOND});
  assert_in_range(shorter.simulated_ns, 2 * SIM_SECOND, 4 * SIM_SECOND - 1);
  struct outcome again = run_in_worker(pool, (struct job){.kind = 0});
  assert_true(outcome_equal(&whole, &again)); /* nothing stays */
  sim_choice_table_destroy(table);
  pool_close(pool);
  scenario_file_free(file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_job_arrives_as_it_was_sent),
      cmocka_unit_test(a_worker_runs_what_the_job_says),
  };
  return cmocka_run_group_tests_name("job", tests, NULL, NULL) != 0;
}
