/* The engine beside its peers on a real disk, in one folder and one process, in
 * turns, so that a noisy machine hurts all alike: bare append, LevelDB, LMDB and
 * SQLite in WAL mode, each with its defaults (bench/peers/). Keys of 16 bytes in
 * scattered order, values of 100 that cannot be compressed.
 *
 *  1. Durable puts one by one, each waited for, over 10,000 keys: turns of a tenth
 *     of a second, in another order each round. Puts a second are of all turns;
 *     shares are the median over rounds of each round's, which leaves out rare
 *     stalls (checkpoints) and bursts of noise.
 *  2. The same in batches of 64: one write call, transaction or write batch; for
 *     the engine 64 puts and one wait.
 *  3. OPERATIONS puts without waiting for the disk, over 10,000 and over 1,000,000
 *     keys, in 20 turns, in the batches that are natural and cheap in each store
 *     (printed; SQLite's NORMAL over few keys only: over many it takes a minute).
 *     CPU is that of the whole process until it stands still after a turn, so that
 *     threads of a store count; wall time is that of the turn alone.
 *  4. Bytes for each operation of 116: in the folder after a close, and given to write calls.
 *  5. Opening what 3 wrote over 1,000,000 keys, and reading all of it: the median of
 *     three, each in a process of its own, the page cache warm. The engine reads
 *     its whole log at an open, the others nearly nothing: compare open + scan too.
 *  6. Memory of that process: its peak, and without pages of files.
 *
 * It ends with the goals, met or not; status 0 in either case.
 *
 *   stores [DIR [OPERATIONS [ROUNDS]]]    DIR: default a new one in build/, removed;
 *                                         1000000 operations, 16 rounds. About 1.5 GB.
 */
#define _FILE_OFFSET_BITS 64

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/peers/store.h"

#define FEW_KEYS UINT64_C(10000)
#define MANY_KEYS UINT64_C(1000000)
#define STEP UINT64_C(829347851) /* shares no divisor with the numbers of keys: visits every key once a round */
#define SLICES 20u
#define ROUNDS_MAX 64u
#define TURN_NS UINT64_C(100000000)
#define OPENS 3u
#define CONTENDERS_MAX 8u
#define POOL_BYTES (1u << 20)
#define TMPFS_TYPE 0x01021994L

struct cost {
  uint64_t puts, wall, cpu, written;
};
struct contender {
  const struct store_kind *kind;
  char directory[512];
  void *store;
  uint64_t next; /* put */
  struct cost sum, rounds[ROUNDS_MAX];
  uint64_t disk_bytes;
};
/* One comparison: the first contender is bare append, the second the engine. */
struct field {
  const char *name;
  uint64_t keys;
  uint32_t batch, rounds, count;
  struct contender contenders[CONTENDERS_MAX];
};
enum { BARE = 0, ENGINE = 1, LEVELDB = 2, LMDB = 3, SQLITE = 4 };

static uint8_t pool[POOL_BYTES + VALUE_BYTES];

/* --- Puts ----------------------------------------------------------------------------- */

static void pool_fill(void) {
  uint64_t state = 1;
  for (size_t i = 0; i < sizeof pool; i++) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    pool[i] = (uint8_t)(state >> 56);
  }
}

static void put_make(struct put *put, uint64_t i, uint64_t keys) {
  uint64_t number = i * STEP % keys;
  memcpy(put->key, "key-", 4);
  for (size_t at = KEY_BYTES; at-- > 4; number /= 10)
    put->key[at] = (uint8_t)('0' + number % 10);
  put->value = pool + i * 4099 % POOL_BYTES;
}

static void put_batch(struct contender *contender, uint64_t keys, uint32_t count) {
  static struct put puts[BATCH_MAX];
  for (uint32_t i = 0; i < count; i++)
    put_make(&puts[i], contender->next++, keys);
  contender->kind->write(contender->store, puts, count);
}

/* --- Clocks and counters ------------------------------------------------------------------ */

static uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0) die("clock", strerror(errno));
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

