/* Snapshots whose sender means no good: all seals are right, and what is sealed is not. */
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

static struct replicas *world;

static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t i = 0; i < count; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256;
    world->at[i].options.segment_bytes = 1024;
    world->at[i].options.snapshot_bytes = UINT64_MAX; /* only when asked */
    world->at[i].options.retain_bytes = 1;
    replica_open(world, i);
  }
}

/* --- A snapshot with any bytes, sealed as they should be ---------------------------------------- */

struct forged {
  uint8_t bytes[65536];
  size_t size;
  size_t at[64]; /* where its blocks begin */
  size_t count;
};

static void forged_from(struct forged *forged, uint32_t index) {
  size_t size = 0;
  const uint8_t *bytes = memory_env_bytes(&world->at[index].memory, replica_file(world, index, "base-"), &size);
  assert_true(size <= sizeof forged->bytes);
  memcpy(forged->bytes, bytes, size);
  forged->size = size;
  forged->count = 0;
  for (size_t at = 0; at < size; at += BLOCK_HEADER_BYTES + bytes_get_u32(bytes + at + 8)) {
    assert_true(forged->count < 64);
    forged->at[forged->count++] = at;
  }
}

/* Seals all blocks again, and the sum in the last one. */
static void forged_seal(struct forged *forged, uint64_t id) {
  uint64_t sum = 0;
  for (size_t i = 0; i < forged->count; i++) {
    size_t at = forged->at[i], end = i + 1 < forged->count ? forged->at[i + 1] : forged->size;
    size_t size = end - at - BLOCK_HEADER_BYTES;
    enum block_type type = (enum block_type)forged->bytes[at + 12];
    if (i + 1 == forged->count && size >= 40) bytes_put_u64(forged->bytes + at + BLOCK_HEADER_BYTES + 32, sum);
    block_seal(forged->bytes + at, type, size, id, at);
    sum = block_sum(sum, forged->bytes + at);
  }
}

static int forged_offer(uint64_t id, uint64_t bytes_size) {
  uint8_t bytes[512];
  struct bytes_writer writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
  hello_write_head(&writer, &(struct hello){.limits_hash = world->at[1].engine->limits_hash,
                                            .node_id = (const uint8_t *)"n0",
                                            .node_id_size = 2,
                                            .session = world->at[0].engine->session,
                                            .nonce = 77,
                                            .echo = 78,
                                            .known_session = world->at[1].engine->session,
                                            .snapshot_id = id,
                                            .snapshot_size = bytes_size});
  bytes_write_varint(&writer, 0); /* no peers */
  size_t size = frame_finish(&writer, FRAME_HELLO, world->at[1].options.cluster_id);
  return sync_receive(world->at[1].engine, replica_peer(world, 1, 0), bytes, size);
}

static void forged_send(const struct forged *forged, uint64_t id) {
  assert_int_equal(forged_offer(id, forged->size), SYNC_OK);
  for (size_t i = 0; i < forged->count; i++) {
    uint8_t bytes[8192];
    size_t end = i + 1 < forged->count ? forged->at[i + 1] : forged->size;
    struct bytes_writer writer = frame_begin(bytes, sizeof bytes - FRAME_TRAILER_BYTES);
    block_write_head(&writer, id, forged->at[i], forged->size);
    bytes_write(&writer, forged->bytes + forged->at[i], end - forged->at[i]);
    size_t size = frame_finish(&writer, FRAME_BLOCK, world->at[1].options.cluster_id);
    int rc = sync_receive(world->at[1].engine, replica_peer(world, 1, 0), bytes, size);
    (void)rc;
    replica_flush(world, 1);
    (void)replica_collect(world, 1);
    replicas_drop_all(world);
  }
  for (unsigned i = 0; i < 3; i++)
    replica_flush(world, 1);
}

static void check_sound(uint32_t index) {
  struct sync_digest kept, computed;
  sync_digest_get(world->at[index].engine, &kept);
  sync_digest_recompute(world->at[index].engine, &computed);
  assert_memory_equal(&kept, &computed, sizeof kept);
}

