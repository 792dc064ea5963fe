/* Durable submits per second on a real disk, beside bare append + fdatasync of
 * records of 136 bytes in the same directory, in alternating rounds, because
 * disks drift: believe the ratios, not the absolute numbers. Then a writer that
 * never waits: puts go on while fsyncs are in flight.
 *
 *   durable_submits [DIR [ROUNDS]]    DIR: default a new one in build/, removed
 */
#define _FILE_OFFSET_BITS 64

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "core/sync.h"
#include "posix/posix_env.h"

#define RECORD_BYTES 136u
#define KEY_BYTES 16u
#define VALUE_BYTES 100u
#define KEYS 10000u
#define BATCH_MAX 64u
#define ROUNDS_MAX 64u
#define TMPFS_TYPE 0x01021994L

struct workload {
  const char *name;
  uint32_t batch;
  uint32_t batches_per_round;
};
static const struct workload workloads[] = {{"batches of 1", 1, 4000}, {"batches of 64", 64, 3000}};
#define WORKLOADS (sizeof workloads / sizeof *workloads)

enum contender { BARE = 0, ENGINE_INLINE = 1, ENGINE_THREAD = 2, CONTENDERS = 3 };
static const char *const contender_names[CONTENDERS] = {"append + fdatasync", "engine, fsync inline",
                                                        "engine, fsync thread"};

static void die(const char *what, const char *why) {
  fprintf(stderr, "durable_submits: %s: %s\n", what, why);
  exit(1);
}

static void must(int status, const char *what) {
  if (status != SYNC_OK) die(what, sync_status_message(status));
}

static uint64_t now_ns(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_MONOTONIC, &now) != 0) die("clock", strerror(errno));
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* Removes the plain files of a directory, and the directory. */
static void remove_directory(const char *path) {
  DIR *stream = opendir(path);
  if (!stream) return;
  for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
    if (entry->d_name[0] != '.') unlinkat(dirfd(stream), entry->d_name, 0);
  }
  closedir(stream);
  rmdir(path);
}

/* --- The contenders: each returns the nanoseconds of one round ------------------ */

static uint64_t bare_round(const char *path, const struct workload *load) {
  int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) die(path, strerror(errno));
  uint8_t records[RECORD_BYTES * BATCH_MAX];
  memset(records, 'r', sizeof records);
  off_t end = 0;
  uint64_t begin = now_ns();
  for (uint32_t i = 0; i < load->batches_per_round; i++) {
    size_t size = (size_t)RECORD_BYTES * load->batch;
    if (pwrite(file, records, size, end) != (ssize_t)size) die(path, strerror(errno));
    end += (off_t)size;
    if (fdatasync(file) != 0) die(path, strerror(errno));
  }
  uint64_t elapsed = now_ns() - begin;
  close(file);
  unlink(path);
  return elapsed;
}

static void wait_until_durable(struct sync_posix *posix, struct sync_engine *engine, uint64_t position) {
  must(sync_commit(engine), "commit");
  while (sync_durable_position(engine) < position) {
    struct pollfd completions = {.fd = sync_posix_poll_fd(posix), .events = POLLIN};
    if (poll(&completions, 1, 1000) < 0 && errno != EINTR) die("poll", strerror(errno));
    uint64_t token;
    int result;
    while (sync_posix_next_completion(posix, &token, &result))
      must(sync_disk_done(engine, token, result), "fsync");
    struct sync_tick_report report;
    must(sync_tick(engine, &report), "tick");
  }
}

static uint64_t engine_round(const char *path, const struct workload *load, enum sync_posix_fsync_mode mode,
                             uint64_t *log_bytes) {
  struct sync_posix *posix;
  struct sync_posix_options posix_options = {.directory = path, .create = true, .fsync_mode = mode};
  must(sync_posix_open(&posix, &posix_options), path);
  struct sync_options options = {0};
  sync_options_durable(&options);
  options.node_id = "bench";
  memcpy(options.cluster_id, "durable_submits-", SYNC_CLUSTER_ID_BYTES);
  struct sync_engine *engine;
  must(sync_open(&engine, sync_posix_env(posix), &options, NULL), "open");
  uint8_t value[VALUE_BYTES];
  memset(value, 'v', sizeof value);
  uint64_t serial = 0;
  uint64_t begin = now_ns();
  for (uint32_t i = 0; i < load->batches_per_round; i++) {
    struct sync_receipt receipt = {0};
    for (uint32_t j = 0; j < load->batch; j++) {
      char key[KEY_BYTES + 1];
      snprintf(key, sizeof key, "key-%012" PRIu64, serial++ % KEYS);
      must(sync_put(engine, key, KEY_BYTES, value, sizeof value, &receipt), "put");
    }
    wait_until_durable(posix, engine, receipt.position);
  }
  uint64_t elapsed = now_ns() - begin;
  struct sync_stats stats;
  sync_stats_get(engine, &stats);
  *log_bytes = stats.log_bytes;
  sync_close(engine);
  sync_posix_close(posix);
  remove_directory(path);
  return elapsed;
}

