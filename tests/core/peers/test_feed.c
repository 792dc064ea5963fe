/* Who feeds whom: which peer brings a writer's operations, who is told to hold them back, and to whom they are
 * pushed. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/support/replica.h"

#define SECOND_NS UINT64_C(1000000000)

static struct replicas *world;

/* n0 has the peers n1, n2 and n3. */
static struct peers *begin(void) {
  replicas_init(world, 4);
  for (uint32_t i = 1; i < 4; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 200);
  return &world->at[0].engine->peers;
}

static struct peer *peer_of(uint32_t at, uint32_t of) {
  return peer_at(&world->at[at].engine->peers, replica_peer(world, at, of));
}

/* A life that n0 knows of from now on; there is room for what is known of its writer. */
static struct origin *life(const char *node_id, uint64_t incarnation) {
  struct sync_engine *engine = world->at[0].engine;
  assert_int_equal(origins_reserve(&engine->state.origins), SYNC_OK);
  struct origin *origin = origins_add(&engine->state.origins, (const uint8_t *)node_id, strlen(node_id), incarnation);
  for (uint32_t i = 1; i < 4; i++)
    assert_int_equal(feed_reserve(&engine->peers, peer_of(0, i)), SYNC_OK);
  return origin;
}

static void expect_wishes(const struct peers *peers, const struct origin *origin, enum hello_wish n1,
                          enum hello_wish n2, enum hello_wish n3) {
  assert_int_equal(feed_wish(peers, peer_of(0, 1), origin), n1);
  assert_int_equal(feed_wish(peers, peer_of(0, 2), origin), n2);
  assert_int_equal(feed_wish(peers, peer_of(0, 3), origin), n3);
}

#define NONE HELLO_WISH_NONE
#define PUSH HELLO_WISH_PUSH
#define HOLD HELLO_WISH_HOLD

static void who_brings_an_operation_first_is_the_feeder_and_all_others_are_to_hold_back(void **state) {
  (void)state;
  struct peers *peers = begin();
  const struct origin *origin = life("w", 5);
  expect_wishes(peers, origin, NONE, NONE, NONE);
  assert_false(feed_take(peers, peer_of(0, 2), origin, false)); /* nobody has fed it: who repeats it may go on */
  expect_wishes(peers, origin, NONE, NONE, NONE);
  assert_false(feed_take(peers, peer_of(0, 1), origin, true));
  expect_wishes(peers, origin, PUSH, HOLD, HOLD);
  assert_true(feed_take(peers, peer_of(0, 2), origin, false)); /* it is told to hold back */
  assert_true(feed_take(peers, peer_of(0, 3), origin, false));
  assert_false(feed_take(peers, peer_of(0, 1), origin, false)); /* the feeder may repeat itself */
  expect_wishes(peers, origin, PUSH, HOLD, HOLD);
  /* Another one was faster, again and again; who fed is told to stop once the new one is seen to push. */
  for (uint32_t miss = 1; miss < FEED_MISSES_MAX; miss++)
    assert_true(feed_take(peers, peer_of(0, 3), origin, true));
  expect_wishes(peers, origin, PUSH, HOLD, HOLD);
  assert_false(feed_take(peers, peer_of(0, 3), origin, true));
  expect_wishes(peers, origin, NONE, HOLD, PUSH);
  assert_false(feed_take(peers, peer_of(0, 1), origin, true));
  assert_false(feed_take(peers, peer_of(0, 1), origin, false));
  expect_wishes(peers, origin, NONE, HOLD, PUSH);
  assert_false(feed_take(peers, peer_of(0, 3), origin, false));
  expect_wishes(peers, origin, HOLD, HOLD, PUSH);
  assert_true(feed_take(peers, peer_of(0, 1), origin, false));
  /* Of another writer that says nothing. */
  expect_wishes(peers, life("x", 5), NONE, NONE, NONE);
  replicas_destroy(world);
}

