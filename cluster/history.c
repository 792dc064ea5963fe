#include "cluster/history.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cluster/state.h"

struct teller {
  char *text;
  size_t size, length;
  const uint64_t *subject;
  uint32_t nodes;
  uint64_t end[CLUSTER_NODES_MAX + 1u]; /* where its record ends in the log of each node; 0: not there */
  bool durable[CLUSTER_NODES_MAX + 1u];
  uint32_t author; /* 0: not submitted yet, or promised already */
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
  case SYNC_TRACE_APPLY:
    teller->end[node] = f[3];
    tell(teller, record->time_ns, "n%u received and applied it (log position %llu)", node, (unsigned long long)f[3]);
    break;
  case SYNC_TRACE_DUPLICATE:
    tell(teller, record->time_ns, "n%u received it again: a duplicate", node);
    break;
  case SYNC_TRACE_NOT_YET:
    tell(teller, record->time_ns, "n%u received it before one of its causes: skipped", node);
    break;
  case SYNC_TRACE_SEND_OP:
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

size_t cluster_history(const struct sim_trace_log *log, const uint64_t subject[3], uint32_t nodes, char *text,
                       size_t size) {
  static const char *const why[] = {"", "lost power", "process died", "was stopped", "refused to start"};
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
    if (record->step == SIM_STEP_NODE_WIPE) tell(&teller, record->time_ns, "n%u's disk was wiped", record->node);
    if (record->step == SIM_STEP_NODE_RESTORE && record->count && record->fields[0])
      tell(&teller, record->time_ns, "n%u's disk was set back to its backup", record->node);
    if (record->step == SIM_STEP_NODE_BOOT) tell(&teller, record->time_ns, "n%u started", record->node);
    if (record->step == SIM_STEP_NODE_DOWN && record->fields[0] < sizeof why / sizeof why[0])
      tell(&teller, record->time_ns, "n%u %s", record->node, why[record->fields[0]]);
    if (record->step == SIM_STEP_NODE_DOWN) {
      teller.end[record->node] = 0;
      teller.durable[record->node] = false;
    }
  }
  return teller.length;
}
