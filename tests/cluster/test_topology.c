/* Who knows whom: the shapes, random graphs of a seed, and clusters as large as may be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/settle.h"
#include "cluster/state.h"
#include "cluster/workload.h"

static struct sim *open_sim(void) {
  static const struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  assert_non_null(sim);
  return sim;
}

static struct cluster *begin(struct sim *sim, const struct sim_choice_source *source, enum cluster_topology topology,
                             uint32_t nodes) {
  struct sim_config config = {.source = *source, .link = {.delay_min_ns = SIM_MS, .delay_max_ns = 20 * SIM_MS}};
  struct cluster_config cluster_config = {.nodes = nodes, .topology = topology};
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  assert_non_null(cluster);
  return cluster;
}

static uint32_t links_of(const struct cluster *cluster) {
  uint32_t links = 0;
  for (uint32_t a = 1; a <= cluster_nodes(cluster); a++)
    for (uint32_t b = a + 1u; b <= cluster_nodes(cluster); b++) {
      assert_true(cluster_linked(cluster, a, b) == cluster_linked(cluster, b, a));
      links += cluster_linked(cluster, a, b);
    }
  return links;
}

/* Whether each node that is there is reached from each other. */
static bool connected(const struct cluster *cluster) {
  uint64_t reached = 0, before = 0, there = 0;
  for (uint32_t i = cluster_nodes(cluster); i > 0; i--)
    if (cluster_present(cluster, i)) there |= UINT64_C(1) << (i - 1u), reached = UINT64_C(1) << (i - 1u);
  while (reached != before) {
    before = reached;
    for (uint32_t i = 1; i <= cluster_nodes(cluster); i++)
      if (before >> (i - 1u) & 1u) reached |= cluster->links[i];
  }
  return reached == there;
}

static void a_random_topology_is_connected_and_the_seeds_own(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  uint64_t first[CLUSTER_NODES_MAX + 1u] = {0};
  uint32_t others = 0;
  for (uint64_t seed = 1; seed <= 40; seed++)
    for (uint32_t nodes = 1; nodes <= 12; nodes++) {
      struct cluster *cluster = begin(sim, &(struct sim_choice_source){.seed = seed}, CLUSTER_RANDOM, nodes);
      assert_true(connected(cluster));
      assert_in_range(links_of(cluster), nodes - 1u, 3u * nodes);
      if (nodes < 12) continue;
      if (seed == 1) memcpy(first, cluster->links, sizeof first);
      others += memcmp(first, cluster->links, sizeof first) != 0;
    }
  struct cluster *again = begin(sim, &(struct sim_choice_source){.seed = 1}, CLUSTER_RANDOM, 12);
  assert_memory_equal(first, again->links, sizeof first);
  assert_true(others > 30);
  sim_close(sim);
}

static void a_calm_random_topology_is_a_star(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  struct sim_choice_source calm = {.rest = SIM_REST_CALM};
  struct cluster *cluster = begin(sim, &calm, CLUSTER_RANDOM, 9);
  for (uint32_t i = 2; i <= 9; i++)
    assert_true(cluster_linked(cluster, 1, i));
  assert_int_equal(links_of(cluster), 8);
  sim_close(sim);
}

static void a_node_left_out_parts_no_random_topology_and_leaves_the_other_links(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  uint64_t whole[CLUSTER_NODES_MAX + 1u];
  for (uint64_t seed = 1; seed <= 20; seed++)
    for (uint32_t gone = 0; gone <= 8; gone++) {
      struct sim_choice_table *table = sim_choice_table_create();
      assert_non_null(table);
      if (gone) assert_true(sim_choice_table_set(table, sim_tag(SIM_CHOICE_NODE_SKIP, gone, 0), 1));
      struct sim_choice_source source = {.seed = seed, .overrides = table};
      struct cluster *cluster = begin(sim, &source, CLUSTER_RANDOM, 8);
      assert_true(connected(cluster));
      if (!gone) memcpy(whole, cluster->links, sizeof whole);
      for (uint32_t i = 1; i <= 8 && gone; i++) {
        uint64_t kept = i == gone ? 0 : whole[i] & ~(UINT64_C(1) << (gone - 1u));
        assert_true((cluster->links[i] & kept) == kept);
        assert_true(i != gone || !cluster->links[i]);
      }
      sim_choice_table_destroy(table);
    }
  sim_close(sim);
}

static void the_other_shapes_have_their_links(void **state) {
  (void)state;
  static const uint32_t links[][2] = {
      [CLUSTER_MESH] = {3, 2016}, [CLUSTER_LINE] = {2, 63}, [CLUSTER_RING] = {3, 64}, [CLUSTER_STAR] = {2, 63}};
  struct sim *sim = open_sim();
  for (uint32_t topology = 0; topology < CLUSTER_RANDOM; topology++)
    for (uint32_t i = 0; i < 2; i++) {
      struct sim_choice_source source = {.seed = 1};
      struct cluster *cluster = begin(sim, &source, (enum cluster_topology)topology, i ? CLUSTER_NODES_MAX : 3u);
      assert_int_equal(links_of(cluster), links[topology][i]);
      assert_true(connected(cluster));
    }
  sim_close(sim);
}

/* Who has 63 peers, and who is 63 hops away; with all oracles. */
static void sixty_four_nodes_converge_in_every_shape(void **state) {
  (void)state;
  struct sim *sim = open_sim();
  for (uint32_t topology = 0; topology < CLUSTER_TOPOLOGIES; topology++) {
    struct sim_choice_source source = {.seed = 7};
    struct cluster *cluster = begin(sim, &source, (enum cluster_topology)topology, CLUSTER_NODES_MAX);
    struct cluster_workload workload = {.keys = 16, .interval_ns = 50 * SIM_MS};
    sim_run(sim, SIM_SECOND, UINT64_MAX);
    cluster_workload_start(cluster, &workload);
    sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
    cluster_settle(sim, cluster, 60 * SIM_SECOND);
    cluster_judge(cluster);
    const struct sim_violation *violation = sim_violation_get(cluster->world);
    if (violation->found) print_message("%s: %s\n", violation->property, violation->detail);
    assert_false(violation->found);
    assert_true(cluster->ledger.promised > 10);
  }
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_random_topology_is_connected_and_the_seeds_own),
      cmocka_unit_test(a_calm_random_topology_is_a_star),
      cmocka_unit_test(a_node_left_out_parts_no_random_topology_and_leaves_the_other_links),
      cmocka_unit_test(the_other_shapes_have_their_links),
      cmocka_unit_test(sixty_four_nodes_converge_in_every_shape),
  };
  return cmocka_run_group_tests_name("topology", tests, NULL, NULL) != 0;
}
