/* Tells steps as sentences. */
#include "sim/trace/trace_record.h"

#include <inttypes.h>
#include <stdlib.h>

#include "core/env.h"

#define OPEN_MAX 65536u
#define DIRECTORY UINT64_C(0xffffffff)
#define NS_PER_S UINT64_C(1000000000)

/* What a number of a node stands for: an open file, or an fsync on its way. */
struct held {
  uint32_t node;
  bool fsync;
  bool known;
  uint64_t number, name;
};

struct sim_trace_teller {
  const struct sim_trace_log *log;
  struct held *held;
  uint32_t count, capacity;
};

struct sim_trace_teller *sim_trace_teller_create(const struct sim_trace_log *log) {
  struct sim_trace_teller *teller = calloc(1, sizeof *teller);
  if (teller != NULL) teller->log = log;
  return teller;
}

void sim_trace_teller_destroy(struct sim_trace_teller *teller) {
  if (teller == NULL) return;
  free(teller->held);
  free(teller);
}

/* --- What is open --------------------------------------------------------------- */

static struct held *find(const struct sim_trace_teller *teller, uint32_t node, bool fsync, uint64_t number) {
  for (uint32_t i = teller->count; i > 0; i--) {
    struct held *held = &teller->held[i - 1];
    if (held->node == node && held->fsync == fsync && held->number == number) return held;
  }
  return NULL;
}

static void drop(struct sim_trace_teller *teller, uint32_t node, bool fsync, uint64_t number) {
  struct held *held = find(teller, node, fsync, number);
  if (held != NULL) *held = teller->held[--teller->count];
}

static void drop_node(struct sim_trace_teller *teller, uint32_t node) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < teller->count; i++)
    if (teller->held[i].node != node) teller->held[kept++] = teller->held[i];
  teller->count = kept;
}

/* Without memory a handle stays a number. */
static void hold(struct sim_trace_teller *teller, struct held held) {
  drop(teller, held.node, held.fsync, held.number);
  if (teller->count == teller->capacity) {
    uint32_t capacity = teller->capacity == 0 ? 64 : teller->capacity * 2;
    if (capacity > OPEN_MAX) return;
    struct held *grown = realloc(teller->held, capacity * sizeof *grown);
    if (grown == NULL) return;
    teller->held = grown;
    teller->capacity = capacity;
  }
  teller->held[teller->count++] = held;
}

static void see_before(struct sim_trace_teller *teller, const struct sim_trace_record *record) {
  const uint64_t *f = record->fields;
  struct held held = {.node = record->node};
  if (record->step == SIM_STEP_FILE_OPEN && record->count >= 4 && f[2] == 0) {
    held.number = f[3];
    held.name = f[0];
    held.known = true;
    hold(teller, held);
  } else if (record->step == SIM_STEP_FSYNC_BEGIN && record->count >= 2) {
    const struct held *file = find(teller, record->node, false, f[0]);
    held.fsync = true;
    held.number = f[1];
    held.known = file != NULL;
    held.name = file != NULL ? file->name : f[0];
    hold(teller, held);
  } else if (record->step == SIM_STEP_NODE_DOWN) {
    drop_node(teller, record->node);
  }
}

static void see_after(struct sim_trace_teller *teller, const struct sim_trace_record *record) {
  if (record->count == 0) return;
  if (record->step == SIM_STEP_FILE_CLOSE) drop(teller, record->node, false, record->fields[0]);
  if (record->step == SIM_STEP_FSYNC_DONE) drop(teller, record->node, true, record->fields[0]);
}

void sim_trace_see(struct sim_trace_teller *teller, const struct sim_trace_record *record) {
  see_before(teller, record);
  see_after(teller, record);
}

/* --- Sentences ------------------------------------------------------------------- */

/* Control bytes would break the line. */
static void put_clean(struct trace_writer *writer, const char *text) {
  for (; *text != '\0'; text++)
    trace_put(writer, "%c", (unsigned char)*text < ' ' || *text == 0x7f ? ' ' : *text);
}

static void put_name(struct trace_writer *writer, const struct sim_trace_teller *teller, enum sim_name_kind kind,
                     uint32_t scope, uint64_t value, const char *otherwise) {
  const char *name = sim_trace_log_name(teller->log, kind, scope, value);
  if (name != NULL)
    put_clean(writer, name);
  else
    trace_put(writer, "%s%08" PRIx64, otherwise, value >> 32);
}

static void put_held(struct trace_writer *writer, const struct sim_trace_teller *teller, uint32_t node, bool fsync,
                     uint64_t number) {
  const struct held *held = find(teller, node, fsync, number);
  uint64_t file = held != NULL && !held->known ? held->name : number;
  if (held != NULL && held->known)
    put_name(writer, teller, SIM_NAME_FILE, 0, held->name, "file ");
  else if (file == DIRECTORY && (held != NULL || !fsync))
    trace_put(writer, "the directory");
  else if (held == NULL && fsync)
    trace_put(writer, "a file");
  else
    trace_put(writer, "file %" PRIi64, (int64_t)file);
}

static void put_status(struct trace_writer *writer, uint64_t status) {
  const char *name = trace_status_name((int64_t)status);
  if (name != NULL)
    trace_put(writer, "%s", name);
  else
    trace_put(writer, "status %" PRIi64, (int64_t)status);
}

