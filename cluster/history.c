#include "cluster/history.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cluster/state.h"

#define REPEATS_TOLD 3u /* of what a node does again and again */

struct teller {
  char *text;
  size_t size, length;
  const uint64_t *subject;
  uint32_t nodes;
  uint64_t end[CLUSTER_NODES_MAX + 1u]; /* where its record ends in the log of each node; 0: not there */
  bool durable[CLUSTER_NODES_MAX + 1u];
  uint32_t sent[CLUSTER_NODES_MAX + 1u], again[CLUSTER_NODES_MAX + 1u]; /* so often it was told of each node */
  bool refused[CLUSTER_NODES_MAX + 1u];                                 /* it refused to start, and that was told */
  uint32_t author;                                                      /* 0: not submitted yet, or promised already */
};

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
tell(struct teller *teller, uint64_t time_ns, const char *format, ...) {
  char line[200];
  int prefix = snprintf(line, sizeof line, "%6llu.%06llu s  ", (unsigned long long)(time_ns / SIM_SECOND),
                        (unsigned long long)(time_ns % SIM_SECOND / SIM_US));
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line + prefix, sizeof line - (size_t)prefix, format, arguments);
  va_end(arguments);
  size_t length = strlen(line);
  if (teller->length + length + 2 > teller->size) return;
  memcpy(teller->text + teller->length, line, length);
  teller->length += length;
  teller->text[teller->length++] = '\n';
  teller->text[teller->length] = '\0';
}

static void tell_step(struct teller *teller, const struct sim_trace_record *record) {
  const uint64_t *f = record->fields + 1;
  uint32_t node = record->node;
  if (record->fields[0] == SYNC_TRACE_DURABLE) {
    if (!teller->end[node] || teller->durable[node] || f[0] < teller->end[node]) return;
    teller->durable[node] = true;
    tell(teller, record->time_ns, "n%u made it durable (log position %llu)", node, (unsigned long long)f[0]);
    return;
  }
  if (record->count < 4 || memcmp(f, teller->subject, 3 * sizeof *f) != 0) return;
  switch (record->fields[0]) {
  case SYNC_TRACE_SUBMIT:
    teller->end[node] = f[3];
    teller->author = node;
    tell(teller, record->time_ns, "n%u submitted it (log position %llu)", node, (unsigned long long)f[3]);
    break;
  case SYNC_TRACE_OWN_WRITE:
    teller->end[node] = f[3];
    teller->author = node;
    tell(teller, record->time_ns, "n%u wrote it by itself (log position %llu)", node, (unsigned long long)f[3]);
    break;
  case SYNC_TRACE_APPLY:
    teller->end[node] = f[3];
    tell(teller, record->time_ns, "n%u received and applied it (log position %llu)", node, (unsigned long long)f[3]);
    break;
  case SYNC_TRACE_DUPLICATE:
    if (teller->again[node]++ < REPEATS_TOLD) tell(teller, record->time_ns, "n%u received it again: a duplicate", node);
    break;
  case SYNC_TRACE_NOT_YET:
    tell(teller, record->time_ns, "n%u received it before one of its causes: skipped", node);
    break;
  case SYNC_TRACE_SEND_OP:
    if (teller->sent[node]++ < REPEATS_TOLD)
      tell(teller, record->time_ns, "n%u sent it to its peer %llu", node, (unsigned long long)f[3]);
    break;
  default:
    break;
  }
}

/* {CLUSTER_STEP_PROMISE, operations newly promised, durable position} */
static void tell_promise(struct teller *teller, const struct sim_trace_record *record) {
  if (record->fields[0] != CLUSTER_STEP_PROMISE || record->count < 3) return;
  if (record->node != teller->author || record->fields[2] < teller->end[record->node]) return;
  teller->author = 0;
  tell(teller, record->time_ns, "n%u promised it: durable up to log position %llu", record->node,
       (unsigned long long)record->fields[2]);
}

