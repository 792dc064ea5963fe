/* Every allocation and every call of the disk fails in turn while a snapshot is taken, the log is trimmed, a snapshot
 * is fetched, served and merged, and while all of that is recovered: the state is the same before and after, the retry
 * succeeds, and nothing but a failed fsync stops the engine. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/emulated.h"
#include "tests/support/replica.h"

#define MS UINT64_C(1000000)
#define SECOND (1000 * MS)
#define KEYS 40u

static const struct memory_env_fault faults[] = {
    {MEMORY_ENV_ALLOC, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_OPEN, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_OPEN, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CREATE, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_CLOSE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_READ, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_READ, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_PART},
    {MEMORY_ENV_WRITE, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_WRITE, SYNC_E_NO_SPACE, MEMORY_ENV_PART},
    {MEMORY_ENV_WRITE, SYNC_E_INTERRUPTED, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_TRUNCATE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_SIZE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_RENAME, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_RENAME, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_RENAME, SYNC_E_NO_SPACE, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_UNLINK, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_UNLINK, SYNC_E_IO, MEMORY_ENV_EFFECT},
    {MEMORY_ENV_LIST, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_LIST, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_FILE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_FILE, SYNC_E_TOO_MANY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DIR, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DIR, SYNC_E_NO_MEMORY, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_IO, MEMORY_ENV_NO_EFFECT},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_IO, MEMORY_ENV_PART},
    {MEMORY_ENV_FSYNC_DONE, SYNC_E_IO, MEMORY_ENV_EFFECT},
};
#define FAULTS (sizeof faults / sizeof faults[0])

/* An fsync that failed, or one that the disk refused to begin. */
static bool is_fsync(const struct memory_env_fault *fault) {
  bool asked = fault->call == MEMORY_ENV_FSYNC_FILE || fault->call == MEMORY_ENV_FSYNC_DIR;
  return fault->call == MEMORY_ENV_FSYNC_DONE || (asked && fault->status == SYNC_E_IO);
}

static struct replicas *world;
static uint32_t subject;
static unsigned met[MEMORY_ENV_CALL_KINDS];
static struct {
  size_t fault;
  uint64_t k;
  unsigned aftermath;
  bool lasting; /* until the action is over */
} at;

static int tell_where(void **state) {
  (void)state;
  if (at.k > 0)
    print_error("last: fault %u, number %u, aftermath %u, lasting %d\n", (unsigned)at.fault, (unsigned)at.k,
                at.aftermath, at.lasting);
  return 0;
}

static struct sync_engine *engine(void) {
  return world->at[subject].engine;
}
static struct sync_stats stats_of(uint32_t index) {
  struct sync_stats stats;
  sync_stats_get(world->at[index].engine, &stats);
  return stats;
}

static struct sync_digest honest_digest(void) {
  struct sync_digest kept, computed;
  sync_digest_get(engine(), &kept);
  sync_digest_recompute(engine(), &computed);
  assert_memory_equal(&kept, &computed, sizeof kept);
  return kept;
}

static void begin(uint32_t count) {
  replicas_init(world, count);
  for (uint32_t i = 0; i < count; i++) {
    replica_close(world, i);
    world->at[i].options.value_bytes_max = 256;
    world->at[i].options.segment_bytes = 900;
    world->at[i].options.snapshot_bytes = UINT64_MAX;
    world->at[i].options.retain_bytes = 1;
    replica_open(world, i);
  }
  for (unsigned i = 0; i < KEYS; i++) {
    char key[16];
    (void)snprintf(key, sizeof key, "key-%03u", i);
    replica_put(world, 0, key, "a value of some length, so that there are segments");
    if (i % 4 == 0) replica_flush(world, 0);
  }
  replica_flush(world, 0);
}

