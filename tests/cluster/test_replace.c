/* Wiped disks and restored backups: what stays promised and what is excused. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/replace.h"
#include "cluster/settle.h"
#include "cluster/state.h"
#include "cluster/queries.h"
#include "cluster/submit.h"

static struct cluster *begin(struct sim *sim) {
  struct sim_config config = {.source = {.seed = 1}, .link = {.delay_min_ns = SIM_MS, .delay_max_ns = 5 * SIM_MS}};
  struct cluster_config cluster_config = {.nodes = 3};
  assert_non_null(sim);
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  assert_non_null(cluster);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  return cluster;
}

static void put(struct sim *sim, struct cluster *cluster, uint32_t node, uint32_t key) {
  assert_int_equal(cluster_put(cluster, node, key, 32), SYNC_OK);
  sim_run(sim, sim_now(cluster->world) + SIM_SECOND, UINT64_MAX);
}

static void expect_held(struct sim *sim, struct cluster *cluster) {
  cluster_settle(sim, cluster, 60 * SIM_SECOND);
  cluster_judge(cluster);
  const struct sim_violation *violation = sim_violation_get(cluster->world);
  if (violation->found) print_message("%s: %s\n", violation->property, violation->detail);
  assert_false(violation->found);
}

static void what_was_promised_after_the_backup_is_excused_and_comes_back_from_peers(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  put(sim, cluster, 1, 1);
  cluster_backup(cluster, 1);
  put(sim, cluster, 1, 2);
  uint64_t second = cluster_get(cluster, 1, 2);
  sim_node_power_loss(cluster->world, 1);
  assert_true(cluster_restore(cluster, 1));
  assert_true(sim_node_boot(cluster->world, 1));
  assert_false(cluster_violated(cluster));
  assert_true(cluster_get(cluster, 1, 1) != 0);
  assert_int_equal(cluster_get(cluster, 1, 2), 0);
  put(sim, cluster, 1, 3);
  assert_int_equal(cluster_get(cluster, 1, 2), second);
  expect_held(sim, cluster);
  sim_close(sim);
}

/* The platter's image is older than what the ledger takes for backed up. */
static void a_promise_that_the_image_must_hold_and_does_not_is_caught(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  put(sim, cluster, 1, 1);
  sim_disk_image_save(sim_node_disk(sim_node_at(cluster->world, 1)));
  put(sim, cluster, 1, 2);
  ledger_image_saved(&cluster->ledger, 1, cluster->nodes[1].life, UINT64_MAX);
  put(sim, cluster, 1, 3);
  sim_node_power_loss(cluster->world, 1);
  assert_true(cluster_restore(cluster, 1));
  sim_node_boot(cluster->world, 1);
  assert_true(cluster_violated(cluster));
  const struct sim_violation *violation = sim_violation_get(cluster->world);
  assert_string_equal(violation->property, CLUSTER_DURABILITY);
  assert_int_equal(violation->subject[2], 2);
  sim_close(sim);
}

static void a_wipe_in_between_excuses_nothing_of_the_image(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  put(sim, cluster, 1, 1);
  uint32_t life = cluster->nodes[1].life;
  cluster_backup(cluster, 1);
  put(sim, cluster, 1, 2);
  sim_node_power_loss(cluster->world, 1);
  cluster_wipe(cluster, 1);
  assert_true(cluster->ledger.lives[life].lost);
  assert_true(sim_node_boot(cluster->world, 1));
  sim_node_power_loss(cluster->world, 1);
  assert_true(cluster_restore(cluster, 1));
  assert_false(cluster->ledger.lives[life].lost);
  assert_int_equal(cluster->ledger.lives[life].promised, 1);
  assert_true(sim_node_boot(cluster->world, 1));
  expect_held(sim, cluster);
  sim_close(sim);
}

static void an_image_of_a_wiped_disk_owes_nothing(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  put(sim, cluster, 1, 1);
  sim_node_power_loss(cluster->world, 1);
  cluster_wipe(cluster, 1);
  cluster_backup(cluster, 1); /* of an empty disk */
  assert_true(sim_node_boot(cluster->world, 1));
  put(sim, cluster, 1, 2);
  sim_node_power_loss(cluster->world, 1);
  assert_true(cluster_restore(cluster, 1));
  assert_true(sim_node_boot(cluster->world, 1));
  expect_held(sim, cluster);
  sim_close(sim);
}

static void without_a_backup_nothing_is_restored(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  put(sim, cluster, 1, 1);
  sim_node_power_loss(cluster->world, 1);
  assert_false(cluster_restore(cluster, 1));
  assert_int_equal(cluster->ledger.lives[cluster->nodes[1].life].promised, 1);
  assert_true(sim_node_boot(cluster->world, 1));
  assert_true(cluster_get(cluster, 1, 1) != 0);
  expect_held(sim, cluster);
  sim_close(sim);
}

static void the_timeline_tells_of_wipes_and_restores(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  struct sim_trace_log *log = sim_trace_log_create();
  char text[4096];
  assert_non_null(log);
  cluster_backup(cluster, 2);
  sim_node_power_loss(cluster->world, 2);
  sim_set_trace(sim, log);
  cluster_wipe(cluster, 2);
  assert_true(cluster_restore(cluster, 2));
  sim_set_trace(sim, NULL);
  sim_trace_log_tail(log, 10, text, sizeof text);
  assert_non_null(strstr(text, "its disk is empty now"));
  assert_non_null(strstr(text, "its disk is set back to its image"));
  sim_trace_log_destroy(log);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_promised_after_the_backup_is_excused_and_comes_back_from_peers),
      cmocka_unit_test(a_promise_that_the_image_must_hold_and_does_not_is_caught),
      cmocka_unit_test(a_wipe_in_between_excuses_nothing_of_the_image),
      cmocka_unit_test(an_image_of_a_wiped_disk_owes_nothing),
      cmocka_unit_test(without_a_backup_nothing_is_restored),
      cmocka_unit_test(the_timeline_tells_of_wipes_and_restores),
  };
  int r = cmocka_run_group_tests_name("replace", tests, NULL, NULL);
  return r != 0;
}
