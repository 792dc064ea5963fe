/* A snapshot is of one instant, whatever is applied while it is taken. What was taken is read back by a merge into
 * an empty replica, and compared with all that was there when it began. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/emulated.h"
#include "tests/support/image_fixture.h"

#define WRITERS 3u
#define KEYS 60u
#define VALUES_MAX 90u

/* [0] is snapped; what the others wrote arrives there, or not. */
static struct image_replica replicas[WRITERS], reader;
static uint64_t random_state;

static uint64_t draw(uint64_t below) {
  return memory_env_random(&random_state) % below;
}

static void begin(uint64_t seed) {
  static const char *const ids[WRITERS] = {"a", "b", "c"};
  random_state = seed;
  for (size_t i = 0; i < WRITERS; i++)
    image_replica_init(&replicas[i], ids[i]);
}
static void end(void) {
  for (size_t i = 0; i < WRITERS; i++)
    image_replica_deinit(&replicas[i]);
}

static uint8_t value[IMAGE_VALUE_MAX];

static int change_order(const void *a, const void *b) {
  return strcmp(((const struct image_change *)a)->key, ((const struct image_change *)b)->key);
}

/* Writes 1 to 4 changes: puts, deletes, sweeps of what is there. */
static void write_some(struct image_replica *writer, bool to_all) {
  char names[4][16];
  struct image_change changes[4];
  size_t count = 0, wanted = 1 + draw(4);
  for (size_t i = 0; i < wanted; i++) {
    (void)snprintf(names[count], sizeof names[0], "key-%u", (unsigned)draw(KEYS));
    size_t before = 0;
    while (before < count && strcmp(names[before], names[count]) != 0)
      before++;
    if (before < count) continue;
    bool there = store_find(&writer->state.store, (const uint8_t *)names[count], strlen(names[count])) != NULL;
    uint64_t kind = draw(8);
    changes[count] = (struct image_change){.kind = kind == 0 && there ? SYNC_SWEEP
                                                   : kind < 3         ? SYNC_DELETE
                                                                      : SYNC_PUT,
                                           .key = names[count]};
    if (changes[count].kind != SYNC_SWEEP) changes[count].automatic = draw(4) == 0;
    if (changes[count].kind == SYNC_PUT) {
      changes[count].value = value;
      changes[count].value_size = draw(VALUES_MAX);
      for (size_t k = 0; k < changes[count].value_size; k++)
        value[k] = (uint8_t)draw(256);
    }
    count++;
  }
  qsort(changes, count, sizeof changes[0], change_order);
  struct image_bytes operation = image_replica_write(writer, changes, count);
  for (size_t i = 0; to_all && i < WRITERS; i++)
    if (&replicas[i] != writer) (void)image_replica_receive(&replicas[i], operation);
  if (!to_all && writer != &replicas[0]) (void)image_replica_receive(&replicas[0], operation);
  image_bytes_free(&operation);
}

/* Operations that only [0] hears of make siblings: their writers do not see each other. */
static void change_something(void) {
  struct image_replica *writer = &replicas[draw(WRITERS)];
  if (draw(30) == 0) image_replica_reborn(writer);
  write_some(writer, draw(6) == 0);
}

static struct snapshot_writer writer;

static void start(size_t payload_bytes_max) {
  struct snapshot_order order = image_order("a", IMAGE_ID, payload_bytes_max);
  assert_int_equal(snapshot_writer_begin(&writer, &replicas[0].memory.env, &replicas[0].state, &order), SYNC_OK);
}

/* Loads what was taken into an empty replica, and gives what that has then. */
static struct image_bytes read_back(size_t payload_bytes_max) {
  size_t size = 0;
  const uint8_t *bytes = memory_env_bytes(&replicas[0].memory, IMAGE_FILE, &size);
  assert_non_null(bytes);
  image_replica_init(&reader, "a");
  memory_env_put(&reader.memory, IMAGE_FILE, bytes, size);
  struct merge_source source = image_source(&reader, size);
  source.payload_bytes_max = payload_bytes_max;
  source.node_id = "a";
  source.sum = writer.end.sum;
  struct merge merge;
  assert_int_equal(merge_plan(&merge, &reader.state, &source), SYNC_OK);
  merge_commit(&merge, 1);
  struct image_bytes dump = image_replica_dump(&reader);
  assert_true(reader.state.store.digest == merge.end.state && reader.state.store.keys == merge.end.keys);
  assert_true(reader.state.origins.digest == merge.end.vector);
  image_replica_deinit(&reader);
  return dump;
}

