/* What steps and statuses are called, and their sentences. */
#include "sim/trace/trace_record.h"

#include <stdarg.h>

#include "core/env.h"

void trace_put(struct trace_writer *writer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  size_t room = writer->length < writer->size ? writer->size - writer->length : 0;
  int wrote = vsnprintf(room > 0 ? writer->text + writer->length : NULL, room, format, arguments);
  va_end(arguments);
  if (wrote > 0) writer->length += (size_t)wrote;
  if (writer->size > 0 && writer->length >= writer->size) writer->length = writer->size - 1;
}

const char *trace_status_name(int64_t status) {
  switch (status) {
#define NAME(status)                                                                                                   \
  case status:                                                                                                         \
    return #status;
    NAME(SYNC_OK)
    NAME(SYNC_E_INVALID)
    NAME(SYNC_E_TOO_BIG)
    NAME(SYNC_E_NO_MEMORY)
    NAME(SYNC_E_NO_SPACE)
    NAME(SYNC_E_IO)
    NAME(SYNC_E_NOT_FOUND)
    NAME(SYNC_E_EXISTS)
    NAME(SYNC_E_POWERED_OFF)
    NAME(SYNC_E_FAILED)
    NAME(SYNC_E_FULL)
    NAME(SYNC_E_DAMAGED)
    NAME(SYNC_E_CORRUPT)
    NAME(SYNC_E_VERSION)
    NAME(SYNC_E_CLUSTER)
    NAME(SYNC_E_LIMITS)
    NAME(SYNC_E_ID_CONFLICT)
    NAME(SYNC_E_PEER)
    NAME(SYNC_E_BUFFER)
    NAME(SYNC_E_STALE)
    NAME(SYNC_E_LOCKED)
    NAME(SYNC_E_TOO_MANY)
    NAME(SYNC_E_INTERRUPTED)
#undef NAME
  default:
    return NULL;
  }
}

const char *trace_subsystem_name(uint32_t subsystem) {
  static const char *const names[SIM_SUB_COUNT] = {"timeline", "network", "disk", "node", "cluster", "script"};
  return subsystem < SIM_SUB_COUNT ? names[subsystem] : "?";
}

int sim_subsystem_find(const char *name) {
  for (int i = 0; i < SIM_SUB_COUNT; i++)
    if (strcmp(name, trace_subsystem_name((uint32_t)i)) == 0) return i;
  return -1;
}

const char *trace_drop_reason(uint64_t why) {
  switch (why) {
  case SIM_DROP_RECEIVER_DOWN:
    return "the receiver is down";
  case SIM_DROP_NO_SUCH_NODE:
    return "no such node";
  case SIM_FAULT_NET_PARTITION:
    return "the link is cut";
  case SIM_FAULT_NET_LOSS:
    return "lost on the way";
  default:
    return why < SIM_FAULT_COUNT ? sim_fault_name((enum sim_fault)why) : "for a reason of later days";
  }
}

struct words {
  uint32_t kind;
  const char *name; /* one word, or a few */
  const char *text;
};

