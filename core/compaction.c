#include "core/compaction.h"

#include "core/base/file_io.h"
#include "core/bookmark.h"
#include "core/engine.h"

#define STEP_BYTES (32u * 1024u)               /* one step: as long as a batch of writes takes */
#define STEP_SPACING_NS UINT64_C(1000000)      /* so that at most 32 MB/s go to the disk for it */
#define RETRY_NS UINT64_C(1000000000)          /* after the first that was given up; then doubled, */
#define RETRY_DOUBLINGS 6u                     /* ... so often */
#define TRIM_FILES_MAX 4u                      /* of the log in one step */
#define TRIM_SPACING_NS UINT64_C(1000000000)   /* between two looks at what peers lack still */
#define PREVIOUS_KEPT_NS UINT64_C(30000000000) /* after a peer asked for a block of it last */
#define UNREAD_TRIES 4u                        /* of an operation, before a snapshot is taken in its place */
/* Every open that writes makes a file, however little it writes: a snapshot is taken after so many files, and so many
 * more than full ones are retained. */
#define LOG_FILES_MAX 128u
#define RETAINED_FILES_MORE 64u
#define LEFTOVERS_MAX 16u /* names removed in one pass */

/* --- Files -------------------------------------------------------------------------- */

static void remove_base(struct sync_engine *engine, const struct engine_base *base, bool aside) {
  char name[SNAPSHOT_NAME_BYTES];
  struct compaction *compaction = &engine->compaction;
  if (base->id == 0) return;
  if (!aside && compaction->serving >= 0 && compaction->serving_id == base->id) {
    (void)file_io_close(engine->env, compaction->serving);
    compaction->serving = -1;
  }
  base_name(name, base->position, base->id, aside);
  (void)engine_note(engine, file_io_unlink(engine->env, name)); /* otherwise a later pass finds it */
}

bool compaction_needs_stage(const struct sync_engine *engine, uint64_t id) {
  const struct engine_merge *merges = engine->merges.items;
  for (size_t i = 0; i < engine->merges.count; i++)
    if (merges[i].id == id) return true;
  return false;
}

bool compaction_is_proven(const struct sync_engine *engine) {
  return engine->compaction.base.id == 0 || engine->compaction.named;
}

struct leftovers {
  const struct sync_engine *engine;
  char names[LEFTOVERS_MAX][SNAPSHOT_NAME_BYTES];
  size_t count;
};

static int take_leftover(void *arg, const char *name) {
  struct leftovers *leftovers = arg;
  const struct sync_engine *engine = leftovers->engine;
  uint64_t position = 0, id = 0;
  /* The name of a base that was found at open may not be durable: then an older one, and what was merged since,
   * have to do in its place. */
  bool aside = false, needed, proven = compaction_is_proven(engine);
  if (base_name_parse(name, &position, &id, &aside))
    needed = aside ? engine->compaction.next.id == id : !proven || compaction_find(engine, id) != NULL;
  else if (stage_name_parse(name, &id))
    needed =
        !proven || compaction_needs_stage(engine, id) || (engine->fetch.stage != FETCH_IDLE && engine->fetch.id == id);
  else
    return 0;
  if (needed) return 0;
  memcpy(leftovers->names[leftovers->count++], name, strlen(name) + 1);
  return leftovers->count == LEFTOVERS_MAX ? 1 : 0;
}

/* Removes what crashes and failures have left. */
static void remove_leftovers(struct sync_engine *engine) {
  struct leftovers leftovers = {.engine = engine};
  const struct sync_env_ops *ops = engine->env->ops;
  if (engine_note(engine, ops->dir_list(engine->env->ctx, take_leftover, &leftovers)) < 0) return;
  for (size_t i = 0; i < leftovers.count; i++)
    (void)engine_note(engine, file_io_unlink(engine->env, leftovers.names[i]));
}

/* --- Which there are ------------------------------------------------------------------ */

const struct engine_base *compaction_find(const struct sync_engine *engine, uint64_t id) {
  if (id == 0) return NULL;
  if (engine->compaction.base.id == id) return &engine->compaction.base;
  return engine->compaction.previous.id == id ? &engine->compaction.previous : NULL;
}