/* Completions, with what the fault makes of them. */
static void pump(uint32_t index) {
  struct replica *replica = &world->at[index];
  uint64_t token;
  int result;
  while (memory_env_complete_next(&replica->memory, &token, &result)) {
    int rc = sync_disk_done(replica->engine, token, result);
    if (result != SYNC_OK) assert_int_equal(rc, SYNC_E_FAILED);
    if (rc != SYNC_OK) return;
  }
}

/* A while of all: frames arrive, time passes, fsyncs complete. What a call gives is seen in what comes of it. */
static void live(uint64_t ns, uint64_t step_ns) {
  for (uint64_t passed = 0; passed < ns; passed += step_ns) {
    for (unsigned rounds = 0; rounds < 30; rounds++) {
      for (uint32_t i = 0; i < world->count; i++) {
        pump(i);
        (void)replica_collect(world, i);
      }
      if (world->frame_count == 0) break;
      while (world->frame_count > 0)
        (void)replicas_deliver(world, 0, false);
    }
    for (uint32_t i = 0; i < world->count; i++) {
      world->at[i].memory.mono_ns += step_ns;
      world->at[i].memory.wall_ns += step_ns;
      int rc = sync_tick(world->at[i].engine, NULL);
      assert_true(rc == SYNC_OK || (rc == SYNC_E_FAILED && i == subject));
    }
  }
}

static bool is_stopped(void) {
  return stats_of(subject).failed;
}

static void die(enum memory_env_loss style) {
  replica_crash(world, subject, style, at.k);
  replicas_drop_all(world);
  replica_open(world, subject);
}

/* --- Taking one, and trimming ---------------------------------------------------------------------- */

static size_t files_of(const char *prefix) {
  size_t count = 0;
  const struct memory_env *memory = &world->at[subject].memory;
  for (size_t i = 0; i < memory->live_count; i++)
    if (strncmp(memory->live[i].name, prefix, strlen(prefix)) == 0) count++;
  return count;
}

static void prepare_taking(void) {
  subject = 0;
  begin(1);
  /* There is a base already, which is replaced, and its file must go. */
  assert_int_equal(sync_snapshot(engine()), SYNC_OK);
  live(20 * MS, MS);
  assert_int_equal(stats_of(0).snapshots, 1);
  for (unsigned i = 0; i < KEYS; i++) {
    replica_put(world, 0, i % 2 == 0 ? "later" : "latest", "a value of some length, so that there are segments");
    if (i % 4 == 0) replica_flush(world, 0);
  }
  replica_flush(world, 0);
}
static void take(void) {
  assert_int_equal(sync_snapshot(engine()), SYNC_OK);
  live(20 * MS, MS);
}
static void finish_taking(const struct sync_digest *before) {
  if (stats_of(0).snapshots_failed > 0) { /* it is tried again by itself */
    live(10 * SECOND, SECOND);
    assert_true(stats_of(0).snapshots == 2 && !is_stopped());
  }
  struct sync_digest after = honest_digest();
  assert_memory_equal(before, &after, sizeof after);
  for (unsigned i = 0; i < 20; i++) { /* so that there is something to trim, and what lingers goes with it */
    replica_put(world, 0, "behind it", "a value of some length, so that there are segments");
    replica_flush(world, 0);
  }
  uint64_t taken = stats_of(0).snapshots;
  assert_int_equal(sync_snapshot(engine()), SYNC_OK);
  live(200 * SECOND, SECOND); /* also what could not be removed at once */
  assert_true(stats_of(0).snapshots > taken);
  assert_true(stats_of(0).snapshot_position > 0 && stats_of(0).log_first > 0);
  assert_int_equal(files_of("base-"), 1);
  assert_true(files_of("wal-") <= 3);
}

/* --- Fetching and merging, serving --------------------------------------------------------------- */

