/* A snapshot on its way from peer to peer: what arrives goes on where it was, whoever starts anew; and
 * what lies, loses, repeats or never ends costs a bounded amount. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/snapshot/snapshot.h"
#include "core/wire/frame.h"
#include "tests/support/emulated.h"
#include "tests/support/replica.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)

static struct replicas *world;
static const uint8_t cluster[SYNC_CLUSTER_ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t i = 0; i < count; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256; /* and so blocks of 4 KiB */
    world->at[i].options.segment_bytes = 4096;
    world->at[i].options.snapshot_bytes = UINT64_MAX; /* only when asked */
    world->at[i].options.retain_bytes = 1;
    replica_open(world, i);
  }
}

#define LONG_VALUE                                                                                                     \
  "a value of about two hundred bytes, so that a snapshot of some of them has many blocks, each of which may be lost " \
  "or come twice or in the wrong order or from somebody who does not mean it well with us"

/* n0 has a base and no log behind it. Blocks of the base. */
static size_t lag_alone(uint32_t replicas) {
  begin(replicas);
  replica_put_many(world, 0, 0, 150, LONG_VALUE);
  replica_snapshot(world, 0);
  size_t size = 0, blocks = 0;
  const uint8_t *bytes = memory_env_bytes(&world->at[0].memory, replica_file(world, 0, "base-"), &size);
  for (size_t at = 0; at < size; blocks++)
    at += BLOCK_HEADER_BYTES + bytes_get_u32(bytes + at + 8);
  assert_true(blocks > 8);
  return blocks;
}

/* ... and n1 has something of its own. */
static size_t lag(uint32_t replicas) {
  size_t blocks = lag_alone(replicas);
  replica_put(world, 1, "own", "kept");
  replica_flush(world, 1);
  return blocks;
}

static void finish_alone(void) {
  assert_true(replica_reads(world, 1, "key-050", LONG_VALUE));
  assert_true(replicas_agree(world));
  for (uint32_t i = 0; i < world->count; i++)
    assert_int_equal(sync_outbox_size(world->at[i].engine), 0);
  replicas_destroy(world);
}
static void finish(void) {
  assert_true(replica_reads(world, 1, "own", "kept"));
  finish_alone();
}

/* --- A network that the test may bend ------------------------------------------------------ */

static void collect_all(void) {
  for (uint32_t i = 0; i < world->count; i++) {
    replica_flush(world, i);
    (void)replica_collect(world, i);
  }
}

/* Frames arrive until n1 has taken so many blocks, or time is over. */
static void run_until_blocks(uint64_t blocks, uint64_t ns) {
  for (uint64_t passed = 0; passed < ns; passed += 20 * MS) {
    for (unsigned rounds = 0; rounds < 40; rounds++) {
      collect_all();
      if (world->frame_count == 0) break;
      while (world->frame_count > 0) {
        int rc = replicas_deliver(world, 0, false);
        assert_true(rc == SYNC_OK || rc == SYNC_E_CORRUPT);
        if (world->at[1].engine != NULL && replica_stats(world, 1).blocks_in >= blocks) return;
      }
    }
    replicas_advance(world, 20 * MS);
  }
}
static void settle(uint64_t ns) {
  run_until_blocks(UINT64_MAX, ns);
}

static void what_the_receiver_had_is_not_fetched_again(void **state) {
  (void)state;
  size_t blocks = lag(2);
  replicas_destroy(world);
  for (uint64_t had = 1; had < blocks; had++) {
    (void)lag(2);
    replicas_link(world, 0, 1);
    run_until_blocks(had, 20 * SECOND);
    assert_int_equal(replica_stats(world, 1).blocks_in, had);
    replica_close(world, 1);
    replicas_drop_all(world);
    replica_open(world, 1);
    settle(12 * SECOND);
    assert_int_equal(replica_stats(world, 1).merges, 1);
    assert_int_equal(replica_stats(world, 1).blocks_in, blocks - had);
    finish();
  }
}

