/* One entry of the outbox, found by its id: as the listing gives it, and acknowledged where the listing is silent. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/support/replica.h"

#define OPERATIONS 64u

static struct replicas *world;

struct listing {
  struct sync_outbox_entry entries[2 * OPERATIONS];
  size_t count;
};

static int list(void *arg, const struct sync_outbox_entry *entry) {
  struct listing *listing = arg;
  assert_true(listing->count < 2 * OPERATIONS);
  listing->entries[listing->count++] = *entry;
  return 0;
}

static bool same_dot(const struct sync_dot *a, const struct sync_dot *b) {
  return a->seq == b->seq && a->origin.incarnation == b->origin.incarnation &&
         strcmp(a->origin.node_id, b->origin.node_id) == 0;
}

static const struct sync_outbox_entry *listed(const struct listing *listing, const struct sync_dot *dot,
                                              uint32_t peer) {
  for (size_t i = 0; i < listing->count; i++)
    if (listing->entries[i].peer == peer && same_dot(&listing->entries[i].dot, dot)) return &listing->entries[i];
  return NULL;
}

/* Holds what is found of each operation and peer against the listing. Returns how many are acknowledged. */
static size_t expect_found(const struct sync_dot *dots, size_t count, uint32_t peers) {
  struct listing listing = {.count = 0};
  struct sync_engine *engine = world->at[0].engine;
  size_t acknowledged = 0;
  assert_int_equal(sync_outbox(engine, list, &listing), SYNC_OK);
  for (size_t i = 0; i < count; i++)
    for (uint32_t peer = 0; peer < peers; peer++) {
      struct sync_outbox_entry entry;
      assert_int_equal(sync_outbox_find(engine, &dots[i], peer, &entry), SYNC_OK);
      assert_true(same_dot(&entry.dot, &dots[i]));
      assert_int_equal(entry.peer, peer);
      const struct sync_outbox_entry *expected = listed(&listing, &dots[i], peer);
      acknowledged += expected == NULL;
      assert_int_equal(entry.status, expected != NULL ? expected->status : SYNC_OUTBOX_ACKNOWLEDGED);
      if (expected == NULL) continue;
      assert_int_equal(entry.retries, expected->retries);
      assert_true(entry.next_deadline_ns == expected->next_deadline_ns);
    }
  assert_int_equal(listing.count + acknowledged, count * peers);
  return acknowledged;
}

static struct sync_dot put(const char *value) {
  struct sync_receipt receipt;
  assert_int_equal(sync_put(world->at[0].engine, "k", 1, value, strlen(value), &receipt), SYNC_OK);
  return receipt.dot;
}

static void an_entry_is_found_as_the_listing_gives_it(void **state) {
  (void)state;
  replicas_init(world, 3);
  replicas_link(world, 0, 1);
  replicas_link(world, 0, 2);
  struct sync_dot dots[OPERATIONS];
  size_t count = 0;
  dots[count++] = put("not durable");
  assert_int_equal(expect_found(dots, count, 2), 0);
  (void)replicas_settle(world, 60);
  assert_int_equal(expect_found(dots, count, 2), 2);
  replica_close(world, 2); /* acknowledges nothing from here on */
  dots[count++] = put("acknowledged by one");
  (void)replicas_settle(world, 60);
  dots[count++] = put("in flight");
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  dots[count++] = put("queued");
  replica_flush(world, 0);
  dots[count++] = put("not durable");
  assert_int_equal(expect_found(dots, count, 2), 3);
  replicas_drop_all(world);
  for (uint32_t i = 0; i < 40; i++) {
    replicas_advance(world, UINT64_C(10000000000));
    replica_flush(world, 0);
    (void)replica_collect(world, 0);
    replicas_drop_all(world);
    assert_int_equal(expect_found(dots, count, 2), 3);
  }
  struct sync_outbox_entry entry;
  assert_int_equal(sync_outbox_find(world->at[0].engine, &dots[2], 1, &entry), SYNC_OK);
  assert_int_equal(entry.status, SYNC_OUTBOX_FAILED);
  replicas_destroy(world);
}

