#include "reports/story_tally.h"

#include <inttypes.h>

#include "cluster/steps.h"
#include "core/env.h"

static uint64_t field(const struct sim_trace_record *record, unsigned at) {
  return at < record->count ? record->fields[at] : 0;
}

static void add_report(struct story_tally *tally, uint64_t kind) {
  tally->applied += kind == SYNC_TRACE_APPLY;
  tally->own_writes += kind == SYNC_TRACE_OWN_WRITE;
  tally->timeouts += kind == SYNC_TRACE_TIMEOUT;
  tally->blocks += kind == SYNC_TRACE_SEND_BLOCK;
}

static void add_cluster(struct story_tally *tally, const struct sim_trace_record *record) {
  const uint64_t kind = field(record, 0);
  if (kind == CLUSTER_STEP_SUBMIT) {
    tally->writes++;
    tally->refused += field(record, 3) != SYNC_OK;
  }
  if (kind == CLUSTER_STEP_PROMISE) tally->promised += field(record, 1);
}

static void add_drop(struct story_tally *tally, uint64_t why) {
  tally->messages++;
  if (why == SIM_FAULT_NET_PARTITION)
    tally->cut_off++;
  else if (why == SIM_DROP_RECEIVER_DOWN)
    tally->to_down++;
  else if (why == SIM_FAULT_NET_LOSS)
    tally->lost++;
  else
    tally->dropped++;
}

/* Where calls of the disk have their result. */
static bool call_failed(const struct sim_trace_record *record) {
  switch (record->step) {
  case SIM_STEP_FILE_OPEN:
  case SIM_STEP_FILE_TRUNCATE:
  case SIM_STEP_FILE_SIZE:
  case SIM_STEP_FILE_RENAME:
  case SIM_STEP_DIR_LIST:
  case SIM_STEP_FSYNC_REFUSED:
    return (int64_t)field(record, 2) < 0;
  case SIM_STEP_FILE_CLOSE:
  case SIM_STEP_FILE_UNLINK:
  case SIM_STEP_FSYNC_DONE:
    return (int64_t)field(record, 1) < 0;
  case SIM_STEP_FILE_READ:
  case SIM_STEP_FILE_WRITE:
    return (int64_t)field(record, 4) < 0;
  default:
    return false;
  }
}

void story_tally_add(struct story_tally *tally, const struct sim_trace_record *record) {
  tally->messages += record->step == SIM_STEP_DELIVER;
  tally->fsyncs += record->step == SIM_STEP_FSYNC_DONE;
  tally->failed += call_failed(record);
  if (record->step == SIM_STEP_NODE_TRACE) add_report(tally, field(record, 0));
  if (record->step == SIM_STEP_CLUSTER) add_cluster(tally, record);
  if (record->step == SIM_STEP_DROP) add_drop(tally, field(record, 1));
}

struct sentence {
  char *text;
  size_t size, length;
};

static void put(struct sentence *sentence, const char *before, uint64_t count, const char *one, const char *many) {
  if (count == 0 || sentence->length >= sentence->size) return;
  const int wrote = snprintf(sentence->text + sentence->length, sentence->size - sentence->length, "%s%" PRIu64 " %s",
                             before, count, count == 1 ? one : many);
  if (wrote > 0) sentence->length += (size_t)wrote;
}

/* Members in brackets behind a number. */
static void put_of(struct sentence *sentence, bool *open, uint64_t count, const char *what) {
  if (count == 0) return;
  put(sentence, *open ? ", " : " (", count, what, what);
  *open = true;
}
static void put_close(struct sentence *sentence, bool open) {
  if (open && sentence->length + 1 < sentence->size) {
    sentence->text[sentence->length++] = ')';
    sentence->text[sentence->length] = '\0';
  }
}

bool story_tally_tell(const struct story_tally *tally, char *text, size_t size) {
  struct sentence sentence = {text, size, 0};
  bool open = false;
  if (size > 0) text[0] = '\0';
#define BETWEEN (sentence.length == 0 ? "" : ", ")
  put(&sentence, BETWEEN, tally->writes, "write", "writes");
  put_of(&sentence, &open, tally->writes > 0 ? tally->refused : 0, "refused");
  put_close(&sentence, open);
  put(&sentence, BETWEEN, tally->promised, "promised", "promised");
  put(&sentence, BETWEEN, tally->own_writes, "written by engines", "written by engines");
  put(&sentence, BETWEEN, tally->applied, "applied", "applied");
  put(&sentence, BETWEEN, tally->messages, "message", "messages");
  open = false;
  put_of(&sentence, &open, tally->lost, "lost");
  put_of(&sentence, &open, tally->cut_off, "cut off");
  put_of(&sentence, &open, tally->to_down, "to nodes that are down");
  put_of(&sentence, &open, tally->dropped, "otherwise gone");
  put_close(&sentence, open);
  put(&sentence, BETWEEN, tally->blocks, "block of a snapshot", "blocks of snapshots");
  put(&sentence, BETWEEN, tally->timeouts, "without an answer", "without an answer");
  put(&sentence, BETWEEN, tally->fsyncs, "fsync", "fsyncs");
  put(&sentence, BETWEEN, tally->failed, "call of a disk failed", "calls of disks failed");
#undef BETWEEN
  return sentence.length > 0;
}