static void the_link_of_the_writer_is_preferred_until_some_in_a_row_came_by_others(void **state) {
  (void)state;
  struct peers *peers = begin();
  const struct origin *origin = life("n3", UINT64_C(0x7000000000000000));
  assert_false(feed_take(peers, peer_of(0, 1), origin, true));
  expect_wishes(peers, origin, PUSH, HOLD, HOLD);
  assert_false(feed_take(peers, peer_of(0, 3), origin, false)); /* it pushes its own in any case */
  expect_wishes(peers, origin, NONE, HOLD, PUSH);
  assert_false(feed_take(peers, peer_of(0, 3), origin, false));
  expect_wishes(peers, origin, HOLD, HOLD, PUSH);
  assert_true(feed_take(peers, peer_of(0, 1), origin, true)); /* a miss */
  expect_wishes(peers, origin, HOLD, HOLD, PUSH);
  assert_false(feed_take(peers, peer_of(0, 3), origin, true)); /* counts no more */
  for (uint32_t miss = 1; miss < FEED_MISSES_MAX; miss++) {
    assert_true(feed_take(peers, peer_of(0, 1 + miss % 2), origin, true));
    assert_true(feed_take(peers, peer_of(0, 2 - miss % 2), origin, false)); /* a repetition is none */
    expect_wishes(peers, origin, HOLD, HOLD, PUSH);
  }
  assert_false(feed_take(peers, peer_of(0, 2), origin, true));
  expect_wishes(peers, origin, HOLD, PUSH, NONE);
  /* And again the writer's own. */
  assert_false(feed_take(peers, peer_of(0, 3), origin, true));
  expect_wishes(peers, origin, HOLD, NONE, PUSH);
  replicas_destroy(world);
}

static void a_writer_that_is_silent_feeds_no_more_at_the_first_miss(void **state) {
  (void)state;
  static const enum sync_peer_state silent[] = {SYNC_PEER_BACKOFF, SYNC_PEER_PARKED, SYNC_PEER_NEW};
  for (size_t i = 0; i < 3; i++) {
    struct peers *peers = begin();
    const struct origin *origin = life("n3", UINT64_C(0x7000000000000000));
    assert_false(feed_take(peers, peer_of(0, 3), origin, true));
    peer_of(0, 3)->state = silent[i];
    assert_false(feed_take(peers, peer_of(0, 1), origin, true));
    expect_wishes(peers, origin, PUSH, HOLD, NONE);
    replicas_destroy(world);
  }
}

static void what_is_our_own_nobody_feeds_and_everybody_is_pushed(void **state) {
  (void)state;
  struct peers *peers = begin();
  const struct origin *origin = life("n0", UINT64_C(0x7000000000000000)); /* a life before this one */
  assert_true(origin->own_node);
  assert_false(feed_take(peers, peer_of(0, 1), origin, true));
  assert_false(feed_take(peers, peer_of(0, 2), origin, false));
  expect_wishes(peers, origin, NONE, NONE, NONE);
  static const enum hello_wish wishes[] = {NONE, HOLD, PUSH, NONE};
  for (size_t i = 0; i < 4; i++) {
    feed_wished(peer_of(0, 1), origin, wishes[i]);
    assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_PUSH);
  }
  replicas_destroy(world);
}

/* Its peers, ascending. */
static void set_tags(uint32_t index, uint32_t count, const uint32_t *tags) {
  struct peer *peer = peer_of(0, index);
  assert_int_equal(memory_array_reserve(&world->at[0].memory.env, &peer->tags, sizeof(uint32_t), 4, count, 100),
                   SYNC_OK);
  if (count > 0) memcpy(peer->tags.items, tags, count * sizeof *tags);
  peer->tags.count = count;
}

static void a_peer_that_has_it_from_nobody_else_is_pushed_it_and_one_that_may_is_told_or_held_back(void **state) {
  (void)state;
  (void)begin();
  const struct origin *origin = life("w", 5), *theirs = life("n1", 5);
  uint32_t writer = hello_peer_tag(origin->node_hash);
  assert_true(writer > 1 && writer < UINT32_MAX);
  const uint32_t us[] = {1}, others[] = {1, writer - 1, writer + 1, UINT32_MAX}, neighbours[] = {1, writer, UINT32_MAX};
  set_tags(1, 1, us);
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_PUSH);
  set_tags(1, 0, NULL); /* it did not say */
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_TELL);
  set_tags(1, FEED_FEW_LINKS, others); /* it has few who could send it twice */
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_PUSH);
  set_tags(1, FEED_FEW_LINKS + 1, others);
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_TELL);
  for (uint32_t from = 0; from < 2; from++) { /* first, and in the middle, and last */
    set_tags(1, 3 - from, neighbours + from);
    assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_HOLD);
    set_tags(1, 2, neighbours);
    assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_HOLD);
  }
  /* What it wrote itself it may have lost. */
  assert_int_equal(feed_push(peer_of(0, 1), theirs), FEED_TELL);
  replicas_destroy(world);
}