/* Whether a peer is on its way through it; `sent`: or has come to its end, and may be merging it. */
static bool is_fetched(const struct sync_engine *engine, const struct engine_base *base, bool sent) {
  if (base->id == 0) return false;
  for (uint32_t i = 0; i < peer_handles(&engine->peers); i++) {
    const struct peer *peer = peer_at(&engine->peers, i);
    if (peer == NULL || peer->fetch_id != base->id) continue;
    uint64_t since = port_now(engine->env) - peer->fetch_asked_ns;
    bool ends = peer->fetch_sent >= base->size && !sent; /* what was lost is asked for again soon */
    uint64_t again_ns = engine->options.retry_interval_ns;
    if (since < (ends ? time_add(again_ns, again_ns) : PREVIOUS_KEPT_NS)) return true;
  }
  return false;
}

/* Whether the base has all that the log has no more. After a merge it takes another one. */
static bool base_covers_floors(const struct sync_engine *engine) {
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_at(&engine->state.origins, i);
    if (origin->floor > origin->based) return false;
  }
  return true;
}

const struct engine_base *compaction_offer(struct sync_engine *engine, const struct peer *peer) {
  struct compaction *compaction = &engine->compaction;
  if (!peer->behind || peer->offer_due_ns != SYNC_NO_DEADLINE) return NULL;
  if (compaction->base.id == 0 || compaction->unreadable || !base_covers_floors(engine)) {
    if (compaction->stage == COMPACTION_IDLE) compaction_want(engine); /* else the one in the making will do */
    return NULL;
  }
  /* One that is on its way goes on. */
  bool goes_on = compaction->previous.id != 0 && peer->fetch_id == compaction->previous.id &&
                 peer->fetch_sent < compaction->previous.size;
  return goes_on ? &compaction->previous : &compaction->base;
}

/* --- Trimming the log -------------------------------------------------------------------- */

/* Takes away what is in the base and what no peer lacks, or what is too much. */
static void trim(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  if (!compaction->named) return; /* found at open: nothing proves that its name is on the disk */
  struct oplog *oplog = &engine->state.oplog;
  compaction->trimmed_ns = port_now(engine->env);
  uint64_t cut = compaction->base.position;
  /* Who has fetched the one before goes on with operations. */
  if (is_fetched(engine, &compaction->previous, true) && compaction->previous.position < cut)
    cut = compaction->previous.position;
  uint64_t needed = peers_needed(&engine->peers);
  if (needed < oplog_end(oplog) && oplog_at(oplog, needed)->position < cut) cut = oplog_at(oplog, needed)->position;
  uint64_t retain = engine->options.retain_bytes;
  uint64_t kept = compaction->base.position > retain ? compaction->base.position - retain : 0;
  uint64_t files = retain / engine->options.segment_bytes + RETAINED_FILES_MORE;
  uint64_t few = wal_files_before(engine->wal, compaction->base.position, files < SIZE_MAX ? (size_t)files : SIZE_MAX);
  if (kept < few) kept = few;
  if (cut < kept) cut = kept;
  cut = wal_trim_point(engine->wal, cut);
  uint64_t before = wal_first_position(engine->wal), first = before;
  compaction->trims_on = false;
  if (cut <= before) return;
  (void)engine_note(engine, wal_trim(engine->wal, cut, TRIM_FILES_MAX, &first));
  if (first == before) return;
  compaction->trims_on = first < cut;
  const struct oplog_entry *entry = oplog_from(oplog, first);
  uint64_t ordinal = entry == NULL ? oplog_end(oplog) : oplog_ordinal(oplog, entry);
  if (ordinal > oplog->durable) ordinal = oplog->durable;
  if (ordinal > oplog->base) {
    entry = oplog_at(oplog, ordinal - 1);
    bookmark_gap(engine, oplog_entry_end(entry), bookmark_tag(entry));
  }
  oplog_trim(oplog, ordinal);
  peers_trimmed(&engine->peers);
  PORT_TRACE(engine->env, SYNC_TRACE_TRIM, first);
}

static uint64_t trim_due(const struct compaction *compaction) {
  return time_add(compaction->trimmed_ns, compaction->trims_on ? STEP_SPACING_NS : TRIM_SPACING_NS);
}

static void trim_when_due(struct sync_engine *engine) {
  const struct compaction *compaction = &engine->compaction;
  if (compaction->base.id == 0 || wal_first_position(engine->wal) >= compaction->base.position) return;
  if (port_now(engine->env) >= trim_due(compaction)) trim(engine);
}

/* --- A snapshot in the making --------------------------------------------------------------- */

void compaction_want(struct sync_engine *engine) {
  engine->compaction.wanted = true;
}

int sync_snapshot(struct sync_engine *engine) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  compaction_want(engine);
  return SYNC_OK;
}

