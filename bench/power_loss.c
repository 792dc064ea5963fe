/* Power loss, recovery, verification: cycles per CPU second, on a bare store of
 * 100 records and on an engine store of 100 operations. Each cycle begins at a
 * checkpoint (100 held for ever, a few more pending), loses power in a way of its
 * own, boots, and verifies that all 100 are there.
 * Usage: power_loss [bare|engine] [cycles]. */
#include "core/sync.h"
#include "sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define HELD 100u
#define PENDING 4u
#define VALUE_BYTES 100u
#define RECORD_BYTES (8u + VALUE_BYTES)

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (uint64_t)time.tv_sec * SIM_SECOND + (uint64_t)time.tv_nsec;
}

static void must(bool held, const char *what) {
  if (held) return;
  fprintf(stderr, "bench/power_loss: %s\n", what);
  exit(1);
}

/* The value of a number: any byte tells it. */
static void value_of(uint32_t number, uint8_t value[VALUE_BYTES]) {
  memset(value, (int)(number * 7 + 1), VALUE_BYTES);
}

/* --- Bare: records of (check, value) in one file -------------------------------- */

struct bare {
  sync_file file;
  uint32_t records;
  uint8_t read[(HELD + PENDING) * RECORD_BYTES];
};

static bool bare_record_valid(const uint8_t *record) {
  uint64_t check = sim_hash_bytes(record + 8, VALUE_BYTES);
  for (unsigned i = 0; i < 8; i++)
    if (record[i] != (uint8_t)(check >> (8 * i))) return false;
  return true;
}

/* Recovery: reads the file, keeps its valid first records, cuts the rest. */
static void *bare_boot(struct sim_node *node, const void *config) {
  const struct sync_env *env = sim_node_env(node);
  struct bare *bare = env->ops->alloc(env->ctx, sizeof *bare, sizeof *bare);
  (void)config;
  if (bare == NULL) return NULL;
  bare->records = 0;
  if (env->ops->file_open(env->ctx, "store", SYNC_OPEN_CREATE, &bare->file) != SYNC_OK) return NULL;
  uint64_t size = 0;
  size_t done = 0;
  if (env->ops->file_size(env->ctx, bare->file, &size) != SYNC_OK) return NULL;
  if (size > sizeof bare->read) size = sizeof bare->read;
  if (env->ops->file_read(env->ctx, bare->file, 0, bare->read, (size_t)size, &done) != SYNC_OK) return NULL;
  while ((bare->records + 1) * RECORD_BYTES <= done && bare_record_valid(bare->read + bare->records * RECORD_BYTES))
    bare->records++;
  if (env->ops->file_truncate(env->ctx, bare->file, bare->records * RECORD_BYTES) != SYNC_OK) return NULL;
  return bare;
}

static void bare_append(struct sim_node *node, struct bare *bare, uint32_t number) {
  const struct sync_env *env = sim_node_env(node);
  uint8_t record[RECORD_BYTES];
  size_t done;
  value_of(number, record + 8);
  uint64_t check = sim_hash_bytes(record + 8, VALUE_BYTES);
  for (unsigned i = 0; i < 8; i++)
    record[i] = (uint8_t)(check >> (8 * i));
  uint64_t offset = (uint64_t)number * RECORD_BYTES;
  must(env->ops->file_write(env->ctx, bare->file, offset, record, sizeof record, &done) == SYNC_OK, "write");
}

static void bare_put(struct sim_node *node, void *state, uint32_t number) {
  struct bare *bare = state;
  const struct sync_env *env = sim_node_env(node);
  bare_append(node, bare, number);
  must(env->ops->file_fsync(env->ctx, bare->file, number) == SYNC_OK, "fsync");
  if (number == 0) must(env->ops->dir_fsync(env->ctx, HELD + PENDING) == SYNC_OK, "fsync of the directory");
}