static void a_feeder_that_is_alive_is_given_up_at_the_second_operation_that_had_to_be_waited_for(void **state) {
  (void)state;
  struct peers *peers = begin();
  const struct origin *origin = life("w", 5);
  uint64_t wait_ns = peer_ask_wait_ns(peers);
  assert_false(feed_take(peers, peer_of(0, 1), origin, true));
  for (uint64_t seq = 1; seq <= 2; seq++) {
    /* The first that told of it counts, not the last. */
    feed_heard(peers, peer_of(0, 2), origin, origin->applied + 1);
    replicas_advance(world, wait_ns - 1);
    feed_heard(peers, peer_of(0, 3), origin, origin->applied + 1);
    replicas_advance(world, 1);
    assert_int_equal(feed_take(peers, peer_of(0, 2), origin, true), seq < 2);
  }
  expect_wishes(peers, origin, NONE, PUSH, HOLD);
  /* Soon enough, and what was here already. */
  for (uint32_t miss = 1; miss < FEED_MISSES_MAX; miss++) {
    feed_heard(peers, peer_of(0, 3), origin, origin->applied + miss % 2);
    replicas_advance(world, miss % 2 == 0 ? SECOND_NS : wait_ns - 1);
    assert_true(feed_take(peers, peer_of(0, 3), origin, true));
  }
  assert_false(feed_take(peers, peer_of(0, 3), origin, true));
  replicas_destroy(world);
}

static void a_peer_next_to_the_writer_feeds_rather_than_one_that_is_farther(void **state) {
  (void)state;
  struct peers *peers = begin();
  const struct origin *origin = life("w", 5), *theirs = life("n3", UINT64_C(0x7000000000000000));
  const uint32_t neighbours[] = {hello_peer_tag(origin->node_hash)}, n3s[] = {hello_peer_tag(theirs->node_hash)};
  set_tags(1, 0, NULL);
  set_tags(2, 1, neighbours);
  set_tags(3, 1, neighbours);
  feed_heard(peers, peer_of(0, 2), origin, 1); /* nothing of it is here yet: it is asked for, or comes */
  expect_wishes(peers, origin, NONE, NONE, NONE);
  assert_false(feed_take(peers, peer_of(0, 1), origin, true));
  peer_of(0, 2)->state = SYNC_PEER_BACKOFF;
  feed_heard(peers, peer_of(0, 2), origin, 1);
  feed_heard(peers, peer_of(0, 1), origin, 1);
  expect_wishes(peers, origin, PUSH, HOLD, HOLD);
  peer_of(0, 2)->state = SYNC_PEER_ACTIVE;
  peer_of(0, 2)->touched_count = 0;
  peer_of(0, 2)->hello_pending = false;
  feed_heard(peers, peer_of(0, 2), origin, 1);
  expect_wishes(peers, origin, NONE, PUSH, HOLD);
  assert_int_equal(peer_of(0, 2)->touched_count, 1); /* it is told */
  assert_int_equal(peer_of(0, 2)->touched[0], origin->index);
  assert_true(peer_of(0, 2)->hello_pending || peer_of(0, 2)->ack_due_ns != SYNC_NO_DEADLINE);
  feed_heard(peers, peer_of(0, 3), origin, 1); /* no nearer */
  expect_wishes(peers, origin, NONE, PUSH, HOLD);
  /* Nobody is nearer to it than the writer. */
  set_tags(2, 1, n3s);
  assert_false(feed_take(peers, peer_of(0, 3), theirs, true));
  feed_heard(peers, peer_of(0, 2), theirs, 1);
  expect_wishes(peers, theirs, HOLD, HOLD, PUSH);
  replicas_destroy(world);
}

static void what_a_peer_wishes_is_done_and_saying_nothing_takes_nothing_back(void **state) {
  (void)state;
  struct peers *peers = begin();
  const struct origin *origin = life("w", 5);
  const uint32_t others[] = {1, 2, 3, 4};
  set_tags(1, 4, others);
  set_tags(2, 4, others);
  feed_wished(peer_of(0, 1), origin, PUSH);
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_PUSH);
  feed_wished(peer_of(0, 1), origin, NONE);
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_PUSH);
  feed_wished(peer_of(0, 1), origin, HOLD);
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_HOLD);
  feed_wished(peer_of(0, 1), origin, NONE);
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_HOLD);
  assert_int_equal(feed_push(peer_of(0, 2), origin), FEED_TELL); /* it is asked for by each itself */
  feed_reset(peer_of(0, 1));
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_TELL);
  assert_int_equal(feed_reserve(peers, peer_of(0, 1)), SYNC_OK);
  assert_int_equal(feed_push(peer_of(0, 1), origin), FEED_TELL);
  replicas_destroy(world);
}

