/* What keeps a cluster going: on links where frames overtake each other, while
 * a peer is full, and after an operation could not be read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/state.h"
#include "cluster/submit.h"

static struct sim *open_sim(void) {
  static const struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  assert_non_null(sim);
  return sim;
}

static struct cluster *begin(struct sim *sim, uint64_t delay_max_ns, const struct sync_options *engine) {
  struct sim_config config = {.source = {.seed = 7}};
  config.link.delay_min_ns = SIM_MS;
  config.link.delay_max_ns = delay_max_ns;
  struct sim_world *world = sim_world_begin(sim, &config);
  struct cluster_config cluster_config = {.nodes = 2, .engine = *engine};
  struct cluster *cluster = cluster_create(world, &cluster_config);
  assert_non_null(cluster);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  return cluster;
}

static void put_many(struct sim *sim, struct cluster *cluster, uint32_t count) {
  for (uint32_t i = 0; i < count; i++)
    assert_int_equal(cluster_put(cluster, 1, i, 16), SYNC_OK);
  sim_run(sim, sim_now(cluster->world) + SIM_SECOND, UINT64_MAX);
}

static uint64_t ops_out(struct cluster *cluster, uint32_t node) {
  struct sync_stats stats;
  assert_true(cluster_node_stats(cluster, node, &stats));
  return stats.ops_out;
}

static void frames_that_overtake_each_other_cost_little(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, 20 * SIM_MS, &(struct sync_options){.batch_size = 2, .window_ops = 32});
  sim_link_cut(cluster->world, 1, 2);
  put_many(sim, cluster, 300);
  uint64_t before = ops_out(cluster, 1);
  sim_link_heal_all(cluster->world);
  sim_run(sim, sim_now(cluster->world) + 30 * SIM_SECOND, UINT64_MAX);
  assert_true(cluster_converged(cluster) && cluster_drained(cluster));
  assert_true(ops_out(cluster, 1) - before < 3 * 300);
  sim_close(sim);
}

static void quota(struct cluster *cluster, uint32_t node, uint64_t bytes) {
  struct sim_disk *disk = sim_node_disk(sim_node_at(cluster->world, node));
  struct sim_disk_config config = *sim_disk_config(disk);
  config.quota_bytes = bytes;
  sim_disk_configure(disk, &config);
}

static void a_full_peer_is_probed_and_not_flooded(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, SIM_MS, &(struct sync_options){.ack_timeout_ns = 20 * SIM_MS});
  quota(cluster, 2, 1);
  put_many(sim, cluster, 300);
  uint64_t before = ops_out(cluster, 1);
  sim_run(sim, sim_now(cluster->world) + 60 * SIM_SECOND, UINT64_MAX);
  assert_true(ops_out(cluster, 1) > before);           /* the first of them would tell that there is room */
  assert_true(ops_out(cluster, 1) - before <= 5 * 64); /* 60 s of probes, one frame each */
  quota(cluster, 2, 0);
  sim_run(sim, sim_now(cluster->world) + 20 * SIM_SECOND, UINT64_MAX);
  assert_true(cluster_converged(cluster) && cluster_drained(cluster));
  sim_close(sim);
}

static void a_full_peer_that_has_room_again_says_so(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, SIM_MS, &(struct sync_options){.probe_interval_ns = 3600 * SIM_SECOND});
  quota(cluster, 2, 1);
  put_many(sim, cluster, 10);
  quota(cluster, 2, 0);
  assert_int_equal(cluster_put(cluster, 2, 99, 16), SYNC_OK);
  sim_run(sim, sim_now(cluster->world) + SIM_SECOND, UINT64_MAX);
  assert_true(cluster_converged(cluster));
  sim_close(sim);
}

static void a_talkative_peer_does_not_put_off_reading_again(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, SIM_MS, &(struct sync_options){.idle_hello_ns = SIM_SECOND});
  /* It says its HELLO always a little before node 1's own is due. */
  sim_clock_rate(cluster->world, 2, 200000);
  sim_run(sim, 10 * SIM_SECOND, UINT64_MAX);
  struct sim_disk *disk = sim_node_disk(sim_node_at(cluster->world, 1));
  struct sim_disk_config config = *sim_disk_config(disk);
  config.read_error_ppm = 1000000;
  sim_disk_configure(disk, &config);
  put_many(sim, cluster, 1);
  config.read_error_ppm = 0;
  sim_disk_configure(disk, &config);
  sim_run(sim, sim_now(cluster->world) + 60 * SIM_SECOND, UINT64_MAX);
  assert_true(cluster_converged(cluster) && cluster_drained(cluster));
  sim_close(sim);
}

static void a_log_of_thousands_of_files_opens_again(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct cluster *cluster = begin(sim, SIM_MS, &(struct sync_options){.segment_bytes = 1});
  for (uint32_t i = 0; i < 4200; i++) {
    assert_int_equal(cluster_put(cluster, 1, i % 8, 16), SYNC_OK);
    sim_run(sim, sim_now(cluster->world) + 20 * SIM_MS, UINT64_MAX);
  }
  /* The first boot makes the file too many, the second meets it. */
  for (uint32_t i = 0; i < 2; i++) {
    sim_node_stop(cluster->world, 1);
    assert_true(sim_node_boot(cluster->world, 1));
    assert_int_equal(cluster_put(cluster, 1, i, 16), SYNC_OK);
    sim_run(sim, sim_now(cluster->world) + SIM_SECOND, UINT64_MAX);
  }
  assert_false(cluster_violated(cluster));
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frames_that_overtake_each_other_cost_little),
      cmocka_unit_test(a_full_peer_is_probed_and_not_flooded),
      cmocka_unit_test(a_full_peer_that_has_room_again_says_so),
      cmocka_unit_test(a_log_of_thousands_of_files_opens_again),
      cmocka_unit_test(a_talkative_peer_does_not_put_off_reading_again),
  };
  int r = cmocka_run_group_tests_name("liveness", tests, NULL, NULL);
  return r != 0;
}