static void expect_read_back(struct image_bytes then, size_t payload_bytes_max) {
  struct image_bytes now = read_back(payload_bytes_max);
  assert_int_equal(now.size, then.size);
  assert_memory_equal(now.bytes, then.bytes, then.size);
  image_bytes_free(&now);
}

static size_t blocks_of(void) {
  size_t size = 0, count = 0;
  const uint8_t *bytes = memory_env_bytes(&replicas[0].memory, IMAGE_FILE, &size);
  for (size_t at = 0; at < size; count++)
    at += BLOCK_HEADER_BYTES + bytes_get_u32(bytes + at + 8);
  return count;
}

static void a_snapshot_is_of_the_instant_at_which_it_began(void **state) {
  (void)state;
  size_t steps = 0, blocks = 0;
  uint64_t seeds = emulated() ? 15 : 150; /* they differ in luck alone */
  for (uint64_t seed = 1; seed <= seeds; seed++) {
    begin(seed);
    uint64_t before = draw(200);
    for (uint64_t i = 0; i < before; i++)
      change_something();
    /* A record of an origin or sibling must fit a block. */
    size_t payload = seed % 3 == 0 ? IMAGE_PAYLOAD_MAX : 200 + (size_t)draw(400);
    struct image_bytes then = image_replica_dump(&replicas[0]);
    start(payload);
    unsigned rounds = 0;
    for (bool done = false; !done; steps++) {
      assert_true(++rounds < 3000);
      for (uint64_t i = draw(seed % 4 == 0 ? 40 : 6); i > 0; i--)
        change_something();
      assert_int_equal(snapshot_writer_step(&writer, 1 + (size_t)draw(600), &done), SYNC_OK);
    }
    snapshot_writer_end(&writer);
    for (uint64_t i = draw(20); i > 0; i--)
      change_something();
    blocks += blocks_of();
    expect_read_back(then, payload);
    image_bytes_free(&then);
    end();
  }
  assert_true(steps > 3 * seeds && blocks > 8 * seeds);
}

/* Everything was saved before it changed: the walk finds nothing to do. */
static void a_snapshot_all_of_whose_keys_change_at_once_is_complete(void **state) {
  (void)state;
  begin(5);
  for (unsigned i = 0; i < 150; i++)
    change_something();
  struct image_bytes then = image_replica_dump(&replicas[0]);
  start(IMAGE_PAYLOAD_MAX);
  for (unsigned k = 0; k < KEYS; k++) {
    char name[16];
    (void)snprintf(name, sizeof name, "key-%u", k);
    struct image_bytes operation = image_replica_put(&replicas[0], name, "later");
    image_bytes_free(&operation);
  }
  assert_int_equal(writer.keys, writer.end.keys);
  bool done = false;
  while (!done)
    assert_int_equal(snapshot_writer_step(&writer, 1, &done), SYNC_OK);
  snapshot_writer_end(&writer);
  expect_read_back(then, IMAGE_PAYLOAD_MAX);
  image_bytes_free(&then);
  end();
}

static void an_empty_state_is_a_snapshot_too(void **state) {
  (void)state;
  begin(1);
  struct image_bytes then = image_replica_dump(&replicas[0]);
  start(IMAGE_PAYLOAD_MAX);
  struct image_bytes operation = image_replica_put(&replicas[0], "key", "not in it");
  image_bytes_free(&operation);
  bool done = false;
  while (!done)
    assert_int_equal(snapshot_writer_step(&writer, 1, &done), SYNC_OK);
  snapshot_writer_end(&writer);
  assert_int_equal(blocks_of(), 2);
  expect_read_back(then, IMAGE_PAYLOAD_MAX);
  image_bytes_free(&then);
  end();
}

