#include "sim/trace.h"

#include "sim/trace_record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define HEADER "syncsim-trace 1"
#define LINE_MAX_BYTES 512u

struct sim_trace_log {
  struct sim_trace_record *records;
  size_t count, capacity;
};

struct sim_trace_log *sim_trace_log_create(void) {
  return calloc(1, sizeof(struct sim_trace_log));
}

void sim_trace_log_destroy(struct sim_trace_log *log) {
  if (log == NULL) return;
  free(log->records);
  free(log);
}

void sim_trace_log_clear(struct sim_trace_log *log) {
  log->count = 0;
}

void sim_trace_log_cut(struct sim_trace_log *log, size_t count) {
  if (count < log->count) log->count = count;
}

size_t sim_trace_log_count(const struct sim_trace_log *log) {
  return log->count;
}

const struct sim_trace_record *sim_trace_log_at(const struct sim_trace_log *log, size_t index) {
  return index < log->count ? &log->records[index] : NULL;
}

bool sim_trace_log_append(struct sim_trace_log *log, const struct sim_trace_record *record) {
  if (log->count == log->capacity) {
    size_t capacity = log->capacity == 0 ? 1024 : log->capacity * 2;
    if (capacity > SIZE_MAX / sizeof *log->records) return false;
    struct sim_trace_record *records = realloc(log->records, capacity * sizeof *records);
    if (records == NULL) return false;
    log->records = records;
    log->capacity = capacity;
  }
  log->records[log->count++] = *record;
  return true;
}

/* --- Text --- */

static const char *const SUBSYSTEMS[] = {"timeline", "network", "disk", "node", "cluster", "script"};

struct step_text {
  uint16_t step;
  const char *name;
  const char *fields; /* names, with spaces between; # before one that reads better in hexadecimal */
};

static const struct step_text STEPS[] = {
    {SIM_STEP_EVENT, "event", "kind cause from value"},
    {SIM_STEP_SEND, "send", "to size #hash due"},
    {SIM_STEP_DROP, "drop", "to why"},
    {SIM_STEP_DELIVER, "deliver", "from size #hash"},
    {SIM_STEP_FILE_OPEN, "file_open", "#name flags result"},
    {SIM_STEP_FILE_CLOSE, "file_close", "file result"},
    {SIM_STEP_FILE_READ, "file_read", "file offset size #hash result"},
    {SIM_STEP_FILE_WRITE, "file_write", "file offset size #hash result"},
    {SIM_STEP_FILE_TRUNCATE, "file_truncate", "file size result"},
    {SIM_STEP_FILE_SIZE, "file_size", "file size result"},
    {SIM_STEP_FILE_RENAME, "file_rename", "#from #to result"},
    {SIM_STEP_FILE_UNLINK, "file_unlink", "#name result"},
    {SIM_STEP_DIR_LIST, "dir_list", "a b c"},
    {SIM_STEP_FSYNC_BEGIN, "fsync_begin", "file token due"},
    {SIM_STEP_FSYNC_DONE, "fsync_done", "token result"},
    {SIM_STEP_DISK_POWER_LOSS, "disk_power_loss", "#name size #hash"},
    {SIM_STEP_NODE_BOOT, "node_boot", "lives"},
    {SIM_STEP_NODE_DOWN, "node_down", "why"},
    {SIM_STEP_NODE_TIMER, "node_timer", "timer mono"},
    {SIM_STEP_NODE_TRACE, "node_trace", "kind a b c d e f"},
    {SIM_STEP_NODE_CLOCK, "node_clock", "clock value"},
    {SIM_STEP_NODE_PICK, "node_pick", "kind outcome"},
    {SIM_STEP_NODE_PAUSE, "node_pause", "paused"},
    {SIM_STEP_LINK, "link", "from to change"},
    {SIM_STEP_CLUSTER, "cluster", "kind a b c d e f"},
    {SIM_STEP_SCRIPT, "script", "kind a b c d e f"},
    {SIM_STEP_VIOLATION, "violation", "#property #detail #node #incarnation seq"},
};

static const struct step_text *text_of(uint16_t step) {
  for (size_t i = 0; i < sizeof STEPS / sizeof STEPS[0]; i++) {
    if (STEPS[i].step == step) return &STEPS[i];
  }
  return NULL;
}

