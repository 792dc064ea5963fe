/* What is not pushed is told and asked for: of one peer, of another when that one is silent, and not at all while it
 * comes by itself. */
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
#define TIMEOUT_NS (10 * SECOND_NS)
#define ASK_AGAIN_NS (TIMEOUT_NS / PEER_ASK_AGAIN_SHARE)

static struct replicas *world;
static const uint8_t cluster[SYNC_CLUSTER_ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

/* --- Frames, counted, and lost as the test wants ------------------------------------------------- */

static struct {
  uint32_t asks[REPLICAS_MAX][REPLICAS_MAX], ops[REPLICAS_MAX][REPLICAS_MAX]; /* from, to */
  uint64_t asked_ns[64];                                                      /* when */
  uint32_t all_asks, all_ops;
  uint64_t before[64]; /* of frames of operations from n1 to n0, */
  uint32_t count[64];
  uint32_t answers; /* ... so many */
} seen;
static bool (*loses)(const struct replica_frame *frame, uint8_t type);

static uint64_t now_ns(void) {
  return world->at[0].memory.mono_ns;
}
static struct peer *peer_of(uint32_t at, uint32_t of) {
  return peer_at(&world->at[at].engine->peers, replica_peer(world, at, of));
}

static void forget(void) {
  memset(&seen, 0, sizeof seen);
}

static uint64_t wanted(const struct frame_view *view) {
  struct hello hello = {0};
  struct news news = {0};
  if (view->type == FRAME_HELLO) assert_int_equal(hello_parse(view->body, view->body_size, &hello), SYNC_OK);
  if (view->type == FRAME_NEWS) assert_int_equal(news_parse(view->body, view->body_size, &news), SYNC_OK);
  return hello.wanted + news.wanted;
}

static uint32_t operations(const struct frame_view *view, uint64_t *first) {
  struct ops ops;
  const uint8_t *bytes;
  size_t size;
  uint32_t count = 0;
  assert_int_equal(ops_parse(view->body, view->body_size, &ops), SYNC_OK);
  *first = ops.before;
  while (ops_next(&ops.operations, &bytes, &size))
    count++;
  return count;
}

static void note(const struct replica_frame *frame) {
  struct frame_view view;
  assert_int_equal(frame_parse(frame->bytes, frame->size, cluster, &view), SYNC_OK);
  if (view.type == FRAME_OPS) {
    uint64_t first = 0;
    uint32_t count = operations(&view, &first);
    seen.ops[frame->from][frame->to] += count;
    seen.all_ops += count;
    if (frame->from == 1 && frame->to == 0 && seen.answers < 64) {
      seen.before[seen.answers] = first;
      seen.count[seen.answers++] = count;
    }
  } else if (wanted(&view) > 0) {
    seen.asks[frame->from][frame->to]++;
    if (seen.all_asks < 64) seen.asked_ns[seen.all_asks] = now_ns();
    seen.all_asks++;
  }
}

/* Until nobody has more to say; no time passes. */
static void pump(void) {
  for (uint32_t round = 0;; round++) {
    assert_true(round < 200);
    for (uint32_t i = 0; i < world->count; i++) {
      replica_flush(world, i);
      (void)replica_collect(world, i);
    }
    if (world->frame_count == 0) return;
    while (world->frame_count > 0) {
      const struct replica_frame *frame = &world->frames[0];
      note(frame);
      if (loses != NULL && loses(frame, replicas_frame_type(world, 0)))
        replicas_drop(world, 0);
      else
        assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    }
  }
}

/* All that needs no time, though it needs a turn of each loop. */
static void turns(void) {
  for (uint32_t i = 0; i < 20; i++) {
    pump();
    replicas_advance(world, 0);
  }
}

static void pass(uint64_t ns) {
  const uint64_t step_ns = 25 * MS;
  for (uint64_t passed = 0; passed < ns; passed += step_ns) {
    pump();
    replicas_advance(world, step_ns);
  }
  pump();
}

static bool all_read(const char *key, const char *value) {
  bool all = true;
  for (uint32_t i = 0; i < world->count; i++)
    all = all && (world->at[i].engine == NULL || replica_reads(world, i, key, value));
  return all;
}

static void write_and_pass(uint32_t index, uint32_t times) {
  for (uint32_t i = 0; i < times; i++) {
    replica_put(world, index, "k", "v");
    pass(4 * SECOND_NS);
    assert_true(all_read("k", "v"));
  }
}

/* --- A line --------------------------------------------------------------------------------------- */

/* All seem to have more peers, whom nobody knows: who has few is sent what nobody asked for (feed.h). */
static void more_links(void) {
  for (uint32_t i = 0; i < world->count; i++)
    for (uint32_t handle = 0; handle < peer_handles(&world->at[i].engine->peers); handle++) {
      struct memory_array *tags = &peer_at(&world->at[i].engine->peers, handle)->tags;
      if (tags->count <= 1) continue; /* it has nobody else: that is what it says */
      assert_int_equal(
          memory_array_reserve(&world->at[i].memory.env, tags, sizeof(uint32_t), 4, tags->count + FEED_FEW_LINKS, 100),
          SYNC_OK);
      for (uint32_t k = 0; k < FEED_FEW_LINKS; k++)
        ((uint32_t *)tags->items)[tags->count++] = UINT32_MAX;
    }
}

static void line(uint32_t count) {
  loses = NULL;
  replicas_init(world, count);
  for (uint32_t i = 1; i < count; i++)
    replicas_link(world, i - 1, i);
  pass(2 * SECOND_NS);
  more_links();
  forget();
}

static void along_a_line_of_five_the_first_operation_is_asked_for_and_the_second_pushed_both_in_no_time(void **state) {
  (void)state;
  line(5);
  uint64_t begin_ns = now_ns();
  replica_put(world, 0, "k", "1");
  turns();
  assert_true(all_read("k", "1"));
  assert_int_equal(seen.asks[2][1], 1);
  assert_int_equal(seen.asks[3][2], 1); /* n1 is the writer's own peer, and n4 has nobody else */
  assert_int_equal(seen.all_asks, 2);
  assert_int_equal(seen.all_ops, 4);
  for (uint32_t i = 0; i < 5; i++) {
    forget();
    replica_put(world, 0, "k", "2");
    pump();
    assert_true(all_read("k", "2"));
    assert_int_equal(seen.all_asks, 0);
    assert_int_equal(seen.all_ops, 4);
    replica_put(world, 0, "k", "3");
    pump();
  }
  assert_true(now_ns() == begin_ns);
  for (uint32_t i = 0; i < 5; i++)
    assert_int_equal(replica_stats(world, i).duplicates, 0);
  replicas_destroy(world);
}

static void along_a_line_a_later_life_of_a_writer_is_pushed_from_its_first_operation_on(void **state) {
  (void)state;
  line(5);
  replica_put(world, 0, "k", "1");
  turns();
  pass(SECOND_NS);
  replica_close(world, 0);
  replica_open(world, 0);
  turns();
  pass(SECOND_NS);
  forget();
  replica_put(world, 0, "k", "2");
  pump();
  assert_true(all_read("k", "2"));
  assert_int_equal(seen.all_asks, 0);
  assert_int_equal(seen.all_ops, 4);
  replicas_destroy(world);
}

/* --- Three ways ------------------------------------------------------------------------------------ */

/* n4 writes; n1, n2 and n3 are its peers and those of n0, which has a feeder by now. Returns which. */
static uint32_t three_ways(void) {
  loses = NULL;
  replicas_init(world, 5);
  for (uint32_t i = 1; i < 4; i++) {
    replicas_link(world, 4, i);
    replicas_link(world, 0, i);
  }
  pass(2 * SECOND_NS);
  more_links();
  write_and_pass(4, 5);
  const struct sync_engine *engine = world->at[0].engine;
  const struct feed *feed = feed_of(&engine->peers, origins_at(&engine->state.origins, 0));
  forget();
  for (uint32_t i = 1; i < 4; i++)
    if (feed->feeder == replica_peer(world, 0, i) + 1) return i;
  fail();
  return 0;
}

static uint32_t mute_a, mute_b;

/* Operations of either to n0, and all frames of the second. */
static bool to_n0_of_mutes(const struct replica_frame *frame, uint8_t type) {
  if (frame->to != 0) return false;
  return (frame->from == mute_a && type == FRAME_OPS) || frame->from == mute_b;
}

static void steady_writing_costs_one_operation_for_each_replica_and_nothing_is_asked(void **state) {
  (void)state;
  (void)three_ways();
  for (uint32_t i = 0; i < 100; i++) { /* for ten seconds, in which each holds what nobody pushes it */
    replica_put(world, 4, "k", "w");
    pass(100 * MS);
  }
  assert_true(all_read("k", "w"));
  assert_int_equal(seen.all_asks, 0);
  assert_int_equal(seen.all_ops, 4 * 100);
  for (uint32_t i = 1; i < 4; i++)
    assert_int_equal(seen.ops[4][i], 100);
  replicas_destroy(world);
}

static void an_operation_that_was_lost_is_asked_for_from_one_peer_only(void **state) {
  (void)state;
  uint32_t feeder = three_ways();
  mute_a = feeder;
  mute_b = SYNC_PEER_NONE;
  loses = to_n0_of_mutes;
  replica_put(world, 4, "lost", "1");
  pump();
  assert_false(all_read("lost", "1"));
  uint64_t begin_ns = now_ns();
  for (uint32_t steps = 0; steps < 200 && !all_read("lost", "1"); steps++)
    pass(25 * MS);
  /* The others tell of it after a quarter of the timeout; it is given a fortieth to come. */
  assert_true(now_ns() - begin_ns <= TIMEOUT_NS / PEER_TELL_SHARE + TIMEOUT_NS / PEER_ASK_WAIT_SHARE + 100 * MS);
  assert_true(all_read("lost", "1"));
  pass(2 * TIMEOUT_NS);
  assert_int_equal(seen.all_asks, 1);
  assert_int_equal(seen.asks[0][feeder], 0);
  for (uint32_t i = 1; i < 4; i++)
    assert_int_equal(seen.ops[i][0], i == feeder ? 1 : seen.asks[0][i]);
  assert_int_equal(replica_stats(world, 0).duplicates, 0);
  replicas_destroy(world);
}

static void it_is_asked_for_from_another_one_when_that_one_is_silent(void **state) {
  (void)state;
  uint32_t feeder = three_ways();
  uint32_t first = feeder == 1 ? 2 : 1, other = 6 - feeder - first;
  mute_a = feeder;
  mute_b = SYNC_PEER_NONE;
  loses = to_n0_of_mutes;
  replica_put(world, 4, "lost", "1");
  pump();
  for (uint32_t i = 1; i < 4; i++)
    if (i != feeder) peer_tell_by(peer_of(i, 0), now_ns()); /* both at the same time */
  replicas_advance(world, 0);
  pump();
  mute_b = first;
  pass(TIMEOUT_NS / PEER_ASK_WAIT_SHARE);
  assert_int_equal(seen.all_asks, 1);
  assert_int_equal(seen.asks[0][first], 1);
  pass(ASK_AGAIN_NS - 50 * MS);
  assert_int_equal(seen.all_asks, 1);
  assert_false(all_read("lost", "1"));
  pass(50 * MS);
  assert_true(all_read("lost", "1"));
  assert_int_equal(seen.all_asks, 2);
  assert_int_equal(seen.asks[0][other], 1);
  assert_int_equal(seen.ops[other][0], 1);
  /* What the silent one writes a minute later is no answer that took a minute. */
  loses = NULL;
  pass(60 * SECOND_NS);
  replica_put(world, first, "late", "1");
  pass(SECOND_NS);
  assert_true(all_read("late", "1"));
  assert_int_equal(peer_of(0, first)->answer_ns, 0);
  replicas_destroy(world);
}

/* n0's disk is slow: nothing becomes durable there. */
static void deliver_without_fsyncs_of_n0(void) {
  for (uint32_t turns = 0; turns < 10; turns++) {
    replica_flush(world, 1);
    (void)replica_collect(world, 0);
    (void)replica_collect(world, 1);
    while (world->frame_count > 0) {
      note(&world->frames[0]);
      assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    }
  }
}

static void who_asks_is_not_sent_what_it_holds_and_has_not_fsynced(void **state) {
  (void)state;
  line(2);
  write_and_pass(1, 2); /* a life that both know */
  for (uint32_t i = 0; i < 3; i++)
    replica_put(world, 1, "held", "1");
  deliver_without_fsyncs_of_n0();
  assert_true(replica_reads(world, 0, "held", "1"));
  replica_put(world, 1, "lost", "1");
  replica_flush(world, 1);
  (void)replica_collect(world, 1);
  replicas_drop_all(world);
  assert_int_equal(peer_of(1, 0)->in_flight_count, 4);
  forget();
  for (uint64_t passed = 0; passed < 5 * SECOND_NS && !replica_reads(world, 0, "lost", "1"); passed += 25 * MS) {
    replicas_advance(world, 25 * MS);
    deliver_without_fsyncs_of_n0();
  }
  assert_true(replica_reads(world, 0, "lost", "1"));
  assert_int_equal(seen.asks[0][1], 1);
  assert_int_equal(seen.ops[1][0], 1);
  assert_int_equal(replica_stats(world, 0).duplicates, 0);
  pass(SECOND_NS); /* its disk goes on */
  assert_int_equal(sync_outbox_size(world->at[1].engine), 0);
  replicas_destroy(world);
}

/* Two operations that have to be asked for: then nobody waits for the feeder any more. */
static void write_and_wait(uint32_t writer, uint64_t most_ns) {
  static const char *const values[] = {"after", "again"};
  for (int i = 0; i < 2; i++) {
    replica_put(world, writer, "k", values[i]);
    uint64_t begin_ns = now_ns();
    while (!all_read("k", values[i])) {
      assert_true(now_ns() - begin_ns < most_ns);
      pass(25 * MS);
    }
  }
}

static void a_feeder_that_died_is_replaced_and_the_next_operation_is_pushed_by_the_new_one(void **state) {
  (void)state;
  uint32_t feeder = three_ways();
  replica_close(world, feeder);
  write_and_wait(4, TIMEOUT_NS / 2);
  const struct sync_engine *engine = world->at[0].engine;
  uint32_t now = feed_of(&engine->peers, origins_at(&engine->state.origins, 0))->feeder;
  assert_true(now != 0 && now != replica_peer(world, 0, feeder) + 1);
  for (uint32_t i = 0; i < 5; i++) {
    pass(SECOND_NS);
    forget();
    replica_put(world, 4, "k", i % 2 == 0 ? "x" : "y");
    pump();
    assert_true(all_read("k", i % 2 == 0 ? "x" : "y"));
    assert_int_equal(seen.all_asks, 0);
  }
  replicas_destroy(world);
}

/* --- A ring ---------------------------------------------------------------------------------------- */

static void a_ring_of_six_heals_within_one_acknowledgement_timeout_when_one_dies(void **state) {
  (void)state;
  for (uint32_t dead = 1; dead < 6; dead++) {
    loses = NULL;
    replicas_init(world, 6);
    for (uint32_t i = 0; i < 6; i++)
      replicas_link(world, i, (i + 1) % 6);
    pass(2 * SECOND_NS);
    write_and_pass(0, 4);
    replica_close(world, dead);
    write_and_wait(0, TIMEOUT_NS);
    pass(SECOND_NS);
    forget();
    replica_put(world, 0, "k", "next"); /* along what is a line now */
    pump();
    assert_true(all_read("k", "next"));
    assert_int_equal(seen.all_asks, 0);
    replica_open(world, dead);
    pass(3 * TIMEOUT_NS);
    assert_true(replicas_agree(world));
    assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
    replicas_destroy(world);
  }
}

/* --- Answers that do not come ------------------------------------------------------------------------ */

/* n2 - n1 - n0 - n3: n2 has written, and n0 is told of it by n1, whose operations to it are lost. */
static void lose_answers(void) {
  loses = NULL;
  replicas_init(world, 4);
  replicas_link(world, 2, 1);
  replicas_link(world, 1, 0);
  replicas_link(world, 0, 3);
  pass(2 * SECOND_NS);
  more_links();
  mute_a = 1;
  mute_b = SYNC_PEER_NONE;
  loses = to_n0_of_mutes;
  forget();
  replica_put(world, 2, "k", "1");
}

static void who_does_not_answer_is_asked_again_with_growing_waits(void **state) {
  (void)state;
  lose_answers();
  pass(40 * SECOND_NS);
  assert_true(seen.all_asks >= 6);
  assert_int_equal(seen.asks[0][1], seen.all_asks);
  uint64_t wait_ns = ASK_AGAIN_NS;
  for (uint32_t i = 1; i < seen.all_asks; i++) {
    uint64_t waited_ns = seen.asked_ns[i] - seen.asked_ns[i - 1];
    assert_true(waited_ns >= wait_ns && waited_ns <= wait_ns + 50 * MS);
    if (wait_ns < TIMEOUT_NS) wait_ns *= 2;
  }
  loses = NULL;
  pass(TIMEOUT_NS + SECOND_NS);
  assert_true(all_read("k", "1"));
  replicas_destroy(world);
}

static void who_was_asked_and_comes_back_in_a_new_run_is_asked_anew(void **state) {
  (void)state;
  lose_answers();
  while (seen.asks[0][1] < 2)
    pass(25 * MS);
  replica_close(world, 1);
  replica_open(world, 1);
  loses = NULL;
  pass(TIMEOUT_NS);
  assert_true(all_read("k", "1"));
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

/* A life's first operation says in itself whose it is, and the others do not: a frame with a later one before it
 * means nothing. */
static void an_answer_that_was_lost_goes_again_in_the_order_of_the_log(void **state) {
  (void)state;
  loses = NULL;
  replicas_init(world, 4);
  replica_close(world, 1);
  world->at[1].options.window_ops = 3;
  world->at[1].options.batch_size = 2;
  replica_open(world, 1);
  replicas_link(world, 2, 1);
  replicas_link(world, 1, 0);
  replicas_link(world, 0, 3);
  pass(2 * SECOND_NS);
  more_links();
  mute_a = 1;
  mute_b = SYNC_PEER_NONE;
  loses = to_n0_of_mutes;
  for (uint32_t i = 0; i < 6; i++)
    replica_put(world, 2, "k", "1");
  turns();
  assert_int_equal(seen.asks[0][1] > 0, true);
  struct peer *peer = peer_of(1, 0);
  assert_int_equal(peer->in_flight_count, 3);
  assert_true(peer->answer == 3 && peer->answer_end == 6);
  peer_park(&world->at[1].engine->peers, peer, now_ns()); /* what is in flight is given up */
  peer_alive(&world->at[1].engine->peers, peer, now_ns());
  loses = NULL;
  forget();
  pass(SECOND_NS);
  assert_true(all_read("k", "1"));
  assert_true(seen.answers >= 3);
  uint64_t next = 1;
  for (uint32_t i = 0; i < seen.answers; i++) {
    assert_int_equal(seen.before[i], next);
    next += seen.count[i];
  }
  assert_int_equal(next, 7);
  assert_int_equal(replica_stats(world, 0).duplicates, 0);
  assert_int_equal(replica_stats(world, 0).frames_rejected, 0);
  replicas_destroy(world);
}

static void a_store_that_is_full_asks_for_nothing(void **state) {
  (void)state;
  line(4); /* n2 has another peer, so that n1 only tells it */
  world->at[2].engine->stats.full = true;
  replica_put(world, 0, "k", "1");
  for (uint32_t i = 0; i < 100; i++) {
    pump();
    replicas_advance(world, 25 * MS);
    world->at[2].engine->stats.full = true;
  }
  assert_int_equal(seen.asks[2][1], 0);
  world->at[2].engine->stats.full = false;
  pass(2 * ASK_AGAIN_NS);
  assert_int_equal(seen.asks[2][1], 1);
  assert_true(replica_reads(world, 2, "k", "1"));
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(along_a_line_of_five_the_first_operation_is_asked_for_and_the_second_pushed_both_in_no_time),
      cmocka_unit_test(along_a_line_a_later_life_of_a_writer_is_pushed_from_its_first_operation_on),
      cmocka_unit_test(steady_writing_costs_one_operation_for_each_replica_and_nothing_is_asked),
      cmocka_unit_test(an_operation_that_was_lost_is_asked_for_from_one_peer_only),
      cmocka_unit_test(it_is_asked_for_from_another_one_when_that_one_is_silent),
      cmocka_unit_test(who_asks_is_not_sent_what_it_holds_and_has_not_fsynced),
      cmocka_unit_test(a_feeder_that_died_is_replaced_and_the_next_operation_is_pushed_by_the_new_one),
      cmocka_unit_test(a_ring_of_six_heals_within_one_acknowledgement_timeout_when_one_dies),
      cmocka_unit_test(who_does_not_answer_is_asked_again_with_growing_waits),
      cmocka_unit_test(who_was_asked_and_comes_back_in_a_new_run_is_asked_anew),
      cmocka_unit_test(an_answer_that_was_lost_goes_again_in_the_order_of_the_log),
      cmocka_unit_test(a_store_that_is_full_asks_for_nothing),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
