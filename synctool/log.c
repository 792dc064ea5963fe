/* synctool log: the records of the log. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "synctool/arguments.h"
#include "synctool/json.h"
#include "synctool/print.h"
#include "synctool/walk.h"

struct order {
  uint64_t from;
  bool json;
};

static const char *const types[] = {[WAL_OPERATION] = "operation",
                                    [WAL_MARK] = "mark",
                                    [WAL_PEER_ADDED] = "peer added",
                                    [WAL_PEER_REMOVED] = "peer removed",
                                    [WAL_MERGE] = "snapshot merged"};
static const char *const kinds[] = {"?", "put", "delete", "sweep"};

static const char *kind_of(uint8_t kind) {
  return kind <= SYNC_SWEEP ? kinds[kind] : kinds[0];
}

static void tell_line(const struct walk_record *record) {
  (void)printf("%10" PRIu64 " %6" PRIu64 "  %s", record->position, record->end - record->position, types[record->type]);
  if (record->type == WAL_PEER_ADDED || record->type == WAL_PEER_REMOVED) {
    (void)putchar(' ');
    print_bytes(stdout, record->payload, record->size);
  }
  if (record->type == WAL_MERGE && record->size >= 8) (void)printf(" %016" PRIx64, bytes_get_u64(record->payload));
  if (record->parsed) {
    char dot[PRINT_DOT_BYTES], time[PRINT_TIME_BYTES];
    struct bytes_reader reader = operation_changes(&record->view);
    print_dot(dot, &record->dot);
    (void)printf(" %s", dot);
    print_time(time, record->hlc);
    if (record->hlc != 0) (void)printf(" %s", time);
    for (size_t i = 0; i < record->view.change_count; i++) {
      struct operation_change_view change;
      operation_change_at(&record->view, i, &reader, &change);
      (void)printf("%s %s ", i == 0 ? "" : ",", kind_of(change.kind));
      print_bytes(stdout, change.key, change.key_size);
      if (change.kind == SYNC_PUT) (void)printf(" (%zu bytes)", change.value_size);
      if (change.automatic) (void)fputs(" by a policy", stdout);
    }
  }
  (void)putchar('\n');
}

static bool tell_json(const struct walk_record *record) {
  json_t *object = json_object();
  json_put_number(object, "position", record->position);
  json_put_number(object, "bytes", record->end - record->position);
  (void)json_object_set_new(object, "type", json_string(types[record->type]));
  if (record->type == WAL_PEER_ADDED || record->type == WAL_PEER_REMOVED)
    json_put_bytes(object, "peer", record->payload, record->size);
  if (record->parsed) {
    json_t *changes = json_array();
    struct bytes_reader reader = operation_changes(&record->view);
    json_put_dot(object, &record->dot);
    if (record->hlc != 0) json_put_number(object, "hlc", record->hlc);
    for (size_t i = 0; i < record->view.change_count; i++) {
      struct operation_change_view change;
      operation_change_at(&record->view, i, &reader, &change);
      json_t *entry = json_object();
      (void)json_object_set_new(entry, "kind", json_string(kind_of(change.kind)));
      json_put_bytes(entry, "key", change.key, change.key_size);
      if (change.kind == SYNC_PUT) json_put_bytes(entry, "value", change.value, change.value_size);
      (void)json_array_append_new(changes, entry);
    }
    (void)json_object_set_new(object, "changes", changes);
  }
  return json_write_line(stdout, object);
}

static int tell(void *arg, const struct walk_record *record) {
  const struct order *order = arg;
  if (record->position < order->from) return 0;
  if (order->json) return tell_json(record) ? 0 : SYNC_E_IO;
  tell_line(record);
  return ferror(stdout) ? SYNC_E_IO : 0;
}

static int run(int argc, char **argv) {
  const char *directory = NULL, *from = NULL, *json = NULL;
  const struct argument_option options[] = {{"--from", true, &from}, {"--json", false, &json}, {NULL, false, NULL}};
  struct order order = {0};
  struct place place;
  struct wal_report report;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_log, argc, argv, options, 1, 1, &directory, &status)) return status;
  if (from != NULL && !arguments_number("--from", from, &order.from)) return EXIT_USAGE;
  order.json = json != NULL;
  status = place_open(&place, directory, PLACE_TO_READ);
  if (status != EXIT_GOOD) return status;
  if (!place.identity.known) {
    status = place_start(&place); /* says why not */
  } else {
    const int walked = walk_log(&place, tell, &order, &report);
    if (ferror(stdout))
      status = EXIT_STOPPED; /* main() says it */
    else if (walked != SYNC_OK)
      status = place_complain(directory, walked, report.detail);
    else if (!order.json)
      (void)printf("# %" PRIu64 " bytes, durable up to %" PRIu64 "%s\n", report.appended_position,
                   report.durable_position,
                   report.tail_bytes_cut > 0 ? "; a torn tail behind them is not promised" : "");
  }
  place_close(&place);
  return status;
}

const struct command command_log = {
    "log", "the records of the log: who wrote what, when",
    "Usage: synctool log DIR [--from POSITION] [--json]\n\n"
    "A line for each record: position, bytes, type; of an operation its id, time and changes.\n"
    "  --from POSITION  begin with the first record at or behind it\n"
    "  --json           one JSON object a line, values included\n",
    run};
