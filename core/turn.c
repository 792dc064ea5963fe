/* What the embedder's loop hands over besides frames: completions and time. */
#include "core/ask.h"
#include "core/compaction.h"
#include "core/engine.h"
#include "core/fetch.h"
#include "core/keep.h"
#include "core/pending.h"
#include "core/sweep.h"

/* A completion for a snapshot's file, or for the name of one. */
static int turn_snapshot_done(struct sync_engine *engine, uint64_t token, int result, bool *ours) {
  *ours = token > 0 && token <= engine->token;
  if (!*ours || engine->stopped != SYNC_OK) return engine->stopped;
  if (token == engine->compaction.token) return compaction_disk_done(engine, result);
  if (token == engine->fetch.token) return fetch_disk_done(engine, result);
  /* What it was asked for was given up meanwhile. What a failed fsync has dropped may be the log's all the same. */
  return result == SYNC_OK ? SYNC_OK : engine_note(engine, SYNC_E_FAILED);
}

int sync_disk_done(struct sync_engine *engine, uint64_t token, int result) {
  bool ours = false;
  int rc = wal_disk_done(engine->wal, token, result, &ours);
  if (!ours) rc = turn_snapshot_done(engine, token, result, &ours);
  if (!ours) return rc == SYNC_OK ? SYNC_E_INVALID : rc;
  if (result == SYNC_OK) engine->stats.fsyncs++;
  rc = engine_note(engine, rc);
  if (engine->stopped == SYNC_OK) engine_take_durable(engine);
  if (engine->stopped == SYNC_OK) (void)compaction_run(engine);
  return rc == SYNC_OK ? engine->stopped : rc;
}

/* --- Time ---------------------------------------------------------------------- */

/* Marks do not make new marks: only content that no record claims yet does.
 * While it is not durable, wal_mark() resumes a commit that an error ended. */
static uint64_t engine_mark_deadline(const struct sync_engine *engine) {
  if (wal_claimed_position(engine->wal) >= engine->content_end) return SYNC_NO_DEADLINE;
  return time_add(engine->last_append_ns, engine->options.idle_mark_ns);
}

uint64_t sync_next_deadline(const struct sync_engine *engine) {
  if (engine->stopped != SYNC_OK) return SYNC_NO_DEADLINE;
  uint64_t deadline = engine->commit_due_ns;
  uint64_t keep = keep_deadline(engine);
  if (keep < deadline) deadline = keep;
  uint64_t mark = engine_mark_deadline(engine);
  if (mark < deadline) deadline = mark;
  uint64_t peers = peers_deadline(&engine->peers);
  if (peers < deadline) deadline = peers;
  uint64_t snapshot = compaction_deadline(engine);
  if (snapshot < deadline) deadline = snapshot;
  uint64_t sweep = sweep_deadline(engine);
  if (sweep < deadline) deadline = sweep;
  uint64_t fetch = fetch_deadline(engine);
  return fetch < deadline ? fetch : deadline;
}

static uint64_t engine_written(const struct sync_engine *engine) {
  return engine->stats.submits + engine->stats.own_writes;
}

static void engine_tick_counts(struct sync_engine *engine, struct sync_tick_report *report) {
  uint64_t outbox = outbox_size(&engine->peers);
  uint64_t before = engine->tick_outbox + (engine_written(engine) - engine->tick_submits);
  if (before > outbox) report->pruned = (uint32_t)(before - outbox);
  if (engine->peers.count > 0) report->batched = (uint32_t)(engine->state.oplog.durable - engine->tick_durable);
  engine->tick_outbox = outbox;
  engine->tick_submits = engine_written(engine);
  engine->tick_durable = engine->state.oplog.durable;
}

int sync_tick(struct sync_engine *engine, struct sync_tick_report *report) {
  struct sync_tick_report unused;
  if (report == NULL) report = &unused;
  memset(report, 0, sizeof *report);
  if (engine->stopped != SYNC_OK) return engine->stopped;
  keep_run(engine);
  sweep_run(engine);
  if (engine->stopped != SYNC_OK) return engine->stopped;
  uint64_t now_ns = port_now(engine->env);
  engine->turn_ns = now_ns;
  pending_expire(engine, now_ns);
  ask_run(engine, now_ns);
  report->retried = peers_tick(&engine->peers, now_ns);
  engine_tick_counts(engine, report);
  (void)fetch_run(engine);
  (void)compaction_run(engine);
  (void)engine_commit_due(engine);
  if (engine->stopped == SYNC_OK && engine_mark_deadline(engine) <= now_ns) {
    /* Also after a failure: the next try waits as long. */
    engine->last_append_ns = now_ns;
    uint64_t written = wal_written_position(engine->wal);
    engine_take_write(engine, engine_note(engine, wal_mark(engine->wal)), written);
  }
  return engine->stopped;
}
