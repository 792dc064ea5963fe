/* Examples of peers and frames. */
#include "tests/api_examples/example.h"

static int send_bytes(uint32_t peer, const void *bytes, size_t size) {
  uint32_t handle = 0; /* of n0, at n1: the only peer */
  (void)peer;
  return sync_receive(example_world.at[1].engine, handle, bytes, size);
}

/* example: sync_next_frame sync_frame_bytes_max */
/* Gives the transport all that is ready. Call it after each write, receive, disk_done and tick. */
static int send_frames(struct sync_engine *engine) {
  size_t capacity = sync_frame_bytes_max(engine);
  void *frame = malloc(capacity);
  if (frame == NULL) return SYNC_E_NO_MEMORY;
  uint32_t peer;
  size_t size;
  int status;
  while ((status = sync_next_frame(engine, &peer, frame, capacity, &size)) == SYNC_OK)
    (void)send_bytes(peer, frame, size); /* it may be lost: that costs time, never data */
  free(frame);
  return status == SYNC_E_NOT_FOUND ? SYNC_OK : status;
}
/* end */

static void frames_go_out_and_come_in(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(2);
  replica_flush(&example_world, 0);
  assert_int_equal(send_frames(engine), SYNC_OK);
  struct sync_stats stats;
  sync_stats_get(example_world.at[1].engine, &stats);
  assert_true(stats.frames_in > 0);
  uint32_t peer = 0;
  const char bytes[] = "not a frame";
  /* example: sync_receive */
  int status = sync_receive(engine, peer, bytes, sizeof bytes);
  if (status == SYNC_E_CORRUPT) puts("dropped; the peer sends again what it owes");
  /* end */
  assert_int_equal(status, SYNC_E_CORRUPT);
  example_end();
}

/* example: sync_peers */
static int count_peer(void *arg, uint32_t peer) {
  size_t *peers = arg;
  (void)peer; /* its handle */
  ++*peers;
  return 0;
}
/* end */

static void peers_come_and_go(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(1);
  /* example: sync_peer_add */
  uint32_t peer;
  int status = sync_peer_add(engine, "beta", &peer); /* each start may do so: a known one gives its handle */
  /* end */
  assert_int_equal(status, SYNC_OK);
  /* example: sync_peers */
  size_t peers = 0;
  status = sync_peers(engine, count_peer, &peers);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(peers, 1);
  /* example: sync_peer_info */
  struct sync_peer_info info;
  status = sync_peer_info(engine, peer, &info);
  if (status == SYNC_OK && info.state == SYNC_PEER_PARKED)
    printf("%s is silent; %" PRIu64 " operations wait for it\n", info.node_id, info.owed_ops);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_string_equal(info.node_id, "beta");
  assert_int_equal(info.state, SYNC_PEER_NEW);
  /* example: sync_peer_retry */
  status = sync_peer_retry(engine, peer); /* the network is back: do not wait for the next try */
  /* end */
  assert_int_equal(status, SYNC_OK);
  /* example: sync_peer_hold */
  status = sync_peer_hold(engine, peer, true); /* "sync now" is a button: nothing leaves until it is pressed */
  if (status == SYNC_OK) status = sync_peer_hold(engine, peer, false); /* it was: all that waits goes out at once */
  /* end */
  assert_int_equal(status, SYNC_OK);
  /* example: sync_peer_remove */
  status = sync_peer_remove(engine, peer); /* gives up what it is owed */
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(sync_peer_info(engine, peer, &info), SYNC_E_PEER);
  example_end();
}

/* example: sync_peer_vector */
static int add_held(void *arg, const struct sync_origin *origin, uint64_t seq) {
  uint64_t *held = arg;
  (void)origin;
  *held += seq;
  return 0;
}
/* end */

static void what_a_peer_holds_is_known(void **state) {
  (void)state;
  struct sync_engine *engine = example_begin(2);
  example_put(0, "colour", "green");
  example_settle();
  uint32_t peer = replica_peer(&example_world, 0, 1);
  /* example: sync_peer_vector */
  uint64_t session;
  uint64_t held = 0;
  int status = sync_peer_vector(engine, peer, &session, add_held, &held);
  /* end */
  assert_int_equal(status, SYNC_OK);
  assert_int_equal(held, 1);
  /* example: sync_session */
  uint64_t mine = sync_session(engine); /* another one after each open */
  /* end */
  assert_true(mine != 0 && mine != session);
  assert_true(session == sync_session(example_world.at[1].engine));
  example_end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(frames_go_out_and_come_in),
      cmocka_unit_test(peers_come_and_go),
      cmocka_unit_test(what_a_peer_holds_is_known),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
