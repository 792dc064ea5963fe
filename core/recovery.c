#include "core/recovery.h"

#include "core/bookmark.h"
#include "core/fetch.h"

static int recovery_operation(struct sync_engine *engine, uint64_t position, uint64_t end, const uint8_t *payload,
                              size_t size) {
  struct operation_view view;
  int rc = operation_parse(payload, size, &engine->limits, &view);
  if (rc != SYNC_OK) return SYNC_E_DAMAGED;
  rc = apply_judge(&engine->state, &view);
  if (rc == SYNC_E_NO_MEMORY) return rc;
  /* A record was ready when it was appended, and the log is a prefix. */
  if (rc != APPLY_READY) return SYNC_E_DAMAGED;
  struct apply_plan plan;
  rc = apply_prepare(&engine->state, &view, &plan);
  if (rc != SYNC_OK) return rc;
  (void)apply_commit(&engine->state, &plan, position, end);
  return SYNC_OK;
}

static int recovery_peer(struct sync_engine *engine, enum wal_record_type type, const uint8_t *payload, size_t size) {
  if (!node_id_valid(payload, size)) return SYNC_E_DAMAGED;
  struct peer *peer = peer_find(&engine->peers, payload, size);
  if ((peer != NULL) != (type == WAL_PEER_REMOVED)) return SYNC_E_DAMAGED;
  if (type == WAL_PEER_REMOVED) {
    peer_delete(&engine->peers, peer);
    return SYNC_OK;
  }
  int rc = peer_reserve(&engine->peers);
  if (rc == SYNC_OK) (void)peer_insert(&engine->peers, payload, size);
  return rc;
}

/* The origin of an operation that the base has, if it is the one that the base knows by that index. */
static struct origin *recovery_origin(const struct sync_engine *engine, const uint8_t *payload, size_t size,
                                      struct operation_view *view) {
  const struct origins *origins = &engine->state.origins;
  if (operation_parse(payload, size, &engine->limits, view) != SYNC_OK) return NULL;
  if (view->origin >= origins_count(origins)) return NULL;
  struct origin *origin = origins_at(origins, view->origin);
  if (view->seq > 1) return origin;
  const struct operation_origin *own = &view->own;
  return origins_find(origins, own->node_id, own->node_id_size, own->incarnation) == origin ? origin : NULL;
}

/* A record that the base has: only the index takes note of it, so that it can be sent. Never fails for what
 * it says: then it is left out, and all before it. */
static int recovery_index(struct sync_engine *engine, enum wal_record_type type, uint64_t position, uint64_t end,
                          const uint8_t *payload, size_t size) {
  struct state *state = &engine->state;
  bool gap = position != engine->index_end, merge = type == WAL_MERGE;
  if (gap || merge) oplog_index_none(&state->oplog, &state->origins);
  if (gap) bookmark_gap(engine, position, 0);
  if (merge && size >= 8) bookmark_gap(engine, end, bookmark_snapshot_tag(bytes_get_u64(payload)));
  engine->index_end = end;
  if (type != WAL_OPERATION) return SYNC_OK;
  struct operation_view view;
  struct origin *origin = recovery_origin(engine, payload, size, &view);
  int rc = origin == NULL ? SYNC_OK : oplog_reserve(&state->oplog, origin);
  if (rc != SYNC_OK) return rc;
  struct oplog_entry entry = {.position = position,
                              .seq = origin == NULL ? 0 : view.seq,
                              .origin = origin,
                              .hash = oplog_hash(payload, size),
                              .size = (uint32_t)size & OPLOG_SIZE_MASK,
                              .head = (uint8_t)(end - position - size)};
  if (origin != NULL && oplog_index(&state->oplog, &entry)) return SYNC_OK;
  oplog_index_none(&state->oplog, &state->origins);
  bookmark_gap(engine, end, 0);
  return SYNC_OK;
}

void recovery_index_end(struct sync_engine *engine) {
  struct state *state = &engine->state;
  if (engine->index_end != engine->compaction.base.position) oplog_index_none(&state->oplog, &state->origins);
  oplog_index_end(&state->oplog, &state->origins);
  const struct engine_base *base = &engine->compaction.base;
  if (base->id != 0 && oplog_end(&state->oplog) == state->oplog.base)
    bookmark_gap(engine, base->position, bookmark_snapshot_tag(base->id));
  engine->indexed = true;
}

int recovery_record(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                    size_t size) {
  struct sync_engine *engine = arg;
  if (position < engine->compaction.base.position) return recovery_index(engine, type, position, end, payload, size);
  if (!engine->indexed) recovery_index_end(engine);
  if (type == WAL_MARK) return SYNC_OK;
  engine->content_end = end;
  if (type == WAL_OPERATION) return recovery_operation(engine, position, end, payload, size);
  if (type == WAL_PEER_ADDED || type == WAL_PEER_REMOVED) return recovery_peer(engine, type, payload, size);
  if (type == WAL_MERGE) return fetch_replay(engine, payload, size, end);
  return SYNC_E_VERSION;
}

int recovery_lost(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                  size_t size) {
  struct sync_engine *engine = arg;
  struct operation_view view;
  (void)end;
  if (type != WAL_OPERATION || operation_parse(payload, size, &engine->limits, &view) != SYNC_OK) return SYNC_OK;
  struct sync_lost lost = {.position = position, .dot = {.seq = view.seq}};
  char node_id[NODE_ID_ROOM] = {0};
  const struct origins *origins = &engine->state.origins;
  if (view.seq == 1) { /* it says itself whose it is */
    memcpy(node_id, view.own.node_id, view.own.node_id_size);
    lost.dot.origin = (struct sync_origin){.node_id = node_id, .incarnation = view.own.incarnation};
    const struct operation_origin *own = &view.own;
    if (origins_find(origins, own->node_id, own->node_id_size, own->incarnation) != NULL) return SYNC_OK;
  } else if (view.origin < origins_count(origins)) {
    const struct origin *origin = origins_at(origins, view.origin);
    if (view.seq <= origin->applied) return SYNC_OK;
    lost.dot.origin = origin_public(origin);
  } else {
    engine->repair->unnamed++; /* its life began in what is damaged */
    return SYNC_OK;
  }
  engine->repair->named++;
  return engine->repair->each == NULL ? SYNC_OK : engine->repair->each(engine->repair->arg, &lost);
}
