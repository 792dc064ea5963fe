#include "examples/syncnote/neighbours.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "examples/syncnote/frames.h"

#define MS UINT64_C(1000000)
#define GREETING_BYTES_MAX 256u
#define GREETING_LIMIT_NS (5000 * MS) /* also of a connect */
#define DIAL_FIRST_NS (100 * MS)
#define DIAL_LONGEST_NS (30000 * MS)
/* A peer that owes an answer (the engine says so) and is silent for so long is at the far end of nothing. */
#define SILENCE_NS (15000 * MS)
#define STRANGERS_MAX 8u
/* A slow peer's frames wait here, where the bound is known, and not in the system. */
#define SEND_BUFFER_BYTES 65536

struct connection {
  struct connection *next;
  struct source source;
  struct frames frames;
  struct peer *peer; /* NULL: a stranger */
  bool dialled, connecting, greeted, ended;
  uint32_t watched; /* events that epoll tells of */
  uint64_t began_ns, heard_ns;
  char from[300]; /* for people */
};

bool neighbours_is_name(const char *text, size_t most) {
  size_t size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");
  return size > 0 && size <= most && text[size] == '\0';
}

void neighbours_begin(struct neighbours *peers, struct store *store, int epoll, const char *name, const char *cluster) {
  *peers = (struct neighbours){.store = store, .epoll = epoll, .name = name, .cluster = cluster, .listener = -1};
}

static struct peer *peer_named(struct neighbours *peers, const char *name) {
  for (size_t i = 0; i < peers->count; i++)
    if (strcmp(peers->list[i].name, name) == 0) return &peers->list[i];
  return NULL;
}

/* --- Connections ----------------------------------------------------------------- */

/* Asks epoll for what the connection waits for: also for room, while something waits to be sent. */
static void watch(struct connection *connection, int epoll) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connection->source};
  if (connection->connecting || frames_waiting(&connection->frames)) event.events |= EPOLLOUT;
  if (event.events == connection->watched) return;
  int how = connection->watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  connection->watched = event.events;
  epoll_ctl(epoll, how, connection->frames.fd, &event);
}

static uint64_t jitter(uint64_t below_ns) {
  uint64_t chance = 0;
  if (getrandom(&chance, sizeof chance, 0) != sizeof chance) return 0;
  return chance % below_ns;
}

static void dial_later(struct neighbours *peers, struct peer *peer) {
  uint64_t wait_ns = DIAL_FIRST_NS;
  for (unsigned i = 1; i < peer->attempts && wait_ns < DIAL_LONGEST_NS; i++)
    wait_ns *= 2;
  if (wait_ns > DIAL_LONGEST_NS) wait_ns = DIAL_LONGEST_NS;
  peer->dial_ns = store_now_ns(peers->store) + wait_ns + jitter(wait_ns / 4);
}

/* What went wrong with a peer is told once, until it changes. */
static void tell(struct peer *peer, const char *what) {
  if (strncmp(peer->complaint, what, sizeof peer->complaint - 1) == 0) return;
  snprintf(peer->complaint, sizeof peer->complaint, "%s", what);
  fprintf(stderr, "syncnote: %s: %s\n", peer->name, what);
}

static void connection_end(struct neighbours *peers, struct connection *connection, const char *why) {
  if (connection->ended) return;
  connection->ended = true;
  frames_end(&connection->frames); /* epoll forgets a descriptor that is closed */
  struct peer *peer = connection->peer;
  if (!peer) {
    peers->strangers--;
    if (why) fprintf(stderr, "syncnote: a stranger at %s: %s\n", connection->from, why);
    return;
  }
  if (peer->dialled == connection) {
    peer->dialled = NULL;
    dial_later(peers, peer);
  }
  if (peer->connection == connection) {
    peer->connection = NULL;
    for (struct connection *other = peers->connections; other; other = other->next)
      if (other->peer == peer && other->greeted && !other->ended) peer->connection = other;
    if (!peer->connection) printf("* %s is gone\n", peer->name);
  }
  if (why) tell(peer, why);
}

static void connection_ready(void *arg, uint32_t events);
struct link { /* what connection_ready() gets; lives as long as its connection */
  struct neighbours *peers;
  struct connection connection;
};

