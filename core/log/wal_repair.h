/* Inside of opening a log: what recovery goes by (wal_open.c), and repair (wal_repair.c).
 * Only these two include it. */
#ifndef SYNC_CORE_LOG_WAL_REPAIR_H
#define SYNC_CORE_LOG_WAL_REPAIR_H

#include "core/log/wal.h"
#include "core/log/wal_segments.h"

/* Reads a file forwards in large pieces. */
struct window {
  const struct sync_env *env;
  uint8_t *bytes;
  size_t capacity;
  sync_file file;
  uint64_t start; /* offset of bytes[0] */
  size_t fill;
  bool ended; /* the file ends with bytes[fill - 1] */
};
void window_begin(struct window *window, sync_file file);

struct recovery {
  struct wal *wal;
  struct wal_report *report;
  struct window window;
  wal_replay_fn replay;
  wal_replay_fn lost; /* of wal_options */
  void *arg;
  size_t damaged_at;   /* index in the chain of the segment in which the prefix ends */
  uint64_t prefix_end; /* everything below was valid */
  bool damage;         /* something that is no record follows there */
  size_t useless;      /* so many first segments lead to nothing: something is missing behind them */
  bool quarantined;    /* something was put aside */
};

/* The record at `position` of a segment: its bytes, or NULL when there is no
 * valid one (or one that does not say that `claims_past` was durable); *left is how many bytes the file still has
 * there. */
int recovery_record_at(struct recovery *recovery, const struct wal_segment *segment, uint64_t position,
                       uint64_t claims_past, struct segment_record *record, const uint8_t **bytes, size_t *left);

/* Whether what a call gave is damage that a repair puts aside. */
static inline bool recovery_is_damage(const struct recovery *recovery, int status) {
  return recovery->wal->repairs && (status == SYNC_E_IO || status == SYNC_E_DAMAGED);
}

/* Puts aside, under names that count for nothing, all that stands behind the valid prefix, and a copy of the file in
 * which it ends; tells of each operation that is whole there. */
int wal_quarantine(struct recovery *recovery);
/* Begins a new epoch behind the prefix, so that the next open meets no damage any more. */
int wal_repair_end(struct wal *wal);

#endif
