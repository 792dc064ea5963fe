/* What a peer is told of holdings, and what is made of what it tells: differences since what it has heard of, by rank
 * where both know the same lives; and when that is done. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "tests/support/replica.h"

#define MS UINT64_C(1000000)
#define SECOND_NS (1000 * MS)

static struct replicas *world;
static const uint8_t cluster[SYNC_CLUSTER_ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

static struct peer *peer_of(uint32_t at, uint32_t of) {
  return peer_at(&world->at[at].engine->peers, replica_peer(world, at, of));
}

static uint64_t told_of(uint32_t index) {
  return world->at[index].engine->state.oplog.durable + 1;
}

/* The frame of the queue as NEWS. */
static struct news news_at(size_t place) {
  struct frame_view view;
  struct news news;
  const struct replica_frame *frame = &world->frames[place];
  assert_int_equal(replicas_frame_type(world, place), FRAME_NEWS);
  assert_int_equal(frame_parse(frame->bytes, frame->size, cluster, &view), SYNC_OK);
  assert_int_equal(news_parse(view.body, view.body_size, &news), SYNC_OK);
  return news;
}
static struct hello hello_at(size_t place) {
  struct frame_view view;
  struct hello hello;
  const struct replica_frame *frame = &world->frames[place];
  assert_int_equal(replicas_frame_type(world, place), FRAME_HELLO);
  assert_int_equal(frame_parse(frame->bytes, frame->size, cluster, &view), SYNC_OK);
  assert_int_equal(hello_parse(view.body, view.body_size, &hello), SYNC_OK);
  return hello;
}

/* --- Choosing --------------------------------------------------------------------------- */

/* n0 has the peers n1, n2, n3, which have heard of all that it holds: something of each. */
static void begin(void) {
  replicas_init(world, 4);
  for (uint32_t i = 1; i < 4; i++)
    replicas_link(world, 0, i);
  for (uint32_t i = 0; i < 4; i++)
    replica_put(world, i, "k", "1");
  replicas_settle_for(world, 20 * SECOND_NS);
  assert_true(replicas_agree(world));
  for (uint32_t i = 1; i < 4; i++)
    assert_int_equal(peer_of(0, i)->confirmed, told_of(0));
}

/* So many operations of that replica come to n0 and are durable there; what n0 sends is lost. */
static void bring(uint32_t index, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    replica_put(world, index, "k", "2");
    replica_flush(world, index);
    (void)replica_collect(world, index);
    for (size_t place = 0; place < world->frame_count; place++)
      if (world->frames[place].to == 0) assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
    replicas_drop_all(world);
    replica_flush(world, 0);
    struct peer *peer = peer_of(index, 0);
    peer->in_flight_count = 0; /* as if it were acknowledged */
  }
}

/* What n1 is to be told: of `names`, in this order. */
static void expect_chosen(bool all, size_t count, const char *const *names) {
  struct peers *peers = &world->at[0].engine->peers;
  struct telling telling;
  assert_true(telling_choose(peers, peer_of(0, 1), &telling));
  assert_true(telling.ranks);
  assert_int_equal(telling.all, all);
  assert_int_equal(telling.count, count);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(((struct origin **)peers->state->origins.work.items)[i]->node_id, names[i]);
}

static void who_has_heard_of_all_is_told_what_became_durable_since_in_the_order_of_ranks(void **state) {
  (void)state;
  begin();
  expect_chosen(true, 0, NULL);
  bring(3, 1);
  expect_chosen(true, 1, (const char *const[]){"n3"});
  bring(2, 2);
  expect_chosen(true, 2, (const char *const[]){"n2", "n3"});
  replica_put(world, 0, "k", "3"); /* not durable */
  expect_chosen(true, 2, (const char *const[]){"n2", "n3"});
  replica_flush(world, 0);
  expect_chosen(true, 3, (const char *const[]){"n0", "n2", "n3"});
  peer_of(0, 1)->confirmed = told_of(0) - 1;
  expect_chosen(true, 1, (const char *const[]){"n0"});
  peer_of(0, 1)->confirmed = told_of(0);
  expect_chosen(true, 0, NULL);
  replicas_destroy(world);
}

