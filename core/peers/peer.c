#include "core/peers/peer.h"

#include "core/engine.h"

struct peer *peer_at(const struct sync_engine *engine, uint32_t handle) {
  return handle < engine->peers.count ? ((struct peer **)engine->peers.items)[handle] : NULL;
}

uint32_t peer_handles(const struct sync_engine *engine) {
  return (uint32_t)engine->peers.count;
}

struct peer *peer_find(const struct sync_engine *engine, const uint8_t *node_id, size_t node_id_size) {
  for (uint32_t i = 0; i < peer_handles(engine); i++) {
    struct peer *peer = peer_at(engine, i);
    if (peer == NULL || peer->node_id_size != node_id_size) continue;
    if (memcmp(peer->node_id, node_id, node_id_size) == 0) return peer;
  }
  return NULL;
}

static void peer_free(struct sync_engine *engine, struct peer *peer) {
  if (peer == NULL) return;
  vector_free(engine->env, &peer->known);
  memory_free(engine->env, peer->in_flight, peer->window * sizeof(uint64_t), peer->window * sizeof(uint64_t));
  memory_free(engine->env, peer, sizeof *peer, PEER_NOMINAL_BYTES);
}

int peer_reserve(struct sync_engine *engine) {
  if (engine->peer_count >= engine->options.peers_max) return SYNC_E_TOO_MANY;
  int rc = memory_array_reserve(engine->env, &engine->peers, sizeof(struct peer *), 8, engine->peers.count + 1,
                                UINT32_MAX - 1);
  if (rc != SYNC_OK || engine->spare_peer != NULL) return rc;
  struct peer *peer = memory_alloc_zero(engine->env, sizeof *peer, PEER_NOMINAL_BYTES);
  if (peer == NULL) return SYNC_E_NO_MEMORY;
  size_t window_bytes = engine->options.window_ops * sizeof(uint64_t);
  peer->in_flight = memory_alloc(engine->env, window_bytes, window_bytes);
  if (peer->in_flight == NULL) {
    memory_free(engine->env, peer, sizeof *peer, PEER_NOMINAL_BYTES);
    return SYNC_E_NO_MEMORY;
  }
  peer->window = engine->options.window_ops;
  peer->allowance = peer->window;
  engine->spare_peer = peer;
  return SYNC_OK;
}

struct peer *peer_insert(struct sync_engine *engine, const uint8_t *node_id, size_t node_id_size) {
  struct peer *peer = engine->spare_peer;
  engine->spare_peer = NULL;
  memcpy(peer->node_id, node_id, node_id_size);
  peer->node_id_size = node_id_size;
  struct peer **peers = engine->peers.items;
  uint32_t handle = 0;
  while (handle < engine->peers.count && peers[handle] != NULL)
    handle++;
  if (handle == engine->peers.count) engine->peers.count++;
  peers[handle] = peer;
  peer->handle = handle;
  peer->state = SYNC_PEER_NEW;
  peer->due_ns = SYNC_NO_DEADLINE;
  peer->gap_due_ns = SYNC_NO_DEADLINE;
  engine->peer_count++;
  return peer;
}

void peer_delete(struct sync_engine *engine, struct peer *peer) {
  struct peer **peers = engine->peers.items;
  peers[peer->handle] = NULL;
  while (engine->peers.count > 0 && peers[engine->peers.count - 1] == NULL)
    engine->peers.count--;
  engine->peer_count--;
  peer_free(engine, peer);
}

void peers_deinit(struct sync_engine *engine) {
  for (uint32_t i = 0; i < peer_handles(engine); i++)
    peer_free(engine, peer_at(engine, i));
  peer_free(engine, engine->spare_peer);
  memory_array_free(engine->env, &engine->peers, sizeof(struct peer *), 8);
}

/* The wait before the next retry: doubled each time, capped, and jittered so
 * that peers that failed together do not come back together. */
static uint64_t peer_backoff_ns(const struct sync_engine *engine, uint32_t retries) {
  uint64_t cap = engine->options.retry_cap_ns;
  uint64_t wait = engine->options.retry_interval_ns;
  for (uint32_t i = 0; i < retries && wait < cap; i++)
    wait = wait > cap / 2 ? cap : wait * 2;
  if (wait > cap) wait = cap;
  return wait + engine->env->ops->pick(engine->env->ctx, SYNC_PICK_BACKOFF_JITTER, wait / 8 + 1);
}

/* The deadline of a peer that is neither backing off nor parked. */
void peer_schedule(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  uint64_t wait = engine->options.idle_hello_ns;
  if (peer->known_session == 0)
    wait = peer_backoff_ns(engine, 0);
  else if (peer->in_flight_count > 0)
    wait = engine->options.ack_timeout_ns;
  else if (peer->is_full && peer->stalled)
    wait = engine->options.probe_interval_ns;
  else if (peer->stalled)
    wait = peer_backoff_ns(engine, 0); /* what could not be read back is tried again */
  peer->awaiting = peer->in_flight_count > 0;
  peer->due_ns = engine_add(now_ns, wait);
}

void peer_start(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  peer->my_nonce = engine_unique(engine);
  peer->hello_pending = true;
  peer->last_restart_ns = now_ns;
  peer_schedule(engine, peer, now_ns);
}

