#include "core/recovery.h"

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

int recovery_record(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                    size_t size) {
  struct sync_engine *engine = arg;
  if (type == WAL_MARK) return SYNC_OK;
  engine->content_end = end;
  if (type == WAL_OPERATION) return recovery_operation(engine, position, end, payload, size);
  if (type == WAL_PEER_ADDED || type == WAL_PEER_REMOVED) return recovery_peer(engine, type, payload, size);
  return SYNC_E_VERSION;
}
