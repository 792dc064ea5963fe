/* The change feed: complete, in order, once, across restarts, snapshots and losses. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/replica.h"

#define MS UINT64_C(1000000)
#define TOLD_MAX 2048u
#define PICTURE_MAX 64u

static struct replicas *world;

static void begin(uint32_t count, uint64_t retain) {
  replicas_init(world, count);
  for (uint32_t i = 0; i < count; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256;
    world->at[i].options.segment_bytes = 1024;
    world->at[i].options.snapshot_bytes = UINT64_MAX; /* only when asked */
    world->at[i].options.retain_bytes = retain;
    replica_open(world, i);
  }
}

static void turns(uint32_t index, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    world->at[index].memory.mono_ns += MS;
    assert_int_equal(sync_tick(world->at[index].engine, NULL), SYNC_OK);
    replica_flush(world, index);
  }
}

/* --- A reader -------------------------------------------------------------------------- */

static struct reader {
  struct sync_bookmark bookmark;
  size_t count;
  char told[TOLD_MAX][64]; /* "n0+k=v", "n1-k"; "." behind the last of its operation; "~" first: a policy wrote it */
  unsigned stop_at;        /* this call of `each` returns 7; 0: none */
  unsigned calls;
  bool more;
} reader;

static int tell(void *arg, const struct sync_applied *applied) {
  (void)arg;
  if (++reader.calls == reader.stop_at) return 7;
  assert_true(reader.count < TOLD_MAX);
  assert_true(applied->own == (strcmp(applied->dot.origin.node_id, "n0") == 0));
  assert_true(applied->dot.seq > 0);
  bool put = applied->kind == SYNC_PUT;
  assert_true(put || (applied->value == NULL && applied->value_size == 0));
  (void)snprintf(reader.told[reader.count++], sizeof reader.told[0], "%s%s%s%.*s%s%.*s%s",
                 applied->automatic ? "~" : "", applied->dot.origin.node_id, put ? "+" : "-", (int)applied->key_size,
                 (const char *)applied->key, put ? "=" : "", (int)applied->value_size,
                 put ? (const char *)applied->value : "", applied->last ? "." : "");
  return 0;
}

static int read_on(uint32_t most) {
  return sync_changes(world->at[0].engine, &reader.bookmark, most, &reader.more, tell, NULL);
}

static void expect_told(size_t from, size_t count, const char *const *told) {
  assert_int_equal(reader.count, from + count);
  for (size_t i = 0; i < count; i++)
    assert_string_equal(reader.told[from + i], told[i]);
}
#define EXPECT_TOLD(from, ...)                                                                                         \
  expect_told((from), sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (const char *const[]){__VA_ARGS__})

static void read_all(void) {
  do
    assert_int_equal(read_on(3), SYNC_OK);
  while (reader.more);
}

static void start_reading(void) {
  memset(&reader, 0, sizeof reader);
}

/* --- Told ------------------------------------------------------------------------------ */

static void own_and_remote_changes_are_told_in_order_and_once(void **state) {
  (void)state;
  begin(2, UINT64_MAX / 2);
  start_reading();
  replicas_link(world, 0, 1);
  (void)replicas_settle(world, 100);
  replica_put(world, 0, "a", "1");
  (void)replicas_settle(world, 100);
  replica_put(world, 1, "b", "2");
  (void)replicas_settle(world, 100);
  struct sync_change changes[] = {{.kind = SYNC_PUT, .key = "c", .key_size = 1, .value = "", .value_size = 0},
                                  {.kind = SYNC_DELETE, .key = "a", .key_size = 1},
                                  {.kind = SYNC_PUT, .key = "b", .key_size = 1, .value = "3", .value_size = 1}};
  struct sync_receipt receipt;
  assert_int_equal(sync_write(world->at[0].engine, changes, 3, &receipt), SYNC_OK);
  (void)replicas_settle(world, 100);
  assert_int_equal(read_on(1), SYNC_OK);
  EXPECT_TOLD(0, "n0+a=1.");
  assert_true(reader.more);
  assert_int_equal(read_on(1), SYNC_OK);
  EXPECT_TOLD(1, "n1+b=2.");
  assert_true(reader.more);
  assert_int_equal(read_on(1), SYNC_OK); /* all of an operation, by key */
  EXPECT_TOLD(2, "n0-a", "n0+b=3", "n0+c=.");
  uint64_t before = reader.bookmark.position;
  assert_int_equal(read_on(9), SYNC_OK);
  assert_int_equal(reader.count, 5);
  assert_true(reader.bookmark.position == before && !reader.more);
  replicas_destroy(world);
}

