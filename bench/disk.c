/* Simulated disk operations per CPU second, beside a memcpy of the same bytes:
 * appends of 136 bytes with an fsync each 64, overwrites and reads of 4 KiB at
 * random in a small and in a large file, renames with fsync of the directory.
 * Usage: disk [ROUNDS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/sim.h"

#define ROUNDS_MAX 101u
#define APPENDS 65536u
#define APPEND_BYTES 136u
#define BATCH 64u
#define BLOCKS 16384u
#define BLOCK_BYTES 4096u
#define SMALL_BYTES (UINT64_C(1) << 20)
#define LARGE_BYTES (UINT64_C(64) << 20)
#define RENAMES 8192u

struct bench {
  struct sim *sim;
  struct sim_world *world;
  const struct sync_env *env;
  uint64_t completions, requests;
  uint64_t random;
  uint8_t block[BLOCK_BYTES];
};

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

static void must(bool held, const char *what) {
  if (held) return;
  fprintf(stderr, "bench/disk: %s\n", what);
  exit(1);
}

/* --- A node that does what the bench tells it -------------------------------------- */

static void *boot(struct sim_node *node, const void *config) {
  struct bench *bench;
  memcpy(&bench, config, sizeof(struct bench *));
  bench->env = sim_node_env(node);
  return bench;
}
static void message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  (void)node, (void)state, (void)from, (void)bytes, (void)size;
}
static void timer(struct sim_node *node, void *state, uint32_t number) {
  (void)node, (void)state, (void)number;
}
static void disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  struct bench *bench = state;
  (void)node, (void)token;
  must(result == SYNC_OK, "fsync");
  bench->completions++;
}
static void stop(struct sim_node *node, void *state) {
  (void)node, (void)state;
}
static const struct sim_node_kind kind = {
    .name = "disk", .boot = boot, .message = message, .timer = timer, .disk_done = disk_done, .stop = stop};

static void begin(struct bench *bench) {
  struct sim_config config = {.source = {.seed = 1}};
  bench->world = sim_world_begin(bench->sim, &config);
  must(bench->world != NULL, "no world");
  must(sim_node_add(bench->world, &kind, &bench, sizeof(struct bench *)) == 1 && sim_node_boot(bench->world, 1),
       "no node");
  bench->completions = bench->requests = 0;
  bench->random = 1;
}

static void enter(struct bench *bench) {
  must(sim_node_enter(bench->world, 1) != NULL, "the node is not up");
}

/* Leaves, and waits for what was requested. */
static void leave(struct bench *bench) {
  must(sim_node_leave(bench->world, 1), "the node went down");
  sim_run(bench->sim, sim_now(bench->world) + 10 * SIM_MS, UINT64_MAX);
  must(bench->completions == bench->requests, "an fsync is missing");
}

static sync_file open_file(struct bench *bench, const char *name) {
  sync_file file;
  must(bench->env->ops->file_open(bench->env->ctx, name, SYNC_OPEN_CREATE, &file) == SYNC_OK, "open");
  return file;
}

static void write_at(struct bench *bench, sync_file file, uint64_t offset, size_t size) {
  size_t done = 0;
  must(bench->env->ops->file_write(bench->env->ctx, file, offset, bench->block, size, &done) == SYNC_OK && done == size,
       "write");
}

static void fsync_file(struct bench *bench, sync_file file) {
  must(bench->env->ops->file_fsync(bench->env->ctx, file, ++bench->requests) == SYNC_OK, "fsync");
}