static struct connection *connection_begin(struct neighbours *peers, int fd, const char *from) {
  struct link *link = calloc(1, sizeof *link);
  if (!link) {
    close(fd);
    return NULL;
  }
  int on = 1; /* frames are whole: nothing is gained by waiting for more */
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  int bytes = SEND_BUFFER_BYTES;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  link->peers = peers;
  struct connection *connection = &link->connection;
  connection->source = (struct source){connection_ready, link};
  connection->began_ns = connection->heard_ns = store_now_ns(peers->store);
  snprintf(connection->from, sizeof connection->from, "%s", from);
  /* A window of frames, and as much again: a peer that does not read costs that, and what is dropped comes again. */
  frames_begin(&connection->frames, fd, GREETING_BYTES_MAX,
               2 * STORE_WINDOW * (4 + sync_frame_bytes_max(peers->store->engine)));
  connection->next = peers->connections;
  peers->connections = connection;
  return connection;
}

static void say(struct connection *connection, const char *text) {
  (void)frames_put(&connection->frames, text, strlen(text)); /* it is the first: there is room */
}

static void say_who(struct neighbours *peers, struct connection *connection) {
  char text[GREETING_BYTES_MAX];
  snprintf(text, sizeof text, "syncnote 1 %s %s", peers->cluster, peers->name);
  say(connection, text);
}

/* --- Greetings --------------------------------------------------------------------- */

static void refuse(struct neighbours *peers, struct connection *connection, const char *why) {
  char text[GREETING_BYTES_MAX];
  snprintf(text, sizeof text, "refused %.200s", why);
  say(connection, text);
  (void)frames_write(&connection->frames);
  connection_end(peers, connection, why);
}

static bool is_greeting(const char *text, char cluster[17], char name[SYNC_NODE_ID_BYTES_MAX + 1]) {
  int end = 0;
  return sscanf(text, "syncnote 1 %16[A-Za-z0-9._-] %63[A-Za-z0-9._-]%n", cluster, name, &end) == 2 &&
         text[end] == '\0';
}

static void greeted(struct neighbours *peers, struct connection *connection) {
  struct peer *peer = connection->peer;
  connection->greeted = true;
  connection->frames.longest = sync_frame_bytes_max(peers->store->engine);
  peer->attempts = 0;
  peer->complaint[0] = '\0';
  if (!peer->connection) printf("* %s is here\n", peer->name);
  peer->connection = connection;
  int status = sync_peer_retry(peers->store->engine, peer->handle); /* the way is open: do not wait */
  if (store_is_dead(status)) peers->status = status;
}

/* Who dials may come again while we have not noticed that its last connection is dead. */
static void replace_accepted(struct neighbours *peers, const struct peer *peer, const struct connection *by) {
  for (struct connection *old = peers->connections; old; old = old->next)
    if (old != by && old->peer == peer && !old->dialled && !old->ended) connection_end(peers, old, NULL);
}

static void hear_stranger(struct neighbours *peers, struct connection *connection, const char *text) {
  char cluster[17], name[SYNC_NODE_ID_BYTES_MAX + 1], why[GREETING_BYTES_MAX];
  if (!is_greeting(text, cluster, name)) {
    connection_end(peers, connection, "what it sends is no greeting of syncnote");
    return;
  }
  struct peer *peer = peer_named(peers, name);
  why[0] = '\0';
  if (strcmp(cluster, peers->cluster) != 0)
    snprintf(why, sizeof why, "%s is of the cluster '%s', %s of '%s'", name, cluster, peers->name, peers->cluster);
  else if (strcmp(name, peers->name) == 0)
    snprintf(why, sizeof why, "%s is the name of both: each machine needs its own", name);
  else if (!peer)
    snprintf(why, sizeof why, "%s is no peer of %s: start that with --peer %s", name, peers->name, name);
  if (why[0]) {
    refuse(peers, connection, why);
    return;
  }
  peers->strangers--;
  connection->peer = peer;
  say_who(peers, connection);
  greeted(peers, connection);
  replace_accepted(peers, peer, connection);
}

static void hear_dialled(struct neighbours *peers, struct connection *connection, char *text) {
  char cluster[17], name[SYNC_NODE_ID_BYTES_MAX + 1], why[2 * GREETING_BYTES_MAX];
  const struct peer *peer = connection->peer;
  if (strncmp(text, "refused ", 8) == 0) {
    for (char *at = text; *at; at++)
      if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = '?'; /* it comes to a terminal */
    snprintf(why, sizeof why, "it refuses us: %s", text + 8);
  } else if (!is_greeting(text, cluster, name)) {
    snprintf(why, sizeof why, "what is at %s is no syncnote", connection->from);
  } else if (strcmp(name, peer->name) != 0 || strcmp(cluster, peers->cluster) != 0) {
    snprintf(why, sizeof why, "what is at %s is %s of the cluster '%s'", connection->from, name, cluster);
  } else {
    greeted(peers, connection);
    return;
  }
  connection_end(peers, connection, why);
}

