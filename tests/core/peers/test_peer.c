/* Deadlines of peers: retries, backoff, parking, probes, revival. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/pending.h"
#include "tests/support/replica.h"

#define SECOND_NS UINT64_C(1000000000)

static struct replicas *world;

static struct sync_peer_info info_of(uint32_t at, uint32_t of) {
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(world->at[at].engine, replica_peer(world, at, of), &info), SYNC_OK);
  return info;
}

/* To n0's next deadline, which must be `seconds` away; then ticks n0. */
static void expect_deadline_in(uint64_t seconds) {
  struct replica *replica = &world->at[0];
  uint64_t deadline = sync_next_deadline(replica->engine);
  assert_int_equal((deadline - replica->memory.mono_ns) / SECOND_NS, seconds);
  assert_int_equal((deadline - replica->memory.mono_ns) % SECOND_NS, 0);
  replica->memory.mono_ns = deadline - 1;
  struct sync_tick_report report;
  assert_int_equal(sync_tick(replica->engine, &report), SYNC_OK);
  assert_int_equal(report.retried, 0);
  assert_int_equal(replica_collect(world, 0), 0);
  replica->memory.mono_ns = deadline;
  assert_int_equal(sync_tick(replica->engine, &report), SYNC_OK);
}

/* The quiet time passes and the mark is durable: only peers are left to wait for. */
static void pass_idle_mark(void) {
  replicas_advance(world, SECOND_NS);
  for (uint32_t i = 0; i < world->count; i++)
    replica_flush(world, i);
}

static void an_overdue_acknowledgement_backs_off_and_parks_and_any_frame_revives(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 1, "k", "v");
  (void)replicas_settle(world, 60);
  pass_idle_mark();
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
  replicas_drop_all(world);
  assert_int_equal(info_of(0, 1).in_flight_ops, 1);
  assert_int_equal(info_of(0, 1).owed_ops, 1);
  world->at[0].memory.mono_ns += SECOND_NS;
  assert_int_equal(sync_tick(world->at[0].engine, NULL), SYNC_OK); /* the mark */
  replica_flush(world, 0);
  /* What it was sent last may be lost: once, after a quarter of the timeout, it is told what it should hold. */
  world->at[0].memory.mono_ns += SECOND_NS * 3 / 2 - 1;
  assert_int_equal(sync_tick(world->at[0].engine, NULL), SYNC_OK);
  assert_int_equal(replica_collect(world, 0), 0);
  world->at[0].memory.mono_ns += 1;
  assert_int_equal(sync_tick(world->at[0].engine, NULL), SYNC_OK);
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replicas_frame_type(world, 0), FRAME_NEWS);
  replicas_drop_all(world);
  world->at[0].memory.mono_ns += SECOND_NS / 2;
  static const uint64_t waits[] = {7, 10, 20, 30, 30, 30};
  for (size_t i = 0; i < 6; i++) {
    expect_deadline_in(waits[i]);
    assert_int_equal(info_of(0, 1).retries, i + 1);
    /* HELLO and the window again; when parked the HELLO alone. */
    assert_int_equal(replica_collect(world, 0), i < 5 ? 2 : 1);
    assert_int_equal(info_of(0, 1).state, i < 5 ? SYNC_PEER_BACKOFF : SYNC_PEER_PARKED);
    replicas_drop_all(world);
  }
  for (size_t i = 0; i < 3; i++) {
    expect_deadline_in(15);
    assert_int_equal(replica_collect(world, 0), 1);
    assert_int_equal(replicas_frame_type(world, 0), FRAME_HELLO);
    if (i < 2) replicas_drop_all(world);
  }
  struct sync_stats stats;
  sync_stats_get(world->at[0].engine, &stats);
  assert_int_equal(stats.parked, 1);
  assert_int_equal(stats.timeouts, 6);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 1);
  /* n1 heard only the probe; its own idle HELLO revives n0's side. */
  world->at[1].memory.mono_ns = world->at[0].memory.mono_ns;
  assert_int_equal(sync_tick(world->at[1].engine, NULL), SYNC_OK);
  (void)replicas_settle(world, 60);
  assert_int_equal(info_of(0, 1).state, SYNC_PEER_ACTIVE);
  assert_int_equal(info_of(0, 1).retries, 0);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void a_peer_never_met_is_tried_with_growing_waits(void **state) {
  (void)state;
  replicas_init(world, 1);
  assert_int_equal(sync_peer_add(world->at[0].engine, "n1", NULL), SYNC_OK);
  world->count = 1;
  uint8_t buffer[70000];
  uint32_t peer;
  size_t size;
  replica_flush(world, 0);
  struct replica *replica = &world->at[0];
  struct sync_engine *engine = replica->engine;
  assert_int_equal(sync_next_frame(engine, &peer, buffer, sizeof buffer, &size), SYNC_OK);
  assert_int_equal(sync_next_frame(engine, &peer, buffer, sizeof buffer, &size), SYNC_E_NOT_FOUND);
  uint64_t start = replica->memory.mono_ns;
  static const uint64_t at[] = {5, 15, 35, 65, 95, 125, 140, 155};
  for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
    struct sync_peer_info info;
    assert_int_equal(sync_peer_info(engine, peer, &info), SYNC_OK);
    assert_int_equal((info.next_deadline_ns - start) / SECOND_NS, at[i]);
    replica->memory.mono_ns = info.next_deadline_ns;
    assert_int_equal(sync_tick(engine, NULL), SYNC_OK);
    replica_flush(world, 0);
    assert_int_equal(sync_next_frame(engine, &peer, buffer, sizeof buffer, &size), SYNC_OK);
    assert_int_equal(sync_next_frame(engine, &peer, buffer, sizeof buffer, &size), SYNC_E_NOT_FOUND);
  }
  replicas_destroy(world);
}