/* What power took away is fetched again, and no more; a block that came back as something else is found. */
static void a_receiver_that_lost_power_goes_on_with_what_is_whole(void **state) {
  (void)state;
  size_t kept = 0;
  for (unsigned style = 0; style < MEMORY_ENV_LOSSES; style++)
    for (uint64_t had = 1; had < 8; had += emulated() ? 3 : 1) { /* alike */
      size_t blocks = lag(2);
      replicas_link(world, 0, 1);
      run_until_blocks(had, 20 * SECOND);
      replica_crash(world, 1, (enum memory_env_loss)style, had * 13 + style);
      replicas_drop_all(world);
      replica_open(world, 1);
      settle(12 * SECOND);
      assert_int_equal(replica_stats(world, 1).merges, 1);
      assert_true(replica_stats(world, 1).blocks_in >= blocks - had && replica_stats(world, 1).blocks_in <= blocks);
      kept += blocks - (size_t)replica_stats(world, 1).blocks_in;
      finish();
    }
  assert_true(kept > 5);
}

static void a_sender_that_starts_again_goes_on_where_it_was(void **state) {
  (void)state;
  for (uint64_t had = 1; had < 8; had++) {
    size_t blocks = lag(2);
    replicas_link(world, 0, 1);
    run_until_blocks(had, 20 * SECOND);
    replica_close(world, 0);
    replicas_drop_all(world);
    replica_open(world, 0);
    settle(12 * SECOND);
    assert_int_equal(replica_stats(world, 1).merges, 1);
    assert_int_equal(replica_stats(world, 1).blocks_in, blocks);
    assert_true(replica_stats(world, 0).blocks_out <= blocks - had);
    finish();
  }
}

/* Frames are lost, come twice, late and with a byte changed. */
static void no_harm_on_the_way_does_more_than_delay(void **state) {
  (void)state;
  uint64_t seeds = emulated() ? 4 : 25; /* they differ in luck alone */
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    uint64_t random = seed;
    size_t blocks = lag(2);
    replicas_link(world, 0, 1);
    for (uint64_t passed = 0; passed < 10 * SECOND && replica_stats(world, 1).merges == 0; passed += 50 * MS) {
      for (unsigned rounds = 0; rounds < 20; rounds++) {
        collect_all();
        if (world->frame_count == 0) break;
        size_t place = (size_t)memory_env_random(&random) % world->frame_count;
        struct replica_frame *frame = &world->frames[place];
        switch (memory_env_random(&random) % 8) {
        case 0:
          replicas_drop(world, place);
          break;
        case 1:
          assert_int_equal(replicas_deliver(world, place, true), SYNC_OK);
          break;
        case 2:
          frame->bytes[memory_env_random(&random) % frame->size] ^= (uint8_t)(1u << (seed % 8));
          assert_int_not_equal(replicas_deliver(world, place, false), SYNC_OK);
          break;
        default:
          assert_int_equal(replicas_deliver(world, place, false), SYNC_OK);
        }
      }
      replicas_advance(world, 50 * MS);
    }
    replicas_drop_all(world);
    settle(40 * SECOND);
    assert_true(replica_stats(world, 1).merges >= 1);
    assert_true(replica_stats(world, 1).blocks_in >= blocks && replica_stats(world, 0).blocks_out < 20 * blocks);
    finish();
  }
}

/* --- Peers that lie ----------------------------------------------------------------------------- */

/* The first frame of that type in the queue, or one past the last. */
static size_t find_frame(enum frame_type type, uint32_t from) {
  size_t place = 0;
  while (place < world->frame_count &&
         (replicas_frame_type(world, place) != (uint8_t)type || world->frames[place].from != from))
    place++;
  return place;
}

