/* Reading: values, siblings, iteration, digests, vectors, peers, outbox. Nothing
 * here changes the engine, and all of it works on one that has stopped. */
#include "core/engine.h"

static const struct store_key *read_find(const struct sync_engine *engine, const void *key, size_t key_size) {
  if (key == NULL || key_size == 0 || key_size > SYNC_KEY_BYTES_MAX) return NULL;
  return store_find(&engine->state.store, key, key_size);
}

int sync_get(const struct sync_engine *engine, const void *key, size_t key_size, struct sync_sibling *winner) {
  const struct store_key *found = read_find(engine, key, key_size);
  if (found == NULL) return SYNC_E_NOT_FOUND;
  if (found->sibling_count > 1) {
    int rc = view_read(engine->view, &engine->policies, found, winner);
    return rc == SYNC_OK && winner->tombstone ? SYNC_E_NOT_FOUND : rc;
  }
  if (found->siblings->tombstone) return SYNC_E_NOT_FOUND;
  *winner = store_sibling_public(found->siblings);
  return SYNC_OK;
}

int sync_siblings(const struct sync_engine *engine, const void *key, size_t key_size,
                  int (*each)(void *arg, const struct sync_sibling *sibling), void *arg) {
  const struct store_key *found = read_find(engine, key, key_size);
  if (found == NULL) return SYNC_OK;
  for (const struct store_sibling *s = found->siblings; s != NULL; s = s->next) {
    struct sync_sibling sibling = store_sibling_public(s);
    int rc = each(arg, &sibling);
    if (rc != 0) return rc;
  }
  return SYNC_OK;
}

static int read_compare(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size) {
  size_t shorter = a_size < b_size ? a_size : b_size;
  int order = shorter == 0 ? 0 : memcmp(a, b, shorter);
  if (order != 0) return order;
  return a_size < b_size ? -1 : a_size > b_size ? 1 : 0;
}

/* What could not be merged is given all the same: one value that is in nobody's power holds up no iteration. */
static int read_key(const struct sync_engine *engine, const struct store_key *key, struct sync_sibling *winner) {
  if (key->sibling_count > 1) {
    int rc = view_read(engine->view, &engine->policies, key, winner);
    return rc == SYNC_E_MERGE || rc == SYNC_E_TOO_BIG ? SYNC_OK : rc;
  }
  *winner = store_sibling_public(key->siblings);
  return SYNC_OK;
}

int sync_iterate(const struct sync_engine *engine, const void *prefix, size_t prefix_size, const void *start,
                 size_t start_size, bool with_absent,
                 int (*each)(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner),
                 void *arg) {
  /* The later of the two is where the keys wanted begin. */
  bool from_start = read_compare(start, start_size, prefix, prefix_size) > 0;
  struct btree_cursor cursor = from_start ? store_lower_bound(&engine->state.store, start, start_size)
                                          : store_lower_bound(&engine->state.store, prefix, prefix_size);
  for (const struct store_key *key; (key = btree_key(&cursor)) != NULL; btree_advance(&cursor)) {
    const uint8_t *bytes = store_key_bytes(key);
    if (key->size < prefix_size || (prefix_size > 0 && memcmp(bytes, prefix, prefix_size) != 0)) break;
    if (key->sibling_count == 1 && key->siblings->tombstone && !with_absent) continue;
    struct sync_sibling winner;
    int rc = read_key(engine, key, &winner);
    if (rc != SYNC_OK) return rc;
    if (winner.tombstone && !with_absent) continue;
    rc = each(arg, bytes, key->size, &winner);
    if (rc != 0) return rc;
  }
  return SYNC_OK;
}

void sync_digest_get(const struct sync_engine *engine, struct sync_digest *digest) {
  *digest = (struct sync_digest){
      .state = engine->state.store.digest,
      .vector = engine->state.origins.digest,
      .keys = engine->state.store.keys,
      .siblings = engine->state.store.siblings,
  };
}

void sync_digest_recompute(const struct sync_engine *engine, struct sync_digest *digest) {
  digest->vector = 0;
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++)
    digest->vector += origin_hash(origins_at(&engine->state.origins, i));
  store_recompute(&engine->state.store, &digest->state, &digest->keys, &digest->siblings);
}

int sync_vector(const struct sync_engine *engine, bool durable,
                int (*each)(void *arg, const struct sync_origin *origin, uint64_t seq), void *arg) {
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_sorted(&engine->state.origins, i);
    uint64_t seq = durable ? origin->durable : origin->applied;
    if (seq == 0) continue;
    struct sync_origin named = origin_public(origin);
    int rc = each(arg, &named, seq);
    if (rc != 0) return rc;
  }
  return SYNC_OK;
}

bool sync_holds(const struct sync_engine *engine, const char *node_id, uint64_t incarnation, uint64_t seq) {
  const struct origin *origin =
      origins_find(&engine->state.origins, (const uint8_t *)node_id, strlen(node_id), incarnation);
  return seq > 0 && origin != NULL && origin->applied >= seq;
}

