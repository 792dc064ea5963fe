#include "examples/syncnote/store.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/* The engine tries again what the disk refuses: one line for each new reason is enough. */
static void tell_refusal(void *arg, const struct sync_posix_failure *failure) {
  struct store *store = arg;
  char text[sizeof store->refused];
  sync_posix_failure_text(failure, text, sizeof text);
  if (strcmp(text, store->refused) == 0) return;
  memcpy(store->refused, text, sizeof text);
  fprintf(stderr, "syncnote: the disk refused %s\n", text);
}

static int tell_lost(void *arg, const struct sync_lost *lost) {
  (void)arg;
  fprintf(stderr, "syncnote: put aside: change %" PRIu64 " of %s\n", lost->dot.seq, lost->dot.origin.node_id);
  return 0;
}

static void tell_why(const char *directory, int status, const char *detail) {
  if (status == SYNC_E_LOCKED) {
    fprintf(stderr,
            "syncnote: %s is in use by another syncnote. While `serve` runs, type the commands there, or end it.\n",
            directory);
    return;
  }
  fprintf(stderr, "syncnote: cannot open %s: %s\n", directory, detail[0] ? detail : sync_status_message(status));
  if (status == SYNC_E_DAMAGED)
    fprintf(stderr, "syncnote: --repair puts what is damaged aside, deletes nothing, and fetches it from peers\n");
}

bool store_open(struct store *store, const char *directory, const char *name, const char *cluster, bool repair) {
  *store = (struct store){0};
  struct sync_posix_options where = {
      .directory = directory, .create = true, .failed = tell_refusal, .failed_arg = store};
  int status = sync_posix_open(&store->posix, &where);
  if (status != SYNC_OK) {
    tell_why(directory, status, "");
    return false;
  }
  struct sync_options options = {0};
  sync_options_durable(&options);
  options.node_id = name;
  memcpy(options.cluster_id, cluster, strlen(cluster)); /* at most 16 bytes (main.c) */
  options.window_ops = options.batch_size = STORE_WINDOW;
  options.conflict_policy.kind = SYNC_MANUAL; /* people decide */
  struct sync_open_report report = {0};
  status = repair ? sync_open_repair(&store->engine, sync_posix_env(store->posix), &options, &report, tell_lost, NULL)
                  : sync_open(&store->engine, sync_posix_env(store->posix), &options, &report);
  if (status == SYNC_OK) return true;
  tell_why(directory, status, report.detail);
  sync_posix_close(store->posix);
  return false;
}

void store_close(struct store *store) {
  sync_close(store->engine);
  sync_posix_close(store->posix);
}

uint64_t store_now_ns(const struct store *store) {
  const struct sync_env *env = sync_posix_env(store->posix);
  return env->ops->mono_ns(env->ctx);
}

bool store_is_dead(int status) {
  return status == SYNC_E_FAILED || status == SYNC_E_POWERED_OFF;
}

int store_completions(struct store *store) {
  uint64_t token;
  int result, status = SYNC_OK;
  while (status == SYNC_OK && sync_posix_next_completion(store->posix, &token, &result))
    status = sync_disk_done(store->engine, token, result);
  return status;
}

int store_settle(struct store *store, uint64_t position, int limit_ms) {
  uint64_t until_ns = store_now_ns(store) + (uint64_t)limit_ms * 1000000;
  int status = sync_commit(store->engine);
  while (status == SYNC_OK && sync_durable_position(store->engine) < position) {
    if (store_now_ns(store) >= until_ns) return SYNC_E_IO;
    struct pollfd completions = {.fd = sync_posix_poll_fd(store->posix), .events = POLLIN};
    if (poll(&completions, 1, 100) < 0 && errno != EINTR) return SYNC_E_IO;
    status = store_completions(store);
    struct sync_tick_report report;
    if (status == SYNC_OK) status = sync_tick(store->engine, &report);
  }
  return status;
}