static void an_acknowledgement_names_all_that_is_new_only_while_that_is_little(void **state) {
  (void)state;
  begin();
  struct peer *peer = peer_of(0, 1);
  bring(3, TELLING_FEW - 1);
  bring(1, 1);
  assert_int_equal(peer->touched_count, 1);
  expect_chosen(true, 2, (const char *const[]){"n1", "n3"});
  bring(3, 1);
  expect_chosen(false, 1, (const char *const[]){"n1"}); /* more than a few: what it sent, and nothing else */
  peer->tell_all = true;
  expect_chosen(true, 2, (const char *const[]){"n1", "n3"});
  peer->tell_all = false;
  peer->touched_count = 0;
  expect_chosen(false, 0, NULL);
  replicas_destroy(world);
}

static void who_has_heard_of_nothing_or_not_of_this_run_is_sent_a_hello(void **state) {
  (void)state;
  begin();
  struct peers *peers = &world->at[0].engine->peers;
  struct peer *peer = peer_of(0, 1);
  struct telling telling;
  const struct peer whole = *peer;
  assert_true(telling_choose(peers, peer, &telling));
  peer->confirmed = 0;
  assert_false(telling_choose(peers, peer, &telling));
  *peer = whole;
  peer->knows_us = false;
  assert_false(telling_choose(peers, peer, &telling));
  *peer = whole;
  peer->known_session = 0;
  assert_false(telling_choose(peers, peer, &telling));
  *peer = whole;
  peer->list_all = true;
  assert_false(telling_choose(peers, peer, &telling));
  *peer = whole;
  world->at[0].engine->state.oplog.base = peer->confirmed; /* what it lacks the log has no more */
  assert_false(telling_choose(peers, peer, &telling));
  world->at[0].engine->state.oplog.base = 0;
  assert_true(telling_choose(peers, peer, &telling));
  peer->lives++; /* it knows other lives: by name */
  assert_true(telling_choose(peers, peer, &telling));
  assert_false(telling.ranks);
  *peer = whole;
  replicas_destroy(world);
}

static void more_lives_than_are_noted_are_told_by_all_that_is_new(void **state) {
  (void)state;
  struct peer peer = {0};
  struct origin origins[PEER_TOUCHED_MAX + 1] = {0};
  for (uint32_t round = 0; round < 2; round++)
    for (uint32_t i = 0; i < PEER_TOUCHED_MAX; i++) {
      origins[i].index = i;
      peer_touch(&peer, &origins[i]);
      assert_false(peer.tell_all);
      assert_int_equal(peer.touched_count, round == 0 ? i + 1 : PEER_TOUCHED_MAX);
    }
  origins[PEER_TOUCHED_MAX].index = PEER_TOUCHED_MAX;
  peer_touch(&peer, &origins[PEER_TOUCHED_MAX]);
  assert_true(peer.tell_all);
  assert_int_equal(peer.touched_count, PEER_TOUCHED_MAX);
}

/* --- Hearing ---------------------------------------------------------------------------- */

static struct origin *life(uint32_t at, const char *node_id, uint64_t incarnation) {
  struct origins *origins = &world->at[at].engine->state.origins;
  assert_int_equal(origins_reserve(origins), SYNC_OK);
  struct origin *origin = origins_add(origins, (const uint8_t *)node_id, strlen(node_id), incarnation);
  origins_raise_durable(origins, origin, 1); /* only such lives are told of */
  return origin;
}

static void news_of(struct news *news, uint8_t room[256], uint64_t lives, size_t count, const uint64_t *ranks) {
  struct bytes_writer writer = bytes_writer_to(room, 256);
  uint64_t next = 0;
  for (size_t i = 0; i < count; i++)
    news_write_entry(&writer, &next, &(struct news_entry){.rank = ranks[i], .seq = 100 + ranks[i]});
  *news = (struct news){
      .session = 1, .flags = NEWS_FLAG_RANKS, .lives = lives, .entries = bytes_reader_of(room, writer.size)};
}