static void only_what_is_durable_is_told(void **state) {
  (void)state;
  begin(1, UINT64_MAX / 2);
  start_reading();
  replica_put(world, 0, "a", "1");
  assert_int_equal(read_on(9), SYNC_OK);
  assert_int_equal(reader.count, 0);
  assert_int_equal(reader.bookmark.position, 0);
  replica_flush(world, 0);
  replica_put(world, 0, "b", "2");
  assert_int_equal(read_on(9), SYNC_OK);
  EXPECT_TOLD(0, "n0+a=1.");
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(world, 0);
  replica_put(world, 0, "c", "3"); /* where the lost one stood */
  replica_flush(world, 0);
  assert_int_equal(read_on(9), SYNC_OK);
  EXPECT_TOLD(1, "n0+a=1.", "n0+c=3."); /* what was told when b could be read, too */
  replicas_destroy(world);
}

static void a_reader_that_stops_is_told_the_whole_operation_again(void **state) {
  (void)state;
  begin(1, UINT64_MAX / 2);
  start_reading();
  replica_put(world, 0, "a", "1");
  struct sync_change changes[] = {{.kind = SYNC_PUT, .key = "b", .key_size = 1, .value = "2", .value_size = 1},
                                  {.kind = SYNC_PUT, .key = "c", .key_size = 1, .value = "3", .value_size = 1}};
  struct sync_receipt receipt;
  assert_int_equal(sync_write(world->at[0].engine, changes, 2, &receipt), SYNC_OK);
  replica_flush(world, 0);
  reader.stop_at = 3;
  assert_int_equal(read_on(9), 7);
  EXPECT_TOLD(0, "n0+a=1.", "n0+b=2");
  assert_int_equal(read_on(9), SYNC_OK);
  EXPECT_TOLD(2, "n0+b=2", "n0+c=3.");
  assert_int_equal(read_on(0), SYNC_E_INVALID);
  assert_int_equal(sync_changes(world->at[0].engine, &reader.bookmark, 1, NULL, NULL, NULL), SYNC_E_INVALID);
  replicas_destroy(world);
}

static void a_bookmark_holds_across_restarts(void **state) {
  (void)state;
  begin(1, UINT64_MAX / 2);
  start_reading();
  for (unsigned i = 0; i < 40; i++) {
    char value[8];
    (void)snprintf(value, sizeof value, "%u", i);
    replica_put(world, 0, "k", value);
    replica_flush(world, 0);
    if (i % 3 == 0) assert_int_equal(read_on(1 + i % 5), SYNC_OK);
    if (i % 4 == 0) {
      if (i % 8 == 0)
        replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, i);
      else
        replica_close(world, 0);
      replica_open(world, 0);
    }
  }
  read_all();
  assert_int_equal(reader.count, 40);
  for (unsigned i = 0; i < 40; i++) {
    char expected[24];
    (void)snprintf(expected, sizeof expected, "n0+k=%u.", i);
    assert_string_equal(reader.told[i], expected);
  }
  replicas_destroy(world);
}

static void sweeps_are_passed_over(void **state) {
  (void)state;
  replicas_init(world, 2);
  for (uint32_t i = 0; i < 2; i++) {
    replica_close(world, i);
    world->at[i].options.sweep_interval_ns = 1000 * MS;
    replica_open(world, i);
  }
  start_reading();
  replicas_link(world, 0, 1);
  replica_put(world, 0, "a", "1");
  replica_delete(world, 0, "a");
  replicas_settle_for(world, 60000 * MS);
  assert_true(replica_stats(world, 0).sweeps > 0);
  assert_int_equal(replica_stats(world, 0).tombstones, 0);
  replica_put(world, 0, "b", "2");
  (void)replicas_settle(world, 100);
  read_all();
  EXPECT_TOLD(0, "n0+a=1.", "n0-a.", "n0+b=2.");
  replicas_destroy(world);
}

