/* The loop of docs/embedding.md as it is written there, under load, on a real
 * disk: the writer never waits, and the durable position follows. Then the
 * process is killed, and what was promised is there.
 */
#define _FILE_OFFSET_BITS 64

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sync.h"
#include "posix/posix_env.h"
#include "tests/support/temp_directory.h"

#define PUTS_MAX 2000000u
#define TICK_EVERY 64u
/* The fsync in flight and the next; four segments and their names (WAL_UNSYNCED_MAX). */
#define FSYNCS_ALLOWED 7u

/* What the writer's process has seen so far; shared with the test. */
struct progress {
  uint64_t puts, promised, fsyncs;
  uint64_t most_fsyncs;              /* completed between a put and its promise */
  uint64_t promised_while_in_flight; /* promises found while another fsync was under way */
  uint64_t incarnation;              /* of the life that writes */
  int status;                        /* the first error */
};
static struct progress *shared;

static struct sync_engine *open_node(const char *directory, enum sync_posix_fsync_mode mode, uint64_t segment_bytes,
                                     struct sync_posix **posix, struct sync_open_report *report) {
  struct sync_posix_options where = {.directory = directory, .create = true, .fsync_mode = mode};
  struct sync_options options = {.node_id = "alpha", .cluster_id = "my-cluster", .segment_bytes = segment_bytes};
  struct sync_engine *engine = NULL;
  if (sync_posix_open(posix, &where) != SYNC_OK) return NULL;
  int status = sync_open(&engine, sync_posix_env(*posix), &options, report);
  if (status != SYNC_OK) fprintf(stderr, "open: %s %s\n", sync_status_message(status), report->detail);
  return engine;
}

static size_t key_of(uint64_t number, char key[24]) {
  return (size_t)snprintf(key, 24, "key-%012llu", (unsigned long long)number);
}

/* Positions of puts that are not promised yet, by number; and how many fsyncs
 * had been completed at the put. */
static uint64_t positions[PUTS_MAX];
static uint64_t completed_at[PUTS_MAX];

static void take_completions(struct sync_posix *posix, struct sync_engine *engine) {
  uint64_t token;
  int result;
  while (shared->status == SYNC_OK && sync_posix_next_completion(posix, &token, &result)) {
    shared->status = sync_disk_done(engine, token, result);
    shared->fsyncs++;
    uint64_t durable = sync_durable_position(engine);
    uint64_t promised = shared->promised;
    while (promised < shared->puts && positions[promised] <= durable) {
      uint64_t fsyncs = shared->fsyncs - completed_at[promised];
      if (fsyncs > shared->most_fsyncs) shared->most_fsyncs = fsyncs;
      promised++;
    }
    /* What waits must not have waited too long either. */
    if (promised < shared->puts && shared->fsyncs - completed_at[promised] > shared->most_fsyncs)
      shared->most_fsyncs = shared->fsyncs - completed_at[promised];
    if (promised > shared->promised && durable < sync_appended_position(engine)) shared->promised_while_in_flight++;
    shared->promised = promised;
  }
}

/* Writes until so many fsyncs are done, and then until it is killed. */
static void write_for_ever(const char *directory, enum sync_posix_fsync_mode mode, uint64_t segment_bytes) {
  struct sync_posix *posix = NULL;
  struct sync_open_report report = {0};
  struct sync_engine *engine = open_node(directory, mode, segment_bytes, &posix, &report);
  if (engine == NULL) _exit(1);
  uint8_t *frame = malloc(sync_frame_bytes_max(engine));
  if (frame == NULL) _exit(1);
  while (shared->status == SYNC_OK && shared->puts < PUTS_MAX) {
    /* 1. completions */
    take_completions(posix, engine);
    /* 3. your writes */
    for (uint32_t i = 0; i < TICK_EVERY && shared->status == SYNC_OK && shared->puts < PUTS_MAX; i++) {
      char key[24];
      size_t size = key_of(shared->puts % 5000, key);
      struct sync_receipt receipt;
      uint64_t number = shared->puts;
      shared->status = sync_put(engine, key, size, &number, sizeof number, &receipt);
      positions[number] = receipt.position;
      shared->incarnation = receipt.dot.origin.incarnation;
      completed_at[number] = shared->fsyncs;
      if (shared->status == SYNC_OK) shared->puts++;
    }
    /* 4. time */
    struct sync_tick_report ticked;
    if (shared->status == SYNC_OK) shared->status = sync_tick(engine, &ticked);
    /* 5. frames out */
    uint32_t peer;
    size_t size;
    while (shared->status == SYNC_OK &&
           sync_next_frame(engine, &peer, frame, sync_frame_bytes_max(engine), &size) == SYNC_OK)
      continue;
  }
  for (;;) /* waits for its end */
    pause();
}