static bool bare_holds(void *state, uint32_t number) {
  const struct bare *bare = state;
  uint8_t value[VALUE_BYTES];
  value_of(number, value);
  return number < bare->records && memcmp(bare->read + number * RECORD_BYTES + 8, value, VALUE_BYTES) == 0;
}

static void no_message(struct sim_node *node, void *state, uint32_t from, const uint8_t *bytes, size_t size) {
  (void)node, (void)state, (void)from, (void)bytes, (void)size;
}
static void bare_timer(struct sim_node *node, void *state, uint32_t timer) {
  (void)node, (void)state, (void)timer;
}
static void bare_disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  (void)node, (void)state, (void)token;
  must(result == SYNC_OK, "fsync completion");
}
static void bare_stop(struct sim_node *node, void *state) {
  (void)node, (void)state;
}

static const struct sim_node_kind bare_kind = {.name = "bare",
                                               .boot = bare_boot,
                                               .message = no_message,
                                               .timer = bare_timer,
                                               .disk_done = bare_disk_done,
                                               .stop = bare_stop};

/* --- The sync engine --------------------------------------------------------------- */

static void *engine_boot(struct sim_node *node, const void *config) {
  struct sync_options options;
  (void)config;
  memset(&options, 0, sizeof options);
  options.node_id = "n1";
  options.cluster_id[0] = 1;
  struct sync_engine *engine = NULL;
  return sync_open(&engine, sim_node_env(node), &options, NULL) == SYNC_OK ? engine : NULL;
}

static void engine_key(uint32_t number, uint8_t key[4]) {
  for (unsigned i = 0; i < 4; i++)
    key[i] = (uint8_t)(number >> (8 * i));
}

static void engine_put(struct sim_node *node, void *state, uint32_t number) {
  uint8_t key[4], value[VALUE_BYTES];
  struct sync_receipt receipt;
  (void)node;
  engine_key(number, key);
  value_of(number, value);
  must(sync_put(state, key, sizeof key, value, sizeof value, &receipt) == SYNC_OK, "put");
  must(sync_commit(state) == SYNC_OK, "commit"); /* an fsync is on its way at every put */
}

static bool engine_holds(void *state, uint32_t number) {
  uint8_t key[4], value[VALUE_BYTES];
  struct sync_sibling winner;
  engine_key(number, key);
  value_of(number, value);
  return sync_get(state, key, sizeof key, &winner) == SYNC_OK && winner.value_size == sizeof value &&
         memcmp(winner.value, value, sizeof value) == 0;
}

static void engine_timer(struct sim_node *node, void *state, uint32_t timer) {
  struct sync_tick_report report;
  (void)timer;
  must(sync_tick(state, &report) == SYNC_OK, "tick");
  sim_timer_set(node, 0, sync_next_deadline(state));
}
static void engine_disk_done(struct sim_node *node, void *state, uint64_t token, int result) {
  must(sync_disk_done(state, token, result) == SYNC_OK, "fsync completion");
  sim_timer_set(node, 0, sync_next_deadline(state));
}
static void engine_stop(struct sim_node *node, void *state) {
  (void)node;
  sync_close(state);
}

static const struct sim_node_kind engine_kind = {.name = "engine",
                                                 .boot = engine_boot,
                                                 .message = no_message,
                                                 .timer = engine_timer,
                                                 .disk_done = engine_disk_done,
                                                 .stop = engine_stop};

/* --- Cycles -------------------------------------------------------------------------- */

struct store {
  const char *name;
  const struct sim_node_kind *kind;
  void (*put)(struct sim_node *node, void *state, uint32_t number);
  bool (*holds)(void *state, uint32_t number);
};

static void put_some(struct sim_world *world, const struct store *store, uint32_t from, uint32_t to) {
  void *state = sim_node_enter(world, 1);
  must(state != NULL, "the node is not up");
  for (uint32_t number = from; number < to; number++)
    store->put(sim_node_at(world, 1), state, number);
  must(sim_node_leave(world, 1), "the node went down");
}

