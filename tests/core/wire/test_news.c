/* NEWS as bytes, and what an engine makes of bad ones. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/engine.h"
#include "core/wire/frame.h"
#include "core/wire/news.h"
#include "tests/support/replica.h"

#define SECOND_NS UINT64_C(1000000000)

static struct replicas *world;
static const uint8_t cluster[SYNC_CLUSTER_ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
static uint8_t room[256];

static const uint8_t ranks_bytes[] = {
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* session */
    0x02, 0x00, 0x00, 0x00, 0x38,                   /* whose run it is for; ALL, RANKS, NEWS */
    0xac, 0x02, 0x05,                               /* 300 operations, of which 5 are new to who heard of 295 */
    0x06, 0x07,                                     /* heard, wanted */
    0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, /* lives */
    0x02, 0x04, 0x05, 0x08, 0x07,                   /* in hand: two, rank 1; 5, rank 4; 7 */
    0x02, 0x80, 0x01,                               /* rank 0, held back; 128 */
    0x05, 0x03,                                     /* rank 2, pushed; 3 */
    0x00, 0x01,                                     /* rank 3, no wish; 1 */
};
static const uint8_t vector_bytes[] = {
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* session */
    0x02, 0x00, 0x00, 0x00, 0x40,                   /* whose run it is for; VECTOR */
    0x06, 0x00,                                     /* heard, wanted */
    0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* vector */
    0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, /* lives */
};
static const uint8_t named_bytes[] = {
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,             /* session */
    0x02, 0x00, 0x00, 0x00, 0x03,                               /* whose run it is for; GAP, FULL */
    0x06, 0x07,                                                 /* heard, wanted */
    0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80,             /* lives */
    0x00,                                                       /* nothing is in hand */
    0x02, 'n',  '1',  0x05,                                     /* of n1 one life, pushed */
    0x0a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, /* incarnation, 3, born of nothing */
};

/* Of a heap copy of exactly these bytes. */
static int parse(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  struct news news;
  int rc = news_parse(copy, size, &news);
  struct news_entry entry;
  uint64_t next = 0;
  if (rc == SYNC_OK && (news.flags & NEWS_FLAG_RANKS) != 0)
    for (struct bytes_reader entries = news.entries; news_next(&entries, &next, &entry);)
      assert_true(entry.seq > 0 && entry.rank < UINT32_MAX && entry.wish <= HELLO_WISH_HOLD);
  free(copy);
  return rc;
}

static void news_by_rank_is_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  struct news news = {.session = 1,
                      .known_tag = 2,
                      .flags = NEWS_FLAG_ALL | NEWS_FLAG_RANKS | HELLO_FLAG_NEWS,
                      .operations = 300,
                      .since = 295,
                      .heard = 6,
                      .wanted = 7,
                      .vector = 77, /* not said */
                      .lives = UINT64_C(0x8000000000000008)};
  static const struct news_entry entries[] = {
      {.rank = 0, .seq = 128, .wish = HELLO_WISH_HOLD}, {.rank = 2, .seq = 3, .wish = HELLO_WISH_PUSH}, {3, 1, 0}};
  static const struct news_entry hand[] = {{.rank = 1, .seq = 5}, {.rank = 4, .seq = 7}};
  news_write_head(&writer, &news);
  uint64_t next = 0;
  bytes_write_varint(&writer, 2);
  for (size_t i = 0; i < 2; i++)
    news_write_entry(&writer, &next, &hand[i]);
  next = 0;
  for (size_t i = 0; i < 3; i++)
    news_write_entry(&writer, &next, &entries[i]);
  assert_int_equal(writer.size, sizeof ranks_bytes);
  assert_memory_equal(room, ranks_bytes, sizeof ranks_bytes);
  struct news read;
  assert_int_equal(news_parse(ranks_bytes, sizeof ranks_bytes, &read), SYNC_OK);
  assert_true(read.session == 1 && read.known_tag == 2 && read.flags == news.flags);
  assert_true(read.operations == 300 && read.since == 295 && read.heard == 6 && read.wanted == 7);
  assert_true(read.vector == 0 && read.lives == news.lives && read.hand_count == 2);
  struct news_entry entry;
  next = 0;
  for (size_t i = 0; i < 2; i++) {
    assert_true(news_next(&read.hand, &next, &entry));
    assert_true(entry.rank == hand[i].rank && entry.seq == hand[i].seq);
  }
  assert_false(news_next(&read.hand, &next, &entry));
  next = 0;
  for (size_t i = 0; i < 3; i++) {
    assert_true(news_next(&read.entries, &next, &entry));
    assert_true(entry.rank == entries[i].rank && entry.seq == entries[i].seq && entry.wish == entries[i].wish);
  }
  assert_false(news_next(&read.entries, &next, &entry));
  assert_false(read.entries.failed);
}

