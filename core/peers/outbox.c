/* The outbox, derived: what this node wrote, in any life, that a registered
 * peer is not known to hold durably (rule 7). Nothing of it is stored. */
#include "core/engine.h"

/* How much of the origin every registered peer is known to hold. */
static uint64_t outbox_held_by_all(const struct sync_engine *engine, const struct origin *origin) {
  uint64_t held = origin->applied;
  for (uint32_t i = 0; i < peer_handles(engine); i++) {
    const struct peer *peer = peer_at(engine, i);
    if (peer == NULL) continue;
    uint64_t seq = peer->known_session == 0 ? 0 : vector_get(&peer->known, origin->index);
    if (seq < held) held = seq;
  }
  return held;
}

uint64_t sync_outbox_size(const struct sync_engine *engine) {
  uint64_t size = 0;
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_at(&engine->state.origins, i);
    if (origin->own_node) size += origin->applied - outbox_held_by_all(engine, origin);
  }
  return size;
}

/* The ordinal of the first own operation that is owed to anybody. */
static uint64_t outbox_begin(const struct sync_engine *engine) {
  uint64_t begin = oplog_end(&engine->state.oplog);
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_at(&engine->state.origins, i);
    if (!origin->own_node) continue;
    uint64_t seq = outbox_held_by_all(engine, origin) + 1;
    if (seq <= origin->floor) seq = origin->floor + 1;
    uint64_t ordinal = 0;
    if (oplog_find(&engine->state.oplog, origin, seq, &ordinal) != NULL && ordinal < begin) begin = ordinal;
  }
  return begin;
}

static bool outbox_in_flight(const struct peer *peer, uint64_t ordinal) {
  uint32_t low = 0;
  uint32_t high = peer->in_flight_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (peer->in_flight[middle] < ordinal)
      low = middle + 1;
    else
      high = middle;
  }
  return low < peer->in_flight_count && peer->in_flight[low] == ordinal;
}

static enum sync_outbox_status outbox_status(const struct sync_engine *engine, const struct peer *peer,
                                             uint64_t ordinal) {
  if (ordinal >= engine->state.oplog.durable) return SYNC_OUTBOX_PENDING;
  if (peer->state == SYNC_PEER_PARKED) return SYNC_OUTBOX_FAILED;
  return outbox_in_flight(peer, ordinal) ? SYNC_OUTBOX_IN_FLIGHT : SYNC_OUTBOX_QUEUED;
}

int sync_outbox(const struct sync_engine *engine, int (*each)(void *arg, const struct sync_outbox_entry *entry),
                void *arg) {
  for (uint64_t ordinal = outbox_begin(engine); ordinal < oplog_end(&engine->state.oplog); ordinal++) {
    const struct oplog_entry *operation = oplog_at(&engine->state.oplog, ordinal);
    if (!operation->origin->own_node) continue;
    for (uint32_t i = 0; i < peer_handles(engine); i++) {
      const struct peer *peer = peer_at(engine, i);
      if (peer == NULL || peer_holds(peer, operation->origin, operation->seq)) continue;
      struct sync_outbox_entry entry = {
          .dot = {.origin = origin_public(operation->origin), .seq = operation->seq},
          .peer = i,
          .status = outbox_status(engine, peer, ordinal),
          .retries = peer->retries,
          .next_deadline_ns = peer_deadline(peer),
      };
      int rc = each(arg, &entry);
      if (rc != 0) return rc;
    }
  }
  return SYNC_OK;
}

int sync_peer_info(const struct sync_engine *engine, uint32_t handle, struct sync_peer_info *info) {
  const struct peer *peer = peer_at(engine, handle);
  if (peer == NULL) return SYNC_E_PEER;
  uint64_t owed = 0;
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_at(&engine->state.origins, i);
    uint64_t held = peer->known_session == 0 ? 0 : vector_get(&peer->known, origin->index);
    if (origin->applied > held) owed += origin->applied - held;
  }
  *info = (struct sync_peer_info){
      .node_id = peer->node_id,
      .state = peer->state,
      .retries = peer->retries,
      .owed_ops = owed,
      .in_flight_ops = peer->in_flight_count,
      .next_deadline_ns = peer_deadline(peer),
  };
  return SYNC_OK;
}

int sync_peer_vector(const struct sync_engine *engine, uint32_t handle, uint64_t *session,
                     int (*each)(void *arg, const struct sync_origin *origin, uint64_t seq), void *arg) {
  const struct peer *peer = peer_at(engine, handle);
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

uint64_t sync_session(const struct sync_engine *engine) {
  return engine->session;
}

int sync_peers(const struct sync_engine *engine, int (*each)(void *arg, uint32_t peer), void *arg) {
  for (uint32_t i = 0; i < peer_handles(engine); i++) {
    if (peer_at(engine, i) == NULL) continue;
    int rc = each(arg, i);
    if (rc != 0) return rc;
  }
  return SYNC_OK;
}