/* Names before, between and behind those that the sender knows. */
static void ranks_are_those_of_a_sender_that_knows_up_to_eight_lives_fewer(void **state) {
  (void)state;
  static const char *const newer[] = {"a", "m", "n", "z", "b", "m", "p", "zz", "o"};
  for (uint32_t fewer = 0; fewer <= 9; fewer++) {
    replicas_init(world, 1);
    struct sync_engine *engine = world->at[0].engine;
    assert_int_equal(sync_peer_add(engine, "n1", NULL), SYNC_OK);
    struct peer *peer = peer_at(&engine->peers, 0);
    const struct origin *known[] = {life(0, "p", 5), life(0, "m", 7), life(0, "m", 5), life(0, "q", 1)};
    const struct origin *sorted[] = {known[2], known[1], known[0], known[3]};
    uint64_t lives = engine->state.origins.durable_lives;
    for (uint32_t i = 0; i < fewer; i++)
      (void)life(0, newer[i], 6 + i);
    static const uint64_t some[][4] = {{0, 1, 2, 3}, {0}, {1}, {2}, {3}, {0, 3}, {1, 2}, {1, 3}};
    static const size_t counts[] = {4, 1, 1, 1, 1, 2, 2, 2};
    for (size_t k = 0; k < sizeof counts / sizeof counts[0]; k++) {
      uint8_t room[256];
      struct news news;
      news_of(&news, room, lives, counts[k], some[k]);
      vector_clear(&peer->known);
      assert_int_equal(telling_hear(&engine->peers, peer, &news), fewer <= 8 ? SYNC_OK : SYNC_E_NOT_FOUND);
      uint64_t sum = 0, expected = 0;
      for (uint32_t i = 0; i < origins_count(&engine->state.origins); i++)
        sum += vector_get(&peer->known, i);
      for (size_t i = 0; fewer <= 8 && i < counts[k]; i++) {
        assert_int_equal(vector_get(&peer->known, sorted[some[k][i]]->index), 100 + some[k][i]);
        expected += 100 + some[k][i];
      }
      assert_int_equal(sum, expected); /* and of no other one */
    }
    uint8_t room[256];
    struct news news;
    news_of(&news, room, lives, 2, (const uint64_t[]){0, 4}); /* a fifth it does not know itself */
    vector_clear(&peer->known);
    assert_int_equal(telling_hear(&engine->peers, peer, &news), SYNC_E_NOT_FOUND);
    assert_int_equal(vector_get(&peer->known, sorted[0]->index), 0);
    replicas_destroy(world);
  }
}

static void ranks_of_a_sender_that_knows_more_lives_or_others_mean_nothing(void **state) {
  (void)state;
  replicas_init(world, 1);
  struct sync_engine *engine = world->at[0].engine;
  assert_int_equal(sync_peer_add(engine, "n1", NULL), SYNC_OK);
  struct peer *peer = peer_at(&engine->peers, 0);
  const struct origin *first = life(0, "m", 5);
  uint64_t one = engine->state.origins.durable_lives;
  const struct origin *second = life(0, "q", 5);
  uint64_t two = engine->state.origins.durable_lives;
  origins_remove_last(&engine->state.origins);
  assert_true(engine->state.origins.durable_lives == one);
  (void)second;
  uint8_t room[256];
  struct news news;
  const uint64_t lives[] = {two, two - one, one + 1};
  for (size_t i = 0; i < 3; i++) {
    news_of(&news, room, lives[i], 1, (const uint64_t[]){0});
    assert_int_equal(telling_hear(&engine->peers, peer, &news), SYNC_E_NOT_FOUND);
    assert_int_equal(vector_get(&peer->known, first->index), 0);
  }
  news_of(&news, room, 0, 0, NULL); /* knows none of them, and holds nothing */
  assert_int_equal(telling_hear(&engine->peers, peer, &news), SYNC_OK);
  news_of(&news, room, one, 1, (const uint64_t[]){0});
  assert_int_equal(telling_hear(&engine->peers, peer, &news), SYNC_OK);
  assert_int_equal(vector_get(&peer->known, first->index), 100);
  replicas_destroy(world);
}

