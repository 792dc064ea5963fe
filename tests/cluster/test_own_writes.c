/* What an engine writes by itself is judged: each lie that a sweep can tell is found. The ledger is
 * changed instead of the operation: the two must not agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/oracle.h"
#include "cluster/replica.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "cluster/sweeps.h"

struct fixture {
  struct sim *sim;
  struct cluster *cluster;
  uint32_t deleted, swept; /* operations */
};

/* n2 deletes what n1 wrote, and sweeps. */
static int set_up(void **state) {
  struct fixture *fixture = test_malloc(sizeof *fixture);
  fixture->sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 3}};
  struct cluster_config cluster_config = {.nodes = 2, .engine = {.sweep_interval_ns = 3 * SIM_SECOND}};
  struct cluster *cluster = cluster_create(sim_world_begin(fixture->sim, &config), &cluster_config);
  fixture->cluster = cluster;
  sim_run(fixture->sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(cluster, 1, 1, 16), SYNC_OK);
  sim_run(fixture->sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_delete(cluster, 2, 1), SYNC_OK);
  fixture->deleted = cluster->ledger.operation_count - 1u;
  sim_run(fixture->sim, 9 * SIM_SECOND, UINT64_MAX);
  assert_false(cluster_violated(cluster));
  fixture->swept = cluster->ledger.operation_count - 1u;
  assert_int_equal(fixture->swept, fixture->deleted + 1u);
  assert_int_equal(cluster->ledger.operations[fixture->swept].own, LEDGER_OWN_READ);
  *state = fixture;
  return 0;
}
static int tear_down(void **state) {
  struct fixture *fixture = *state;
  sim_close(fixture->sim);
  test_free(fixture);
  return 0;
}

/* Reads the log of n2 as if nobody had read yet what the sweep is. */
static void read_again(const struct fixture *fixture) {
  struct ledger_operation *swept = &fixture->cluster->ledger.operations[fixture->swept];
  swept->payload_hash = 0;
  swept->change_count = 0;
  swept->own = LEDGER_OWN_UNREAD;
  replica_begin(fixture->cluster, 2);
}
/* Judges it as a sweep of that node with these peers. */
static void judge_again(const struct fixture *fixture, uint32_t node, uint64_t peers) {
  struct cluster *cluster = fixture->cluster;
  CLUSTER_GROW(cluster->world, cluster->own_writes, cluster->own_write_capacity, cluster->own_write_count + 1u);
  cluster->own_writes[cluster->own_write_count++] = (struct cluster_own_write){fixture->swept, node, peers};
  sweeps_judge(cluster);
}
static struct ledger_change *first_change(const struct fixture *fixture, uint32_t operation) {
  struct ledger *ledger = &fixture->cluster->ledger;
  return &ledger->changes[ledger->operations[operation].change_first];
}
static void expect(const struct fixture *fixture, const char *property) {
  assert_true(cluster_violated(fixture->cluster));
  assert_string_equal(sim_violation_get(fixture->cluster->world)->property, property);
}

static void what_is_true_is_not_found(void **state) {
  const struct fixture *fixture = *state;
  const struct ledger_change *sweep = first_change(fixture, fixture->swept);
  assert_int_equal(sweep->kind, SYNC_SWEEP);
  assert_int_equal(sweep->seen_count, 1);
  judge_again(fixture, 2, 1u << 0);
  read_again(fixture);
  if (cluster_violated(fixture->cluster)) print_message("%s\n", sim_violation_get(fixture->cluster->world)->detail);
  assert_false(cluster_violated(fixture->cluster));
}

static void a_sweep_of_what_was_not_there_is_found(void **state) {
  const struct fixture *fixture = *state;
  first_change(fixture, fixture->deleted)->kind = SYNC_SWEEP; /* that left no tombstone */
  read_again(fixture);
  expect(fixture, CLUSTER_PHANTOM);
}

static void a_value_beside_the_tombstone_is_found(void **state) {
  const struct fixture *fixture = *state;
  first_change(fixture, fixture->deleted)->seen_count = 0; /* n1's put stays */
  read_again(fixture);
  expect(fixture, CLUSTER_SWEEPS);
}

static void a_sweep_before_a_peer_held_the_delete_is_found(void **state) {
  const struct fixture *fixture = *state;
  judge_again(fixture, 2, 1u << 0);
  assert_false(cluster_violated(fixture->cluster));
  fixture->cluster->ledger.operations[fixture->deleted].seq += 100;
  judge_again(fixture, 2, 1u << 0);
  expect(fixture, CLUSTER_SWEEPS);
}

static void a_sweep_of_a_peer_s_delete_is_found(void **state) {
  const struct fixture *fixture = *state;
  judge_again(fixture, 1, 0); /* whose peer n2 is not */
  assert_false(cluster_violated(fixture->cluster));
  judge_again(fixture, 1, 1u << 1);
  expect(fixture, CLUSTER_SWEEPS);
}

/* What the engine says that it wrote is in its log, or something is wrong. */
static void a_sweep_that_no_log_has_is_found(void **state) {
  struct fixture *fixture = *state;
  struct cluster *cluster = fixture->cluster;
  struct cluster_node *node = &cluster->nodes[2];
  const struct ledger_life *life = &cluster->ledger.lives[node->life];
  uint64_t end = sync_appended_position(cluster_engine(cluster, 2));
  uint64_t hlc = sim_clock_wall_peek(cluster->world, 2) + 1u;
  const uint64_t fields[] = {node->hash, life->incarnation, life->count + 1u, end + 50u, hlc, end};
  cluster_traced(cluster->world, cluster, 2, SYNC_TRACE_OWN_WRITE, fields, 6);
  assert_false(cluster_violated(cluster));
  replica_follow(cluster, 2);
  expect(fixture, CLUSTER_RECOVERY);
}

static void a_sweep_under_an_id_that_was_given_is_found(void **state) {
  struct fixture *fixture = *state;
  struct cluster *cluster = fixture->cluster;
  struct cluster_node *node = &cluster->nodes[2];
  const struct ledger_life *life = &cluster->ledger.lives[node->life];
  const uint64_t fields[] = {node->hash, life->incarnation, life->count, 1000, 1, 900};
  cluster_traced(cluster->world, cluster, 2, SYNC_TRACE_OWN_WRITE, fields, 6);
  expect(fixture, CLUSTER_EXACTLY_ONCE);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      CLAIM(what_is_true_is_not_found),
      CLAIM(a_sweep_of_what_was_not_there_is_found),
      CLAIM(a_value_beside_the_tombstone_is_found),
      CLAIM(a_sweep_before_a_peer_held_the_delete_is_found),
      CLAIM(a_sweep_of_a_peer_s_delete_is_found),
      CLAIM(a_sweep_that_no_log_has_is_found),
      CLAIM(a_sweep_under_an_id_that_was_given_is_found),
  };
  return cmocka_run_group_tests_name("own writes", tests, NULL, NULL);
}