static void a_life_inherits_what_is_known_of_its_node(void **state) {
  (void)state;
  struct peers *peers = begin();
  const struct origin *first = life("w", 5);
  const uint32_t others[] = {1, 2, 3, 4};
  set_tags(2, 4, others);
  assert_false(feed_take(peers, peer_of(0, 1), first, true));
  feed_wished(peer_of(0, 2), first, HOLD);
  static const uint64_t lives[] = {9, 2, 7}; /* behind it, before it, between */
  for (size_t i = 0; i < 3; i++) {
    (void)life(i == 0 ? "v" : i == 1 ? "ww" : "w0", 5);
    const struct origin *next = life("w", lives[i]);
    assert_ptr_equal(feed_of(peers, next), feed_of(peers, first));
    expect_wishes(peers, next, PUSH, HOLD, HOLD);
    assert_int_equal(feed_push(peer_of(0, 2), next), FEED_HOLD);
    assert_true(feed_take(peers, peer_of(0, 3), next, false));
  }
  replicas_destroy(world);
}

static void a_feeder_that_is_removed_is_forgotten_and_its_handle_inherits_nothing(void **state) {
  (void)state;
  struct peers *peers = begin();
  const struct origin *origin = life("w", 5), *other = life("x", 5), *moved = life("y", 5);
  assert_false(feed_take(peers, peer_of(0, 1), origin, true));
  assert_false(feed_take(peers, peer_of(0, 2), other, true));
  for (uint32_t miss = 0; miss <= FEED_MISSES_MAX; miss++)
    (void)feed_take(peers, peer_of(0, miss == 0 ? 1 : 2), moved, true);
  expect_wishes(peers, moved, NONE, PUSH, HOLD);
  feed_wished(peer_of(0, 1), origin, HOLD);
  uint32_t handle = replica_peer(world, 0, 1), again;
  assert_int_equal(sync_peer_remove(world->at[0].engine, handle), SYNC_OK);
  assert_int_equal(feed_wish(peers, peer_of(0, 2), origin), NONE);
  assert_int_equal(feed_wish(peers, peer_of(0, 2), other), PUSH);
  assert_int_equal(sync_peer_add(world->at[0].engine, "n9", &again), SYNC_OK);
  assert_int_equal(again, handle);
  assert_int_equal(feed_wish(peers, peer_at(peers, again), origin), NONE);
  assert_int_equal(feed_wish(peers, peer_at(peers, again), other), HOLD);
  assert_int_equal(feed_wish(peers, peer_at(peers, again), moved), HOLD);
  assert_int_equal(feed_push(peer_at(peers, again), origin), FEED_TELL);
  replicas_destroy(world);
}

static void without_memory_for_a_writer_nothing_is_known_of_it(void **state) {
  (void)state;
  struct peers *peers = begin();
  struct replica *replica = &world->at[0];
  uint64_t most = 0;
  for (uint64_t nth = 1; nth < 3; nth++) {
    char name[] = {'w', (char)('0' + nth), '\0'};
    assert_int_equal(origins_reserve(&replica->engine->state.origins), SYNC_OK);
    const struct origin *origin = origins_add(&replica->engine->state.origins, (const uint8_t *)name, 2, 5);
    uint64_t before = replica->memory.allocs;
    replica->memory.fail_alloc_at = before + nth;
    int rc = feed_reserve(peers, peer_of(0, 1));
    replica->memory.fail_alloc_at = 0;
    if (replica->memory.allocs - before > most) most = replica->memory.allocs - before;
    if (rc == SYNC_OK) continue; /* there was room already */
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
    assert_null(feed_of(peers, origin));
    assert_false(feed_take(peers, peer_of(0, 1), origin, true));
    expect_wishes(peers, origin, NONE, NONE, NONE);
    (void)feed_push(peer_of(0, 1), origin); /* reads nothing that is not there */
    assert_int_equal(feed_reserve(peers, peer_of(0, 1)), SYNC_OK);
    assert_non_null(feed_of(peers, origin));
  }
  assert_true(most > 0);
  replicas_destroy(world);
}