static int hear_block(const struct block_frame *block) {
  static uint8_t buffer[16384];
  struct bytes_writer out = frame_begin(buffer, sizeof buffer - FRAME_TRAILER_BYTES);
  block_write_head(&out, block->id, block->offset, block->size);
  bytes_write(&out, block->bytes, block->bytes_size);
  assert_false(out.failed);
  size_t size = frame_finish(&out, FRAME_BLOCK, cluster);
  return sync_receive(world->at[1].engine, replica_peer(world, 1, 0), buffer, size);
}

static void a_block_that_is_not_the_next_one_of_this_snapshot_changes_nothing(void **state) {
  (void)state;
  (void)lag(2);
  replicas_link(world, 0, 1);
  for (unsigned i = 0; i < 200 && find_frame(FRAME_BLOCK, 0) == world->frame_count; i++) {
    collect_all();
    if (find_frame(FRAME_BLOCK, 0) == world->frame_count) {
      while (world->frame_count > 0)
        assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
      replicas_advance(world, 20 * MS);
    }
  }
  size_t place = find_frame(FRAME_BLOCK, 0);
  assert_true(place < world->frame_count);
  static uint8_t copy[16384], bytes[16384];
  struct frame_view view;
  memcpy(copy, world->frames[place].bytes, world->frames[place].size);
  assert_int_equal(frame_parse(copy, world->frames[place].size, cluster, &view), SYNC_OK);
  struct block_frame right;
  assert_int_equal(block_parse(view.body, view.body_size, &right), SYNC_OK);
  assert_int_equal(right.offset, 0);
  uint64_t digest = memory_env_digest(&world->at[1].memory);
  struct block_frame wrong = right;
  wrong.id++;
  assert_int_equal(hear_block(&wrong), SYNC_OK); /* of another one: late perhaps */
  wrong = right;
  wrong.size++;
  assert_int_equal(hear_block(&wrong), SYNC_OK);
  wrong = right;
  wrong.offset = 1;
  assert_int_equal(hear_block(&wrong), SYNC_OK); /* something before it was lost, it seems */
  wrong.offset = right.size - right.bytes_size;
  assert_int_equal(hear_block(&wrong), SYNC_OK);
  wrong.offset++; /* it would end behind the file */
  assert_int_equal(hear_block(&wrong), SYNC_E_CORRUPT);
  wrong.offset = UINT64_MAX;
  assert_int_equal(hear_block(&wrong), SYNC_E_CORRUPT);
  wrong = right;
  wrong.bytes = bytes;
  for (size_t bit = 0; bit < right.bytes_size * 8; bit++) {
    memcpy(bytes, right.bytes, right.bytes_size);
    bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    assert_int_equal(hear_block(&wrong), SYNC_E_CORRUPT);
  }
  memcpy(bytes, right.bytes, right.bytes_size);
  block_seal(bytes, BLOCK_HEAD, right.bytes_size - BLOCK_HEADER_BYTES, right.id + 1, 0);
  assert_int_equal(hear_block(&wrong), SYNC_E_CORRUPT);
  block_seal(bytes, BLOCK_HEAD, right.bytes_size - BLOCK_HEADER_BYTES, right.id, 1);
  assert_int_equal(hear_block(&wrong), SYNC_E_CORRUPT);
  memcpy(bytes, right.bytes, right.bytes_size);
  for (size_t size = 0; size < right.bytes_size; size++) {
    wrong.bytes_size = size;
    assert_int_equal(hear_block(&wrong), SYNC_E_CORRUPT);
  }
  wrong.bytes_size = right.bytes_size + 1;
  assert_int_equal(hear_block(&wrong), SYNC_E_CORRUPT);
  assert_int_equal(replica_stats(world, 1).blocks_in, 0);
  assert_true(memory_env_digest(&world->at[1].memory) == digest);
  assert_int_equal(hear_block(&right), SYNC_OK);
  assert_int_equal(replica_stats(world, 1).blocks_in, 1);
  settle(12 * SECOND);
  finish();
}