/* --- Across snapshots ------------------------------------------------------------------ */

static void behind_a_snapshot_a_reader_goes_on_where_the_log_still_is(void **state) {
  (void)state;
  for (unsigned reopened = 0; reopened < 2; reopened++) {
    begin(1, 4096);
    start_reading();
    replica_put_many(world, 0, 0, 300, "v");
    assert_int_equal(read_on(5), SYNC_OK);
    struct sync_bookmark early = reader.bookmark;
    read_all();
    struct sync_bookmark caught_up = reader.bookmark;
    replica_put_many(world, 0, 300, 320, "w");
    replica_snapshot(world, 0);
    turns(0, 20);
    assert_true(replica_stats(world, 0).log_first > early.position);
    assert_true(replica_stats(world, 0).log_first < caught_up.position); /* some of it is retained */
    assert_true(replica_stats(world, 0).snapshot_position > caught_up.position);
    if (reopened) {
      replica_close(world, 0);
      replica_open(world, 0);
    }
    replica_put_many(world, 0, 320, 330, "x");
    reader.count = 0;
    read_all();
    assert_int_equal(reader.count, 30);
    assert_string_equal(reader.told[0], "n0+key-300=w.");
    assert_string_equal(reader.told[29], "n0+key-329=x.");
    struct sync_bookmark end = reader.bookmark;
    reader.bookmark = early;
    assert_int_equal(read_on(9), SYNC_E_STALE);
    assert_true(reader.bookmark.position == end.position && reader.bookmark.tag == end.tag); /* from here on */
    reader.bookmark = (struct sync_bookmark){0};
    assert_int_equal(read_on(9), SYNC_E_STALE);
    reader.bookmark = (struct sync_bookmark){.position = replica_stats(world, 0).log_first};
    assert_int_equal(read_on(9), SYNC_E_STALE);
    replica_put(world, 0, "new", "y");
    replica_flush(world, 0);
    reader.count = 0;
    read_all();
    EXPECT_TOLD(0, "n0+new=y.");
    replicas_destroy(world);
  }
}

static void when_all_of_the_log_is_gone_a_reader_that_was_caught_up_goes_on(void **state) {
  (void)state;
  begin(1, 1);
  start_reading();
  replica_put_many(world, 0, 0, 100, "v");
  read_all();
  replica_snapshot(world, 0);
  turns(0, 30);
  reader.count = 0;
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  read_all();
  EXPECT_TOLD(0, "n0+a=1.");
  replicas_destroy(world);
}

/* The bookmark that a stale one becomes is good, also where nothing is in the log. */
static void a_stale_reader_starts_at_a_base_alone(void **state) {
  (void)state;
  begin(1, 1);
  start_reading();
  replica_put_many(world, 0, 0, 100, "v");
  replica_snapshot(world, 0);
  turns(0, 30);
  for (unsigned i = 0; i < 3; i++) {
    reader.bookmark = (struct sync_bookmark){0};
    assert_int_equal(read_on(9), SYNC_E_STALE);
    assert_int_equal(read_on(9), SYNC_OK);
    replica_close(world, 0);
    replica_open(world, 0);
    int rc = read_on(9);
    if (rc == SYNC_E_STALE) rc = read_on(9); /* once more at most */
    assert_int_equal(rc, SYNC_OK);
    assert_int_equal(read_on(9), SYNC_OK);
  }
  assert_int_equal(reader.count, 0);
  replicas_destroy(world);
}

