/* The loop of docs/embedding.md in libuv's words: two nodes in one loop, each with a UDP socket on the loopback as its
 * transport (which may lose what it likes), until both hold the same.
 *
 *   uv_loop DIR     uses DIR/a and DIR/b
 *
 * Where libuv is not installed (Debian: libuv1-dev), it is built all the same, says so and ends with 77.
 */
#if __has_include(<uv.h>)
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "core/sync.h"
#include "posix/posix_env.h"

#define RECORDS 20u
#define VALUE_BYTES_MAX 32768u /* so that a frame is one datagram */
#define LIMIT_MS 30000u

struct node {
  struct sync_posix *posix;
  struct sync_engine *engine;
  uv_loop_t *loop;
  uv_poll_t completions;
  uv_prepare_t turn;
  uv_timer_t deadline;
  uv_udp_t socket;
  struct sockaddr other; /* where the other node's socket is */
  char in[65536], out[VALUE_BYTES_MAX + SYNC_FRAME_OVERHEAD_BYTES];
};

static void must(int status, const char *what) {
  if (status == SYNC_OK) return;
  fprintf(stderr, "uv_loop: %s: %s\n", what, sync_status_message(status));
  exit(1);
}
static void must_uv(int error, const char *what) {
  if (error >= 0) return;
  fprintf(stderr, "uv_loop: %s: %s\n", what, uv_strerror(error));
  exit(1);
}

static void fsyncs_complete(uv_poll_t *completions, int error, int events) {
  struct node *node = completions->data;
  uint64_t token;
  int result;
  (void)events;
  must_uv(error, "poll");
  while (sync_posix_next_completion(node->posix, &token, &result))
    must(sync_disk_done(node->engine, token, result), "fsync");
}

static void deadline_came(uv_timer_t *deadline) {
  (void)deadline;
} /* it ends the wait: the turn does the rest */

/* Called each time before the loop waits, whatever it was that happened. */
static void turn_ends(uv_prepare_t *turn) {
  struct node *node = turn->data;
  struct sync_tick_report report;
  must(sync_tick(node->engine, &report), "tick");

  uint32_t peer;
  size_t size;
  int status;
  while ((status = sync_next_frame(node->engine, &peer, node->out, sizeof node->out, &size)) == SYNC_OK) {
    uv_buf_t buffer = uv_buf_init(node->out, (unsigned)size);
    (void)uv_udp_try_send(&node->socket, &buffer, 1, &node->other); /* no room: dropped, and sent again later */
  }
  must(status == SYNC_E_NOT_FOUND ? SYNC_OK : status, "next frame");

  const struct sync_env *env = sync_posix_env(node->posix);
  uint64_t now_ns = env->ops->mono_ns(env->ctx), until_ns = sync_next_deadline(node->engine);
  uv_update_time(node->loop); /* a timer counts from the loop's own time */
  if (until_ns == SYNC_NO_DEADLINE)
    uv_timer_stop(&node->deadline);
  else
    uv_timer_start(&node->deadline, deadline_came, until_ns <= now_ns ? 0 : (until_ns - now_ns + 999999) / 1000000, 0);
}

static void give_buffer(uv_handle_t *socket, size_t suggested, uv_buf_t *buffer) {
  struct node *node = socket->data;
  (void)suggested;
  *buffer = uv_buf_init(node->in, sizeof node->in);
}

static void frame_came(uv_udp_t *socket, ssize_t size, const uv_buf_t *buffer, const struct sockaddr *from,
                       unsigned flags) {
  struct node *node = socket->data;
  (void)flags;
  if (size <= 0 || from == NULL) return;
  /* There is one peer, and its handle is the first. What is no frame is refused, and does no harm. */
  int status = sync_receive(node->engine, 0, buffer->base, (size_t)size);
  if (status == SYNC_E_FAILED) must(status, "receive");
}

