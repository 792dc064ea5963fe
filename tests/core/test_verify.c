/* Verifying the log of an open engine: sync_verify. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/log/segment.h"
#include "tests/support/replica.h"

#define RECORDS 6u
#define FOUND_MAX 16u
#define SEGMENT_BYTES 500u

static struct replicas worlds, *world = &worlds;

struct found {
  struct sync_damage damages[FOUND_MAX];
  size_t count;
  size_t stop_after; /* 0: never */
};

static int find(void *arg, const struct sync_damage *damage) {
  struct found *found = arg;
  assert_true(found->count < FOUND_MAX);
  found->damages[found->count++] = *damage;
  return found->count == found->stop_after ? 7 : 0;
}

/* Several segments, all durable; positions of its own operations in `ends`. */
static struct sync_engine *begin(uint64_t ends[RECORDS]) {
  replicas_init(world, 1);
  replica_close(world, 0);
  world->at[0].options.segment_bytes = SEGMENT_BYTES;
  replica_open(world, 0);
  for (size_t i = 0; i < RECORDS; i++) {
    struct sync_receipt receipt;
    uint8_t value[100];
    memset(value, (int)i, sizeof value);
    assert_int_equal(sync_put(world->at[0].engine, "key", 3, value, sizeof value, &receipt), SYNC_OK);
    ends[i] = receipt.position;
    replica_flush(world, 0);
  }
  return world->at[0].engine;
}

static size_t verify_all(struct sync_engine *engine, uint64_t bytes_max, struct found *found) {
  uint64_t position = 0;
  size_t steps = 0;
  for (; position != SYNC_VERIFIED; steps++) {
    uint64_t before = position;
    assert_int_equal(sync_verify(engine, &position, bytes_max, find, found), SYNC_OK);
    assert_true(position > before);
    assert_true(steps < 100);
  }
  return steps;
}

/* The name of the file that holds the position, and its offset there. */
static size_t place_of(uint64_t position, char name[SEGMENT_NAME_BYTES]) {
  const struct memory_env *memory = &world->at[0].memory;
  uint64_t best = 0;
  bool any = false;
  for (size_t i = 0; i < memory->live_count; i++) {
    uint64_t first;
    uint32_t epoch;
    bool aside;
    if (!segment_name_parse(memory->live[i].name, &first, &epoch, &aside) || first > position) continue;
    if (any && first < best) continue;
    best = first;
    any = true;
    memcpy(name, memory->live[i].name, strlen(memory->live[i].name) + 1);
  }
  assert_true(any);
  return SEGMENT_HEADER_BYTES + (size_t)(position - best);
}

static void flip(uint64_t position) {
  char name[SEGMENT_NAME_BYTES];
  size_t offset = place_of(position, name);
  memory_env_flip(&world->at[0].memory, name, offset);
}

static void a_log_that_is_whole_is_read_to_its_end_in_steps(void **state) {
  (void)state;
  uint64_t ends[RECORDS];
  struct sync_engine *engine = begin(ends);
  struct found found = {0};
  uint64_t appended = sync_appended_position(engine), calls = world->at[0].memory.writes;
  size_t steps = verify_all(engine, 1, &found);
  assert_true(steps > RECORDS); /* a record each, and one that finds the end */
  assert_int_equal(verify_all(engine, UINT64_MAX, &found), 1);
  assert_int_equal(found.count, 0);
  assert_int_equal(world->at[0].memory.writes, calls); /* it changes nothing */
  assert_int_equal(sync_appended_position(engine), appended);
  replicas_destroy(world);
}

static void what_is_not_written_yet_is_not_read(void **state) {
  (void)state;
  uint64_t ends[RECORDS];
  struct sync_engine *engine = begin(ends);
  assert_int_equal(sync_put(engine, "later", 5, "x", 1, NULL), SYNC_OK);
  struct found found = {0};
  (void)verify_all(engine, 50, &found);
  assert_int_equal(found.count, 0);
  replica_flush(world, 0);
  replicas_destroy(world);
}