/* CLUSTER_STEP_BELIEF, in the fields that state.h says. */
static void tell_belief(struct teller *teller, const struct sim_trace_record *record) {
  static const char *const states[] = {"unknown", "not heard of yet", "active", "backing off", "parked"};
  const uint64_t *f = record->fields;
  if (f[0] != CLUSTER_STEP_BELIEF || record->count < 7) return;
  uint64_t state = f[2] & 0xffu, retries = f[2] >> 8;
  char known[64] = "knows nothing of what it holds";
  if (f[6])
    (void)snprintf(known, sizeof known, "believes that it holds %llu of that origin", (unsigned long long)f[6] - 1u);
  char next[48] = "no try is due";
  if (f[5] != UINT64_MAX)
    (void)snprintf(next, sizeof next, "next try at %llu.%03llu s of its clock", (unsigned long long)(f[5] / SIM_SECOND),
                   (unsigned long long)(f[5] % SIM_SECOND / SIM_MS));
  tell(teller, record->time_ns, "n%u owes n%llu %llu operations, %llu in flight, %s; %s (%llu retries), %s",
       record->node, (unsigned long long)f[1], (unsigned long long)f[3], (unsigned long long)f[4], known,
       states[state < 5 ? state : 0], (unsigned long long)retries, next);
}

/* Starts, and refusals to: of many in a row the first is told. */
static void tell_life(struct teller *teller, const struct sim_trace_record *record) {
  static const char *const why[] = {"", "lost power", "process died", "was stopped", "refused to start"};
  uint32_t node = record->node;
  bool opened = record->step == SIM_STEP_NODE_TRACE && record->fields[0] == SYNC_TRACE_OPEN && record->fields[1] == 0;
  bool starts = record->step == SIM_STEP_NODE_BOOT && !teller->refused[node];
  if (starts || (opened && teller->refused[node])) tell(teller, record->time_ns, "n%u started", node);
  if (opened) teller->refused[node] = false;
  if (record->step != SIM_STEP_NODE_DOWN || record->fields[0] >= sizeof why / sizeof why[0]) return;
  bool refuses = record->fields[0] == SIM_DOWN_REFUSED;
  if (!refuses || !teller->refused[node]) tell(teller, record->time_ns, "n%u %s", node, why[record->fields[0]]);
  teller->refused[node] = refuses;
}

size_t cluster_history(const struct sim_trace_log *log, const uint64_t subject[3], uint32_t nodes, char *text,
                       size_t size) {
  struct teller teller = {.text = text, .size = size, .subject = subject, .nodes = nodes};
  bool known = subject[0] || subject[1] || subject[2];
  bool begun = false; /* nothing is told of what came before the operation */
  if (size) text[0] = '\0';
  for (size_t i = 0; i < sim_trace_log_count(log) && teller.length + 256 < size; i++) {
    const struct sim_trace_record *record = sim_trace_log_at(log, i);
    if (record->node > CLUSTER_NODES_MAX) continue;
    if (record->step == SIM_STEP_NODE_TRACE && known) {
      size_t before = teller.length;
      tell_step(&teller, record);
      begun = begun || teller.length > before;
    }
    if (known && !begun) continue;
    if (record->step == SIM_STEP_CLUSTER) tell_promise(&teller, record);
    if (record->step == SIM_STEP_CLUSTER) tell_belief(&teller, record);
    if (record->step == SIM_STEP_NODE_WIPE) tell(&teller, record->time_ns, "n%u's disk was wiped", record->node);
    if (record->step == SIM_STEP_NODE_RESTORE && record->count && record->fields[0])
      tell(&teller, record->time_ns, "n%u's disk was set back to its backup", record->node);
    tell_life(&teller, record);
    if (record->step == SIM_STEP_NODE_DOWN) {
      teller.end[record->node] = 0;
      teller.durable[record->node] = false;
    }
  }
  return teller.length;
}
