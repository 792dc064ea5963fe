/* What it costs to receive: a million operations of another engine, as frames in memory, over few and over many keys in
 * turns, slice by slice. The receiver does all that it does on a real machine (its log is written, acknowledgements are
 * made), but an fsync does nothing. Then a submit's cost beside 2 and 50 peers that say nothing, and Yjs as a receiver
 * of as many keys and values (tools/setup-yjs). Keys of 16 bytes in scattered order, values of 100. CPU time of this
 * process, or of Yjs's: believe the ratios.
 *
 *   receive [DIR [OPERATIONS [YJS_OPERATIONS]]]    DIR: default a new one in build/, removed; 1000000 and 200000
 *                                                  operations. About 700 MB, and 1.3 GB of memory.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/sync.h"
#include "posix/posix_env.h"

#define FEW_KEYS UINT64_C(10000)
#define MANY_KEYS UINT64_C(1000000)
#define STEP UINT64_C(829347851) /* shares no divisor with the numbers of keys */
#define KEY_BYTES 16u
#define VALUE_BYTES 100u
#define PAYLOAD_BYTES (KEY_BYTES + VALUE_BYTES)
#define TURN 64u                 /* operations in one turn of a loop, on both sides */
#define SLICE (125u * TURN)      /* operations between two changes of the pair */
#define TURN_NS UINT64_C(640000) /* 100,000 operations a second */
#define MS_NS UINT64_C(1000000)
#define STORE_BYTES_MAX (UINT64_C(4) << 30)
#define POOL_BYTES (1u << 20)
#define REQUESTS_MAX 64u
#define FEW_PEERS 2u
#define MANY_PEERS 50u
#define IDLE_PUTS 200000u
#define IDLE_SLICES 20u
#define YJS "bench/peers/yjs/merge.mjs"
#define YJS_FOLDER "build/yjs"

static void die(const char *what, const char *why) {
  fprintf(stderr, "receive: %s: %s\n", what, why);
  exit(1);
}
static void must(int status, const char *what) {
  if (status != SYNC_OK) die(what, sync_status_message(status));
}
static void *take(void *block) {
  if (!block) die("memory", "there is none");
  return block;
}
static uint64_t cpu_ns(void) {
  struct timespec now;
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) die("clock", strerror(errno));
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
static double each(uint64_t sum, uint64_t count) {
  return count ? (double)sum / (double)count : 0;
}

static uint8_t pool[POOL_BYTES]; /* values are parts of it */
static void pool_fill(void) {
  uint32_t x = 1;
  for (size_t i = 0; i < POOL_BYTES; i++) {
    x = x * 1664525u + 1013904223u;
    pool[i] = (uint8_t)(x >> 24);
  }
}

/* So that whoever runs first does not pay for the pages that all use. */
static void memory_warm(void) {
  const size_t bytes = (size_t)5 << 28;
  (void)mallopt(M_MMAP_MAX, 0);
  (void)mallopt(M_TRIM_THRESHOLD, INT_MAX);
  uint8_t *block = take(malloc(bytes));
  for (size_t i = 0; i < bytes; i += 4096)
    ((volatile uint8_t *)block)[i] = 1;
  free(block);
}

/* --- Environments: files that are written, fsyncs that do nothing, clocks of the bench ------ */

static uint64_t now_ns = UINT64_C(1700000000) * UINT64_C(1000000000);
static struct request {
  const void *ctx;
  uint64_t token;
} requests[REQUESTS_MAX]; /* of all parties */
static uint32_t request_count;

static int request(const void *ctx, uint64_t token) {
  if (request_count == REQUESTS_MAX) return SYNC_E_TOO_MANY;
  requests[request_count++] = (struct request){ctx, token};
  return SYNC_OK;
}
static int no_file_fsync(void *ctx, sync_file file, uint64_t token) {
  (void)file;
  return request(ctx, token);
}
static int no_dir_fsync(void *ctx, uint64_t token) {
  return request(ctx, token);
}
static uint64_t bench_clock(void *ctx) {
  (void)ctx;
  return now_ns;
}

