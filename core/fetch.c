#include "core/fetch.h"

#include "core/backup.h"
#include "core/base/file_io.h"
#include "core/bookmark.h"
#include "core/compaction.h"
#include "core/engine.h"

#define WINDOW_BYTES (256u * 1024u)         /* asked for at once */
#define LOST_SPACING_NS UINT64_C(100000000) /* between two requests to send again */
#define MERGE_RETRY_NS UINT64_C(1000000000) /* the first; then doubled, */
#define MERGE_RETRY_DOUBLINGS 4u            /* ... so often */
#define MERGE_PAYLOAD_BYTES 24u
#define CHECK_BLOCKS 4u /* of what an earlier run left, read in one step */
/* A snapshot is shorter than what it nominally takes in the store, but for its origins. */
#define ORIGINS_BYTES_MAX (16u * 1024u * 1024u)

static uint64_t size_max(const struct sync_engine *engine) {
  return time_add(engine->options.store_bytes_max, ORIGINS_BYTES_MAX);
}

static void begin_file(struct sync_engine *engine, char name[SNAPSHOT_NAME_BYTES]) {
  stage_name(name, engine->fetch.id);
}

/* Removes what a try has left, unless recovery may need it. */
static void remove_stage(struct sync_engine *engine, uint64_t id) {
  char name[SNAPSHOT_NAME_BYTES];
  stage_name(name, id);
  bool needed = id == 0 || !compaction_is_proven(engine) || compaction_needs_stage(engine, id);
  if (!needed) (void)engine_note(engine, file_io_unlink(engine->env, name));
}

/* Ends it. What is there stays, for the next try; `remove`: it does not. */
static void stop(struct sync_engine *engine, bool remove) {
  struct fetch *fetch = &engine->fetch;
  if (fetch->stage == FETCH_IDLE) return;
  if (fetch->stage == FETCH_CHECKING) snapshot_reader_close(&fetch->reader);
  if (fetch->file >= 0) (void)file_io_close(engine->env, fetch->file);
  fetch->file = -1;
  fetch->stage = FETCH_IDLE;
  fetch->ask = fetch->gap = false;
  fetch->token = 0;
  if (remove) remove_stage(engine, fetch->id);
}

/* Another one begins: of those that were left unfinished in this life the last one stays. */
static void keep_one(struct sync_engine *engine, uint64_t next) {
  struct fetch *fetch = &engine->fetch;
  uint64_t last = fetch->id;
  if (last == 0 || last == next || last == fetch->done_id || last == fetch->left_id) return;
  uint64_t gone = fetch->left_id;
  fetch->left_id = last;
  if (gone != next) remove_stage(engine, gone);
}

/* Gives up, and takes no offer for a while. */
static void give_up(struct sync_engine *engine, int status) {
  if (engine_note(engine, status) == SYNC_E_POWERED_OFF || engine->stopped != SYNC_OK) return;
  PORT_TRACE(engine->env, SYNC_TRACE_REFUSED, (uint64_t)(int64_t)status, FRAME_BLOCK);
  /* Where there is no room for all of it, none is kept from the log. */
  bool full = status == SYNC_E_NO_SPACE;
  uint64_t wait_ns = full ? engine->options.probe_interval_ns : engine->options.retry_interval_ns;
  engine->fetch.refused_until_ns = time_add(port_now(engine->env), wait_ns);
  stop(engine, full);
}

/* It is no snapshot, or not one for us. */
static void refuse(struct sync_engine *engine, int status) {
  struct fetch *fetch = &engine->fetch;
  engine->stats.merges_refused++;
  fetch->bad_id = fetch->id;
  PORT_TRACE(engine->env, SYNC_TRACE_REFUSED, (uint64_t)(int64_t)status, FRAME_BLOCK);
  fetch->refused_until_ns = time_add(port_now(engine->env), engine->options.retry_interval_ns);
  struct peer *peer = peer_at(&engine->peers, fetch->peer);
  if (status == SYNC_E_ID_CONFLICT) engine->stats.id_conflicts++;
  if (peer != NULL) peer_park(&engine->peers, peer, port_now(engine->env));
  stop(engine, true);
}

/* --- Merging ------------------------------------------------------------------------ */

static struct merge_source source_of(const struct sync_engine *engine, const char *name, uint64_t id) {
  struct merge_source source = {.env = engine->env,
                                .name = name,
                                .id = id,
                                .value_bytes_max = engine->options.value_bytes_max,
                                .payload_bytes_max = engine->block_bytes_max,
                                .own = engine->own};
  memcpy(source.cluster_id, engine->options.cluster_id, sizeof source.cluster_id);
  return source;
}