/* The real HELLO of n0, with another offer. */
static int hear_offer(const uint8_t *hello_frame, size_t hello_size, uint64_t id, uint64_t size) {
  static uint8_t buffer[8192];
  struct frame_view view;
  struct hello hello;
  assert_int_equal(frame_parse(hello_frame, hello_size, cluster, &view), SYNC_OK);
  assert_int_equal(hello_parse(view.body, view.body_size, &hello), SYNC_OK);
  hello.snapshot_id = id;
  hello.snapshot_size = size;
  struct bytes_writer out = frame_begin(buffer, sizeof buffer - FRAME_TRAILER_BYTES);
  hello_write_head(&out, &hello);
  bytes_write_varint(&out, 0); /* no peers */
  bytes_write(&out, hello.nodes.at, bytes_left(&hello.nodes));
  size_t made = frame_finish(&out, FRAME_HELLO, cluster);
  return sync_receive(world->at[1].engine, replica_peer(world, 1, 0), buffer, made);
}

/* The last HELLO of n0 of those with which it meets n1: n1 believes it. */
static size_t take_hello(uint8_t *buffer, size_t capacity) {
  size_t size = 0;
  replicas_link(world, 0, 1);
  for (unsigned rounds = 0;; rounds++) {
    assert_true(rounds < 100);
    collect_all();
    if (world->frame_count == 0) break;
    size_t place = find_frame(FRAME_HELLO, 0);
    if (place < world->frame_count) {
      assert_true(world->frames[place].size <= capacity);
      size = world->frames[place].size;
      memcpy(buffer, world->frames[place].bytes, size);
    }
    while (world->frame_count > 0)
      assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
  }
  assert_true(size > 0);
  replicas_advance(world, 31 * SECOND);
  return size;
}

static uint64_t disk_of(uint32_t index) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < world->at[index].memory.live_count; i++) {
    size_t size = 0;
    (void)memory_env_bytes(&world->at[index].memory, world->at[index].memory.live[i].name, &size);
    bytes += size;
  }
  return bytes;
}

/* Always another one; `blocks`: the beginning of it comes too, in a block that is sealed as it should be;
 * `falls_silent`: each is offered once, and forgotten. */
static void offers_without_end(bool blocks, bool falls_silent) {
  begin(2);
  replica_put(world, 0, "k", "v");
  replica_put(world, 1, "own", "kept");
  static uint8_t hello[4096], bytes[BLOCK_HEADER_BYTES + 3000];
  size_t hello_size = take_hello(hello, sizeof hello);
  uint64_t disk = disk_of(1);
  uint64_t out = replica_stats(world, 1).frames_out;
  enum { SECONDS = 600 };
  for (uint64_t i = 1; i <= SECONDS; i++) {
    uint64_t id = 0xabc000 + i / 40; /* it stays for as long as it is asked for */
    bool says_it = !falls_silent || i % 40 == 0;
    if (says_it) assert_int_equal(hear_offer(hello, hello_size, id, 1u << 20), SYNC_OK);
    if (says_it && blocks) {
      block_seal(bytes, BLOCK_HEAD, 3000, id, 0);
      struct block_frame block = {.id = id, .offset = 0, .size = 1u << 20, .bytes = bytes, .bytes_size = sizeof bytes};
      assert_int_equal(hear_block(&block), SYNC_OK);
    }
    replicas_advance(world, SECOND);
    replica_flush(world, 1);
    (void)replica_collect(world, 1);
    replicas_drop_all(world);
  }
  assert_true(replica_files(world, 1, "stage-") <= 2); /* the last that was left, and the present one */
  assert_true(disk_of(1) <= disk + 16384);
  /* A request each retry interval, and an answer to each HELLO. */
  assert_true(replica_stats(world, 1).frames_out - out < 3 * SECONDS);
  assert_int_equal(replica_stats(world, 1).merges, 0);
  assert_true(replica_reads(world, 1, "own", "kept"));
  replicas_destroy(world);
}
static void a_peer_that_offers_for_ever_costs_one_file(void **state) {
  (void)state;
  for (unsigned how = 0; how < 4; how++)
    offers_without_end(how % 2 == 1, how / 2 == 1);
}