/* The number behind a name in a file of /proc; 0 when there is none. */
static uint64_t proc_number(const char *path, const char *name) {
  char line[256];
  uint64_t number = 0;
  FILE *file = fopen(path, "re");
  if (file == NULL) return 0;
  while (fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) number = strtoull(line + strlen(name), NULL, 10);
  (void)fclose(file);
  return number;
}
static uint64_t bytes_written(void) {
  return proc_number("/proc/self/io", "wchar:");
}

/* Until the threads of a store have nothing left to do: 3 times 5 ms without a tenth of that of CPU time. */
static void stand_still(void) {
  for (int quiet = 0, tries = 0; quiet < 3 && tries < 4000; tries++) {
    uint64_t before = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    quiet = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - before < 500000 ? quiet + 1 : 0;
  }
}

/* --- Folders -------------------------------------------------------------------------------- */

/* Bytes of the plain files of a directory, as the disk has them; they may go. */
static uint64_t directory_bytes(const char *path, bool remove) {
  DIR *stream = opendir(path);
  if (!stream) die(path, strerror(errno));
  uint64_t bytes = 0;
  for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
    struct stat about;
    if (entry->d_name[0] == '.') continue;
    if (fstatat(dirfd(stream), entry->d_name, &about, 0) != 0) die(entry->d_name, strerror(errno));
    bytes += (uint64_t)about.st_blocks * 512;
    if (remove && unlinkat(dirfd(stream), entry->d_name, 0) != 0) die(entry->d_name, strerror(errno));
  }
  closedir(stream);
  if (remove && rmdir(path) != 0) die(path, strerror(errno));
  return bytes;
}

/* What earlier turns left to the kernel is nobody's in the next part. */
static void sync_disk(const char *directory) {
  int file = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0 || syncfs(file) != 0) die(directory, strerror(errno));
  close(file);
}

/* --- Turns ------------------------------------------------------------------------------------ */

static void field_add(struct field *field, const struct store_kind *kind, const char *directory) {
  struct contender *contender = &field->contenders[field->count];
  char name[16];
  (void)snprintf(name, sizeof name, "store-%u", field->count++);
  contender->kind = kind;
  path_write(contender->directory, directory, name);
  if (mkdir(contender->directory, 0777) != 0) die(contender->directory, strerror(errno));
  contender->store = kind->open(kind, contender->directory);
}

/* Puts for TURN_NS, or `puts` of them. */
static void take_turn(const struct field *field, struct contender *contender, uint32_t round, uint64_t puts) {
  struct cost *cost = &contender->rounds[round];
  uint32_t batch = field->batch > 0 ? field->batch : contender->kind->cheap;
  uint64_t first = contender->next, written = bytes_written(), cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  uint64_t begin = clock_ns(CLOCK_MONOTONIC), now = begin;
  while (puts > 0 ? contender->next - first < puts : now - begin < TURN_NS) {
    uint64_t left = puts > 0 ? puts - (contender->next - first) : batch;
    put_batch(contender, field->keys, left < batch ? (uint32_t)left : batch);
    now = clock_ns(CLOCK_MONOTONIC);
  }
  stand_still();
  *cost = (struct cost){.puts = contender->next - first,
                        .wall = now - begin,
                        .cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu,
                        .written = bytes_written() - written};
  contender->sum.puts += cost->puts;
  contender->sum.wall += cost->wall;
  contender->sum.cpu += cost->cpu;
  contender->sum.written += cost->written;
}

static void run_turns(struct field *field, uint64_t puts) {
  for (uint32_t round = 0; round < field->rounds; round++)
    for (uint32_t i = 0; i < field->count; i++)
      take_turn(field, &field->contenders[(i + round) % field->count], round, puts);
}

static void close_stores(struct field *field, const char *directory) {
  for (uint32_t i = 0; i < field->count; i++)
    field->contenders[i].kind->close(field->contenders[i].store);
  sync_disk(directory);
  for (uint32_t i = 0; i < field->count; i++)
    field->contenders[i].disk_bytes = directory_bytes(field->contenders[i].directory, false);
}
static void remove_stores(struct field *field) {
  for (uint32_t i = 0; i < field->count; i++)
    (void)directory_bytes(field->contenders[i].directory, true);
}

/* --- Figures ------------------------------------------------------------------------------------ */