struct writer {
  char *text;
  size_t size, length;
};

__attribute__((format(printf, 2, 3))) static void put(struct writer *writer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t room = writer->length < writer->size ? writer->size - writer->length : 0;
  int wrote = vsnprintf(room > 0 ? writer->text + writer->length : NULL, room, format, arguments);
  va_end(arguments);
  if (wrote > 0) writer->length += (size_t)wrote;
  if (writer->size > 0 && writer->length >= writer->size) writer->length = writer->size - 1;
}

static void put_fields(struct writer *writer, const struct sim_trace_record *record, const char *names) {
  for (uint8_t i = 0; i < record->count; i++) {
    bool hexadecimal = *names == '#';
    if (hexadecimal) names++;
    int length = (int)strcspn(names, " ");
    if (length > 0) {
      put(writer, " %.*s=", length, names);
    } else {
      put(writer, " %u=", (unsigned)i);
    }
    names += length;
    if (*names == ' ') names++;
    put(writer, hexadecimal ? "%016" PRIx64 : "%" PRIu64, record->fields[i]);
  }
}

size_t sim_trace_format(const struct sim_trace_record *record, char *text, size_t size) {
  struct writer writer = {text, size, 0};
  const struct step_text *step = text_of(record->step);
  put(&writer, "%" PRIu64 ".%09" PRIu64 " event %" PRIu64 " cause %" PRIu64 " node %" PRIu32 " %s ",
      record->time_ns / 1000000000, record->time_ns % 1000000000, record->event, record->cause, record->node,
      record->subsystem < SIM_SUB_COUNT ? SUBSYSTEMS[record->subsystem] : "?");
  if (step != NULL) {
    put(&writer, "%s", step->name);
  } else {
    put(&writer, "step_%u", (unsigned)record->step);
  }
  put_fields(&writer, record, step == NULL ? "" : step->fields);
  put(&writer, " chain=%016" PRIx64, record->hash);
  return writer.length;
}

bool sim_trace_log_write_text(const struct sim_trace_log *log, FILE *file) {
  char line[LINE_MAX_BYTES];
  bool ok = fprintf(file, HEADER "\n") > 0;
  for (size_t i = 0; ok && i < log->count; i++) {
    sim_trace_format(&log->records[i], line, sizeof line);
    ok = fprintf(file, "%s\n", line) > 0;
  }
  return fflush(file) == 0 && ok;
}

/* --- Diff --- */

static bool same_record(const struct sim_trace_record *a, const struct sim_trace_record *b) {
  return a->time_ns == b->time_ns && a->event == b->event && a->cause == b->cause && a->hash == b->hash &&
         a->node == b->node && a->step == b->step && a->subsystem == b->subsystem && a->count == b->count &&
         memcmp(a->fields, b->fields, sizeof a->fields) == 0;
}

static void put_record(struct writer *writer, const char *run, const struct sim_trace_log *log, size_t index) {
  char line[LINE_MAX_BYTES];
  if (index >= log->count) return;
  sim_trace_format(&log->records[index], line, sizeof line);
  put(writer, "%s %s\n", run, line);
}

bool sim_trace_diff(const struct sim_trace_log *a, const struct sim_trace_log *b, size_t *index, char *text,
                    size_t text_size) {
  enum { BEFORE = 3, AFTER = 3 };
  size_t at = 0;
  while (at < a->count && at < b->count && same_record(&a->records[at], &b->records[at]))
    at++;
  if (at == a->count && at == b->count) return false;
  *index = at;
  struct writer writer = {text, text_size, 0};
  if (text_size > 0) text[0] = '\0';
  put(&writer, "the runs differ first at step %zu\n", at);
  for (size_t i = at < BEFORE ? 0 : at - BEFORE; i < at; i++)
    put_record(&writer, " ", a, i);
  for (size_t i = at; i < at + AFTER; i++)
    put_record(&writer, "a", a, i);
  if (at >= a->count) put(&writer, "a ends here\n");
  for (size_t i = at; i < at + AFTER; i++)
    put_record(&writer, "b", b, i);
  if (at >= b->count) put(&writer, "b ends here\n");
  return true;
}