static void a_snapshot_of_any_bytes_is_refused_or_merged_soundly(void **state) {
  (void)state;
  static struct forged whole, forged;
  uint64_t chance = 7, merged = 0, refused = 0;
  const char *rounds = getenv("FORGED");
  unsigned most = rounds == NULL ? 1500 : (unsigned)strtoul(rounds, NULL, 10);
  for (unsigned round = 0; round < most; round++) {
    if (round % 250 == 0) {
      if (round > 0) replicas_destroy(world);
      begin(3);
      for (unsigned life = 0; life < 3; life++) {
        replica_put_many(world, 0, life * 4, life * 4 + 8, "n0");
        replica_close(world, 0);
        replica_open(world, 0);
      }
      replica_delete(world, 0, "key-001");
      replica_put_many(world, 1, 6, 20, "n1");
      replica_put_many(world, 2, 0, 12, "n2");
      replicas_link(world, 0, 2);
      replicas_settle_for(world, 2000 * MS);
      replica_snapshot(world, 0);
      replica_delete(world, 2, "key-003");
      replica_put_many(world, 2, 10, 16, "later");
      assert_int_equal(sync_peer_add(world->at[1].engine, "n0", NULL), SYNC_OK);
      replica_flush(world, 1);
      forged_from(&whole, 0);
    }
    forged = whole;
    uint64_t id = 100000 + round;
    for (uint64_t edits = 1 + memory_env_random(&chance) % 3; edits > 0; edits--) {
      size_t block = (size_t)(memory_env_random(&chance) % forged.count);
      size_t from = forged.at[block] + BLOCK_HEADER_BYTES;
      size_t to = block + 1 < forged.count ? forged.at[block + 1] : forged.size;
      if (from >= to) continue;
      size_t at = from + (size_t)(memory_env_random(&chance) % (to - from));
      switch (memory_env_random(&chance) % 5) {
      case 0:
        forged.bytes[at] ^= (uint8_t)(1u << (memory_env_random(&chance) % 8));
        break;
      case 1:
        forged.bytes[at] = (uint8_t)memory_env_random(&chance);
        break;
      case 2:
        forged.bytes[at] = 0xff;
        break;
      case 3: { /* what stands elsewhere in it */
        size_t other = from + (size_t)(memory_env_random(&chance) % (to - from));
        size_t most_bytes = to - (at > other ? at : other);
        memmove(forged.bytes + at, forged.bytes + other, most_bytes < 24 ? most_bytes : 24);
        break;
      }
      default: /* a block of another type */
        forged.bytes[forged.at[block] + 12] = (uint8_t)(1 + memory_env_random(&chance) % 5);
      }
    }
    bytes_put_u64(forged.bytes + BLOCK_HEADER_BYTES + 10, id);
    /* Digests that match, where the bytes say anything: what the merge worked out itself is asked of the engine. */
    forged_seal(&forged, id);
    world->at[1].engine->fetch.refused_until_ns = 0;
    uint64_t before = replica_stats(world, 1).merges;
    forged_send(&forged, id);
    merged += replica_stats(world, 1).merges - before;
    refused += replica_stats(world, 1).merges == before;
    check_sound(1);
    world->at[1].memory.mono_ns += 100000 * MS;
    assert_int_equal(sync_tick(world->at[1].engine, NULL), SYNC_OK);
    replica_flush(world, 1);
    (void)replica_collect(world, 1);
    replicas_drop_all(world);
    if (replica_stats(world, 1).merges != before) {
      replica_put(world, 1, "key-002", "goes on");
      replica_close(world, 1);
      replica_open(world, 1);
      check_sound(1);
    }
  }
  replicas_destroy(world);
  assert_true(refused > 0);
  print_message("%llu merged, %llu refused\n", (unsigned long long)merged, (unsigned long long)refused);
}

/* One byte of a value is another one: all seals and sums are right, and what the author says of the whole is not. */
static void a_snapshot_that_is_not_what_its_end_says_is_refused(void **state) {
  (void)state;
  static struct forged forged;
  begin(2);
  replica_put_many(world, 0, 0, 8, "valued");
  replica_snapshot(world, 0);
  assert_int_equal(sync_peer_add(world->at[1].engine, "n0", NULL), SYNC_OK);
  replica_flush(world, 1);
  forged_from(&forged, 0);
  uint64_t id = 4711;
  bytes_put_u64(forged.bytes + BLOCK_HEADER_BYTES + 10, id);
  size_t at = 0;
  while (memcmp(forged.bytes + at, "valued", 6) != 0)
    at++;
  forged.bytes[at]++;
  forged_seal(&forged, id);
  forged_send(&forged, id);
  assert_int_equal(replica_stats(world, 1).merges, 0);
  assert_int_equal(replica_stats(world, 1).merges_refused, 1);
  assert_int_equal(replica_files(world, 1, "stage-"), 0);
  forged.bytes[at]--; /* the same, as it was */
  forged_seal(&forged, ++id);
  bytes_put_u64(forged.bytes + BLOCK_HEADER_BYTES + 10, id);
  forged_seal(&forged, id);
  world->at[1].engine->fetch.refused_until_ns = 0;
  forged_send(&forged, id);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  replicas_destroy(world);
}

static void a_block_that_is_not_what_was_sealed_is_not_kept(void **state) {
  (void)state;
  static struct forged forged;
  begin(2);
  replica_put_many(world, 0, 0, 8, "valued");
  replica_snapshot(world, 0);
  assert_int_equal(sync_peer_add(world->at[1].engine, "n0", NULL), SYNC_OK);
  replica_flush(world, 1);
  forged_from(&forged, 0);
  uint64_t id = world->at[0].engine->compaction.base.id;
  forged.bytes[forged.at[1] + BLOCK_HEADER_BYTES + 3] ^= 1; /* in the second block, after it was sealed */
  forged_send(&forged, id);
  assert_int_equal(world->at[1].engine->fetch.have, forged.at[1]);
  forged.bytes[forged.at[1] + BLOCK_HEADER_BYTES + 3] ^= 1;
  forged_send(&forged, id);
  assert_int_equal(replica_stats(world, 1).merges, 1);
  replicas_destroy(world);
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
      cmocka_unit_test(a_snapshot_of_any_bytes_is_refused_or_merged_soundly),
      cmocka_unit_test(a_snapshot_that_is_not_what_its_end_says_is_refused),
      cmocka_unit_test(a_block_that_is_not_what_was_sealed_is_not_kept),
  };
  return cmocka_run_group_tests(tests, allocate, release);
}