static int reserve_merge(struct sync_engine *engine) {
  return memory_array_reserve(engine->env, &engine->merges, sizeof(struct engine_merge), 16, engine->merges.count + 1,
                              UINT32_MAX);
}

static void note_merge(struct sync_engine *engine, uint64_t id, uint64_t end) {
  bookmark_gap(engine, end, bookmark_snapshot_tag(id));
  ((struct engine_merge *)engine->merges.items)[engine->merges.count++] = (struct engine_merge){.id = id, .end = end};
}

/* Who sent it holds it, in the session in which it offered it: that need not go back. */
static void note_sender(struct sync_engine *engine, const struct merge *merge) {
  const struct fetch *fetch = &engine->fetch;
  struct peer *peer = peer_at(&engine->peers, fetch->peer);
  if (peer == NULL || fetch->session == 0 || peer->known_session != fetch->session) return;
  if (vector_reserve(engine->env, &peer->known, origins_count(&engine->state.origins)) != SYNC_OK) return;
  const struct merge_origin *origins = merge->origins.items;
  for (size_t i = 0; i < merge->origins.count; i++)
    (void)vector_raise(&peer->known, origins[i].origin->index, origins[i].seq);
}

/* It offers what is held here: perhaps it cannot tell what the lives that a HELLO leaves out imply. */
static void tell_all(struct peer *peer) {
  peer_greet_soon(peer);
  peer->list_all = true;
}

/* Appends the record and applies: both or neither. */
static int merge_now(struct sync_engine *engine, struct merge *merge) {
  struct fetch *fetch = &engine->fetch;
  uint8_t payload[MERGE_PAYLOAD_BYTES];
  bytes_put_u64(payload, fetch->id);
  bytes_put_u64(payload + 8, merge->size);
  bytes_put_u64(payload + 16, merge->sum);
  uint64_t position = 0, end = 0;
  int rc = reserve_merge(engine);
  if (rc == SYNC_OK) rc = engine_append(engine, WAL_MERGE, payload, sizeof payload, &position, &end);
  if (rc != SYNC_OK) {
    merge_cancel(merge);
    return rc;
  }
  note_sender(engine, merge);
  compaction_break(engine);
  backup_break(engine);
  merge_commit(merge, end);
  note_merge(engine, fetch->id, end);
  fetch->done_id = fetch->id;
  engine->stats.merges++;
  PORT_TRACE(engine->env, SYNC_TRACE_MERGE, fetch->id, end, fetch->peer);
  /* What came of it is news to every peer, once it is durable: some are just sending it. */
  for (uint32_t handle = 0; handle < peer_handles(&engine->peers); handle++) {
    struct peer *peer = peer_at(&engine->peers, handle);
    if (peer == NULL) continue;
    if (peer->ack_first == 0) peer->ack_first = end;
    if (peer->ack_last < end) peer->ack_last = end;
  }
  stop(engine, false);
  peers_ask(&engine->peers);
  compaction_want(engine); /* so that its file may go, and what the log never had can be sent on */
  engine_commit_soon(engine);
  return SYNC_OK;
}

static bool is_passing(int status) {
  return status == SYNC_E_NO_MEMORY || status == SYNC_E_NO_SPACE || status == SYNC_E_FULL ||
         status == SYNC_E_TOO_MANY || status == SYNC_E_IO;
}