static void put_flags(struct trace_writer *writer, uint64_t flags) {
  if ((flags & SYNC_OPEN_CREATE) != 0) trace_put(writer, ", create");
  if ((flags & SYNC_OPEN_EXCLUSIVE) != 0) trace_put(writer, ", exclusive");
  if ((flags & SYNC_OPEN_TRUNCATE) != 0) trace_put(writer, ", truncate");
}

static void put_node(struct trace_writer *writer, uint64_t node) {
  if (node == 0)
    trace_put(writer, "world");
  else
    trace_put(writer, "n%" PRIu64, node);
}

static void put_packed(struct trace_writer *writer, const struct sim_trace_record *record, unsigned from) {
  for (unsigned i = from; i < record->count; i++) {
    for (unsigned shift = 0; shift < 64; shift += 8) {
      char c = (char)(record->fields[i] >> shift & 0xff);
      if (c == '\0') return;
      char text[2] = {c, '\0'};
      put_clean(writer, text);
    }
  }
}

static void put_down(struct trace_writer *writer, uint64_t why) {
  static const char *const words[] = {"?", "power is lost", "its process dies", "stopped", "refused to start"};
  trace_put(writer, "%s", why < sizeof words / sizeof words[0] ? words[why] : "?");
}

/* One %-item of a template. Unknown letters and missing fields are told as ?. */
static void put_item(struct trace_writer *writer, const struct sim_trace_teller *teller,
                     const struct sim_trace_record *record, char item, unsigned at) {
  uint64_t field = at < record->count ? record->fields[at] : 0;
  if (at >= record->count || (item == 'o' && at + 2 >= record->count)) {
    trace_put(writer, "?");
    return;
  }
  switch (item) {
  case 'u':
    trace_put(writer, "%" PRIu64, field);
    break;
  case 'i':
    trace_put(writer, "%" PRIi64, (int64_t)field);
    break;
  case 'x':
    trace_put(writer, "%08" PRIx64, field >> 32);
    break;
  case 't':
    trace_put(writer, "%" PRIu64 ".%09" PRIu64, field / NS_PER_S, field % NS_PER_S);
    break;
  case 'r':
    if (field != 0) trace_put(writer, ": ");
    if (field != 0) put_status(writer, field);
    break;
  case 's':
    put_status(writer, field);
    break;
  case 'f':
    put_held(writer, teller, record->node, false, field);
    break;
  case 'k':
    put_held(writer, teller, record->node, true, field);
    break;
  case 'n':
    put_name(writer, teller, SIM_NAME_FILE, 0, field, "file ");
    break;
  case 'O':
    put_flags(writer, field);
    break;
  case 'N':
    put_node(writer, field);
    break;
  case 'D':
    put_down(writer, field);
    break;
  case 'w':
    trace_put(writer, "%s", trace_drop_reason(field));
    break;
  case 'T':
    put_name(writer, teller, SIM_NAME_TEXT, 0, field, "text ");
    break;
  case 'c':
    put_packed(writer, record, at);
    break;
  case 'p': {
    const char *name = sim_trace_log_name(teller->log, SIM_NAME_PEER, record->node, field);
    if (name != NULL)
      put_clean(writer, name);
    else
      trace_put(writer, "peer %" PRIu64, field);
    break;
  }
  case 'o':
    put_name(writer, teller, SIM_NAME_NODE, 0, field, "");
    trace_put(writer, "/%08" PRIx64 "/%" PRIu64, record->fields[at + 1] >> 32, record->fields[at + 2]);
    break;
  default:
    trace_put(writer, "?");
    break;
  }
}

static void put_template(struct trace_writer *writer, const struct sim_trace_teller *teller,
                         const struct sim_trace_record *record, const char *template) {
  for (; *template != '\0'; template ++) {
    if (template[0] == '%' && template[1] != '\0' && template[2] >= '0' && template[2] <= '9') {
      put_item(writer, teller, record, template[1], (unsigned)(template[2] - '0'));
      template += 2;
    } else {
      char text[2] = {*template, '\0'};
      put_clean(writer, text);
    }
  }
}

/* Steps that no template tells: the numbers. */
static void put_numbers(struct trace_writer *writer, const struct sim_trace_record *record) {
  trace_put(writer, "%s", trace_step_name(record->step));
  for (unsigned i = 0; i < record->count; i++)
    trace_put(writer, " %" PRIi64, (int64_t)record->fields[i]);
}

size_t sim_trace_sentence(struct sim_trace_teller *teller, const struct sim_trace_record *record, char *text,
                          size_t size) {
  struct trace_writer writer = {text, size, 0};
  if (size > 0) text[0] = '\0';
  see_before(teller, record);
  put_node(&writer, record->node);
  trace_put(&writer, " ");
  const char *template = trace_template(teller->log, record);
  if (template[0] != '\0')
    put_template(&writer, teller, record, template);
  else
    put_numbers(&writer, record);
  see_after(teller, record);
  return writer.length;
}

size_t sim_trace_line(struct sim_trace_teller *teller, const struct sim_trace_record *record, char *text, size_t size) {
  struct trace_writer writer = {text, size, 0};
  trace_put(&writer, "%3" PRIu64 ".%09" PRIu64 " s  #%-7" PRIu64 " %s", record->time_ns / NS_PER_S,
            record->time_ns % NS_PER_S, record->event, record->step == SIM_STEP_EVENT ? "" : "  ");
  return writer.length + sim_trace_sentence(teller, record, text + writer.length, size - writer.length);
}