/* Its log begins at its base: no record below that is there. */
static void a_backup_says_nothing_of_what_is_in_its_base(void **state) {
  (void)state;
  static struct memory_env target;
  begin(1, 1);
  memory_env_init(&target);
  target.next_unique = 900000000;
  start_reading();
  replica_put_many(world, 0, 0, 10, "v");
  read_all();
  struct sync_backup *backup;
  assert_int_equal(sync_backup_begin(world->at[0].engine, &target.env, &backup), SYNC_OK);
  for (bool done = false; !done;) {
    uint64_t token;
    assert_int_equal(sync_backup_step(backup, &done), SYNC_OK);
    while (memory_env_complete(&target, SYNC_OK, &token))
      assert_int_equal(sync_backup_disk_done(backup, token, SYNC_OK), SYNC_OK);
  }
  sync_backup_end(backup);
  struct sync_engine *engine = NULL;
  struct sync_open_report report;
  assert_int_equal(sync_open(&engine, &target.env, &world->at[0].options, &report), SYNC_OK);
  assert_true(report.base_position > 0);
  reader.bookmark = (struct sync_bookmark){0};
  assert_int_equal(sync_changes(engine, &reader.bookmark, 9, NULL, tell, NULL), SYNC_E_STALE);
  assert_int_equal(sync_changes(engine, &reader.bookmark, 9, NULL, tell, NULL), SYNC_OK);
  assert_int_equal(reader.count, 10);
  sync_close(engine);
  memory_env_process_crash(&target);
  memory_env_destroy(&target);
  replicas_destroy(world);
}

static void what_a_snapshot_brought_makes_a_bookmark_stale_once(void **state) {
  (void)state;
  for (unsigned reopened = 0; reopened < 3; reopened++) {
    begin(2, 1);
    start_reading();
    replica_put(world, 0, "own", "1");
    replica_flush(world, 0);
    read_all();
    assert_int_equal(reader.count, 1);
    replica_put_many(world, 1, 0, 60, "v");
    replica_snapshot(world, 1);
    turns(1, 30);
    replicas_link(world, 0, 1);
    replicas_settle_for(world, 20000 * MS);
    assert_int_equal(replica_stats(world, 0).merges, 1);
    assert_true(replica_reads(world, 0, "key-007", "v"));
    if (reopened > 0) {
      replica_close(world, 0);
      replica_open(world, 0);
    }
    reader.count = 0;
    assert_int_equal(read_on(9), SYNC_E_STALE);
    assert_int_equal(read_on(9), SYNC_OK);
    if (reopened == 2) {
      replica_close(world, 0);
      replica_open(world, 0);
      assert_int_equal(read_on(9), SYNC_OK);
    }
    assert_int_equal(reader.count, 0);
    replica_put(world, 0, "a", "1");
    replica_flush(world, 0);
    read_all();
    EXPECT_TOLD(0, "n0+a=1.");
    replicas_destroy(world);
  }
}

/* The merge's record stands in the log that is retained below the base. */
static void a_bookmark_at_a_merge_holds_below_a_base(void **state) {
  (void)state;
  begin(2, 1);
  replica_close(world, 0);
  world->at[0].options.retain_bytes = 1 << 20;
  replica_open(world, 0);
  start_reading();
  replica_put_many(world, 1, 0, 60, "v");
  replica_snapshot(world, 1);
  turns(1, 30);
  replicas_link(world, 0, 1);
  replicas_settle_for(world, 20000 * MS);
  assert_int_equal(replica_stats(world, 0).merges, 1);
  assert_int_equal(read_on(9), SYNC_E_STALE);
  struct sync_bookmark merge = reader.bookmark;
  replica_put(world, 0, "a", "1");
  replica_put(world, 0, "b", "2");
  replica_flush(world, 0);
  replica_snapshot(world, 0);
  replica_close(world, 0);
  replica_open(world, 0);
  assert_true(world->at[0].report.base_position > merge.position);
  read_all();
  EXPECT_TOLD(0, "n0+a=1.", "n0+b=2.");
  replicas_destroy(world);
}

/* --- Other logs ------------------------------------------------------------------------ */

