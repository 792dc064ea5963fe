/* What snapshots cost and save: puts beside one that is taken against puts without, in turns; the longest step;
 * an open with and without one; what is left on the disk. Times are CPU time of this process, that of its fsyncs
 * with it, waiting for the disk not: believe the ratios.
 *
 *   snapshots [DIR]    DIR: default a new one in build/, removed. About 600 MB.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/sync.h"
#include "posix/posix_env.h"

#define KEYS UINT64_C(1000000)
#define STEP UINT64_C(829347851) /* shares no divisor with KEYS */
#define KEY_BYTES 16u
#define VALUE_BYTES 100u
#define TURN_PUTS 100u    /* one turn of the loop, a millisecond at 100,000 a second */
#define TRIM_TURNS 20000u /* till the log behind it is gone */
#define ROUNDS 5u         /* with and without, in turns */

static const char cluster_id[SYNC_CLUSTER_ID_BYTES + 1] = "snapshots-------";
static uint8_t value[VALUE_BYTES];

struct bench {
  struct sync_posix *posix;
  struct sync_engine *engine;
  struct sync_env env;
  uint64_t next; /* number of the next put */
};

static void die(const char *what, const char *why) {
  fprintf(stderr, "snapshots: %s: %s\n", what, why);
  exit(1);
}
static void must(int status, const char *what) {
  if (status != SYNC_OK) die(what, sync_status_message(status));
}
static uint64_t cpu_ns(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) die("clock", strerror(errno));
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* The engine's clock is one that the bench moves: a millisecond a turn. */
static uint64_t bench_now_ns = 1000000;
static uint64_t bench_mono(void *ctx) {
  (void)ctx;
  return bench_now_ns;
}
static struct sync_env_ops bench_ops;

static void bench_open(struct bench *bench, const char *directory, uint64_t snapshot_bytes, uint64_t *open_ns) {
  struct sync_posix_options options = {.directory = directory, .create = true, .fsync_mode = SYNC_POSIX_FSYNC_INLINE};
  must(sync_posix_open(&bench->posix, &options), directory);
  bench->env = *sync_posix_env(bench->posix);
  bench_ops = *bench->env.ops;
  bench_ops.mono_ns = bench_mono;
  bench->env.ops = &bench_ops;
  struct sync_options engine = {
      .node_id = "bench", .store_bytes_max = UINT64_C(4) << 30, .snapshot_bytes = snapshot_bytes};
  memcpy(engine.cluster_id, cluster_id, SYNC_CLUSTER_ID_BYTES);
  uint64_t before = cpu_ns();
  must(sync_open(&bench->engine, &bench->env, &engine, NULL), "open");
  if (open_ns != NULL) *open_ns = cpu_ns() - before;
}
static void bench_close(struct bench *bench) {
  sync_close(bench->engine);
  sync_posix_close(bench->posix);
}

static void complete(struct bench *bench) {
  uint64_t token;
  int result;
  while (sync_posix_next_completion(bench->posix, &token, &result))
    must(sync_disk_done(bench->engine, token, result), "disk");
}
static struct sync_stats stats_of(const struct bench *bench) {
  struct sync_stats stats;
  sync_stats_get(bench->engine, &stats);
  return stats;
}

static void put(struct bench *bench) {
  uint8_t key[KEY_BYTES] = "key-";
  uint64_t number = bench->next++ * STEP % KEYS;
  for (size_t at = KEY_BYTES; at-- > 4; number /= 10)
    key[at] = (uint8_t)('0' + number % 10);
  must(sync_put(bench->engine, key, sizeof key, value, sizeof value, NULL), "put");
}

/* A turn: puts, then what is due. Gives the CPU time of it, and of the tick alone. */
static uint64_t turn(struct bench *bench, uint64_t *tick_ns) {
  uint64_t begin = cpu_ns();
  for (unsigned i = 0; i < TURN_PUTS; i++)
    put(bench);
  must(sync_flush(bench->engine), "flush");
  uint64_t middle = cpu_ns();
  bench_now_ns += 1000000;
  must(sync_tick(bench->engine, NULL), "tick");
  uint64_t end = cpu_ns();
  *tick_ns = end - middle;
  complete(bench);
  return end - begin;
}

static void fill(struct bench *bench) {
  uint64_t tick_ns;
  for (uint64_t i = 0; i < KEYS / TURN_PUTS; i++)
    (void)turn(bench, &tick_ns);
}