/* --- What comes -------------------------------------------------------------------- */

static void hear_frame(struct neighbours *peers, struct connection *connection, const uint8_t *frame, size_t size) {
  if (!connection->greeted) {
    char text[GREETING_BYTES_MAX + 1];
    memcpy(text, frame, size);
    text[size] = '\0';
    if (connection->dialled)
      hear_dialled(peers, connection, text);
    else
      hear_stranger(peers, connection, text);
    return;
  }
  int status = sync_receive(peers->store->engine, connection->peer->handle, frame, size);
  switch (status) {
  case SYNC_OK:
    return;
  case SYNC_E_CORRUPT:
  case SYNC_E_VERSION:
  case SYNC_E_CLUSTER:
  case SYNC_E_LIMITS:
  case SYNC_E_PEER:
    connection_end(peers, connection, sync_status_message(status)); /* what comes from there is of no use */
    return;
  default: /* no room, no memory: it will be sent again */
    if (store_is_dead(status)) peers->status = status;
    tell(connection->peer, sync_status_message(status));
  }
}

static void connection_read(struct neighbours *peers, struct connection *connection) {
  const char *why = frames_read(&connection->frames);
  connection->heard_ns = store_now_ns(peers->store);
  const uint8_t *frame;
  size_t size;
  const char *wrong = NULL;
  while (!connection->ended && frames_next(&connection->frames, &frame, &size, &wrong)) {
    hear_frame(peers, connection, frame, size);
    if (!connection->ended) frames_used(&connection->frames, size);
  }
  if (why || wrong) connection_end(peers, connection, why ? why : wrong);
}

static void connection_write(struct neighbours *peers, struct connection *connection) {
  const char *why = frames_write(&connection->frames);
  if (why)
    connection_end(peers, connection, why);
  else
    watch(connection, peers->epoll);
}

static void connection_ready(void *arg, uint32_t events) {
  struct link *link = arg;
  struct connection *connection = &link->connection;
  if (connection->ended) return;
  if (connection->connecting) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(connection->frames.fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) {
      connection_end(link->peers, connection, strerror(error));
      return;
    }
    connection->connecting = false;
    say_who(link->peers, connection);
  }
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) connection_read(link->peers, connection);
  if (!connection->ended) connection_write(link->peers, connection);
}

void neighbours_send(struct neighbours *peers, uint32_t handle, const void *frame, size_t size) {
  for (size_t i = 0; i < peers->count; i++) {
    struct connection *connection = peers->list[i].connection;
    if (peers->list[i].handle != handle || !connection) continue;
    (void)frames_put(&connection->frames, frame, size); /* dropped when there is no room: it comes again */
    connection_write(peers, connection);
  }
}

/* --- Where they are ------------------------------------------------------------------ */

/* HOST:PORT, [HOST]:PORT for addresses that have colons. */
static bool split_address(const char *text, char host[256], char port[8]) {
  const char *colon = strrchr(text, ':');
  if (!colon || colon == text) return false;
  size_t size = (size_t)(colon - text);
  if (text[0] == '[' && colon[-1] == ']') {
    text++;
    size -= 2;
  }
  if (size == 0 || size > 255) return false;
  memcpy(host, text, size);
  host[size] = '\0';
  char *end;
  unsigned long number = strtoul(colon + 1, &end, 10);
  if (colon[1] < '0' || colon[1] > '9' || *end != '\0' || number > 65535) return false;
  snprintf(port, 8, "%lu", number);
  return true;
}

static bool peer_join(struct neighbours *peers, const char *name, uint32_t handle, struct peer **peer) {
  if (peers->count == PEERS_MAX) return false;
  *peer = &peers->list[peers->count++];
  **peer = (struct peer){.handle = handle};
  snprintf((*peer)->name, sizeof(*peer)->name, "%s", name);
  return true;
}

