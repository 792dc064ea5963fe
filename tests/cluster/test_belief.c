/* Each oracle of what nodes say and believe about durability fires. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/belief.h"
#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/replace.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "core/engine.h"

static struct cluster *begin(struct sim *sim) {
  struct sim_config config = {.source = {.seed = 3}};
  struct sim_world *world = sim_world_begin(sim, &config);
  struct cluster_config cluster_config = {.nodes = 2};
  struct cluster *cluster = cluster_create(world, &cluster_config);
  assert_non_null(cluster);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
  sim_run(sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_true(cluster_converged(cluster) && cluster_drained(cluster));
  return cluster;
}

static void a_belief_in_more_than_is_durable_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  cluster_check_belief(cluster, 1, 2);
  assert_false(cluster_violated(cluster));
  struct sync_engine *engine = cluster_engine(cluster, 1);
  assert_true(vector_raise(&peer_at(&engine->peers, 0)->known, engine->own->index, 2));
  cluster_check_belief(cluster, 1, 2);
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_HONEST_ACKS);
  sim_close(sim);
}

static void a_belief_about_a_run_that_ended_is_no_lie(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  sim_node_power_loss(cluster->world, 2);
  cluster_wipe(cluster, 2);
  sim_node_boot(cluster->world, 2);
  cluster_check_belief(cluster, 1, 2);
  assert_false(cluster_violated(cluster));
  sim_close(sim);
}

static void an_operation_sent_before_it_is_durable_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  struct sync_engine *engine = cluster_engine(cluster, 1);
  cluster_check_sent(cluster, 1, engine);
  uint64_t sent[3] = {engine->own->node_hash, engine->own->incarnation, 1};
  memcpy(cluster->nodes[1].sent, sent, sizeof sent);
  cluster_check_sent(cluster, 1, engine);
  assert_false(cluster_violated(cluster));
  cluster->nodes[1].sent[2] = 2;
  cluster_check_sent(cluster, 1, engine);
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_DURABILITY);
  sim_close(sim);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_belief_in_more_than_is_durable_is_found),
      cmocka_unit_test(a_belief_about_a_run_that_ended_is_no_lie),
      cmocka_unit_test(an_operation_sent_before_it_is_durable_is_found),
  };
  int r = cmocka_run_group_tests_name("belief", tests, NULL, NULL);
  return r != 0;
}