static void prepare_fetching(uint32_t who) {
  subject = who;
  begin(2);
  assert_int_equal(sync_snapshot(world->at[0].engine), SYNC_OK);
  live(20 * MS, MS);
  replica_put(world, 1, "own", "kept");
  replica_flush(world, 1);
  replicas_link(world, 0, 1);
  replica_flush(world, 0);
  replica_flush(world, 1);
}
static void prepare_receiving(void) {
  prepare_fetching(1);
}
static void prepare_serving(void) {
  prepare_fetching(0);
}
static void fetch(void) {
  live(1200 * MS, 50 * MS);
}
static void finish_fetching(const struct sync_digest *before) {
  (void)before;
  live(150 * SECOND, SECOND);
  assert_true(replica_reads(world, 1, "own", "kept") && replica_reads(world, 1, "key-007", NULL) == false);
  assert_true(replicas_agree(world));
  for (uint32_t i = 0; i < 2; i++)
    assert_int_equal(sync_outbox_size(world->at[i].engine), 0);
}

/* --- Opening with a base and a merge ----------------------------------------------------------------- */

static void prepare_opening(void) {
  prepare_fetching(1);
  live(3 * SECOND, 50 * MS);
  assert_int_equal(stats_of(1).merges, 1);
  replica_put(world, 1, "later", "than the merge");
  replica_flush(world, 1);
}

/* --- The sweep -------------------------------------------------------------------------------------- */

struct action {
  void (*prepare)(void);
  void (*act)(void);
  void (*finish)(const struct sync_digest *before);
};

enum { RETRIED, POWER_LOST_ALL, POWER_SECTORS, AFTERMATHS };

/* What was there must be there: all of the subject's own content, whatever came to it. */
static void expect_nothing_lost(const struct sync_digest *before) {
  struct sync_digest now = honest_digest();
  if (now.vector == before->vector) assert_true(now.state == before->state && now.siblings == before->siblings);
  if (subject == 1) assert_true(replica_reads(world, 1, "own", "kept"));
  if (subject == 0) assert_false(replica_reads(world, 0, "key-007", NULL));
}

static bool run(const struct action *action, const struct memory_env_fault *fault) {
  action->prepare();
  struct sync_digest before = honest_digest();
  memory_env_fail(&world->at[subject].memory, fault, at.k, at.lasting ? UINT64_MAX / 2 : 1);
  action->act();
  bool struck = world->at[subject].memory.fault_met > 0;
  memory_env_heal(&world->at[subject].memory);
  if (struck) met[fault->call]++;
  expect_nothing_lost(&before);
  bool stopped = is_stopped();
  /* A log that can be written nowhere stops; a call that is interrupted for ever is an error in the end. */
  bool never = fault->status == SYNC_E_IO || fault->status == SYNC_E_INTERRUPTED;
  bool may_stop = is_fsync(fault) || (at.lasting && fault->call == MEMORY_ENV_WRITE && never);
  if (stopped) assert_true(struck && may_stop);
  if (struck && fault->call == MEMORY_ENV_FSYNC_DONE) assert_true(stopped);
  if (at.aftermath != RETRIED)
    die(at.aftermath == POWER_LOST_ALL ? MEMORY_ENV_LOSE_ALL : MEMORY_ENV_SECTORS);
  else if (stopped)
    die(MEMORY_ENV_LOSE_ALL);
  expect_nothing_lost(&before);
  action->finish(&before);
  struct sync_digest last = honest_digest();
  die(MEMORY_ENV_LOSE_ALL);
  struct sync_digest found = honest_digest();
  assert_memory_equal(&last, &found, sizeof found);
  replicas_destroy(world);
  return struck;
}

static void sweep(const struct action *action) {
  memset(met, 0, sizeof met);
  for (at.fault = 0; at.fault < FAULTS; at.fault++)
    for (unsigned mode = 0; mode < 2u * AFTERMATHS; mode++) {
      at.aftermath = mode % AFTERMATHS;
      at.lasting = mode >= AFTERMATHS;
      /* A run takes twenty times as long. */
      if (emulated() && (at.lasting || at.aftermath == POWER_SECTORS)) continue;
      for (at.k = 1; run(action, &faults[at.fault]); at.k++)
        assert_true(at.k < 400);
    }
  at.k = 0;
}

