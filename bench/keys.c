/* Where the time of a put and of an open goes, and how both grow with the
 * number of keys. Three runs go side by side, in slices: the engine; a bare
 * loop that makes the engine's very write calls; and the engine's own parts
 * without the store (encode, parse, judge, append, index of operations). Times
 * are CPU time of this process, fsyncs are made between the slices and not
 * counted: believe the ratios, not the absolute numbers.
 *
 *   keys [DIR]    DIR: default a new one in build/, removed. About 520 MB.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/log/wal.h"
#include "core/state/state.h"
#include "core/sync.h"
#include "posix/posix_env.h"

#define OPERATIONS UINT64_C(1000000)
#define SLICES 20u
#define SLICE (OPERATIONS / SLICES)
#define KEY_BYTES 16u
#define VALUE_BYTES 100u
#define STEP UINT64_C(829347851) /* shares no divisor with the numbers of keys: visits every key once a round */
#define STORE_BYTES_MAX (UINT64_C(4) << 30)
#define FILES_MAX 256u
#define BARE_BYTES (1u << 20) /* the longest write */

static const struct load {
  const char *name;
  uint64_t keys;
  uint64_t step;
} loads[] = {{"10,000 keys, scattered", 10000, STEP},
             {"1,000,000 keys, scattered", 1000000, STEP},
             {"1,000,000 keys, ascending", 1000000, 1}};

static const char cluster_id[SYNC_CLUSTER_ID_BYTES + 1] = "keys------------";
static uint8_t value[VALUE_BYTES];

