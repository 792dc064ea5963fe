/* Clock safety: each time that an operation must not have is found, and so is each reading of the wall clock that no
 * operation explains; what the bound forbids, and what power cut short, is neither. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/claims.h"
#include "cluster/clocks.h"
#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/oracle.h"
#include "cluster/submit.h"

#define BOUND (500 * SIM_MS) /* core/sync.h: the default */

struct fixture {
  struct sim *sim;
  struct cluster *cluster;
};

/* n1 has written, n2 has it. */
static int set_up(void **state) {
  struct fixture *fixture = test_malloc(sizeof *fixture);
  fixture->sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 3}};
  struct cluster_config cluster_config = {.nodes = 2};
  fixture->cluster = cluster_create(sim_world_begin(fixture->sim, &config), &cluster_config);
  sim_run(fixture->sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(fixture->cluster, 1, 1, 16), SYNC_OK);
  assert_int_equal(cluster_put(fixture->cluster, 2, 2, 16), SYNC_OK);
  sim_run(fixture->sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_false(cluster_violated(fixture->cluster));
  *state = fixture;
  return 0;
}
static int tear_down(void **state) {
  struct fixture *fixture = *state;
  sim_close(fixture->sim);
  test_free(fixture);
  return 0;
}

static void expect(const struct cluster *cluster, bool found) {
  if (!found && cluster_violated(cluster)) print_message("%s\n", sim_violation_get(cluster->world)->detail);
  assert_int_equal(cluster_violated(cluster), found);
  if (found) assert_string_equal(sim_violation_get(cluster->world)->property, CLUSTER_CLOCK);
}

/* Sets the wall clock of node 2, and stops it. */
static void set_wall(struct cluster *cluster, uint64_t ns) {
  sim_clock_freeze(cluster->world, 2, true);
  for (unsigned i = 0; i < 3; i++)
    sim_clock_step(cluster->world, 2, -INT64_MAX);
  for (uint64_t left = ns; left > 0;) {
    int64_t step = left > INT64_MAX ? INT64_MAX : (int64_t)left;
    sim_clock_step(cluster->world, 2, step);
    left -= (uint64_t)step;
  }
  assert_true(sim_clock_wall_peek(cluster->world, 2) == ns);
}

/* A submit of node 2 is being made there. */
static uint32_t submit(struct cluster *cluster, uint64_t wall_ns, uint64_t held) {
  set_wall(cluster, wall_ns);
  cluster->nodes[2].replica.hlc_last = held;
  uint32_t operation = ledger_submit(&cluster->ledger, cluster->nodes[2].life, 0);
  claims_expect(cluster, 2, operation);
  return operation;
}

/* --- Times ------------------------------------------------------------------------------ */

static const struct {
  uint64_t wall, held, time; /* the one that is right */
} times[] = {
    {0, 0, 1},
    {0, 77, 78},
    {0, BOUND, BOUND + 1},
    {0, BOUND + 1, BOUND + 1}, /* the bound forbids to be past it */
    {0, UINT64_MAX, BOUND + 1},
    {10 * BOUND, 10 * BOUND - 1, 10 * BOUND + 1},
    {10 * BOUND, 10 * BOUND, 10 * BOUND + 1},
    {10 * BOUND, 10 * BOUND + 1, 10 * BOUND + 2},
    {10 * BOUND, 11 * BOUND - 1, 11 * BOUND},
    {10 * BOUND, 11 * BOUND, 11 * BOUND + 1},
    {10 * BOUND, 11 * BOUND + 1, 11 * BOUND + 1},
    {UINT64_MAX - BOUND, UINT64_MAX - 1, UINT64_MAX},
    {UINT64_MAX - BOUND - 3, UINT64_MAX, UINT64_MAX - 2},
    {UINT64_MAX - 1, 0, UINT64_MAX},
    {UINT64_MAX, 0, UINT64_MAX}, /* and there 64 bits do */
    {UINT64_MAX, UINT64_MAX, UINT64_MAX},
};

static void with_each(int64_t off, bool found) {
  for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
    if (off > 0 && times[i].time == UINT64_MAX) continue;
    void *state = NULL;
    (void)set_up(&state);
    struct cluster *cluster = ((struct fixture *)state)->cluster;
    (void)submit(cluster, times[i].wall, times[i].held);
    clocks_submitted(cluster, &cluster->nodes[2], times[i].time + (uint64_t)off);
    expect(cluster, found);
    (void)tear_down(&state);
  }
}

static void the_time_past_all_that_was_held_or_where_the_bound_ends_is_right(void **state) {
  (void)state;
  with_each(0, false);
}
static void a_nanosecond_beyond_the_bound_or_for_no_reason_is_found(void **state) {
  (void)state;
  with_each(1, true);
}
static void a_nanosecond_short_of_what_it_must_be_past_is_found(void **state) {
  (void)state;
  with_each(-1, true);
}

