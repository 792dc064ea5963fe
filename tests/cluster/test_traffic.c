/* The oracle "bounded traffic": over histories made by hand, and in worlds. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "cluster/workload.h"
#include "core/engine.h"

/* --- Operations of one pair, by hand --------------------------------------------------------- */

#define ROOM 8u

struct pair {
  struct traffic traffic;
  uint32_t acknowledged[ROOM], sent[ROOM];
};

static struct traffic *begin_pair(struct pair *pair) {
  memset(pair, 0, sizeof *pair);
  pair->traffic.acknowledged = pair->acknowledged;
  pair->traffic.acknowledged_capacity = ROOM;
  pair->traffic.sent = pair->sent;
  pair->traffic.sent_capacity = ROOM;
  traffic_run(&pair->traffic, 1, 100, 0);
  return &pair->traffic;
}

static void an_operation_that_is_sent_twice_for_nothing_is_found(void **state) {
  (void)state;
  struct pair pair;
  struct traffic *traffic = begin_pair(&pair);
  traffic_look(traffic, 5, false);
  assert_int_equal(traffic_operation(traffic, 1, 1, 3), TRAFFIC_FINE);
  assert_int_equal(traffic_operation(traffic, 1, 2, 4), TRAFFIC_FINE);
  traffic_look(traffic, 5, false);
  assert_int_equal(traffic_operation(traffic, 1, 1, 3), TRAFFIC_AGAIN);
}

static void each_reason_is_one_to_send_it_once_more(void **state) {
  (void)state;
  for (int how = 0; how < 5; how++) {
    struct pair pair;
    struct traffic *traffic = begin_pair(&pair);
    assert_int_equal(traffic_operation(traffic, 1, 1, 3), TRAFFIC_FINE);
    if (how == 0) traffic_look(traffic, 1, false); /* lost */
    if (how == 1) traffic_look(traffic, 0, true);  /* cut */
    if (how == 2) traffic_reason(traffic, false);  /* asked for, or given up */
    if (how == 3) traffic_run(traffic, 1, 101, 0); /* the receiver began anew */
    if (how == 4) traffic_run(traffic, 2, 100, 0); /* the sender did */
    assert_int_equal(traffic_operation(traffic, 1, 1, 3), TRAFFIC_FINE);
    traffic_look(traffic, how == 0 ? 1 : 0, false);
    traffic_run(traffic, how == 4 ? 2 : 1, how == 3 ? 101 : 100, 0);
    assert_int_equal(traffic_operation(traffic, 1, 1, 3), TRAFFIC_AGAIN);
  }
}

static void what_was_skipped_may_be_sent_later_as_well_but_once(void **state) {
  (void)state;
  struct pair pair;
  struct traffic *traffic = begin_pair(&pair);
  traffic_reason(traffic, true);
  assert_int_equal(traffic_operation(traffic, 1, 1, 3), TRAFFIC_FINE);
  assert_int_equal(traffic_operation(traffic, 1, 2, 4), TRAFFIC_FINE);
  assert_int_equal(traffic_operation(traffic, 1, 1, 3), TRAFFIC_FINE);
  assert_int_equal(traffic_operation(traffic, 1, 2, 4), TRAFFIC_FINE);
  assert_int_equal(traffic_operation(traffic, 1, 1, 3), TRAFFIC_AGAIN);
}

static void no_reason_is_one_to_send_what_was_acknowledged_but_another_run_is(void **state) {
  (void)state;
  struct pair pair;
  struct traffic *traffic = begin_pair(&pair);
  assert_int_equal(traffic_operation(traffic, 1, 2, 3), TRAFFIC_FINE);
  pair.acknowledged[1] = 2;
  traffic_look(traffic, 9, true);
  traffic_reason(traffic, true);
  assert_int_equal(traffic_operation(traffic, 1, 2, 3), TRAFFIC_ACKNOWLEDGED);
  assert_int_equal(traffic_operation(traffic, 1, 3, 4), TRAFFIC_FINE);
  assert_int_equal(traffic_operation(traffic, 2, 1, 5), TRAFFIC_FINE); /* of another life */
  traffic_run(traffic, 1, 101, 0);
  assert_int_equal(traffic_operation(traffic, 1, 2, 3), TRAFFIC_FINE);
}

