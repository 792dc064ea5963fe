/* What the files of the engine share: appending, durability; peers and time. */
#include "core/engine.h"

int engine_note(struct sync_engine *engine, int status) {
  if (engine->stopped != SYNC_OK) return status;
  if (status == SYNC_E_FAILED) {
    engine->stopped = status;
    engine->stats.failed = true;
    PORT_TRACE(engine->env, SYNC_TRACE_FAIL_STOP, (uint64_t)(int64_t)status);
  } else if (status == SYNC_E_POWERED_OFF) {
    engine->stopped = status;
  }
  return status;
}

/* There is room again: peers that were told that there is none wait for this. */
static void engine_tell_room(struct sync_engine *engine) {
  engine->stats.full = false;
  peers_greet(&engine->peers);
}

int engine_append(struct sync_engine *engine, enum wal_record_type type, const uint8_t *payload, size_t size,
                  uint64_t *position, uint64_t *end) {
  int rc = wal_append(engine->wal, type, payload, size, position, end);
  if (rc != SYNC_OK) return engine_note(engine, rc);
  engine->content_end = *end;
  engine->last_append_ns = port_now(engine->env);
  if (engine->stats.full) engine_tell_room(engine);
  return SYNC_OK;
}

/* Takes note of how a write or commit went before which the log was written up to `written`.
 * What failed is tried again a little later; peers hear when there is no room, and when
 * there is again. */
static void engine_take_write(struct sync_engine *engine, int status, uint64_t written) {
  if (engine->stopped != SYNC_OK) return;
  if (status == SYNC_OK) {
    /* Whatever waited for the next try is made durable now. */
    if (engine->commit_failures > 0 && engine->commit_due_ns != SYNC_NO_DEADLINE) engine->commit_due_ns = 0;
    engine->commit_failures = 0;
    if (engine->stats.full && wal_written_position(engine->wal) > written) engine_tell_room(engine);
    return;
  }
  if (status == SYNC_E_NO_SPACE && !engine->stats.full) {
    engine->stats.full = true;
    peers_greet(&engine->peers);
  }
  uint64_t wait_ns = ENGINE_COMMIT_RETRY_NS << engine->commit_failures;
  if (engine->commit_failures < ENGINE_COMMIT_RETRY_DOUBLINGS) engine->commit_failures++;
  if (wait_ns > engine->options.idle_mark_ns) wait_ns = engine->options.idle_mark_ns;
  uint64_t retry_ns = time_add(port_now(engine->env), wait_ns);
  if (retry_ns < engine->commit_due_ns) engine->commit_due_ns = retry_ns;
}

static int engine_commit_now(struct sync_engine *engine) {
  uint64_t written = wal_written_position(engine->wal);
  engine->commit_due_ns = SYNC_NO_DEADLINE;
  engine->last_commit_ns = port_now(engine->env);
  engine->committed_once = true;
  int rc = engine_note(engine, wal_commit(engine->wal));
  engine_take_write(engine, rc, written);
  engine_take_durable(engine);
  return rc;
}

static bool engine_has_unwritten(const struct sync_engine *engine) {
  return wal_written_position(engine->wal) < wal_appended_position(engine->wal);
}

static int engine_flush(struct sync_engine *engine) {
  if (!engine_has_unwritten(engine)) return SYNC_OK;
  uint64_t written = wal_written_position(engine->wal);
  int rc = engine_note(engine, wal_write(engine->wal));
  engine_take_write(engine, rc, written);
  return rc;
}

int sync_flush(struct sync_engine *engine) {
  return engine->stopped == SYNC_OK ? engine_flush(engine) : engine->stopped;
}

void engine_commit_soon(struct sync_engine *engine) {
  if (engine->commit_due_ns != SYNC_NO_DEADLINE) return;
  bool spaced = engine->options.fsync_spacing_ns > 0 && engine->committed_once;
  engine->commit_due_ns = spaced ? time_add(engine->last_commit_ns, engine->options.fsync_spacing_ns) : 0;
}

int engine_commit_due(struct sync_engine *engine) {
  if (engine->commit_due_ns == SYNC_NO_DEADLINE) return SYNC_OK;
  if (engine->commit_due_ns > 0 && engine->commit_due_ns > port_now(engine->env)) {
    /* The fsync waits for its time, and after an error so does the write. */
    if (!wal_blocked(engine->wal)) (void)engine_flush(engine);
    return engine->stopped;
  }
  (void)engine_commit_now(engine);
  return engine->stopped;
}

void engine_take_durable(struct sync_engine *engine) {
  uint64_t durable = wal_durable_position(engine->wal);
  if (durable <= engine->durable_seen) return;
  engine->stats.fsync_bytes += durable - engine->durable_seen;
  engine->durable_seen = durable;
  oplog_raise_durable(&engine->state.oplog, durable);
  peers_take_durable(&engine->peers, durable);
}