void compaction_unread(struct sync_engine *engine, const struct oplog_entry *entry, int status) {
  struct compaction *compaction = &engine->compaction;
  compaction->unread_tries = entry->position == compaction->unread_position ? compaction->unread_tries + 1 : 1;
  compaction->unread_position = entry->position;
  /* An error may pass. */
  if (status != SYNC_E_DAMAGED && (status != SYNC_E_IO || compaction->unread_tries < UNREAD_TRIES)) return;
  oplog_give_up(entry);
  bookmark_gap(engine, oplog_entry_end(entry), bookmark_tag(entry));
  compaction_want(engine);
  peers_judge_behind(&engine->peers);
}

/* Also by files: an open reads each. */
static bool is_grown(const struct sync_engine *engine) {
  const struct compaction *compaction = &engine->compaction;
  if (engine->options.snapshot_bytes == UINT64_MAX) return false; /* only when asked */
  if (wal_files_behind(engine->wal, compaction->base.position) > LOG_FILES_MAX) return true;
  uint64_t grown = wal_appended_position(engine->wal) - compaction->base.position;
  return grown >= engine->options.snapshot_bytes && grown >= compaction->base.size / 2;
}

/* Whether there is anything that the base has not, or is not known to have. */
static bool is_news(const struct sync_engine *engine) {
  const struct compaction *compaction = &engine->compaction;
  return compaction->base.id == 0 || compaction->unreadable || !compaction->named ||
         wal_appended_position(engine->wal) > compaction->base.position;
}

static bool wants_one(const struct sync_engine *engine) {
  return engine->backup == NULL && (engine->compaction.wanted || is_grown(engine)) && is_news(engine);
}

static void abandon(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  if (compaction->stage == COMPACTION_IDLE) return;
  if (compaction->stage <= COMPACTION_SYNC_FILE) snapshot_writer_end(&compaction->writer);
  /* Under the name that counts it stays, and the next open may begin with it. */
  if (compaction->stage < COMPACTION_SYNC_NAME) remove_base(engine, &compaction->next, true);
  compaction->stage = COMPACTION_IDLE;
  compaction->next.id = 0;
  compaction->token = 0;
}

void compaction_break(struct sync_engine *engine) {
  if (engine->compaction.stage == COMPACTION_WRITING) abandon(engine);
}

static void give_up(struct sync_engine *engine, int status) {
  struct compaction *compaction = &engine->compaction;
  if (engine_note(engine, status) == SYNC_E_POWERED_OFF) return;
  PORT_TRACE(engine->env, SYNC_TRACE_SNAPSHOT_FAIL, (uint64_t)(int64_t)status, compaction->next.id);
  abandon(engine);
  engine->stats.snapshots_failed++;
  compaction->wanted = true;
  uint64_t wait_ns = RETRY_NS << compaction->failures;
  if (compaction->failures < RETRY_DOUBLINGS) compaction->failures++;
  compaction->due_ns = time_add(port_now(engine->env), wait_ns);
}

static bool peer_id(void *arg, uint32_t handle, const uint8_t **id, size_t *size) {
  const struct sync_engine *engine = arg;
  const struct peer *peer = peer_at(&engine->peers, handle);
  *id = peer == NULL ? (const uint8_t *)"" : (const uint8_t *)peer->node_id;
  *size = peer == NULL ? 0 : peer->node_id_size;
  return handle < peer_handles(&engine->peers);
}

static int begin(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  remove_leftovers(engine);
  if (engine->stopped != SYNC_OK) return engine->stopped;
  compaction->next =
      (struct engine_base){.id = port_unique(engine->env), .position = wal_appended_position(engine->wal)};
  struct snapshot_order order = {.head = {.id = compaction->next.id,
                                          .log_id = wal_id(engine->wal),
                                          .position = compaction->next.position,
                                          .value_bytes_max = engine->options.value_bytes_max,
                                          .node_id = (const uint8_t *)engine->node_id,
                                          .node_id_size = strlen(engine->node_id)},
                                 .payload_bytes_max = engine->block_bytes_max,
                                 .peer = peer_id,
                                 .arg = engine};
  memcpy(order.head.cluster_id, engine->options.cluster_id, sizeof order.head.cluster_id);
  base_name(order.name, compaction->next.position, compaction->next.id, true);
  int rc = snapshot_writer_begin(&compaction->writer, engine->env, &engine->state, &order);
  if (rc != SYNC_OK) return rc;
  compaction->stage = COMPACTION_WRITING;
  compaction->wanted = false;
  engine_commit_soon(engine); /* it counts only when the log is durable up to there */
  return SYNC_OK;
}

