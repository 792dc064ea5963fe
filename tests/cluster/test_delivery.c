/* The oracle "delivery progresses": over histories made by hand, and in worlds. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "core/engine.h"

static enum delivery_verdict look(struct delivery *delivery, uint64_t second, uint64_t remaining, uint64_t excuses,
                                  bool blocked) {
  struct delivery_look seen = {.now_ns = second * SIM_SECOND,
                               .within_ns = 5 * SIM_SECOND,
                               .excuses = excuses,
                               .blocked = blocked,
                               .remaining = remaining};
  return delivery_look(delivery, &seen);
}

static void a_goal_of_which_nothing_more_is_acknowledged_is_overdue_in_time(void **state) {
  (void)state;
  struct delivery delivery = {0};
  assert_int_equal(look(&delivery, 1, 0, 0, false), DELIVERY_REACHED);
  delivery.remaining = 10; /* the goal */
  assert_int_equal(look(&delivery, 2, 10, 0, false), DELIVERY_WAITS);
  assert_int_equal(look(&delivery, 5, 3, 0, false), DELIVERY_WAITS);
  assert_int_equal(look(&delivery, 10, 3, 0, false), DELIVERY_WAITS);
  assert_int_equal(look(&delivery, 11, 3, 0, false), DELIVERY_OVERDUE);
}

static void slow_progress_is_progress(void **state) {
  (void)state;
  struct delivery delivery = {.remaining = 100};
  for (uint64_t i = 0; i < 99; i++)
    assert_int_equal(look(&delivery, i * 5, 99 - i, 0, false), DELIVERY_WAITS);
  assert_int_equal(look(&delivery, 500, 0, 0, false), DELIVERY_REACHED);
}

static void what_is_lost_or_refused_begins_the_time_anew_and_what_cannot_take_part_gives_the_goal_up(void **state) {
  (void)state;
  struct delivery delivery = {.remaining = 10};
  for (uint64_t i = 1; i < 20; i++)
    assert_int_equal(look(&delivery, i * 5, 10, i, false), DELIVERY_WAITS);
  assert_int_equal(look(&delivery, 101, 10, 19, false), DELIVERY_OVERDUE);
  assert_int_equal(look(&delivery, 102, 10, 19, true), DELIVERY_REACHED);
}

/* --- In a world ------------------------------------------------------------------------- */

static struct cluster *begin(struct sim *sim) {
  struct sim_config config = {.source = {.seed = 5}};
  struct cluster_config cluster_config = {.nodes = 2};
  cluster_config.engine =
      (struct sync_options){.ack_timeout_ns = SIM_SECOND, .retry_cap_ns = SIM_SECOND, .probe_interval_ns = SIM_SECOND};
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  assert_non_null(cluster);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  return cluster;
}

/* One put each half second: newer operations are acknowledged all the while. */
static void write_for(struct sim *sim, struct cluster *cluster, uint32_t seconds) {
  for (uint32_t i = 0; i < 2 * seconds && !cluster_violated(cluster); i++) {
    assert_int_equal(cluster_put(cluster, 1, i % 8, 16), SYNC_OK);
    sim_run(sim, sim_now(cluster->world) + SIM_SECOND / 2, UINT64_MAX);
  }
}

static void an_operation_that_is_never_sent_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim);
  write_for(sim, cluster, 30);
  assert_false(cluster_violated(cluster));
  /* The engine forgets that its peer may be sent anything; its HELLOs go on. */
  for (uint32_t i = 0; i < 60 && !cluster_violated(cluster); i++) {
    peer_at(&cluster_engine(cluster, 1)->peers, 0)->stalled = true;
    write_for(sim, cluster, 1);
  }
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_DELIVERY);
  sim_close(sim);
}

static void a_link_that_is_cut_clogged_or_ruled_and_a_peer_that_is_down_are_no_finding(void **state) {
  (void)state;
  for (int how = 0; how < 5; how++) {
    struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
    struct cluster *cluster = begin(sim);
    struct sim_world *w = cluster->world;
    uint64_t clog = 0, rule = 0;
    if (how == 0) sim_link_cut(w, 1, 2);
    if (how == 1) clog = sim_link_clog(w, 2, 1, UINT64_MAX);
    if (how == 2) rule = sim_rule_add(w, &(struct sim_rule){.from = 1, .to = 2, .action = SIM_RULE_DROP});
    if (how == 3) sim_node_power_loss(w, 2);
    if (how == 4) sim_node_pause(w, 2);
    write_for(sim, cluster, 60);
    assert_false(cluster_violated(cluster));
    if (how == 0) sim_link_heal(w, 1, 2);
    if (how == 1) sim_link_unclog(w, 2, 1, clog);
    if (how == 2) sim_rule_remove(w, rule);
    if (how == 3) assert_true(sim_node_boot(w, 2));
    if (how == 4) sim_node_resume(w, 2);
    write_for(sim, cluster, 60);
    assert_false(cluster_violated(cluster));
    assert_true(cluster_outbox_size(cluster, 1) < 3);
    sim_close(sim);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_goal_of_which_nothing_more_is_acknowledged_is_overdue_in_time),
      cmocka_unit_test(slow_progress_is_progress),
      cmocka_unit_test(what_is_lost_or_refused_begins_the_time_anew_and_what_cannot_take_part_gives_the_goal_up),
      cmocka_unit_test(an_operation_that_is_never_sent_is_found),
      cmocka_unit_test(a_link_that_is_cut_clogged_or_ruled_and_a_peer_that_is_down_are_no_finding),
  };
  int r = cmocka_run_group_tests_name("delivery", tests, NULL, NULL);
  return r != 0;
}
