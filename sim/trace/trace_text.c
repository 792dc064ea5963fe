/* The timeline as text: whole, its end, the causes of an event, and where two
 * of them part. */
#include "sim/trace/trace_record.h"

#include <inttypes.h>
#include <stdlib.h>

#define HEADER "syncsim-timeline 2"
#define LINE_BYTES 1400u

bool sim_trace_passes(const struct sim_trace_filter *filter, const struct sim_trace_record *record) {
  if (filter == NULL) return true;
  if (filter->subsystems != 0 && (filter->subsystems >> record->subsystem & 1u) == 0) return false;
  if (record->time_ns < filter->from_ns || (filter->to_ns != 0 && record->time_ns > filter->to_ns)) return false;
  if (filter->node == 0 || record->node == filter->node) return true;
  bool to = record->step == SIM_STEP_SEND || record->step == SIM_STEP_DROP;
  return to && record->count > 0 && record->fields[0] == filter->node;
}

bool sim_trace_log_write_text(const struct sim_trace_log *log, const struct sim_trace_filter *filter, FILE *file) {
  char line[LINE_BYTES];
  struct trace_reader reader;
  struct sim_trace_record record;
  struct sim_trace_teller *teller = sim_trace_teller_create(log);
  if (teller == NULL) return false;
  bool ok = fprintf(file, HEADER "\n") > 0;
  trace_reader_init(&reader, log);
  while (ok && trace_reader_next(&reader, &record)) {
    if (!sim_trace_passes(filter, &record)) {
      sim_trace_see(teller, &record);
      continue;
    }
    sim_trace_line(teller, &record, line, sizeof line);
    ok = fputs(line, file) >= 0 && fputc('\n', file) != EOF;
  }
  sim_trace_teller_destroy(teller);
  return fflush(file) == 0 && ok;
}

/* Clocks that are read and picks say little to people. */
static bool is_quiet(const struct sim_trace_record *record) {
  return (record->step == SIM_STEP_NODE_CLOCK && record->count > 0 && record->fields[0] <= 1) ||
         record->step == SIM_STEP_NODE_PICK;
}

static void put_line(struct trace_writer *writer, struct sim_trace_teller *teller, const char *run,
                     const struct sim_trace_record *record) {
  char line[LINE_BYTES];
  sim_trace_line(teller, record, line, sizeof line);
  trace_put(writer, "%s%s\n", run, line);
}

size_t sim_trace_log_tail(const struct sim_trace_log *log, size_t lines, char *text, size_t size) {
  struct trace_writer writer = {text, size, 0};
  struct trace_reader reader;
  struct sim_trace_record record;
  size_t told = 0;
  if (size > 0) text[0] = '\0';
  struct sim_trace_teller *teller = sim_trace_teller_create(log);
  if (teller == NULL) return 0;
  trace_reader_init(&reader, log);
  while (trace_reader_next(&reader, &record))
    told += !is_quiet(&record);
  size_t skip = told > lines ? told - lines : 0;
  trace_reader_init(&reader, log);
  while (trace_reader_next(&reader, &record)) {
    if (is_quiet(&record) || skip > 0) {
      skip -= !is_quiet(&record);
      sim_trace_see(teller, &record);
    } else {
      put_line(&writer, teller, "", &record);
    }
  }
  sim_trace_teller_destroy(teller);
  return writer.length;
}

/* --- Why --------------------------------------------------------------------------- */

#define CHAIN_MAX 64u
#define STEPS_OF_EVENT_MAX 12u

struct caused {
  uint64_t event, cause;
};

static int by_event(const void *a, const void *b) {
  const struct caused *x = a, *y = b;
  return x->event < y->event ? -1 : x->event > y->event;
}

/* All events with their causes, by id. NULL: no memory. */
static struct caused *collect(const struct sim_trace_log *log, size_t *count) {
  struct trace_reader reader;
  struct sim_trace_record record;
  size_t capacity = 0;
  struct caused *events = NULL;
  *count = 0;
  trace_reader_init(&reader, log);
  while (trace_reader_next(&reader, &record)) {
    if (record.step != SIM_STEP_EVENT && *count > 0) continue;
    if (*count == capacity) {
      capacity = capacity == 0 ? 1024 : capacity * 2;
      struct caused *grown = realloc(events, capacity * sizeof *events);
      if (grown == NULL) {
        free(events);
        return NULL;
      }
      events = grown;
    }
    events[(*count)++] = (struct caused){record.event, record.cause};
  }
  if (*count > 1) qsort(events, *count, sizeof *events, by_event);
  return events;
}

static bool in_chain(const uint64_t *chain, size_t count, uint64_t event) {
  for (size_t i = 0; i < count; i++)
    if (chain[i] == event) return true;
  return false;
}

