/* Frames, HELLO and OPS as bytes, and what an engine makes of bad ones. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/wire/frame.h"
#include "tests/support/replica.h"

static struct replicas *world;
static const uint8_t cluster[SYNC_CLUSTER_ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

static int parse_copy(const uint8_t *bytes, size_t size) {
  uint8_t *copy = malloc(size == 0 ? 1 : size);
  assert_non_null(copy);
  if (size > 0) memcpy(copy, bytes, size);
  struct frame_view view;
  int rc = frame_parse(copy, size, cluster, &view);
  free(copy);
  return rc;
}

/* Real frames of both types: n1 met n0 and then wrote. */
static void make_frames(void) {
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 1, "k", "v");
  (void)replicas_settle(world, 40);
  replica_close(world, 1);
  replica_open(world, 1);
  (void)replicas_settle(world, 40);
  replica_put(world, 1, "k", "w");
  replica_flush(world, 1);
  (void)replica_collect(world, 1);
  assert_int_equal(world->frame_count, 1);
  assert_int_equal(replicas_frame_type(world, 0), FRAME_OPS);
  replicas_advance(world, UINT64_C(31000000000));
  (void)replica_collect(world, 1);
  assert_true(world->frame_count >= 2);
  assert_int_equal(replicas_frame_type(world, 1), FRAME_HELLO);
}

static void every_flipped_bit_and_every_truncation_is_rejected(void **state) {
  (void)state;
  make_frames();
  struct sync_digest before, after;
  sync_digest_get(world->at[0].engine, &before);
  for (size_t place = 0; place < 2; place++) {
    struct replica_frame *frame = &world->frames[place];
    assert_int_equal(parse_copy(frame->bytes, frame->size), SYNC_OK);
    for (size_t bit = 0; bit < frame->size * 8; bit++) {
      frame->bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
      /* Another cluster's tag is named so: what it sealed cannot be checked here. */
      bool tag = bit / 8 >= 4 && bit / 8 < FRAME_HEADER_BYTES;
      assert_int_equal(parse_copy(frame->bytes, frame->size), tag ? SYNC_E_CLUSTER : SYNC_E_CORRUPT);
      assert_int_not_equal(replicas_deliver(world, place, true), SYNC_OK);
      frame->bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
    for (size_t cut = 0; cut < frame->size; cut++)
      assert_int_equal(parse_copy(frame->bytes, cut), SYNC_E_CORRUPT);
  }
  sync_digest_get(world->at[0].engine, &after);
  assert_true(before.state == after.state && before.vector == after.vector);
  replicas_destroy(world);
}

/* Seals a body as a valid frame, so that only the body's decoder stands. */
static size_t seal(uint8_t *buffer, size_t capacity, enum frame_type type, const uint8_t *body, size_t size) {
  struct bytes_writer writer = frame_begin(buffer, capacity - FRAME_TRAILER_BYTES);
  bytes_write(&writer, body, size);
  assert_false(writer.failed);
  return frame_finish(&writer, type, cluster);
}

static void sealed_bodies_cut_anywhere_change_nothing(void **state) {
  (void)state;
  make_frames();
  struct sync_digest before, after;
  sync_digest_get(world->at[0].engine, &before);
  uint32_t peer = replica_peer(world, 0, 1);
  for (size_t place = 0; place < 2; place++) {
    const struct replica_frame *frame = &world->frames[place];
    enum frame_type type = (enum frame_type)frame->bytes[3];
    for (size_t cut = 0; cut < frame->size - FRAME_HEADER_BYTES - FRAME_TRAILER_BYTES; cut++) {
      size_t room = FRAME_HEADER_BYTES + cut + FRAME_TRAILER_BYTES;
      uint8_t *exact = malloc(room);
      assert_non_null(exact);
      assert_int_equal(seal(exact, room, type, frame->bytes + FRAME_HEADER_BYTES, cut), room);
      int rc = sync_receive(world->at[0].engine, peer, exact, room);
      free(exact);
      /* A HELLO may end after any node's entries. */
      assert_true(rc == SYNC_E_CORRUPT || (type == FRAME_HELLO && rc == SYNC_OK));
    }
  }
  sync_digest_get(world->at[0].engine, &after);
  assert_true(before.state == after.state && before.vector == after.vector);
  replicas_destroy(world);
}

static void sealed_bodies_with_any_bytes_changed_are_survived(void **state) {
  (void)state;
  make_frames();
  uint64_t random = 1;
  uint32_t peer = replica_peer(world, 0, 1);
  uint32_t taken = 0;
  for (size_t place = 0; place < 2; place++) {
    const struct replica_frame *frame = &world->frames[place];
    size_t body_size = frame->size - FRAME_HEADER_BYTES - FRAME_TRAILER_BYTES;
    uint8_t *copy = malloc(frame->size);
    assert_non_null(copy);
    for (size_t round = 0; round < 5000; round++) {
      memcpy(copy, frame->bytes, frame->size);
      for (size_t flips = 0; flips < 1 + round % 3; flips++)
        copy[FRAME_HEADER_BYTES + 8 + memory_env_random(&random) % (body_size - 8)] =
            (uint8_t)memory_env_random(&random);
      struct bytes_writer writer = bytes_writer_to(copy, frame->size);
      writer.size = frame->size - FRAME_TRAILER_BYTES;
      (void)frame_finish(&writer, (enum frame_type)frame->bytes[3], cluster);
      if (sync_receive(world->at[0].engine, peer, copy, frame->size) == SYNC_OK) taken++;
    }
    free(copy);
  }
  assert_true(taken > 100);
  struct sync_digest kept, computed;
  sync_digest_get(world->at[0].engine, &kept);
  sync_digest_recompute(world->at[0].engine, &computed);
  assert_true(kept.state == computed.state && kept.vector == computed.vector && kept.siblings == computed.siblings);
  replicas_destroy(world);
}

static void frames_of_others_are_refused_by_name(void **state) {
  (void)state;
  make_frames();
  struct sync_engine *engine = world->at[0].engine;
  struct replica_frame hello = world->frames[1];
  uint32_t peer = replica_peer(world, 0, 1);
  uint32_t other;
  assert_int_equal(sync_peer_add(engine, "somebody-else", &other), SYNC_OK);
  assert_int_equal(sync_receive(engine, other, hello.bytes, hello.size), SYNC_E_PEER);
  assert_int_equal(sync_receive(engine, 77, hello.bytes, hello.size), SYNC_E_PEER);
  struct bytes_writer writer = bytes_writer_to(hello.bytes, hello.size);
  writer.size = hello.size - FRAME_TRAILER_BYTES;
  static const uint8_t stranger[SYNC_CLUSTER_ID_BYTES] = {1};
  (void)frame_finish(&writer, FRAME_HELLO, stranger);
  assert_int_equal(sync_receive(engine, peer, hello.bytes, hello.size), SYNC_E_CLUSTER);
  hello.bytes[FRAME_HEADER_BYTES] ^= 1; /* the limits hash */
  (void)frame_finish(&writer, FRAME_HELLO, cluster);
  assert_int_equal(sync_receive(engine, peer, hello.bytes, hello.size), SYNC_E_LIMITS);
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  assert_int_equal(stats.frames_rejected, 4);
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_flipped_bit_and_every_truncation_is_rejected),
      cmocka_unit_test(sealed_bodies_cut_anywhere_change_nothing),
      cmocka_unit_test(sealed_bodies_with_any_bytes_changed_are_survived),
      cmocka_unit_test(frames_of_others_are_refused_by_name),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