static void die(const char *what, const char *why) {
  fprintf(stderr, "keys: %s: %s\n", what, why);
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

/* --- Environments that count ------------------------------------------------------ */

struct write_call {
  sync_file file;
  uint32_t size;
  uint64_t offset;
};
struct account {
  uint64_t nominal, real; /* bytes held; real with what malloc adds */
  uint64_t writes, write_bytes;
};
static struct account account;       /* of whoever runs */
static struct write_call *recording; /* of one slice of the engine; NULL: not recorded */
static struct sync_env_ops counted_ops;
static const struct sync_env_ops *plain_ops;

static uint64_t block_real(void *block) {
  return malloc_usable_size(block) + sizeof(size_t);
}
static void *counted_alloc(void *ctx, size_t size, size_t nominal) {
  void *block = plain_ops->alloc(ctx, size, nominal);
  if (block == NULL) return NULL;
  account.nominal += nominal;
  account.real += block_real(block);
  return block;
}
static void counted_free(void *ctx, void *block, size_t size, size_t nominal) {
  if (block != NULL) {
    account.nominal -= nominal;
    account.real -= block_real(block);
  }
  plain_ops->free(ctx, block, size, nominal);
}
static int counted_write(void *ctx, sync_file file, uint64_t offset, const void *bytes, size_t size, size_t *done) {
  if (recording != NULL) {
    /* One a record, and few more: of segments that begin. */
    if (account.writes >= 2 * SLICE) die("engine", "more writes than expected");
    recording[account.writes] = (struct write_call){.file = file, .size = (uint32_t)size, .offset = offset};
  }
  account.writes++;
  account.write_bytes += size;
  return plain_ops->file_write(ctx, file, offset, bytes, size, done);
}

static struct sync_posix *posix_open(const char *directory, const char *name, struct sync_env *env) {
  char path[512];
  if (snprintf(path, sizeof path, "%s/%s", directory, name) >= (int)sizeof path) die(directory, "too long");
  struct sync_posix *posix;
  struct sync_posix_options options = {.directory = path, .create = true, .fsync_mode = SYNC_POSIX_FSYNC_INLINE};
  must(sync_posix_open(&posix, &options), path);
  *env = *sync_posix_env(posix);
  plain_ops = env->ops;
  counted_ops = *plain_ops;
  counted_ops.alloc = counted_alloc;
  counted_ops.free = counted_free;
  counted_ops.file_write = counted_write;
  env->ops = &counted_ops;
  return posix;
}

/* Removes the plain files of a directory, and the directory. */
static void remove_directory(const char *directory, const char *name) {
  char path[512];
  (void)snprintf(path, sizeof path, "%s/%s", directory, name);
  DIR *stream = opendir(path);
  if (!stream) return;
  for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
    (void)unlinkat(dirfd(stream), entry->d_name, 0);
  closedir(stream);
  rmdir(path);
}

static void key_write(uint8_t key[KEY_BYTES], const struct load *load, uint64_t i) {
  uint64_t number = i * load->step % load->keys;
  memcpy(key, "key-", 4);
  for (size_t at = KEY_BYTES; at-- > 4; number /= 10)
    key[at] = (uint8_t)('0' + number % 10);
}

/* --- The engine ------------------------------------------------------------------- */

struct whole {
  struct sync_posix *posix;
  struct sync_env env;
  struct sync_engine *engine;
};

static void whole_open(struct whole *whole, const char *directory) {
  whole->posix = posix_open(directory, "whole", &whole->env);
  struct sync_options options = {.node_id = "bench", .store_bytes_max = STORE_BYTES_MAX};
  memcpy(options.cluster_id, cluster_id, SYNC_CLUSTER_ID_BYTES);
  must(sync_open(&whole->engine, &whole->env, &options, NULL), "open");
}
static void whole_close(struct whole *whole) {
  sync_close(whole->engine);
  sync_posix_close(whole->posix);
}

static uint64_t whole_slice(struct whole *whole, const struct load *load, uint64_t first) {
  uint64_t begin = cpu_ns();
  for (uint64_t i = first; i < first + SLICE; i++) {
    uint8_t key[KEY_BYTES];
    key_write(key, load, i);
    must(sync_put(whole->engine, key, sizeof key, value, sizeof value, NULL), "put");
  }
  return cpu_ns() - begin;
}
static void whole_fsync(struct whole *whole) {
  must(sync_commit(whole->engine), "commit");
  uint64_t token;
  int result;
  while (sync_posix_next_completion(whole->posix, &token, &result))
    must(sync_disk_done(whole->engine, token, result), "fsync");
}

/* --- The write calls alone -------------------------------------------------------- */

struct bare {
  struct sync_posix *posix;
  struct sync_env env;
  sync_file files[FILES_MAX]; /* of the engine's; -1: not opened yet */
  unsigned begun;
  uint8_t *bytes;
};

static void bare_open(struct bare *bare, const char *directory) {
  bare->posix = posix_open(directory, "bare", &bare->env);
  bare->bytes = calloc(1, BARE_BYTES);
  bare->begun = 0;
  if (bare->bytes == NULL) die("bare", "no memory");
  for (size_t i = 0; i < FILES_MAX; i++)
    bare->files[i] = -1;
}

/* A segment begins with its header at offset 0: a new file here too. */
static void bare_begin(struct bare *bare, sync_file engines) {
  char name[32];
  sync_file *file = &bare->files[engines];
  if (*file >= 0) must(plain_ops->file_close(bare->env.ctx, *file), "close");
  (void)snprintf(name, sizeof name, "file-%u", bare->begun++);
  must(plain_ops->file_open(bare->env.ctx, name, SYNC_OPEN_CREATE, file), name);
}

static uint64_t bare_slice(struct bare *bare, uint64_t writes) {
  for (uint64_t i = 0; i < writes; i++)
    if (recording[i].file < 0 || recording[i].file >= (sync_file)FILES_MAX || recording[i].size > BARE_BYTES)
      die("bare", "unlike any write");
  uint64_t begin = cpu_ns();
  for (uint64_t i = 0; i < writes; i++) {
    size_t done = 0;
    const struct write_call *call = &recording[i];
    if (call->offset == 0) bare_begin(bare, call->file);
    must(plain_ops->file_write(bare->env.ctx, bare->files[call->file], call->offset, bare->bytes, call->size, &done),
         "write");
  }
  return cpu_ns() - begin;
}

/* --- The engine's parts without the store ------------------------------------------ */

struct parts {
  struct sync_posix *posix;
  struct sync_env env;
  struct wal *wal;
  struct state state;
  struct operation_limits limits;
  struct origin *own;
  uint64_t incarnation;
  uint64_t replayed;
};

/* Applies all of an operation but its changes. */
static void parts_apply(struct parts *parts, struct operation_view *view, bool append, uint64_t position,
                        uint64_t end) {
  struct state *state = &parts->state;
  if (apply_judge(state, view) != APPLY_READY) die("parts", "an operation is not ready");
  must(oplog_reserve(&state->oplog, parts->own), "reserve");
  if (parts->own == NULL) must(origins_reserve(&state->origins), "reserve");
  if (append) must(wal_append(parts->wal, WAL_OPERATION, view->bytes, view->size, &position, &end), "append");
  if (parts->own == NULL)
    parts->own = origins_add(&state->origins, view->own.node_id, view->own.node_id_size, view->own.incarnation);
  origins_raise(&state->origins, parts->own, view->seq);
  parts->own->hlc = view->hlc;
  oplog_add(&state->oplog, &(struct oplog_entry){.position = position,
                                                 .hash = oplog_hash(view->bytes, view->size),
                                                 .seq = view->seq,
                                                 .origin = parts->own,
                                                 .size = (uint32_t)view->size & OPLOG_SIZE_MASK,
                                                 .head = (uint8_t)(end - position - view->size)});
}

static int parts_replay(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                        size_t size) {
  struct parts *parts = arg;
  if (type != WAL_OPERATION) return SYNC_OK;
  struct operation_view view;
  must(operation_parse(payload, size, &parts->limits, &view), "replay");
  parts_apply(parts, &view, false, position, end);
  parts->replayed++;
  return SYNC_OK;
}

static void parts_open(struct parts *parts, const char *directory) {
  memset(parts, 0, sizeof *parts);
  parts->posix = posix_open(directory, "parts", &parts->env);
  size_t bytes_max = 65536;
  parts->limits = (struct operation_limits){
      .bytes_max = bytes_max, .key_bytes_max = SYNC_KEY_BYTES_MAX, .value_bytes_max = bytes_max, .changes_max = 256};
  state_init(&parts->state, &parts->env, "bench", STORE_BYTES_MAX, bytes_max);
  state_replay(&parts->state);
  struct wal_options options = {.node_id = "bench", .segment_bytes = 4 << 20, .payload_bytes_max = bytes_max};
  memcpy(options.cluster_id, cluster_id, sizeof options.cluster_id);
  struct wal_report report;
  must(wal_open(&parts->wal, &parts->env, &options, parts_replay, parts, &report), "open");
  state_replayed(&parts->state);
  parts->incarnation = parts->env.ops->unique(parts->env.ctx);
}
static void parts_close(struct parts *parts) {
  wal_close(parts->wal);
  state_deinit(&parts->state);
  sync_posix_close(parts->posix);
}

static void parts_put(struct parts *parts, const struct load *load, uint64_t i) {
  uint8_t key[KEY_BYTES];
  uint8_t bytes[KEY_BYTES + VALUE_BYTES + 128];
  key_write(key, load, i);
  struct operation_dot seen = {0, i + 1 - load->keys}; /* what stood under the key a round ago */
  struct operation_change change = {.kind = SYNC_PUT,
                                    .key = key,
                                    .key_size = sizeof key,
                                    .value = value,
                                    .value_size = sizeof value,
                                    .seen = &seen,
                                    .seen_count = i >= load->keys};
  struct operation operation = {.own = {(const uint8_t *)"bench", 5, parts->incarnation},
                                .seq = i + 1,
                                .hlc = parts->env.ops->wall_ns(parts->env.ctx),
                                .hlc_before = parts->own != NULL ? parts->own->hlc : 0,
                                .changes = &change,
                                .change_count = 1};
  size_t size = operation_size(&operation);
  operation_encode(&operation, bytes);
  struct operation_view view;
  must(operation_parse(bytes, size, &parts->limits, &view), "parse");
  parts_apply(parts, &view, true, 0, 0);
  (void)parts->env.ops->mono_ns(parts->env.ctx);
}

static uint64_t parts_slice(struct parts *parts, const struct load *load, uint64_t first) {
  uint64_t begin = cpu_ns();
  for (uint64_t i = first; i < first + SLICE; i++)
    parts_put(parts, load, i);
  return cpu_ns() - begin;
}
static void parts_fsync(struct parts *parts) {
  must(wal_commit(parts->wal), "commit");
  uint64_t token;
  int result;
  bool ours;
  while (sync_posix_next_completion(parts->posix, &token, &result))
    must(wal_disk_done(parts->wal, token, result, &ours), "fsync");
}

/* --- Reading the same bytes ---------------------------------------------------------- */

static volatile uint64_t sink; /* nobody may leave the work out */

/* Reads the files of the log in pieces of 128 KiB and checksums them by the record. */
static void read_file(int file, size_t record_bytes, uint8_t *bytes, size_t capacity) {
  uint64_t sum = 0;
  for (ssize_t got; (got = read(file, bytes, capacity)) > 0;)
    for (size_t at = 0; at < (size_t)got; at += record_bytes)
      sum += checksum64(bytes + at, (size_t)got - at < record_bytes ? (size_t)got - at : record_bytes, at);
  sink += sum;
}

static uint64_t read_ns(const char *directory, size_t record_bytes) {
  static uint8_t bytes[128 * 1024];
  char path[512];
  (void)snprintf(path, sizeof path, "%s/whole", directory);
  DIR *stream = opendir(path);
  if (!stream) die(path, strerror(errno));
  uint64_t begin = cpu_ns();
  for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream)) {
    int file = openat(dirfd(stream), entry->d_name, O_RDONLY | O_CLOEXEC);
    if (file < 0) die(entry->d_name, strerror(errno));
    if (entry->d_name[0] != '.') read_file(file, record_bytes, bytes, sizeof bytes);
    close(file);
  }
  uint64_t elapsed = cpu_ns() - begin;
  closedir(stream);
  return elapsed;
}