static void news_of_nothing_says_the_vector_in_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  struct news news = {.session = 1,
                      .known_tag = 2,
                      .flags = NEWS_FLAG_VECTOR,
                      .operations = 300, /* not said */
                      .since = 295,
                      .heard = 6,
                      .vector = 9,
                      .lives = UINT64_C(0x8000000000000008)};
  news_write_head(&writer, &news);
  assert_int_equal(writer.size, sizeof vector_bytes);
  assert_memory_equal(room, vector_bytes, sizeof vector_bytes);
  struct news read;
  assert_int_equal(news_parse(vector_bytes, sizeof vector_bytes, &read), SYNC_OK);
  assert_true(read.vector == 9 && read.operations == 0 && read.since == 0 && read.heard == 6 && read.wanted == 0);
  assert_int_equal(bytes_left(&read.entries), 0);
}

static void news_by_name_is_these_bytes(void **state) {
  (void)state;
  struct bytes_writer writer = bytes_writer_to(room, sizeof room);
  struct news news = {.session = 1,
                      .known_tag = 2,
                      .flags = HELLO_FLAG_GAP | HELLO_FLAG_FULL,
                      .heard = 6,
                      .wanted = 7,
                      .lives = UINT64_C(0x8000000000000008)};
  news_write_head(&writer, &news);
  bytes_write(&writer, named_bytes + writer.size, sizeof named_bytes - writer.size);
  assert_memory_equal(room, named_bytes, sizeof named_bytes);
  struct news read;
  assert_int_equal(news_parse(named_bytes, sizeof named_bytes, &read), SYNC_OK);
  struct hello_walk walk = hello_walk_of(read.entries);
  struct hello_entry entry;
  assert_true(hello_next(&walk, &entry));
  assert_true(entry.incarnation == 10 && entry.seq == 3 && entry.wish == HELLO_WISH_PUSH && entry.birth_count == 0);
  assert_false(hello_next(&walk, &entry));
}

static void what_is_cut_or_says_what_cannot_be_is_refused(void **state) {
  (void)state;
  const size_t heads[] = {31, sizeof vector_bytes, 24}; /* behind which entries begin */
  const uint8_t *bytes[] = {ranks_bytes, vector_bytes, named_bytes};
  const size_t sizes[] = {sizeof ranks_bytes, sizeof vector_bytes, sizeof named_bytes};
  for (size_t k = 0; k < 3; k++)
    for (size_t cut = 0; cut < sizes[k]; cut++) {
      /* It may end behind any entry. */
      bool whole = k == 0 ? cut == 31 || cut == 34 || cut == 36 : cut == heads[k];
      assert_int_equal(parse(bytes[k], cut), whole ? SYNC_OK : SYNC_E_CORRUPT);
    }
  memcpy(room, vector_bytes, sizeof vector_bytes);
  memset(room, 0, 8); /* of no session */
  assert_int_equal(parse(room, sizeof vector_bytes), SYNC_E_CORRUPT);
  memcpy(room, vector_bytes, sizeof vector_bytes);
  assert_int_equal(parse(room, sizeof vector_bytes + 1), SYNC_E_CORRUPT);
  /* Flags that are none of its own: what waits for an answer is a HELLO. */
  memcpy(room, ranks_bytes, sizeof ranks_bytes);
  for (unsigned flags = 0; flags < 256; flags++) {
    room[12] = (uint8_t)flags;
    if ((flags & 0x84) != 0) assert_int_equal(parse(room, sizeof ranks_bytes), SYNC_E_CORRUPT);
  }
}

static void head(struct bytes_writer *writer, const struct news *news) {
  *writer = bytes_writer_to(room, sizeof room);
  news_write_head(writer, news);
}