/* --- Greetings ------------------------------------------------------------------------------- */

static const struct traffic_patience patience = {.ack_timeout_ns = 4 * SIM_SECOND,
                                                 .retry_interval_ns = SIM_SECOND,
                                                 .retry_cap_ns = 8 * SIM_SECOND,
                                                 .probe_interval_ns = 20 * SIM_SECOND,
                                                 .idle_hello_ns = 1000 * SIM_SECOND,
                                                 .max_retries = 4};

static void tries_come_less_and_less_often(void **state) {
  (void)state;
  /* After 1, 3, 7, 15, 23 and then every 20 seconds. */
  assert_int_equal(traffic_tries(&patience, 0), 0);
  assert_int_equal(traffic_tries(&patience, 1 * SIM_SECOND), 1);
  assert_int_equal(traffic_tries(&patience, 7 * SIM_SECOND), 3);
  assert_int_equal(traffic_tries(&patience, 22 * SIM_SECOND), 4);
  assert_int_equal(traffic_tries(&patience, 30 * SIM_SECOND), 5);
  assert_int_equal(traffic_tries(&patience, 31 * SIM_SECOND), 6);
  assert_int_equal(traffic_tries(&patience, 51 * SIM_SECOND), 7);
}

/* Greets each so many milliseconds for two minutes. */
static uint64_t impatient_after(uint64_t each_ms, uint64_t answered_each_ms) {
  struct pair pair;
  struct traffic *traffic = begin_pair(&pair);
  for (uint64_t ms = 0; ms < 120000; ms += each_ms) {
    if (answered_each_ms > 0 && ms % answered_each_ms == 0) traffic_heard(traffic, ms * SIM_MS);
    if (traffic_greeting(traffic, ms * SIM_MS, &patience) != TRAFFIC_FINE) return ms;
  }
  return 0;
}

static void who_is_silent_is_not_greeted_as_often_as_who_answers(void **state) {
  (void)state;
  assert_in_range(impatient_after(1000, 0), 10000, 60000);
  assert_int_equal(impatient_after(10000, 0), 0);
  assert_int_equal(impatient_after(100, 5000), 0);
  assert_in_range(impatient_after(100, 20000), 10000, 20000);
}

/* --- All of them ----------------------------------------------------------------------------- */

static void what_is_sent_much_more_often_than_needed_is_found_in_calm(void **state) {
  (void)state;
  struct traffic_calm calm = {.sent = 10000, .applied = 5000};
  assert_int_equal(traffic_calm_look(&calm, 0, false), TRAFFIC_FINE);
  calm.sent = 10300;
  assert_int_equal(traffic_calm_look(&calm, 0, false), TRAFFIC_FLOODS);
  assert_int_equal(traffic_calm_look(&calm, 1, false), TRAFFIC_FINE); /* something was lost: it begins anew */
  assert_int_equal(calm.sent + calm.applied, 0);
  calm.sent = 1000;
  assert_int_equal(traffic_calm_look(&calm, 1, true), TRAFFIC_FINE);
}

/* --- In a world ------------------------------------------------------------------------------- */

static struct cluster *begin(struct sim *sim, uint32_t nodes, uint64_t delay_ns) {
  struct sim_config config = {.source = {.seed = 5}, .link = {.delay_min_ns = delay_ns, .delay_max_ns = delay_ns}};
  struct cluster_config cluster_config = {.nodes = nodes};
  cluster_config.engine =
      (struct sync_options){.ack_timeout_ns = SIM_SECOND, .retry_interval_ns = SIM_SECOND / 2, .max_retries = 3};
  struct cluster *cluster = cluster_create(sim_world_begin(sim, &config), &cluster_config);
  assert_non_null(cluster);
  sim_run(sim, SIM_SECOND, UINT64_MAX);
  return cluster;
}

static void write_for(struct sim *sim, struct cluster *cluster, uint64_t ms) {
  for (uint64_t i = 0; i < ms / 50 && !cluster_violated(cluster); i++) {
    assert_int_equal(cluster_put(cluster, 1, (uint32_t)i % 8, 16), SYNC_OK);
    sim_run(sim, sim_now(cluster->world) + 50 * SIM_MS, UINT64_MAX);
  }
}

