/* New work never puts old work off for ever: what was lost is sent again though
 * other operations are acknowledged all the while, and operations have their
 * turn though acknowledgements are always owed. */
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

/* Delivers until nobody has more to say; what is for `deaf_a` or `deaf_b` is lost. */
static void exchange(uint32_t deaf_a, uint32_t deaf_b) {
  size_t delivered = 0;
  do {
    while (world->frame_count > 0) {
      uint32_t to = world->frames[0].to;
      if (to == deaf_a || to == deaf_b)
        replicas_drop(world, 0);
      else
        assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
      assert_true(++delivered < 1000);
    }
    for (uint32_t i = 0; i < world->count; i++) {
      replica_flush(world, i);
      (void)replica_collect(world, i);
    }
  } while (world->frame_count > 0);
}

/* n3 has not heard of the lost operation, so that nothing of what it writes
 * depends on it and shows the gap: only the deadline can. */
static void a_lost_operation_is_sent_again_while_others_are_acknowledged(void **state) {
  (void)state;
  replicas_init(world, 4);
  for (uint32_t i = 1; i < 4; i++)
    replicas_link(world, 0, i);
  (void)replicas_settle(world, 100);
  replica_put(world, 2, "lost", "1");
  replica_flush(world, 2);
  (void)replica_collect(world, 2);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  replicas_drop_all(world);
  uint32_t seconds = 0;
  for (; seconds < 60 && !replica_reads(world, 1, "lost", "1"); seconds += 2) {
    replicas_advance(world, 2 * SECOND_NS);
    replica_put(world, 3, "other", "2");
    exchange(2, 3);
    assert_true(replica_reads(world, 1, "other", "2"));
  }
  assert_true(seconds <= 12); /* one acknowledgement timeout */
  replicas_destroy(world);
}

/* Takes one frame, as a transport with little room does; gives its type, 0: none. */
static uint8_t take_one(uint32_t from, uint32_t to) {
  static uint8_t frame[70000];
  uint32_t peer = 0;
  size_t size = 0;
  if (sync_next_frame(world->at[from].engine, &peer, frame, sizeof frame, &size) != SYNC_OK) return 0;
  uint8_t type = frame[3];
  assert_int_equal(sync_receive(world->at[to].engine, replica_peer(world, to, from), frame, size), SYNC_OK);
  return type;
}

static void operations_have_their_turn_though_acknowledgements_are_always_owed(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 60);
  replica_put(world, 0, "mine", "1");
  replica_flush(world, 0);
  uint32_t hellos = 0, operations = 0;
  for (int turn = 0; turn < 20; turn++) {
    replica_put(world, 0, "more", "2");
    replica_put(world, 1, "theirs", "3");
    replica_flush(world, 1);
    (void)replica_collect(world, 1);
    while (world->frame_count > 0)
      assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    replica_flush(world, 0); /* theirs is durable: an acknowledgement is owed */
    uint8_t type = take_one(0, 1);
    hellos += type == FRAME_HELLO || type == FRAME_NEWS;
    operations += type == FRAME_OPS;
  }
  assert_true(replica_reads(world, 1, "mine", "1"));
  assert_true(operations >= 9);
  assert_true(hellos >= 9);
  replicas_destroy(world);
}

/* Two frames are in flight, always: the window never runs empty. */
static void a_window_grows_again_though_it_never_runs_empty(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 60);
  struct peer *peer = peer_at(&world->at[0].engine->peers, 0);
  peer->allowance = 128;
  for (uint32_t i = 0; i < 128; i++)
    replica_put(world, 0, "k", "v");
  replica_flush(world, 0);
  for (int turn = 0; turn < 20; turn++) {
    for (uint32_t i = 0; i < 64; i++)
      replica_put(world, 0, "k", "v");
    replica_flush(world, 0);
    (void)replica_collect(world, 0);
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    replica_flush(world, 1);
    size_t waiting = world->frame_count;
    assert_true(replica_collect(world, 1) == 1 && waiting > 0);
    assert_int_equal(replicas_deliver(world, waiting, false), SYNC_OK);
    assert_true(peer->in_flight_count > 0);
  }
  assert_true(peer->allowance > 128);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_lost_operation_is_sent_again_while_others_are_acknowledged),
      cmocka_unit_test(a_window_grows_again_though_it_never_runs_empty),
      cmocka_unit_test(operations_have_their_turn_though_acknowledgements_are_always_owed),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