static void who_read_what_was_lost_is_told_again_what_was_told_since_it_was_safe(void **state) {
  (void)state;
  begin(1, 1);
  start_reading();
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  assert_int_equal(read_on(9), SYNC_OK); /* safe before it */
  replica_put(world, 0, "a", "2");
  replica_flush(world, 0);
  replica_put(world, 0, "a", "3");       /* not durable: that is what the key reads as */
  assert_int_equal(read_on(9), SYNC_OK); /* safe behind the first */
  EXPECT_TOLD(0, "n0+a=1.", "n0+a=2.");
  struct sync_bookmark kept = reader.bookmark;
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(world, 0);
  replica_put(world, 0, "b", "1"); /* as long as the lost one */
  replica_flush(world, 0);
  assert_int_equal(read_on(9), SYNC_OK);
  EXPECT_TOLD(2, "n0+a=2.", "n0+b=1.");
  assert_int_equal(read_on(9), SYNC_OK);
  assert_int_equal(reader.count, 4); /* once */
  kept = reader.bookmark;
  /* Had it not been lost, nothing would be told again. */
  replica_put(world, 0, "a", "4");
  assert_int_equal(sync_flush(world->at[0].engine), SYNC_OK); /* written */
  assert_int_equal(read_on(9), SYNC_OK);
  assert_true(kept.position == reader.bookmark.position && reader.bookmark.seen > kept.position);
  replica_crash(world, 0, MEMORY_ENV_KEEP_ALL, 1);
  replica_open(world, 0);
  replica_put(world, 0, "c", "1");
  replica_flush(world, 0);
  assert_int_equal(read_on(9), SYNC_OK);
  EXPECT_TOLD(4, "n0+a=4.", "n0+c=1.");
  replicas_destroy(world);
}

static void a_bookmark_of_what_was_lost_stands_nowhere(void **state) {
  (void)state;
  begin(1, 1);
  start_reading();
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  replica_put(world, 0, "b", "2"); /* not durable */
  reader.bookmark = (struct sync_bookmark){.position = 1, .tag = 1};
  assert_int_equal(read_on(9), SYNC_E_STALE);
  struct sync_bookmark present = reader.bookmark;
  assert_int_equal(read_on(9), SYNC_OK);
  replica_crash(world, 0, MEMORY_ENV_LOSE_ALL, 1);
  replica_open(world, 0);
  replica_put(world, 0, "c", "3"); /* just as long */
  replica_flush(world, 0);
  reader.bookmark = present;
  assert_int_equal(read_on(9), SYNC_E_STALE);
  assert_int_equal(reader.count, 0);
  reader.bookmark = (struct sync_bookmark){.position = present.position};
  assert_int_equal(read_on(9), SYNC_E_STALE);
  reader.bookmark = (struct sync_bookmark){.tag = present.tag};
  assert_int_equal(read_on(9), SYNC_E_STALE);
  reader.bookmark = (struct sync_bookmark){.position = UINT64_MAX, .tag = present.tag};
  assert_int_equal(read_on(9), SYNC_E_STALE);
  replicas_destroy(world);
}

/* An operation as long as the one that was told stands where that one stood. */
static void after_an_old_disk_came_back_a_bookmark_stands_nowhere(void **state) {
  (void)state;
  begin(1, 1);
  start_reading();
  replica_put(world, 0, "a", "1");
  replica_close(world, 0);
  char old[64];
  size_t size = 0;
  (void)snprintf(old, sizeof old, "%s", replica_file(world, 0, "wal-"));
  const uint8_t *bytes = memory_env_bytes(&world->at[0].memory, old, &size);
  assert_true(size > 0 && size < 4096);
  uint8_t saved[4096];
  memcpy(saved, bytes, size);
  struct sync_bookmark ends[2];
  for (int life = 0; life < 2; life++) {
    replica_open(world, 0);
    replica_put(world, 0, life == 0 ? "b" : "c", "2");
    replica_flush(world, 0);
    if (life == 0) {
      read_all();
      ends[0] = reader.bookmark;
      replica_close(world, 0);
      for (const char *name; (name = replica_file(world, 0, "wal-")) != NULL;) {
        char gone[64];
        (void)snprintf(gone, sizeof gone, "%s", name);
        memory_env_remove(&world->at[0].memory, gone);
      }
      memory_env_put(&world->at[0].memory, old, saved, size);
    }
  }
  assert_int_equal(read_on(9), SYNC_E_STALE);
  ends[1] = reader.bookmark;
  assert_true(ends[0].position == ends[1].position && ends[0].tag != ends[1].tag);
  replicas_destroy(world);
}

