/* The beginning and the end of an engine: options, open, close. */
#include "core/recovery.h"

#include "core/backup.h"
#include "core/compaction.h"
#include "core/conflict.h"
#include "core/fetch.h"
#include "core/pending.h"
#include "core/sweep.h"

static const struct sync_options open_defaults = {
    .value_bytes_max = 65536,
    .changes_max = 256,
    .store_bytes_max = UINT64_C(64) * 1024 * 1024,
    .peers_max = 64,
    .origins_max = 65536,
    .segment_bytes = UINT64_C(4) * 1024 * 1024,
    .snapshot_bytes = UINT64_C(4) * 1024 * 1024,
    .retain_bytes = UINT64_C(16) * 1024 * 1024,
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
    .sweep_interval_ns = UINT64_C(30000000000),
    .clock_bound_ns = UINT64_C(500000000),
};

void sync_options_durable(struct sync_options *options) {
  options->fsync_spacing_ns = 0;
}
void sync_options_fast(struct sync_options *options) {
  options->fsync_spacing_ns = UINT64_C(10000000);
}

static uint64_t open_limits_hash(const struct sync_options *options) {
  uint8_t bytes[12];
  bytes_put_u32(bytes, SYNC_KEY_BYTES_MAX);
  bytes_put_u32(bytes + 4, options->value_bytes_max);
  bytes_put_u32(bytes + 8, options->changes_max);
  return checksum64(bytes, sizeof bytes, 0);
}

#define OPEN_ACK_DELAY_SHARE 100u /* of the acknowledgement timeout */
#define OPEN_DEFAULT(options, field)                                                                                   \
  do {                                                                                                                 \
    if ((options)->field == 0) (options)->field = open_defaults.field;                                                 \
  } while (0)

static void open_fill_defaults(struct sync_options *options) {
  OPEN_DEFAULT(options, value_bytes_max);
  OPEN_DEFAULT(options, changes_max);
  OPEN_DEFAULT(options, store_bytes_max);
  OPEN_DEFAULT(options, peers_max);
  OPEN_DEFAULT(options, origins_max);
  OPEN_DEFAULT(options, segment_bytes);
  OPEN_DEFAULT(options, snapshot_bytes);
  OPEN_DEFAULT(options, retain_bytes);
  OPEN_DEFAULT(options, batch_size);
  OPEN_DEFAULT(options, window_ops);
  OPEN_DEFAULT(options, max_retries);
  OPEN_DEFAULT(options, retry_interval_ns);
  OPEN_DEFAULT(options, retry_cap_ns);
  OPEN_DEFAULT(options, probe_interval_ns);
  OPEN_DEFAULT(options, ack_timeout_ns);
  if (options->ack_delay_ns == 0) options->ack_delay_ns = options->ack_timeout_ns / OPEN_ACK_DELAY_SHARE + 1;
  OPEN_DEFAULT(options, idle_hello_ns);
  OPEN_DEFAULT(options, idle_mark_ns);
  OPEN_DEFAULT(options, sweep_interval_ns);
  OPEN_DEFAULT(options, clock_bound_ns);
}

static bool open_options_valid(const struct sync_options *options) {
  if (options->node_id == NULL) return false;
  if (!node_id_valid((const uint8_t *)options->node_id, node_id_length(options->node_id))) return false;
  return options->value_bytes_max <= SYNC_VALUE_BYTES_LIMIT && options->changes_max <= ENGINE_CHANGES_LIMIT &&
         options->window_ops <= 1024 * 1024 && options->peers_max < SYNC_PEER_NONE / 2;
}

static void open_detail(struct sync_open_report *report, const char *text) {
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
  engine->limits_hash = open_limits_hash(options);
  engine->frame_bytes_max = (size_t)options->value_bytes_max + SYNC_FRAME_OVERHEAD_BYTES;
  engine->limits = (struct operation_limits){
      .bytes_max = engine->frame_bytes_max - FRAME_OPS_OVERHEAD_BYTES,
      .key_bytes_max = SYNC_KEY_BYTES_MAX,
      .value_bytes_max = options->value_bytes_max,
      .changes_max = options->changes_max,
  };
  engine->block_bytes_max = engine->frame_bytes_max - FRAME_BLOCK_OVERHEAD_BYTES - BLOCK_HEADER_BYTES;
  engine->commit_due_ns = SYNC_NO_DEADLINE;
  engine->compaction.serving = -1;
  engine->fetch.file = -1;
  state_init(&engine->state, env, engine->node_id, options->store_bytes_max, engine->limits.bytes_max);
  legend_init(&engine->legend, env);
  policies_init(&engine->policies, env);
  peers_init(&engine->peers, env, &engine->options, &engine->state, &engine->stats);
}

static void engine_free(struct sync_engine *engine) {
  const struct sync_env *env = engine->env;
  sweep_deinit(engine);
  memory_array_free(env, &engine->merges, sizeof(struct engine_merge), 16);
  peers_deinit(&engine->peers);
  conflict_close(engine);
  legend_deinit(&engine->legend);
  state_deinit(&engine->state);
  memory_array_free(env, &engine->bytes, 1, 1);
  memory_array_free(env, &engine->dots, sizeof(struct operation_dot), 16);
  memory_array_free(env, &engine->changes, sizeof(struct operation_change), 64);
  memory_free(env, engine, sizeof *engine, ENGINE_NOMINAL_BYTES);
}