static const struct words STEPS[] = {
    {SIM_STEP_EVENT, "event", ""},
    {SIM_STEP_SEND, "send", "-> %N0 message %u1 bytes (%x2), arrives %t3 s"},
    {SIM_STEP_DROP, "drop", "-> %N0 message dropped: %w1"},
    {SIM_STEP_DELIVER, "deliver", "<- %N0 message %u1 bytes (%x2)"},
    {SIM_STEP_FILE_OPEN, "open", "opens %n0%O1%r2"},
    {SIM_STEP_FILE_CLOSE, "close", "closes %f0%r1"},
    {SIM_STEP_FILE_READ, "read", "reads %u2 of %u5 bytes at %u1 of %f0 (%x3)%r4"},
    {SIM_STEP_FILE_WRITE, "write", "writes %u2 of %u5 bytes at %u1 of %f0 (%x3)%r4"},
    {SIM_STEP_FILE_TRUNCATE, "truncate", "cuts %f0 to %u1 bytes%r2"},
    {SIM_STEP_FILE_SIZE, "size", "asks the size of %f0: %u1 bytes%r2"},
    {SIM_STEP_FILE_RENAME, "rename", "renames %n0 to %n1%r2"},
    {SIM_STEP_FILE_UNLINK, "unlink", "unlinks %n0%r1"},
    {SIM_STEP_DIR_LIST, "list", "lists its %u0 files%r2"},
    {SIM_STEP_FSYNC_BEGIN, "fsync begins", "asks for fsync of %f0 (token %u1), due %t2 s"},
    {SIM_STEP_FSYNC_DONE, "fsync ends", "fsync of %k0 ended (token %u0)%r1"},
    {SIM_STEP_DISK_POWER_LOSS, "survival", "the power loss left %u1 bytes of %n0"},
    {SIM_STEP_FSYNC_REFUSED, "fsync refused", "asks for fsync of %f0 (token %u1)%r2"},
    {SIM_STEP_DISK_DAMAGE, "damage", "damage of kind %u0 at %u2 of %n1, %u3 bytes"},
    {SIM_STEP_NODE_BOOT, "boot", "starts (life %u0)"},
    {SIM_STEP_NODE_DOWN, "down", "goes down: %D0"},
    {SIM_STEP_NODE_TIMER, "timer set", "sets timer %u0 to %t1 s of its monotonic clock"},
    {SIM_STEP_NODE_TRACE, "report", ""},
    {SIM_STEP_NODE_CLOCK, "clock", ""},
    {SIM_STEP_NODE_PICK, "pick", "picks %u1 (kind %u0)"},
    {SIM_STEP_NODE_PAUSE, "pause", ""},
    {SIM_STEP_NODE_WIPE, "wipe", "its disk is empty now"},
    {SIM_STEP_NODE_RESTORE, "restore", ""},
    {SIM_STEP_LINK, "link", ""},
    {SIM_STEP_CLUSTER, "cluster", ""},
    {SIM_STEP_SCRIPT, "script", ""},
    {SIM_STEP_VIOLATION, "violation", "VIOLATION of '%T0': %T1"},
};

/* Those whose sentence depends on their first or, of links, their last field. */
static const struct words EVENTS[] = {
    {SIM_EVENT_MESSAGE, "", "takes a message of %N2 (event caused by #%u1)"},
    {SIM_EVENT_TIMER, "", "its timer %u2 fires (event caused by #%u1)"},
    {SIM_EVENT_DISK, "", "its fsync request %u3 comes to an end (event caused by #%u1)"},
    {SIM_EVENT_DRIVER, "", "driver %u2 wakes, token %u3 (event caused by #%u1)"},
    {SIM_EVENT_NETWORK, "", "the network changes (event caused by #%u1)"},
    {SIM_EVENT_STROBE, "", "its wall clock strobes (event caused by #%u1)"},
};
static const struct words CLOCKS[] = {
    {0, "", "reads its monotonic clock: %t1 s"},  {1, "", "reads its wall clock: %t1 s"},
    {17, "", "its wall clock jumps by %i1 ns"},   {18, "", "its clocks run %i1 ppm fast"},
    {19, "", "its wall clock stands still: %u1"}, {20, "", "its wall clock strobes away (1) or back (0): %u1"},
};
static const struct words RESTORES[] = {{0, "", "has no image to go back to"},
                                        {1, "", "its disk is set back to its image"}};