static int compare_doubles(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}
static double median(double *values, uint32_t count) {
  qsort(values, count, sizeof *values, compare_doubles);
  return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static double per_second(uint64_t puts, uint64_t ns) {
  return ns > 0 ? (double)puts * 1e9 / (double)ns : 0;
}
/* The speed of one contender in shares of another's: the median of the rounds. */
static double speed_ratio(const struct field *field, uint32_t one, uint32_t other, bool cpu) {
  double ratios[ROUNDS_MAX] = {0};
  for (uint32_t i = 0; i < field->rounds; i++) {
    const struct cost *a = &field->contenders[one].rounds[i], *b = &field->contenders[other].rounds[i];
    double below = per_second(b->puts, cpu ? b->cpu : b->wall);
    ratios[i] = below > 0 ? per_second(a->puts, cpu ? a->cpu : a->wall) / below : 0;
  }
  return median(ratios, field->rounds);
}
static double for_each_put(const struct contender *contender, uint64_t bytes) {
  return (double)bytes / (double)contender->sum.puts;
}

/* --- Goals ---------------------------------------------------------------------------------------- */

static struct goal {
  const char *what;
  double is, wanted;
  bool at_most;
} goals[16];
static uint32_t goal_count;

static void goal(const char *what, double is, double wanted, bool at_most) {
  goals[goal_count++] = (struct goal){what, is, wanted, at_most};
}
static void print_goals(void) {
  printf("goals of the engine\n");
  for (uint32_t i = 0; i < goal_count; i++) {
    const struct goal *g = &goals[i];
    bool met = g->at_most ? g->is <= g->wanted : g->is >= g->wanted;
    printf("  %-7s  %.*f, %s %.*f: %s\n", met ? "met" : "NOT met", g->wanted >= 10 ? 0 : 2, g->is,
           g->at_most ? "at most" : "at least", g->wanted >= 10 ? 0 : 2, g->wanted, g->what);
  }
}

/* --- 1 and 2: durable ------------------------------------------------------------------------------- */

static void print_durable(const struct field *field) {
  printf("%s: %u rounds\n   puts/s  of bare  of engine  CPU us  written\n", field->name, field->rounds);
  for (uint32_t i = 0; i < field->count; i++) {
    const struct contender *c = &field->contenders[i];
    printf("%9.0f  %7.3f  %9.3f  %6.1f  %7.0f  %s\n", per_second(c->sum.puts, c->sum.wall),
           speed_ratio(field, i, BARE, false), speed_ratio(field, i, ENGINE, false), for_each_put(c, c->sum.cpu) / 1000,
           for_each_put(c, c->sum.written), c->kind->name);
  }
}

static void run_durable(struct field *field, const char *directory) {
  static const struct store_kind *const kinds[] = {&bare_durable, &engine_durable, &leveldb_durable,
                                                   &lmdb_durable, &sqlite_full,    NULL};
  for (const struct store_kind *const *kind = kinds; *kind != NULL; kind++)
    field_add(field, *kind, directory);
  run_turns(field, 0);
  close_stores(field, directory);
  remove_stores(field);
  print_durable(field);
}

static void run_both_durable(const char *directory, uint32_t rounds) {
  static struct field single = {.name = "durable puts one by one, each waited for", .keys = FEW_KEYS, .batch = 1};
  static struct field batches = {.name = "durable puts in batches of 64", .keys = FEW_KEYS, .batch = 64};
  single.rounds = batches.rounds = rounds;
  run_durable(&single, directory);
  run_durable(&batches, directory);
  goal("durable puts one by one, of bare append", speed_ratio(&single, ENGINE, BARE, false), 0.95, false);
  goal("durable batches of 64, of bare append", speed_ratio(&batches, ENGINE, BARE, false), 0.8, false);
  goal("durable batches of 64, of LevelDB's", speed_ratio(&batches, ENGINE, LEVELDB, false), 1.0, false);
}

/* --- 3 and 4: without waiting ------------------------------------------------------------------------- */

static void print_unsynced(const struct field *field, uint64_t operations) {
  printf("%s: %" PRIu64 " puts in %u turns, nobody waits for the disk\n"
         " puts/CPU s  of engine  puts/s  of engine  batch  written  on disk  overhead\n",
         field->name, operations, SLICES);
  for (uint32_t i = 0; i < field->count; i++) {
    const struct contender *c = &field->contenders[i];
    printf("%11.0f  %9.2f %7.0f  %9.2f  %5u  %7.0f  %7.0f  %8.0f  %s\n", per_second(c->sum.puts, c->sum.cpu),
           speed_ratio(field, i, ENGINE, true), per_second(c->sum.puts, c->sum.wall),
           speed_ratio(field, i, ENGINE, false), c->kind->cheap, for_each_put(c, c->sum.written),
           for_each_put(c, c->disk_bytes), for_each_put(c, c->disk_bytes) - PAYLOAD_BYTES, c->kind->name);
  }
}

static void run_unsynced(struct field *field, const char *directory, uint64_t operations) {
  static const struct store_kind *const kinds[] = {
      &bare_unsynced, &engine_unsynced,    &leveldb_unsynced, &lmdb_unsynced,
      &sqlite_off,    &engine_never_waits, &sqlite_normal,    NULL};
  for (const struct store_kind *const *kind = kinds; *kind != NULL; kind++)
    if (*kind != &sqlite_normal || field->keys == FEW_KEYS) field_add(field, *kind, directory);
  field->rounds = SLICES;
  run_turns(field, operations / SLICES);
  close_stores(field, directory);
  print_unsynced(field, operations);
}

/* --- 5 and 6: opening ------------------------------------------------------------------------------------ */

struct opening {
  uint64_t open_wall, open_cpu, scan_wall;
  uint64_t keys;
  uint64_t before_kb, anonymous_kb, peak_kb; /* anonymous: without pages of files */
};

/* In a process of its own, which this program starts as `stores --open NAME DIRECTORY`. */
static int open_one(const struct store_kind *kind, const char *directory) {
  struct opening o = {.before_kb = proc_number("/proc/self/status", "RssAnon:")};
  uint64_t cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID), begin = clock_ns(CLOCK_MONOTONIC);
  void *store = kind->open(kind, directory);
  uint64_t opened = clock_ns(CLOCK_MONOTONIC);
  o.open_cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  o.keys = kind->scan(store);
  o.open_wall = opened - begin;
  o.scan_wall = clock_ns(CLOCK_MONOTONIC) - opened;
  o.anonymous_kb = proc_number("/proc/self/status", "RssAnon:");
  o.peak_kb = proc_number("/proc/self/status", "VmHWM:");
  kind->close(store);
  return write(STDOUT_FILENO, &o, sizeof o) == (ssize_t)sizeof o ? 0 : 1;
}