static void without_memory_nothing_is_noted(void **state) {
  (void)state;
  replicas_init(world, 1);
  struct replica *replica = &world->at[0];
  assert_int_equal(sync_peer_add(replica->engine, "n1", NULL), SYNC_OK);
  struct peer *peer = peer_at(&replica->engine->peers, 0);
  const struct origin *origin = life(0, "m", 5);
  uint8_t room[256];
  struct news news;
  news_of(&news, room, replica->engine->state.origins.durable_lives, 1, (const uint64_t[]){0});
  uint32_t refused = 0;
  int rc = SYNC_E_NO_MEMORY;
  for (uint64_t nth = 1; rc != SYNC_OK; nth++) {
    replica->memory.fail_alloc_at = replica->memory.allocs + nth;
    rc = telling_hear(&replica->engine->peers, peer, &news);
    replica->memory.fail_alloc_at = 0;
    if (rc == SYNC_OK) break;
    assert_int_equal(rc, SYNC_E_NO_MEMORY);
    assert_int_equal(vector_get(&peer->known, origin->index), 0);
    assert_int_equal(peer->lives, 0);
    assert_true(++refused < 10);
    nth = 0; /* what it took it keeps */
    if (refused > 1) nth = refused - 1;
  }
  assert_true(refused > 0);
  assert_int_equal(vector_get(&peer->known, origin->index), 100);
  replicas_destroy(world);
}

/* --- Between engines ---------------------------------------------------------------------- */

static void meet(uint64_t ack_delay_ns) {
  replicas_init(world, 2);
  for (uint32_t i = 0; i < 2; i++) {
    replica_close(world, i);
    world->at[i].options.ack_delay_ns = ack_delay_ns;
    world->at[i].options.window_ops = 4;
    world->at[i].options.batch_size = 2;
    replica_open(world, i);
  }
  replicas_link(world, 0, 1);
  replica_put(world, 0, "k", "0");
  replica_put(world, 1, "k", "0");
  replicas_settle_for(world, 20 * SECOND_NS);
  assert_true(replicas_agree(world));
}

static void of_lives_that_are_not_known_here_a_hello_is_asked_for_and_tells(void **state) {
  (void)state;
  meet(SYNC_ACK_AT_ONCE);
  struct sync_engine *engine = world->at[0].engine;
  struct peer *peer = peer_of(0, 1);
  uint8_t bytes[256];
  struct bytes_writer writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
  struct news news = {.session = peer->known_session,
                      .known_tag = (uint32_t)engine->session,
                      .flags = NEWS_FLAG_RANKS,
                      .lives = engine->state.origins.durable_lives + 1};
  news_write_head(&writer, &news);
  size_t size = frame_finish(&writer, FRAME_NEWS, cluster);
  assert_int_equal(sync_receive(engine, replica_peer(world, 0, 1), bytes, size), SYNC_OK);
  assert_int_equal(replica_collect(world, 0), 1);
  assert_int_equal(hello_at(0).flags & HELLO_FLAG_ANSWER, HELLO_FLAG_ANSWER);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_int_equal(replica_collect(world, 1), 1);
  assert_int_equal(hello_at(0).flags & HELLO_FLAG_ANSWER, 0);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(peer->lives == engine->state.origins.durable_lives);
  assert_int_equal(replicas_settle(world, 10), 0);
  replicas_destroy(world);
}

