/* synctool outbox: which operations of this node are owed to whom. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "synctool/arguments.h"
#include "synctool/json.h"
#include "synctool/print.h"
#include "synctool/place.h"

struct order {
  const struct sync_engine *engine;
  const char *peer; /* NULL: all */
  bool json, known;
  int status;
  uint64_t count;
};

static int look_for(void *arg, uint32_t peer) {
  struct order *order = arg;
  struct sync_peer_info info;
  if (sync_peer_info(order->engine, peer, &info) == SYNC_OK && strcmp(info.node_id, order->peer) == 0)
    order->known = true;
  return order->known;
}

static int tell(void *arg, const struct sync_outbox_entry *entry) {
  struct order *order = arg;
  struct sync_peer_info info;
  char dot[PRINT_DOT_BYTES];
  if (sync_peer_info(order->engine, entry->peer, &info) != SYNC_OK) return 0;
  if (order->peer != NULL && strcmp(order->peer, info.node_id) != 0) return 0;
  order->count++;
  const char *state = entry->status == SYNC_OUTBOX_PENDING ? "pending" : "queued";
  if (order->json) {
    json_t *object = json_object();
    json_put_bytes(object, "peer", info.node_id, strlen(info.node_id));
    json_put_dot(object, &entry->dot);
    json_put_bytes(object, "status", state, strlen(state));
    if (!json_write_line(stdout, object)) order->status = EXIT_STOPPED;
    return order->status != EXIT_GOOD;
  }
  print_dot(dot, &entry->dot);
  (void)printf("%s  to %s  %s\n", dot, info.node_id, state);
  return ferror(stdout);
}

static int run(int argc, char **argv) {
  const char *directory = NULL, *json = NULL, *peer = NULL;
  const struct argument_option options[] = {{"--json", false, &json}, {"--peer", true, &peer}, {NULL, false, NULL}};
  struct place place;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_outbox, argc, argv, options, 1, 1, &directory, &status)) return status;
  status = place_read(&place, directory);
  if (status != EXIT_GOOD) return status;
  struct order order = {.engine = place.engine, .peer = peer, .json = json != NULL};
  if (peer != NULL) (void)sync_peers(place.engine, look_for, &order);
  if (peer != NULL && !order.known) {
    (void)fprintf(stderr, "synctool: '%s' has no peer '%s': 'synctool info' lists them\n", directory, peer);
    order.status = EXIT_DAMAGED;
  } else {
    (void)sync_outbox(place.engine, tell, &order);
    if (!order.json)
      (void)printf("# %" PRIu64 " owed, as far as the disk knows: what peers hold by now they tell after an open\n",
                   order.count);
  }
  place_close(&place);
  return order.status;
}

const struct command command_outbox = {
    "outbox", "which operations of this node are owed to which peer",
    "Usage: synctool outbox DIR [--peer NAME] [--json]\n\n"
    "A line for each operation of this node and each peer that is not known to hold it: id, peer, and `queued`\n"
    "(durable here) or `pending` (not known to be). What peers hold is stored nowhere, they tell it after an open; so\n"
    "this is the most that may be owed. Status 1: there is no such peer.\n"
    "  --peer NAME  only what is owed to this one\n",
    run};