static void own_write_at(struct cluster *cluster, uint64_t off) {
  const struct cluster_node *node = &cluster->nodes[2];
  const struct ledger_life *life = &cluster->ledger.lives[node->life];
  set_wall(cluster, 1000);
  uint64_t end = sync_appended_position(cluster_engine(cluster, 2));
  uint64_t fields[] = {node->hash, life->incarnation, life->count + 1u, end + 50, 1000 + BOUND + 1 + off, end};
  assert_true(node->replica.hlc_last > 1000 + BOUND);
  cluster_traced(cluster->world, cluster, 2, SYNC_TRACE_OWN_WRITE, fields, 6);
}
static void what_an_engine_writes_by_itself_is_held_to_the_same(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  own_write_at(cluster, 0);
  expect(cluster, false);
  own_write_at(cluster, 1);
  expect(cluster, true);
}

/* --- Readings --------------------------------------------------------------------------- */

static void read_wall(struct cluster *cluster) {
  const struct sync_env *env = sim_node_env(cluster->nodes[2].machine);
  (void)env->ops->wall_ns(env->ctx);
}

/* An event of node 2 that reads its wall clock so often beside what its engine does. */
static void event(struct cluster *cluster, bool submits, unsigned reads) {
  struct cluster_software *software = cluster_turn_begin(cluster, 2);
  assert_non_null(software);
  struct cluster_change change = {.kind = SYNC_PUT, .key = 1, .size = 16};
  if (submits) assert_int_equal(cluster_turn_submit(cluster, software, 1, &change, 1), SYNC_OK);
  for (unsigned i = 0; i < reads; i++)
    read_wall(cluster);
  cluster_turn_end(cluster, software);
}

static void a_submit_explains_its_one_reading(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  event(cluster, true, 0);
  event(cluster, false, 0);
  expect(cluster, false);
}
static void a_reading_without_an_operation_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  event(cluster, true, 0);
  event(cluster, false, 1);
  expect(cluster, true);
}
static void a_second_reading_beside_an_operation_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  event(cluster, true, 1);
  expect(cluster, true);
}

/* A refused step of that kind, and then two readings, or one. */
static void refused(struct cluster *cluster, uint64_t kind, unsigned reads) {
  struct cluster_software *software = cluster_turn_begin(cluster, 2);
  uint64_t fields[] = {(uint64_t)(int64_t)SYNC_E_NO_MEMORY, kind};
  cluster_traced(cluster->world, cluster, 2, SYNC_TRACE_REFUSED, fields, 2);
  for (unsigned i = 0; i < reads; i++)
    read_wall(cluster);
  cluster_turn_end(cluster, software);
}
static void a_refused_write_explains_one_reading_and_a_refused_frame_none(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  refused(cluster, 0, 1);
  expect(cluster, false);
  refused(cluster, 1, 0);
  expect(cluster, false);
  refused(cluster, 1, 1);
  expect(cluster, true);
}
static void a_refused_write_explains_not_two(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  refused(cluster, 0, 2);
  expect(cluster, true);
}

/* Power fails at each call of a write, between the reading and the step that tells of it, too. */
static void a_write_that_power_cut_short_is_no_fault(void **unused) {
  (void)unused;
  bool cut = false;
  for (uint64_t at = 1; at < 40; at++) {
    void *state = NULL;
    (void)set_up(&state);
    struct cluster *cluster = ((struct fixture *)state)->cluster;
    sim_node_arm(cluster->world, 2, at, false);
    int status = cluster_put(cluster, 2, 1, 16);
    cut = cut || status == SYNC_E_POWERED_OFF;
    sim_run(((struct fixture *)state)->sim, 3 * SIM_SECOND, UINT64_MAX);
    if (sim_node_state(cluster->nodes[2].machine) == SIM_NODE_DOWN) assert_true(sim_node_boot(cluster->world, 2));
    sim_run(((struct fixture *)state)->sim, 4 * SIM_SECOND, UINT64_MAX);
    expect(cluster, false);
    (void)tear_down(&state);
  }
  assert_true(cut);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_time_past_all_that_was_held_or_where_the_bound_ends_is_right),
      cmocka_unit_test(a_nanosecond_beyond_the_bound_or_for_no_reason_is_found),
      cmocka_unit_test(a_nanosecond_short_of_what_it_must_be_past_is_found),
      TEST(what_an_engine_writes_by_itself_is_held_to_the_same),
      TEST(a_submit_explains_its_one_reading),
      TEST(a_reading_without_an_operation_is_found),
      TEST(a_second_reading_beside_an_operation_is_found),
      TEST(a_refused_write_explains_one_reading_and_a_refused_frame_none),
      TEST(a_refused_write_explains_not_two),
      cmocka_unit_test(a_write_that_power_cut_short_is_no_fault),
  };
  return cmocka_run_group_tests_name("clocks", tests, NULL, NULL) != 0;
}