static void jitter_is_at_most_an_eighth_of_the_wait(void **state) {
  (void)state;
  replicas_init(world, 1);
  world->at[0].memory.pick_result = 5 * SECOND_NS / 8; /* the greatest outcome of that decision */
  uint32_t peer;
  assert_int_equal(sync_peer_add(world->at[0].engine, "n1", &peer), SYNC_OK);
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(world->at[0].engine, peer, &info), SYNC_OK);
  assert_int_equal(info.next_deadline_ns - world->at[0].memory.mono_ns, 5 * SECOND_NS + 5 * SECOND_NS / 8);
  replicas_destroy(world);
}

static void its_info_says_how_far_it_is_behind_and_when_it_was_heard(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  assert_int_equal(info_of(0, 1).heard_ns, 0);
  (void)replicas_settle(world, 60);
  replicas_advance(world, SECOND_NS);
  struct sync_peer_info info = info_of(0, 1);
  assert_true(info.heard_ns > 0 && info.heard_ns <= world->at[0].memory.mono_ns - SECOND_NS);
  assert_true(info.oldest.seq == 0 && info.oldest.origin.node_id == NULL && info.lag_bytes == 0);
  replica_put(world, 0, "a", "1");
  assert_int_equal(info_of(0, 1).oldest.seq, 0); /* not durable */
  replica_flush(world, 0);
  uint64_t begun = sync_durable_position(world->at[0].engine);
  replica_put(world, 0, "b", "2");
  replica_flush(world, 0);
  info = info_of(0, 1);
  assert_string_equal(info.oldest.origin.node_id, "n0");
  assert_int_equal(info.oldest.seq, 1);
  assert_true(info.lag_bytes > sync_durable_position(world->at[0].engine) - begun);
  (void)replicas_settle(world, 60);
  replicas_advance(world, SECOND_NS);
  (void)replicas_settle(world, 60);
  info = info_of(0, 1);
  assert_true(info.oldest.seq == 0 && info.lag_bytes == 0);
  replicas_destroy(world);
}

