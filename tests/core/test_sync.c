/* Two and three engines, frames moved by hand. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/replica.h"

static struct replicas *world;

static void two_engines_exchange_their_writes(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "from n0");
  replica_put(world, 1, "b", "from n1");
  size_t frames = replicas_settle(world, 40);
  assert_true(frames <= 12);
  assert_true(replica_reads(world, 1, "a", "from n0"));
  assert_true(replica_reads(world, 0, "b", "from n1"));
  assert_true(replicas_agree(world));
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  assert_int_equal(sync_outbox_size(world->at[1].engine), 0);
  replicas_destroy(world);
}

struct authors {
  char node_ids[8][16];
  size_t count;
};

static int note_author(void *arg, const struct sync_sibling *sibling) {
  struct authors *authors = arg;
  assert_true(authors->count < 8);
  (void)strncpy(authors->node_ids[authors->count++], sibling->dot.origin.node_id, 15);
  return 0;
}

static struct authors authors_of(uint32_t index, const char *key) {
  struct authors authors;
  memset(&authors, 0, sizeof authors);
  assert_int_equal(sync_siblings(world->at[index].engine, key, strlen(key), note_author, &authors), SYNC_OK);
  return authors;
}

static void a_middle_node_relays_with_authorship_intact(void **state) {
  (void)state;
  replicas_init(world, 3);
  replicas_link(world, 0, 1);
  replicas_link(world, 1, 2);
  replica_put(world, 0, "k", "from n0");
  replica_put(world, 2, "k", "from n2");
  (void)replicas_settle(world, 80);
  assert_true(replicas_agree(world));
  for (uint32_t i = 0; i < 3; i++) {
    struct authors authors = authors_of(i, "k");
    assert_int_equal(authors.count, 2);
    assert_string_equal(authors.node_ids[0], "n0");
    assert_string_equal(authors.node_ids[1], "n2");
    assert_int_equal(sync_outbox_size(world->at[i].engine), 0);
  }
  /* Equal clocks: the writer's id decides, everywhere alike. */
  assert_true(replica_reads(world, 0, "k", "from n2"));
  replicas_destroy(world);
}

static void the_greatest_clock_wins_and_a_write_replaces_all_it_saw(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  world->at[0].memory.wall_ns += 1000;
  replica_put(world, 1, "k", "earlier");
  replica_delete(world, 0, "k");
  (void)replicas_settle(world, 80);
  assert_true(replica_reads(world, 0, "k", NULL));
  assert_true(replica_reads(world, 1, "k", NULL));
  assert_int_equal(authors_of(1, "k").count, 2);
  replica_put(world, 1, "k", "after");
  (void)replicas_settle(world, 80);
  assert_true(replica_reads(world, 0, "k", "after"));
  assert_int_equal(authors_of(0, "k").count, 1);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

static void a_multi_put_is_one_operation_everywhere(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  struct sync_change changes[3] = {{.kind = SYNC_PUT, .key = "z", .key_size = 1, .value = "1", .value_size = 1},
                                   {.kind = SYNC_PUT, .key = "a", .key_size = 1, .value = "", .value_size = 0},
                                   {.kind = SYNC_PUT, .key = "m", .key_size = 1, .value = "3", .value_size = 1}};
  struct sync_receipt receipt;
  assert_int_equal(sync_write(world->at[0].engine, changes, 3, &receipt), SYNC_OK);
  assert_int_equal(receipt.dot.seq, 1);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 1);
  (void)replicas_settle(world, 40);
  assert_true(replica_reads(world, 1, "z", "1") && replica_reads(world, 1, "a", "") &&
              replica_reads(world, 1, "m", "3"));
  assert_true(sync_holds(world->at[1].engine, "n0", receipt.dot.origin.incarnation, 1));
  assert_false(sync_holds(world->at[1].engine, "n0", receipt.dot.origin.incarnation, 2));
  replicas_destroy(world);
}

struct listing {
  char keys[16][8];
  size_t count;
};

static int note_key(void *arg, const void *key, size_t size, const struct sync_sibling *winner) {
  struct listing *listing = arg;
  (void)winner;
  assert_true(listing->count < 16 && size < 8);
  memcpy(listing->keys[listing->count++], key, size);
  return listing->count == 5 ? 77 : 0;
}