static void who_has_heard_of_nothing_is_not_told_by_news(void **state) {
  (void)state;
  struct bytes_writer writer;
  struct news news = {.session = 1, .flags = NEWS_FLAG_ALL | NEWS_FLAG_RANKS};
  static const struct {
    uint64_t operations, since;
    int rc;
  } rows[] = {{6, 1, SYNC_OK},         {6, 6, SYNC_OK},        {6, 0, SYNC_E_CORRUPT}, {1, 1, SYNC_OK},
              {0, 0, SYNC_E_CORRUPT},  {6, 7, SYNC_E_CORRUPT}, /* so many that the difference goes round */
              {UINT64_MAX, 1, SYNC_OK}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    news.operations = rows[i].operations;
    news.since = rows[i].since;
    head(&writer, &news);
    assert_int_equal(parse(room, writer.size), rows[i].rc);
  }
}

static void an_entry_of_nothing_or_past_every_rank_or_with_no_wish_that_is_one_is_refused(void **state) {
  (void)state;
  static const struct {
    uint64_t first, second; /* heads */
    uint64_t seq;
    int rc;
  } rows[] = {
      {0, 0, 1, SYNC_OK},
      {0, 0, 0, SYNC_E_CORRUPT}, /* it holds nothing */
      {3, 0, 1, SYNC_E_CORRUPT}, /* a wish that is none */
      {0, 3, 1, SYNC_E_CORRUPT},
      {(uint64_t)(UINT32_MAX - 1) << 2 | 2, 0, 1, SYNC_E_CORRUPT}, /* the second is past them */
      {(uint64_t)UINT32_MAX << 2, 0, 1, SYNC_E_CORRUPT},
      {0, (uint64_t)(UINT32_MAX - 2) << 2, 1, SYNC_OK},
      {0, (uint64_t)(UINT32_MAX - 1) << 2, 1, SYNC_E_CORRUPT},
      {0, UINT64_MAX - 3, 1, SYNC_E_CORRUPT},
      {UINT64_MAX - 3, UINT64_MAX - 3, 1, SYNC_E_CORRUPT},
  };
  struct news news = {.session = 1, .flags = NEWS_FLAG_RANKS};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct bytes_writer writer;
    head(&writer, &news);
    bytes_write_varint(&writer, rows[i].first);
    bytes_write_varint(&writer, 1);
    bytes_write_varint(&writer, rows[i].second);
    bytes_write_varint(&writer, rows[i].seq);
    assert_int_equal(parse(room, writer.size), rows[i].rc);
  }
}

/* --- An engine ------------------------------------------------------------------------- */

static void keep_only(uint32_t to, size_t from) {
  for (size_t place = world->frame_count; place-- > from;)
    if (world->frames[place].to != to) replicas_drop(world, place);
}

/* Two NEWS of n1 to n0: it is idle, and then acknowledges a write of n0. */
static void make_frames(void) {
  replicas_init(world, 3);
  replicas_link(world, 0, 1);
  replicas_link(world, 1, 2);
  replica_put(world, 1, "k", "v");
  (void)replicas_settle(world, 60);
  replica_put(world, 2, "k", "w");
  replica_put(world, 0, "l", "w");
  replicas_settle_for(world, 5 * SECOND_NS);
  world->at[1].memory.mono_ns += 31 * SECOND_NS;
  assert_int_equal(sync_tick(world->at[1].engine, NULL), SYNC_OK);
  (void)replica_collect(world, 1);
  keep_only(0, 0);
  assert_int_equal(world->frame_count, 1);
  replica_put(world, 0, "l", "x");
  replica_flush(world, 0);
  (void)replica_collect(world, 0);
  assert_int_equal(world->frame_count, 2);
  assert_int_equal(replicas_deliver(world, 1, false), SYNC_OK);
  replica_flush(world, 1);
  (void)replica_collect(world, 1);
  keep_only(0, 0);
  assert_int_equal(world->frame_count, 2);
  for (size_t place = 0; place < 2; place++)
    assert_int_equal(replicas_frame_type(world, place), FRAME_NEWS);
  assert_int_equal(world->frames[0].bytes[FRAME_HEADER_BYTES + 12] & NEWS_FLAG_VECTOR, NEWS_FLAG_VECTOR);
  assert_int_equal(world->frames[1].bytes[FRAME_HEADER_BYTES + 12], NEWS_FLAG_RANKS | NEWS_FLAG_ALL);
}