static void news_of_another_run_is_answered_by_a_hello_and_believed_nothing(void **state) {
  (void)state;
  for (int theirs = 0; theirs < 2; theirs++) {
    meet(SYNC_ACK_AT_ONCE);
    struct sync_engine *engine = world->at[0].engine;
    struct peer *peer = peer_of(0, 1);
    uint64_t held = vector_get(&peer->known, 0);
    uint8_t bytes[256];
    struct bytes_writer writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
    uint64_t next = 0;
    struct news news = {.session = peer->known_session + (theirs != 0),
                        .known_tag = (uint32_t)engine->session + (theirs == 0),
                        .flags = NEWS_FLAG_RANKS | HELLO_FLAG_FULL,
                        .lives = engine->state.origins.durable_lives};
    news_write_head(&writer, &news);
    for (uint64_t rank = 0; rank < 2; rank++)
      news_write_entry(&writer, &next, &(struct news_entry){.rank = rank, .seq = held + 7});
    size_t size = frame_finish(&writer, FRAME_NEWS, cluster);
    assert_int_equal(sync_receive(engine, replica_peer(world, 0, 1), bytes, size), SYNC_OK);
    assert_int_equal(vector_get(&peer->known, 0), held);
    assert_false(peer->is_full);
    assert_int_equal(replica_collect(world, 0), 1);
    assert_int_equal(hello_at(0).flags & HELLO_FLAG_ANSWER, HELLO_FLAG_ANSWER);
    replicas_destroy(world);
  }
}

/* What n1 was not told and n0 believes it was: nothing is owed, and only the vectors differ. */
static void vectors_that_differ_in_idle_lead_to_hellos_that_heal(void **state) {
  (void)state;
  meet(SYNC_ACK_AT_ONCE);
  replica_put(world, 0, "lost", "1");
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  replicas_drop_all(world);
  struct peer *peer = peer_of(0, 1);
  peer->in_flight_count = 0;
  peer->confirmed = peer->told = told_of(0);
  peer->awaiting = false;
  assert_false(replicas_agree(world));
  for (uint32_t seconds = 0; seconds < 32 && !replica_reads(world, 1, "lost", "1"); seconds++)
    replicas_settle_for(world, SECOND_NS); /* one idle HELLO */
  assert_true(replica_reads(world, 1, "lost", "1"));
  assert_true(replicas_agree(world));
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  replicas_destroy(world);
}

static void vectors_are_not_compared_while_something_here_is_not_durable(void **state) {
  (void)state;
  meet(SYNC_ACK_AT_ONCE);
  replicas_settle_for(world, 60 * SECOND_NS); /* each has heard that the other heard of all */
  world->at[1].memory.mono_ns += 31 * SECOND_NS;
  assert_int_equal(sync_tick(world->at[1].engine, NULL), SYNC_OK);
  (void)replica_collect(world, 1);
  assert_int_equal(world->frame_count, 1);
  assert_int_equal(news_at(0).flags & NEWS_FLAG_VECTOR, NEWS_FLAG_VECTOR);
  replica_put(world, 0, "k", "1");
  assert_int_equal(replicas_deliver(world, 0, true), SYNC_OK);
  assert_false(peer_of(0, 1)->ask);
  replica_flush(world, 0);
  assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  assert_true(peer_of(0, 1)->ask);
  replicas_destroy(world);
}

static void an_idle_pair_exchanges_one_small_news_per_idle_interval(void **state) {
  (void)state;
  meet(0);
  enum { INTERVALS = 10 };
  uint64_t frames[2], bytes[2];
  replicas_settle_for(world, 60 * SECOND_NS);
  for (uint32_t i = 0; i < 2; i++) {
    frames[i] = replica_stats(world, i).frames_out;
    bytes[i] = replica_stats(world, i).frames_out_bytes;
    world->at[i].memory.traced_kind[SYNC_TRACE_SEND_HELLO] = 0;
    world->at[i].memory.traced_kind[SYNC_TRACE_SEND_NEWS] = 0;
  }
  replicas_settle_for(world, INTERVALS * 30 * SECOND_NS);
  for (uint32_t i = 0; i < 2; i++) { /* the one whose name is greater speaks for both */
    assert_int_equal(replica_stats(world, i).frames_out - frames[i], i * INTERVALS);
    assert_true(replica_stats(world, i).frames_out_bytes - bytes[i] <= INTERVALS * 48);
    assert_int_equal(world->at[i].memory.traced_kind[SYNC_TRACE_SEND_HELLO], 0);
    assert_int_equal(world->at[i].memory.traced_kind[SYNC_TRACE_SEND_NEWS], i * INTERVALS);
  }
  replicas_destroy(world);
}