bool neighbours_add(struct neighbours *peers, const char *text) {
  char name[SYNC_NODE_ID_BYTES_MAX + 1], host[256] = "", port[8] = "";
  size_t size = strcspn(text, "=");
  if (size <= SYNC_NODE_ID_BYTES_MAX) snprintf(name, sizeof name, "%.*s", (int)size, text);
  bool good = size <= SYNC_NODE_ID_BYTES_MAX && neighbours_is_name(name, SYNC_NODE_ID_BYTES_MAX);
  if (good && text[size] == '=') good = split_address(text + size + 1, host, port);
  if (!good) {
    fprintf(stderr, "syncnote: --peer %s: it is NAME=HOST:PORT, or NAME of one that connects to us\n", text);
    return false;
  }
  uint32_t handle;
  int status = strcmp(name, peers->name) == 0 ? SYNC_E_INVALID : sync_peer_add(peers->store->engine, name, &handle);
  if (status != SYNC_OK) {
    fprintf(stderr, "syncnote: --peer %s: %s\n", text,
            status == SYNC_E_INVALID ? "this is our own name" : sync_status_message(status));
    return false;
  }
  struct peer *peer = peer_named(peers, name);
  if (!peer && !peer_join(peers, name, handle, &peer)) return false;
  memcpy(peer->host, host, sizeof host);
  memcpy(peer->port, port, sizeof port);
  return true;
}

static int known_one(void *arg, uint32_t handle) {
  struct neighbours *peers = arg;
  struct sync_peer_info info;
  struct peer *peer;
  if (sync_peer_info(peers->store->engine, handle, &info) == SYNC_OK && !peer_named(peers, info.node_id))
    (void)peer_join(peers, info.node_id, handle, &peer);
  return 0;
}

static void peer_leave(struct neighbours *peers, size_t at) {
  struct peer *peer = &peers->list[at];
  for (struct connection *connection = peers->connections; connection; connection = connection->next)
    if (connection->peer == peer) connection_end(peers, connection, NULL);
  neighbours_sweep(peers); /* nothing may point to it */
  struct peer *last = &peers->list[--peers->count];
  for (struct connection *connection = peers->connections; connection; connection = connection->next)
    if (connection->peer == last) connection->peer = peer;
  *peer = *last;
}

void neighbours_known(struct neighbours *peers) {
  for (size_t i = peers->count; i-- > 0;) {
    struct sync_peer_info info;
    if (sync_peer_info(peers->store->engine, peers->list[i].handle, &info) != SYNC_OK) peer_leave(peers, i);
  }
  sync_peers(peers->store->engine, known_one, peers);
}

/* The addresses of a name are tried in turns, one at each attempt. The look-up of a name waits for its server;
 * addresses in numbers do not. */
static int socket_to(struct peer *peer, const char **why) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
  int error = getaddrinfo(peer->host, peer->port, &hints, &all);
  if (error != 0) {
    *why = gai_strerror(error);
    return -1;
  }
  const struct addrinfo *address = all; /* there is at least one */
  for (unsigned i = 1; i < peer->attempts; i++)
    address = address->ai_next ? address->ai_next : all;
  int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0 || (connect(fd, address->ai_addr, address->ai_addrlen) != 0 && errno != EINPROGRESS)) {
    *why = strerror(errno);
    if (fd >= 0) close(fd);
    fd = -1;
  }
  freeaddrinfo(all);
  return fd;
}

static void dial(struct neighbours *peers, struct peer *peer) {
  const char *why = "no memory";
  char where[300];
  peer->attempts++;
  dial_later(peers, peer);
  int fd = socket_to(peer, &why);
  snprintf(where, sizeof where, "%s:%s", peer->host, peer->port);
  struct connection *connection = fd < 0 ? NULL : connection_begin(peers, fd, where);
  if (!connection) {
    tell(peer, why);
    return;
  }
  connection->peer = peer;
  connection->dialled = connection->connecting = true;
  peer->dialled = connection;
  watch(connection, peers->epoll);
}

static void accept_one(void *arg, uint32_t events) {
  (void)events;
  struct neighbours *peers = arg;
  struct sockaddr_storage address;
  socklen_t size = sizeof address;
  int fd = accept4(peers->listener, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    if (errno == EMFILE || errno == ENFILE) poll(NULL, 0, 10); /* it waits there until a descriptor is free */
    return;
  }
  char host[256] = "?", port[8] = "?", from[300];
  getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  snprintf(from, sizeof from, "%s:%s", host, port);
  struct connection *connection = connection_begin(peers, fd, from);
  if (!connection) return;
  watch(connection, peers->epoll);
  if (++peers->strangers <= STRANGERS_MAX) return;
  struct connection *oldest = NULL; /* the list begins with the newest */
  for (struct connection *at = peers->connections; at; at = at->next)
    if (!at->peer && !at->ended) oldest = at;
  if (oldest) connection_end(peers, oldest, "too many wait, and it says nothing");
}

