/* Makes the directories that the tests of synctool look into.
 *
 *   make_store fill DIR N      node alice, peer bob: N keys `key-0001`..., and a binary one
 *   make_store conflict A B    nodes alice and bob, who wrote `both` at once, and met
 *   make_store meet A B        opens A as alice and B as bob, who merges a snapshot of alice and writes `after-1` and
 * `after-2` make_store hold DIR        opens DIR, prints `open`, and holds it until standard input ends
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/sync.h"
#include "posix/posix_env.h"

struct node {
  struct sync_posix *posix;
  struct sync_engine *engine;
  uint32_t peer;
};

static void must(int status, const char *what) {
  if (status == SYNC_OK) return;
  (void)fprintf(stderr, "make_store: %s: %s\n", what, sync_status_name(status));
  exit(1);
}

static void node_open(struct node *node, const char *directory, const char *id, const char *peer) {
  const struct sync_posix_options posix = {
      .directory = directory, .create = true, .fsync_mode = SYNC_POSIX_FSYNC_INLINE};
  struct sync_options options = {.node_id = id, .segment_bytes = 4096, .snapshot_bytes = UINT64_MAX};
  memcpy(options.cluster_id, "synctool-tests--", SYNC_CLUSTER_ID_BYTES);
  must(sync_posix_open(&node->posix, &posix), directory);
  must(sync_open(&node->engine, sync_posix_env(node->posix), &options, NULL), directory);
  must(sync_peer_add(node->engine, peer, &node->peer), peer);
}
static void node_put(const struct node *node, const void *key, size_t key_size, const void *value, size_t size) {
  struct sync_receipt receipt;
  must(sync_put(node->engine, key, key_size, value, size, &receipt), "put");
}
static void node_turn(const struct node *node) {
  struct sync_tick_report report;
  uint64_t token = 0;
  int result = SYNC_OK;
  while (sync_posix_next_completion(node->posix, &token, &result))
    must(sync_disk_done(node->engine, token, result), "fsync");
  must(sync_tick(node->engine, &report), "tick");
}
static void node_settle(const struct node *node) {
  must(sync_commit(node->engine), "commit");
  while (sync_durable_position(node->engine) < sync_appended_position(node->engine))
    node_turn(node);
}
static void node_close(const struct node *node) {
  sync_close(node->engine);
  sync_posix_close(node->posix);
}

static bool send_all(const struct node *from, const struct node *to) {
  static uint8_t frame[65536 + SYNC_FRAME_OVERHEAD_BYTES];
  uint32_t peer = 0;
  size_t size = 0;
  bool any = false;
  while (sync_next_frame(from->engine, &peer, frame, sizeof frame, &size) == SYNC_OK) {
    must(sync_receive(to->engine, to->peer, frame, size), "receive");
    any = true;
  }
  node_turn(from);
  node_turn(to);
  return any;
}
static void meet(const struct node *a, const struct node *b) {
  for (int quiet = 0; quiet < 3;) {
    const bool any = send_all(a, b);
    quiet = send_all(b, a) || any ? 0 : quiet + 1;
  }
}

static bool has_merged(const struct node *node) {
  struct sync_stats stats;
  sync_stats_get(node->engine, &stats);
  return stats.merges > 0;
}

static void fill(const char *directory, unsigned count) {
  struct node alice;
  node_open(&alice, directory, "alice", "bob");
  for (unsigned i = 1; i <= count; i++) {
    char key[32], value[64];
    (void)snprintf(key, sizeof key, "key-%04u", i);
    (void)snprintf(value, sizeof value, "value of key %u", i);
    node_put(&alice, key, strlen(key), value, strlen(value));
    if (i % 16 == 0) node_settle(&alice);
  }
  node_put(&alice, "\0\x1b[2J\xff\\", 7, "\x1b]0;title\a\xc2\x9b\0\xe2\x82\xac", 16);
  node_settle(&alice);
  node_close(&alice);
}

int main(int argc, char **argv) {
  if (argc == 4 && strcmp(argv[1], "fill") == 0) {
    fill(argv[2], (unsigned)strtoul(argv[3], NULL, 10));
    return 0;
  }
  if (argc == 4 && strcmp(argv[1], "conflict") == 0) {
    struct node alice, bob;
    node_open(&alice, argv[2], "alice", "bob");
    node_open(&bob, argv[3], "bob", "alice");
    node_put(&alice, "both", 4, "of alice", 8);
    node_put(&bob, "both", 4, "of bob", 6);
    node_put(&bob, "one", 3, "1", 1);
    node_settle(&alice);
    node_settle(&bob);
    meet(&alice, &bob);
    node_settle(&alice);
    node_settle(&bob);
    node_close(&alice);
    node_close(&bob);
    return 0;
  }
  if (argc == 4 && strcmp(argv[1], "meet") == 0) {
    struct node alice, bob;
    node_open(&alice, argv[2], "alice", "bob");
    node_open(&bob, argv[3], "bob", "alice");
    for (int tries = 0; !has_merged(&bob) && tries < 5000; tries++) { /* a snapshot goes by the clock */
      const struct timespec while_ns = {.tv_nsec = 1000000};
      if (send_all(&alice, &bob) || send_all(&bob, &alice)) continue;
      (void)nanosleep(&while_ns, NULL);
    }
    /* At once: before bob takes a snapshot of its own, which would say what the record of the merge says. */
    node_put(&bob, "after-1", 7, "1", 1);
    node_put(&bob, "after-2", 7, "2", 1);
    must(sync_flush(bob.engine), "flush");
    node_close(&alice);
    node_close(&bob);
    return 0;
  }
  if (argc == 3 && strcmp(argv[1], "hold") == 0) {
    struct node alice;
    node_open(&alice, argv[2], "alice", "bob");
    (void)puts("open");
    (void)fflush(stdout);
    while (getchar() != EOF) {
    }
    node_close(&alice);
    return 0;
  }
  (void)fprintf(stderr, "usage: make_store fill DIR N | conflict A B | meet A B | hold DIR\n");
  return 2;
}