static void who_hears_nothing_in_idle_speaks_an_eighth_later(void **state) {
  (void)state;
  meet(0);
  replicas_settle_for(world, 60 * SECOND_NS);
  for (uint32_t round = 0; round < 3; round++) {
    uint64_t since_ns = world->at[0].memory.mono_ns, before = replica_stats(world, 0).frames_out;
    while (replica_stats(world, 0).frames_out == before) {
      replicas_advance(world, SECOND_NS / 4);
      for (uint32_t i = 0; i < 2; i++)
        (void)replica_collect(world, i);
      replicas_drop_all(world); /* what either says */
      assert_true(world->at[0].memory.mono_ns - since_ns <= 34 * SECOND_NS);
    }
    if (round > 0) assert_true(world->at[0].memory.mono_ns - since_ns > 33 * SECOND_NS);
  }
  replicas_destroy(world);
}

/* Delivers all that n0 sends, until it has nothing more; what n1 has to say then. */
static size_t answers_at_once(void) {
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  while (world->frame_count > 0)
    assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  replica_flush(world, 1);
  return replica_collect(world, 1);
}

static void an_acknowledgement_waits_for_others_but_a_window_that_is_full_is_acknowledged_at_once(void **state) {
  (void)state;
  meet(0);
  uint64_t delay = SECOND_NS / 10 + 1; /* a hundredth of the timeout, and one */
  for (uint32_t count = 1; count <= 4; count++) {
    for (uint32_t i = 0; i < count; i++)
      replica_put(world, 0, "k", "1");
    assert_int_equal(answers_at_once(), count == 4);
    if (count < 4) {
      assert_true(sync_next_deadline(world->at[1].engine) == world->at[1].memory.mono_ns + delay);
      replicas_advance(world, delay - 1);
      assert_int_equal(replica_collect(world, 1), 0);
      replica_put(world, 0, "k", "2"); /* another one that does not fill it puts nothing off */
      if (count < 3) assert_int_equal(answers_at_once(), 0);
      replicas_advance(world, 1);
      assert_int_equal(replica_collect(world, 1), 1);
    }
    assert_int_equal(news_at(0).flags & NEWS_FLAG_ALL, NEWS_FLAG_ALL);
    (void)replicas_settle(world, 20);
    replicas_settle_for(world, SECOND_NS);
    assert_int_equal(peer_of(0, 1)->in_flight_count, 0);
    assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  }
  replicas_destroy(world);
}

static void of_a_full_window_only_the_frame_that_fills_it_is_urgent(void **state) {
  (void)state;
  meet(0);
  for (uint32_t i = 0; i < 7; i++)
    replica_put(world, 0, "k", "1");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 2); /* two frames of two; the others wait */
  for (size_t place = 0; place < 2; place++) {
    struct frame_view view;
    struct ops ops;
    assert_int_equal(frame_parse(world->frames[place].bytes, world->frames[place].size, cluster, &view), SYNC_OK);
    assert_int_equal(view.type, FRAME_OPS);
    assert_int_equal(ops_parse(view.body, view.body_size, &ops), SYNC_OK);
    assert_int_equal(ops.urgent, place == 1);
  }
  replicas_destroy(world);
}

/* --- HELLO in parts ------------------------------------------------------------------------ */

enum { LIVES = 200 };