bool neighbours_listen(struct neighbours *peers, const char *text) {
  char host[256], port[8];
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *address = NULL;
  if (!split_address(text, host, port)) {
    fprintf(stderr, "syncnote: --listen %s: it is ADDRESS:PORT; port 0: any that is free\n", text);
    return false;
  }
  int error = getaddrinfo(host, port, &hints, &address);
  if (error != 0) {
    fprintf(stderr, "syncnote: cannot listen at %s: %s\n", text, gai_strerror(error));
    return false;
  }
  int on = 1, fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
              bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, 16) == 0;
  if (!good) fprintf(stderr, "syncnote: cannot listen at %s: %s\n", text, strerror(errno));
  freeaddrinfo(address);
  if (!good && fd >= 0) close(fd);
  if (!good) return false;
  peers->listener = fd;
  peers->listening = (struct source){accept_one, peers};
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = &peers->listening};
  epoll_ctl(peers->epoll, EPOLL_CTL_ADD, fd, &event);
  struct sockaddr_storage bound;
  socklen_t size = sizeof bound;
  getsockname(fd, (struct sockaddr *)&bound, &size);
  getnameinfo((struct sockaddr *)&bound, size, NULL, 0, port, sizeof port, NI_NUMERICSERV);
  printf("listening at %s:%s\n", host, port);
  return true;
}

/* --- Time ---------------------------------------------------------------------------- */

/* When the connection is to end if nothing more is heard; 0: not for that reason. */
static uint64_t end_ns(const struct neighbours *peers, const struct connection *connection) {
  if (connection->ended) return 0;
  if (!connection->greeted) return connection->began_ns + GREETING_LIMIT_NS;
  struct sync_peer_info info;
  int status = sync_peer_info(peers->store->engine, connection->peer->handle, &info);
  bool overdue = status == SYNC_OK && (info.state == SYNC_PEER_BACKOFF || info.state == SYNC_PEER_PARKED);
  return overdue ? connection->heard_ns + SILENCE_NS : 0;
}

static bool is_to_dial(const struct peer *peer) {
  return peer->host[0] && !peer->connection && !peer->dialled;
}

void neighbours_tick(struct neighbours *peers) {
  uint64_t now_ns = store_now_ns(peers->store);
  for (struct connection *connection = peers->connections; connection; connection = connection->next) {
    uint64_t end = end_ns(peers, connection);
    if (end != 0 && end <= now_ns)
      connection_end(peers, connection, connection->greeted ? "it is silent" : "no greeting came");
  }
  for (size_t i = 0; i < peers->count; i++)
    if (is_to_dial(&peers->list[i]) && peers->list[i].dial_ns <= now_ns) dial(peers, &peers->list[i]);
}

uint64_t neighbours_next_ns(const struct neighbours *peers) {
  uint64_t next = SYNC_NO_DEADLINE;
  for (const struct connection *connection = peers->connections; connection; connection = connection->next) {
    uint64_t end = end_ns(peers, connection);
    if (end != 0 && end < next) next = end;
  }
  for (size_t i = 0; i < peers->count; i++)
    if (is_to_dial(&peers->list[i]) && peers->list[i].dial_ns < next) next = peers->list[i].dial_ns;
  return next;
}

void neighbours_print(const struct neighbours *peers) {
  for (size_t i = 0; i < peers->count; i++) {
    struct sync_peer_info info;
    const struct peer *peer = &peers->list[i];
    if (sync_peer_info(peers->store->engine, peer->handle, &info) != SYNC_OK) continue;
    printf("%s is %s, and is owed %" PRIu64 "\n", peer->name, peer->connection ? "here" : "away", info.owed_ops);
  }
}

void neighbours_sweep(struct neighbours *peers) {
  struct connection **at = &peers->connections;
  while (*at) {
    struct connection *connection = *at;
    if (!connection->ended) {
      at = &connection->next;
      continue;
    }
    *at = connection->next;
    free(connection->source.arg);
  }
}

void neighbours_end(struct neighbours *peers) {
  for (struct connection *connection = peers->connections; connection; connection = connection->next) {
    frames_end(&connection->frames);
    connection->ended = true;
  }
  neighbours_sweep(peers);
  if (peers->listener >= 0) close(peers->listener);
}