/* --- Steady: a writer that never waits ------------------------------------------------- */

#define STEADY_FSYNCS 200u /* one round lasts for so many, or so many puts */
#define STEADY_PUTS_MAX 400000u
#define STEADY_TICK_EVERY 64u

/* Summed over rounds. */
struct steady {
  uint64_t submitted, promised, fsyncs;
  uint64_t lag_max; /* fsyncs completed between a put and its promise */
};

static void steady_take(struct sync_posix *posix, struct sync_engine *engine, const uint64_t *positions,
                        const uint64_t *completed, uint64_t puts, struct steady *round) {
  uint64_t token;
  int result;
  while (sync_posix_next_completion(posix, &token, &result)) {
    must(sync_disk_done(engine, token, result), "fsync");
    round->fsyncs++;
    if (round->promised < puts && round->fsyncs - completed[round->promised] > round->lag_max)
      round->lag_max = round->fsyncs - completed[round->promised];
    while (round->promised < puts && positions[round->promised] <= sync_durable_position(engine))
      round->promised++;
  }
}

/* The loop of the embedding guide; what is promised is counted at the moment at
 * which the writer stops, so that waiting for the rest hides nothing. */
static void steady_round(const char *path, struct steady *sum) {
  static uint64_t positions[STEADY_PUTS_MAX], completed[STEADY_PUTS_MAX];
  struct sync_posix *posix;
  struct sync_posix_options posix_options = {.directory = path, .create = true};
  must(sync_posix_open(&posix, &posix_options), path);
  struct sync_options options = {.node_id = "bench"};
  memcpy(options.cluster_id, "durable_submits-", SYNC_CLUSTER_ID_BYTES);
  struct sync_engine *engine;
  must(sync_open(&engine, sync_posix_env(posix), &options, NULL), "open");
  uint8_t value[VALUE_BYTES];
  memset(value, 'v', sizeof value);
  struct steady round = {0};
  uint64_t puts = 0;
  while (puts < STEADY_PUTS_MAX && round.fsyncs < STEADY_FSYNCS) {
    steady_take(posix, engine, positions, completed, puts, &round);
    for (uint32_t i = 0; i < STEADY_TICK_EVERY && puts < STEADY_PUTS_MAX; i++) {
      char key[KEY_BYTES + 1];
      snprintf(key, sizeof key, "key-%012" PRIu64, puts % KEYS);
      struct sync_receipt receipt = {0};
      must(sync_put(engine, key, KEY_BYTES, value, sizeof value, &receipt), "put");
      positions[puts] = receipt.position;
      completed[puts++] = round.fsyncs;
    }
    struct sync_tick_report report;
    must(sync_tick(engine, &report), "tick");
  }
  sync_close(engine);
  sync_posix_close(posix);
  remove_directory(path);
  sum->submitted += puts;
  sum->promised += round.promised;
  sum->fsyncs += round.fsyncs;
  if (round.lag_max > sum->lag_max) sum->lag_max = round.lag_max;
}

static void print_steady(const struct steady *steady) {
  uint64_t promised = steady->submitted != 0 ? steady->promised * 1000 / steady->submitted : 0;
  printf("steady: %" PRIu64 " of %" PRIu64 " submits promised while the writer never waited (0.%03" PRIu64 "), %" PRIu64
         " fsyncs, ",
         steady->promised, steady->submitted, promised > 999 ? 999 : promised, steady->fsyncs);
  if (steady->promised == 0) {
    printf("none of them promised anything\n");
    return;
  }
  uint64_t each = steady->fsyncs * 1000000 / steady->promised;
  printf("%" PRIu64 ".%06" PRIu64 " for each promise, at most %" PRIu64 " from a put to its promise\n", each / 1000000,
         each % 1000000, steady->lag_max);
}