static void a_snapshot_longer_than_the_store_could_hold_is_not_asked_for(void **state) {
  (void)state;
  begin(2);
  static uint8_t hello[4096];
  size_t hello_size = take_hello(hello, sizeof hello);
  assert_int_equal(hear_offer(hello, hello_size, 77, UINT64_MAX), SYNC_OK);
  assert_int_equal(replica_files(world, 1, "stage-"), 0);
  assert_int_equal(hear_offer(hello, hello_size, 77, 1u << 20), SYNC_OK);
  assert_int_equal(replica_files(world, 1, "stage-"), 1);
  replicas_destroy(world);
}

/* n1 has merged, and its own base got its name: which is not durable yet when the process dies. */
static size_t die_before_the_name_is_durable(uint8_t *hello, uint64_t *id, uint64_t *size) {
  size_t hello_size = 0;
  (void)lag(2);
  replicas_link(world, 0, 1);
  bool named = false;
  for (unsigned rounds = 0; !named; rounds++) {
    assert_true(rounds < 2000);
    replica_flush(world, 0);
    (void)replica_collect(world, 0);
    (void)replica_collect(world, 1);
    while (world->frame_count > 0) {
      struct frame_view view;
      struct hello said;
      const struct replica_frame *frame = &world->frames[0];
      bool is_hello = frame->from == 0 && replicas_frame_type(world, 0) == FRAME_HELLO;
      if (is_hello && frame_parse(frame->bytes, frame->size, cluster, &view) == SYNC_OK &&
          hello_parse(view.body, view.body_size, &said) == SYNC_OK && said.snapshot_id != 0) {
        *id = said.snapshot_id;
        *size = said.snapshot_size;
        hello_size = frame->size;
        memcpy(hello, frame->bytes, hello_size);
      }
      assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    }
    uint64_t token;
    bool done = !memory_env_complete(&world->at[1].memory, SYNC_OK, &token);
    if (!done) assert_int_equal(sync_disk_done(world->at[1].engine, token, SYNC_OK), SYNC_OK);
    if (done) replicas_advance(world, MS);
    const char *name = replica_file(world, 1, "base-");
    named = name != NULL && strlen(name) == 38;
  }
  assert_int_equal(replica_stats(world, 1).merges, 1);
  assert_int_equal(replica_stats(world, 1).snapshots, 0);
  replica_close(world, 1);
  replicas_drop_all(world);
  return hello_size;
}

static void a_late_offer_takes_nothing_away_that_recovery_may_need(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed < 30; seed++) {
    static uint8_t hello[4096];
    uint64_t id = 0, size = 0;
    size_t hello_size = die_before_the_name_is_durable(hello, &id, &size);
    replica_open(world, 1);
    assert_true(world->at[1].report.base_position > 0);
    struct sync_digest before, after;
    sync_digest_get(world->at[1].engine, &before);
    assert_int_equal(hear_offer(hello, hello_size, id, seed % 2 == 0 ? size : size / 2), SYNC_OK);
    for (unsigned i = 0; i < 10; i++)
      replicas_advance(world, MS);
    /* What is offered next makes room for itself; but no fsync has ended yet. */
    replicas_advance(world, 6 * SECOND);
    assert_int_equal(sync_peer_remove(world->at[1].engine, replica_peer(world, 1, 0)), SYNC_OK);
    assert_int_equal(sync_peer_add(world->at[1].engine, "n0", NULL), SYNC_OK);
    assert_int_equal(hear_offer(hello, hello_size, id + 1, size), SYNC_OK);
    replica_crash(world, 1, MEMORY_ENV_SECTORS, seed);
    replica_open(world, 1);
    sync_digest_get(world->at[1].engine, &after);
    assert_memory_equal(&before, &after, sizeof before);
    replicas_destroy(world);
  }
}