static int by_number(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static void beside(struct bench *bench) {
  static uint64_t ticks[1000000];
  uint64_t with_ns = 0, without_ns = 0, with_turns = 0, without_turns = 0, tick_ns;
  for (unsigned round = 0; round < ROUNDS; round++) {
    uint64_t taken = stats_of(bench).snapshots, first = with_turns;
    must(sync_snapshot(bench->engine), "snapshot");
    while (stats_of(bench).snapshots == taken && with_turns < sizeof ticks / sizeof *ticks) {
      with_ns += turn(bench, &tick_ns);
      ticks[with_turns++] = tick_ns;
    }
    for (uint64_t i = first; i < with_turns; i++, without_turns++)
      without_ns += turn(bench, &tick_ns);
  }
  qsort(ticks, with_turns, sizeof *ticks, by_number);
  uint64_t with = with_ns / (with_turns * TURN_PUTS), without = without_ns / (without_turns * TURN_PUTS);
  uint64_t budget = 1000000 / TURN_PUTS; /* ns of a put at 100,000 a second */
  printf("%" PRIu64 " keys, value of %u bytes; a snapshot takes %" PRIu64 " turns of %u puts\n", KEYS, VALUE_BYTES,
         with_turns / ROUNDS, TURN_PUTS);
  printf("  a put: %" PRIu64 " ns; %" PRIu64 " ns with its share of the snapshot, at 100,000 a second\n", without,
         with);
  printf("  %3" PRIu64 ".%01" PRIu64 " %% of the time goes into the snapshot then\n",
         (with - without) * 1000 / budget / 10, (with - without) * 1000 / budget % 10);
  /* The one that ends a snapshot has the inline fsync of all of its file in it. */
  printf("  a step: half of them within %" PRIu64 " us, all but %u of %" PRIu64 " within %" PRIu64
         " us, the longest %" PRIu64 " us\n",
         ticks[with_turns / 2] / 1000, ROUNDS, with_turns, ticks[with_turns - 1 - ROUNDS] / 1000,
         ticks[with_turns - 1] / 1000);
}

static uint64_t directory_bytes(const char *directory) {
  uint64_t bytes = 0;
  DIR *stream = opendir(directory);
  if (!stream) die(directory, strerror(errno));
  for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
    struct stat status;
    if (fstatat(dirfd(stream), entry->d_name, &status, 0) == 0 && S_ISREG(status.st_mode))
      bytes += (uint64_t)status.st_size;
  }
  closedir(stream);
  return bytes;
}
static void remove_directory(const char *directory) {
  DIR *stream = opendir(directory);
  if (!stream) return;
  for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
    (void)unlinkat(dirfd(stream), entry->d_name, 0);
  closedir(stream);
  rmdir(directory);
}

int main(int argc, char **argv) {
  char made[] = "build/snapshots-XXXXXX", path[512];
  if (argc > 2) {
    fprintf(stderr, "usage: snapshots [DIR]\n");
    return 2;
  }
  const char *directory = argc == 2 ? argv[1] : mkdtemp(made);
  if (directory == NULL) die("build/", strerror(errno));
  (void)snprintf(path, sizeof path, "%s/engine", directory);
  memset(value, 'v', sizeof value);
  struct bench bench = {0};
  uint64_t plain_ns = 0, based_ns = 0;
  bench_open(&bench, path, UINT64_MAX, NULL);
  fill(&bench);
  bench_close(&bench);
  uint64_t plain_bytes = directory_bytes(path);
  for (int i = 0; i < 3; i++) {
    uint64_t ns;
    bench_open(&bench, path, UINT64_MAX, &ns);
    if (plain_ns == 0 || ns < plain_ns) plain_ns = ns;
    if (i < 2) bench_close(&bench);
  }
  beside(&bench);
  uint64_t tick_ns, taken = stats_of(&bench).snapshots;
  must(sync_snapshot(bench.engine), "snapshot");
  for (unsigned i = 0; stats_of(&bench).snapshots == taken || i < TRIM_TURNS; i++) {
    bench_now_ns += 1000000;
    must(sync_tick(bench.engine, NULL), "tick");
    complete(&bench);
  }
  (void)turn(&bench, &tick_ns);
  uint64_t snapshot_bytes = stats_of(&bench).snapshot_bytes;
  bench_close(&bench);
  for (int i = 0; i < 3; i++) {
    uint64_t ns;
    bench_open(&bench, path, UINT64_MAX, &ns);
    if (based_ns == 0 || ns < based_ns) based_ns = ns;
    bench_close(&bench);
  }
  printf("  open: %" PRIu64 " ms by replaying a million operations, %" PRIu64 " ms with a snapshot of a million keys\n",
         plain_ns / 1000000, based_ns / 1000000);
  printf("  on disk: %" PRIu64 " MB for a million operations; %" PRIu64 " MB with a snapshot, which is %" PRIu64
         " MB: %" PRIu64 " bytes a key, of which %u are its key and value\n",
         plain_bytes / 1000000, directory_bytes(path) / 1000000, snapshot_bytes / 1000000, snapshot_bytes / KEYS,
         KEY_BYTES + VALUE_BYTES);
  remove_directory(path);
  if (argc < 2) rmdir(directory);
  return 0;
}