static const struct words PAUSES[] = {{0, "", "goes on"}, {1, "", "is paused"}};
static const struct words LINKS[] = {
    {1, "", "link %N0 -> %N1 is cut"},
    {2, "", "link %N0 -> %N1 heals"},
    {3, "", "link %N0 -> %N1 has new settings"},
    {4, "", "all links have new settings"},
    {5, "", "all links heal"},
    {6, "", "link %N0 -> %N1 is clogged"},
    {7, "", "link %N0 -> %N1 is free again"},
    {8, "", "a message waits for the clogged link %N0 -> %N1"},
    {9, "", "a rule begins for %N0 -> %N1 (world: any)"},
    {10, "", "a rule ends for %N0 -> %N1 (world: any)"},
    {11, "", "a rule strikes a message %N0 -> %N1"},
};
static const struct words REPORTS[] = {
    {SYNC_TRACE_OPEN, "", "opened: %s1, epoch %u2, durable to %u3, log ends at %u4, cut %u5 bytes"},
    {SYNC_TRACE_SUBMIT, "", "submitted %o1 (log %u4)"},
    {SYNC_TRACE_APPLY, "", "applied %o1 (log %u4) from %p5"},
    {SYNC_TRACE_DUPLICATE, "", "holds %o1 already, again from %p4"},
    {SYNC_TRACE_NOT_YET, "", "skipped %o1 from %p4: a cause is missing"},
    {SYNC_TRACE_DURABLE, "", "durable to %u1"},
    {SYNC_TRACE_SEND_OP, "", "put %o1 into a frame for %p4"},
    {SYNC_TRACE_SEND_HELLO, "", "says HELLO to %p1: session %x2, nonce %x3, echo %x4, flags %u5"},
    {SYNC_TRACE_SEND_NEWS, "", "tells %p1 what it holds: %u2 lives, up to %u3 of its log, asks for %u4, flags %u5"},
    {SYNC_TRACE_KNOWN, "", "learned what %p1 holds (session %x2, replaced %u3)"},
    {SYNC_TRACE_IGNORED_HELLO, "", "ignored a HELLO of %p1 from a dead session %x2"},
    {SYNC_TRACE_TIMEOUT, "", "got no answer from %p1 (retry %u2), next at %t3 s of its monotonic clock"},
    {SYNC_TRACE_PARKED, "", "parked %p1: retries used up"},
    {SYNC_TRACE_REVIVED, "", "revived %p1: a valid frame came"},
    {SYNC_TRACE_REFUSED, "", "refused (kind %u2): %s1"},
    {SYNC_TRACE_FAIL_STOP, "", "stopped itself: %s1"},
    {SYNC_TRACE_ROTATE, "", "began a log segment at %u1, epoch %u2"},
    {SYNC_TRACE_MARK, "", "appended a durable mark at %u1"},
    {SYNC_TRACE_CLOSE, "", "closed: durable to %u1, log ends at %u2"},
    {SYNC_TRACE_SNAPSHOT, "", "has a base now: snapshot %x2 of log position %u1, %u3 bytes"},
    {SYNC_TRACE_TRIM, "", "removed its log below %u1"},
    {SYNC_TRACE_OFFER, "", "offers %p1 the snapshot %x2, %u3 bytes"},
    {SYNC_TRACE_FETCH, "", "asks %p1 for the snapshot %x2 from byte %u3 on (1: blocks were lost: %u4)"},
    {SYNC_TRACE_SEND_BLOCK, "", "sends %p1 the block of snapshot %x2 at byte %u3"},
    {SYNC_TRACE_MERGE, "", "merged snapshot %x1 of %p3 (log %u2)"},
    {SYNC_TRACE_SNAPSHOT_FAIL, "", "gave up snapshot %x2: %s1"},
    {SYNC_TRACE_OWN_WRITE, "", "wrote %o1 by itself (log %u4)"},
};
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const struct words *find(const struct words *words, size_t count, uint64_t kind) {
  for (size_t i = 0; i < count; i++)
    if (words[i].kind == kind) return &words[i];
  return NULL;
}

const char *trace_step_name(uint32_t step) {
  const struct words *words = find(STEPS, COUNT(STEPS), step);
  return words == NULL ? "step" : words->name;
}

const char *trace_template(const struct sim_trace_log *log, const struct sim_trace_record *record) {
  const struct words *words = NULL;
  uint64_t kind = record->count > 0 ? record->fields[0] : UINT64_MAX;
  switch (record->step) {
  case SIM_STEP_EVENT:
    words = find(EVENTS, COUNT(EVENTS), kind);
    break;
  case SIM_STEP_NODE_CLOCK:
    words = find(CLOCKS, COUNT(CLOCKS), kind);
    break;
  case SIM_STEP_NODE_PAUSE:
    words = find(PAUSES, COUNT(PAUSES), kind);
    break;
  case SIM_STEP_NODE_RESTORE:
    words = find(RESTORES, COUNT(RESTORES), kind);
    break;
  case SIM_STEP_NODE_TRACE:
    words = find(REPORTS, COUNT(REPORTS), kind);
    break;
  case SIM_STEP_LINK:
    words = record->count < 3 ? NULL : find(LINKS, COUNT(LINKS), record->fields[2]);
    break;
  default:
    words = find(STEPS, COUNT(STEPS), record->step);
  }
  if (words != NULL && words->text[0] != '\0') return words->text;
  const char *given = sim_trace_log_name(log, SIM_NAME_STEP, record->step, kind);
  return given == NULL ? "" : given;
}