static void wait_for_fsyncs(uint64_t fsyncs) {
  for (int i = 0; i < 20000; i++) {
    const volatile struct progress *seen = shared;
    if (seen->fsyncs >= fsyncs || seen->status != SYNC_OK || seen->puts >= PUTS_MAX) return;
    usleep(1000);
  }
}

static void check_what_is_there(const char *directory, enum sync_posix_fsync_mode mode, uint64_t segment_bytes) {
  struct sync_posix *posix = NULL;
  struct sync_open_report report = {0};
  struct sync_engine *engine = open_node(directory, mode, segment_bytes, &posix, &report);
  assert_non_null(engine);
  /* In the log, or in a snapshot behind which it was cut. */
  assert_true(sync_holds(engine, "alpha", shared->incarnation, shared->promised));
  assert_true(report.base_position > 0 || report.recovered_ops >= shared->promised);
  /* The newest promised number of each key, or a later one, is what it reads. */
  for (uint64_t number = shared->promised > 5000 ? shared->promised - 5000 : 0; number < shared->promised; number++) {
    char key[24];
    uint64_t value = 0;
    struct sync_sibling winner;
    assert_int_equal(sync_get(engine, key, key_of(number % 5000, key), &winner), SYNC_OK);
    assert_int_equal(winner.value_size, sizeof value);
    memcpy(&value, winner.value, sizeof value);
    assert_true(value % 5000 == number % 5000 && value >= number);
  }
  sync_close(engine);
  sync_posix_close(posix);
}

static void run(enum sync_posix_fsync_mode mode, uint64_t segment_bytes) {
  struct temp_directory directory;
  temp_directory_init(&directory);
  char node[TEMP_DIRECTORY_BYTES];
  (void)temp_directory_file(&directory, "node", node, sizeof node);
  memset(shared, 0, sizeof *shared);
  pid_t writer = fork();
  assert_true(writer >= 0);
  if (writer == 0) {
    write_for_ever(node, mode, segment_bytes);
    _exit(0);
  }
  wait_for_fsyncs(60);
  assert_int_equal(kill(writer, SIGKILL), 0);
  int ended;
  assert_int_equal(waitpid(writer, &ended, 0), writer);
  assert_true(WIFSIGNALED(ended));
  print_message("%llu puts, %llu promised by %llu fsyncs, at most %llu from a put to its promise\n",
                (unsigned long long)shared->puts, (unsigned long long)shared->promised,
                (unsigned long long)shared->fsyncs, (unsigned long long)shared->most_fsyncs);
  assert_int_equal(shared->status, SYNC_OK);
  assert_true(shared->fsyncs > FSYNCS_ALLOWED && shared->promised > 0);
  assert_true(shared->most_fsyncs <= FSYNCS_ALLOWED);
  check_what_is_there(node, mode, segment_bytes);
  temp_directory_deinit(&directory);
}

static void the_durable_position_follows_a_writer_that_never_waits(void **state) {
  (void)state;
  run(SYNC_POSIX_FSYNC_THREAD, 0);
  assert_true(shared->promised_while_in_flight > 0);
}

static void it_follows_over_small_segments_too(void **state) {
  (void)state;
  run(SYNC_POSIX_FSYNC_THREAD, 32768);
}

static void it_follows_when_fsyncs_are_done_within_the_request(void **state) {
  (void)state;
  run(SYNC_POSIX_FSYNC_INLINE, 0);
}

int main(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) return 1;
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_durable_position_follows_a_writer_that_never_waits),
      cmocka_unit_test(it_follows_over_small_segments_too),
      cmocka_unit_test(it_follows_when_fsyncs_are_done_within_the_request),
  };
  return cmocka_run_group_tests_name("steady_loop", tests, NULL, NULL) != 0;
}