static void with_nothing_owed_a_hello_goes_out_now_and_then_and_is_not_answered(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "1");
  (void)replicas_settle(world, 60);
  pass_idle_mark();
  world->at[0].memory.mono_ns = info_of(0, 1).next_deadline_ns;
  assert_int_equal(sync_tick(world->at[0].engine, NULL), SYNC_OK);
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(replica_collect(world, 1), 0);
  assert_int_equal(info_of(0, 1).next_deadline_ns - world->at[0].memory.mono_ns, 30 * SECOND_NS + 30 * SECOND_NS / 8);
  replicas_destroy(world);
}

static void an_idle_engine_marks_once_and_then_waits_for_peers_only(void **state) {
  (void)state;
  replicas_init(world, 1);
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  struct replica *replica = &world->at[0];
  assert_true(sync_next_deadline(replica->engine) == replica->memory.mono_ns + SECOND_NS);
  replicas_advance(world, SECOND_NS);
  replica_flush(world, 0);
  assert_int_equal(replica->memory.traced_kind[SYNC_TRACE_MARK], 1);
  assert_true(sync_next_deadline(replica->engine) == SYNC_NO_DEADLINE);
  replicas_destroy(world);
}

/* n0 writes twice; the first frame is lost. */
static void lose_the_first_of_two(const char *lost, const char *kept) {
  replica_put(world, 0, lost, "1");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
  replicas_drop_all(world);
  replica_put(world, 0, kept, "2");
  (void)replicas_settle(world, 60);
}

static void meet(void) {
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 60);
  replicas_advance(world, SECOND_NS);
  (void)replicas_settle(world, 60);
}

/* What came behind it is kept, and it alone is asked for: after a fortieth of the acknowledgement timeout. */
static void a_lost_frame_is_asked_for_without_waiting_for_the_timeout(void **state) {
  (void)state;
  meet();
  lose_the_first_of_two("a", "b");
  assert_int_equal(sync_outbox_size(world->at[0].engine), 2);
  assert_true(sync_next_deadline(world->at[1].engine) == world->at[1].memory.mono_ns + SECOND_NS / 4);
  uint64_t sent = replica_stats(world, 0).ops_out;
  replicas_advance(world, SECOND_NS / 4);
  (void)replicas_settle(world, 60);
  assert_true(replicas_agree(world));
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_int_equal(replica_stats(world, 0).ops_out, sent + 1);
  assert_int_equal(replica_stats(world, 1).not_yet, 1);
  /* A second loss right after it: asking again waits for its spacing, a sixteenth of the timeout. */
  lose_the_first_of_two("c", "d");
  replicas_advance(world, SECOND_NS / 4);
  (void)replicas_settle(world, 60);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 2);
  assert_true(sync_next_deadline(world->at[1].engine) == world->at[1].memory.mono_ns + SECOND_NS * 5 / 8);
  replicas_advance(world, SECOND_NS * 5 / 8);
  (void)replicas_settle(world, 60);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_int_equal(replica_stats(world, 0).timeouts, 0);
  replicas_destroy(world);
}

/* Nothing can be kept: the sender hears of the gap at once. */
static void a_lost_frame_is_noticed_by_the_gap_without_waiting_for_the_timeout(void **state) {
  (void)state;
  meet();
  world->at[1].engine->pending.count = PENDING_FRAMES_MAX;
  lose_the_first_of_two("a", "b");
  assert_true(replicas_agree(world));
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_int_equal(replica_stats(world, 1).not_yet, 1);
  /* A second loss right after it: the restart waits for its spacing. */
  lose_the_first_of_two("c", "d");
  assert_int_equal(sync_outbox_size(world->at[0].engine), 2);
  assert_true(sync_next_deadline(world->at[0].engine) == world->at[0].memory.mono_ns + SECOND_NS / 10);
  replicas_advance(world, SECOND_NS / 10);
  (void)replicas_settle(world, 60);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_int_equal(replica_stats(world, 0).timeouts, 0);
  world->at[1].engine->pending.count = 0;
  replicas_destroy(world);
}