void peer_alive(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  bool back = peer->state == SYNC_PEER_BACKOFF || peer->state == SYNC_PEER_PARKED;
  peer->state = SYNC_PEER_ACTIVE;
  peer->retries = 0;
  if (!back) return;
  engine->stats.revived++;
  ENGINE_TRACE(engine, SYNC_TRACE_REVIVED, peer->handle);
  peer_schedule(engine, peer, now_ns);
}

void peer_restart_window(struct peer *peer, uint64_t now_ns) {
  if (peer->in_flight_count > 0) peer->cursor = peer->in_flight[0];
  peer->in_flight_count = 0;
  peer->gap_due_ns = SYNC_NO_DEADLINE;
  peer->last_restart_ns = now_ns;
}

/* One frame: within it nothing is overtaken. */
static uint32_t peer_allowance_min(const struct sync_engine *engine, const struct peer *peer) {
  return engine->options.batch_size < peer->window ? engine->options.batch_size : peer->window;
}

/* All that was in flight arrived, in order. */
static void peer_clean(const struct sync_engine *engine, struct peer *peer) {
  if (peer->allowance == peer->window || ++peer->clean < PEER_CLEAN_WINDOWS) return;
  uint32_t more = peer_allowance_min(engine, peer);
  peer->allowance = more < peer->window - peer->allowance ? peer->allowance + more : peer->window;
  peer->clean = 0;
}

/* Frames overtook each other: what came too early was sent for nothing. */
static void peer_restart_after_gap(const struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  peer_restart_window(peer, now_ns);
  uint32_t least = peer_allowance_min(engine, peer);
  peer->allowance = peer->allowance / 2 > least ? peer->allowance / 2 : least;
  peer->clean = 0;
}

void peer_full(struct sync_engine *engine, struct peer *peer, bool full, uint64_t now_ns) {
  if (peer->is_full && !full) peer->stalled = false;
  peer->is_full = full;
  if (!full || peer->in_flight_count == 0) return;
  peer_restart_window(peer, now_ns);
  peer->allowance = peer_allowance_min(engine, peer);
  peer->clean = 0;
  peer->stalled = true;
  peer_schedule(engine, peer, now_ns);
}

void peer_settle(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < peer->in_flight_count; i++) {
    const struct oplog_entry *entry = oplog_at(&engine->state.oplog, peer->in_flight[i]);
    if (!peer_holds(peer, entry->origin, entry->seq)) peer->in_flight[kept++] = peer->in_flight[i];
  }
  /* A deadline that every HELLO put off would never come: an operation that
   * could not be read waits for it. */
  if (kept == peer->in_flight_count) return;
  if (kept == 0) {
    peer_clean(engine, peer);
    /* Otherwise a gap that waits for its turn is still one: what was skipped
     * stays in flight. */
    peer->gap_due_ns = SYNC_NO_DEADLINE;
  }
  peer->in_flight_count = kept;
  peer_schedule(engine, peer, now_ns);
}

void peer_new_session(struct sync_engine *engine, struct peer *peer, uint64_t session, uint64_t now_ns) {
  peer->known_session = session;
  vector_clear(&peer->known);
  peer->my_nonce = engine_unique(engine);
  peer_restart_window(peer, now_ns);
  peer->cursor = engine->state.oplog.base;
  peer->allowance = peer->window;
  peer->clean = 0;
  peer->stalled = false;
  peer_schedule(engine, peer, now_ns);
}

void peer_gap(const struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  if (peer->in_flight_count == 0) return;
  uint64_t allowed_ns = engine_add(peer->last_restart_ns, PEER_GAP_SPACING_NS);
  if (now_ns >= allowed_ns)
    peer_restart_after_gap(engine, peer, now_ns);
  else
    peer->gap_due_ns = allowed_ns;
}

void peer_park(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  peer->due_ns = engine_add(now_ns, engine->options.probe_interval_ns);
  peer_restart_window(peer, now_ns);
  if (peer->state == SYNC_PEER_PARKED) return;
  peer->state = SYNC_PEER_PARKED;
  engine->stats.parked++;
  ENGINE_TRACE(engine, SYNC_TRACE_PARKED, peer->handle);
}

static void peer_timeout(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  peer->retries++;
  engine->stats.timeouts++;
  peer->hello_pending = true;
  if (peer->retries > engine->options.max_retries) {
    peer_park(engine, peer, now_ns);
    return;
  }
  peer->state = SYNC_PEER_BACKOFF;
  peer->due_ns = engine_add(now_ns, peer_backoff_ns(engine, peer->retries));
  peer_restart_window(peer, now_ns);
  ENGINE_TRACE(engine, SYNC_TRACE_TIMEOUT, peer->handle, peer->retries, peer->due_ns);
}

bool peer_tick(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  bool restarted = peer->gap_due_ns <= now_ns;
  if (restarted) peer_restart_after_gap(engine, peer, now_ns);
  if (peer->due_ns > now_ns) return restarted;
  peer->stalled = false;
  if (peer->state == SYNC_PEER_PARKED) {
    peer->hello_pending = true;
    peer->due_ns = engine_add(now_ns, engine->options.probe_interval_ns);
    return restarted;
  }
  if (peer->known_session == 0 || peer->awaiting) {
    peer_timeout(engine, peer, now_ns);
    return true;
  }
  peer->hello_pending = true;
  peer->due_ns = engine_add(now_ns, engine->options.idle_hello_ns);
  return restarted;
}

uint64_t peer_deadline(const struct peer *peer) {
  return peer->due_ns < peer->gap_due_ns ? peer->due_ns : peer->gap_due_ns;
}