static void a_snapshot_is_taken_and_the_log_trimmed_or_nothing_has_changed(void **state) {
  (void)state;
  sweep(&(struct action){prepare_taking, take, finish_taking});
  static const enum memory_env_call calls[] = {
      MEMORY_ENV_ALLOC,  MEMORY_ENV_CREATE, MEMORY_ENV_CLOSE,     MEMORY_ENV_WRITE,      MEMORY_ENV_RENAME,
      MEMORY_ENV_UNLINK, MEMORY_ENV_LIST,   MEMORY_ENV_FSYNC_DIR, MEMORY_ENV_FSYNC_FILE, MEMORY_ENV_FSYNC_DONE};
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
    assert_true(met[calls[i]] > 0);
}

static void a_snapshot_is_fetched_and_merged_or_nothing_has_changed(void **state) {
  (void)state;
  sweep(&(struct action){prepare_receiving, fetch, finish_fetching});
  static const enum memory_env_call calls[] = {
      MEMORY_ENV_ALLOC,     MEMORY_ENV_CREATE, MEMORY_ENV_OPEN,   MEMORY_ENV_READ,       MEMORY_ENV_WRITE,
      MEMORY_ENV_FSYNC_DIR, MEMORY_ENV_CLOSE,  MEMORY_ENV_UNLINK, MEMORY_ENV_FSYNC_FILE, MEMORY_ENV_FSYNC_DONE};
  for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
    assert_true(met[calls[i]] > 0);
}

static void a_snapshot_is_served_now_or_later(void **state) {
  (void)state;
  sweep(&(struct action){prepare_serving, fetch, finish_fetching});
  assert_true(met[MEMORY_ENV_READ] > 0 && met[MEMORY_ENV_OPEN] > 0 && met[MEMORY_ENV_ALLOC] > 0);
}

/* An open that is refused leaves all to the next one. */
static void what_was_merged_is_recovered_now_or_at_the_next_open(void **state) {
  (void)state;
  unsigned refusals = 0;
  for (at.fault = 0; at.fault < FAULTS; at.fault++)
    for (at.k = 1;; at.k++) {
      const struct memory_env_fault *fault = &faults[at.fault];
      prepare_opening();
      struct sync_digest before = honest_digest();
      struct replica *replica = &world->at[1];
      replica_close(world, 1);
      memory_env_fail(&replica->memory, fault, at.k, 1);
      int rc = sync_open(&replica->engine, &replica->memory.env, &replica->options, &replica->report);
      bool struck = replica->memory.fault_met > 0;
      memory_env_heal(&replica->memory);
      assert_true(rc == SYNC_OK || rc == fault->status || rc == SYNC_E_IO);
      if (rc != SYNC_OK) {
        refusals++;
        assert_null(replica->engine);
        assert_true(replica->report.detail[0] != '\0');
        assert_int_equal(replica->memory.blocks, 0);
        assert_int_equal(memory_env_handles(&replica->memory), 0);
        memory_env_process_crash(&replica->memory);
        replica_open(world, 1);
      }
      struct sync_digest after = honest_digest();
      assert_memory_equal(&before, &after, sizeof after);
      replicas_destroy(world);
      if (!struck) break;
      assert_true(at.k < 400);
    }
  at.k = 0;
  assert_true(refusals > 20);
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

#define CLAIM(test) cmocka_unit_test_teardown(test, tell_where)

int main(void) {
  const struct CMUnitTest tests[] = {
      CLAIM(a_snapshot_is_taken_and_the_log_trimmed_or_nothing_has_changed),
      CLAIM(a_snapshot_is_fetched_and_merged_or_nothing_has_changed),
      CLAIM(a_snapshot_is_served_now_or_later),
      CLAIM(what_was_merged_is_recovered_now_or_at_the_next_open),
  };
  return cmocka_run_group_tests(tests, allocate, release) != 0;
}