/* Asks for an fsync, of the file or of the directory (-1). What is refused is given up: another file is made then. */
static int ask(struct sync_engine *engine, enum compaction_stage stage, sync_file file) {
  uint64_t token = engine->token + 1;
  engine->compaction.names = wal_names(engine->wal);
  int rc = file < 0 ? file_io_fsync_names(engine->env, token) : file_io_fsync(engine->env, file, token);
  if (rc != SYNC_OK) return rc;
  engine->compaction.token = ++engine->token;
  engine->compaction.stage = stage;
  return SYNC_OK;
}

static int write_on(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  bool done = false;
  int rc = snapshot_writer_step(&compaction->writer, STEP_BYTES, &done);
  compaction->due_ns = time_add(port_now(engine->env), STEP_SPACING_NS);
  if (rc != SYNC_OK || !done) return rc;
  compaction->next.size = compaction->writer.written;
  compaction->next.sum = compaction->writer.end.sum;
  return ask(engine, COMPACTION_SYNC_FILE, compaction->writer.file);
}

static int name_it(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  char from[SNAPSHOT_NAME_BYTES], to[SNAPSHOT_NAME_BYTES];
  base_name(from, compaction->next.position, compaction->next.id, true);
  base_name(to, compaction->next.position, compaction->next.id, false);
  int rc = file_io_rename(engine->env, from, to);
  return rc == SYNC_OK ? ask(engine, COMPACTION_SYNC_NAME, -1) : rc;
}

static int step(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  if (compaction->stage == COMPACTION_IDLE) return wants_one(engine) ? begin(engine) : SYNC_OK;
  if (compaction->stage == COMPACTION_WRITING) return write_on(engine);
  if (compaction->stage != COMPACTION_WAIT) return SYNC_OK;
  return wal_durable_position(engine->wal) >= compaction->next.position ? name_it(engine) : SYNC_OK;
}

/* Whether there is a step that may be due: else the clock need not be read. */
static bool acts(const struct sync_engine *engine) {
  const struct compaction *compaction = &engine->compaction;
  return compaction->stage == COMPACTION_WRITING || (compaction->stage == COMPACTION_IDLE && wants_one(engine));
}

int compaction_step(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  if (engine->stopped != SYNC_OK) return engine->stopped;
  bool waits = compaction->stage == COMPACTION_WAIT;
  if (waits || (acts(engine) && compaction->due_ns <= port_now(engine->env))) {
    int rc = step(engine);
    if (rc != SYNC_OK) give_up(engine, rc);
  }
  return engine->stopped;
}

int compaction_run(struct sync_engine *engine) {
  if (compaction_step(engine) == SYNC_OK) trim_when_due(engine);
  return engine->stopped;
}

uint64_t compaction_deadline(const struct sync_engine *engine) {
  const struct compaction *compaction = &engine->compaction;
  uint64_t due_ns = acts(engine) ? compaction->due_ns : SYNC_NO_DEADLINE;
  return compaction->trims_on && trim_due(compaction) < due_ns ? trim_due(compaction) : due_ns;
}

void compaction_relieve(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  if (compaction->stage != COMPACTION_WRITING || !snapshot_writer_is_full(&compaction->writer)) return;
  int rc = write_on(engine);
  if (rc != SYNC_OK) give_up(engine, rc);
}

/* --- The next base ----------------------------------------------------------------------- */

static void forget_merges(struct sync_engine *engine) {
  struct engine_merge *merges = engine->merges.items;
  size_t kept = 0;
  for (size_t i = 0; i < engine->merges.count; i++)
    if (merges[i].end > engine->compaction.base.position) merges[kept++] = merges[i];
  engine->merges.count = kept;
}

static void adopt(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  struct engine_base last = compaction->base;
  /* One at most is kept for those that are on their way through it, and that until they are done: were it always the
   * last, no transfer that takes longer than two snapshots would ever end. */
  bool goes_on = is_fetched(engine, &compaction->previous, false);
  bool fetched = !goes_on && !compaction->unreadable && is_fetched(engine, &last, true);
  if (!goes_on) {
    remove_base(engine, &compaction->previous, false);
    compaction->previous.id = 0;
  }
  compaction->base = compaction->next;
  compaction->named = true;
  compaction->next.id = 0;
  compaction->stage = COMPACTION_IDLE;
  compaction->failures = 0;
  compaction->unreadable = false;
  if (fetched)
    compaction->previous = last;
  else
    remove_base(engine, &last, false);
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    struct origin *origin = origins_at(&engine->state.origins, i);
    origin->based = origin->saving;
  }
  engine->stats.snapshots++;
  PORT_TRACE(engine->env, SYNC_TRACE_SNAPSHOT, compaction->base.position, compaction->base.id, compaction->base.size);
  forget_merges(engine);
  if (engine->stopped != SYNC_OK) return;
  remove_leftovers(engine);
  if (engine->stopped == SYNC_OK) trim(engine);
  peers_judge_behind(&engine->peers);
}

