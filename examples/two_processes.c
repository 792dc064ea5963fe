/* Two processes, each with an engine in its own directory, exchange frames over
 * a socket until both hold the same: what a transport has to do, in full.
 *
 *   two_processes DIR [inline]     uses DIR/a and DIR/b; `inline`: no helper
 *                                  thread for fsyncs
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/sync.h"
#include "posix/posix_env.h"

#define RECORDS 20u
/* Frames are never one byte long, so this can say "I have everything". */
#define FAREWELL_BYTES 1u

struct node {
  struct sync_posix *posix;
  struct sync_engine *engine;
  uint32_t peer;
  unsigned written;
  int socket; /* SOCK_SEQPACKET: one message is one frame */
  uint8_t *in, *out;
  size_t capacity;
  size_t out_size; /* of a frame that the socket had no room for; 0: none */
  bool said_farewell, heard_farewell;
};

static void must(int status, const char *what) {
  if (status == SYNC_OK) return;
  fprintf(stderr, "two_processes: %s: %s (%s)\n", what, sync_status_message(status), sync_status_name(status));
  exit(1);
}

static void node_open(struct node *node, const char *directory, enum sync_posix_fsync_mode mode, const char *id,
                      const char *other_id) {
  struct sync_posix_options posix_options = {.directory = directory, .create = true, .fsync_mode = mode};
  must(sync_posix_open(&node->posix, &posix_options), directory);
  struct sync_options options = {0};
  sync_options_durable(&options);
  options.node_id = id;
  memcpy(options.cluster_id, "two_processes---", SYNC_CLUSTER_ID_BYTES);
  must(sync_open(&node->engine, sync_posix_env(node->posix), &options, NULL), "open");
  must(sync_peer_add(node->engine, other_id, &node->peer), "add a peer");
  node->capacity = sync_frame_bytes_max(node->engine);
  node->in = malloc(node->capacity);
  node->out = malloc(node->capacity);
  if (!node->in || !node->out) must(SYNC_E_NO_MEMORY, "frames");
}

static void node_close(struct node *node) {
  sync_close(node->engine);
  sync_posix_close(node->posix);
  free(node->in);
  free(node->out);
}

/* One record a turn, so that writing, fsyncs and frames overlap as in a real
 * program. */
static void write_record(struct node *node, const char *id) {
  if (node->written == RECORDS) return;
  char key[32], value[64];
  snprintf(key, sizeof key, "%s/%02u", id, node->written);
  snprintf(value, sizeof value, "<record %u of %s>", node->written, id);
  struct sync_receipt receipt;
  must(sync_put(node->engine, key, strlen(key), value, strlen(value), &receipt), "put");
  node->written++;
}

/* Everything of ours is durable there, everything of theirs is durable here. */
static bool is_complete(const struct node *node) {
  struct sync_digest digest;
  sync_digest_get(node->engine, &digest);
  return node->written == RECORDS && digest.keys == 2u * RECORDS && sync_outbox_size(node->engine) == 0 &&
         sync_durable_position(node->engine) == sync_appended_position(node->engine);
}

static void receive_frames(struct node *node) {
  for (;;) {
    ssize_t size = recv(node->socket, node->in, node->capacity, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) {
      /* The other process ended: as it should, after both farewells, or not. */
      must(node->said_farewell && node->heard_farewell ? SYNC_OK : SYNC_E_PEER, "the other process ended early");
      return;
    }
    if ((size_t)size == FAREWELL_BYTES) {
      node->heard_farewell = true;
    } else {
      must(sync_receive(node->engine, node->peer, node->in, (size_t)size), "receive");
    }
  }
}

/* True when the message left; false when the socket has no room now. */
static bool send_message(const struct node *node, const void *bytes, size_t size) {
  ssize_t sent;
  do {
    sent = send(node->socket, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0 || errno == EPIPE || errno == ECONNRESET) return true;
  if (errno != EAGAIN) must(SYNC_E_IO, "send");
  return false;
}

static void send_frames(struct node *node) {
  for (;;) {
    if (node->out_size == 0) {
      uint32_t peer;
      int status = sync_next_frame(node->engine, &peer, node->out, node->capacity, &node->out_size);
      if (status == SYNC_E_NOT_FOUND) {
        node->out_size = 0;
        break;
      }
      must(status, "next frame");
    }
    if (!send_message(node, node->out, node->out_size)) return;
    node->out_size = 0;
  }
  if (!node->said_farewell && is_complete(node)) node->said_farewell = send_message(node, "", FAREWELL_BYTES);
}

static void wait_for_work(const struct node *node) {
  uint64_t deadline_ns = sync_next_deadline(node->engine);
  const struct sync_env *env = sync_posix_env(node->posix);
  uint64_t now_ns = env->ops->mono_ns(env->ctx);
  int timeout_ms = -1;
  if (deadline_ns <= now_ns) {
    timeout_ms = 0;
  } else if (deadline_ns != SYNC_NO_DEADLINE) {
    uint64_t wait_ms = (deadline_ns - now_ns + 999999) / 1000000;
    timeout_ms = wait_ms > 60000 ? 60000 : (int)wait_ms;
  }
  short socket_events = node->out_size > 0 ? POLLIN | POLLOUT : POLLIN;
  struct pollfd sources[2] = {{.fd = sync_posix_poll_fd(node->posix), .events = POLLIN},
                              {.fd = node->socket, .events = socket_events}};
  if (poll(sources, 2, timeout_ms) < 0 && errno != EINTR) must(SYNC_E_IO, "poll");
}

static void run_node(const char *parent, enum sync_posix_fsync_mode mode, const char *id, const char *other_id,
                     int socket) {
  char directory[512];
  if (snprintf(directory, sizeof directory, "%s/%s", parent, id) >= (int)sizeof directory) exit(2);
  struct node node = {.socket = socket};
  node_open(&node, directory, mode, id, other_id);
  write_record(&node, id);
  send_frames(&node);
  while (!node.said_farewell || !node.heard_farewell) {
    wait_for_work(&node);
    uint64_t token;
    int result;
    while (sync_posix_next_completion(node.posix, &token, &result)) {
      must(sync_disk_done(node.engine, token, result), "fsync");
    }
    receive_frames(&node);
    write_record(&node, id);
    struct sync_tick_report report;
    must(sync_tick(node.engine, &report), "tick");
    send_frames(&node);
  }
  struct sync_digest digest;
  sync_digest_get(node.engine, &digest);
  printf("%s holds %" PRIu64 " keys, state %016" PRIx64 "\n", id, digest.keys, digest.state);
  node_close(&node);
}

int main(int argc, char **argv) {
  bool is_inline = argc == 3 && strcmp(argv[2], "inline") == 0;
  if (argc != 2 && !is_inline) {
    fprintf(stderr, "usage: two_processes DIR [inline]\n");
    return 2;
  }
  enum sync_posix_fsync_mode mode = is_inline ? SYNC_POSIX_FSYNC_INLINE : SYNC_POSIX_FSYNC_THREAD;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0) must(SYNC_E_IO, "socketpair");
  /* Fork before the environments exist: their threads and locks stay apart. */
  pid_t child = fork();
  if (child < 0) must(SYNC_E_IO, "fork");
  if (child == 0) {
    close(ends[0]);
    run_node(argv[1], mode, "b", "a", ends[1]);
    return 0;
  }
  close(ends[1]);
  run_node(argv[1], mode, "a", "b", ends[0]);
  int status = 1;
  if (waitpid(child, &status, 0) != child) return 1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