static void an_operation_that_cannot_be_read_makes_bookmarks_before_it_stale(void **state) {
  (void)state;
  begin(1, UINT64_MAX / 2);
  start_reading();
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  read_all();
  struct sync_bookmark before = reader.bookmark;
  replica_put(world, 0, "bad", "22222222");
  replica_flush(world, 0);
  uint64_t behind = sync_appended_position(world->at[0].engine);
  replica_put(world, 0, "c", "3");
  replica_flush(world, 0);
  const char *name = replica_file(world, 0, "wal-");
  size_t size = 0;
  (void)memory_env_bytes(&world->at[0].memory, name, &size);
  memory_env_flip(&world->at[0].memory, name,
                  size - (size_t)(sync_appended_position(world->at[0].engine) - behind) - 2);
  assert_int_equal(read_on(9), SYNC_E_DAMAGED);
  assert_true(reader.bookmark.position == before.position && reader.bookmark.tag == before.tag);
  assert_int_equal(read_on(9), SYNC_E_STALE);
  replica_put(world, 0, "d", "4");
  replica_flush(world, 0);
  read_all();
  assert_string_equal(reader.told[reader.count - 1], "n0+d=4.");
  replicas_destroy(world);
}

static void an_engine_that_stopped_tells_nothing(void **state) {
  (void)state;
  begin(1, 1);
  start_reading();
  replica_put(world, 0, "a", "1");
  replica_flush(world, 0);
  replica_put(world, 0, "b", "2");
  assert_int_equal(sync_commit(world->at[0].engine), SYNC_OK);
  uint64_t token;
  assert_true(memory_env_complete(&world->at[0].memory, SYNC_E_IO, &token));
  assert_int_equal(sync_disk_done(world->at[0].engine, token, SYNC_E_IO), SYNC_E_FAILED);
  assert_true(replica_stats(world, 0).failed);
  assert_int_equal(read_on(9), SYNC_E_FAILED);
  replicas_destroy(world);
}

/* --- A picture of it all ------------------------------------------------------------------ */

static struct picture {
  char keys[PICTURE_MAX][16], values[PICTURE_MAX][16];
  size_t count;
} picture, truth;

static void draw(struct picture *at, const char *key, size_t key_size, const char *value, size_t value_size) {
  size_t place = 0;
  while (place < at->count && (strlen(at->keys[place]) != key_size || memcmp(at->keys[place], key, key_size) != 0))
    place++;
  if (value == NULL) { /* erased */
    if (place == at->count) return;
    at->count--;
    memcpy(at->keys[place], at->keys[at->count], sizeof at->keys[0]);
    memcpy(at->values[place], at->values[at->count], sizeof at->values[0]);
    return;
  }
  assert_true(place < PICTURE_MAX && key_size < 16 && value_size < 16);
  if (place == at->count) at->count++;
  (void)snprintf(at->keys[place], sizeof at->keys[0], "%.*s", (int)key_size, key);
  (void)snprintf(at->values[place], sizeof at->values[0], "%.*s", (int)value_size, value);
}
static int draw_key(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  draw(arg, key, key_size, winner->value, winner->value_size);
  return 0;
}
static int draw_told(void *arg, const struct sync_applied *applied) {
  struct sync_sibling winner;
  int rc = sync_get(arg, applied->key, applied->key_size, &winner);
  draw(&picture, applied->key, applied->key_size, rc == SYNC_OK ? winner.value : NULL,
       rc == SYNC_OK ? winner.value_size : 0);
  return 0;
}
static uint32_t look(struct sync_bookmark *bookmark, uint32_t most) {
  struct sync_engine *engine = world->at[0].engine;
  if (sync_changes(engine, bookmark, most, NULL, draw_told, engine) != SYNC_E_STALE) return 0;
  picture.count = 0;
  assert_int_equal(sync_iterate(engine, "", 0, "", 0, false, draw_key, &picture), SYNC_OK);
  return 1;
}
static void expect_picture(void) {
  truth.count = 0;
  assert_int_equal(sync_iterate(world->at[0].engine, "", 0, "", 0, false, draw_key, &truth), SYNC_OK);
  assert_int_equal(picture.count, truth.count);
  for (size_t i = 0; i < truth.count; i++) {
    size_t place = 0;
    while (place < picture.count && strcmp(picture.keys[place], truth.keys[i]) != 0)
      place++;
    assert_true(place < picture.count);
    assert_string_equal(picture.values[place], truth.values[i]);
  }
}

