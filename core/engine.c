/* The engine's life: options, open, close, durability, peers and time. */
#include "core/engine.h"

static const struct sync_options engine_defaults = {
    .value_bytes_max = 65536,
    .changes_max = 256,
    .store_bytes_max = UINT64_C(64) * 1024 * 1024,
    .peers_max = 64,
    .origins_max = 65536,
    .segment_bytes = UINT64_C(4) * 1024 * 1024,
    .batch_size = 64,
    .window_ops = 256,
    .max_retries = 5,
    .retry_interval_ns = UINT64_C(5000000000),
    .retry_cap_ns = UINT64_C(30000000000),
    .probe_interval_ns = UINT64_C(15000000000),
    .ack_timeout_ns = UINT64_C(10000000000),
    .idle_hello_ns = UINT64_C(30000000000),
    .idle_mark_ns = UINT64_C(1000000000),
    .fsync_spacing_ns = 0,
    .clock_bound_ns = UINT64_C(500000000),
};

void sync_options_durable(struct sync_options *options) {
  options->fsync_spacing_ns = 0;
}
void sync_options_fast(struct sync_options *options) {
  options->fsync_spacing_ns = UINT64_C(10000000);
}

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

static int engine_commit_now(struct sync_engine *engine) {
  engine->commit_due_ns = SYNC_NO_DEADLINE;
  engine->last_commit_ns = port_now(engine->env);
  engine->committed_once = true;
  int rc = engine_note(engine, wal_commit(engine->wal));
  if (rc != SYNC_OK && engine->stopped == SYNC_OK)
    engine->commit_due_ns = time_add(engine->last_commit_ns, ENGINE_COMMIT_RETRY_NS);
  engine_take_durable(engine);
  return rc;
}

void engine_commit_soon(struct sync_engine *engine) {
  if (engine->commit_due_ns != SYNC_NO_DEADLINE) return;
  bool spaced = engine->options.fsync_spacing_ns > 0 && engine->committed_once;
  engine->commit_due_ns = spaced ? time_add(engine->last_commit_ns, engine->options.fsync_spacing_ns) : 0;
}

