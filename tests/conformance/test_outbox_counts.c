/* Counts by status say what a walk over the outbox says, whatever happened. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/outbox_fixture.h"

#define SECOND_NS UINT64_C(1000000000)

static struct replicas *world;

static struct sync_engine *engine(void) {
  return world->at[0].engine;
}

static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t i = 1; i < count; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 100);
}

struct walk {
  uint32_t peer; /* SYNC_PEER_NONE: all */
  uint64_t of[SYNC_OUTBOX_FAILED + 1];
};
static int add(void *arg, const struct sync_outbox_entry *entry) {
  struct walk *walk = arg;
  if (walk->peer == SYNC_PEER_NONE || walk->peer == entry->peer) walk->of[entry->status]++;
  return 0;
}
/* The counts, which a walk confirms. */
static struct sync_outbox_counts counts_of(uint32_t peer) {
  struct walk walk = {.peer = peer};
  struct sync_outbox_counts counts;
  assert_int_equal(sync_outbox(engine(), add, &walk), 0);
  assert_int_equal(sync_outbox_count(engine(), peer, &counts), SYNC_OK);
  assert_int_equal(counts.pending, walk.of[SYNC_OUTBOX_PENDING]);
  assert_int_equal(counts.queued, walk.of[SYNC_OUTBOX_QUEUED]);
  assert_int_equal(counts.in_flight, walk.of[SYNC_OUTBOX_IN_FLIGHT]);
  assert_int_equal(counts.failed, walk.of[SYNC_OUTBOX_FAILED]);
  return counts;
}

static void expect(uint64_t pending, uint64_t queued, uint64_t in_flight, uint64_t failed, uint64_t acknowledged) {
  const struct sync_outbox_counts counts = counts_of(SYNC_PEER_NONE);
  assert_int_equal(counts.pending, pending);
  assert_int_equal(counts.queued, queued);
  assert_int_equal(counts.in_flight, in_flight);
  assert_int_equal(counts.failed, failed);
  assert_int_equal(counts.acknowledged, acknowledged);
}

static void each_status_is_counted(void **state) {
  (void)state;
  begin(3);
  expect(0, 0, 0, 0, 0);
  (void)outbox_put(world, 0, "a", "1");
  (void)outbox_put(world, 0, "b", "2");
  expect(4, 0, 0, 0, 0);
  replica_flush(world, 0);
  expect(0, 4, 0, 0, 0);
  (void)replica_collect(world, 0);
  expect(0, 0, 4, 0, 0);
  replicas_drop_all(world);
  replica_close(world, 2);
  outbox_park(world, 0, 2);
  (void)replicas_settle(world, 100);
  assert_int_equal(counts_of(replica_peer(world, 0, 2)).failed, 2);
  (void)outbox_put(world, 0, "c", "3");
  assert_int_equal(sync_peer_retry(engine(), replica_peer(world, 0, 1)), SYNC_OK);
  (void)replicas_settle(world, 100);
  expect(0, 0, 0, 3, 3);
  assert_int_equal(counts_of(replica_peer(world, 0, 1)).acknowledged, 3);
  assert_int_equal(sync_peer_remove(engine(), replica_peer(world, 0, 2)), SYNC_OK);
  expect(0, 0, 0, 0, 3);
  replicas_destroy(world);
}

static void of_a_peer_that_is_not_there_nothing_is_counted(void **state) {
  (void)state;
  begin(2);
  struct sync_outbox_counts counts;
  assert_int_equal(sync_outbox_count(engine(), 7, &counts), SYNC_E_PEER);
  replicas_destroy(world);
}

static uint32_t next(uint32_t *random, uint32_t below) {
  *random = *random * 1664525u + 1013904223u;
  return (*random >> 16) % below;
}
static void step(uint32_t *random, bool deaf) {
  char key[16];
  uint32_t what = next(random, 9);
  if (deaf && what == 6) what = 8; /* nothing arrives: peers are parked */
  switch (what) {
  case 0:
  case 1:
    (void)snprintf(key, sizeof key, "key-%u", next(random, 50));
    replica_put(world, 0, key, "by n0");
    break;
  case 2:
    replica_put(world, 1, "theirs", "by n1"); /* what others wrote is not counted */
    break;
  case 3:
    replica_flush(world, next(random, 3));
    break;
  case 4:
  case 5:
    (void)replica_collect(world, next(random, 3));
    break;
  case 6:
    while (world->frame_count > 0 && next(random, 4) > 0)
      (void)replicas_deliver(world, 0, false);
    break;
  case 7:
    replicas_drop_all(world);
    break;
  default:
    replicas_advance(world, next(random, 12) * SECOND_NS);
  }
}
static void counts_say_what_a_walk_says(void **state) {
  (void)state;
  uint64_t seen[4] = {0};
  for (uint32_t seed = 1; seed <= 40; seed++) {
    uint32_t random = seed;
    const bool deaf = seed % 4 == 0;
    begin(3);
    for (unsigned i = 0; i < 150; i++) {
      step(&random, deaf);
      if (i % 60 == 59 && !deaf) {
        replica_crash(world, 0, MEMORY_ENV_PREFIX, seed + i);
        replica_open(world, 0);
      }
      if (i == 100) replica_snapshot(world, 0);
      const struct sync_outbox_counts all = counts_of(SYNC_PEER_NONE);
      (void)counts_of(next(&random, 2));
      seen[0] += all.pending, seen[1] += all.queued, seen[2] += all.in_flight, seen[3] += all.failed;
    }
    replicas_destroy(world);
  }
  for (size_t i = 0; i < 4; i++)
    assert_true(seen[i] > 0);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_status_is_counted),
      cmocka_unit_test(of_a_peer_that_is_not_there_nothing_is_counted),
      cmocka_unit_test(counts_say_what_a_walk_says),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