static void a_write_costs_one_frame_and_one_acknowledgement_and_never_echoes(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "0");
  (void)replicas_settle(world, 60);
  for (uint32_t i = 0; i < 20; i++) {
    replica_put(world, 0, "a", "1");
    assert_int_equal(replicas_settle(world, 10), 2);
  }
  struct sync_stats stats;
  sync_stats_get(world->at[1].engine, &stats);
  assert_int_equal(stats.ops_out, 0);
  assert_int_equal(stats.duplicates, 0);
  replicas_destroy(world);
}

/* n1 claims another payload for a dot that n0 holds. */
static void a_second_payload_under_one_id_parks_the_peer(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 1, "a", "1");
  replica_flush(world, 1);
  (void)replica_collect(world, 0);
  (void)replica_collect(world, 1);
  while (world->frame_count > 0 && replicas_frame_type(world, 0) != FRAME_OPS) {
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    (void)replica_collect(world, 0);
    (void)replica_collect(world, 1);
  }
  assert_true(world->frame_count > 0);
  struct replica_frame *frame = &world->frames[0];
  assert_int_equal(frame->to, 0);
  assert_int_equal(replicas_deliver(world, 0, true), SYNC_OK);
  struct sync_digest before, after;
  sync_digest_get(world->at[0].engine, &before);
  frame->bytes[frame->size - FRAME_TRAILER_BYTES - 2] ^= 1; /* the value's last byte */
  struct bytes_writer writer = bytes_writer_to(frame->bytes, frame->size);
  writer.size = frame->size - FRAME_TRAILER_BYTES;
  (void)frame_finish(&writer, FRAME_OPS, world->at[0].options.cluster_id);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_E_ID_CONFLICT);
  assert_int_equal(info_of(0, 1).state, SYNC_PEER_PARKED);
  sync_digest_get(world->at[0].engine, &after);
  assert_true(before.state == after.state);
  struct sync_stats stats;
  sync_stats_get(world->at[0].engine, &stats);
  assert_int_equal(stats.id_conflicts, 1);
  replicas_destroy(world);
}

static void a_dead_peer_delays_nobody_else(void **state) {
  (void)state;
  replicas_init(world, 3);
  replicas_link(world, 0, 1);
  replicas_link(world, 0, 2);
  (void)replicas_settle(world, 60);
  replica_close(world, 1);
  for (uint32_t i = 0; i < 300; i++)
    replica_put(world, 0, "a", "1");
  (void)replicas_settle(world, 100);
  assert_true(replica_reads(world, 2, "a", "1"));
  assert_int_equal(info_of(0, 2).owed_ops, 0);
  assert_int_equal(info_of(0, 1).owed_ops, 300);
  assert_int_equal(info_of(0, 1).in_flight_ops, 256);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 300);
  replicas_destroy(world);
}

/* Nothing of n0's arrives until it has parked n1. */
static void park_n1(void) {
  struct replica *replica = &world->at[0];
  for (uint32_t i = 0; i < 100 && info_of(0, 1).state != SYNC_PEER_PARKED; i++) {
    replica->memory.mono_ns = sync_next_deadline(replica->engine);
    assert_int_equal(sync_tick(replica->engine, NULL), SYNC_OK);
    replica_flush(world, 0);
    (void)replica_collect(world, 0);
    replicas_drop_all(world);
  }
  assert_int_equal(info_of(0, 1).state, SYNC_PEER_PARKED);
}