static void merge(struct sync_engine *engine) {
  struct fetch *fetch = &engine->fetch;
  char name[SNAPSHOT_NAME_BYTES];
  begin_file(engine, name);
  struct merge merge;
  struct merge_source source = source_of(engine, name, fetch->id);
  source.size = fetch->size;
  /* Twice: nodes that have not heard of each other may each have begun as many as it allows. */
  source.origins_max = 2 * (size_t)engine->options.origins_max;
  int rc = merge_plan(&merge, &engine->state, &source);
  if (rc == SYNC_E_DAMAGED || rc == SYNC_E_NOT_FOUND || rc == SYNC_E_IO) {
    give_up(engine, rc); /* our own disk: the next try fetches again from where it is whole */
    return;
  }
  if (rc == SYNC_OK && merge.news == 0) {
    merge_cancel(&merge);
    struct peer *peer = peer_at(&engine->peers, fetch->peer);
    fetch->done_id = fetch->id;
    if (peer != NULL) tell_all(peer);
    stop(engine, true);
    return;
  }
  if (rc == SYNC_OK) rc = merge_now(engine, &merge);
  if (rc == SYNC_OK || engine_note(engine, rc) == SYNC_E_POWERED_OFF || engine->stopped != SYNC_OK) return;
  if (!is_passing(rc)) {
    refuse(engine, rc);
    return;
  }
  if (rc == SYNC_E_FULL || rc == SYNC_E_NO_SPACE) {
    if (!engine->stats.full) peers_greet(&engine->peers);
    engine->stats.full = true;
  }
  fetch->stage = FETCH_MERGE;
  /* All of it is read again then: at the store's bound not that often. */
  uint64_t wait_ns = MERGE_RETRY_NS << (rc == SYNC_E_FULL ? fetch->tries : 0);
  if (fetch->tries < MERGE_RETRY_DOUBLINGS) fetch->tries++;
  fetch->due_ns = time_add(port_now(engine->env), wait_ns);
}

int fetch_replay(struct sync_engine *engine, const uint8_t *payload, size_t size, uint64_t end) {
  if (size != MERGE_PAYLOAD_BYTES) return SYNC_E_DAMAGED;
  uint64_t id = bytes_get_u64(payload);
  char name[SNAPSHOT_NAME_BYTES];
  stage_name(name, id);
  struct merge merge;
  struct merge_source source = source_of(engine, name, id);
  source.size = bytes_get_u64(payload + 8);
  source.sum = bytes_get_u64(payload + 16);
  int rc = reserve_merge(engine);
  if (rc == SYNC_OK) rc = merge_plan(&merge, &engine->state, &source);
  if (rc == SYNC_E_NOT_FOUND || rc == SYNC_E_CORRUPT || rc == SYNC_E_ID_CONFLICT) return SYNC_E_DAMAGED;
  if (rc != SYNC_OK) return rc;
  merge_commit(&merge, end);
  note_merge(engine, id, end);
  engine->compaction.wanted = true;
  return SYNC_OK;
}

/* --- The file -------------------------------------------------------------------------- */

static void ask_again(struct sync_engine *engine, bool lost) {
  struct fetch *fetch = &engine->fetch;
  fetch->ask = true;
  fetch->restart = lost;
  fetch->gap = false;
  fetch->due_ns = time_add(port_now(engine->env), engine->options.retry_interval_ns);
}

/* All of it is there: it is made durable before the log may name it. */
static int complete(struct sync_engine *engine) {
  struct fetch *fetch = &engine->fetch;
  fetch->ask = false;
  int rc = file_io_fsync(engine->env, fetch->file, engine->token + 1);
  if (rc != SYNC_OK) return rc;
  fetch->token = ++engine->token;
  fetch->stage = FETCH_SYNC_FILE;
  return SYNC_OK;
}

/* Opens the file anew. */
static int reopen(struct sync_engine *engine, uint32_t flags) {
  struct fetch *fetch = &engine->fetch;
  char name[SNAPSHOT_NAME_BYTES];
  begin_file(engine, name);
  if (fetch->file >= 0) (void)file_io_close(engine->env, fetch->file);
  fetch->file = -1;
  return file_io_open(engine->env, name, SYNC_OPEN_CREATE | flags, &fetch->file);
}

/* Writes on behind what is there and whole. */
static int write_on(struct sync_engine *engine) {
  struct fetch *fetch = &engine->fetch;
  int rc = fetch->have == 0 ? reopen(engine, SYNC_OPEN_TRUNCATE) : SYNC_OK;
  if (rc != SYNC_OK) return rc;
  fetch->stage = FETCH_BLOCKS;
  fetch->asked = fetch->have;
  if (fetch->have == fetch->size) return complete(engine);
  ask_again(engine, true);
  return SYNC_OK;
}

/* Reads some of what an earlier try has left, and writes it again: after an fsync that failed, what can be read need
 * not be what the disk will ever hold, and the next fsync would not say so. */
