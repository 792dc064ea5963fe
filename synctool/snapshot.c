/* synctool snapshot: the snapshots in a directory. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "synctool/arguments.h"
#include "synctool/json.h"
#include "synctool/print.h"
#include "synctool/snapshot_file.h"
#include "synctool/place.h"

struct order {
  bool json;
  int status;
  uint64_t count;
};

static int tell(void *arg, const struct snapshot_file *file) {
  struct order *order = arg;
  const bool base = strncmp(file->name, "base-", 5) == 0;
  char time[PRINT_TIME_BYTES];
  order->count++;
  if (base && !file->whole && order->status == EXIT_GOOD) order->status = EXIT_DAMAGED;
  if (order->json) {
    json_t *object = json_object();
    json_put_bytes(object, "name", file->name, strlen(file->name));
    json_put_number(object, "bytes", file->bytes);
    json_put_bytes(object, "author", file->author, strlen(file->author));
    json_put_number(object, "position", file->position);
    json_put_number(object, "hlc", file->hlc);
    json_put_number(object, "keys", file->keys);
    json_put_number(object, "siblings", file->siblings);
    json_put_number(object, "origins", file->origins);
    (void)json_object_set_new(object, "whole", json_boolean(file->whole));
    if (!file->whole) json_put_number(object, "damage_at", file->damage_at);
    if (!json_write_line(stdout, object)) order->status = EXIT_STOPPED;
    return order->status == EXIT_STOPPED;
  }
  (void)printf("%s  %" PRIu64 " bytes, %" PRIu64 " blocks\n", file->name, file->bytes, file->blocks);
  if (file->head) {
    print_time(time, file->hlc);
    (void)printf("  of %s, position %" PRIu64 "; last write %s\n", file->author, file->position, time);
  }
  if (file->whole)
    (void)printf("  whole: %" PRIu64 " keys, %" PRIu64 " siblings, %" PRIu64 " lives of writers\n", file->keys,
                 file->siblings, file->origins);
  else if (base)
    (void)printf("  DAMAGED at byte %" PRIu64 "\n", file->damage_at);
  else
    (void)printf("  of a peer, whole up to byte %" PRIu64 ": it may still be on its way\n", file->damage_at);
  return 0;
}

static int run(int argc, char **argv) {
  const char *directory = NULL, *json = NULL;
  const struct argument_option options[] = {{"--json", false, &json}, {NULL, false, NULL}};
  struct place place;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_snapshot, argc, argv, options, 1, 1, &directory, &status)) return status;
  status = place_open(&place, directory, PLACE_TO_READ);
  if (status != EXIT_GOOD) return status;
  struct order order = {.json = json != NULL, .status = EXIT_GOOD};
  const int read = snapshot_file_each(place.env, tell, &order);
  if (read < 0) order.status = place_complain(directory, read, NULL);
  if (order.count == 0 && read == 0 && !order.json)
    (void)puts("no snapshot: the log has everything ('synctool compact' takes one)");
  place_close(&place);
  return order.status;
}

const struct command command_snapshot = {
    "snapshot", "the snapshots, each read whole",
    "Usage: synctool snapshot DIR [--json]\n\n"
    "A base, with which opening begins, and staged snapshots of peers. Status 1: a base is damaged.\n",
    run};