/* --- Report ---------------------------------------------------------------------------- */

struct times {
  uint64_t whole, bare, parts, tenth; /* of all puts; of the last tenth of the engine's */
  uint64_t open, open_parts, read;
  struct account of_whole, of_parts;
};

static void print_ratio(const char *what, uint64_t a, uint64_t b) {
  uint64_t hundredths = b > 0 ? a * 100 / b : 0;
  printf("  %6" PRIu64 ".%02" PRIu64 "  %s\n", hundredths / 100, hundredths % 100, what);
}

static void print_share(const char *what, uint64_t part, uint64_t whole) {
  printf("  %7" PRIu64 " ns %4" PRId64 " %%  %s\n", part / OPERATIONS, (int64_t)(part * 100 / whole), what);
}
static uint64_t minus(uint64_t a, uint64_t b) {
  return a > b ? a - b : 0;
}

static void print_times(const struct load *load, const struct times *t) {
  printf("%s, %" PRIu64 " puts: %" PRIu64 " per second, %" PRIu64 " in the last tenth\n", load->name, OPERATIONS,
         OPERATIONS * UINT64_C(1000000000) / t->whole, OPERATIONS / 10 * UINT64_C(1000000000) / t->tenth);
  print_ratio("of the time of its write calls alone", t->whole, t->bare);
  print_ratio("of the time without the store", t->whole, t->parts);
  print_share("a put: write calls", t->bare, t->whole);
  print_share("a put: record, checksum, index of operations, origins", minus(t->parts, t->bare), t->whole);
  print_share("a put: store, and looking what a put replaces", minus(t->whole, t->parts), t->whole);
  printf("  open: %" PRIu64 " ms for a million operations\n", t->open / (OPERATIONS / 1000000) / 1000000);
  print_ratio("of the time of reading and checksumming the same bytes", t->open, t->read);
  print_ratio("of the time of an open without the store", t->open, t->open_parts);
  print_share("an open: reading and checksumming", t->read, t->open);
  print_share("an open: parsing, judging, index of operations", minus(t->open_parts, t->read), t->open);
  print_share("an open: store", minus(t->open, t->open_parts), t->open);
  const struct account *w = &t->of_whole, *p = &t->of_parts;
  printf("  a key of %u bytes with a value of %u: %" PRIu64 " bytes nominal, %" PRIu64 " real\n", KEY_BYTES,
         VALUE_BYTES, minus(w->nominal, p->nominal) / load->keys, minus(w->real, p->real) / load->keys);
  printf("  an operation in the index: %" PRIu64 " bytes nominal, %" PRIu64 " real; %" PRIu64 " in the log\n",
         p->nominal / OPERATIONS, p->real / OPERATIONS, w->write_bytes / OPERATIONS);
}