static int check_some(struct sync_engine *engine) {
  struct fetch *fetch = &engine->fetch;
  for (unsigned i = 0; i < CHECK_BLOCKS; i++) {
    struct block block;
    const uint8_t *bytes = NULL;
    int rc = snapshot_reader_next(&fetch->reader, &block, &bytes);
    if (rc == SYNC_E_POWERED_OFF) return rc;
    if (rc == SYNC_OK && fetch->reader.offset <= fetch->size) {
      size_t whole = BLOCK_HEADER_BYTES + (size_t)block.size;
      rc = file_io_write(engine->env, fetch->file, fetch->reader.offset - whole, bytes, whole);
      if (rc != SYNC_OK) return rc;
      continue;
    }
    if (rc != SYNC_OK) fetch->have = fetch->reader.offset;
    if (fetch->have > fetch->size) fetch->have = 0;
    snapshot_reader_close(&fetch->reader);
    fetch->stage = FETCH_BLOCKS;
    /* A peer that says another length must not take away what recovery may need. */
    if (fetch->have == 0 && !compaction_is_proven(engine)) {
      compaction_want(engine); /* of our own: behind it nothing else is needed */
      return SYNC_E_CORRUPT;
    }
    return write_on(engine);
  }
  fetch->due_ns = port_now(engine->env);
  return SYNC_OK;
}

static int begin(struct sync_engine *engine) {
  struct fetch *fetch = &engine->fetch;
  char name[SNAPSHOT_NAME_BYTES];
  begin_file(engine, name);
  fetch->have = 0;
  int rc = snapshot_reader_open(&fetch->reader, engine->env, name, fetch->id, engine->block_bytes_max);
  if (rc == SYNC_E_NOT_FOUND) return write_on(engine);
  if (rc != SYNC_OK) return rc;
  fetch->stage = FETCH_CHECKING;
  fetch->due_ns = port_now(engine->env);
  return reopen(engine, 0);
}

void fetch_offered(struct sync_engine *engine, struct peer *peer, uint64_t session, uint64_t id, uint64_t size) {
  struct fetch *fetch = &engine->fetch;
  if (peer->held) return; /* it could not be asked for it */
  if (id == fetch->done_id) tell_all(peer);
  if (size > size_max(engine)) {
    engine->stats.merges_refused++;
    PORT_TRACE(engine->env, SYNC_TRACE_REFUSED, (uint64_t)(int64_t)SYNC_E_FULL, FRAME_HELLO);
  }
  if (id == fetch->done_id || id == fetch->bad_id || size > size_max(engine) || compaction_needs_stage(engine, id))
    return;
  if (port_now(engine->env) < fetch->refused_until_ns || engine->stopped != SYNC_OK) return;
  if (fetch->stage != FETCH_IDLE) {
    /* An offer that comes late says nothing: blocks do. Where none come, another one is taken: of the same peer, that
     * has the first no more, or of one that may be nearer. */
    bool same = fetch->peer == peer->handle;
    bool stuck = fetch->stage == FETCH_BLOCKS && fetch->tries > (same ? 0 : 1);
    if (!stuck || (same && fetch->id == id)) return;
    stop(engine, same);
    if (engine->stopped != SYNC_OK) return;
  }
  keep_one(engine, id);
  /* A peer whose blocks do not come gets no more tries by taking snapshots. */
  if (fetch->peer != peer->handle || fetch->tries > engine->options.max_retries) fetch->tries = 0;
  fetch->peer = peer->handle;
  fetch->session = session;
  fetch->id = id;
  fetch->size = size;
  fetch->file = -1;
  fetch->stage = FETCH_BLOCKS;
  int rc = begin(engine);
  if (rc != SYNC_OK) give_up(engine, rc);
}

int fetch_block(struct sync_engine *engine, struct peer *peer, const struct block_frame *frame) {
  struct fetch *fetch = &engine->fetch;
  if (fetch->stage != FETCH_BLOCKS || fetch->peer != peer->handle || fetch->id != frame->id) return SYNC_OK;
  if (frame->size != fetch->size || frame->offset < fetch->have) return SYNC_OK;
  if (frame->offset > fetch->have) {
    bool spaced = port_now(engine->env) - fetch->asked_ns >= LOST_SPACING_NS;
    if (fetch->ask || fetch->gap) return SYNC_OK;
    if (spaced) {
      ask_again(engine, true);
    } else { /* it is not forgotten: perhaps nothing else comes */
      fetch->gap = true;
      fetch->due_ns = time_add(fetch->asked_ns, LOST_SPACING_NS);
    }
    return SYNC_OK;
  }
  struct block block;
  if (frame->bytes_size < BLOCK_HEADER_BYTES || !block_peek(frame->bytes, engine->block_bytes_max, &block))
    return SYNC_E_CORRUPT;
  if (frame->bytes_size != BLOCK_HEADER_BYTES + (size_t)block.size) return SYNC_E_CORRUPT;
  if (!block_verify(frame->bytes, &block, frame->id, frame->offset)) return SYNC_E_CORRUPT;
  int rc = file_io_write(engine->env, fetch->file, fetch->have, frame->bytes, frame->bytes_size);
  if (rc == SYNC_OK) {
    engine->stats.blocks_in++;
    fetch->have += frame->bytes_size;
    fetch->tries = 0;
    if (!fetch->gap) fetch->due_ns = time_add(port_now(engine->env), engine->options.retry_interval_ns);
    if (fetch->have == fetch->size)
      rc = complete(engine);
    else if (fetch->have - fetch->asked >= WINDOW_BYTES / 2 && !fetch->gap)
      ask_again(engine, false);
  }
  if (rc == SYNC_OK) return SYNC_OK;
  give_up(engine, rc);
  return rc;
}