/* All blocks are sealed as they should be, and say nothing that can be merged. */
static void what_is_no_snapshot_is_refused_once_and_its_file_goes(void **state) {
  (void)state;
  begin(2);
  replica_put(world, 1, "own", "kept");
  static uint8_t hello[4096], bytes[BLOCK_HEADER_BYTES + 100];
  size_t hello_size = take_hello(hello, sizeof hello);
  for (uint64_t round = 0; round < 5; round++) {
    assert_int_equal(hear_offer(hello, hello_size, 77, sizeof bytes), SYNC_OK);
    block_seal(bytes, BLOCK_HEAD, 100, 77, 0);
    struct block_frame block = {
        .id = 77, .offset = 0, .size = sizeof bytes, .bytes = bytes, .bytes_size = sizeof bytes};
    assert_int_equal(hear_block(&block), SYNC_OK);
    replica_flush(world, 1);
    assert_int_equal(replica_stats(world, 1).merges_refused, 1);
    assert_int_equal(replica_stats(world, 1).blocks_in, 1);
    assert_int_equal(replica_files(world, 1, "stage-"), 0);
    replicas_drop_all(world);
    replicas_advance(world, 20 * SECOND);
  }
  assert_int_equal(replica_stats(world, 1).merges, 0);
  replicas_destroy(world);
}

/* --- Changes in the middle ------------------------------------------------------------------------ */

static void a_peer_that_is_removed_in_the_middle_is_asked_no_more_until_it_is_back(void **state) {
  (void)state;
  for (uint64_t had = 1; had < 8; had += 2) {
    size_t blocks = lag(3);
    replicas_link(world, 0, 1);
    run_until_blocks(had, 20 * SECOND);
    assert_int_equal(sync_peer_remove(world->at[1].engine, replica_peer(world, 1, 0)), SYNC_OK);
    replicas_drop_all(world);
    replica_flush(world, 1);
    assert_int_equal(replica_collect(world, 1), 0);
    replicas_advance(world, 30 * SECOND);
    assert_int_equal(replica_collect(world, 1), 0);
    /* Nor is whoever gets its handle. */
    assert_int_equal(sync_peer_add(world->at[1].engine, "n2", NULL), SYNC_OK);
    replicas_advance(world, 6 * SECOND);
    (void)replica_collect(world, 1);
    assert_true(world->frame_count > 0 && find_frame(FRAME_FETCH, 1) == world->frame_count);
    replicas_drop_all(world);
    assert_int_equal(sync_peer_remove(world->at[1].engine, replica_peer(world, 1, 2)), SYNC_OK);
    assert_int_equal(sync_peer_add(world->at[1].engine, "n0", NULL), SYNC_OK);
    settle(60 * SECOND);
    assert_int_equal(replica_stats(world, 1).blocks_in, blocks);
    replica_close(world, 2);
    world->count = 2; /* of which nobody heard */
    finish();
    memory_env_destroy(&world->at[2].memory);
  }
}

static void a_base_that_is_replaced_in_the_middle_still_arrives(void **state) {
  (void)state;
  for (uint64_t had = 1; had < 8; had += 2) {
    (void)lag(2);
    replicas_link(world, 0, 1);
    run_until_blocks(had, 20 * SECOND);
    replicas_drop_all(world);
    replica_put(world, 0, "later", "than the base");
    replica_flush(world, 0);
    replica_snapshot(world, 0);
    assert_int_equal(replica_files(world, 0, "base-"), 2); /* the one that is on its way stays */
    settle(60 * SECOND);
    assert_true(replica_stats(world, 1).merges >= 1);
    assert_true(replica_reads(world, 1, "later", "than the base"));
    /* It goes when nobody has asked for it for long, at the latest with the next one. */
    replicas_advance(world, 60 * SECOND);
    replica_put(world, 0, "latest", "of all");
    replica_flush(world, 0);
    replica_snapshot(world, 0);
    settle(10 * SECOND);
    assert_int_equal(replica_files(world, 0, "base-"), 1);
    finish();
  }
}