static void a_parked_peer_that_is_retried_has_what_it_is_owed_without_waiting(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 60);
  replica_put(world, 0, "a", "1");
  park_n1();
  assert_int_equal(replica_collect(world, 0), 0);
  assert_int_equal(sync_peer_retry(world->at[0].engine, replica_peer(world, 0, 1)), SYNC_OK);
  assert_int_equal(info_of(0, 1).state, SYNC_PEER_ACTIVE);
  assert_int_equal(info_of(0, 1).retries, 0);
  assert_int_equal(replica_collect(world, 0), 2);
  assert_int_equal(replicas_frame_type(world, 0), FRAME_OPS);
  assert_int_equal(replicas_frame_type(world, 1), FRAME_HELLO);
  assert_int_equal(info_of(0, 1).in_flight_ops, 1);
  (void)replicas_settle(world, 60);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* Its silence is counted anew: it is parked after as many retries as before. */
static void a_retried_peer_that_stays_silent_is_parked_again(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 60);
  replica_put(world, 0, "a", "1");
  for (uint64_t times = 1; times <= 3; times++) {
    park_n1();
    assert_int_equal(replica_stats(world, 0).parked, times);
    assert_int_equal(replica_stats(world, 0).timeouts, 6 * times);
    assert_int_equal(sync_peer_retry(world->at[0].engine, replica_peer(world, 0, 1)), SYNC_OK);
    assert_int_equal(replica_collect(world, 0), 2);
    replicas_drop_all(world);
    assert_int_equal(info_of(0, 1).in_flight_ops, 1);
  }
  assert_int_equal(sync_outbox_size(world->at[0].engine), 1);
  assert_int_equal(replica_stats(world, 0).revived, 0);
  replicas_destroy(world);
}

static void a_peer_never_met_that_is_retried_is_greeted_as_if_it_were_new(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "1");
  park_n1();
  assert_int_equal(sync_peer_retry(world->at[0].engine, replica_peer(world, 0, 1)), SYNC_OK);
  assert_int_equal(info_of(0, 1).state, SYNC_PEER_NEW);
  assert_true(info_of(0, 1).next_deadline_ns == world->at[0].memory.mono_ns + 5 * SECOND_NS);
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(replicas_frame_type(world, 0), FRAME_HELLO);
  (void)replicas_settle(world, 60);
  assert_int_equal(info_of(0, 1).state, SYNC_PEER_ACTIVE);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  replicas_destroy(world);
}

/* For who knows that what was on its way is gone with a connection. */
static void what_is_in_flight_to_a_retried_peer_is_sent_again(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 60);
  replica_put(world, 0, "a", "1");
  replica_put(world, 0, "b", "2");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
  replicas_drop_all(world);
  assert_int_equal(info_of(0, 1).in_flight_ops, 2);
  assert_int_equal(replica_collect(world, 0), 0);
  assert_int_equal(sync_peer_retry(world->at[0].engine, replica_peer(world, 0, 1)), SYNC_OK);
  assert_int_equal(info_of(0, 1).in_flight_ops, 0);
  assert_true(sync_next_deadline(world->at[0].engine) > world->at[0].memory.mono_ns);
  (void)replicas_settle(world, 60);
  assert_int_equal(replica_stats(world, 0).timeouts, 0);
  assert_int_equal(replica_stats(world, 1).duplicates, 0);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void who_is_no_peer_cannot_be_retried(void **state) {
  (void)state;
  replicas_init(world, 1);
  uint32_t peer;
  assert_int_equal(sync_peer_retry(world->at[0].engine, 0), SYNC_E_PEER);
  assert_int_equal(sync_peer_add(world->at[0].engine, "n1", &peer), SYNC_OK);
  assert_int_equal(sync_peer_retry(world->at[0].engine, peer), SYNC_OK);
  assert_int_equal(sync_peer_remove(world->at[0].engine, peer), SYNC_OK);
  assert_int_equal(sync_peer_retry(world->at[0].engine, peer), SYNC_E_PEER);
  assert_int_equal(sync_peer_retry(world->at[0].engine, SYNC_PEER_NONE), SYNC_E_PEER);
  replicas_destroy(world);
}