int compaction_disk_done(struct sync_engine *engine, int result) {
  struct compaction *compaction = &engine->compaction;
  compaction->token = 0;
  if (result != SYNC_OK) return engine_note(engine, SYNC_E_FAILED);
  if (compaction->stage == COMPACTION_SYNC_FILE) {
    snapshot_writer_end(&compaction->writer);
    compaction->stage = COMPACTION_WAIT;
    return compaction_run(engine);
  }
  if (compaction->stage == COMPACTION_SYNC_NAME) {
    wal_names_durable(engine->wal, compaction->names);
    adopt(engine);
  }
  return engine->stopped;
}

void compaction_end(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  if (compaction->stage == COMPACTION_WRITING || compaction->stage == COMPACTION_SYNC_FILE)
    snapshot_writer_end(&compaction->writer);
  if (compaction->serving >= 0) (void)file_io_close(engine->env, compaction->serving);
}

/* --- At open -------------------------------------------------------------------------------- */

static int take_newest(void *arg, const char *name) {
  struct engine_base *newest = arg;
  uint64_t position = 0, id = 0;
  bool aside = false;
  if (!base_name_parse(name, &position, &id, &aside) || aside) return 0;
  if (newest->id != 0 && position < newest->position) return 0;
  newest->id = id;
  newest->position = position;
  return 0;
}

static int load_peer(void *arg, const uint8_t *id, size_t size) {
  struct sync_engine *engine = arg;
  int rc = peer_reserve(&engine->peers);
  if (rc == SYNC_OK) peer_insert_next(&engine->peers, id, size);
  return rc;
}

static int load_newest(struct sync_engine *engine) {
  struct compaction *compaction = &engine->compaction;
  compaction->serving = -1;
  int rc = SYNC_E_INTERRUPTED;
  for (unsigned tries = 0; rc == SYNC_E_INTERRUPTED && tries < FILE_IO_INTERRUPTS_MAX; tries++)
    rc = engine->env->ops->dir_list(engine->env->ctx, take_newest, &compaction->base);
  if (rc != SYNC_OK || compaction->base.id == 0) return rc;
  char name[SNAPSHOT_NAME_BYTES];
  base_name(name, compaction->base.position, compaction->base.id, false);
  struct merge merge;
  struct merge_source source = {.env = engine->env,
                                .name = name,
                                .id = compaction->base.id,
                                .node_id = engine->node_id,
                                .value_bytes_max = engine->options.value_bytes_max,
                                .payload_bytes_max = engine->block_bytes_max,
                                .peer = load_peer,
                                .arg = engine};
  memcpy(source.cluster_id, engine->options.cluster_id, sizeof source.cluster_id);
  rc = merge_plan(&merge, &engine->state, &source);
  if (rc != SYNC_OK) return rc == SYNC_E_CORRUPT || rc == SYNC_E_NOT_FOUND ? SYNC_E_DAMAGED : rc;
  compaction->base.size = merge.size;
  compaction->base.sum = merge.sum;
  engine->index_end = compaction->base.position;
  uint64_t log_id = merge.head.log_id;
  merge_commit(&merge, compaction->base.position);
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    struct origin *origin = origins_at(&engine->state.origins, i);
    origin->based = origin->applied;
  }
  compaction->base_log_id = log_id;
  return SYNC_OK;
}

/* Puts a base that cannot be loaded aside, as the log's repair does with segments. */
static int put_aside(struct sync_engine *engine) {
  char name[SNAPSHOT_NAME_BYTES], bad[WAL_BAD_NAME_BYTES];
  base_name(name, engine->compaction.base.position, engine->compaction.base.id, false);
  wal_bad_name(bad, name, port_unique(engine->env));
  peers_reset(&engine->peers);
  memset(&engine->compaction.base, 0, sizeof engine->compaction.base);
  return file_io_rename(engine->env, name, bad);
}

int compaction_load(struct sync_engine *engine, bool repairs, bool *repaired) {
  for (;;) {
    int rc = load_newest(engine);
    if (!repairs || (rc != SYNC_E_DAMAGED && rc != SYNC_E_IO) || engine->compaction.base.id == 0) return rc;
    *repaired = true;
    rc = put_aside(engine);
    if (rc != SYNC_OK) return rc;
  }
}
