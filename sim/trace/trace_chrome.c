/* Recordings as Chrome's trace events: a track for each node, a slice for each
 * event that ran on it, an instant for each step, arrows for messages. */
#include "sim/memory/units.h"
#include "sim/trace/trace_record.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#define SENTENCE_BYTES 1300u
#define SLICE_NS UINT64_C(10000) /* events take no time; a slice must be wide enough to be seen */
#define BUCKETS 4096u

struct flight { /* a message on its way */
  uint64_t cause, hash, due_ns, number;
  uint32_t from, to;
  uint32_t next; /* in its bucket, or free: place + 1 */
};

struct track {
  bool used;
  bool open; /* a slice that has begun and waits for its width */
  bool up, down;
  uint64_t start_ns, event, cause;
  const char *name;
  char text[160];
};

struct chrome {
  FILE *file;
  bool ok, comma;
  struct track tracks[SIM_NODES_MAX + 1];
  struct flight *flights;
  uint32_t flight_count, flight_capacity, flight_free;
  uint32_t buckets[BUCKETS];
  uint64_t flight_number;
  char text[SENTENCE_BYTES];
};

/* --- JSON ---------------------------------------------------------------------- */

#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
static void
put(struct chrome *chrome, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  if (chrome->ok) chrome->ok = vfprintf(chrome->file, format, arguments) >= 0;
  va_end(arguments);
}

static void put_string(struct chrome *chrome, const char *text) {
  put(chrome, "\"");
  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '"' || c == '\\')
      put(chrome, "\\%c", c);
    else if (c < ' ' || c > '~')
      put(chrome, "\\u%04x", c);
    else if (chrome->ok)
      chrome->ok = fputc(c, chrome->file) != EOF;
  }
  put(chrome, "\"");
}

/* Begins one event; the caller adds to it and closes it. Times are decimal
 * microseconds, put together from integers. */
static void begin(struct chrome *chrome, char phase, uint32_t node, uint64_t time_ns, const char *category,
                  const char *name) {
  put(chrome,
      "%s\n{\"ph\":\"%c\",\"pid\":1,\"tid\":%" PRIu32 ",\"ts\":%" PRIu64 ".%03" PRIu64 ",\"cat\":\"%s\",\"name\":",
      chrome->comma ? "," : "", phase, node, time_ns / 1000, time_ns % 1000, category);
  chrome->comma = true;
  put_string(chrome, name);
}

static struct track *track_of(struct chrome *chrome, uint32_t node) {
  struct track *track = &chrome->tracks[node <= SIM_NODES_MAX ? node : 0];
  track->used = true;
  return track;
}

static void close_slice(struct chrome *chrome, uint32_t node, uint64_t now_ns) {
  struct track *track = track_of(chrome, node);
  if (!track->open) return;
  track->open = false;
  uint64_t width = now_ns > track->start_ns ? now_ns - track->start_ns : 0;
  if (width > SLICE_NS) width = SLICE_NS;
  begin(chrome, 'X', node, track->start_ns, "timeline", track->name);
  put(chrome, ",\"dur\":%" PRIu64 ".%03" PRIu64 ",\"args\":{\"what\":", width / 1000, width % 1000);
  put_string(chrome, track->text);
  put(chrome, ",\"event\":\"%" PRIu64 "\",\"cause\":\"%" PRIu64 "\"}}", track->event, track->cause);
}

/* --- Messages -------------------------------------------------------------------- */

static uint32_t bucket_of(uint64_t cause, uint32_t from, uint32_t to, uint64_t hash) {
  return (uint32_t)(sim_hash_fold(sim_hash_fold(cause, hash), (uint64_t)from << 32 | to) % BUCKETS);
}

static void launch(struct chrome *chrome, const struct sim_trace_record *record) {
  uint32_t place = chrome->flight_free;
  if (place == 0) {
    if (chrome->flight_count == chrome->flight_capacity) {
      uint32_t capacity = chrome->flight_capacity == 0 ? 256 : chrome->flight_capacity * 2;
      struct flight *grown = realloc(chrome->flights, capacity * sizeof *grown);
      chrome->ok = chrome->ok && grown != NULL;
      if (grown == NULL) return;
      chrome->flights = grown;
      chrome->flight_capacity = capacity;
    }
    place = ++chrome->flight_count;
  } else {
    chrome->flight_free = chrome->flights[place - 1].next;
  }
  uint32_t to = (uint32_t)record->fields[0];
  uint32_t *bucket = &chrome->buckets[bucket_of(record->event, record->node, to, record->fields[2])];
  chrome->flights[place - 1] = (struct flight){
      record->event, record->fields[2], record->fields[3], ++chrome->flight_number, record->node, to, *bucket};
  *bucket = place;
  begin(chrome, 's', record->node, record->time_ns, "message", "message");
  put(chrome, ",\"id\":%" PRIu64 "}", chrome->flight_number);
}

/* The arrow's end: of equal messages, the one that was due first. */
static void land(struct chrome *chrome, const struct sim_trace_record *record) {
  uint32_t from = (uint32_t)record->fields[2];
  uint64_t hash = record->fields[3];
  uint32_t *best = NULL;
  uint32_t *link = &chrome->buckets[bucket_of(record->cause, from, record->node, hash)];
  for (; *link != 0; link = &chrome->flights[*link - 1].next) {
    const struct flight *flight = &chrome->flights[*link - 1];
    if (flight->cause != record->cause || flight->hash != hash || flight->from != from || flight->to != record->node)
      continue;
    if (best == NULL || flight->due_ns <= chrome->flights[*best - 1].due_ns) best = link;
  }
  if (best == NULL) return;
  uint32_t place = *best;
  struct flight *flight = &chrome->flights[place - 1];
  begin(chrome, 'f', record->node, record->time_ns, "message", "message");
  put(chrome, ",\"bp\":\"e\",\"id\":%" PRIu64 "}", flight->number);
  *best = flight->next;
  flight->next = chrome->flight_free;
  chrome->flight_free = place;
}