/* Every origin writes the key without having seen the others. */
static void a_key_whose_siblings_do_not_fit_a_block_stands_in_several(void **state) {
  (void)state;
  begin(2);
  for (unsigned i = 0; i < 40; i++) {
    struct image_replica *other = &replicas[1 + i % 2];
    state_deinit(&other->state); /* a life that has seen nothing */
    state_init(&other->state, &other->memory.env, other->node_id, UINT64_C(1) << 20, 1u << 20);
    image_replica_reborn(other);
    struct image_bytes operation = image_replica_put(other, "key", "of one who had not seen the others at all");
    assert_int_equal(image_replica_receive(&replicas[0], operation), APPLY_READY);
    image_bytes_free(&operation);
  }
  struct image_bytes then = image_replica_dump(&replicas[0]);
  assert_int_equal(replicas[0].state.store.siblings, 40);
  static const size_t payloads[] = {150, 151, 200, 333, 1000, 4096};
  for (size_t i = 0; i < sizeof payloads / sizeof payloads[0]; i++) {
    start(payloads[i]);
    bool done = false;
    while (!done)
      assert_int_equal(snapshot_writer_step(&writer, 100, &done), SYNC_OK);
    assert_true(writer.keys == 1 && writer.siblings == 40);
    snapshot_writer_end(&writer);
    assert_true(blocks_of() > 2400 / payloads[i] + 2);
    expect_read_back(then, payloads[i]);
  }
  image_bytes_free(&then);
  end();
}

/* The open block is longer than what a step may save: the next key ends it. */
static void a_value_longer_than_a_step_does_not_hold_the_snapshot_up(void **state) {
  (void)state;
  begin(4);
  for (unsigned i = 0; i < 40; i++) {
    char name[16];
    (void)snprintf(name, sizeof name, "key-%u", i);
    struct image_change change = {SYNC_PUT, false, name, value, i % 3 == 0 ? IMAGE_VALUE_MAX : 5};
    struct image_bytes operation = image_replica_write(&replicas[0], &change, 1);
    image_bytes_free(&operation);
  }
  struct image_bytes then = image_replica_dump(&replicas[0]);
  start(IMAGE_PAYLOAD_MAX);
  unsigned rounds = 0;
  for (bool done = false; !done;) {
    assert_true(++rounds < 100);
    assert_int_equal(snapshot_writer_step(&writer, 64, &done), SYNC_OK);
  }
  snapshot_writer_end(&writer);
  expect_read_back(then, IMAGE_PAYLOAD_MAX);
  image_bytes_free(&then);
  end();
}

static void what_fits_no_block_ends_the_snapshot_by_name(void **state) {
  (void)state;
  begin(3);
  struct image_bytes operation = image_replica_put(&replicas[0], "key",
                                                   "a value that is longer than all blocks may be, "
                                                   "which no engine makes: its limit for blocks "
                                                   "follows from the one for values, and so it is "
                                                   "refused and not cut");
  image_bytes_free(&operation);
  struct image_bytes then = image_replica_dump(&replicas[0]);
  start(140);
  bool done = false;
  assert_int_equal(snapshot_writer_step(&writer, 1000, &done), SYNC_E_TOO_BIG);
  assert_int_equal(snapshot_writer_step(&writer, 1000, &done), SYNC_E_TOO_BIG);
  assert_false(done);
  snapshot_writer_end(&writer);
  struct image_bytes now = image_replica_dump(&replicas[0]);
  assert_memory_equal(now.bytes, then.bytes, then.size);
  image_bytes_free(&now);
  image_bytes_free(&then);
  end();
}