static int parse_frame(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  struct frame_view view;
  int rc = frame_parse(copy, size, cluster, &view);
  free(copy);
  return rc;
}

/* What n0 believes of n1. */
static uint64_t belief(void) {
  const struct peer *peer = peer_at(&world->at[0].engine->peers, replica_peer(world, 0, 1));
  uint64_t sum = peer->known_session ^ peer->confirmed << 8 ^ peer->heard_of << 16 ^ peer->lives;
  for (uint32_t i = 0; i < peer->known.seqs.count; i++)
    sum = sum * 31 + vector_get(&peer->known, i);
  return sum;
}

static void every_flipped_bit_and_every_truncation_is_refused(void **state) {
  (void)state;
  make_frames();
  struct sync_digest before, after;
  sync_digest_get(world->at[0].engine, &before);
  uint64_t believed = belief();
  for (size_t place = 0; place < 2; place++) {
    struct replica_frame *frame = &world->frames[place];
    assert_int_equal(parse_frame(frame->bytes, frame->size), SYNC_OK);
    for (size_t bit = 0; bit < frame->size * 8; bit++) {
      bool tag = bit / 8 >= 4 && bit / 8 < FRAME_HEADER_BYTES;
      frame->bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
      assert_int_equal(parse_frame(frame->bytes, frame->size), tag ? SYNC_E_CLUSTER : SYNC_E_CORRUPT);
      assert_int_equal(replicas_deliver(world, place, true), tag ? SYNC_E_CLUSTER : SYNC_E_CORRUPT);
      frame->bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t cut = 0; cut < frame->size; cut++)
      assert_int_equal(parse_frame(frame->bytes, cut), SYNC_E_CORRUPT);
  }
  sync_digest_get(world->at[0].engine, &after);
  assert_true(before.state == after.state && before.vector == after.vector && belief() == believed);
  for (size_t place = 0; place < 2; place++)
    assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
  assert_true(belief() != believed);
  replicas_destroy(world);
}

static int receive_sealed(const uint8_t *body, size_t size) {
  size_t all = FRAME_HEADER_BYTES + size + FRAME_TRAILER_BYTES;
  uint8_t *exact = malloc(all);
  assert_non_null(exact);
  struct bytes_writer writer = frame_begin(exact, all - FRAME_TRAILER_BYTES);
  bytes_write(&writer, body, size);
  assert_false(writer.failed);
  assert_int_equal(frame_finish(&writer, FRAME_NEWS, cluster), all);
  int rc = sync_receive(world->at[0].engine, replica_peer(world, 0, 1), exact, all);
  free(exact);
  return rc;
}

static void sealed_bodies_cut_anywhere_change_nothing(void **state) {
  (void)state;
  make_frames();
  struct sync_digest before, after;
  sync_digest_get(world->at[0].engine, &before);
  for (size_t place = 0; place < 2; place++) {
    const struct replica_frame *frame = &world->frames[place];
    uint32_t refused = 0;
    size_t size = frame->size - FRAME_HEADER_BYTES - FRAME_TRAILER_BYTES;
    for (size_t cut = 0; cut < size; cut++) {
      int rc = receive_sealed(frame->bytes + FRAME_HEADER_BYTES, cut);
      assert_true(rc == SYNC_E_CORRUPT || rc == SYNC_OK); /* it may end behind any entry */
      refused += rc == SYNC_E_CORRUPT;
    }
    assert_true(refused >= 23);
  }
  sync_digest_get(world->at[0].engine, &after);
  assert_true(before.state == after.state && before.vector == after.vector);
  replicas_destroy(world);
}