static void each_damaged_operation_is_named_and_nothing_else(void **state) {
  (void)state;
  uint64_t ends[RECORDS];
  for (size_t i = 1; i < RECORDS; i++) {
    struct sync_engine *engine = begin(ends);
    flip(ends[i] - 1); /* the last byte of its record */
    struct found found = {0};
    (void)verify_all(engine, 64, &found);
    assert_int_equal(found.count, 1);
    assert_int_equal(found.damages[0].position + found.damages[0].size, ends[i]);
    assert_int_equal(found.damages[0].status, SYNC_E_DAMAGED);
    assert_true(found.damages[0].operation);
    assert_string_equal(found.damages[0].dot.origin.node_id, "n0");
    assert_int_equal(found.damages[0].dot.seq, i + 1);
    replicas_destroy(world);
  }
}

static void several_damages_are_all_reported_in_order(void **state) {
  (void)state;
  uint64_t ends[RECORDS];
  struct sync_engine *engine = begin(ends);
  flip(ends[1] - 1);
  flip(ends[1] + 9); /* in its header */
  flip(ends[4] - 50);
  struct found found = {0};
  (void)verify_all(engine, UINT64_MAX, &found);
  assert_int_equal(found.count, 3);
  assert_int_equal(found.damages[0].dot.seq, 2);
  assert_int_equal(found.damages[1].dot.seq, 3);
  assert_int_equal(found.damages[2].dot.seq, 5);
  replicas_destroy(world);
}

static void a_damaged_header_counts_as_the_first_record_of_its_file(void **state) {
  (void)state;
  uint64_t ends[RECORDS];
  struct sync_engine *engine = begin(ends);
  char name[SEGMENT_NAME_BYTES];
  (void)place_of(ends[RECORDS - 2], name);
  uint64_t first = 0;
  uint32_t epoch;
  bool aside;
  assert_true(segment_name_parse(name, &first, &epoch, &aside) && first > 0);
  memory_env_flip(&world->at[0].memory, name, 20);
  struct found found = {0};
  (void)verify_all(engine, 1, &found);
  assert_int_equal(found.count, 1);
  assert_int_equal(found.damages[0].position, first);
  replicas_destroy(world);
}

static void a_read_that_fails_is_reported_as_such_and_passes(void **state) {
  (void)state;
  uint64_t ends[RECORDS];
  struct sync_engine *engine = begin(ends);
  struct memory_env *memory = &world->at[0].memory;
  uint64_t position = 0;
  struct found found = {0};
  assert_int_equal(sync_verify(engine, &position, 1, find, &found), SYNC_OK);
  memory->unreadable_from = SEGMENT_HEADER_BYTES + position + 1u;
  assert_int_equal(sync_verify(engine, &position, 1, find, &found), SYNC_OK);
  memory->unreadable_from = 0;
  assert_int_equal(found.count, 1);
  assert_int_equal(found.damages[0].status, SYNC_E_IO);
  found.count = 0;
  (void)verify_all(engine, UINT64_MAX, &found);
  assert_int_equal(found.count, 0);
  replicas_destroy(world);
}

static void the_caller_may_end_a_step_and_go_on_behind_the_damage(void **state) {
  (void)state;
  uint64_t ends[RECORDS];
  struct sync_engine *engine = begin(ends);
  flip(ends[1] - 1);
  flip(ends[3] - 1);
  struct found found = {.stop_after = 1};
  uint64_t position = 0;
  assert_int_equal(sync_verify(engine, &position, UINT64_MAX, find, &found), 7);
  assert_int_equal(position, ends[1]);
  assert_int_equal(sync_verify(engine, &position, UINT64_MAX, find, &found), SYNC_OK);
  assert_int_equal(position, SYNC_VERIFIED);
  assert_int_equal(found.count, 2);
  replicas_destroy(world);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_log_that_is_whole_is_read_to_its_end_in_steps),
      cmocka_unit_test(what_is_not_written_yet_is_not_read),
      cmocka_unit_test(each_damaged_operation_is_named_and_nothing_else),
      cmocka_unit_test(several_damages_are_all_reported_in_order),
      cmocka_unit_test(a_damaged_header_counts_as_the_first_record_of_its_file),
      cmocka_unit_test(a_read_that_fails_is_reported_as_such_and_passes),
      cmocka_unit_test(the_caller_may_end_a_step_and_go_on_behind_the_damage),
  };
  return cmocka_run_group_tests_name("verify", tests, NULL, NULL) != 0;
}
