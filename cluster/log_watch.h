/* Durability progresses: new work never keeps old work from becoming durable.
 * Watches one life of one log from outside, by what its engine reports, by
 * the fsyncs that were completed for it, and by what its records say:
 *
 * - a record is durable after at most LOG_WATCH_FSYNCS completed fsyncs from the
 *   end of the turn in which it was appended (one in flight then, and the next) and, for
 *   segments of which nothing was durable then, one more for each and one for their
 *   names; while the log cannot be written the count waits;
 * - a segment that is full is followed by another one within
 *   LOG_WATCH_ROTATE_FSYNCS completed fsyncs from the first record that was put
 *   there in spite of it;
 * - while something is not durable the disk is asked, and when nothing is
 *   appended what became durable is marked: both within a time in which neither
 *   the disk is at work nor any call is refused.
 *
 * The counts need no other excuse: what fails, is down, or waits completes nothing.
 */
#ifndef CLUSTER_LOG_WATCH_H
#define CLUSTER_LOG_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sync.h"

#define LOG_WATCH_FSYNCS 2u
#define LOG_WATCH_ROTATE_FSYNCS 4u
#define LOG_WATCH_SEGMENTS_MAX 4096u /* files; a log of more need not begin another one */
#define LOG_WATCH_SLACK_NS UINT64_C(100000000)

enum log_watch_finding {
  LOG_WATCH_HELD = 0,
  LOG_WATCH_NOT_DURABLE, /* the record that ends at `position` is overdue, in completed fsyncs */
  LOG_WATCH_NOT_ROTATED, /* the segment that begins at `position` is */
  LOG_WATCH_NOT_ASKED,   /* `position` was appended and no fsync is requested */
  LOG_WATCH_NOT_MARKED   /* up to `position` is durable, and no record says so */
};

#define LOG_WATCH_GROUPS_MAX 32u
#define LOG_WATCH_FRESH_MAX 8u

/* Records appended after as many fsyncs and with the same allowance: the last. */
struct log_watch_group {
  uint64_t end;
  uint64_t fsyncs; /* that were completed by then */
  uint32_t allowed;
};

struct log_watch {
  /* Of the engine's options, filled in. */
  uint64_t segment_bytes;
  uint64_t asked_within_ns, marked_within_ns;

  uint64_t fsyncs; /* completed with success in this life */
  uint64_t appended, durable, claimed;
  uint64_t content; /* end of the last operation of this life: a mark says nothing of marks */
  struct log_watch_group groups[LOG_WATCH_GROUPS_MAX]; /* not durable yet, oldest first */
  uint32_t group_count;
  bool write_failed;
  uint64_t written;                    /* what was appended by the last look at which the last write had succeeded */
  uint64_t fresh[LOG_WATCH_FRESH_MAX]; /* beginnings of segments of which nothing is durable, ascending */
  uint32_t fresh_count;
  uint64_t segment;  /* where the last segment begins */
  uint64_t segments; /* in all lives: at least as many as the log has */
  bool overfull;
  uint64_t overfull_fsyncs; /* completed when it became so */

  /* Since when something is owed, and nothing but the engine is in the way. */
  uint64_t asked_since_ns, marked_since_ns;
  uint64_t refusals; /* at the last look */

  enum log_watch_finding finding; /* the first one; nothing is judged after it */
  uint64_t position;
};

/* Before an open. Zero options mean the engine's defaults. */
void log_watch_begin(struct log_watch *watch, const struct sync_options *options, uint64_t now_ns);
/* Whether log_watch_traced() looks at steps of that kind; others need not be given. */
static inline bool log_watch_wants(enum sync_trace_kind kind) {
  const uint32_t wanted = 1u << SYNC_TRACE_SUBMIT | 1u << SYNC_TRACE_OWN_WRITE | 1u << SYNC_TRACE_APPLY |
                          1u << SYNC_TRACE_MARK | 1u << SYNC_TRACE_MERGE | 1u << SYNC_TRACE_TRIM |
                          1u << SYNC_TRACE_ROTATE | 1u << SYNC_TRACE_DURABLE | 1u << SYNC_TRACE_OPEN;
  return (uint32_t)kind < 32u && (wanted >> (uint32_t)kind & 1u) != 0;
}
/* A step that the engine reported. */
void log_watch_traced(struct log_watch *watch, enum sync_trace_kind kind, const uint64_t *fields, size_t count);
/* A record that was read from the disk says that so much was durable. */
static inline void log_watch_claimed(struct log_watch *watch, uint64_t durable, uint64_t now_ns) {
  if (durable <= watch->claimed) return;
  watch->claimed = durable;
  watch->marked_since_ns = now_ns;
}
/* An fsync was completed with success, and the engine has taken note of it. */
void log_watch_fsync_done(struct log_watch *watch);

/* The end of what can be marked: durable, and no mark itself. */
static inline uint64_t log_watch_markable(const struct log_watch *watch) {
  return watch->durable < watch->content ? watch->durable : watch->content;
}
/* Whether anything is to be asked or marked, now that so much is appended. */
static inline bool log_watch_owes(const struct log_watch *watch, uint64_t appended) {
  return appended > watch->durable || log_watch_markable(watch) > watch->claimed;
}

struct log_watch_look {
  uint64_t now_ns;
  uint64_t appended; /* sync_appended_position() */
  uint64_t refusals; /* calls that the environment refused so far */
  bool busy;         /* the disk is at work, or the node cannot run; of no matter when it owes nothing */
  bool disk_at_work; /* an fsync is in flight */
  bool write_failed; /* the last write did */
};
void log_watch_find(struct log_watch *watch, enum log_watch_finding finding, uint64_t position);
/* A write succeeded after one that had failed. */
void log_watch_go_on(struct log_watch *watch);
/* After each event of the node, and now and then. Inline: it is nearly all that many
 * events cost here. */
static inline void log_watch_look(struct log_watch *watch, const struct log_watch_look *look) {
  if (watch->write_failed && !look->write_failed) log_watch_go_on(watch);
  watch->write_failed = look->write_failed;
  if (!look->write_failed) watch->written = watch->appended;
  bool excused = look->busy || look->disk_at_work || look->refusals != watch->refusals;
  watch->refusals = look->refusals;
  uint64_t known = log_watch_markable(watch);
  if (excused || look->appended <= watch->durable)
    watch->asked_since_ns = look->now_ns;
  else if (look->now_ns - watch->asked_since_ns > watch->asked_within_ns)
    log_watch_find(watch, LOG_WATCH_NOT_ASKED, look->appended);
  if (excused || known <= watch->claimed)
    watch->marked_since_ns = look->now_ns;
  else if (look->now_ns - watch->marked_since_ns > watch->marked_within_ns)
    log_watch_find(watch, LOG_WATCH_NOT_MARKED, known);
}

#endif