int sync_commit(struct sync_engine *engine) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  return engine_commit_now(engine);
}

uint64_t sync_durable_position(const struct sync_engine *engine) {
  return engine->durable_seen;
}
uint64_t sync_appended_position(const struct sync_engine *engine) {
  return wal_appended_position(engine->wal);
}

int sync_disk_done(struct sync_engine *engine, uint64_t token, int result) {
  bool ours = false;
  int rc = wal_disk_done(engine->wal, token, result, &ours);
  if (!ours) return rc == SYNC_OK ? SYNC_E_INVALID : rc;
  if (result == SYNC_OK) engine->stats.fsyncs++;
  rc = engine_note(engine, rc);
  if (engine->stopped == SYNC_OK) engine_take_durable(engine);
  return rc;
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
  uint64_t mark = engine_mark_deadline(engine);
  if (mark < deadline) deadline = mark;
  uint64_t peers = peers_deadline(&engine->peers);
  return peers < deadline ? peers : deadline;
}

static void engine_tick_counts(struct sync_engine *engine, struct sync_tick_report *report) {
  uint64_t outbox = outbox_size(&engine->peers);
  uint64_t before = engine->tick_outbox + (engine->stats.submits - engine->tick_submits);
  if (before > outbox) report->pruned = (uint32_t)(before - outbox);
  if (engine->peers.count > 0) report->batched = (uint32_t)(engine->state.oplog.durable - engine->tick_durable);
  engine->tick_outbox = outbox;
  engine->tick_submits = engine->stats.submits;
  engine->tick_durable = engine->state.oplog.durable;
}

int sync_tick(struct sync_engine *engine, struct sync_tick_report *report) {
  struct sync_tick_report unused;
  if (report == NULL) report = &unused;
  memset(report, 0, sizeof *report);
  if (engine->stopped != SYNC_OK) return engine->stopped;
  uint64_t now_ns = port_now(engine->env);
  report->retried = peers_tick(&engine->peers, now_ns);
  engine_tick_counts(engine, report);
  (void)engine_commit_due(engine);
  if (engine->stopped == SYNC_OK && engine_mark_deadline(engine) <= now_ns) {
    /* Also after a failure: the next try waits as long. */
    engine->last_append_ns = now_ns;
    uint64_t written = wal_written_position(engine->wal);
    engine_take_write(engine, engine_note(engine, wal_mark(engine->wal)), written);
  }
  return engine->stopped;
}

/* --- Peers --------------------------------------------------------------------- */

static bool engine_peer_id(const struct sync_engine *engine, const char *node_id, size_t *size) {
  if (node_id == NULL) return false;
  *size = node_id_length(node_id);
  if (!node_id_valid((const uint8_t *)node_id, *size)) return false;
  return *size != strlen(engine->node_id) || memcmp(node_id, engine->node_id, *size) != 0;
}

int sync_peer_add(struct sync_engine *engine, const char *node_id, uint32_t *handle) {
  size_t size = 0;
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (!engine_peer_id(engine, node_id, &size)) return SYNC_E_INVALID;
  struct peer *peer = peer_find(&engine->peers, (const uint8_t *)node_id, size);
  if (peer == NULL) {
    int rc = peer_reserve(&engine->peers);
    if (rc != SYNC_OK) return rc;
    uint64_t position = 0;
    uint64_t end = 0;
    rc = engine_append(engine, WAL_PEER_ADDED, (const uint8_t *)node_id, size, &position, &end);
    if (rc != SYNC_OK) return rc;
    peer = peer_insert(&engine->peers, (const uint8_t *)node_id, size);
    peer_start(&engine->peers, peer, port_now(engine->env));
    engine_commit_soon(engine);
  }
  if (handle != NULL) *handle = peer->handle;
  return SYNC_OK;
}

int sync_peer_remove(struct sync_engine *engine, uint32_t handle) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  struct peer *peer = peer_at(&engine->peers, handle);
  if (peer == NULL) return SYNC_E_PEER;
  uint64_t position = 0;
  uint64_t end = 0;
  int rc = engine_append(engine, WAL_PEER_REMOVED, (const uint8_t *)peer->node_id, peer->node_id_size, &position, &end);
  if (rc != SYNC_OK) return rc;
  peer_delete(&engine->peers, peer);
  engine_commit_soon(engine);
  return SYNC_OK;
}

size_t sync_frame_bytes_max(const struct sync_engine *engine) {
  return engine->frame_bytes_max;
}

void sync_stats_get(const struct sync_engine *engine, struct sync_stats *stats) {
  *stats = engine->stats;
  stats->store_bytes = engine->state.store.bytes;
  stats->log_bytes = wal_appended_position(engine->wal) - engine->log_begin;
}
