#include "examples/syncnote/serve.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "examples/syncnote/news.h"
#include "examples/syncnote/neighbours.h"
#include "examples/syncnote/shell.h"

#define MS UINT64_C(1000000)
#define EVENTS_MAX 32
#define NEWS_SPACING_NS (100 * MS) /* a look costs as much as there are notes */
#define LAST_WORDS_MS 5000

struct node {
  struct store *store;
  struct neighbours peers;
  struct shell shell;
  struct news news;
  const char *name;
  int epoll, signals;
  struct source signalled, completed;
  uint8_t *frame;
  size_t capacity;
  uint64_t news_ns, news_state; /* of the last look */
  int status;                   /* what the engine said last, and was told */
  bool quits;
};

static void nothing(void *arg, uint32_t events) {
  (void)arg, (void)events;
} /* each turn takes completions anyway */

static void signal_came(void *arg, uint32_t events) {
  (void)events;
  struct node *node = arg;
  node->quits = true;
}

static void watch(const struct node *node, int fd, struct source *source) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = source};
  epoll_ctl(node->epoll, EPOLL_CTL_ADD, fd, &event);
}

/* A disk that is full now and a disk that is gone for good differ: the engine goes on with the one. */
static void told(struct node *node, int status) {
  if (status == SYNC_E_NOT_FOUND) status = SYNC_OK; /* no frame is ready */
  if (status != SYNC_OK && status != node->status) fprintf(stderr, "syncnote: %s\n", sync_status_message(status));
  node->status = status;
}

static bool goes_on(const struct node *node) {
  return !node->quits && !node->shell.quits && !store_is_dead(node->status) && !store_is_dead(node->peers.status);
}

static bool news_due(const struct node *node) {
  struct sync_digest digest;
  sync_digest_get(node->store->engine, &digest);
  return !node->news.list || digest.state != node->news_state;
}

static void look_for_news(struct node *node) {
  uint64_t now_ns = store_now_ns(node->store);
  if (!news_due(node) || now_ns < node->news_ns + NEWS_SPACING_NS) return;
  struct sync_digest digest;
  sync_digest_get(node->store->engine, &digest);
  if (news_look(&node->news, node->store->engine, node->name)) node->news_state = digest.state;
  node->news_ns = now_ns;
}

/* How long epoll may wait, in ms: until the engine, a peer or the news want a turn. */
static int wait_ms(const struct node *node) {
  if (shell_is_ready(&node->shell)) return 0;
  uint64_t now_ns = store_now_ns(node->store), until_ns = sync_next_deadline(node->store->engine);
  uint64_t peers_ns = neighbours_next_ns(&node->peers), news_ns = node->news_ns + NEWS_SPACING_NS;
  if (peers_ns < until_ns) until_ns = peers_ns;
  if (news_due(node) && news_ns < until_ns) until_ns = news_ns;
  /* What the disk refused is not asked for all the time. */
  if (node->status != SYNC_OK && until_ns < now_ns + 100 * MS) until_ns = now_ns + 100 * MS;
  if (until_ns <= now_ns) return 0;
  uint64_t ms = (until_ns - now_ns + MS - 1) / MS;
  return ms > 60000 ? 60000 : (int)ms;
}

/* docs/embedding.md shows this one. */
static void turn(struct node *node) {
  struct sync_engine *engine = node->store->engine;
  struct epoll_event events[EVENTS_MAX];
  int count = epoll_wait(node->epoll, events, EVENTS_MAX, wait_ms(node));

  /* 1. Fsyncs that are complete. */
  int status = store_completions(node->store);

  /* 2. Whatever else happened: frames that came go to sync_receive(), a connection was made or lost, a line was typed.
   */
  for (int i = 0; i < count; i++) {
    struct source *source = events[i].data.ptr;
    source->ready(source->arg, events[i].events);
  }

  /* 3. Own writes: the lines that were typed; what was written is told when it is durable. */
  shell_turn(&node->shell);

  /* 4. Time, for the engine and for connections. */
  struct sync_tick_report report;
  if (status == SYNC_OK) status = sync_tick(engine, &report);
  neighbours_tick(&node->peers);

  /* 5. Frames out, of all that the steps above made. What has no connection, or no room, is dropped. */
  uint32_t peer;
  size_t size;
  while (status == SYNC_OK) {
    status = sync_next_frame(engine, &peer, node->frame, node->capacity, &size);
    if (status == SYNC_OK) neighbours_send(&node->peers, peer, node->frame, size);
  }
  told(node, status);
}

static bool node_begin(struct node *node, struct store *store, const struct serve_options *options) {
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGHUP);
  node->store = store;
  node->name = options->name;
  node->epoll = epoll_create1(EPOLL_CLOEXEC);
  node->signals = sigprocmask(SIG_BLOCK, &ends, NULL) == 0 ? signalfd(-1, &ends, SFD_CLOEXEC) : -1;
  node->capacity = sync_frame_bytes_max(store->engine);
  node->frame = malloc(node->capacity);
  if (node->epoll < 0 || node->signals < 0 || !node->frame) {
    fprintf(stderr, "syncnote: cannot begin: %s\n", strerror(errno));
    return false;
  }
  node->signalled = (struct source){signal_came, node};
  node->completed = (struct source){nothing, node};
  watch(node, node->signals, &node->signalled);
  watch(node, sync_posix_poll_fd(store->posix), &node->completed);
  neighbours_begin(&node->peers, store, node->epoll, options->name, options->cluster);
  for (size_t i = 0; i < options->peer_count; i++)
    if (!neighbours_add(&node->peers, options->peers[i])) return false;
  neighbours_known(&node->peers);
  if (options->listen && !neighbours_listen(&node->peers, options->listen)) return false;
  shell_begin(&node->shell, store, &node->peers, node->epoll);
  look_for_news(node); /* what is there already is no news */
  return true;
}

static void node_end(struct node *node) {
  shell_end(&node->shell);
  news_end(&node->news);
  neighbours_end(&node->peers);
  free(node->frame);
  if (node->epoll >= 0) close(node->epoll);
  if (node->signals >= 0) close(node->signals);
}

bool serve(struct store *store, const struct serve_options *options) {
  setvbuf(stdout, NULL, _IOLBF, 0); /* a line for each thing that happens, also into a pipe */
  signal(SIGPIPE, SIG_IGN);
  struct node *node = calloc(1, sizeof *node);
  if (!node) return false;
  node->peers.listener = -1;
  bool good = node_begin(node, store, options);
  while (good && goes_on(node)) {
    turn(node);
    look_for_news(node);
    neighbours_sweep(&node->peers);
    if (node->shell.forgot) neighbours_known(&node->peers);
    node->shell.forgot = false;
  }
  if (good && (store_is_dead(node->status) || store_is_dead(node->peers.status))) {
    fprintf(stderr, "syncnote: the disk failed. What was said to be saved is; start again when the disk works\n");
    good = false;
  } else if (good) {
    (void)store_settle(store, sync_appended_position(store->engine), LAST_WORDS_MS);
  }
  node_end(node);
  free(node);
  return good;
}