static void run_puts(const struct load *load, const char *directory, struct times *t) {
  static struct whole whole;
  static struct bare bare;
  static struct parts parts;
  struct account none = {0};
  account = none;
  whole_open(&whole, directory);
  t->of_whole = account;
  account = none;
  parts_open(&parts, directory);
  t->of_parts = account;
  bare_open(&bare, directory);
  for (uint64_t slice = 0; slice < SLICES; slice++) {
    uint64_t written = t->of_whole.write_bytes;
    account = t->of_whole;
    account.writes = 0;
    recording = calloc(2 * SLICE, sizeof *recording);
    if (recording == NULL) die("recording", "no memory");
    memset(recording, 0, 2 * SLICE * sizeof *recording); /* its pages are touched by nobody's clock */
    uint64_t elapsed = whole_slice(&whole, load, slice * SLICE);
    t->of_whole = account;
    t->whole += elapsed;
    if (slice >= SLICES - SLICES / 10) t->tenth += elapsed;
    t->bare += bare_slice(&bare, account.writes);
    free(recording);
    recording = NULL;
    account = t->of_parts;
    t->parts += parts_slice(&parts, load, slice * SLICE);
    /* Without this the comparison is of two different things. */
    if (account.write_bytes - t->of_parts.write_bytes + SLICE < t->of_whole.write_bytes - written ||
        t->of_whole.write_bytes - written + SLICE < account.write_bytes - t->of_parts.write_bytes)
      die("parts", "other bytes than the engine writes");
    t->of_parts = account;
    whole_fsync(&whole);
    parts_fsync(&parts);
  }
  whole_close(&whole);
  parts_close(&parts);
  sync_posix_close(bare.posix);
  free(bare.bytes);
}