bool fetch_asks(const struct sync_engine *engine, const struct peer *peer) {
  return engine->fetch.ask && engine->fetch.peer == peer->handle;
}

size_t fetch_frame(struct sync_engine *engine, void *buffer) {
  struct fetch *fetch = &engine->fetch;
  struct bytes_writer writer = frame_begin(buffer, engine->frame_bytes_max - FRAME_TRAILER_BYTES);
  struct fetch_request request = {.id = fetch->id,
                                  .offset = fetch->have,
                                  .until = fetch->have + WINDOW_BYTES,
                                  .flags = fetch->restart ? FETCH_FLAG_LOST : 0};
  fetch_write(&writer, &request);
  PORT_TRACE(engine->env, SYNC_TRACE_FETCH, fetch->peer, fetch->id, fetch->have, fetch->restart ? 1 : 0);
  fetch->ask = false;
  fetch->asked = fetch->have;
  fetch->asked_ns = port_now(engine->env);
  return frame_finish(&writer, FRAME_FETCH, engine->options.cluster_id);
}

void fetch_peer_gone(struct sync_engine *engine, uint32_t handle) {
  if (engine->fetch.peer == handle && engine->fetch.stage <= FETCH_BLOCKS) stop(engine, false);
}

/* --- Time and completions ----------------------------------------------------------------- */

static int step(struct sync_engine *engine) {
  struct fetch *fetch = &engine->fetch;
  if (fetch->stage == FETCH_CHECKING) return check_some(engine);
  if (fetch->stage == FETCH_MERGE) {
    merge(engine);
    return SYNC_OK;
  }
  if (fetch->gap) {
    ask_again(engine, true);
    return SYNC_OK;
  }
  if (++fetch->tries > engine->options.max_retries) {
    stop(engine, false); /* another one may have it, or this one later */
    return SYNC_OK;
  }
  ask_again(engine, true);
  return SYNC_OK;
}

static bool is_timed(const struct fetch *fetch) {
  return fetch->stage == FETCH_CHECKING || fetch->stage == FETCH_BLOCKS || fetch->stage == FETCH_MERGE;
}

int fetch_run(struct sync_engine *engine) {
  struct fetch *fetch = &engine->fetch;
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (!is_timed(fetch) || fetch->due_ns > port_now(engine->env)) return SYNC_OK;
  int rc = step(engine);
  if (rc != SYNC_OK) give_up(engine, rc);
  return engine->stopped;
}

uint64_t fetch_deadline(const struct sync_engine *engine) {
  return is_timed(&engine->fetch) ? engine->fetch.due_ns : SYNC_NO_DEADLINE;
}

int fetch_disk_done(struct sync_engine *engine, int result) {
  struct fetch *fetch = &engine->fetch;
  fetch->token = 0;
  if (result != SYNC_OK) return engine_note(engine, SYNC_E_FAILED);
  if (fetch->stage == FETCH_SYNC_NAME) {
    merge(engine);
    return engine->stopped;
  }
  (void)file_io_close(engine->env, fetch->file);
  fetch->file = -1;
  int rc = file_io_fsync_names(engine->env, engine->token + 1);
  if (rc == SYNC_OK) {
    fetch->token = ++engine->token;
    fetch->stage = FETCH_SYNC_NAME;
  } else {
    give_up(engine, rc);
  }
  return engine->stopped;
}

void fetch_end(struct sync_engine *engine) {
  stop(engine, false);
  memory_array_free(engine->env, &engine->merges, sizeof(struct engine_merge), 16);
}
