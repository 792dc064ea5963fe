/* The engine, driven as docs/embedding.md says: a turn of the loop takes
 * completions, makes the batch's puts, ticks and asks for frames. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peers/store.h"
#include "core/sync.h"
#include "posix/posix_env.h"

#define STORE_BYTES_MAX (UINT64_C(4) << 30) /* the default of 64 MiB holds no million keys */
#define REQUESTS_MAX 16u

enum mode {
  DURABLE,     /* fsync inline; each batch is waited for */
  NEVER_WAITS, /* the helper thread fsyncs as fast as it can, the writer goes on */
  UNSYNCED,    /* what asks for an fsync is told that it is done */
};

struct engine {
  enum mode mode;
  struct sync_posix *posix;
  struct sync_env env;
  struct sync_engine *engine;
  uint8_t *frame;
  size_t frame_bytes;
};

static void must(int status, const char *what) {
  if (status != SYNC_OK) die(what, sync_status_message(status));
}

/* --- An environment without fsync --------------------------------------------------- */

static struct sync_env_ops lying_ops;
static uint64_t requests[REQUESTS_MAX];
static uint32_t request_count;

static int request(uint64_t token) {
  if (request_count == REQUESTS_MAX) return SYNC_E_TOO_MANY;
  requests[request_count++] = token;
  return SYNC_OK;
}
static int no_file_fsync(void *ctx, sync_file file, uint64_t token) {
  (void)ctx, (void)file;
  return request(token);
}
static int no_dir_fsync(void *ctx, uint64_t token) {
  (void)ctx;
  return request(token);
}

static void make_lying(struct sync_env *env) {
  lying_ops = *env->ops;
  lying_ops.file_fsync = no_file_fsync;
  lying_ops.dir_fsync = no_dir_fsync;
  env->ops = &lying_ops;
  request_count = 0;
}

/* A completion may lead to the next request. */
static void complete_lies(struct engine *engine) {
  while (request_count > 0) {
    uint64_t token = requests[0];
    memmove(requests, requests + 1, --request_count * sizeof *requests);
    must(sync_disk_done(engine->engine, token, SYNC_OK), "no fsync");
  }
}

/* --- The loop ------------------------------------------------------------------------- */

static void take_completions(struct engine *engine) {
  if (engine->mode == UNSYNCED) complete_lies(engine);
  uint64_t token;
  int result;
  while (sync_posix_next_completion(engine->posix, &token, &result))
    must(sync_disk_done(engine->engine, token, result), "fsync");
}

static void time_and_frames(struct engine *engine) {
  struct sync_tick_report report;
  must(sync_tick(engine->engine, &report), "tick");
  uint32_t peer;
  size_t size;
  int status = sync_next_frame(engine->engine, &peer, engine->frame, engine->frame_bytes, &size);
  if (status != SYNC_E_NOT_FOUND) die("frame", "there is no peer, and a frame or an error");
}

static void wait_until_durable(struct engine *engine, uint64_t position) {
  while (sync_durable_position(engine->engine) < position) {
    struct pollfd completions = {.fd = sync_posix_poll_fd(engine->posix), .events = POLLIN};
    if (poll(&completions, 1, 1000) < 0 && errno != EINTR) die("poll", strerror(errno));
    take_completions(engine);
    time_and_frames(engine);
  }
}

static void engine_write(void *store, const struct put *puts, uint32_t count) {
  struct engine *engine = store;
  struct sync_receipt receipt = {0};
  take_completions(engine);
  for (uint32_t i = 0; i < count; i++)
    must(sync_put(engine->engine, puts[i].key, KEY_BYTES, puts[i].value, VALUE_BYTES, &receipt), "put");
  time_and_frames(engine);
  if (engine->mode == DURABLE) wait_until_durable(engine, receipt.position);
}

/* --- Open, scan, close ------------------------------------------------------------------ */

static void *engine_open(const struct store_kind *kind, const char *directory) {
  struct engine *engine = take_memory(sizeof *engine);
  engine->mode = (enum mode)kind->mode;
  struct sync_posix_options where = {.directory = directory,
                                     .fsync_mode = engine->mode == NEVER_WAITS ? SYNC_POSIX_FSYNC_THREAD
                                                                               : SYNC_POSIX_FSYNC_INLINE};
  must(sync_posix_open(&engine->posix, &where), directory);
  engine->env = *sync_posix_env(engine->posix);
  if (engine->mode == UNSYNCED) make_lying(&engine->env);
  struct sync_options options = {.node_id = "bench", .store_bytes_max = STORE_BYTES_MAX};
  memcpy(options.cluster_id, "stores----------", SYNC_CLUSTER_ID_BYTES);
  struct sync_open_report report = {0};
  int status = sync_open(&engine->engine, &engine->env, &options, &report);
  if (status != SYNC_OK) die(sync_status_message(status), report.detail);
  engine->frame_bytes = sync_frame_bytes_max(engine->engine);
  engine->frame = take_memory(engine->frame_bytes);
  return engine;
}

static int count_one(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  touch(key, key_size);
  touch(winner->value, winner->value_size);
  ++*(uint64_t *)arg;
  return 0;
}
static uint64_t engine_scan(void *store) {
  const struct engine *engine = store;
  uint64_t count = 0;
  if (sync_iterate(engine->engine, "", 0, "", 0, false, count_one, &count) != 0) die("iterate", "it ended early");
  return count;
}

static void engine_close(void *store) {
  struct engine *engine = store;
  sync_close(engine->engine);
  sync_posix_close(engine->posix);
  free(engine->frame);
  free(engine);
}

const struct store_kind engine_durable = {"engine, fsync inline", "engine",    DURABLE,     64, engine_open,
                                          engine_write,           engine_scan, engine_close};
const struct store_kind engine_never_waits = {
    "engine, fsyncs beside it", "engine", NEVER_WAITS, 64, engine_open, engine_write, engine_scan, engine_close};
const struct store_kind engine_unsynced = {"engine",    "engine",     UNSYNCED,    64,
                                           engine_open, engine_write, engine_scan, engine_close};