static uint64_t random_block(struct bench *bench, uint64_t file_bytes) {
  bench->random = bench->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (bench->random >> 33) % (file_bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

/* --- What is measured: CPU ns of one round ------------------------------------------- */

static uint64_t appends(struct bench *bench, uint64_t unused) {
  (void)unused;
  begin(bench);
  enter(bench);
  sync_file file = open_file(bench, "log");
  leave(bench);
  uint64_t start = now_ns();
  for (uint64_t i = 0; i < APPENDS; i += BATCH) {
    enter(bench);
    for (uint64_t j = i; j < i + BATCH; j++)
      write_at(bench, file, j * APPEND_BYTES, APPEND_BYTES);
    fsync_file(bench, file);
    leave(bench);
  }
  return now_ns() - start;
}

static sync_file filled(struct bench *bench, uint64_t bytes) {
  begin(bench);
  enter(bench);
  sync_file file = open_file(bench, "blocks");
  for (uint64_t at = 0; at < bytes; at += BLOCK_BYTES)
    write_at(bench, file, at, BLOCK_BYTES);
  fsync_file(bench, file);
  leave(bench);
  return file;
}

static uint64_t overwrites(struct bench *bench, uint64_t file_bytes) {
  sync_file file = filled(bench, file_bytes);
  uint64_t start = now_ns();
  for (uint64_t i = 0; i < BLOCKS; i += BATCH) {
    enter(bench);
    for (uint64_t j = 0; j < BATCH; j++)
      write_at(bench, file, random_block(bench, file_bytes), BLOCK_BYTES);
    fsync_file(bench, file);
    leave(bench);
  }
  return now_ns() - start;
}

static uint64_t reads(struct bench *bench, uint64_t file_bytes) {
  sync_file file = filled(bench, file_bytes);
  uint64_t start = now_ns();
  enter(bench);
  for (uint64_t i = 0; i < BLOCKS; i++) {
    size_t done = 0;
    int status = bench->env->ops->file_read(bench->env->ctx, file, random_block(bench, file_bytes), bench->block,
                                            BLOCK_BYTES, &done);
    must(status == SYNC_OK && done == BLOCK_BYTES, "read");
  }
  leave(bench);
  return now_ns() - start;
}

static uint64_t renames(struct bench *bench, uint64_t files) {
  char name[40];
  begin(bench);
  enter(bench);
  for (uint64_t i = 0; i < files; i++) {
    (void)snprintf(name, sizeof name, "other-%03llu", (unsigned long long)i);
    bench->env->ops->file_close(bench->env->ctx, open_file(bench, name));
  }
  bench->env->ops->file_close(bench->env->ctx, open_file(bench, "a"));
  leave(bench);
  uint64_t start = now_ns();
  for (uint64_t i = 0; i < RENAMES; i++) {
    enter(bench);
    int status = bench->env->ops->file_rename(bench->env->ctx, i % 2 ? "b" : "a", i % 2 ? "a" : "b");
    must(status == SYNC_OK, "rename");
    must(bench->env->ops->dir_fsync(bench->env->ctx, ++bench->requests) == SYNC_OK, "fsync of the directory");
    leave(bench);
  }
  return now_ns() - start;
}

/* The same bytes to the same places, by memcpy alone. */
static uint64_t copies(struct bench *bench, uint64_t bytes_each) {
  static uint8_t memory[LARGE_BYTES];
  uint64_t count = bytes_each == APPEND_BYTES ? APPENDS : BLOCKS;
  uint64_t start = now_ns();
  for (uint64_t i = 0; i < count; i++) {
    uint64_t at = bytes_each == APPEND_BYTES ? i * APPEND_BYTES : random_block(bench, LARGE_BYTES);
    memcpy(memory + at, bench->block, bytes_each);
    bench->block[i % BLOCK_BYTES] ^= memory[at];
  }
  return now_ns() - start;
}

struct measure {
  const char *name;
  uint64_t (*run)(struct bench *bench, uint64_t argument);
  uint64_t argument, count;
  uint64_t took[ROUNDS_MAX];
};

static struct measure measures[] = {
    {"append of 136 bytes, an fsync each 64", appends, 0, APPENDS, {0}},
    {"overwrite of 4 KiB in 1 MiB", overwrites, SMALL_BYTES, BLOCKS, {0}},
    {"overwrite of 4 KiB in 64 MiB", overwrites, LARGE_BYTES, BLOCKS, {0}},
    {"read of 4 KiB in 1 MiB", reads, SMALL_BYTES, BLOCKS, {0}},
    {"read of 4 KiB in 64 MiB", reads, LARGE_BYTES, BLOCKS, {0}},
    {"rename and fsync of 2 names", renames, 1, RENAMES, {0}},
    {"rename and fsync of 200 names", renames, 199, RENAMES, {0}},
    {"memcpy of 136 bytes", copies, APPEND_BYTES, APPENDS, {0}},
    {"memcpy of 4 KiB into 64 MiB", copies, BLOCK_BYTES, BLOCKS, {0}},
};
enum { APPEND, SMALL_WRITE, LARGE_WRITE, SMALL_READ, LARGE_READ, FEW, MANY, COPY_APPEND, COPY_BLOCK, MEASURES };

static int by_value(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* The median of ratios of what one operation takes, round by round. */
static void tell_ratio(const char *what, int a, int b, uint64_t rounds) {
  uint64_t ratios[ROUNDS_MAX] = {0};
  for (uint64_t i = 0; i < rounds; i++)
    ratios[i] = measures[a].took[i] * measures[b].count * 100u / (measures[b].took[i] + 1u) / measures[a].count;
  qsort(ratios, rounds, sizeof *ratios, by_value);
  uint64_t median = ratios[rounds / 2];
  printf("%-44s %6llu.%02llu\n", what, (unsigned long long)(median / 100u), (unsigned long long)(median % 100u));
}

int main(int argc, char **argv) {
  static struct bench bench;
  struct sim_options options = {.fill = SIM_FILL_NONE};
  uint64_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 9;
  bench.sim = sim_open(&options);
  if (!bench.sim || !rounds || rounds > ROUNDS_MAX) return 2;
  memset(bench.block, 0x5a, sizeof bench.block);
  for (uint64_t round = 0; round < rounds; round++)
    for (int i = 0; i < MEASURES; i++)
      measures[i].took[round] = measures[i].run(&bench, measures[i].argument);
  tell_ratio("overwrite, file of 64 MiB / of 1 MiB", LARGE_WRITE, SMALL_WRITE, rounds);
  tell_ratio("read, file of 64 MiB / of 1 MiB", LARGE_READ, SMALL_READ, rounds);
  tell_ratio("rename, 200 names / 2 names", MANY, FEW, rounds);
  tell_ratio("append / memcpy of 136 bytes", APPEND, COPY_APPEND, rounds);
  tell_ratio("overwrite in 64 MiB / memcpy of 4 KiB", LARGE_WRITE, COPY_BLOCK, rounds);
  tell_ratio("read in 64 MiB / memcpy of 4 KiB", LARGE_READ, COPY_BLOCK, rounds);
  for (int i = 0; i < MEASURES; i++) {
    qsort(measures[i].took, rounds, sizeof *measures[i].took, by_value);
    uint64_t took = measures[i].took[rounds / 2] + 1u;
    printf("%-38s %12llu per CPU second %8llu ns each\n", measures[i].name,
           (unsigned long long)(measures[i].count * SIM_SECOND / took), (unsigned long long)(took / measures[i].count));
  }
  sim_close(bench.sim);
  return 0;
}