/* --- Peers and outbox ---------------------------------------------------------- */

uint64_t sync_session(const struct sync_engine *engine) {
  return engine->session;
}

int sync_peers(const struct sync_engine *engine, int (*each)(void *arg, uint32_t peer), void *arg) {
  for (uint32_t i = 0; i < peer_handles(&engine->peers); i++) {
    if (peer_at(&engine->peers, i) == NULL) continue;
    int rc = each(arg, i);
    if (rc != 0) return rc;
  }
  return SYNC_OK;
}

int sync_peer_info(const struct sync_engine *engine, uint32_t handle, struct sync_peer_info *info) {
  struct peer *peer = peer_at(&engine->peers, handle);
  if (peer == NULL) return SYNC_E_PEER;
  *info = (struct sync_peer_info){
      .node_id = peer->node_id,
      .state = peer->held ? SYNC_PEER_HELD : peer->state,
      .retries = peer->retries,
      .owed_ops = outbox_owed(&engine->peers, peer),
      .in_flight_ops = peer->in_flight_count,
      .next_deadline_ns = peer_deadline(peer),
      .heard_ns = peer->heard_ns,
      .sent_ns = peer->sent_ns,
  };
  const struct oplog *oplog = &engine->state.oplog;
  uint64_t held_end = peer_held_end(&engine->peers, peer);
  if (held_end >= oplog->durable) return SYNC_OK;
  const struct oplog_entry *oldest = oplog_at(oplog, held_end);
  info->oldest = (struct sync_dot){.origin = origin_public(oldest->origin), .seq = oldest->seq};
  info->lag_bytes = sync_durable_position(engine) - oldest->position;
  return SYNC_OK;
}

int sync_peer_vector(const struct sync_engine *engine, uint32_t handle, uint64_t *session,
                     int (*each)(void *arg, const struct sync_origin *origin, uint64_t seq), void *arg) {
  const struct peer *peer = peer_at(&engine->peers, handle);
  if (peer == NULL) return SYNC_E_PEER;
  *session = peer->known_session;
  if (peer->known_session == 0) return SYNC_OK;
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_sorted(&engine->state.origins, i);
    uint64_t seq = vector_get(&peer->known, origin->index);
    if (seq == 0) continue;
    struct sync_origin named = origin_public(origin);
    int rc = each(arg, &named, seq);
    if (rc != 0) return rc;
  }
  return SYNC_OK;
}

uint64_t sync_outbox_size(const struct sync_engine *engine) {
  return outbox_size(&engine->peers);
}

int sync_outbox(const struct sync_engine *engine, int (*each)(void *arg, const struct sync_outbox_entry *entry),
                void *arg) {
  return outbox_each(&engine->peers, each, arg);
}

int sync_outbox_find(const struct sync_engine *engine, const struct sync_dot *dot, uint32_t handle,
                     struct sync_outbox_entry *entry) {
  const struct peer *peer = peer_at(&engine->peers, handle);
  if (peer == NULL) return SYNC_E_PEER;
  const struct origin *origin = origins_find(&engine->state.origins, (const uint8_t *)dot->origin.node_id,
                                             strlen(dot->origin.node_id), dot->origin.incarnation);
  if (origin == NULL || !origin->own_node || dot->seq == 0 || dot->seq > origin->applied) return SYNC_E_NOT_FOUND;
  *entry = outbox_find(&engine->peers, origin, dot->seq, peer);
  return SYNC_OK;
}

int sync_outbox_count(const struct sync_engine *engine, uint32_t handle, struct sync_outbox_counts *counts) {
  memset(counts, 0, sizeof *counts);
  if (handle != SYNC_PEER_NONE && peer_at(&engine->peers, handle) == NULL) return SYNC_E_PEER;
  for (uint32_t i = 0; i < peer_handles(&engine->peers); i++) {
    const struct peer *peer = peer_at(&engine->peers, i);
    if (peer != NULL && (handle == SYNC_PEER_NONE || handle == i)) outbox_add_counts(&engine->peers, peer, counts);
  }
  return SYNC_OK;
}

/* --- Counters and sizes ----------------------------------------------------------- */

size_t sync_frame_bytes_max(const struct sync_engine *engine) {
  return engine->frame_bytes_max;
}

void sync_stats_get(const struct sync_engine *engine, struct sync_stats *stats) {
  *stats = engine->stats;
  stats->store_bytes = engine->state.store.bytes;
  stats->conflicts = engine->state.store.conflicts.count;
  stats->tombstones = engine->state.store.graves.count;
  stats->snapshot_position = engine->compaction.base.position;
  stats->snapshot_bytes = engine->compaction.base.size;
  stats->log_first = wal_first_position(engine->wal);
  stats->log_bytes = wal_appended_position(engine->wal) - engine->log_begin;
}