struct phases {
  uint64_t restore_ns, loss_ns, boot_ns, verify_ns;
};

/* One cycle; `phases` NULL: not timed apart. */
static void cycle(struct sim *sim, const struct store *store, const struct sim_checkpoint *checkpoint, uint64_t seed,
                  struct phases *phases) {
  uint64_t times[5] = {0};
  if (phases != NULL) times[0] = now_ns();
  sim_checkpoint_restore(checkpoint, sim_arena(sim));
  struct sim_world *world = sim_world(sim);
  struct sim_choice_source source = {.seed = seed};
  sim_set_source(sim, &source);
  if (phases != NULL) times[1] = now_ns();
  sim_node_power_loss(world, 1);
  if (phases != NULL) times[2] = now_ns();
  must(sim_node_boot(world, 1), "the node does not boot");
  if (phases != NULL) times[3] = now_ns();
  void *state = sim_node_peek(world, 1);
  for (uint32_t number = 0; number < HELD; number++)
    must(store->holds(state, number), "what was durable is not held");
  if (phases == NULL) return;
  times[4] = now_ns();
  phases->restore_ns += times[1] - times[0];
  phases->loss_ns += times[2] - times[1];
  phases->boot_ns += times[3] - times[2];
  phases->verify_ns += times[4] - times[3];
}

static void bench(const struct store *store, uint64_t cycles) {
  struct sim_options options = {.fill = SIM_FILL_NONE};
  struct sim *sim = sim_open(&options);
  struct sim_checkpoint *checkpoint = sim_checkpoint_create();
  must(sim != NULL && checkpoint != NULL, "no memory");
  struct sim_config config = {.source = {.seed = 1}};
  struct sim_world *world = sim_world_begin(sim, &config);
  must(world != NULL && sim_node_add(world, store->kind, NULL, 0) == 1 && sim_node_boot(world, 1), "no world");
  put_some(world, store, 0, HELD);
  sim_run(sim, SIM_SECOND / 2, UINT64_MAX);
  must(sim_disk_pending_changes(sim_node_disk(sim_node_at(world, 1))) == 0, "not all is durable");
  put_some(world, store, HELD, HELD + PENDING);
  must(sim_checkpoint_save(checkpoint, sim_arena(sim)), "no memory");
  uint64_t start = now_ns();
  for (uint64_t seed = 1; seed <= cycles; seed++)
    cycle(sim, store, checkpoint, seed, NULL);
  uint64_t took = now_ns() - start;
  struct phases phases = {0};
  for (uint64_t seed = 1; seed <= cycles; seed++)
    cycle(sim, store, checkpoint, seed, &phases);
  printf("power-loss cycles, %-6s %10" PRIu64 " per CPU second   (%" PRIu64 " cycles, %zu KiB checkpoint)\n",
         store->name, cycles * SIM_SECOND / (took + 1), cycles, sim_checkpoint_bytes(checkpoint) / 1024);
  printf("  ns per cycle: restore %" PRIu64 ", power loss %" PRIu64 ", boot %" PRIu64 ", verify %" PRIu64 "\n",
         phases.restore_ns / cycles, phases.loss_ns / cycles, phases.boot_ns / cycles, phases.verify_ns / cycles);
  sim_checkpoint_destroy(checkpoint);
  sim_close(sim);
}

int main(int argc, char **argv) {
  static const struct store stores[] = {
      {"bare", &bare_kind, bare_put, bare_holds},
      {"engine", &engine_kind, engine_put, engine_holds},
  };
  uint64_t cycles = argc > 2 ? strtoull(argv[2], NULL, 10) : 20000;
  if (cycles == 0) return 2;
  for (size_t i = 0; i < sizeof stores / sizeof stores[0]; i++)
    if (argc < 2 || strcmp(argv[1], stores[i].name) == 0) bench(&stores[i], cycles);
  return 0;
}
