/* synctool verify: reads everything, and says what is not as it was written. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "synctool/arguments.h"
#include "synctool/json.h"
#include "synctool/print.h"
#include "synctool/snapshot_file.h"
#include "synctool/walk.h"

#define STEP_BYTES UINT64_C(1048576)

struct findings {
  bool json;
  uint64_t damages, records, files;
  uint64_t next; /* where the next record of the log must begin */
  bool opens;    /* an engine opens it all the same */
  bool output_failed;
};

static void found(struct findings *findings, const char *where, uint64_t position, uint64_t size, const char *what) {
  findings->damages++;
  if (findings->json) {
    json_t *object = json_object();
    json_put_bytes(object, "damage", what, strlen(what));
    json_put_bytes(object, "in", where, strlen(where));
    json_put_number(object, "at", position);
    if (size > 0) json_put_number(object, "bytes", size);
    if (!json_write_line(stdout, object)) findings->output_failed = true;
    return;
  }
  (void)printf("DAMAGED %s at %" PRIu64, where, position);
  if (size > 0) (void)printf(", %" PRIu64 " bytes", size);
  (void)printf(": %s\n", what);
}

static int take_record(void *arg, const struct walk_record *record) {
  struct findings *findings = arg;
  if (record->position > findings->next)
    found(findings, "log", findings->next, record->position - findings->next,
          "below the snapshot: costs no state here, only peers that still need it get the snapshot");
  findings->next = record->end;
  findings->records++;
  return 0;
}

static int take_snapshot(void *arg, const struct snapshot_file *file) {
  struct findings *findings = arg;
  findings->files++;
  if (strncmp(file->name, "base-", 5) == 0 && !file->whole)
    found(findings, file->name, file->damage_at, 0, "a block is not as it was written, or is not there");
  return 0;
}

static int take_damage(void *arg, const struct sync_damage *damage) {
  struct findings *findings = arg;
  char text[64 + PRINT_DOT_BYTES], dot[PRINT_DOT_BYTES] = "a mark, or a peer that was added or removed";
  if (damage->base) return 0; /* told by its name already */
  if (damage->operation) print_dot(dot, &damage->dot);
  (void)snprintf(text, sizeof text, "record of %s %s", dot,
                 damage->status == SYNC_E_IO ? "cannot be read" : "is not as it was written");
  found(findings, "log", damage->position, damage->size, text);
  return 0;
}

/* Where the names say that the log begins. */
static uint64_t first_position(const struct identity *identity) {
  uint64_t position = 0;
  if (strlen(identity->first_segment) < 20) return 0;
  for (size_t i = 4; i < 20; i++) {
    const char c = identity->first_segment[i];
    position = position << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return position;
}

/* The log as it is read at an open, and then once more against what was read: also headers. */
static int read_log(struct place *place, struct findings *findings, struct wal_report *report) {
  findings->next = first_position(&place->identity);
  int status = walk_log(place, take_record, findings, report);
  if (status == SYNC_E_DAMAGED) {
    found(findings, "log", report->damage_position, 0, report->detail);
    return SYNC_OK;
  }
  if (status != SYNC_OK) return status;
  const struct sync_options options = place_options(place);
  status = sync_open(&place->engine, place->env, &options, &place->report);
  if (status == SYNC_E_DAMAGED) {
    found(findings, "directory", place->report.damage_position, 0, place->report.detail);
    return SYNC_OK;
  }
  findings->opens = status == SYNC_OK;
  uint64_t position = 0;
  while (status == SYNC_OK && position != SYNC_VERIFIED)
    status = sync_verify(place->engine, &position, STEP_BYTES, take_damage, findings);
  return status;
}

static int run(int argc, char **argv) {
  const char *directory = NULL, *json = NULL;
  const struct argument_option options[] = {{"--json", false, &json}, {NULL, false, NULL}};
  struct place place;
  struct wal_report report = {0};
  int status = EXIT_GOOD;
  if (!arguments_take(&command_verify, argc, argv, options, 1, 1, &directory, &status)) return status;
  status = place_open(&place, directory, PLACE_TO_READ);
  if (status != EXIT_GOOD) return status;
  struct findings findings = {.json = json != NULL};
  int read = snapshot_file_each(place.env, take_snapshot, &findings);
  if (read == SYNC_OK && place.identity.known) read = read_log(&place, &findings, &report);
  if (!place.identity.known)
    found(&findings, place.identity.first_segment, 0, 0, "no header says whose directory it is");
  if (read != SYNC_OK) {
    status = place_complain(directory, read, report.detail[0] != '\0' ? report.detail : place.report.detail);
  } else if (findings.json) {
    json_t *object = json_object();
    json_put_number(object, "damages", findings.damages);
    json_put_number(object, "records", findings.records);
    json_put_number(object, "end", report.appended_position);
    json_put_number(object, "durable", report.durable_position);
    json_put_number(object, "tail_bytes", report.tail_bytes_cut);
    if (!json_write_line(stdout, object)) findings.output_failed = true;
  } else if (findings.damages == 0) {
    (void)printf("whole: %" PRIu64 " records up to %" PRIu64 ", durable up to %" PRIu64 "; %" PRIu64 " snapshot%s\n",
                 findings.records, report.appended_position, report.durable_position, findings.files,
                 findings.files == 1 ? "" : "s");
    if (report.tail_bytes_cut > 0)
      (void)printf("(a torn tail of %" PRIu64
                   " bytes behind them: no record says that it was durable, so it is no damage)\n",
                   report.tail_bytes_cut);
  } else {
    (void)printf("%" PRIu64 " damaged; %s\n", findings.damages,
                 findings.opens ? "the engine opens all the same, and 'synctool compact' makes a snapshot that has all"
                                : "the engine does not open: 'synctool repair' tells what can be done");
  }
  if (status == EXIT_GOOD && findings.damages > 0) status = EXIT_DAMAGED;
  if (findings.output_failed) status = EXIT_STOPPED;
  place_close(&place);
  return status;
}

const struct command command_verify = {
    "verify", "reads everything, and says what is damaged and where",
    "Usage: synctool verify DIR [--json]\n\n"
    "Reads every record of the log, every header and every block of every snapshot. Status 0: all is as it was\n"
    "written; 1: a line for each that is not.\n",
    run};