static uint64_t pick(uint64_t *chance, uint64_t below) {
  return memory_env_random(chance) % below;
}

static void whatever_happens_the_picture_that_a_reader_draws_is_right(void **state) {
  (void)state;
  uint32_t stale = 0, held = 0;
  for (uint64_t seed = 1; seed <= 60; seed++) {
    uint64_t chance = seed;
    begin(3, seed % 4 == 0 ? 2048 : 1);
    memset(&picture, 0, sizeof picture);
    struct sync_bookmark bookmark = {0};
    for (uint32_t i = 0; i < 3; i++)
      replicas_link(world, i, (i + 1) % 3);
    (void)replicas_settle(world, 400);
    for (unsigned step = 0; step < 60; step++) {
      uint32_t at = (uint32_t)pick(&chance, 3);
      char key[8], value[16];
      (void)snprintf(key, sizeof key, "k%u", (unsigned)pick(&chance, 20));
      (void)snprintf(value, sizeof value, "%u.%u", (unsigned)seed, step);
      for (uint64_t i = pick(&chance, 6); i > 0; i--) {
        if (pick(&chance, 4) == 0)
          replica_delete(world, at, key);
        else
          replica_put(world, at, key, value);
        (void)snprintf(key, sizeof key, "k%u", (unsigned)pick(&chance, 20));
      }
      uint64_t what = pick(&chance, 12);
      if (what < 6) (void)replicas_settle(world, 4000);
      if (what == 6 || what == 7) replica_snapshot(world, at);
      if (what == 8) turns(at, 20);
      if (what == 9) {
        replica_crash(world, 0, pick(&chance, 2) ? MEMORY_ENV_LOSE_ALL : MEMORY_ENV_KEEP_ALL, seed + step);
        replica_open(world, 0);
      }
      if (what == 10) replicas_settle_for(world, 12000 * MS);
      if (pick(&chance, 3) == 0) stale += look(&bookmark, 1 + (uint32_t)pick(&chance, 9)), held++;
      replicas_drop_all(world);
    }
    replica_flush(world, 0);
    for (unsigned i = 0; i < 200; i++)
      (void)look(&bookmark, 5);
    expect_picture();
    replicas_destroy(world);
  }
  assert_true(stale > 20 && held > 10 * stale);
}

int main(void) {
  world = calloc(1, sizeof *world);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(own_and_remote_changes_are_told_in_order_and_once),
      cmocka_unit_test(only_what_is_durable_is_told),
      cmocka_unit_test(a_reader_that_stops_is_told_the_whole_operation_again),
      cmocka_unit_test(a_bookmark_holds_across_restarts),
      cmocka_unit_test(sweeps_are_passed_over),
      cmocka_unit_test(behind_a_snapshot_a_reader_goes_on_where_the_log_still_is),
      cmocka_unit_test(when_all_of_the_log_is_gone_a_reader_that_was_caught_up_goes_on),
      cmocka_unit_test(a_stale_reader_starts_at_a_base_alone),
      cmocka_unit_test(a_backup_says_nothing_of_what_is_in_its_base),
      cmocka_unit_test(what_a_snapshot_brought_makes_a_bookmark_stale_once),
      cmocka_unit_test(a_bookmark_at_a_merge_holds_below_a_base),
      cmocka_unit_test(who_read_what_was_lost_is_told_again_what_was_told_since_it_was_safe),
      cmocka_unit_test(a_bookmark_of_what_was_lost_stands_nowhere),
      cmocka_unit_test(after_an_old_disk_came_back_a_bookmark_stands_nowhere),
      cmocka_unit_test(an_operation_that_cannot_be_read_makes_bookmarks_before_it_stale),
      cmocka_unit_test(an_engine_that_stopped_tells_nothing),
      cmocka_unit_test(whatever_happens_the_picture_that_a_reader_draws_is_right),
  };
  int r = cmocka_run_group_tests(tests, NULL, NULL);
  free(world);
  return r != 0;
}
