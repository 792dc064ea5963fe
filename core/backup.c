#include "core/backup.h"

#include "core/base/file_io.h"
#include "core/engine.h"

#define BACKUP_STEP_BYTES (32u * 1024u)
#define BACKUP_NOMINAL_BYTES 2048u

enum backup_stage {
  BACKUP_WAIT, /* for a snapshot of the engine's own */
  BACKUP_WRITING,
  BACKUP_SYNC_FILE,
  BACKUP_SYNC_LOG,
  BACKUP_SYNC_NAME,
  BACKUP_DONE,
  BACKUP_FAILED
};

struct sync_backup {
  struct sync_engine *engine;    /* NULL: it is no more, or the backup is broken */
  const struct sync_env *memory; /* the engine's: where this block is from */
  const struct sync_env *to;
  enum backup_stage stage;
  int status; /* BACKUP_FAILED: why */
  struct snapshot_writer writer;
  struct engine_base base;
  uint64_t log_id;
  uint64_t token; /* of the fsync in flight; 0: none is */
  uint64_t last_token;
  sync_file log; /* the first file of its log, while that is made durable; -1 */
};

static void close_files(struct sync_backup *backup) {
  if (backup->stage == BACKUP_WRITING || backup->stage == BACKUP_SYNC_FILE) snapshot_writer_end(&backup->writer);
  if (backup->log >= 0) (void)file_io_close(backup->to, backup->log);
  backup->log = -1;
}

/* Nothing of it counts, and what there is of it is removed. */
static int fail(struct sync_backup *backup, int status) {
  close_files(backup);
  char name[SNAPSHOT_NAME_BYTES], log[WAL_NAME_BYTES];
  if (backup->base.id != 0 && backup->stage < BACKUP_SYNC_NAME) {
    base_name(name, backup->base.position, backup->base.id, true);
    (void)file_io_unlink(backup->to, name);
    wal_first_name(log, backup->base.position);
    (void)file_io_unlink(backup->to, log);
  }
  backup->stage = BACKUP_FAILED;
  backup->status = status;
  backup->token = 0;
  return status;
}

void backup_break(struct sync_engine *engine) {
  struct sync_backup *backup = engine->backup;
  engine->backup = NULL;
  if (backup == NULL) return;
  if (backup->stage == BACKUP_WAIT || backup->stage == BACKUP_WRITING) (void)fail(backup, SYNC_E_STALE);
  backup->engine = NULL;
}

static int ask(struct sync_backup *backup, enum backup_stage stage, sync_file file) {
  uint64_t token = backup->last_token + 1;
  int rc = file < 0 ? file_io_fsync_names(backup->to, token) : file_io_fsync(backup->to, file, token);
  if (rc != SYNC_OK) return fail(backup, rc);
  backup->token = backup->last_token = token;
  backup->stage = stage;
  return SYNC_OK;
}

/* --- Steps -------------------------------------------------------------------------- */

/* What a backup that was killed has left: a base that has no name yet, and perhaps the log that was begun for it. */
struct leftover {
  uint64_t position, id;         /* of the base; id 0: there is none */
  char log[SNAPSHOT_NAME_BYTES]; /* "": there is none */
};

/* 1: the directory is an engine's. */
static int take_name(void *arg, const char *name) {
  struct leftover *leftover = arg;
  uint64_t position = 0, id = 0;
  bool aside = false;
  if (base_name_parse(name, &position, &id, &aside)) {
    if (!aside || leftover->id != 0) return 1;
    leftover->position = position;
    leftover->id = id;
  } else if (wal_name_is_one(name)) {
    if (leftover->log[0] != '\0') return 1;
    memcpy(leftover->log, name, strlen(name) + 1);
  } else if (stage_name_parse(name, &id)) {
    return 1;
  }
  return 0;
}

/* Removes it, the base last: while that is there, it is known what the log is. */
static int remove_leftover(const struct sync_env *to, const struct leftover *leftover) {
  char name[SNAPSHOT_NAME_BYTES], log[WAL_NAME_BYTES];
  if (leftover->log[0] != '\0') {
    wal_first_name(log, leftover->position);
    if (leftover->id == 0 || leftover->position == 0 || strcmp(log, leftover->log) != 0) return SYNC_E_EXISTS;
    int rc = file_io_unlink(to, log);
    if (rc != SYNC_OK) return rc;
  }
  if (leftover->id == 0) return SYNC_OK;
  base_name(name, leftover->position, leftover->id, true);
  return file_io_unlink(to, name);
}

static bool backup_peer(void *arg, uint32_t handle, const uint8_t **id, size_t *size) {
  const struct sync_engine *engine = arg;
  const struct peer *peer = peer_at(&engine->peers, handle);
  *id = peer == NULL ? (const uint8_t *)"" : (const uint8_t *)peer->node_id;
  *size = peer == NULL ? 0 : peer->node_id_size;
  return handle < peer_handles(&engine->peers);
}

