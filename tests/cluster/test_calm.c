/* Outcome 0 is calm: with every fault enabled, a world whose source is calm has
 * no fault, whatever lives in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/workload.h"
#include "tests/support/toy_world.h"

static struct sim_config everything(uint64_t seed, enum sim_choice_rest rest) {
  enum { OFTEN = 60000 };
  struct sim_config config = {
      .source = {.seed = seed, .rest = rest},
      .shuffle = true,
      .link = {.delay_min_ns = SIM_MS,
               .delay_max_ns = 20 * SIM_MS,
               .loss_ppm = OFTEN,
               .duplicate_ppm = OFTEN,
               .reorder_ppm = OFTEN,
               .corrupt_ppm = OFTEN,
               .truncate_ppm = OFTEN,
               .slow_ppm = OFTEN,
               .burst_enter_ppm = OFTEN,
               .clog_ppm = OFTEN},
      .disk = {.fsync_max_ns = 100 * SIM_MS,
               .latency_max_ns = SIM_MS,
               .stall_ppm = OFTEN,
               .stall_ns = SIM_MS,
               .write_back_ppm = OFTEN,
               .read_error_ppm = OFTEN,
               .write_error_ppm = OFTEN,
               .short_ppm = OFTEN,
               .interrupt_ppm = OFTEN,
               .fsync_error_ppm = OFTEN,
               .fsync_lie_ppm = OFTEN,
               .rot_ppm = OFTEN,
               .unreadable_ppm = OFTEN,
               .lost_write_ppm = OFTEN,
               .misdirect_ppm = OFTEN},
  };
  return config;
}

/* The power losses are the test's own; what they do to the disk is a choice. */
static uint32_t faults_fired(struct sim_world *world) {
  uint32_t fired = 0;
  for (int fault = 0; fault < SIM_FAULT_COUNT; fault++) {
    uint64_t firings = sim_fault(world, (enum sim_fault)fault)->firings;
    if (fault != SIM_FAULT_POWER_LOSS && fault != SIM_FAULT_DISK_FSYNC_CUT) fired += firings > 0;
  }
  return fired;
}

static void lose_power_now_and_then(struct sim *sim) {
  struct sim_world *world = sim_world(sim);
  for (uint64_t i = 1; i <= 6 && !sim_violation_get(world)->found; i++) {
    (void)sim_run(sim, i * 300 * SIM_MS, UINT64_MAX);
    uint32_t victim = (uint32_t)(i % sim_node_count(world)) + 1;
    sim_node_power_loss(world, victim);
    (void)sim_node_boot(world, victim);
  }
}

static void run_cluster(struct sim *sim, uint64_t seed, enum sim_choice_rest rest) {
  struct sim_config config = everything(seed, rest);
  struct cluster_config cluster_config = {.nodes = 3};
  struct cluster_workload workload = {
      .keys = 8, .interval_ns = 5 * SIM_MS, .deletes_ppm = 300000, .value_bytes_max = 3000};
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  assert_non_null(cluster);
  cluster_workload_start(cluster, &workload);
  lose_power_now_and_then(sim);
  struct cluster_stats stats;
  cluster_stats(cluster, &stats);
  assert_true(stats.submits > 0);
}

static void a_calm_cluster_with_every_fault_enabled_has_none(void **state) {
  (void)state;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  run_cluster(sim, 1, SIM_REST_CALM);
  const struct sim_violation *violation = sim_violation_get(sim_world(sim));
  if (violation->found) print_message("%s: %s\n", violation->property, violation->detail);
  assert_false(violation->found);
  for (int fault = 0; fault < SIM_FAULT_COUNT; fault++) {
    const struct sim_fault_count *count = sim_fault(sim_world(sim), (enum sim_fault)fault);
    if (fault == SIM_FAULT_POWER_LOSS || fault == SIM_FAULT_DISK_FSYNC_CUT) continue;
    if (count->firings > 0) print_message("%s fired\n", sim_fault_name((enum sim_fault)fault));
    assert_int_equal(count->firings, 0);
  }
  sim_close(sim);
}

static void a_calm_world_of_toys_with_every_fault_enabled_has_none(void **state) {
  (void)state;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  struct sim_config config = everything(1, SIM_REST_CALM);
  struct toy_config toy = toy_world_toy();
  struct sim_world *world = sim_world_begin(sim, &config);
  for (uint32_t number = 1; number <= 5; number++)
    assert_true(sim_node_add(world, &toy_node_kind, &toy, sizeof toy) == number && sim_node_boot(world, number));
  lose_power_now_and_then(sim);
  assert_int_equal(faults_fired(world), 0);
  sim_close(sim);
}

/* Or the tests above would show nothing. */
static void the_same_worlds_under_seeds_have_nearly_all_of_them(void **state) {
  (void)state;
  struct sim *sim = toy_sim_open(0, SIM_FILL_NONE);
  bool fired[SIM_FAULT_COUNT] = {false};
  for (uint64_t seed = 1; seed <= 40; seed++) {
    run_cluster(sim, seed, SIM_REST_SEED);
    for (int fault = 0; fault < SIM_FAULT_COUNT; fault++)
      fired[fault] = fired[fault] || sim_fault(sim_world(sim), (enum sim_fault)fault)->firings > 0;
  }
  for (int fault = SIM_FAULT_NET_LOSS; fault <= SIM_FAULT_NET_CLOG; fault++) {
    if (fault != SIM_FAULT_NET_PARTITION) assert_true(fired[fault]);
  }
  for (int fault = SIM_FAULT_DISK_LOST_PENDING; fault <= SIM_FAULT_DISK_MISDIRECTED; fault++) {
    bool enabled = fault != SIM_FAULT_DISK_FULL;
    if (enabled && !fired[fault]) print_message("%s never fired\n", sim_fault_name((enum sim_fault)fault));
    if (enabled) assert_true(fired[fault]);
  }
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_calm_cluster_with_every_fault_enabled_has_none),
      cmocka_unit_test(a_calm_world_of_toys_with_every_fault_enabled_has_none),
      cmocka_unit_test(the_same_worlds_under_seeds_have_nearly_all_of_them),
  };
  return cmocka_run_group_tests_name("calm", tests, NULL, NULL) != 0;
}