/* --- Between engines -------------------------------------------------------------------- */

/* n0 - n1 - n3 and n0 - n2 - n3: n3 writes, and n0 has it from n1 first. */
static void diamond(void) {
  replicas_init(world, 4);
  replicas_link(world, 0, 1);
  replicas_link(world, 0, 2);
  replicas_link(world, 3, 1);
  replicas_link(world, 3, 2);
  (void)replicas_settle(world, 200);
}

static void of_a_ring_each_operation_comes_to_each_replica_once(void **state) {
  (void)state;
  diamond();
  for (uint32_t i = 0; i < 4; i++) {
    replica_put(world, 3, "first", "1");
    replicas_settle_for(world, 5 * SECOND_NS);
  }
  uint64_t duplicates = 0, sent = 0, after = 0;
  for (uint32_t i = 0; i < 4; i++) {
    duplicates += replica_stats(world, i).duplicates;
    sent += replica_stats(world, i).ops_out;
  }
  for (uint32_t i = 0; i < 50; i++) {
    replica_put(world, 3, "steady", "1");
    (void)replicas_settle(world, 100);
  }
  assert_true(replica_reads(world, 0, "steady", "1"));
  for (uint32_t i = 0; i < 4; i++) {
    duplicates -= replica_stats(world, i).duplicates;
    after += replica_stats(world, i).ops_out;
  }
  assert_true(duplicates == 0);
  assert_int_equal(after - sent, 50 * 3);
  replicas_destroy(world);
}

/* It may have lost what it has from others. */
static void a_peer_that_comes_back_in_a_new_run_wishes_nothing_of_what_it_wished(void **state) {
  (void)state;
  diamond();
  for (uint32_t i = 0; i < 4; i++) {
    replica_put(world, 3, "k", "1");
    replicas_settle_for(world, 5 * SECOND_NS);
  }
  struct sync_engine *engine = world->at[1].engine;
  const struct origin *origin = origins_at(&engine->state.origins, 0);
  assert_string_equal(origin->node_id, "n3");
  uint32_t held = 0;
  for (uint32_t i = 1; i < 3; i++) {
    enum feed_push push = feed_push(peer_of(i, 0), origins_at(&world->at[i].engine->state.origins, 0));
    assert_true(push == FEED_PUSH || push == FEED_HOLD); /* n0 said so */
    held += push == FEED_HOLD;
  }
  assert_int_equal(held, 1);
  replica_close(world, 0);
  replica_open(world, 0);
  (void)replicas_settle(world, 200);
  for (uint32_t i = 1; i < 3; i++) /* it has few peers, and n3 is none of them */
    assert_int_equal(feed_push(peer_of(i, 0), origins_at(&world->at[i].engine->state.origins, 0)), FEED_PUSH);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_brings_an_operation_first_is_the_feeder_and_all_others_are_to_hold_back),
      cmocka_unit_test(the_link_of_the_writer_is_preferred_until_some_in_a_row_came_by_others),
      cmocka_unit_test(a_writer_that_is_silent_feeds_no_more_at_the_first_miss),
      cmocka_unit_test(what_is_our_own_nobody_feeds_and_everybody_is_pushed),
      cmocka_unit_test(a_peer_that_has_it_from_nobody_else_is_pushed_it_and_one_that_may_is_told_or_held_back),
      cmocka_unit_test(a_feeder_that_is_alive_is_given_up_at_the_second_operation_that_had_to_be_waited_for),
      cmocka_unit_test(a_peer_next_to_the_writer_feeds_rather_than_one_that_is_farther),
      cmocka_unit_test(what_a_peer_wishes_is_done_and_saying_nothing_takes_nothing_back),
      cmocka_unit_test(a_life_inherits_what_is_known_of_its_node),
      cmocka_unit_test(a_feeder_that_is_removed_is_forgotten_and_its_handle_inherits_nothing),
      cmocka_unit_test(without_memory_for_a_writer_nothing_is_known_of_it),
      cmocka_unit_test(of_a_ring_each_operation_comes_to_each_replica_once),
      cmocka_unit_test(a_peer_that_comes_back_in_a_new_run_wishes_nothing_of_what_it_wished),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