/* From here on it is of this instant. */
static int begin_writing(struct sync_backup *backup) {
  struct sync_engine *engine = backup->engine;
  backup->base.id = port_unique(engine->env);
  backup->base.position = wal_appended_position(engine->wal);
  backup->log_id = port_unique(engine->env);
  struct snapshot_order order = {.head = {.id = backup->base.id,
                                          .log_id = backup->log_id,
                                          .position = backup->base.position,
                                          .value_bytes_max = engine->options.value_bytes_max,
                                          .node_id = (const uint8_t *)engine->node_id,
                                          .node_id_size = strlen(engine->node_id)},
                                 .payload_bytes_max = engine->block_bytes_max,
                                 .peer = backup_peer,
                                 .arg = engine};
  memcpy(order.head.cluster_id, engine->options.cluster_id, sizeof order.head.cluster_id);
  base_name(order.name, backup->base.position, backup->base.id, true);
  int rc = snapshot_writer_begin(&backup->writer, backup->to, &engine->state, &order);
  if (rc != SYNC_OK) {
    backup->base.id = 0;
    return fail(backup, rc);
  }
  backup->stage = BACKUP_WRITING;
  return SYNC_OK;
}

static int write_on(struct sync_backup *backup) {
  bool done = false;
  int rc = snapshot_writer_step(&backup->writer, BACKUP_STEP_BYTES, &done);
  if (rc != SYNC_OK) return fail(backup, rc);
  return done ? ask(backup, BACKUP_SYNC_FILE, backup->writer.file) : SYNC_OK;
}

void backup_relieve(struct sync_engine *engine) {
  struct sync_backup *backup = engine->backup;
  if (backup == NULL || backup->stage != BACKUP_WRITING || !snapshot_writer_is_full(&backup->writer)) return;
  (void)write_on(backup); /* what it gives, the next step tells */
}

int sync_backup_step(struct sync_backup *backup, bool *done) {
  *done = backup->stage == BACKUP_DONE;
  if (backup->stage == BACKUP_FAILED) return backup->status;
  if (backup->stage == BACKUP_WAIT) {
    if (backup->engine->stopped != SYNC_OK) return fail(backup, backup->engine->stopped);
    return backup->engine->compaction.stage == COMPACTION_IDLE ? begin_writing(backup) : SYNC_OK;
  }
  return backup->stage == BACKUP_WRITING ? write_on(backup) : SYNC_OK;
}

/* --- Making it durable ----------------------------------------------------------------- */

/* A base is never without a log: its first file, empty. */
static int begin_log(struct sync_backup *backup) {
  struct sync_engine *engine = backup->engine;
  snapshot_writer_end(&backup->writer);
  backup->stage = BACKUP_SYNC_LOG;
  struct wal_options options = {.node_id = engine->node_id, .payload_bytes_max = engine->limits.bytes_max};
  memcpy(options.cluster_id, engine->options.cluster_id, sizeof options.cluster_id);
  options.base_position = backup->base.position;
  options.base_log_id = backup->log_id;
  int rc = wal_plant(backup->to, &options, &backup->log);
  return rc == SYNC_OK ? ask(backup, BACKUP_SYNC_LOG, backup->log) : fail(backup, rc);
}

static int name_it(struct sync_backup *backup) {
  char from[SNAPSHOT_NAME_BYTES], to[SNAPSHOT_NAME_BYTES];
  close_files(backup);
  base_name(from, backup->base.position, backup->base.id, true);
  base_name(to, backup->base.position, backup->base.id, false);
  int rc = file_io_rename(backup->to, from, to);
  return rc == SYNC_OK ? ask(backup, BACKUP_SYNC_NAME, -1) : fail(backup, rc);
}

int sync_backup_disk_done(struct sync_backup *backup, uint64_t token, int result) {
  if (token == 0 || token > backup->last_token) return SYNC_E_INVALID;
  if (token != backup->token) return SYNC_OK; /* it has failed meanwhile */
  backup->token = 0;
  if (result != SYNC_OK) return fail(backup, result);
  if (backup->stage == BACKUP_SYNC_FILE && backup->engine == NULL) return fail(backup, SYNC_E_STALE);
  if (backup->stage == BACKUP_SYNC_FILE) return begin_log(backup);
  if (backup->stage == BACKUP_SYNC_LOG) return name_it(backup);
  backup->stage = BACKUP_DONE;
  return SYNC_OK;
}

/* --- Beginning and end -------------------------------------------------------------------- */

int sync_backup_begin(struct sync_engine *engine, const struct sync_env *to, struct sync_backup **out) {
  *out = NULL;
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (engine->backup != NULL) return SYNC_E_TOO_MANY;
  struct leftover leftover = {0};
  int rc = file_io_list(to, take_name, &leftover);
  if (rc == SYNC_OK) rc = remove_leftover(to, &leftover);
  if (rc != SYNC_OK) return rc > 0 ? SYNC_E_EXISTS : rc;
  struct sync_backup *backup = memory_alloc_zero(engine->env, sizeof *backup, BACKUP_NOMINAL_BYTES);
  if (backup == NULL) return SYNC_E_NO_MEMORY;
  backup->engine = engine;
  backup->memory = engine->env;
  backup->to = to;
  backup->log = -1;
  engine->backup = backup;
  *out = backup;
  return SYNC_OK;
}

void sync_backup_end(struct sync_backup *backup) {
  if (backup == NULL) return;
  if (backup->stage < BACKUP_DONE) (void)fail(backup, SYNC_E_STALE);
  if (backup->engine != NULL) backup->engine->backup = NULL;
  memory_free(backup->memory, backup, sizeof *backup, BACKUP_NOMINAL_BYTES);
}
