/* Each lie that an operation can tell of itself is found. The ledger is changed
 * instead of the operation: the two must not agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/lookup.h"
#include "cluster/state.h"
#include "cluster/submit.h"
#include "cluster/replica.h"

struct fixture {
  struct sim *sim;
  struct cluster *cluster;
};

/* n1 writes, n2 receives it and writes two operations that saw it. */
static int set_up(void **state) {
  struct fixture *fixture = test_malloc(sizeof *fixture);
  fixture->sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 3}};
  struct cluster_config cluster_config = {.nodes = 2};
  fixture->cluster = cluster_create(sim_world_begin(fixture->sim, &config), &cluster_config);
  sim_run(fixture->sim, SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(fixture->cluster, 1, 1, 16), SYNC_OK);
  sim_run(fixture->sim, 2 * SIM_SECOND, UINT64_MAX);
  assert_int_equal(cluster_put(fixture->cluster, 2, 1, 16), SYNC_OK);
  assert_int_equal(cluster_delete(fixture->cluster, 2, 1), SYNC_OK);
  sim_run(fixture->sim, 3 * SIM_SECOND, UINT64_MAX);
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

/* Reads the log of node 2 anew; operations from `first` on as if for the first time. */
static void read_again(struct cluster *cluster, uint32_t first) {
  for (uint32_t i = first; i < cluster->ledger.operation_count; i++)
    cluster->ledger.operations[i].payload_hash = 0;
  replica_begin(cluster, 2);
}
static void expect(struct cluster *cluster, const char *property) {
  assert_true(cluster_violated(cluster));
  assert_string_equal(sim_violation_get(cluster->world)->property, property);
}

static void what_is_true_is_not_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  read_again(cluster, 0);
  if (cluster_violated(cluster)) print_message("%s\n", sim_violation_get(cluster->world)->detail);
  assert_false(cluster_violated(cluster));
}
static void a_sibling_left_out_of_what_was_seen_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.changes[1].seen_count = 0;
  read_again(cluster, 1);
  expect(cluster, CLUSTER_CAUSAL);
}
static void another_sibling_than_was_seen_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.seen[cluster->ledger.changes[2].seen_first] = 1;
  read_again(cluster, 1);
  expect(cluster, CLUSTER_CAUSAL);
}
static void a_clock_that_is_too_low_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.operations[1].hlc++;
  read_again(cluster, 1);
  expect(cluster, CLUSTER_CLOCK);
}
static void a_clock_that_is_too_high_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.operations[1].hlc--;
  read_again(cluster, 1);
  expect(cluster, CLUSTER_CLOCK);
}
static void a_delta_that_says_too_much_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  assert_int_equal(cluster->ledger.operations[1].held_count, 1);
  cluster->ledger.operations[1].held_count = 0;
  read_again(cluster, 1);
  expect(cluster, CLUSTER_CAUSAL);
}
static void a_delta_that_says_too_little_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.operations[2].held_first = cluster->ledger.operations[1].held_first;
  cluster->ledger.operations[2].held_count = 1;
  read_again(cluster, 1);
  expect(cluster, CLUSTER_CAUSAL);
}
static void an_operation_applied_before_what_it_saw_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.held[cluster->ledger.operations[1].held_first].seq = 2; /* which n1 never wrote */
  read_again(cluster, UINT32_MAX);
  expect(cluster, CLUSTER_CAUSAL);
}
static void a_value_that_was_not_submitted_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.changes[1].value_of = 7;
  read_again(cluster, 1);
  expect(cluster, CLUSTER_PHANTOM);
}
/* A chosen value carries no number: its bytes are all there is to go by. */
static void a_chosen_value_of_which_one_byte_is_another_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  const struct cluster_change change = {
      .kind = SYNC_PUT, .key_text = "a\0b", .key_size = 3, .value = CLUSTER_VALUE_CHOSEN, .text = "chosen", .size = 6};
  assert_int_equal(cluster_script_submit(cluster, 2, &change, 1), SYNC_OK);
  read_again(cluster, 0);
  assert_false(cluster_violated(cluster));
  cluster->ledger.texts[cluster->ledger.changes[cluster->ledger.change_count - 1u].value_text + 4u] ^= 1;
  read_again(cluster, cluster->ledger.operation_count - 1u);
  expect(cluster, CLUSTER_PHANTOM);
}
static void other_bytes_under_the_same_id_are_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.operations[1].payload_hash ^= 1;
  read_again(cluster, UINT32_MAX);
  expect(cluster, CLUSTER_UNIQUE_IDS);
}
static void an_operation_that_nobody_submitted_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  cluster->ledger.lives[cluster->nodes[2].life].count = 1;
  read_again(cluster, UINT32_MAX);
  expect(cluster, CLUSTER_PHANTOM);
}
static void a_log_that_ends_elsewhere_than_the_engine_says_is_found(void **state) {
  struct cluster *cluster = ((struct fixture *)*state)->cluster;
  char name[DECODE_SEGMENT_NAME_BYTES];
  decode_segment_name_write(&cluster->nodes[2].replica.segments[0], name);
  struct sim_disk *disk = sim_node_disk(sim_node_at(cluster->world, 2));
  assert_true(sim_disk_flip(disk, name, 8u * (DECODE_SEGMENT_HEADER_BYTES + 30u)));
  read_again(cluster, UINT32_MAX);
  expect(cluster, CLUSTER_RECOVERY);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(what_is_true_is_not_found),
      TEST(a_sibling_left_out_of_what_was_seen_is_found),
      TEST(another_sibling_than_was_seen_is_found),
      TEST(a_clock_that_is_too_low_is_found),
      TEST(a_clock_that_is_too_high_is_found),
      TEST(a_delta_that_says_too_much_is_found),
      TEST(a_delta_that_says_too_little_is_found),
      TEST(an_operation_applied_before_what_it_saw_is_found),
      TEST(a_value_that_was_not_submitted_is_found),
      TEST(a_chosen_value_of_which_one_byte_is_another_is_found),
      TEST(other_bytes_under_the_same_id_are_found),
      TEST(an_operation_that_nobody_submitted_is_found),
      TEST(a_log_that_ends_elsewhere_than_the_engine_says_is_found),
  };
  return cmocka_run_group_tests_name("claims", tests, NULL, NULL) != 0;
}