/* --- Steps ------------------------------------------------------------------------ */

static const char *event_name(uint64_t kind) {
  static const char *const names[] = {"event", "message", "timer", "disk", "driver", "drain", "network", "strobe"};
  return kind < sizeof names / sizeof names[0] ? names[kind] : names[0];
}

static void put_event(struct chrome *chrome, const struct sim_trace_record *record) {
  struct track *track = track_of(chrome, record->node);
  close_slice(chrome, record->node, record->time_ns);
  track->open = true;
  track->start_ns = record->time_ns;
  track->event = record->event;
  track->cause = record->cause;
  track->name = event_name(record->count > 0 ? record->fields[0] : 0);
  (void)snprintf(track->text, sizeof track->text, "%.150s", chrome->text);
  if (record->count >= 4 && record->fields[0] == SIM_EVENT_MESSAGE) land(chrome, record);
}

static void end_span(struct chrome *chrome, uint32_t node, uint64_t time_ns) {
  struct track *track = track_of(chrome, node);
  close_slice(chrome, node, time_ns);
  if (!track->up && !track->down) return;
  begin(chrome, 'E', node, time_ns, "node", track->up ? "up" : "down");
  put(chrome, "}");
  track->up = track->down = false;
}

static void begin_span(struct chrome *chrome, const struct sim_trace_record *record, bool up) {
  end_span(chrome, record->node, record->time_ns);
  begin(chrome, 'B', record->node, record->time_ns, "node", up ? "up" : "down");
  put(chrome, ",\"args\":{\"what\":");
  put_string(chrome, chrome->text);
  put(chrome, "}}");
  struct track *track = track_of(chrome, record->node);
  track->up = up;
  track->down = !up;
}

static void put_instant(struct chrome *chrome, const struct sim_trace_record *record) {
  (void)track_of(chrome, record->node);
  begin(chrome, 'i', record->node, record->time_ns, trace_subsystem_name(record->subsystem),
        trace_step_name(record->step));
  put(chrome, ",\"s\":\"%c\",\"args\":{\"what\":", record->step == SIM_STEP_VIOLATION ? 'g' : 't');
  put_string(chrome, chrome->text);
  put(chrome, ",\"event\":\"%" PRIu64 "\"}}", record->event);
}

static void put_step(struct chrome *chrome, const struct sim_trace_record *record) {
  switch (record->step) {
  case SIM_STEP_EVENT:
    put_event(chrome, record);
    break;
  case SIM_STEP_NODE_BOOT:
    begin_span(chrome, record, true);
    break;
  case SIM_STEP_NODE_DOWN:
    begin_span(chrome, record, false);
    break;
  case SIM_STEP_SEND:
    if (record->count >= 4) launch(chrome, record);
    put_instant(chrome, record);
    break;
  case SIM_STEP_NODE_CLOCK: /* read at every turn */
  case SIM_STEP_NODE_PICK:
    if (record->count > 0 && record->fields[0] > 16) put_instant(chrome, record);
    break;
  default:
    put_instant(chrome, record);
  }
}

static void put_tracks(struct chrome *chrome, uint64_t end_ns) {
  char name[32];
  begin(chrome, 'M', 0, 0, "__metadata", "process_name");
  put(chrome, ",\"args\":{\"name\":\"simulated world\"}}");
  for (uint32_t node = 0; node <= SIM_NODES_MAX; node++) {
    if (!chrome->tracks[node].used) continue;
    end_span(chrome, node, end_ns);
    (void)snprintf(name, sizeof name, node == 0 ? "world" : "n%" PRIu32, node);
    begin(chrome, 'M', node, 0, "__metadata", "thread_name");
    put(chrome, ",\"args\":{\"name\":");
    put_string(chrome, name);
    put(chrome, "}}");
    begin(chrome, 'M', node, 0, "__metadata", "thread_sort_index");
    put(chrome, ",\"args\":{\"sort_index\":%" PRIu32 "}}", node);
  }
}

bool sim_trace_log_write_chrome(const struct sim_trace_log *log, const struct sim_trace_filter *filter, FILE *file) {
  struct trace_reader reader;
  struct sim_trace_record record;
  struct sim_trace_teller *teller = sim_trace_teller_create(log);
  struct chrome *chrome = calloc(1, sizeof *chrome);
  uint64_t end_ns = 0;
  bool ok = teller != NULL && chrome != NULL;
  if (ok) {
    chrome->file = file;
    chrome->ok = true;
    put(chrome, "{\"displayTimeUnit\":\"ms\",\"otherData\":{\"format\":\"syncsim timeline 2\"},\"traceEvents\":[");
    trace_reader_init(&reader, log);
    while (chrome->ok && trace_reader_next(&reader, &record)) {
      (void)sim_trace_sentence(teller, &record, chrome->text, sizeof chrome->text);
      if (!sim_trace_passes(filter, &record)) continue;
      if (record.time_ns > end_ns) end_ns = record.time_ns;
      put_step(chrome, &record);
    }
    put_tracks(chrome, end_ns);
    put(chrome, "\n]}\n");
    ok = fflush(file) == 0 && chrome->ok;
    free(chrome->flights);
  }
  free(chrome);
  sim_trace_teller_destroy(teller);
  return ok;
}