int engine_commit_due(struct sync_engine *engine) {
  if (engine->commit_due_ns == SYNC_NO_DEADLINE) return SYNC_OK;
  if (engine->commit_due_ns > 0 && engine->commit_due_ns > port_now(engine->env)) return SYNC_OK;
  (void)engine_commit_now(engine); /* what can be tried again is, a little later */
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

/* --- Open and close ---------------------------------------------------------- */

static uint64_t engine_limits_hash(const struct sync_options *options) {
  uint8_t bytes[12];
  bytes_put_u32(bytes, SYNC_KEY_BYTES_MAX);
  bytes_put_u32(bytes + 4, options->value_bytes_max);
  bytes_put_u32(bytes + 8, options->changes_max);
  return checksum64(bytes, sizeof bytes, 0);
}

#define ENGINE_DEFAULT(options, field)                                                                                 \
  do {                                                                                                                 \
    if ((options)->field == 0) (options)->field = engine_defaults.field;                                               \
  } while (0)

static void engine_fill_defaults(struct sync_options *options) {
  ENGINE_DEFAULT(options, value_bytes_max);
  ENGINE_DEFAULT(options, changes_max);
  ENGINE_DEFAULT(options, store_bytes_max);
  ENGINE_DEFAULT(options, peers_max);
  ENGINE_DEFAULT(options, origins_max);
  ENGINE_DEFAULT(options, segment_bytes);
  ENGINE_DEFAULT(options, batch_size);
  ENGINE_DEFAULT(options, window_ops);
  ENGINE_DEFAULT(options, max_retries);
  ENGINE_DEFAULT(options, retry_interval_ns);
  ENGINE_DEFAULT(options, retry_cap_ns);
  ENGINE_DEFAULT(options, probe_interval_ns);
  ENGINE_DEFAULT(options, ack_timeout_ns);
  ENGINE_DEFAULT(options, idle_hello_ns);
  ENGINE_DEFAULT(options, idle_mark_ns);
  ENGINE_DEFAULT(options, clock_bound_ns);
}

static bool engine_options_valid(const struct sync_options *options) {
  if (options->node_id == NULL) return false;
  if (!node_id_valid((const uint8_t *)options->node_id, node_id_length(options->node_id))) return false;
  return options->value_bytes_max <= SYNC_VALUE_BYTES_LIMIT && options->changes_max <= ENGINE_CHANGES_LIMIT &&
         options->window_ops <= 1024 * 1024 && options->peers_max < SYNC_PEER_NONE / 2;
}

static void engine_detail(struct sync_open_report *report, const char *text) {
  size_t size = strlen(text);
  if (size >= sizeof report->detail) size = sizeof report->detail - 1;
  memcpy(report->detail, text, size);
  report->detail[size] = '\0';
}

static void engine_init(struct sync_engine *engine, const struct sync_env *env, const struct sync_options *options) {
  engine->env = env;
  engine->options = *options;
  memcpy(engine->node_id, options->node_id, node_id_length(options->node_id));
  engine->options.node_id = engine->node_id;
  engine->limits_hash = engine_limits_hash(options);
  engine->frame_bytes_max = (size_t)options->value_bytes_max + SYNC_FRAME_OVERHEAD_BYTES;
  engine->limits = (struct operation_limits){
      .bytes_max = engine->frame_bytes_max - FRAME_OPS_OVERHEAD_BYTES,
      .key_bytes_max = SYNC_KEY_BYTES_MAX,
      .value_bytes_max = options->value_bytes_max,
      .changes_max = options->changes_max,
  };
  engine->commit_due_ns = SYNC_NO_DEADLINE;
  state_init(&engine->state, env, engine->node_id, options->store_bytes_max);
  peers_init(&engine->peers, env, &engine->options, &engine->state, &engine->stats);
}

static void engine_free(struct sync_engine *engine) {
  const struct sync_env *env = engine->env;
  peers_deinit(&engine->peers);
  state_deinit(&engine->state);
  memory_array_free(env, &engine->bytes, 1, 1);
  memory_array_free(env, &engine->table, sizeof(struct operation_origin), 24);
  memory_array_free(env, &engine->dots, sizeof(struct operation_dot), 16);
  memory_array_free(env, &engine->changes, sizeof(struct operation_change), 64);
  memory_free(env, engine, sizeof *engine, ENGINE_NOMINAL_BYTES);
}

/* A new life: session and nonces that no other has, HELLO to everybody. */
static void engine_begin_session(struct sync_engine *engine) {
  uint64_t now_ns = port_now(engine->env);
  engine->session = port_unique(engine->env);
  engine->log_begin = wal_appended_position(engine->wal);
  engine->last_append_ns = now_ns;
  engine->stats.log_bytes = 0;
  peers_start(&engine->peers, now_ns);
  engine_take_durable(engine);
  engine->stats.fsync_bytes = 0;
  engine->tick_durable = engine->state.oplog.durable;
  engine->tick_outbox = outbox_size(&engine->peers);
}

static void engine_report(struct sync_open_report *report, const struct wal_report *from, uint64_t operations) {
  report->epoch = from->epoch;
  report->recovered_ops = operations;
  report->durable_position = from->durable_position;
  report->appended_position = from->appended_position;
  report->tail_bytes_cut = from->tail_bytes_cut;
  report->damage_position = from->damage_position;
  report->claimed_position = from->claimed_position;
  memcpy(report->detail, from->detail, sizeof report->detail);
}

int sync_open(struct sync_engine **out, const struct sync_env *env, const struct sync_options *given,
              struct sync_open_report *report) {
  struct sync_open_report unused;
  if (report == NULL) report = &unused;
  memset(report, 0, sizeof *report);
  *out = NULL;
  struct sync_options options = *given;
  engine_fill_defaults(&options);
  if (!engine_options_valid(&options)) {
    engine_detail(report, "node_id must be 1 to 63 of [A-Za-z0-9._-], limits within those of sync.h");
    return SYNC_E_INVALID;
  }
  struct sync_engine *engine = memory_alloc_zero(env, sizeof *engine, ENGINE_NOMINAL_BYTES);
  if (engine == NULL) return SYNC_E_NO_MEMORY;
  engine_init(engine, env, &options);

  struct wal_options wal_options = {
      .node_id = engine->node_id,
      .segment_bytes = options.segment_bytes,
      .payload_bytes_max = engine->limits.bytes_max,
  };
  memcpy(wal_options.cluster_id, options.cluster_id, sizeof wal_options.cluster_id);
  struct wal_report wal_report;
  memset(&wal_report, 0, sizeof wal_report);
  state_replay(&engine->state);
  int rc = wal_open(&engine->wal, env, &wal_options, recovery_record, engine, &wal_report);
  engine_report(report, &wal_report, oplog_end(&engine->state.oplog));
  PORT_TRACE(engine->env, SYNC_TRACE_OPEN, (uint64_t)(int64_t)rc, wal_report.epoch, wal_report.durable_position,
             wal_report.appended_position, wal_report.tail_bytes_cut);
  if (rc != SYNC_OK) {
    if (report->detail[0] == '\0') engine_detail(report, sync_status_message(rc));
    engine_free(engine);
    return rc;
  }
  state_replayed(&engine->state);
  engine_begin_session(engine);
  *out = engine;
  return SYNC_OK;
}

void sync_close(struct sync_engine *engine) {
  if (engine == NULL) return;
  PORT_TRACE(engine->env, SYNC_TRACE_CLOSE, wal_durable_position(engine->wal), wal_appended_position(engine->wal));
  wal_close(engine->wal);
  engine_free(engine);
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
    (void)engine_note(engine, wal_mark(engine->wal));
  }
  return engine->stopped;
}

/* --- Peers --------------------------------------------------------------------- */

bool engine_peer_id(const struct sync_engine *engine, const char *node_id, size_t *size) {
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