static void assert_found(struct sim *sim, const struct cluster *cluster, const char *how) {
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_TRAFFIC);
  assert_non_null(strstr(sim_violation_get(cluster->world)->detail, how));
  sim_close(sim);
}

static void a_replay_from_the_beginning_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim, 2, SIM_MS);
  write_for(sim, cluster, 1000);
  assert_false(cluster_violated(cluster));
  struct peer *peer = peer_at(&cluster_engine(cluster, 1)->peers, 0);
  vector_clear(&peer->known);
  peer->cursor = 0;
  write_for(sim, cluster, 1000);
  assert_found(sim, cluster, "had acknowledged it");
}

static void a_window_that_is_sent_twice_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim, 2, 300 * SIM_MS);
  sim_run(sim, 4 * SIM_SECOND, UINT64_MAX);
  write_for(sim, cluster, 200);
  assert_false(cluster_violated(cluster));
  struct peer *peer = peer_at(&cluster_engine(cluster, 1)->peers, 0);
  assert_true(peer->in_flight_count > 0);
  peer->in_flight_count = 0;
  peer->cursor = 0;
  write_for(sim, cluster, 200);
  assert_found(sim, cluster, "a second time");
}

static void backoff_that_is_never_used_is_found(void **state) {
  (void)state;
  struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct cluster *cluster = begin(sim, 2, SIM_MS);
  sim_node_power_loss(cluster->world, 2);
  for (int i = 0; i < 100 && !cluster_violated(cluster); i++) {
    peer_at(&cluster_engine(cluster, 1)->peers, 0)->due_ns = 0;
    write_for(sim, cluster, 100);
  }
  assert_true(cluster_violated(cluster)); /* by the exact oracle, before they are too many */
  assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_BACKOFF);
  sim_close(sim);
}

static void what_engines_do_is_no_finding(void **state) {
  (void)state;
  for (int how = 0; how < 5; how++) {
    struct sim *sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
    struct cluster *cluster = begin(sim, 4, 10 * SIM_MS);
    struct sim_world *w = cluster->world;
    struct cluster_workload workload = {.keys = 8, .interval_ns = 20 * SIM_MS};
    cluster_workload_start(cluster, &workload);
    if (how == 1) sim_link_cut(w, 1, 2);
    if (how == 2) sim_node_power_loss(w, 2);
    if (how == 3) sim_node_pause(w, 2);
    if (how == 4) sim_rule_add(w, &(struct sim_rule){.from = 1, .action = SIM_RULE_DROP, .count = 200});
    sim_run(sim, 30 * SIM_SECOND, UINT64_MAX);
    if (how == 1) sim_link_heal(w, 1, 2);
    if (how == 2) assert_true(sim_node_boot(w, 2));
    if (how == 3) sim_node_resume(w, 2);
    sim_run(sim, 90 * SIM_SECOND, UINT64_MAX);
    assert_false(cluster_violated(cluster));
    sim_close(sim);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_operation_that_is_sent_twice_for_nothing_is_found),
      cmocka_unit_test(each_reason_is_one_to_send_it_once_more),
      cmocka_unit_test(what_was_skipped_may_be_sent_later_as_well_but_once),
      cmocka_unit_test(no_reason_is_one_to_send_what_was_acknowledged_but_another_run_is),
      cmocka_unit_test(tries_come_less_and_less_often),
      cmocka_unit_test(who_is_silent_is_not_greeted_as_often_as_who_answers),
      cmocka_unit_test(what_is_sent_much_more_often_than_needed_is_found_in_calm),
      cmocka_unit_test(a_replay_from_the_beginning_is_found),
      cmocka_unit_test(a_window_that_is_sent_twice_is_found),
      cmocka_unit_test(backoff_that_is_never_used_is_found),
      cmocka_unit_test(what_engines_do_is_no_finding),
  };
  int r = cmocka_run_group_tests_name("traffic", tests, NULL, NULL);
  return r != 0;
}
