/* What a damaged disk says of its log: read with the oracles' own decoders, from a
 * log of which the test knows every record. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "cluster/cluster.h"
#include "cluster/decode.h"
#include "cluster/log_damage.h"
#include "cluster/lookup.h"
#include "cluster/state.h"
#include "cluster/submit.h"

#define RECORDS_MAX 32

struct fixture {
  struct sim *sim;
  struct cluster *cluster;
  struct sim_disk *disk;
  char name[DECODE_SEGMENT_NAME_BYTES];
  uint64_t record[RECORDS_MAX + 1]; /* where each begins, and where the last ends */
  int count;
};

static void find_records(struct fixture *fixture) {
  uint8_t header[DECODE_RECORD_HEADER_BYTES_MAX];
  uint64_t at = 0;
  struct decode_record record = {0};
  size_t got;
  while ((got = sim_disk_peek(fixture->disk, fixture->name, DECODE_SEGMENT_HEADER_BYTES + at, header, sizeof header)) >
         0) {
    assert_true(fixture->count < RECORDS_MAX && decode_record_header(header, got, at, &record));
    fixture->record[fixture->count++] = at;
    at += decode_record_bytes(&record);
  }
  fixture->record[fixture->count] = at;
}

/* One node, each write durable before the next. */
static int set_up(void **state) {
  struct fixture *fixture = test_calloc(1, sizeof *fixture);
  fixture->sim = sim_open(&(struct sim_options){.fill = SIM_FILL_NONE});
  struct sim_config config = {.source = {.seed = 3}};
  struct cluster_config cluster_config = {.nodes = 1};
  fixture->cluster = cluster_create(sim_world_begin(fixture->sim, &config), &cluster_config);
  for (uint32_t i = 1; i <= 4; i++) {
    sim_run(fixture->sim, i * SIM_SECOND, UINT64_MAX);
    assert_int_equal(cluster_put(fixture->cluster, 1, i, 16), SYNC_OK);
  }
  sim_run(fixture->sim, 5 * SIM_SECOND, UINT64_MAX);
  fixture->disk = sim_node_disk(sim_node_at(fixture->cluster->world, 1));
  decode_segment_name_write(&fixture->cluster->nodes[1].replica.segments[0], fixture->name);
  find_records(fixture);
  assert_true(fixture->count >= 5);
  *state = fixture;
  return 0;
}
static int tear_down(void **state) {
  struct fixture *fixture = *state;
  sim_close(fixture->sim);
  test_free(fixture);
  return 0;
}

static struct log_damage look(const struct fixture *fixture) {
  struct log_damage damage;
  log_damage_look(fixture->cluster, 1, &damage);
  return damage;
}
static void flip(const struct fixture *fixture, uint64_t byte) {
  assert_true(sim_disk_flip(fixture->disk, fixture->name, 8u * byte));
}

static void a_disk_that_nobody_damaged_is_not_looked_at(void **state) {
  struct log_damage damage = look(*state);
  assert_false(damage.any);
  assert_false(damage.told);
  assert_false(log_damage_in(((struct fixture *)*state)->cluster, 1, 0, UINT64_MAX));
}

/* Record i is damaged; the one behind the next says that it was durable. What is
 * flipped twice still counts as damaged, so each has a world of its own. */
static void damage_with_a_durable_record_behind_it_is_told(void **state) {
  const int count = ((struct fixture *)*state)->count;
  for (int i = 0; i + 2 < count; i++) {
    void *own = NULL;
    (void)set_up(&own);
    const struct fixture *fixture = own;
    flip(fixture, DECODE_SEGMENT_HEADER_BYTES + fixture->record[i] + DECODE_RECORD_HEADER_BYTES_MIN / 2);
    struct log_damage damage = look(fixture);
    assert_true(damage.any);
    assert_true(damage.told);
    assert_true(damage.end == fixture->record[i]);
    assert_true(damage.claimed > fixture->record[i]);
    assert_true(damage.claimed <= fixture->record[count]);
    (void)tear_down(&own);
  }
}

static void damage_in_the_last_record_cannot_be_told_from_a_tail(void **state) {
  struct fixture *fixture = *state;
  uint64_t last = fixture->record[fixture->count - 1];
  flip(fixture, DECODE_SEGMENT_HEADER_BYTES + fixture->record[fixture->count] - 1);
  struct log_damage damage = look(fixture);
  assert_true(damage.any);
  assert_false(damage.told);
  assert_true(damage.end == last);
}

static void a_broken_header_of_an_epoch_is_told_and_takes_all_of_its_file(void **state) {
  struct fixture *fixture = *state;
  flip(fixture, 50);
  struct log_damage damage = look(fixture);
  assert_true(damage.any && damage.told);
  assert_true(damage.end == 0);
  assert_true(log_damage_in(fixture->cluster, 1, fixture->record[2], fixture->record[3]));
}

static void damage_is_in_the_record_where_it_lies_and_in_no_other(void **state) {
  const int count = ((struct fixture *)*state)->count;
  for (int i = 0; i < 2 * count; i++) {
    void *own = NULL;
    (void)set_up(&own);
    const struct fixture *fixture = own;
    uint64_t first = fixture->record[i / 2], last = fixture->record[i / 2 + 1] - 1;
    flip(fixture, DECODE_SEGMENT_HEADER_BYTES + (i % 2 ? last : first));
    for (int k = 0; k < count; k++)
      assert_int_equal(log_damage_in(fixture->cluster, 1, fixture->record[k], fixture->record[k + 1]), k == i / 2);
    (void)tear_down(&own);
  }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_disk_that_nobody_damaged_is_not_looked_at),
      TEST(damage_with_a_durable_record_behind_it_is_told),
      TEST(damage_in_the_last_record_cannot_be_told_from_a_tail),
      TEST(a_broken_header_of_an_epoch_is_told_and_takes_all_of_its_file),
      TEST(damage_is_in_the_record_where_it_lies_and_in_no_other),
  };
  return cmocka_run_group_tests_name("log_damage", tests, NULL, NULL) != 0;
}