/* Both hold something of lives whose names are long: four HELLOs tell of them. */
static size_t parts(void) {
  replicas_init(world, 2);
  for (uint32_t i = 0; i < 2; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 64;
    replica_open(world, i);
  }
  replicas_link(world, 0, 1);
  replica_put(world, 0, "k", "0");
  replicas_settle_for(world, 20 * SECOND_NS);
  for (uint32_t i = 0; i < LIVES; i++) {
    char name[64];
    (void)snprintf(name, sizeof name, "a-writer-of-whom-nobody-has-heard-for-a-long-time-%03u", i);
    for (uint32_t at = 0; at < 2; at++) {
      struct origin *origin = life(at, name, 5);
      origin->applied = origin->durable = 1;
    }
  }
  replica_put(world, 0, "k", "1");
  replica_flush(world, 0);
  struct peer *peer = peer_of(0, 1);
  peer->cursor = world->at[0].engine->state.oplog.durable; /* it is told of it only */
  peer->greet = peer->hello_pending = true;
  size_t count = replica_collect(world, 0);
  assert_true(count >= 3);
  for (size_t place = 0; place < count; place++) {
    struct hello hello = hello_at(place);
    assert_int_equal(hello.part, place);
    assert_int_equal((hello.flags & HELLO_FLAG_PART) != 0, place + 1 < count);
    assert_int_equal(hello.operations, told_of(0));
  }
  assert_int_equal(peer_of(1, 0)->heard_of, told_of(0) - 1);
  return count;
}

static void a_hello_in_parts_is_heard_of_when_the_last_came_behind_all_others(void **state) {
  (void)state;
  size_t count = parts();
  for (size_t place = 0; place < count; place++) {
    assert_int_equal(peer_of(1, 0)->heard_of, told_of(0) - 1);
    assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
  }
  assert_int_equal(peer_of(1, 0)->heard_of, told_of(0));
  for (uint32_t i = 0; i < LIVES; i++) { /* all parts were added up */
    const struct origins *origins = &world->at[1].engine->state.origins;
    assert_int_equal(vector_get(&peer_of(1, 0)->known, origins_at(origins, origins_count(origins) - 1 - i)->index), 1);
  }
  replicas_destroy(world);
}

static void a_hello_in_parts_of_which_one_is_lost_repeated_or_late_is_not_heard_of(void **state) {
  (void)state;
  size_t count = parts();
  uint64_t before = told_of(0) - 1;
  for (size_t lost = 0; lost < count; lost++) {
    for (size_t place = 0; place < count; place++)
      if (place != lost) assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
    assert_int_equal(peer_of(1, 0)->heard_of, before);
    if (lost + 1 < count) assert_int_equal(replicas_deliver(world, lost, true), SYNC_OK); /* too late */
    assert_int_equal(peer_of(1, 0)->heard_of, before);
  }
  for (size_t twice = 1; twice + 1 < count; twice++) {
    for (size_t place = 0; place + 1 < count; place++)
      for (int again = 0; again < (place == twice ? 2 : 1); again++)
        assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
    assert_int_equal(replicas_deliver(world, count - 1, true), SYNC_OK);
    assert_int_equal(peer_of(1, 0)->heard_of, before);
  }
  for (size_t place = count; place-- > 0;)
    assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
  assert_int_equal(peer_of(1, 0)->heard_of, before);
  for (size_t place = 0; place < count; place++)
    assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
  assert_int_equal(peer_of(1, 0)->heard_of, told_of(0));
  replicas_destroy(world);
}

/* The first part of one list, and the others of the next, which tells of more. */
static void parts_of_two_hellos_are_not_taken_for_one(void **state) {
  (void)state;
  size_t count = parts();
  struct peer *peer = peer_of(0, 1);
  replica_put(world, 0, "k", "2");
  replica_flush(world, 0);
  peer->cursor = world->at[0].engine->state.oplog.durable;
  peer->greet = peer->hello_pending = true;
  assert_int_equal(replica_collect(world, 0), count);
  uint64_t before = peer_of(1, 0)->heard_of;
  for (size_t whole = 1; whole < count; whole++) { /* so many of the first */
    for (size_t place = 0; place < count; place++)
      assert_int_equal(replicas_deliver(world, place + (place < whole ? 0 : count), true), SYNC_OK);
    assert_int_equal(peer_of(1, 0)->heard_of, before);
  }
  for (size_t place = 0; place < count; place++)
    assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
  assert_int_equal(peer_of(1, 0)->heard_of, before + 1);
  for (size_t place = 1; place < count; place++) /* behind a whole one the first is missing */
    assert_int_equal(replicas_deliver(world, count + place, true), SYNC_OK);
  assert_int_equal(peer_of(1, 0)->heard_of, before + 1);
  replicas_destroy(world);
}