static void note_shorter(uint64_t *best, uint64_t elapsed) {
  if (*best == 0 || elapsed < *best) *best = elapsed;
}

/* The shorter of two each: an open is one piece, and what else the machine does hits it as a whole. */
static void run_opens(const struct load *load, const char *directory, struct times *t) {
  static struct whole whole;
  static struct parts parts;
  for (int round = 0; round < 2; round++) {
    note_shorter(&t->read, read_ns(directory, (size_t)(t->of_whole.write_bytes / OPERATIONS)));
    uint64_t begin = cpu_ns();
    whole_open(&whole, directory);
    note_shorter(&t->open, cpu_ns() - begin);
    struct sync_digest digest;
    sync_digest_get(whole.engine, &digest);
    if (digest.keys != load->keys) die("open", "other keys than were written");
    whole_close(&whole);
    begin = cpu_ns();
    parts_open(&parts, directory);
    note_shorter(&t->open_parts, cpu_ns() - begin);
    if (parts.replayed != OPERATIONS) die("parts", "other operations than were written");
    parts_close(&parts);
  }
}

int main(int argc, char **argv) {
  if (argc > 2) {
    fprintf(stderr, "usage: keys [DIR]\n");
    return 2;
  }
  char fresh[] = "build/keys-XXXXXX";
  if (argc < 2) {
    if (mkdir("build", 0777) != 0 && errno != EEXIST) die("build", strerror(errno));
    if (!mkdtemp(fresh)) die(fresh, strerror(errno));
  }
  const char *directory = argc == 2 ? argv[1] : fresh;
  memset(value, 'v', sizeof value);
  for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
    struct times times = {0};
    run_puts(&loads[i], directory, &times);
    run_opens(&loads[i], directory, &times);
    print_times(&loads[i], &times);
    remove_directory(directory, "whole");
    remove_directory(directory, "bare");
    remove_directory(directory, "parts");
  }
  if (argc < 2) rmdir(fresh);
  return 0;
}
