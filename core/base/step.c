/* The steps that an engine reports, in words: for logs, and as the names of metrics. */
#include "core/base/base.h"
#include "core/base/text.h"
#include "core/sync.h"

/* %0 to %5: a field as a number; %x: as hexadecimal; %s: as a status; %t: as seconds. */
struct step {
  enum sync_trace_kind kind;
  enum sync_level level;
  const char *name;
  const char *words;
};

static const struct step steps[] = {
    {SYNC_TRACE_OPEN, SYNC_LEVEL_INFO, "open", "opened: %s0, epoch %1, durable to %2 of %3, %4 bytes cut"},
    {SYNC_TRACE_SUBMIT, SYNC_LEVEL_TRACE, "submit", "wrote operation %2 of life %x1, to %3 of the log"},
    {SYNC_TRACE_APPLY, SYNC_LEVEL_TRACE, "apply",
     "applied operation %2 of life %x1 of node %x0, from peer %4, to %3 of the log"},
    {SYNC_TRACE_DUPLICATE, SYNC_LEVEL_TRACE, "duplicate", "peer %3 sent operation %2 of life %x1 again"},
    {SYNC_TRACE_NOT_YET, SYNC_LEVEL_DEBUG, "not_yet",
     "peer %3 sent operation %2 of life %x1, of which a cause is missing"},
    {SYNC_TRACE_DURABLE, SYNC_LEVEL_TRACE, "durable", "durable to %0 of the log"},
    {SYNC_TRACE_SEND_OP, SYNC_LEVEL_TRACE, "send_op", "sends operation %2 of life %x1 to peer %3"},
    {SYNC_TRACE_SEND_HELLO, SYNC_LEVEL_TRACE, "send_hello", "says HELLO to peer %0, flags %x4"},
    {SYNC_TRACE_KNOWN, SYNC_LEVEL_TRACE, "known", "learned what peer %0 holds in its run %x1"},
    {SYNC_TRACE_IGNORED_HELLO, SYNC_LEVEL_DEBUG, "ignored_hello", "peer %0 spoke of a run that is over, %x1"},
    {SYNC_TRACE_TIMEOUT, SYNC_LEVEL_WARNING, "timeout", "peer %0 does not answer: try %1 of it, the next at %t2"},
    {SYNC_TRACE_PARKED, SYNC_LEVEL_WARNING, "parked", "peer %0 is parked: it is probed from now on"},
    {SYNC_TRACE_REVIVED, SYNC_LEVEL_INFO, "revived", "peer %0 is back"},
    {SYNC_TRACE_REFUSED, SYNC_LEVEL_WARNING, "refused", "refused a write, or a frame of type %1: %s0"},
    {SYNC_TRACE_FAIL_STOP, SYNC_LEVEL_ERROR, "fail_stop", "stopped for good: %s0"},
    {SYNC_TRACE_ROTATE, SYNC_LEVEL_INFO, "rotate", "began a log segment at %0, epoch %1"},
    {SYNC_TRACE_MARK, SYNC_LEVEL_DEBUG, "mark", "marked what is durable, to %1 of the log"},
    {SYNC_TRACE_CLOSE, SYNC_LEVEL_INFO, "close", "closed: durable to %0 of %1"},
    {SYNC_TRACE_SNAPSHOT, SYNC_LEVEL_INFO, "snapshot", "snapshot %x1 of log position %0 is the base, %2 bytes"},
    {SYNC_TRACE_TRIM, SYNC_LEVEL_INFO, "trim", "the log begins at %0 now"},
    {SYNC_TRACE_OFFER, SYNC_LEVEL_DEBUG, "offer", "offers snapshot %x1 to peer %0, %2 bytes"},
    {SYNC_TRACE_FETCH, SYNC_LEVEL_DEBUG, "fetch", "asks peer %0 for snapshot %x1, from byte %2 on"},
    {SYNC_TRACE_SEND_BLOCK, SYNC_LEVEL_TRACE, "send_block", "sends peer %0 a block of snapshot %x1, at %2"},
    {SYNC_TRACE_MERGE, SYNC_LEVEL_INFO, "merge", "merged snapshot %x0 of peer %2, to %1 of the log"},
    {SYNC_TRACE_SNAPSHOT_FAIL, SYNC_LEVEL_WARNING, "snapshot_fail", "gave a snapshot up: %s0"},
    {SYNC_TRACE_OWN_WRITE, SYNC_LEVEL_DEBUG, "own_write", "wrote operation %2 of life %x1 by itself, to %3 of the log"},
    {SYNC_TRACE_SEND_NEWS, SYNC_LEVEL_TRACE, "send_news", "tells peer %0 what it holds of %1 lives, asks for %3"},
};

static const struct step *step_find(enum sync_trace_kind kind) {
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
    if (steps[i].kind == kind) return &steps[i];
  return NULL;
}

const char *sync_trace_name(enum sync_trace_kind kind) {
  const struct step *step = step_find(kind);
  return step == NULL ? NULL : step->name;
}

enum sync_level sync_trace_level(enum sync_trace_kind kind, const uint64_t *fields, size_t count) {
  const struct step *step = step_find(kind);
  if (step == NULL) return SYNC_LEVEL_TRACE;
  bool refused = kind == SYNC_TRACE_OPEN && count > 0 && fields[0] != (uint64_t)SYNC_OK;
  return refused ? SYNC_LEVEL_ERROR : step->level;
}

static void step_add_hex(struct text *text, uint64_t value) {
  char digits[17] = {0};
  for (size_t i = 16; i-- > 0; value >>= 4)
    digits[i] = "0123456789abcdef"[value & 15];
  text_add(text, digits);
}

static void step_add_seconds(struct text *text, uint64_t ns) {
  uint64_t millis = ns / UINT64_C(1000000);
  const char digits[] = {'.', (char)('0' + (int)(millis / 100 % 10)), (char)('0' + (int)(millis / 10 % 10)),
                         (char)('0' + (int)(millis % 10)), '\0'};
  text_add_u64(text, millis / 1000);
  text_add(text, digits);
  text_add(text, " s");
}

/* What stands behind a '%'; gives how many characters that is. */
static size_t step_add(struct text *text, const char *format, const uint64_t *fields, size_t count) {
  char how = format[0] >= '0' && format[0] <= '9' ? '0' : format[0];
  size_t digit = how == '0' ? 0 : 1;
  size_t field = (size_t)(format[digit] - '0');
  uint64_t value = field < count ? fields[field] : 0;
  if (how == 'x') step_add_hex(text, value);
  if (how == 's') text_add(text, sync_status_name((int)(int64_t)value));
  if (how == 't') step_add_seconds(text, value);
  if (how == '0') text_add_u64(text, value);
  return digit + 1;
}

void sync_trace_text(enum sync_trace_kind kind, const uint64_t *fields, size_t count, char *line, size_t size) {
  struct text text = text_in(line, size);
  const struct step *step = step_find(kind);
  if (step == NULL) {
    text_add(&text, "step ");
    text_add_u64(&text, (uint64_t)kind);
    return;
  }
  for (const char *at = step->words; *at != '\0';) {
    if (*at == '%') {
      at += 1 + step_add(&text, at + 1, fields, count);
    } else {
      const char one[2] = {*at++, '\0'};
      text_add(&text, one);
    }
  }
}
