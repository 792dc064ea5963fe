/* A durable key-value store in one small program: the engine on a real disk,
 * with no peers.
 *
 *   durable_kv DIR put KEY VALUE    returns when the entry is durable
 *   durable_kv DIR get KEY
 *   durable_kv DIR list [PREFIX]
 *   durable_kv DIR fill N [PREFIX]  writes N entries PREFIX1, PREFIX2, ... and
 *                                   prints `durable K` once the first K are
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sync.h"
#include "posix/posix_env.h"

#define UNPROMISED_MAX 256u

struct store {
  struct sync_posix *posix;
  struct sync_engine *engine;
};

static int complain(const char *what, int status) {
  fprintf(stderr, "durable_kv: %s: %s\n", what, sync_status_message(status));
  return status;
}

static int store_open(struct store *store, const char *directory) {
  struct sync_posix_options posix_options = {.directory = directory, .create = true};
  int status = sync_posix_open(&store->posix, &posix_options);
  if (status != SYNC_OK) return complain(directory, status);

  struct sync_options options = {0};
  sync_options_durable(&options);
  options.node_id = "here";
  memcpy(options.cluster_id, "durable_kv-------", SYNC_CLUSTER_ID_BYTES);
  struct sync_open_report report;
  status = sync_open(&store->engine, sync_posix_env(store->posix), &options, &report);
  if (status == SYNC_OK) return SYNC_OK;
  fprintf(stderr, "durable_kv: %s\n", report.detail);
  sync_posix_close(store->posix);
  return complain(directory, status);
}

static void store_close(struct store *store) {
  sync_close(store->engine);
  sync_posix_close(store->posix);
}

/* The milliseconds from now to a deadline of the engine, as poll wants them. */
static int timeout_until(const struct store *store, uint64_t deadline_ns) {
  if (deadline_ns == SYNC_NO_DEADLINE) return -1;
  const struct sync_env *env = sync_posix_env(store->posix);
  uint64_t now_ns = env->ops->mono_ns(env->ctx);
  if (deadline_ns <= now_ns) return 0;
  uint64_t wait_ms = (deadline_ns - now_ns + 999999) / 1000000;
  return wait_ms > 60000 ? 60000 : (int)wait_ms;
}

/* One turn of the loop: waits (if told to) for a completion or the engine's
 * deadline, then hands over what happened. */
static int store_turn(struct store *store, bool wait) {
  struct pollfd completions = {.fd = sync_posix_poll_fd(store->posix), .events = POLLIN};
  int timeout_ms = wait ? timeout_until(store, sync_next_deadline(store->engine)) : 0;
  if (poll(&completions, 1, timeout_ms) < 0 && errno != EINTR) return SYNC_E_IO;

  uint64_t token;
  int result;
  while (sync_posix_next_completion(store->posix, &token, &result)) {
    int status = sync_disk_done(store->engine, token, result);
    if (status != SYNC_OK) return status;
  }
  struct sync_tick_report report;
  return sync_tick(store->engine, &report);
}

static int put(struct store *store, const char *key, const char *value, uint64_t *position) {
  struct sync_receipt receipt;
  int status = sync_put(store->engine, key, strlen(key), value, strlen(value), &receipt);
  if (status == SYNC_OK) *position = receipt.position;
  return status;
}

static int command_put(struct store *store, const char *key, const char *value) {
  uint64_t position = 0;
  int status = put(store, key, value, &position);
  while (status == SYNC_OK && sync_durable_position(store->engine) < position)
    status = store_turn(store, true);
  return status == SYNC_OK ? SYNC_OK : complain("put", status);
}

static int command_get(struct store *store, const char *key) {
  struct sync_sibling winner;
  int status = sync_get(store->engine, key, strlen(key), &winner);
  if (status != SYNC_OK) return complain(key, status);
  fwrite(winner.value, 1, winner.value_size, stdout);
  putchar('\n');
  return SYNC_OK;
}

static int print_entry(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  (void)arg;
  fwrite(key, 1, key_size, stdout);
  putchar('=');
  fwrite(winner->value, 1, winner->value_size, stdout);
  putchar('\n');
  return 0;
}

static int command_list(struct store *store, const char *prefix) {
  return sync_iterate(store->engine, prefix, strlen(prefix), "", 0, false, print_entry, NULL);
}

/* Writes while earlier entries are still on their way to the disk; `ends` is a
 * ring of the positions whose durability is still awaited. */
static int command_fill(struct store *store, uint64_t count, const char *prefix) {
  uint64_t ends[UNPROMISED_MAX];
  uint64_t written = 0, durable = 0;
  while (durable < count) {
    bool may_write = written < count && written - durable < UNPROMISED_MAX;
    if (may_write) {
      char key[256], value[300];
      snprintf(key, sizeof key, "%s%" PRIu64, prefix, written + 1);
      snprintf(value, sizeof value, "value of %s", key);
      int status = put(store, key, value, &ends[written % UNPROMISED_MAX]);
      if (status != SYNC_OK) return complain(key, status);
      written++;
    }
    int status = store_turn(store, !may_write);
    if (status != SYNC_OK) return complain("fill", status);
    uint64_t before = durable;
    while (durable < written && ends[durable % UNPROMISED_MAX] <= sync_durable_position(store->engine))
      durable++;
    if (durable > before) {
      printf("durable %" PRIu64 "\n", durable);
      fflush(stdout);
    }
  }
  return SYNC_OK;
}

static int usage(void) {
  fprintf(stderr, "usage: durable_kv DIR put KEY VALUE | get KEY | list [PREFIX] | fill N [PREFIX]\n");
  return 2;
}

/* Digits only; at least 1. */
static bool parse_count(const char *text, uint64_t *count) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  *count = value;
  return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && value > 0;
}

int main(int argc, char **argv) {
  if (argc < 3) return usage();
  const char *command = argv[2];
  bool is_put = strcmp(command, "put") == 0 && argc == 5;
  bool is_get = strcmp(command, "get") == 0 && argc == 4;
  bool is_list = strcmp(command, "list") == 0 && argc <= 4;
  bool is_fill = strcmp(command, "fill") == 0 && (argc == 4 || (argc == 5 && strlen(argv[4]) < 200));
  uint64_t count = 0;
  if (!is_put && !is_get && !is_list && !is_fill) return usage();
  if (is_fill && !parse_count(argv[3], &count)) return usage();

  struct store store;
  if (store_open(&store, argv[1]) != SYNC_OK) return 1;
  int status;
  if (is_put) {
    status = command_put(&store, argv[3], argv[4]);
  } else if (is_get) {
    status = command_get(&store, argv[3]);
  } else if (is_list) {
    status = command_list(&store, argc == 4 ? argv[3] : "");
  } else {
    status = command_fill(&store, count, argc == 5 ? argv[4] : "entry-");
  }
  store_close(&store);
  if (fflush(stdout) != 0 || ferror(stdout)) return 1;
  return status == SYNC_OK ? 0 : 1;
}