/* Tells the events of the chain, each with what happened in it. */
static bool tell_chain(const struct sim_trace_log *log, const uint64_t *chain, size_t count, FILE *file) {
  char line[LINE_BYTES];
  struct trace_reader reader;
  struct sim_trace_record record;
  struct sim_trace_teller *teller = sim_trace_teller_create(log);
  size_t steps = 0;
  uint64_t event = UINT64_MAX;
  bool ok = teller != NULL;
  trace_reader_init(&reader, log);
  while (ok && trace_reader_next(&reader, &record)) {
    if (record.event != event) steps = 0;
    event = record.event;
    if (is_quiet(&record) || !in_chain(chain, count, event) || ++steps > STEPS_OF_EVENT_MAX) {
      sim_trace_see(teller, &record);
      continue;
    }
    sim_trace_line(teller, &record, line, sizeof line);
    ok = fprintf(file, "%s\n", line) > 0;
    if (ok && steps == STEPS_OF_EVENT_MAX) ok = fprintf(file, "    ...\n") > 0;
  }
  sim_trace_teller_destroy(teller);
  return ok;
}

enum sim_trace_why sim_trace_log_why(const struct sim_trace_log *log, uint64_t event, FILE *file) {
  uint64_t chain[CHAIN_MAX];
  size_t links = 0, count, events;
  struct caused *caused = collect(log, &events);
  if (caused == NULL) return log->count == 0 ? SIM_WHY_NO_EVENT : SIM_WHY_NO_MEMORY;
  for (uint64_t next = event;;) {
    struct caused key = {next, 0};
    const struct caused *found = bsearch(&key, caused, events, sizeof *caused, by_event);
    if (found == NULL) break;
    if (links++ < CHAIN_MAX) chain[links - 1] = next;
    if (found->cause >= next) break; /* causes come first; a made-up file may say otherwise */
    next = found->cause;
  }
  free(caused);
  if (links == 0) return SIM_WHY_NO_EVENT;
  count = links < CHAIN_MAX ? links : CHAIN_MAX;
  bool ok = fprintf(file, "event #%" PRIu64 " has %zu causes before it%s\n", event, links - 1,
                    links > CHAIN_MAX ? "; the last of them" : "") > 0;
  ok = ok && tell_chain(log, chain, count, file);
  return ok ? SIM_WHY_TOLD : SIM_WHY_WRITE_ERROR;
}

/* --- Diff --------------------------------------------------------------------------- */

#define BEFORE 6u
#define AFTER 6u

static bool same_record(const struct sim_trace_record *a, const struct sim_trace_record *b) {
  return a->time_ns == b->time_ns && a->event == b->event && a->cause == b->cause && a->hash == b->hash &&
         a->node == b->node && a->step == b->step && a->subsystem == b->subsystem && a->count == b->count &&
         memcmp(a->fields, b->fields, sizeof a->fields) == 0;
}

/* What a run did from `index` on, after the steps that both share. */
static void put_run(struct trace_writer *writer, const struct sim_trace_log *log, const char *run, size_t index,
                    bool shared) {
  struct trace_reader reader;
  struct sim_trace_record record;
  struct sim_trace_teller *teller = sim_trace_teller_create(log);
  if (teller == NULL) return;
  trace_reader_init(&reader, log);
  for (size_t i = 0; i < index + AFTER && trace_reader_next(&reader, &record); i++) {
    if (i >= index)
      put_line(writer, teller, run, &record);
    else if (shared && i + BEFORE >= index)
      put_line(writer, teller, "  ", &record);
    else
      sim_trace_see(teller, &record);
  }
  if (index >= log->count) trace_put(writer, "%sends here\n", run);
  sim_trace_teller_destroy(teller);
}

bool sim_trace_diff(const struct sim_trace_log *a, const struct sim_trace_log *b, size_t *index, char *text,
                    size_t text_size) {
  struct trace_reader readers[2];
  struct sim_trace_record x, y;
  size_t at = 0;
  bool more = true;
  trace_reader_init(&readers[0], a);
  trace_reader_init(&readers[1], b);
  for (;; at++) {
    more = trace_reader_next(&readers[0], &x);
    bool other = trace_reader_next(&readers[1], &y);
    if (!more && !other) return false;
    if (more != other || !same_record(&x, &y)) break;
  }
  *index = at;
  struct trace_writer writer = {text, text_size, 0};
  if (text_size > 0) text[0] = '\0';
  if (more)
    trace_put(&writer, "the runs differ first in a step of %s, in event #%" PRIu64 "; before it, both:\n",
              trace_subsystem_name(x.subsystem), x.event);
  else
    trace_put(&writer, "one run goes on; before that, both:\n");
  put_run(&writer, a, "a ", at, true);
  put_run(&writer, b, "b ", at, false);
  return true;
}
