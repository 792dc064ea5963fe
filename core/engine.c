/* What the files of the engine share: appending, durability. */
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

int engine_read_operation(struct sync_engine *engine, const struct oplog_entry *entry, uint8_t *room,
                          struct operation_view *view) {
  enum wal_record_type type = WAL_MARK;
  size_t size = 0;
  int rc = wal_read(engine->wal, entry->position, &type, room, entry->size, &size);
  if (rc != SYNC_OK) return rc == SYNC_E_BUFFER ? SYNC_E_DAMAGED : engine_note(engine, rc);
  if (type != WAL_OPERATION || size != entry->size || oplog_hash(room, size) != entry->hash) return SYNC_E_DAMAGED;
  return operation_parse(room, size, &engine->limits, view) == SYNC_OK ? SYNC_OK : SYNC_E_DAMAGED;
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
void engine_take_write(struct sync_engine *engine, int status, uint64_t written) {
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
  size_t jumps = engine->state.oplog.jumps.count;
  oplog_raise_durable(&engine->state.oplog, &engine->state.origins, durable);
  if (engine->state.oplog.jumps.count < jumps) peers_untold(&engine->peers);
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