struct frames {
  uint8_t *bytes;
  size_t used, room;
  size_t *ends;
  size_t count, ends_room;
};
static void frames_add(struct frames *frames, const uint8_t *bytes, size_t size) {
  if (frames->used + size > frames->room) {
    frames->room = 2 * (frames->used + size);
    frames->bytes = take(realloc(frames->bytes, frames->room));
  }
  if (frames->count == frames->ends_room) {
    frames->ends_room = 2 * frames->ends_room + 64;
    frames->ends = take(realloc(frames->ends, frames->ends_room * sizeof *frames->ends));
  }
  memcpy(frames->bytes + frames->used, bytes, size);
  frames->used += size;
  frames->ends[frames->count++] = frames->used;
}
static void frames_clear(struct frames *frames) {
  frames->used = frames->count = 0;
}
static void frames_free(struct frames *frames) {
  free(frames->bytes);
  free(frames->ends);
}

struct party {
  struct sync_posix *posix;
  struct sync_env env;
  struct sync_env_ops ops;
  struct sync_engine *engine;
  uint8_t *frame;
  size_t frame_bytes;
  uint32_t peer; /* the other one */
  struct frames out;
  uint64_t operation_bytes, other_bytes; /* of frames with operations in them, and without */
};

static const char *directory; /* where all is */

static void party_open(struct party *party, const char *name, const struct sync_options *given) {
  char path[600];
  *party = (struct party){.peer = SYNC_PEER_NONE};
  (void)snprintf(path, sizeof path, "%s/%s", directory, name);
  struct sync_posix_options where = {.directory = path, .create = true, .fsync_mode = SYNC_POSIX_FSYNC_INLINE};
  must(sync_posix_open(&party->posix, &where), path);
  party->env = *sync_posix_env(party->posix);
  party->ops = *party->env.ops;
  party->ops.file_fsync = no_file_fsync;
  party->ops.dir_fsync = no_dir_fsync;
  party->ops.mono_ns = bench_clock;
  party->ops.wall_ns = bench_clock;
  party->env.ops = &party->ops;
  struct sync_options options = *given;
  options.node_id = name;
  options.store_bytes_max = STORE_BYTES_MAX;
  memcpy(options.cluster_id, "receive---------", SYNC_CLUSTER_ID_BYTES);
  must(sync_open(&party->engine, &party->env, &options, NULL), "open");
  party->frame_bytes = sync_frame_bytes_max(party->engine);
  party->frame = take(malloc(party->frame_bytes));
}

