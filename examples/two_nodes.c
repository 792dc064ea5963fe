/* Two engines in one process, two directories, and the whole loop: frames go
 * from one to the other through memory until both hold the same.
 *
 *   two_nodes DIR      uses DIR/a and DIR/b; run it again and it goes on
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/sync.h"
#include "posix/posix_env.h"

struct node {
  const char *id;
  struct sync_posix *posix;
  struct sync_engine *engine;
  uint32_t peer; /* our handle of the other node */
};

static void must(int status, const char *what) {
  if (status == SYNC_OK) return;
  fprintf(stderr, "two_nodes: %s: %s (%s)\n", what, sync_status_message(status), sync_status_name(status));
  exit(1);
}

static void node_open(struct node *node, const char *parent, const char *id, const char *other_id) {
  char directory[512];
  if (snprintf(directory, sizeof directory, "%s/%s", parent, id) >= (int)sizeof directory) exit(2);
  node->id = id;
  struct sync_posix_options posix_options = {.directory = directory, .create = true};
  must(sync_posix_open(&node->posix, &posix_options), directory);

  struct sync_options options = {0};
  sync_options_durable(&options);
  options.node_id = id;
  memcpy(options.cluster_id, "two_nodes-------", SYNC_CLUSTER_ID_BYTES);
  struct sync_open_report report;
  int status = sync_open(&node->engine, sync_posix_env(node->posix), &options, &report);
  if (status != SYNC_OK) fprintf(stderr, "two_nodes: %s\n", report.detail);
  must(status, "open");
  must(sync_peer_add(node->engine, other_id, &node->peer), "add a peer");
}

static void node_close(struct node *node) {
  sync_close(node->engine);
  sync_posix_close(node->posix);
}

static void node_put(struct node *node, const char *key, const char *value) {
  struct sync_receipt receipt;
  must(sync_put(node->engine, key, strlen(key), value, strlen(value), &receipt), "put");
}

/* Hands the fsyncs that completed to the engine. */
static void take_completions(struct node *node) {
  uint64_t token;
  int result;
  while (sync_posix_next_completion(node->posix, &token, &result)) {
    must(sync_disk_done(node->engine, token, result), "fsync");
  }
}

/* Takes every frame that is ready to the other node. A real transport would
 * send these bytes and forget them: the engine copes with any loss. */
static void deliver_frames(struct node *from, struct node *to, uint8_t *frame, size_t capacity) {
  for (;;) {
    uint32_t peer;
    size_t size;
    int status = sync_next_frame(from->engine, &peer, frame, capacity, &size);
    if (status == SYNC_E_NOT_FOUND) return;
    must(status, "next frame");
    must(sync_receive(to->engine, to->peer, frame, size), "receive");
  }
}

/* Sleeps until a disk or a deadline of either engine needs attention. */
static void wait_for_work(const struct node *a, const struct node *b) {
  uint64_t deadline_ns = sync_next_deadline(a->engine);
  if (sync_next_deadline(b->engine) < deadline_ns) deadline_ns = sync_next_deadline(b->engine);
  const struct sync_env *env = sync_posix_env(a->posix);
  uint64_t now_ns = env->ops->mono_ns(env->ctx);
  int timeout_ms = -1;
  if (deadline_ns <= now_ns) {
    timeout_ms = 0;
  } else if (deadline_ns != SYNC_NO_DEADLINE) {
    uint64_t wait_ms = (deadline_ns - now_ns + 999999) / 1000000;
    timeout_ms = wait_ms > 60000 ? 60000 : (int)wait_ms;
  }
  struct pollfd disks[2] = {{.fd = sync_posix_poll_fd(a->posix), .events = POLLIN},
                            {.fd = sync_posix_poll_fd(b->posix), .events = POLLIN}};
  if (poll(disks, 2, timeout_ms) < 0 && errno != EINTR) must(SYNC_E_IO, "poll");
}

static bool converged(const struct node *a, const struct node *b) {
  struct sync_digest left, right;
  sync_digest_get(a->engine, &left);
  sync_digest_get(b->engine, &right);
  return left.vector == right.vector && left.state == right.state && sync_outbox_size(a->engine) == 0 &&
         sync_outbox_size(b->engine) == 0;
}

static int print_entry(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  (void)arg;
  printf("%.*s=%.*s  (written by %s)\n", (int)key_size, (const char *)key, (int)winner->value_size,
         (const char *)winner->value, winner->dot.origin.node_id);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: two_nodes DIR\n");
    return 2;
  }
  struct node a, b;
  node_open(&a, argv[1], "a", "b");
  node_open(&b, argv[1], "b", "a");
  node_put(&a, "from-a", "hello");
  node_put(&b, "from-b", "hallo");
  node_put(&a, "both", "a was here"); /* two writes that know nothing of each other: */
  node_put(&b, "both", "b was here"); /* both are kept, the later clock wins the reading */

  size_t capacity_a = sync_frame_bytes_max(a.engine), capacity_b = sync_frame_bytes_max(b.engine);
  size_t capacity = capacity_a > capacity_b ? capacity_a : capacity_b;
  uint8_t *frame = malloc(capacity);
  if (!frame) return 1;
  while (!converged(&a, &b)) {
    wait_for_work(&a, &b);
    struct sync_tick_report report;
    take_completions(&a);
    take_completions(&b);
    must(sync_tick(a.engine, &report), "tick");
    must(sync_tick(b.engine, &report), "tick");
    deliver_frames(&a, &b, frame, capacity);
    deliver_frames(&b, &a, frame, capacity);
  }
  free(frame);

  struct sync_digest digest;
  sync_digest_get(a.engine, &digest);
  printf("converged: %" PRIu64 " keys, state %016" PRIx64 "\n", digest.keys, digest.state);
  int status = sync_iterate(b.engine, "", 0, "", 0, false, print_entry, NULL);
  node_close(&a);
  node_close(&b);
  return status == 0 ? 0 : 1;
}