static void node_open(struct node *node, uv_loop_t *loop, const char *parent, const char *id, const char *other_id) {
  char directory[512];
  if (snprintf(directory, sizeof directory, "%s/%s", parent, id) >= (int)sizeof directory) exit(2);
  struct sync_posix_options where = {.directory = directory, .create = true};
  must(sync_posix_open(&node->posix, &where), directory);
  struct sync_options options = {.node_id = id, .cluster_id = "uv_loop", .value_bytes_max = VALUE_BYTES_MAX};
  must(sync_open(&node->engine, sync_posix_env(node->posix), &options, NULL), "open");
  uint32_t peer;
  must(sync_peer_add(node->engine, other_id, &peer), "add a peer");
  for (unsigned i = 0; i < RECORDS; i++) {
    char key[32];
    struct sync_receipt receipt;
    snprintf(key, sizeof key, "%s/%02u", id, i);
    must(sync_put(node->engine, key, strlen(key), id, strlen(id), &receipt), "put");
  }
  node->loop = loop;
  node->completions.data = node->turn.data = node->deadline.data = node->socket.data = node;
  struct sockaddr_in any;
  must_uv(uv_ip4_addr("127.0.0.1", 0, &any), "address");
  must_uv(uv_poll_init(loop, &node->completions, sync_posix_poll_fd(node->posix)), "poll");
  must_uv(uv_poll_start(&node->completions, UV_READABLE, fsyncs_complete), "poll");
  must_uv(uv_prepare_init(loop, &node->turn), "prepare");
  must_uv(uv_prepare_start(&node->turn, turn_ends), "prepare");
  must_uv(uv_timer_init(loop, &node->deadline), "timer");
  must_uv(uv_udp_init(loop, &node->socket), "socket");
  must_uv(uv_udp_bind(&node->socket, (const struct sockaddr *)&any, 0), "bind");
  must_uv(uv_udp_recv_start(&node->socket, give_buffer, frame_came), "receive");
}

static void node_close(struct node *node) {
  sync_close(node->engine);
  sync_posix_close(node->posix);
}

/* Everything of ours is durable there, everything of theirs is here. */
static bool is_complete(const struct node *node) {
  struct sync_digest digest;
  sync_digest_get(node->engine, &digest);
  return digest.keys == 2u * RECORDS && sync_outbox_size(node->engine) == 0;
}

static void too_late(uv_timer_t *limit) {
  (void)limit;
  fprintf(stderr, "uv_loop: they are not equal yet\n");
  exit(1);
}

static void close_handle(uv_handle_t *handle, void *arg) {
  (void)arg;
  uv_close(handle, NULL);
}

static struct node a, b;

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: uv_loop DIR\n");
    return 2;
  }
  uv_loop_t loop;
  uv_timer_t limit;
  must_uv(uv_loop_init(&loop), "loop");
  node_open(&a, &loop, argv[1], "a", "b");
  node_open(&b, &loop, argv[1], "b", "a");
  int size = sizeof a.other;
  must_uv(uv_udp_getsockname(&b.socket, &a.other, &size), "name");
  must_uv(uv_udp_getsockname(&a.socket, &b.other, &size), "name");
  must_uv(uv_timer_init(&loop, &limit), "timer");
  must_uv(uv_timer_start(&limit, too_late, LIMIT_MS, 0), "timer");
  while (!is_complete(&a) || !is_complete(&b))
    uv_run(&loop, UV_RUN_ONCE);
  struct sync_digest digest;
  sync_digest_get(a.engine, &digest);
  printf("a holds %" PRIu64 " keys, state %016" PRIx64 "\n", digest.keys, digest.state);
  sync_digest_get(b.engine, &digest);
  printf("b holds %" PRIu64 " keys, state %016" PRIx64 "\n", digest.keys, digest.state);
  uv_walk(&loop, close_handle, NULL); /* before the descriptors that they watch are closed */
  uv_run(&loop, UV_RUN_DEFAULT);
  must_uv(uv_loop_close(&loop), "close");
  node_close(&a);
  node_close(&b);
  return 0;
}
#else
#include <stdio.h>

int main(void) {
  fprintf(stderr, "uv_loop: built without libuv\n");
  return 77;
}
#endif