static void party_close(struct party *party, const char *name) {
  char path[600];
  sync_close(party->engine);
  sync_posix_close(party->posix);
  for (uint32_t i = 0; i < request_count; i++)
    if (requests[i].ctx == party->env.ctx) requests[i--] = requests[--request_count];
  free(party->frame);
  frames_free(&party->out);
  (void)snprintf(path, sizeof path, "%s/%s", directory, name);
  DIR *stream = opendir(path);
  if (!stream) die(path, strerror(errno));
  for (const struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
    (void)unlinkat(dirfd(stream), entry->d_name, 0);
  closedir(stream);
  if (rmdir(path) != 0) die(path, strerror(errno));
}

static bool complete(struct party *party) {
  for (uint32_t i = 0; i < request_count; i++) {
    if (requests[i].ctx != party->env.ctx) continue;
    uint64_t token = requests[i].token;
    memmove(&requests[i], &requests[i + 1], (--request_count - i) * sizeof *requests);
    must(sync_disk_done(party->engine, token, SYNC_OK), "no fsync");
    return true;
  }
  return false;
}

/* What is due, and all frames that are ready then. */
static void party_turn(struct party *party, bool keep) {
  if (sync_next_deadline(party->engine) <= now_ns) must(sync_tick(party->engine, NULL), "tick");
  struct sync_stats stats;
  sync_stats_get(party->engine, &stats);
  uint64_t sent = stats.ops_out;
  for (;;) {
    uint32_t peer;
    size_t size;
    int status = sync_next_frame(party->engine, &peer, party->frame, party->frame_bytes, &size);
    if (status == SYNC_E_NOT_FOUND && complete(party)) continue;
    if (status == SYNC_E_NOT_FOUND) return;
    must(status, "frame");
    sync_stats_get(party->engine, &stats);
    *(stats.ops_out > sent ? &party->operation_bytes : &party->other_bytes) += size;
    sent = stats.ops_out;
    if (keep && peer == party->peer) frames_add(&party->out, party->frame, size);
  }
}

/* Gives all that `from` has sent to `to`, so many frames in a turn. */
static void deliver(struct party *from, struct party *to, uint32_t together) {
  size_t at = 0;
  for (size_t i = 0; i < from->out.count; i++) {
    size_t end = from->out.ends[i];
    must(sync_receive(to->engine, to->peer, from->out.bytes + at, end - at), "receive");
    at = end;
    if ((i + 1) % together != 0 && i + 1 < from->out.count) continue;
    now_ns += TURN_NS;
    party_turn(to, true);
  }
  frames_clear(&from->out);
}

static void link_parties(struct party *a, const char *a_name, struct party *b, const char *b_name) {
  must(sync_peer_add(a->engine, b_name, &a->peer), "peer");
  must(sync_peer_add(b->engine, a_name, &b->peer), "peer");
}

/* Until all that they have is known to be held by the other. */
static void settle(struct party *a, struct party *b) {
  for (uint32_t i = 0; i < 20000; i++) {
    struct sync_peer_info of_a, of_b;
    must(sync_peer_info(a->engine, a->peer, &of_a), "peer");
    must(sync_peer_info(b->engine, b->peer, &of_b), "peer");
    bool quiet = a->out.count == 0 && b->out.count == 0;
    if (quiet && of_a.state == SYNC_PEER_ACTIVE && of_b.state == SYNC_PEER_ACTIVE && !of_a.owed_ops && !of_b.owed_ops)
      return;
    deliver(a, b, 1);
    deliver(b, a, 1);
    now_ns += MS_NS;
    party_turn(a, true);
    party_turn(b, true);
  }
  die("settle", "they do not agree");
}

static void put(struct party *party, uint64_t number, uint64_t keys) {
  uint8_t key[KEY_BYTES];
  uint64_t rest = number * STEP % keys;
  memcpy(key, "key-", 4);
  for (size_t at = KEY_BYTES; at-- > 4; rest /= 10)
    key[at] = (uint8_t)('0' + rest % 10);
  const uint8_t *value = pool + number * VALUE_BYTES % (POOL_BYTES - VALUE_BYTES);
  must(sync_put(party->engine, key, KEY_BYTES, value, VALUE_BYTES, NULL), "put");
}

/* --- Receiving ------------------------------------------------------------------------ */

struct pair {
  struct party writer, receiver;
  uint64_t keys;
  uint64_t receive_ns;
  uint64_t *slice_ns;
  size_t slices;
  char names[2][16];
};
struct contest {
  const char *name;
  uint32_t batch;          /* operations in a frame */
  uint64_t snapshot_bytes; /* of the receiver */
};
struct outcome { /* over few and many keys */
  double ns[2];  /* of an operation, by the median slice */
  double frame_bytes[2];
};

static void pair_open(struct pair *pair, const struct contest *contest, uint64_t keys) {
  struct sync_options writer = {.batch_size = contest->batch, .window_ops = 2 * SLICE, .snapshot_bytes = UINT64_MAX};
  struct sync_options receiver = {.snapshot_bytes = contest->snapshot_bytes};
  pair->keys = keys;
  (void)snprintf(pair->names[0], sizeof pair->names[0], "w-%" PRIu64, keys);
  (void)snprintf(pair->names[1], sizeof pair->names[1], "r-%" PRIu64, keys);
  party_open(&pair->writer, pair->names[0], &writer);
  party_open(&pair->receiver, pair->names[1], &receiver);
  link_parties(&pair->writer, pair->names[0], &pair->receiver, pair->names[1]);
  settle(&pair->writer, &pair->receiver);
  pair->writer.operation_bytes = pair->receiver.other_bytes = 0;
}
static void pair_close(struct pair *pair) {
  struct sync_digest one, other;
  sync_digest_get(pair->writer.engine, &one);
  sync_digest_get(pair->receiver.engine, &other);
  if (memcmp(&one, &other, sizeof one) != 0) die("digest", "the receiver has another state");
  party_close(&pair->writer, pair->names[0]);
  party_close(&pair->receiver, pair->names[1]);
}

static void pair_slice(struct pair *pair, const struct contest *contest, uint64_t first) {
  for (uint64_t i = first; i < first + SLICE; i++) {
    put(&pair->writer, i, pair->keys);
    if ((i + 1) % TURN != 0) continue;
    now_ns += TURN_NS;
    party_turn(&pair->writer, true);
  }
  struct sync_stats before, after;
  sync_stats_get(pair->receiver.engine, &before);
  uint64_t begin = cpu_ns();
  deliver(&pair->writer, &pair->receiver, TURN / contest->batch);
  uint64_t took = cpu_ns() - begin;
  pair->receive_ns += took;
  pair->slice_ns = take(realloc(pair->slice_ns, (pair->slices + 1) * sizeof *pair->slice_ns));
  pair->slice_ns[pair->slices++] = took;
  sync_stats_get(pair->receiver.engine, &after);
  if (after.applied_remote - before.applied_remote != SLICE) die("receive", "not all were applied");
  settle(&pair->writer, &pair->receiver);
}

static int by_number(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

/* Of an operation, by the median slice of the last quarter: all keys are there then. */
static double late_ns(const struct pair *pair) {
  size_t first = pair->slices - (pair->slices + 3) / 4, count = pair->slices - first;
  qsort(pair->slice_ns + first, count, sizeof *pair->slice_ns, by_number);
  return each(pair->slice_ns[first + count / 2], SLICE);
}

static void run(const struct contest *contest, uint64_t operations, struct outcome *outcome) {
  static const uint64_t keys[] = {FEW_KEYS, MANY_KEYS};
  static struct pair pairs[2];
  memset(pairs, 0, sizeof pairs);
  for (int i = 0; i < 2; i++)
    pair_open(&pairs[i], contest, keys[i]);
  for (uint64_t first = 0; first < operations; first += SLICE)
    for (int i = 0; i < 2; i++)
      pair_slice(&pairs[i], contest, first);
  printf("%s\n", contest->name);
  for (int i = 0; i < 2; i++) {
    outcome->ns[i] = late_ns(&pairs[i]);
    outcome->frame_bytes[i] = each(pairs[i].writer.operation_bytes, operations);
    printf("  over %7" PRIu64 " keys: %9.0f applied a CPU second; %5.0f ns each in the end; on the wire %.1f "
           "bytes more than key and value, and %.1f of acknowledgements\n",
           keys[i], 1e9 / each(pairs[i].receive_ns, operations), outcome->ns[i],
           outcome->frame_bytes[i] - PAYLOAD_BYTES, each(pairs[i].receiver.other_bytes, operations));
    free(pairs[i].slice_ns);
    pair_close(&pairs[i]);
  }
  printf("  many keys cost %.2f times as much as few\n", outcome->ns[1] / outcome->ns[0]);
}

/* --- Idle peers -------------------------------------------------------------------------- */

struct idle {
  struct party hub;
  const char *name;
  uint32_t peers;
  uint64_t put_ns, turn_ns; /* of submits alone; of the ends of turns, with what is sent */
};

static void idle_open(struct idle *idle, const char *name, uint32_t peers, bool heard) {
  struct sync_options options = {.snapshot_bytes = UINT64_MAX};
  *idle = (struct idle){.name = name, .peers = peers};
  party_open(&idle->hub, name, &options);
  for (uint32_t i = 0; i < peers; i++) {
    char peer_name[16];
    struct party peer;
    (void)snprintf(peer_name, sizeof peer_name, "p%u", i);
    if (!heard) {
      must(sync_peer_add(idle->hub.engine, peer_name, NULL), "peer");
      continue;
    }
    party_open(&peer, peer_name, &options);
    link_parties(&idle->hub, name, &peer, peer_name);
    settle(&idle->hub, &peer);
    party_close(&peer, peer_name);
  }
}

static void idle_slice(struct idle *idle, uint64_t first, uint64_t count, bool measured) {
  for (uint64_t i = first; i < first + count; i += TURN) {
    uint64_t begin = cpu_ns();
    for (uint64_t j = i; j < i + TURN; j++)
      put(&idle->hub, j, FEW_KEYS);
    uint64_t middle = cpu_ns();
    party_turn(&idle->hub, false);
    uint64_t end = cpu_ns();
    now_ns += 1000; /* nobody is to be tried again meanwhile */
    if (measured) idle->put_ns += middle - begin, idle->turn_ns += end - middle;
  }
}

static double run_idle(bool heard) {
  static struct idle idles[2];
  uint64_t slice = IDLE_PUTS / IDLE_SLICES / TURN * TURN, puts = slice * IDLE_SLICES;
  idle_open(&idles[0], "hub-few", FEW_PEERS, heard);
  idle_open(&idles[1], "hub-many", MANY_PEERS, heard);
  for (uint64_t first = 0; first < puts + slice; first += slice) /* in the first one what may be in flight is sent */
    for (int i = 0; i < 2; i++)
      idle_slice(&idles[i], first, slice, first > 0);
  double whole[2];
  printf("a submit beside peers that %s\n", heard ? "were heard of, and say nothing now" : "were never heard of");
  for (int i = 0; i < 2; i++) {
    whole[i] = each(idles[i].put_ns + idles[i].turn_ns, puts);
    printf("  %2u peers: %5.0f ns, of which %4.0f are its share of the turn's end\n", idles[i].peers, whole[i],
           each(idles[i].turn_ns, puts));
    party_close(&idles[i].hub, idles[i].name);
  }
  printf("  %u peers cost %.2f times as much as %u\n", MANY_PEERS, whole[1] / whole[0], FEW_PEERS);
  return whole[1] / whole[0];
}

/* --- Yjs ------------------------------------------------------------------------------------ */

/* Asks for a line of it. */
static bool ask_yjs(uint64_t operations, uint64_t keys, uint32_t together, char line[100]) {
  char command[200];
  (void)snprintf(command, sizeof command, "node --max-old-space-size=8192 %s %s %" PRIu64 " %" PRIu64 " %u", YJS,
                 YJS_FOLDER, operations, keys, together);
  FILE *stream = popen(command, "r");
  bool read = stream && fgets(line, 100, stream);
  return stream && pclose(stream) == 0 && read && strstr(line, "whole") != NULL;
}

static bool run_yjs(uint64_t operations, uint32_t together, const struct outcome *engine) {
  static const uint64_t keys[] = {FEW_KEYS, MANY_KEYS};
  for (int i = 0; i < 2; i++) {
    char line[100], *rest;
    if (!ask_yjs(operations, keys[i], together, line)) return false;
    const char *version = strtok_r(line, " ", &rest);
    double bytes = strtod(rest, &rest), ns = strtod(rest, &rest);
    if (i == 0) printf("Yjs %s, %" PRIu64 " sets of a key, an update for each %u\n", version, operations, together);
    printf("  over %7" PRIu64 " keys: %9.0f merged a CPU second, %5.0f ns each, %.1f times the engine's; on the wire "
           "%.1f bytes more than key and value (the engine's %.1f)\n",
           keys[i] < operations ? keys[i] : operations, 1e9 / ns, ns, ns / engine->ns[i], bytes - PAYLOAD_BYTES,
           engine->frame_bytes[i] - PAYLOAD_BYTES);
    (void)fflush(stdout);
  }
  return true;
}

static void goal(const char *what, double is, double most) {
  printf("  %-7s %s: %.2f, at most %.2f\n", is <= most ? "met" : "NOT met", what, is, most);
}

int main(int argc, char **argv) {
  uint64_t operations = argc >= 3 ? strtoull(argv[2], NULL, 10) : 1000000;
  uint64_t yjs_operations = argc == 4 ? strtoull(argv[3], NULL, 10) : 200000;
  if (argc > 4 || operations == 0 || operations % SLICE != 0 || yjs_operations % TURN != 0) {
    fprintf(stderr, "usage: receive [DIR [OPERATIONS [YJS_OPERATIONS]]], multiples of %u and %u\n", SLICE, TURN);
    return 2;
  }
  char made[] = "build/receive-XXXXXX";
  if (argc < 2 && mkdir("build", 0777) != 0 && errno != EEXIST) die("build", strerror(errno));
  directory = argc >= 2 ? argv[1] : mkdtemp(made);
  if (!directory) die("build/", strerror(errno));
  pool_fill();
  memory_warm();
  struct contest by_64 = {"frames of 64 operations", 64, UINT64_MAX},
                 by_one = {"frames of one operation, 64 in a turn", 1, UINT64_MAX},
                 snapshots = {"frames of 64 operations, snapshots as by default", 64, 0};
  struct outcome of_64, of_one, of_snapshots;
  run(&by_64, operations, &of_64);
  run(&by_one, operations, &of_one);
  run(&snapshots, operations, &of_snapshots);
  double silent = run_idle(true), unheard = run_idle(false);
  (void)fflush(stdout);
  if (access(YJS_FOLDER "/node_modules/yjs", R_OK) != 0)
    printf("without Yjs, which is not here (tools/setup-yjs)\n");
  else if (yjs_operations && !(run_yjs(yjs_operations, 1, &of_one) && run_yjs(yjs_operations, TURN, &of_64)))
    printf("without Yjs, which does not run here\n");
  printf("goals\n");
  goal("many keys, times few, frames of 64", of_64.ns[1] / of_64.ns[0], 2.5);
  goal("the same with snapshots", of_snapshots.ns[1] / of_snapshots.ns[0], 2.5);
  goal("50 silent peers, times 2", silent, 1.2);
  goal("50 peers never heard of, times 2", unheard, 1.2);
  if (argc < 2 && rmdir(directory) != 0) die(directory, strerror(errno));
  return 0;
}