/* A new life: session and nonces that no other has, HELLO to everybody. */
static void open_begin_session(struct sync_engine *engine) {
  uint64_t now_ns = port_now(engine->env);
  engine->session = port_unique(engine->env);
  engine->log_begin = wal_appended_position(engine->wal);
  engine->last_append_ns = engine->turn_ns = now_ns;
  engine->stats.log_bytes = 0;
  peers_start(&engine->peers, now_ns);
  sweep_begin(engine);
  engine_take_durable(engine);
  engine->stats.fsync_bytes = 0;
  engine->tick_durable = engine->state.oplog.durable;
  engine->tick_outbox = outbox_size(&engine->peers);
}

static void open_report(struct sync_open_report *report, const struct wal_report *from, uint64_t operations) {
  report->epoch = from->epoch;
  report->recovered_ops = operations;
  report->durable_position = from->durable_position;
  report->appended_position = from->appended_position;
  report->tail_bytes_cut = from->tail_bytes_cut;
  report->damage_position = from->damage_position;
  report->claimed_position = from->claimed_position;
  memcpy(report->detail, from->detail, sizeof report->detail);
}

static void open_base_detail(const struct sync_engine *engine, struct wal_report *report, int status) {
  struct text text = text_in(report->detail, sizeof report->detail);
  char name[SNAPSHOT_NAME_BYTES];
  if (engine->compaction.base.id == 0) return; /* the names could not be listed */
  base_name(name, engine->compaction.base.position, engine->compaction.base.id, false);
  text_add(&text, name);
  if (status == SYNC_E_CLUSTER)
    text_add(&text, " belongs to another cluster or node");
  else if (status == SYNC_E_LIMITS)
    text_add(&text, " was written with a greater value limit: open it with value_bytes_max as it was");
  else if (status == SYNC_E_VERSION)
    text_add(&text, " has a format version that this build does not know");
  else if (status == SYNC_E_DAMAGED)
    text_add(&text, " is damaged: the log behind it is no more");
  else
    text_add(&text, " could not be loaded");
}

static int open_with(struct sync_engine **out, const struct sync_env *env, const struct sync_options *given,
                     struct sync_open_report *report, struct engine_repair *repair) {
  struct sync_open_report unused;
  if (report == NULL) report = &unused;
  memset(report, 0, sizeof *report);
  *out = NULL;
  struct sync_options options = *given;
  open_fill_defaults(&options);
  if (!open_options_valid(&options)) {
    open_detail(report, "node_id must be 1 to 63 of [A-Za-z0-9._-], limits within those of sync.h");
    return SYNC_E_INVALID;
  }
  struct sync_engine *engine = memory_alloc_zero(env, sizeof *engine, ENGINE_NOMINAL_BYTES);
  if (engine == NULL) {
    open_detail(report, sync_status_message(SYNC_E_NO_MEMORY));
    return SYNC_E_NO_MEMORY;
  }
  engine_init(engine, env, &options);
  engine->repair = repair;
  int rc = conflict_open(engine);
  if (rc != SYNC_OK) {
    open_detail(report, rc == SYNC_E_NO_MEMORY ? sync_status_message(rc) : "a conflict policy is none, or there twice");
    engine_free(engine);
    return rc;
  }

  struct wal_options wal_options = {
      .node_id = engine->node_id,
      .segment_bytes = options.segment_bytes,
      .payload_bytes_max = engine->limits.bytes_max,
      .repairs = repair != NULL,
      .lost = recovery_lost,
  };
  memcpy(wal_options.cluster_id, options.cluster_id, sizeof wal_options.cluster_id);
  struct wal_report wal_report;
  memset(&wal_report, 0, sizeof wal_report);
  state_replay(&engine->state);
  bool repaired = false;
  rc = compaction_load(engine, repair != NULL, &repaired);
  if (rc != SYNC_OK) open_base_detail(engine, &wal_report, rc);
  wal_options.base_position = engine->compaction.base.position;
  wal_options.base_log_id = engine->compaction.base_log_id;
  report->base_position = engine->compaction.base.position;
  if (rc == SYNC_OK) rc = wal_open(&engine->wal, env, &wal_options, recovery_record, engine, &wal_report);
  if (rc == SYNC_OK && !engine->indexed) recovery_index_end(engine);
  engine->repair = NULL;
  report->repaired = repaired || wal_report.repaired;
  if (repair != NULL) {
    report->lost_named = repair->named;
    report->lost_unnamed = repair->unnamed;
  }
  open_report(report, &wal_report, oplog_end(&engine->state.oplog));
  PORT_TRACE(engine->env, SYNC_TRACE_OPEN, (uint64_t)(int64_t)rc, wal_report.epoch, wal_report.durable_position,
             wal_report.appended_position, wal_report.tail_bytes_cut);
  if (rc != SYNC_OK) {
    if (report->detail[0] == '\0') open_detail(report, sync_status_message(rc));
    engine_free(engine);
    return rc;
  }
  state_replayed(&engine->state);
  engine->compaction.trimmed_ns = port_now(env);
  open_begin_session(engine);
  *out = engine;
  return SYNC_OK;
}

int sync_open(struct sync_engine **engine, const struct sync_env *env, const struct sync_options *options,
              struct sync_open_report *report) {
  return open_with(engine, env, options, report, NULL);
}

int sync_open_repair(struct sync_engine **engine, const struct sync_env *env, const struct sync_options *options,
                     struct sync_open_report *report, int (*each)(void *arg, const struct sync_lost *lost), void *arg) {
  struct engine_repair repair = {.each = each, .arg = arg};
  return open_with(engine, env, options, report, &repair);
}

void sync_close(struct sync_engine *engine) {
  if (engine == NULL) return;
  PORT_TRACE(engine->env, SYNC_TRACE_CLOSE, wal_durable_position(engine->wal), wal_appended_position(engine->wal));
  backup_break(engine);
  pending_end(engine);
  fetch_end(engine);
  compaction_end(engine);
  wal_close(engine->wal);
  engine_free(engine);
}