static void handles_come_back_in_the_same_order(void **state) {
  (void)state;
  replicas_init(world, 1);
  uint32_t a, b, c, d;
  struct sync_engine *engine = world->at[0].engine;
  assert_int_equal(sync_peer_add(engine, "pa", &a), SYNC_OK);
  assert_int_equal(sync_peer_add(engine, "pb", &b), SYNC_OK);
  assert_int_equal(sync_peer_add(engine, "pc", &c), SYNC_OK);
  assert_int_equal(sync_peer_remove(engine, b), SYNC_OK);
  assert_int_equal(sync_peer_add(engine, "pd", &d), SYNC_OK);
  assert_int_equal(d, b);
  replica_flush(world, 0);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(world, 0);
  struct sync_peer_info info;
  assert_int_equal(sync_peer_info(world->at[0].engine, d, &info), SYNC_OK);
  assert_string_equal(info.node_id, "pd");
  assert_int_equal(sync_peer_info(world->at[0].engine, c, &info), SYNC_OK);
  assert_string_equal(info.node_id, "pc");
  assert_int_equal(info.state, SYNC_PEER_NEW);
  replicas_destroy(world);
}

static void what_could_not_be_read_back_is_tried_again_after_the_retry_interval(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 60);
  pass_idle_mark();
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  struct replica *replica = &world->at[0];
  uint8_t *frame = malloc(sync_frame_bytes_max(replica->engine));
  assert_non_null(frame);
  uint32_t peer = 0;
  size_t size = 0;
  replica->memory.unreadable_from = 1;
  assert_int_equal(sync_next_frame(replica->engine, &peer, frame, sync_frame_bytes_max(replica->engine), &size),
                   SYNC_E_IO);
  replica->memory.unreadable_from = 0;
  free(frame);
  assert_int_equal(replica_collect(world, 0), 0);
  pass_idle_mark();
  expect_deadline_in(4); /* 5 s after the failure, and not the 30 s of a peer that is owed nothing */
  (void)replicas_settle(world, 60);
  assert_true(replica_reads(world, 1, "a", "1"));
  assert_int_equal(info_of(0, 1).owed_ops, 0);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_overdue_acknowledgement_backs_off_and_parks_and_any_frame_revives),
      cmocka_unit_test(a_peer_never_met_is_tried_with_growing_waits),
      cmocka_unit_test(jitter_is_at_most_an_eighth_of_the_wait),
      cmocka_unit_test(its_info_says_how_far_it_is_behind_and_when_it_was_heard),
      cmocka_unit_test(with_nothing_owed_a_hello_goes_out_now_and_then_and_is_not_answered),
      cmocka_unit_test(an_idle_engine_marks_once_and_then_waits_for_peers_only),
      cmocka_unit_test(a_lost_frame_is_asked_for_without_waiting_for_the_timeout),
      cmocka_unit_test(a_lost_frame_is_noticed_by_the_gap_without_waiting_for_the_timeout),
      cmocka_unit_test(a_write_costs_one_frame_and_one_acknowledgement_and_never_echoes),
      cmocka_unit_test(a_second_payload_under_one_id_parks_the_peer),
      cmocka_unit_test(a_dead_peer_delays_nobody_else),
      cmocka_unit_test(what_could_not_be_read_back_is_tried_again_after_the_retry_interval),
      cmocka_unit_test(handles_come_back_in_the_same_order),
      cmocka_unit_test(a_parked_peer_that_is_retried_has_what_it_is_owed_without_waiting),
      cmocka_unit_test(a_retried_peer_that_stays_silent_is_parked_again),
      cmocka_unit_test(a_peer_never_met_that_is_retried_is_greeted_as_if_it_were_new),
      cmocka_unit_test(what_is_in_flight_to_a_retried_peer_is_sent_again),
      cmocka_unit_test(who_is_no_peer_cannot_be_retried),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
