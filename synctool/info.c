/* synctool info: whose directory it is, and what it has. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "synctool/arguments.h"
#include "synctool/json.h"
#include "synctool/print.h"
#include "synctool/place.h"

static int list_peer(void *arg, uint32_t peer) {
  const struct place *place = arg;
  struct sync_peer_info info;
  if (sync_peer_info(place->engine, peer, &info) == SYNC_OK) (void)printf(" %s", info.node_id);
  return 0;
}
static int list_peer_json(void *arg, uint32_t peer) {
  const struct place *place = ((void **)arg)[0];
  struct sync_peer_info info;
  if (sync_peer_info(place->engine, peer, &info) == SYNC_OK)
    (void)json_array_append_new(((json_t **)arg)[1], json_string(info.node_id));
  return 0;
}
static int count_one(void *arg, uint32_t peer) {
  (void)peer;
  ++*(uint64_t *)arg;
  return 0;
}
static int count_origin(void *arg, const struct sync_origin *origin, uint64_t seq) {
  uint64_t *counts = arg;
  (void)origin;
  counts[0]++;
  counts[1] += seq;
  return 0;
}

static void put_cluster(char text[2 * SYNC_CLUSTER_ID_BYTES + 1], const uint8_t *id) {
  for (size_t i = 0; i < SYNC_CLUSTER_ID_BYTES; i++)
    (void)snprintf(text + 2 * i, 3, "%02x", id[i]);
}

static int run(int argc, char **argv) {
  const char *directory = NULL, *json = NULL;
  const struct argument_option options[] = {{"--json", false, &json}, {NULL, false, NULL}};
  struct place place;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_info, argc, argv, options, 1, 1, &directory, &status)) return status;
  status = place_read(&place, directory);
  if (status != EXIT_GOOD) return status;

  char cluster[2 * SYNC_CLUSTER_ID_BYTES + 1];
  uint64_t counts[2] = {0, 0}, peers = 0;
  struct sync_digest digest;
  struct sync_stats stats;
  const struct identity *identity = &place.identity;
  put_cluster(cluster, identity->cluster_id);
  (void)sync_vector(place.engine, false, count_origin, counts);
  (void)sync_peers(place.engine, count_one, &peers);
  sync_digest_get(place.engine, &digest);
  sync_stats_get(place.engine, &stats);
  const struct {
    const char *name;
    const char *words;
    uint64_t number;
  } rows[] = {
      {"value_limit", "longest value", identity->value_bytes_max},
      {"epoch", "opens that wrote", place.report.epoch - 1}, /* the one of this reading is none */
      {"log_first", "log begins at", stats.log_first},
      {"log_end", "log ends at", place.report.appended_position},
      {"durable", "durable up to", place.report.durable_position},
      {"tail_bytes", "torn tail", place.report.tail_bytes_cut},
      {"snapshot", "snapshot at", place.report.base_position},
      {"keys", "keys", digest.keys},
      {"siblings", "siblings", digest.siblings},
      {"conflicts", "in conflict", stats.conflicts},
      {"tombstones", "tombstones", stats.tombstones},
      {"operations", "operations", counts[1]},
      {"origins", "lives of writers", counts[0]},
      {"outbox", "owed to peers", sync_outbox_size(place.engine)},
      {"segments", "files of the log", identity->segments},
      {"stages", "staged snapshots", identity->stages},
      {"set_aside", "files set aside", identity->set_aside},
      {"unfinished", "unfinished files", identity->unfinished},
  };
  if (json != NULL) {
    json_t *object = json_object(), *names = json_array();
    void *arg[2] = {&place, names};
    json_put_bytes(object, "node", identity->node_id, strlen(identity->node_id));
    json_put_bytes(object, "cluster", cluster, sizeof cluster - 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
      json_put_number(object, rows[i].name, rows[i].number);
    (void)sync_peers(place.engine, list_peer_json, arg);
    (void)json_object_set_new(object, "peers", names);
    if (!json_write_line(stdout, object)) status = EXIT_STOPPED;
  } else {
    (void)printf("%-17s %s\n%-17s %s (", "node", identity->node_id, "cluster", cluster);
    print_bytes(stdout, identity->cluster_id, SYNC_CLUSTER_ID_BYTES);
    (void)printf(")\n%-17s", "peers");
    (void)sync_peers(place.engine, list_peer, &place);
    (void)printf("%s\n", peers == 0 ? " none" : "");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
      (void)printf("%-17s %" PRIu64 "\n", rows[i].words, rows[i].number);
  }
  place_close(&place);
  return status;
}

const struct command command_info = {"info", "whose directory it is, and what it has",
                                     "Usage: synctool info DIR [--json]\n\n"
                                     "Node, cluster, peers, positions of the log, numbers of keys and operations.\n",
                                     run};