static struct opening open_elsewhere(const struct contender *contender) {
  int ends[2];
  struct opening o = {0};
  if (pipe(ends) != 0) die("pipe", strerror(errno));
  (void)fflush(stdout);
  pid_t child = fork();
  if (child < 0) die("fork", strerror(errno));
  if (child == 0) {
    if (dup2(ends[1], STDOUT_FILENO) >= 0 && close(ends[0]) == 0)
      (void)execl("/proc/self/exe", "stores", "--open", contender->kind->name, contender->directory, (char *)NULL);
    _exit(127);
  }
  close(ends[1]);
  bool whole = read(ends[0], &o, sizeof o) == (ssize_t)sizeof o;
  close(ends[0]);
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0 || !whole) die(contender->kind->name, "could not be opened");
  return o;
}

static int answer_open(const char *name, const char *directory) {
  static const struct store_kind *const kinds[] = {&engine_unsynced, &leveldb_unsynced, &lmdb_unsynced, &sqlite_off,
                                                   NULL};
  for (const struct store_kind *const *kind = kinds; *kind != NULL; kind++)
    if (strcmp((*kind)->name, name) == 0) return open_one(*kind, directory);
  return 2;
}

#define FIELD_MEDIAN(openings, field)                                                                                  \
  median((double[OPENS]){(double)(openings)[0].field, (double)(openings)[1].field, (double)(openings)[2].field}, OPENS)

static double anonymous_bytes(const struct opening openings[OPENS]) {
  return (FIELD_MEDIAN(openings, anonymous_kb) - FIELD_MEDIAN(openings, before_kb)) * 1024;
}