/* Aborted after each number of steps; the next one is of its own instant, also where marks begin anew. */
static void one_that_was_given_up_leaves_no_trace_in_the_next(void **state) {
  (void)state;
  for (unsigned marks = 0; marks < 2; marks++) {
    begin(7 + marks);
    for (unsigned i = 0; i < 120; i++)
      change_something();
    if (marks == 1) replicas[0].state.store.mark = UINT16_MAX - 12;
    for (unsigned steps = 0; steps < 30; steps++) {
      start(300);
      bool done = false;
      for (unsigned i = 0; i < steps && !done; i++) {
        change_something();
        assert_int_equal(snapshot_writer_step(&writer, 150, &done), SYNC_OK);
      }
      snapshot_writer_end(&writer);
      change_something();
      struct image_bytes then = image_replica_dump(&replicas[0]);
      start(300);
      for (done = false; !done;) {
        change_something();
        assert_int_equal(snapshot_writer_step(&writer, 1 + (size_t)draw(900), &done), SYNC_OK);
      }
      snapshot_writer_end(&writer);
      expect_read_back(then, 300);
      image_bytes_free(&then);
    }
    if (marks == 1) assert_true(replicas[0].state.store.mark > 0 && replicas[0].state.store.mark < 60);
    end();
  }
}

/* Takes one while writing goes on: what the first failure gave. `more`: how many operations were applied. */
static int try_one(unsigned *applied) {
  struct snapshot_order order = image_order("a", IMAGE_ID, 300);
  int rc = snapshot_writer_begin(&writer, &replicas[0].memory.env, &replicas[0].state, &order);
  if (rc != SYNC_OK) return rc;
  for (bool done = false; rc == SYNC_OK && !done; *applied += 1) {
    char name[16];
    (void)snprintf(name, sizeof name, "key-%u", *applied % KEYS);
    /* The operation itself is applied, whatever becomes of the snapshot: only allocations for that may fail. */
    uint64_t fail_alloc_at = replicas[0].memory.fail_alloc_at;
    struct image_bytes operation = image_replica_put(&replicas[1], name, "while it was taken");
    replicas[0].memory.fail_alloc_at = 0;
    assert_int_equal(image_replica_receive(&replicas[0], operation), APPLY_READY);
    replicas[0].memory.fail_alloc_at = fail_alloc_at;
    image_bytes_free(&operation);
    rc = snapshot_writer_step(&writer, 400, &done);
  }
  snapshot_writer_end(&writer);
  return rc;
}

static void prepare(void) {
  begin(11);
  for (unsigned i = 0; i < 100; i++)
    change_something();
}

static void expect_retry(void) {
  struct image_bytes then = image_replica_dump(&replicas[0]);
  unsigned applied = 0;
  assert_int_equal(try_one(&applied), SYNC_OK);
  expect_read_back(then, 300);
  image_bytes_free(&then);
}

static void an_allocation_that_fails_ends_the_snapshot_and_nothing_else(void **state) {
  (void)state;
  prepare();
  unsigned failures = 0;
  for (uint64_t k = 1;; k++) {
    uint64_t before = replicas[0].memory.allocs;
    replicas[0].memory.fail_alloc_at = before + k;
    unsigned applied = 0;
    int rc = try_one(&applied);
    bool met = replicas[0].memory.allocs >= before + k;
    replicas[0].memory.fail_alloc_at = 0;
    assert_true(rc == SYNC_OK || rc == SYNC_E_NO_MEMORY);
    assert_int_equal(memory_env_handles(&replicas[0].memory), 0);
    assert_null(replicas[0].state.store.save);
    if (rc != SYNC_OK) failures++;
    if (rc != SYNC_OK) expect_retry();
    if (rc == SYNC_OK && !met) break;
  }
  assert_true(failures > 5);
  end();
}