/* Each block of it in turn, before anything was sent. */
static void a_sender_whose_base_is_damaged_takes_another_one_from_memory(void **state) {
  (void)state;
  size_t size = 0;
  (void)lag_alone(2);
  (void)memory_env_bytes(&world->at[0].memory, replica_file(world, 0, "base-"), &size);
  replicas_destroy(world);
  for (size_t at = 0; at < size; at += size / (emulated() ? 3 : 12)) { /* alike */
    (void)lag_alone(2);
    memory_env_flip(&world->at[0].memory, replica_file(world, 0, "base-"), at);
    replicas_link(world, 0, 1);
    settle(60 * SECOND);
    assert_int_equal(replica_stats(world, 0).snapshots, 2);
    assert_int_equal(replica_stats(world, 1).merges, 1);
    finish_alone();
  }
}

/* The offers of n0 in the queue. */
static unsigned offers_of_n0(void) {
  unsigned offers = 0;
  for (size_t i = 0; i < world->frame_count; i++) {
    struct frame_view view;
    struct hello said;
    const struct replica_frame *frame = &world->frames[i];
    if (frame->from != 0 || replicas_frame_type(world, i) != FRAME_HELLO) continue;
    assert_int_equal(frame_parse(frame->bytes, frame->size, cluster, &view), SYNC_OK);
    assert_int_equal(hello_parse(view.body, view.body_size, &said), SYNC_OK);
    offers += said.snapshot_id != 0 ? 1 : 0;
  }
  return offers;
}

/* There is no room for another one yet. */
static void a_base_that_is_damaged_is_offered_no_more(void **state) {
  (void)state;
  (void)lag_alone(2);
  size_t size = 0;
  (void)memory_env_bytes(&world->at[0].memory, replica_file(world, 0, "base-"), &size);
  memory_env_flip(&world->at[0].memory, replica_file(world, 0, "base-"), size / 2);
  world->at[0].memory.disk_bytes_max = disk_of(0) + 3000;
  replicas_link(world, 0, 1);
  bool found = false;
  unsigned before = 0, after = 0;
  for (uint64_t passed = 0; passed < 40 * SECOND; passed += 100 * MS) {
    collect_all();
    (*(found ? &after : &before)) += offers_of_n0();
    while (world->frame_count > 0)
      assert_int_equal(replicas_deliver(world, 0, false), SYNC_OK);
    found = found || replica_stats(world, 0).snapshots_failed > 0;
    replicas_advance(world, 100 * MS);
  }
  assert_true(found && before > 0);
  assert_int_equal(after, 0);
  world->at[0].memory.disk_bytes_max = 0;
  settle(120 * SECOND);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  finish_alone();
}

/* A peer asks for what begins in the middle of a block: that says nothing of the base. */
static void an_offset_at_which_no_block_begins_gives_nothing(void **state) {
  (void)state;
  size_t blocks = lag(2);
  replicas_link(world, 0, 1);
  settle(2000 * MS);
  size_t size = 0;
  const char *name = replica_file(world, 0, "base-");
  (void)memory_env_bytes(&world->at[0].memory, name, &size);
  uint64_t position = 0, id = 0, out = replica_stats(world, 0).blocks_out;
  bool aside = false;
  assert_true(base_name_parse(name, &position, &id, &aside));
  assert_int_equal(replica_stats(world, 1).blocks_in, blocks);
  for (uint64_t offset = 1; offset < size + 100; offset += 1 + offset / 7) {
    uint8_t buffer[256];
    struct bytes_writer writer = frame_begin(buffer, sizeof buffer - FRAME_TRAILER_BYTES);
    fetch_write(&writer, &(struct fetch_request){.id = id, .offset = offset, .until = UINT64_MAX});
    size_t made = frame_finish(&writer, FRAME_FETCH, cluster);
    assert_int_equal(sync_receive(world->at[0].engine, replica_peer(world, 0, 1), buffer, made), SYNC_OK);
    settle(20 * MS);
  }
  assert_int_equal(replica_stats(world, 0).snapshots, 1);
  assert_int_equal(replica_stats(world, 0).blocks_out, out);
  finish();
}