static void print_opening(const struct contender *contender, const struct opening openings[OPENS]) {
  double open = FIELD_MEDIAN(openings, open_wall) / 1e9, scan = FIELD_MEDIAN(openings, scan_wall) / 1e9;
  printf("%7.3f  %5.3f  %6.3f  %11.3f  %8.1f  %13.1f  %s\n", open, FIELD_MEDIAN(openings, open_cpu) / 1e9, scan,
         open + scan, FIELD_MEDIAN(openings, peak_kb) / 1024, anonymous_bytes(openings) / (1 << 20),
         contender->kind->family);
}

static void run_openings(struct field *field, uint64_t keys) {
  struct opening openings[SQLITE + 1][OPENS];
  for (uint32_t round = 0; round < OPENS; round++)
    for (uint32_t i = ENGINE; i <= SQLITE; i++) {
      openings[i][round] = open_elsewhere(&field->contenders[i]);
      if (openings[i][round].keys != keys) die(field->contenders[i].kind->name, "other keys than were written");
    }
  printf("opening that again, median of %u: seconds, MiB\n"
         "   open  (CPU)  + scan  = both read  MiB peak  without files\n",
         OPENS);
  for (uint32_t i = ENGINE; i <= SQLITE; i++)
    print_opening(&field->contenders[i], openings[i]);
  printf("  %.0f bytes of the engine's memory for a key, its value of %u bytes, and its operation\n",
         anonymous_bytes(openings[ENGINE]) / (double)keys, VALUE_BYTES);
  goal("seconds to open a million operations over a million keys", FIELD_MEDIAN(openings[ENGINE], open_wall) / 1e9, 0.6,
       true);
}

static void run_both_unsynced(const char *directory, uint64_t operations) {
  static struct field few = {.name = "10,000 keys", .keys = FEW_KEYS},
                      many = {.name = "1,000,000 keys", .keys = MANY_KEYS};
  run_unsynced(&few, directory, operations);
  remove_stores(&few);
  run_unsynced(&many, directory, operations);
  const struct contender *in_few = &few.contenders[ENGINE], *in_many = &many.contenders[ENGINE];
  goal("puts a CPU second without fsync over 10,000 keys", per_second(in_few->sum.puts, in_few->sum.cpu), 1e6, false);
  goal("puts a CPU second without fsync over 1,000,000 keys", per_second(in_many->sum.puts, in_many->sum.cpu), 5e5,
       false);
  goal("bytes of overhead on disk for an operation of 116", for_each_put(in_many, in_many->disk_bytes) - PAYLOAD_BYTES,
       24, true);
  run_openings(&many, operations < MANY_KEYS ? operations : MANY_KEYS);
  remove_stores(&many);
}

/* --- All of it ---------------------------------------------------------------------------------------------- */

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "--open") == 0) return answer_open(argv[2], argv[3]);
  unsigned long long operations = argc >= 3 ? strtoull(argv[2], NULL, 10) : 1000000;
  unsigned long rounds = argc == 4 ? strtoul(argv[3], NULL, 10) : 16;
  if (argc > 4 || operations < SLICES || operations % SLICES != 0 || rounds < 1 || rounds > ROUNDS_MAX) {
    fprintf(stderr, "usage: stores [DIR [OPERATIONS [ROUNDS]]], a multiple of %u, 1 to %u\n", SLICES, ROUNDS_MAX);
    return 2;
  }
  char fresh[] = "build/stores-XXXXXX";
  if (argc < 2) {
    if (mkdir("build", 0777) != 0 && errno != EEXIST) die("build", strerror(errno));
    if (!mkdtemp(fresh)) die(fresh, strerror(errno));
  }
  const char *directory = argc >= 2 ? argv[1] : fresh;
  struct statfs about;
  if (statfs(directory, &about) != 0) die(directory, strerror(errno));
  if ((long)about.f_type == TMPFS_TYPE) printf("note: %s is in memory: fsync costs nothing there\n", directory);
  pool_fill();
  run_both_durable(directory, (uint32_t)rounds);
  run_both_unsynced(directory, operations);
  print_goals();
  if (argc < 2 && rmdir(fresh) != 0) die(fresh, strerror(errno));
  return 0;
}