static void sealed_bodies_with_any_bytes_changed_are_survived(void **state) {
  (void)state;
  make_frames();
  uint64_t random = 1;
  uint32_t taken = 0, refused = 0;
  for (size_t place = 0; place < 2; place++) {
    const struct replica_frame *frame = &world->frames[place];
    size_t size = frame->size - FRAME_HEADER_BYTES - FRAME_TRAILER_BYTES;
    uint8_t *copy = malloc(size);
    assert_non_null(copy);
    for (size_t round = 0; round < 5000; round++) {
      memcpy(copy, frame->bytes + FRAME_HEADER_BYTES, size);
      size_t from = round % 2 == 0 ? 12 : 0; /* behind the session and whose run it is for */
      for (size_t flips = 0; flips < 1 + round % 3; flips++)
        copy[from + memory_env_random(&random) % (size - from)] = (uint8_t)memory_env_random(&random);
      int rc = receive_sealed(copy, size);
      assert_true(rc == SYNC_OK || rc == SYNC_E_CORRUPT);
      taken += rc == SYNC_OK;
      refused += rc == SYNC_E_CORRUPT;
      if (round % 100 == 0) {
        (void)replica_collect(world, 0);
        while (world->frame_count > 2)
          replicas_drop(world, 2);
      }
    }
    free(copy);
  }
  assert_true(taken > 100 && refused > 100);
  struct sync_digest kept, computed;
  sync_digest_get(world->at[0].engine, &kept);
  sync_digest_recompute(world->at[0].engine, &computed);
  assert_true(kept.state == computed.state && kept.vector == computed.vector && kept.siblings == computed.siblings);
  /* What was believed of lies goes with the next session of who told them; then all agree again. */
  replicas_drop_all(world);
  replica_close(world, 1);
  replica_open(world, 1);
  replica_put(world, 0, "after", "1");
  replica_put(world, 1, "after", "2");
  replicas_settle_for(world, 60 * SECOND_NS);
  assert_true(replicas_agree(world));
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  replicas_destroy(world);
}

/* By whose ranks none of them can be told: nothing is noted, and a HELLO is asked for. */
static void a_rank_past_the_lives_that_are_known_notes_nothing_and_asks_for_a_hello(void **state) {
  (void)state;
  make_frames();
  replicas_drop_all(world);
  struct sync_engine *engine = world->at[0].engine;
  struct peer *peer = peer_at(&engine->peers, replica_peer(world, 0, 1));
  size_t lives = origins_count(&engine->state.origins);
  assert_int_equal(lives, 3);
  (void)replica_collect(world, 0);
  replicas_drop_all(world);
  for (uint64_t rank = 1; rank < 6; rank++) {
    uint64_t held = vector_get(&peer->known, origins_sorted(&engine->state.origins, 0)->index);
    struct news news = {.session = peer->known_session,
                        .known_tag = (uint32_t)engine->session,
                        .flags = NEWS_FLAG_RANKS,
                        .lives = engine->state.origins.durable_lives};
    struct bytes_writer writer;
    uint64_t next = 0;
    head(&writer, &news);
    news_write_entry(&writer, &next, &(struct news_entry){.rank = 0, .seq = held + 1});
    news_write_entry(&writer, &next, &(struct news_entry){.rank = rank, .seq = 1});
    uint64_t believed = belief();
    assert_int_equal(receive_sealed(room, writer.size), SYNC_OK);
    assert_int_equal(belief() == believed, rank >= lives);
    assert_int_equal(peer->ask, rank >= lives);
    (void)replica_collect(world, 0);
    if (rank >= lives) {
      assert_int_equal(world->frame_count, 1);
      assert_int_equal(replicas_frame_type(world, 0), FRAME_HELLO);
    }
    replicas_drop_all(world);
  }
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(news_by_rank_is_these_bytes),
      cmocka_unit_test(news_of_nothing_says_the_vector_in_these_bytes),
      cmocka_unit_test(news_by_name_is_these_bytes),
      cmocka_unit_test(what_is_cut_or_says_what_cannot_be_is_refused),
      cmocka_unit_test(who_has_heard_of_nothing_is_not_told_by_news),
      cmocka_unit_test(an_entry_of_nothing_or_past_every_rank_or_with_no_wish_that_is_one_is_refused),
      cmocka_unit_test(every_flipped_bit_and_every_truncation_is_refused),
      cmocka_unit_test(sealed_bodies_cut_anywhere_change_nothing),
      cmocka_unit_test(sealed_bodies_with_any_bytes_changed_are_survived),
      cmocka_unit_test(a_rank_past_the_lives_that_are_known_notes_nothing_and_asks_for_a_hello),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