/* Ids as a caller keeps them: node ids of the engine before are gone with it. */
static void operations_of_earlier_lives_are_found_too(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  struct sync_dot dots[3];
  for (size_t i = 0; i < 3; i++) {
    dots[i] = put("one in each life");
    dots[i].origin.node_id = "n0";
    replica_flush(world, 0);
    replica_close(world, 0);
    replica_open(world, 0);
  }
  assert_int_equal(expect_found(dots, 3, 1), 0);
  (void)replicas_settle(world, 60);
  assert_int_equal(expect_found(dots, 3, 1), 3);
  replicas_destroy(world);
}

static void what_a_snapshot_pays_is_found_as_well(void **state) {
  (void)state;
  replicas_init(world, 2);
  replica_close(world, 0);
  world->at[0].options.segment_bytes = 1024;
  world->at[0].options.snapshot_bytes = UINT64_MAX; /* only when asked */
  world->at[0].options.retain_bytes = 1;
  replica_open(world, 0);
  struct sync_dot dots[OPERATIONS];
  for (size_t i = 0; i < OPERATIONS; i++) {
    dots[i] = put("long enough for several segments of the log, of which all but the last can go");
    replica_flush(world, 0);
  }
  replica_snapshot(world, 0);
  for (uint32_t i = 0; i < 20; i++)
    replicas_advance(world, UINT64_C(10000000));
  assert_true(replica_stats(world, 0).log_first > 0);
  assert_int_equal(sync_peer_add(world->at[0].engine, "n1", NULL), SYNC_OK);
  struct listing listing = {.count = 0};
  assert_int_equal(sync_outbox(world->at[0].engine, list, &listing), SYNC_OK);
  assert_int_equal(listing.count, OPERATIONS);
  assert_true(world->at[0].engine->own->floor > 0);
  assert_int_equal(expect_found(dots, OPERATIONS, 1), 0);
  replicas_destroy(world);
}

static void nothing_is_found_under_an_id_that_is_none_of_ours(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  struct sync_dot dot = put("ours");
  struct sync_receipt theirs;
  assert_int_equal(sync_put(world->at[1].engine, "t", 1, "v", 1, &theirs), SYNC_OK);
  (void)replicas_settle(world, 60);
  struct sync_engine *engine = world->at[0].engine;
  struct sync_outbox_entry entry = {.status = SYNC_OUTBOX_PENDING, .retries = 77};
  assert_int_equal(sync_outbox_find(engine, &dot, 1, &entry), SYNC_E_PEER);
  struct sync_dot other = dot;
  other.seq = 2;
  assert_int_equal(sync_outbox_find(engine, &other, 0, &entry), SYNC_E_NOT_FOUND);
  other.seq = 0;
  assert_int_equal(sync_outbox_find(engine, &other, 0, &entry), SYNC_E_NOT_FOUND);
  other = dot;
  other.origin.incarnation ^= 1;
  assert_int_equal(sync_outbox_find(engine, &other, 0, &entry), SYNC_E_NOT_FOUND);
  other = dot;
  other.origin.node_id = "n7";
  assert_int_equal(sync_outbox_find(engine, &other, 0, &entry), SYNC_E_NOT_FOUND);
  assert_true(sync_holds(engine, "n1", theirs.dot.origin.incarnation, theirs.dot.seq));
  assert_int_equal(sync_outbox_find(engine, &theirs.dot, 0, &entry), SYNC_E_NOT_FOUND);
  assert_true(entry.status == SYNC_OUTBOX_PENDING && entry.retries == 77);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_entry_is_found_as_the_listing_gives_it),
      cmocka_unit_test(operations_of_earlier_lives_are_found_too),
      cmocka_unit_test(what_a_snapshot_pays_is_found_as_well),
      cmocka_unit_test(nothing_is_found_under_an_id_that_is_none_of_ours),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
