#include "cluster/log_watch.h"

#include <string.h>

#include "cluster/seldom.h"

#define SEGMENT_HEADER_BYTES 144u /* docs/formats.md */
#define DEFAULT_SEGMENT_BYTES (UINT64_C(4) * 1024 * 1024)
#define DEFAULT_IDLE_MARK_NS UINT64_C(1000000000)

void log_watch_begin(struct log_watch *watch, const struct sync_options *options, uint64_t now_ns) {
  uint64_t segments = watch->segments;
  memset(watch, 0, sizeof *watch);
  watch->segments = segments;
  watch->segment_bytes = options->segment_bytes != 0 ? options->segment_bytes : DEFAULT_SEGMENT_BYTES;
  uint64_t mark_ns = options->idle_mark_ns != 0 ? options->idle_mark_ns : DEFAULT_IDLE_MARK_NS;
  /* Twice: its clock may go half as fast. A commit that was refused is resumed by
   * the mark's deadline. */
  watch->marked_within_ns = 2 * (mark_ns + LOG_WATCH_SLACK_NS);
  watch->asked_within_ns = watch->marked_within_ns + 2 * options->fsync_spacing_ns;
  watch->asked_since_ns = now_ns;
  watch->marked_since_ns = now_ns;
}

void log_watch_find(struct log_watch *watch, enum log_watch_finding finding, uint64_t position) {
  if (watch->finding != LOG_WATCH_HELD) return;
  watch->finding = finding;
  watch->position = position;
}

/* --- What was appended -------------------------------------------------------------- */

static inline uint32_t allowance(const struct log_watch *watch) {
  return LOG_WATCH_FSYNCS + watch->fresh_count + (watch->fresh_count > 0 ? 1u : 0u);
}

static inline void note_appended(struct log_watch *watch, uint64_t end) {
  uint32_t allowed = allowance(watch);
  watch->appended = end;
  if (watch->group_count > 0) {
    struct log_watch_group *last = &watch->groups[watch->group_count - 1u];
    bool same = last->fsyncs == watch->fsyncs && last->allowed == allowed;
    if (same || watch->group_count == LOG_WATCH_GROUPS_MAX) {
      last->end = end; /* a full list is one of overdue groups: the oldest tells */
      return;
    }
  }
  watch->groups[watch->group_count++] =
      (struct log_watch_group){.end = end, .fsyncs = watch->fsyncs, .allowed = allowed};
}

/* A record that was put into a segment although it did not fit. */
static inline void judge_rotation(struct log_watch *watch, uint64_t before, uint64_t end) {
  bool over = before > watch->segment && SEGMENT_HEADER_BYTES + (end - watch->segment) > watch->segment_bytes;
  if (!over || watch->segments >= LOG_WATCH_SEGMENTS_MAX) return;
  if (!watch->overfull) watch->overfull_fsyncs = watch->fsyncs;
  watch->overfull = true;
  if (watch->fsyncs - watch->overfull_fsyncs >= LOG_WATCH_ROTATE_FSYNCS)
    log_watch_find(watch, LOG_WATCH_NOT_ROTATED, watch->segment);
}

static inline void note_record(struct log_watch *watch, uint64_t end) {
  if (end <= watch->appended) return; /* not of this log's order: another oracle's business */
  judge_rotation(watch, watch->appended, end);
  note_appended(watch, end);
}

CLUSTER_SELDOM static void note_segment(struct log_watch *watch, uint64_t first) {
  watch->segment = first;
  watch->claimed = watch->durable; /* its header says so */
  watch->segments++;
  watch->overfull = false;
  if (watch->fresh_count < LOG_WATCH_FRESH_MAX) watch->fresh[watch->fresh_count++] = first;
}

/* --- What became durable -------------------------------------------------------------- */

static inline void note_durable(struct log_watch *watch, uint64_t durable) {
  if (durable <= watch->durable) return;
  watch->durable = durable;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < watch->group_count; i++)
    if (watch->groups[i].end > durable) watch->groups[kept++] = watch->groups[i];
  watch->group_count = kept;
  kept = 0;
  for (uint32_t i = 0; i < watch->fresh_count; i++)
    if (watch->fresh[i] >= durable) watch->fresh[kept++] = watch->fresh[i];
  watch->fresh_count = kept;
}

/* What the open found behind the durable position is rewritten: as if it was
 * appended then. Its segment, if there is one already, was reported before. */
CLUSTER_SELDOM static void note_open(struct log_watch *watch, uint64_t durable, uint64_t appended) {
  watch->claimed = durable;
  watch->appended = durable;
  note_durable(watch, durable);
  if (appended <= durable) return;
  bool written = watch->fresh_count > 0;
  if (!written) watch->fresh[watch->fresh_count++] = durable;
  note_appended(watch, appended);
  if (!written) watch->fresh_count = 0;
}

void log_watch_traced(struct log_watch *watch, enum sync_trace_kind kind, const uint64_t *fields, size_t count) {
  if (kind == SYNC_TRACE_DURABLE && count > 0) {
    note_durable(watch, fields[0]);
    return;
  }
  bool own = kind == SYNC_TRACE_SUBMIT || kind == SYNC_TRACE_OWN_WRITE;
  bool operation = own || kind == SYNC_TRACE_APPLY, mark = kind == SYNC_TRACE_MARK;
  if ((operation && count > 3) || (mark && count > 1)) note_record(watch, fields[operation ? 3 : 1]);
  if (operation && count > 3) watch->content = fields[3];
  if (kind == SYNC_TRACE_MERGE && count > 1) {
    note_record(watch, fields[1]);
    watch->content = fields[1];
  }
  if (kind == SYNC_TRACE_ROTATE && count > 0) note_segment(watch, fields[0]);
  if (kind == SYNC_TRACE_OPEN && count > 3) note_open(watch, fields[2], fields[3]);
}

void log_watch_go_on(struct log_watch *watch) {
  for (uint32_t i = 0; i < watch->group_count; i++) {
    struct log_watch_group *group = &watch->groups[i];
    if (group->end <= watch->written) continue;
    group->fsyncs = watch->fsyncs;
    group->allowed = allowance(watch); /* perhaps it goes on in a new segment */
  }
}

void log_watch_fsync_done(struct log_watch *watch) {
  watch->fsyncs++;
  for (uint32_t i = 0; i < watch->group_count; i++) {
    const struct log_watch_group *group = &watch->groups[i];
    if (watch->write_failed && group->end > watch->written) return;
    if (watch->fsyncs - group->fsyncs < group->allowed) continue;
    log_watch_find(watch, LOG_WATCH_NOT_DURABLE, group->end);
    return;
  }
}