/* --- Report -------------------------------------------------------------------------- */

struct result {
  uint64_t ns[CONTENDERS][ROUNDS_MAX];
  uint64_t log_bytes;
};

static int compare_u64(const void *a, const void *b) {
  uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;
  return (left > right) - (left < right);
}

static uint64_t median(const uint64_t *values, uint32_t count) {
  uint64_t sorted[ROUNDS_MAX];
  memcpy(sorted, values, count * sizeof *values);
  qsort(sorted, count, sizeof *sorted, compare_u64);
  return sorted[count / 2];
}

/* Thousandths of the bare speed, the median over rounds of each round's ratio. */
static uint64_t ratio_thousandths(const struct result *result, enum contender contender, uint32_t rounds) {
  uint64_t ratios[ROUNDS_MAX] = {0};
  for (uint32_t i = 0; i < rounds; i++)
    ratios[i] = result->ns[BARE][i] * 1000 / result->ns[contender][i];
  return median(ratios, rounds);
}

static void print_results(const struct result *results, uint32_t rounds) {
  for (size_t w = 0; w < WORKLOADS; w++) {
    uint64_t ops = (uint64_t)workloads[w].batch * workloads[w].batches_per_round;
    for (int c = 0; c < CONTENDERS; c++) {
      uint64_t ratio = ratio_thousandths(&results[w], (enum contender)c, rounds);
      uint64_t per_s = ops * UINT64_C(1000000000) / median(results[w].ns[c], rounds);
      printf("%" PRIu64 ".%03" PRIu64 " of bare  %8" PRIu64 " submits/s  %-13s  %s\n", ratio / 1000, ratio % 1000,
             per_s, workloads[w].name, contender_names[c]);
    }
    printf("               %8" PRIu64 " log bytes for each submit of %u bytes\n", results[w].log_bytes / ops,
           KEY_BYTES + VALUE_BYTES);
  }
}

int main(int argc, char **argv) {
  unsigned long rounds = argc == 3 ? strtoul(argv[2], NULL, 10) : 5;
  if (argc > 3 || rounds < 1 || rounds > ROUNDS_MAX) {
    fprintf(stderr, "usage: durable_submits [DIR [ROUNDS]], 1 to %u rounds\n", ROUNDS_MAX);
    return 2;
  }
  char fresh[] = "build/durable_submits-XXXXXX";
  if (argc < 2) {
    if (mkdir("build", 0777) != 0 && errno != EEXIST) die("build", strerror(errno));
    if (!mkdtemp(fresh)) die(fresh, strerror(errno));
  }
  const char *directory = argc >= 2 ? argv[1] : fresh;
  char bare_path[512], engine_path[512];
  if (snprintf(bare_path, sizeof bare_path, "%s/bare", directory) >= (int)sizeof bare_path ||
      snprintf(engine_path, sizeof engine_path, "%s/engine", directory) >= (int)sizeof engine_path) {
    die(directory, "the path is too long");
  }
  struct statfs about;
  if (statfs(directory, &about) != 0) die(directory, strerror(errno));
  if ((long)about.f_type == TMPFS_TYPE) printf("note: %s is in memory: fsync costs nothing there\n", directory);

  static struct result results[WORKLOADS];
  struct steady steady = {0};
  for (uint32_t round = 0; round < rounds; round++) {
    for (size_t w = 0; w < WORKLOADS; w++) {
      results[w].ns[BARE][round] = bare_round(bare_path, &workloads[w]);
      results[w].ns[ENGINE_INLINE][round] =
          engine_round(engine_path, &workloads[w], SYNC_POSIX_FSYNC_INLINE, &results[w].log_bytes);
      results[w].ns[ENGINE_THREAD][round] =
          engine_round(engine_path, &workloads[w], SYNC_POSIX_FSYNC_THREAD, &results[w].log_bytes);
    }
  }
  for (uint32_t round = 0; round < rounds; round++)
    steady_round(engine_path, &steady);
  print_results(results, (uint32_t)rounds);
  print_steady(&steady);
  if (argc < 2) remove_directory(fresh);
  return 0;
}
