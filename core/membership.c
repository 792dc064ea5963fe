/* Peers that come and go, by the log, and that are tried again, or held. */
#include "core/engine.h"
#include "core/fetch.h"
#include "core/pending.h"

static bool membership_is_peer(const struct sync_engine *engine, const char *node_id, size_t *size) {
  if (node_id == NULL) return false;
  *size = node_id_length(node_id);
  if (!node_id_valid((const uint8_t *)node_id, *size)) return false;
  return *size != strlen(engine->node_id) || memcmp(node_id, engine->node_id, *size) != 0;
}

int sync_peer_add(struct sync_engine *engine, const char *node_id, uint32_t *handle) {
  size_t size = 0;
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (!membership_is_peer(engine, node_id, &size)) return SYNC_E_INVALID;
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
  fetch_peer_gone(engine, handle);
  pending_peer_gone(engine, handle);
  peer_delete(&engine->peers, peer);
  engine_commit_soon(engine);
  return SYNC_OK;
}

int sync_peer_retry(struct sync_engine *engine, uint32_t handle) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  struct peer *peer = peer_at(&engine->peers, handle);
  if (peer == NULL) return SYNC_E_PEER;
  peer_retry(&engine->peers, peer, port_now(engine->env));
  return SYNC_OK;
}

int sync_peer_hold(struct sync_engine *engine, uint32_t handle, bool held) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  struct peer *peer = peer_at(&engine->peers, handle);
  if (peer == NULL) return SYNC_E_PEER;
  if (held) fetch_peer_gone(engine, handle); /* another one may have it */
  peer_hold(&engine->peers, peer, held, port_now(engine->env));
  return SYNC_OK;
}