/* --- Merged snapshots ------------------------------------------------------------------------ */

/* n1 is told of more than its log: n2 has heard of none of it. */
static void the_merge_of_a_snapshot_forgets_what_peers_have_heard_of(void **state) {
  (void)state;
  replicas_init(world, 3);
  for (uint32_t i = 0; i < 3; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256;
    world->at[i].options.segment_bytes = 4096;
    world->at[i].options.snapshot_bytes = UINT64_MAX;
    world->at[i].options.retain_bytes = 1;
    replica_open(world, i);
  }
  replica_put_many(world, 0, 0, 150, "a value that makes the log long enough to be cut behind a snapshot of it");
  replica_snapshot(world, 0);
  replica_put(world, 1, "own", "kept");
  replicas_link(world, 1, 2);
  replicas_settle_for(world, 20 * SECOND_NS);
  struct peer *peer = peer_of(1, 2);
  assert_int_equal(peer->confirmed, told_of(1));
  assert_true(peer->confirmed > 1);
  replicas_link(world, 0, 1);
  const struct oplog *log = &world->at[1].engine->state.oplog;
  bool merged = false, forgot = false;
  for (uint32_t round = 0; round < 4000 && !forgot; round++) {
    for (uint32_t i = 0; i < 3; i++)
      if (i != 1) replica_flush(world, i);
    (void)replica_collect(world, 0);
    (void)replica_collect(world, 1);
    while (world->frame_count > 0)
      assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    size_t jumps = log->jumps.count;
    merged = merged || jumps > 0;
    replica_flush(world, 1);
    forgot = jumps > log->jumps.count;
    if (forgot) break;
    replicas_advance(world, 20 * MS);
  }
  assert_true(merged && forgot);
  assert_int_equal(peer->confirmed, 0);
  assert_int_equal(peer->told, 0);
  replicas_settle_for(world, 60 * SECOND_NS);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_has_heard_of_all_is_told_what_became_durable_since_in_the_order_of_ranks),
      cmocka_unit_test(an_acknowledgement_names_all_that_is_new_only_while_that_is_little),
      cmocka_unit_test(who_has_heard_of_nothing_or_not_of_this_run_is_sent_a_hello),
      cmocka_unit_test(more_lives_than_are_noted_are_told_by_all_that_is_new),
      cmocka_unit_test(ranks_are_those_of_a_sender_that_knows_up_to_eight_lives_fewer),
      cmocka_unit_test(ranks_of_a_sender_that_knows_more_lives_or_others_mean_nothing),
      cmocka_unit_test(without_memory_nothing_is_noted),
      cmocka_unit_test(of_lives_that_are_not_known_here_a_hello_is_asked_for_and_tells),
      cmocka_unit_test(news_of_another_run_is_answered_by_a_hello_and_believed_nothing),
      cmocka_unit_test(vectors_that_differ_in_idle_lead_to_hellos_that_heal),
      cmocka_unit_test(vectors_are_not_compared_while_something_here_is_not_durable),
      cmocka_unit_test(an_idle_pair_exchanges_one_small_news_per_idle_interval),
      cmocka_unit_test(who_hears_nothing_in_idle_speaks_an_eighth_later),
      cmocka_unit_test(an_acknowledgement_waits_for_others_but_a_window_that_is_full_is_acknowledged_at_once),
      cmocka_unit_test(of_a_full_window_only_the_frame_that_fills_it_is_urgent),
      cmocka_unit_test(a_hello_in_parts_is_heard_of_when_the_last_came_behind_all_others),
      cmocka_unit_test(a_hello_in_parts_of_which_one_is_lost_repeated_or_late_is_not_heard_of),
      cmocka_unit_test(parts_of_two_hellos_are_not_taken_for_one),
      cmocka_unit_test(the_merge_of_a_snapshot_forgets_what_peers_have_heard_of),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