static void a_call_that_fails_ends_the_snapshot_and_nothing_else(void **state) {
  (void)state;
  static const struct memory_env_fault faults[] = {
      {MEMORY_ENV_CREATE, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT}, {MEMORY_ENV_CREATE, SYNC_E_IO, MEMORY_ENV_EFFECT},
      {MEMORY_ENV_OPEN, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},   {MEMORY_ENV_WRITE, SYNC_E_NO_SPACE, MEMORY_ENV_PART},
      {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},        {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_EFFECT},
      {MEMORY_ENV_CLOSE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
  };
  unsigned failures = 0;
  for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++)
    for (uint64_t k = 1;; k++) {
      prepare();
      if (faults[f].call == MEMORY_ENV_OPEN) memory_env_put(&replicas[0].memory, IMAGE_FILE, "left by another", 15);
      memory_env_fail(&replicas[0].memory, &faults[f], k, 1);
      struct image_bytes then = image_replica_dump(&replicas[0]);
      unsigned applied = 0;
      int rc = try_one(&applied);
      bool met = replicas[0].memory.fault_met > 0;
      memory_env_heal(&replicas[0].memory);
      if (met && faults[f].call != MEMORY_ENV_CLOSE)
        assert_int_equal(rc, faults[f].status);
      else
        assert_int_equal(rc, SYNC_OK);
      if (rc == SYNC_OK) expect_read_back(then, 300);
      image_bytes_free(&then);
      assert_int_equal(memory_env_handles(&replicas[0].memory), 0);
      failures += met ? 1 : 0;
      if (met) expect_retry();
      end();
      if (!met) break;
    }
  assert_true(failures > 15);
}

/* One longer than a block and one that is left over from another snapshot must not remain behind the end. */
static void a_file_that_was_there_is_cut(void **state) {
  (void)state;
  prepare();
  static uint8_t old[60000];
  memset(old, 0x5a, sizeof old);
  memory_env_put(&replicas[0].memory, IMAGE_FILE, old, sizeof old);
  expect_retry();
  size_t size = 0;
  (void)memory_env_bytes(&replicas[0].memory, IMAGE_FILE, &size);
  assert_int_equal(size, writer.written);
  end();
}

/* Peers by handle, and handles that are not in use. */
static const char *const peers[] = {"b", "", "long-name-of-a-peer", "", "", "z"};
static bool peer_of(void *arg, uint32_t handle, const uint8_t **id, size_t *size) {
  (void)arg;
  if (handle >= sizeof peers / sizeof peers[0]) return false;
  *id = (const uint8_t *)peers[handle];
  *size = strlen(peers[handle]);
  return true;
}
static int hear_peer(void *arg, const uint8_t *id, size_t size) {
  unsigned *heard = arg;
  assert_int_equal(size, strlen(peers[*heard]));
  assert_memory_equal(id, peers[*heard], size);
  (*heard)++;
  return SYNC_OK;
}

static void peers_keep_their_handles(void **state) {
  (void)state;
  prepare();
  struct snapshot_order order = image_order("a", IMAGE_ID, IMAGE_PAYLOAD_MAX);
  order.peer = peer_of;
  assert_int_equal(snapshot_writer_begin(&writer, &replicas[0].memory.env, &replicas[0].state, &order), SYNC_OK);
  for (bool done = false; !done;)
    assert_int_equal(snapshot_writer_step(&writer, 1000, &done), SYNC_OK);
  snapshot_writer_end(&writer);
  unsigned heard = 0;
  struct merge merge;
  struct merge_source source = image_source(&replicas[0], writer.written);
  source.peer = hear_peer;
  source.arg = &heard;
  assert_int_equal(merge_plan(&merge, &replicas[0].state, &source), SYNC_OK);
  assert_int_equal(merge.news, 0);
  merge_cancel(&merge);
  assert_int_equal(heard, sizeof peers / sizeof peers[0]);
  end();
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_snapshot_is_of_the_instant_at_which_it_began),
      cmocka_unit_test(a_snapshot_all_of_whose_keys_change_at_once_is_complete),
      cmocka_unit_test(an_empty_state_is_a_snapshot_too),
      cmocka_unit_test(a_key_whose_siblings_do_not_fit_a_block_stands_in_several),
      cmocka_unit_test(a_value_longer_than_a_step_does_not_hold_the_snapshot_up),
      cmocka_unit_test(what_fits_no_block_ends_the_snapshot_by_name),
      cmocka_unit_test(one_that_was_given_up_leaves_no_trace_in_the_next),
      cmocka_unit_test(an_allocation_that_fails_ends_the_snapshot_and_nothing_else),
      cmocka_unit_test(a_call_that_fails_ends_the_snapshot_and_nothing_else),
      cmocka_unit_test(a_file_that_was_there_is_cut),
      cmocka_unit_test(peers_keep_their_handles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