static void iteration_is_in_byte_order_within_prefix_and_start(void **state) {
  (void)state;
  replicas_init(world, 1);
  static const char *keys[] = {"b\xff", "b", "ab", "a", "abc", "b\x01", "c", "aa"};
  for (size_t i = 0; i < 8; i++)
    replica_put(world, 0, keys[i], "v");
  replica_delete(world, 0, "aa");
  struct listing listing;
  struct sync_engine *engine = world->at[0].engine;
  memset(&listing, 0, sizeof listing);
  assert_int_equal(sync_iterate(engine, "a", 1, NULL, 0, false, note_key, &listing), SYNC_OK);
  assert_int_equal(listing.count, 3);
  assert_string_equal(listing.keys[0], "a");
  assert_string_equal(listing.keys[1], "ab");
  assert_string_equal(listing.keys[2], "abc");
  memset(&listing, 0, sizeof listing);
  assert_int_equal(sync_iterate(engine, "a", 1, "aa", 2, true, note_key, &listing), SYNC_OK);
  assert_int_equal(listing.count, 3);
  assert_string_equal(listing.keys[0], "aa");
  memset(&listing, 0, sizeof listing);
  assert_int_equal(sync_iterate(engine, "b", 1, "a", 1, false, note_key, &listing), SYNC_OK);
  assert_int_equal(listing.count, 3);
  assert_string_equal(listing.keys[2], "b\xff");
  memset(&listing, 0, sizeof listing);
  assert_int_equal(sync_iterate(engine, NULL, 0, NULL, 0, false, note_key, &listing), 77);
  replicas_destroy(world);
}

static int note_status(void *arg, const struct sync_outbox_entry *entry) {
  enum sync_outbox_status *statuses = arg;
  assert_true(entry->dot.seq >= 1 && entry->dot.seq <= 4);
  statuses[entry->dot.seq - 1] = entry->status;
  return 0;
}

static void the_writes_of_one_turn_share_one_fsync(void **state) {
  (void)state;
  replicas_init(world, 1);
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  struct sync_stats before, after;
  sync_stats_get(world->at[0].engine, &before);
  for (int i = 0; i < 64; i++) {
    char key[2] = {'k', (char)(' ' + i)};
    assert_int_equal(sync_put(world->at[0].engine, key, 2, "v", 1, NULL), SYNC_OK);
  }
  assert_true(sync_next_deadline(world->at[0].engine) <= world->at[0].memory.mono_ns);
  assert_int_equal(sync_tick(world->at[0].engine, NULL), SYNC_OK);
  replica_flush(world, 0);
  sync_stats_get(world->at[0].engine, &after);
  assert_int_equal(after.fsyncs - before.fsyncs, 1);
  assert_int_equal(sync_durable_position(world->at[0].engine), sync_appended_position(world->at[0].engine));
  replicas_destroy(world);
}

static void the_outbox_tells_how_far_each_operation_is(void **state) {
  (void)state;
  replicas_init(world, 2);
  replica_put(world, 0, "a", "nobody to owe it to");
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  replicas_link(world, 0, 1);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 1);
  replica_flush(world, 0);
  enum sync_outbox_status statuses[4] = {0};
  assert_int_equal(sync_outbox(world->at[0].engine, note_status, statuses), SYNC_OK);
  assert_int_equal(statuses[0], SYNC_OUTBOX_QUEUED);
  (void)replicas_settle(world, 40);
  replica_put(world, 0, "b", "2");
  replica_flush(world, 0);
  assert_int_equal(replica_collect(world, 0), 1);
  replica_put(world, 0, "c", "3");
  memset(statuses, 0, sizeof statuses);
  assert_int_equal(sync_outbox(world->at[0].engine, note_status, statuses), SYNC_OK);
  assert_int_equal(statuses[0], 0); /* acknowledged: no entry */
  assert_int_equal(statuses[1], SYNC_OUTBOX_IN_FLIGHT);
  assert_int_equal(statuses[2], SYNC_OUTBOX_PENDING);
  (void)replicas_settle(world, 40);
  struct sync_tick_report report;
  assert_int_equal(sync_tick(world->at[0].engine, &report), SYNC_OK);
  assert_int_equal(report.pruned, 3);
  assert_int_equal(report.batched, 3);
  assert_int_equal(sync_peer_remove(world->at[0].engine, 0), SYNC_OK);
  replica_put(world, 0, "d", "4");
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  replicas_destroy(world);
}