/* The one that is on its way cannot be read on: its successor is sent, and is beyond suspicion. */
static void damage_of_a_base_that_was_replaced_makes_no_other_suspect(void **state) {
  (void)state;
  (void)lag_alone(2);
  replicas_link(world, 0, 1);
  run_until_blocks(2, 20 * SECOND);
  replicas_drop_all(world);
  char name[64];
  memcpy(name, replica_file(world, 0, "base-"), strlen(replica_file(world, 0, "base-")) + 1);
  size_t size = 0;
  (void)memory_env_bytes(&world->at[0].memory, name, &size);
  replica_put(world, 0, "later", "than the base");
  replica_flush(world, 0);
  replica_snapshot(world, 0);
  assert_int_equal(replica_files(world, 0, "base-"), 2);
  memory_env_flip(&world->at[0].memory, name, size - 1);
  settle(60 * SECOND);
  assert_int_equal(replica_stats(world, 0).snapshots, 2);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  finish_alone();
}

/* Both have what the third lacks. */
static void two_that_offer_at_once_do_not_disturb_each_other(void **state) {
  (void)state;
  size_t blocks = lag(3);
  replicas_link(world, 0, 2);
  settle(20 * SECOND);
  assert_int_equal(replica_stats(world, 2).merges, 1);
  replicas_link(world, 0, 1);
  replicas_link(world, 2, 1);
  settle(60 * SECOND);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  /* The second may be on its way before anybody hears of the merge; it brings nothing then. */
  assert_true(replica_stats(world, 1).blocks_in <= 2 * blocks + 2);
  finish();
}

static int allocate(void **state) {
  (void)state;
  world = calloc(1, sizeof *world);
  return world == NULL;
}
static int release(void **state) {
  (void)state;
  free(world);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_the_receiver_had_is_not_fetched_again),
      cmocka_unit_test(a_receiver_that_lost_power_goes_on_with_what_is_whole),
      cmocka_unit_test(a_sender_that_starts_again_goes_on_where_it_was),
      cmocka_unit_test(no_harm_on_the_way_does_more_than_delay),
      cmocka_unit_test(a_block_that_is_not_the_next_one_of_this_snapshot_changes_nothing),
      cmocka_unit_test(a_peer_that_offers_for_ever_costs_one_file),
      cmocka_unit_test(a_snapshot_longer_than_the_store_could_hold_is_not_asked_for),
      cmocka_unit_test(what_is_no_snapshot_is_refused_once_and_its_file_goes),
      cmocka_unit_test(a_late_offer_takes_nothing_away_that_recovery_may_need),
      cmocka_unit_test(a_peer_that_is_removed_in_the_middle_is_asked_no_more_until_it_is_back),
      cmocka_unit_test(a_base_that_is_replaced_in_the_middle_still_arrives),
      cmocka_unit_test(a_sender_whose_base_is_damaged_takes_another_one_from_memory),
      cmocka_unit_test(a_base_that_is_damaged_is_offered_no_more),
      cmocka_unit_test(an_offset_at_which_no_block_begins_gives_nothing),
      cmocka_unit_test(damage_of_a_base_that_was_replaced_makes_no_other_suspect),
      cmocka_unit_test(two_that_offer_at_once_do_not_disturb_each_other),
  };
  return cmocka_run_group_tests(tests, allocate, release) != 0;
}