static void the_outbox_is_rebuilt_from_the_log(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "1");
  replica_put(world, 0, "b", "2");
  replica_flush(world, 0);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 3);
  replica_open(world, 0);
  assert_int_equal(sync_outbox_size(world->at[0].engine), 2);
  assert_int_equal(world->at[0].report.recovered_ops, 2);
  (void)replicas_settle(world, 60);
  assert_true(replica_reads(world, 1, "b", "2"));
  assert_int_equal(sync_outbox_size(world->at[0].engine), 0);
  replicas_destroy(world);
}

static void the_incarnation_is_new_after_every_open_that_writes(void **state) {
  (void)state;
  replicas_init(world, 1);
  uint64_t last = 0;
  for (uint32_t i = 0; i < 4; i++) {
    struct sync_receipt receipt;
    assert_int_equal(sync_put(world->at[0].engine, "k", 1, "v", 1, &receipt), SYNC_OK);
    assert_int_equal(receipt.dot.seq, 1);
    assert_true(receipt.dot.origin.incarnation != last);
    last = receipt.dot.origin.incarnation;
    replica_flush(world, 0);
    replica_close(world, 0);
    replica_open(world, 0);
  }
  struct sync_digest digest;
  sync_digest_get(world->at[0].engine, &digest);
  assert_int_equal(digest.siblings, 1); /* each saw the one before */
  replicas_destroy(world);
}

static void the_own_clock_adopts_others_only_up_to_its_bound(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  world->at[0].memory.wall_ns += UINT64_C(100000000);
  replica_put(world, 0, "a", "near");
  (void)replicas_settle(world, 40);
  replica_put(world, 1, "a", "after near");
  struct sync_sibling winner;
  assert_int_equal(sync_get(world->at[1].engine, "a", 1, &winner), SYNC_OK);
  assert_true(winner.hlc == world->at[0].memory.wall_ns + 2);
  world->at[0].memory.wall_ns += UINT64_C(10000000000);
  replica_put(world, 0, "a", "far");
  (void)replicas_settle(world, 40);
  replica_put(world, 1, "a", "after far");
  assert_int_equal(sync_get(world->at[1].engine, "a", 1, &winner), SYNC_OK);
  assert_true(winner.hlc == world->at[1].memory.wall_ns + UINT64_C(500000000) + 1);
  assert_true(replica_reads(world, 1, "a", "after far"));
  replicas_destroy(world);
}

static void many_keys_survive_a_reopen_with_equal_digests(void **state) {
  (void)state;
  replicas_init(world, 2);
  replicas_link(world, 0, 1);
  uint64_t random = 5;
  char key[8];
  for (uint32_t i = 0; i < 3000; i++) {
    (void)snprintf(key, sizeof key, "k%u", (unsigned)(memory_env_random(&random) % 700));
    if (memory_env_random(&random) % 5 == 0)
      replica_delete(world, i % 2, key);
    else
      replica_put(world, i % 2, key, "value");
    if (i % 100 == 0) (void)replicas_settle(world, 100);
  }
  (void)replicas_settle(world, 200);
  assert_true(replicas_agree(world));
  struct sync_digest before, after;
  sync_digest_get(world->at[0].engine, &before);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 9);
  replica_open(world, 0);
  sync_digest_get(world->at[0].engine, &after);
  assert_true(before.state == after.state && before.vector == after.vector);
  assert_true(replicas_agree(world));
  replicas_destroy(world);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_engines_exchange_their_writes),
      cmocka_unit_test(a_middle_node_relays_with_authorship_intact),
      cmocka_unit_test(the_greatest_clock_wins_and_a_write_replaces_all_it_saw),
      cmocka_unit_test(a_multi_put_is_one_operation_everywhere),
      cmocka_unit_test(iteration_is_in_byte_order_within_prefix_and_start),
      cmocka_unit_test(the_writes_of_one_turn_share_one_fsync),
      cmocka_unit_test(the_outbox_tells_how_far_each_operation_is),
      cmocka_unit_test(the_outbox_is_rebuilt_from_the_log),
      cmocka_unit_test(the_incarnation_is_new_after_every_open_that_writes),
      cmocka_unit_test(the_own_clock_adopts_others_only_up_to_its_bound),
      cmocka_unit_test(many_keys_survive_a_reopen_with_equal_digests),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
