#include "core/peers/peer.h"

struct peer *peer_at(const struct peers *peers, uint32_t handle) {
  return handle < peers->all.count ? ((struct peer **)peers->all.items)[handle] : NULL;
}

uint32_t peer_handles(const struct peers *peers) {
  return (uint32_t)peers->all.count;
}

struct peer *peer_find(const struct peers *peers, const uint8_t *node_id, size_t node_id_size) {
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer == NULL || peer->node_id_size != node_id_size) continue;
    if (memcmp(peer->node_id, node_id, node_id_size) == 0) return peer;
  }
  return NULL;
}

static void peer_free(struct peers *peers, struct peer *peer) {
  if (peer == NULL) return;
  vector_free(peers->env, &peer->known);
  vector_free(peers->env, &peer->hand);
  memory_array_free(peers->env, &peer->wishes, 1, 1);
  memory_array_free(peers->env, &peer->tags, sizeof(uint32_t), sizeof(uint32_t));
  memory_free(peers->env, peer->in_flight, peer->window * sizeof(uint64_t), peer->window * sizeof(uint64_t));
  memory_free(peers->env, peer, sizeof *peer, PEER_NOMINAL_BYTES);
}

void peers_init(struct peers *peers, const struct sync_env *env, const struct sync_options *options,
                struct state *state, struct sync_stats *stats) {
  memset(peers, 0, sizeof *peers);
  peers->env = env;
  peers->options = options;
  peers->state = state;
  peers->stats = stats;
}

void peers_deinit(struct peers *peers) {
  for (uint32_t i = 0; i < peer_handles(peers); i++)
    peer_free(peers, peer_at(peers, i));
  peer_free(peers, peers->spare);
  vector_free(peers->env, &peers->heard);
  memory_array_free(peers->env, &peers->tags, sizeof(uint32_t), 4);
  memory_array_free(peers->env, &peers->feeds, sizeof(struct feed), FEED_NOMINAL_BYTES);
  memory_array_free(peers->env, &peers->all, sizeof(struct peer *), 8);
}

int peer_reserve(struct peers *peers) {
  if (peers->count >= peers->options->peers_max) return SYNC_E_TOO_MANY;
  int rc =
      memory_array_reserve(peers->env, &peers->all, sizeof(struct peer *), 8, peers->all.count + 1, UINT32_MAX - 1);
  if (rc == SYNC_OK)
    rc = memory_array_reserve(peers->env, &peers->tags, sizeof(uint32_t), 4, peers->tags.count + 1, UINT32_MAX);
  if (rc != SYNC_OK || peers->spare != NULL) return rc;
  struct peer *peer = memory_alloc_zero(peers->env, sizeof *peer, PEER_NOMINAL_BYTES);
  if (peer == NULL) return SYNC_E_NO_MEMORY;
  size_t window_bytes = peers->options->window_ops * sizeof(uint64_t);
  peer->in_flight = memory_alloc(peers->env, window_bytes, window_bytes);
  if (peer->in_flight == NULL) {
    memory_free(peers->env, peer, sizeof *peer, PEER_NOMINAL_BYTES);
    return SYNC_E_NO_MEMORY;
  }
  peer->window = peers->options->window_ops;
  peer->allowance = peer->window;
  peers->spare = peer;
  return SYNC_OK;
}

/* The first place among the tags that is not below. */
static size_t peer_tag_place(const struct peers *peers, uint32_t tag) {
  const uint32_t *tags = peers->tags.items;
  size_t place = 0;
  while (place < peers->tags.count && tags[place] < tag)
    place++;
  return place;
}

static uint32_t peer_tag(const struct peer *peer) {
  return hello_peer_tag(sync_node_hash(peer->node_id));
}

static void peer_tag_add(struct peers *peers, uint32_t tag) {
  uint32_t *tags = peers->tags.items;
  size_t place = peer_tag_place(peers, tag);
  memmove(tags + place + 1, tags + place, (peers->tags.count - place) * sizeof *tags);
  tags[place] = tag;
  peers->tags.count++;
}

static void peer_tag_remove(struct peers *peers, uint32_t tag) {
  uint32_t *tags = peers->tags.items;
  size_t place = peer_tag_place(peers, tag);
  peers->tags.count--;
  memmove(tags + place, tags + place + 1, (peers->tags.count - place) * sizeof *tags);
}

static struct peer *peer_take(struct peers *peers, uint32_t handle, const uint8_t *node_id, size_t node_id_size) {
  struct peer *peer = peers->spare;
  peers->spare = NULL;
  memcpy(peer->node_id, node_id, node_id_size);
  peer->node_id_size = node_id_size;
  struct peer **slots = peers->all.items;
  if (handle == peers->all.count) peers->all.count++;
  slots[handle] = peer;
  peer->handle = handle;
  peer->state = SYNC_PEER_NEW;
  peer->due_ns = SYNC_NO_DEADLINE;
  peer->gap_due_ns = SYNC_NO_DEADLINE;
  peer->offer_due_ns = SYNC_NO_DEADLINE;
  peer->tell_due_ns = SYNC_NO_DEADLINE;
  peer->ack_due_ns = SYNC_NO_DEADLINE;
  peer->probe_due_ns = SYNC_NO_DEADLINE;
  peer->ask_due_ns = SYNC_NO_DEADLINE;
  peers->count++;
  peer_tag_add(peers, peer_tag(peer));
  return peer;
}

struct peer *peer_insert(struct peers *peers, const uint8_t *node_id, size_t node_id_size) {
  struct peer **slots = peers->all.items;
  uint32_t handle = 0;
  while (handle < peers->all.count && slots[handle] != NULL)
    handle++;
  return peer_take(peers, handle, node_id, node_id_size);
}

void peer_insert_next(struct peers *peers, const uint8_t *node_id, size_t node_id_size) {
  uint32_t handle = peer_handles(peers);
  if (node_id_size > 0)
    (void)peer_take(peers, handle, node_id, node_id_size);
  else
    ((struct peer **)peers->all.items)[peers->all.count++] = NULL;
}

static void peer_forget_feeds(struct peers *peers, const struct peer *peer) {
  struct feed *feeds = peers->feeds.items;
  for (size_t i = 0; i < peers->feeds.count; i++) {
    if (feeds[i].feeder == peer->handle + 1) feeds[i].feeder = 0;
    if (feeds[i].before == peer->handle + 1) feeds[i].before = 0;
  }
}

void peer_delete(struct peers *peers, struct peer *peer) {
  peer_forget_feeds(peers, peer);
  struct peer **slots = peers->all.items;
  slots[peer->handle] = NULL;
  peer_tag_remove(peers, peer_tag(peer));
  while (peers->all.count > 0 && slots[peers->all.count - 1] == NULL)
    peers->all.count--;
  peers->count--;
  peer_free(peers, peer);
}

void peers_reset(struct peers *peers) {
  while (peer_handles(peers) > 0) {
    struct peer *last = peer_at(peers, peer_handles(peers) - 1);
    if (last != NULL)
      peer_delete(peers, last);
    else
      peers->all.count--;
  }
}

/* The wait before the next retry: doubled each time, capped, and jittered so
 * that peers that failed together do not come back together. */
static uint64_t peer_backoff_ns(const struct peers *peers, uint32_t retries) {
  uint64_t cap = peers->options->retry_cap_ns;
  uint64_t wait = peers->options->retry_interval_ns;
  for (uint32_t i = 0; i < retries && wait < cap; i++)
    wait = wait > cap / 2 ? cap : wait * 2;
  if (wait > cap) wait = cap;
  return time_add(wait, peers->env->ops->pick(peers->env->ctx, SYNC_PICK_BACKOFF_JITTER, wait / 8 + 1));
}

/* Of two that are idle one speaks, and the other one only when that is not heard. */
static uint64_t peer_idle_ns(const struct peers *peers, const struct peer *peer) {
  uint64_t idle_ns = peers->options->idle_hello_ns;
  bool speaks = memcmp(peers->options->node_id, peer->node_id, NODE_ID_ROOM) > 0;
  return speaks ? idle_ns : time_add(idle_ns, idle_ns / PEER_IDLE_LISTEN_SHARE);
}

/* The deadline of a peer that is neither backing off nor parked. */
void peer_schedule(struct peers *peers, struct peer *peer, uint64_t now_ns) {
  uint64_t wait = peer_idle_ns(peers, peer);
  if (peer->known_session == 0)
    wait = peer_backoff_ns(peers, 0);
  else if (peer_owes_answer(peer))
    wait = peers->options->ack_timeout_ns;
  else if (peer->is_full && peer->stalled)
    wait = peers->options->probe_interval_ns;
  else if (peer->stalled)
    wait = peer_backoff_ns(peers, 0); /* what could not be read back is tried again */
  peer->awaiting = peer_owes_answer(peer);
  peer->due_ns = time_add(now_ns, wait);
}

void peer_start(struct peers *peers, struct peer *peer, uint64_t now_ns) {
  peer->my_nonce = port_unique(peers->env);
  peer->hello_pending = true;
  peer->last_restart_ns = now_ns;
  peer_schedule(peers, peer, now_ns);
}

void peer_alive(struct peers *peers, struct peer *peer, uint64_t now_ns) {
  bool back = peer->state == SYNC_PEER_BACKOFF || peer->state == SYNC_PEER_PARKED;
  peer->state = SYNC_PEER_ACTIVE;
  peer->retries = 0;
  peer->heard_ns = now_ns;
  if (!back) return;
  peers->stats->revived++;
  PORT_TRACE(peers->env, SYNC_TRACE_REVIVED, peer->handle);
  peer_schedule(peers, peer, now_ns);
}

/* Forgets what is in flight: sends again from what the peer is known to hold, and what it asked for
 * first, so that operations stay in the order of the log within a frame. */
static void peer_restart_window(struct peer *peer, uint64_t now_ns) {
  if (peer->in_flight_count > 0 && peer->in_flight[0] < peer->cursor) peer->cursor = peer->in_flight[0];
  if (peer->in_flight_count > 0 && peer->in_flight[0] < peer->answer) peer->answer = peer->in_flight[0];
  peer->in_flight_count = 0;
  peer->gap_due_ns = SYNC_NO_DEADLINE;
  peer->last_restart_ns = now_ns;
}

/* One frame: within it nothing is overtaken. */
static uint32_t peer_allowance_min(const struct peers *peers, const struct peer *peer) {
  return peers->options->batch_size < peer->window ? peers->options->batch_size : peer->window;
}

/* All that was in flight arrived, or as much as may be, in order. */
static void peer_clean(const struct peers *peers, struct peer *peer) {
  peer->settled = 0;
  if (peer->allowance == peer->window || ++peer->clean < PEER_CLEAN_WINDOWS) return;
  uint32_t more = peer_allowance_min(peers, peer);
  peer->allowance = more < peer->window - peer->allowance ? peer->allowance + more : peer->window;
  peer->clean = 0;
}

/* Frames overtook each other: what came too early was sent for nothing. */
static void peer_restart_after_gap(const struct peers *peers, struct peer *peer, uint64_t now_ns) {
  peer_restart_window(peer, now_ns);
  uint32_t least = peer_allowance_min(peers, peer);
  peer->allowance = peer->allowance / 2 > least ? peer->allowance / 2 : least;
  peer->clean = 0;
  peer->settled = 0;
}

void peer_full(struct peers *peers, struct peer *peer, bool full, uint64_t now_ns) {
  if (peer->is_full && !full) peer->stalled = false;
  peer->is_full = full;
  if (!full || peer->in_flight_count == 0) return;
  peer_restart_window(peer, now_ns);
  peer->allowance = peer_allowance_min(peers, peer);
  peer->clean = 0;
  peer->settled = 0;
  peer->stalled = true;
  peer_schedule(peers, peer, now_ns);
}

void peer_settle(struct peers *peers, struct peer *peer, uint64_t now_ns) {
  uint32_t kept = 0;
  uint64_t oldest = peer->in_flight_count > 0 ? peer->in_flight[0] : 0;
  for (uint32_t i = 0; i < peer->in_flight_count; i++) {
    const struct oplog_entry *entry = oplog_at(&peers->state->oplog, peer->in_flight[i]);
    if (!peer_holds(peer, entry->origin, entry->seq)) peer->in_flight[kept++] = peer->in_flight[i];
  }
  /* A deadline that every HELLO put off would never come: an operation that
   * could not be read waits for it. */
  if (kept == peer->in_flight_count) return;
  peer->settled += peer->in_flight_count - kept;
  /* Under steady writing the window never runs empty. */
  if (kept == 0 || peer->settled >= peer->allowance) peer_clean(peers, peer);
  if (kept == 0) {
    /* Otherwise a gap that waits for its turn is still one: what was skipped
     * stays in flight. */
    peer->gap_due_ns = SYNC_NO_DEADLINE;
    peer->probe_due_ns = SYNC_NO_DEADLINE;
  }
  peer->in_flight_count = kept;
  /* What is still in flight was sent before all that comes now. Were its deadline
   * put off by every acknowledgement, an operation that was lost and that
   * nothing else depends on would not be sent again while others are. */
  if (kept == 0 || peer->in_flight[0] != oldest) peer_schedule(peers, peer, now_ns);
}

/* What the run before told and was told, asked and was asked. */
static void peer_forget_told(struct peer *peer) {
  peer->held_end = peer->passed = peer->told = peer->confirmed = peer->answer_end = 0;
  peer->heard_of = peer->lacking = peer->wanted = 0;
  peer->touched_count = 0;
  peer->tell_all = peer->knows_us = false;
  peer->parts_heard = 0;
  peer->tell_due_ns = peer->ack_due_ns = peer->probe_due_ns = SYNC_NO_DEADLINE;
  peer->probe = 0;
  peer->probing = false;
  peer->lacks = peer->unknown = false;
  peer->asks = peer->put_off = 0; /* else it counts as asked, and is never asked again */
  peer->asked_ns = peer->answer_ns = peer->answered_ns = peer->useful_ns = 0;
  peer->ask_due_ns = SYNC_NO_DEADLINE;
}

void peer_new_session(struct peers *peers, struct peer *peer, uint64_t session, uint64_t now_ns) {
  peer->known_session = session;
  vector_clear(&peer->known);
  vector_clear(&peer->hand);
  peer->my_nonce = port_unique(peers->env);
  peer_restart_window(peer, now_ns);
  peer->cursor = peers->state->oplog.base;
  peer_forget_told(peer);
  peer->allowance = peer->window;
  peer->clean = 0;
  peer->settled = 0;
  peer->stalled = false;
  peer_schedule(peers, peer, now_ns);
}

void peer_gap(const struct peers *peers, struct peer *peer, uint64_t now_ns) {
  if (peer->in_flight_count == 0) return;
  uint64_t allowed_ns = time_add(peer->last_restart_ns, PEER_GAP_SPACING_NS);
  if (now_ns >= allowed_ns)
    peer_restart_after_gap(peers, peer, now_ns);
  else
    peer->gap_due_ns = allowed_ns;
}

void peer_park(struct peers *peers, struct peer *peer, uint64_t now_ns) {
  peer->due_ns = time_add(now_ns, peers->options->probe_interval_ns);
  peer_restart_window(peer, now_ns);
  if (peer->state == SYNC_PEER_PARKED) return;
  peer->state = SYNC_PEER_PARKED;
  peers->stats->parked++;
  PORT_TRACE(peers->env, SYNC_TRACE_PARKED, peer->handle);
}

void peer_retry(struct peers *peers, struct peer *peer, uint64_t now_ns) {
  peer->state = peer->known_session == 0 ? SYNC_PEER_NEW : SYNC_PEER_ACTIVE;
  peer->retries = 0;
  peer->stalled = false; /* what could not be read back is tried again, too */
  peer_restart_window(peer, now_ns);
  peer->hello_pending = peer->ask = true;
  peer_schedule(peers, peer, now_ns);
}

void peer_hold(struct peers *peers, struct peer *peer, bool held, uint64_t now_ns) {
  if (peer->held == held) return;
  peer->held = held;
  peer_retry(peers, peer, now_ns);
}

static void peer_timeout(struct peers *peers, struct peer *peer, uint64_t now_ns) {
  peer->retries++;
  peers->stats->timeouts++;
  peer->hello_pending = true;
  if (peer->retries > peers->options->max_retries) {
    peer_park(peers, peer, now_ns);
    return;
  }
  peer->state = SYNC_PEER_BACKOFF;
  peer->due_ns = time_add(now_ns, peer_backoff_ns(peers, peer->retries));
  peer_restart_window(peer, now_ns);
  PORT_TRACE(peers->env, SYNC_TRACE_TIMEOUT, peer->handle, peer->retries, peer->due_ns);
}

void peer_watch_flight(const struct peers *peers, struct peer *peer, uint64_t now_ns) {
  if (peer->in_flight_count == 0 || peer->probe == peer->in_flight[0] + 1) return;
  peer->probe = peer->in_flight[0] + 1;
  peer->probe_due_ns = time_add(now_ns, peer_share_ns(peers, PEER_TELL_SHARE));
}

/* Looks at the oldest in flight: if it was there at the last look, the peer is told once. */
static void peer_probe(const struct peers *peers, struct peer *peer, uint64_t now_ns) {
  peer->probe_due_ns = SYNC_NO_DEADLINE;
  if (peer->in_flight_count == 0 || peer->state != SYNC_PEER_ACTIVE) return;
  if (peer->probe == peer->in_flight[0] + 1) {
    peer->hello_pending = peer->tell_all = peer->probing = true;
    return;
  }
  peer_watch_flight(peers, peer, now_ns);
}

void peer_greet_soon(struct peer *peer) {
  if (peer->state != SYNC_PEER_BACKOFF && peer->state != SYNC_PEER_PARKED) peer->hello_pending = true;
}

/* Does what is due. True: its window was restarted. */
static bool peer_tick(struct peers *peers, struct peer *peer, uint64_t now_ns) {
  bool restarted = peer->gap_due_ns <= now_ns;
  if (restarted) peer_restart_after_gap(peers, peer, now_ns);
  if (peer->offer_due_ns <= now_ns) {
    peer->offer_due_ns = SYNC_NO_DEADLINE;
    peer_greet_soon(peer);
  }
  if (peer->tell_due_ns <= now_ns || peer->ack_due_ns <= now_ns) {
    if (peer->tell_due_ns <= now_ns) peer->tell_all = true;
    if (peer->tell_due_ns <= now_ns) peer->tell_due_ns = SYNC_NO_DEADLINE;
    peer->ack_due_ns = SYNC_NO_DEADLINE;
    peer_greet_soon(peer);
  }
  if (peer->probe_due_ns <= now_ns) peer_probe(peers, peer, now_ns);
  if (peer->due_ns > now_ns) return restarted;
  bool again = peer->stalled && !peer->is_full; /* an operation is read once more: that greets nobody */
  peer->stalled = false;
  if (peer->state == SYNC_PEER_PARKED) {
    peer->hello_pending = true;
    peer->due_ns = time_add(now_ns, peers->options->probe_interval_ns);
    return restarted;
  }
  if (peer->known_session == 0 || peer->awaiting) {
    peer_timeout(peers, peer, now_ns);
    return true;
  }
  if (!again) peer->hello_pending = true;
  peer->due_ns = time_add(now_ns, peer_idle_ns(peers, peer));
  return restarted;
}

void peer_idle_heard(const struct peers *peers, struct peer *peer, uint64_t now_ns) {
  if (peer->state != SYNC_PEER_ACTIVE || peer->awaiting || peer->stalled || peer_owes_answer(peer)) return;
  peer->due_ns = time_add(now_ns, peer_idle_ns(peers, peer));
}

uint64_t peer_deadline(const struct peer *peer) {
  if (peer->held) return SYNC_NO_DEADLINE;
  uint64_t due_ns = peer->due_ns < peer->gap_due_ns ? peer->due_ns : peer->gap_due_ns;
  if (peer->tell_due_ns < due_ns) due_ns = peer->tell_due_ns;
  if (peer->ack_due_ns < due_ns) due_ns = peer->ack_due_ns;
  if (peer->probe_due_ns < due_ns) due_ns = peer->probe_due_ns;
  if (peer->ask_due_ns < due_ns) due_ns = peer->ask_due_ns;
  return due_ns < peer->offer_due_ns ? due_ns : peer->offer_due_ns;
}

/* --- What it is told, and holds ---------------------------------------------------- */

void peer_tell_by(struct peer *peer, uint64_t due_ns) {
  if (due_ns < peer->tell_due_ns) peer->tell_due_ns = due_ns;
}

void peer_confirm(const struct peers *peers, struct peer *peer, uint64_t now_ns) {
  uint64_t due_ns = time_add(now_ns, peer_share_ns(peers, PEER_CONFIRM_SHARE));
  peer->tell_all = true; /* and what is new here */
  if (due_ns < peer->ack_due_ns) peer->ack_due_ns = due_ns;
}

void peer_confirmed(struct peers *peers, struct peer *peer, uint64_t operations, uint64_t now_ns) {
  if (operations <= peer->confirmed) return;
  peer->confirmed = operations;
  if (operations >= peer->told) { /* it need not be told again */
    peer->tell_due_ns = SYNC_NO_DEADLINE;
    if (peer->cursor + 1 > peer->told) peer_tell_by(peer, time_add(now_ns, peer_tell_ns(peers)));
  }
  if (peer->in_flight_count == 0 && peer->state == SYNC_PEER_ACTIVE) peer_schedule(peers, peer, now_ns);
}

uint64_t peer_held_end(const struct peers *peers, struct peer *peer) {
  const struct oplog *oplog = &peers->state->oplog;
  if (peer->held_end < oplog->base) peer->held_end = oplog->base;
  while (peer->held_end < oplog->durable && peer->known_session != 0) {
    const struct oplog_entry *entry = oplog_at(oplog, peer->held_end);
    if (!peer_holds(peer, entry->origin, entry->seq)) break;
    peer->held_end++;
  }
  return peer->held_end;
}

/* --- What the log has no more ------------------------------------------------------- */

static bool peer_is_behind(const struct peers *peers, const struct peer *peer) {
  const struct origins *origins = &peers->state->origins;
  for (size_t i = 0; i < origins_count(origins) && peer->known_session != 0; i++) {
    const struct origin *origin = origins_at(origins, i);
    uint64_t known = vector_get(&peer->known, origin->index);
    /* Of who came later it may have told in NEWS, or not yet at all. */
    if (origin->floor > known && (i < peer->heard || known > 0)) return true;
  }
  return false;
}

void peer_judge_behind(const struct peers *peers, struct peer *peer) {
  bool before = peer->behind;
  peer->behind = peer_is_behind(peers, peer);
  if (peer->behind == before) return;
  uint64_t wait_ns = peers->options->retry_interval_ns / 4;
  peer->offer_due_ns = SYNC_NO_DEADLINE;
  if (peer->behind)
    peer->offer_due_ns = time_add(port_now(peers->env), wait_ns < PEER_OFFER_NS ? wait_ns : PEER_OFFER_NS);
}

void peers_judge_behind(struct peers *peers) {
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer == NULL) continue;
    bool before = peer->behind;
    peer_judge_behind(peers, peer);
    /* Who does not answer is offered it with the next try. */
    if (peer->behind && peer->offer_due_ns == SYNC_NO_DEADLINE && peer->state == SYNC_PEER_ACTIVE)
      peer->hello_pending = true;
    if (peer->behind != before && peer->state == SYNC_PEER_ACTIVE) peer_schedule(peers, peer, port_now(peers->env));
  }
}

uint64_t peers_needed(const struct peers *peers) {
  uint64_t needed = oplog_end(&peers->state->oplog);
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer == NULL || peer->behind) continue;
    uint64_t from = peer->known_session == 0 ? peers->state->oplog.base : peer_held_end(peers, peer);
    if (from < needed) needed = from;
  }
  return needed;
}

void peers_trimmed(struct peers *peers) {
  uint64_t base = peers->state->oplog.base;
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer == NULL) continue;
    if (peer->cursor < base) peer->cursor = base;
    if (peer->answer < base) peer->answer = base;
    if (peer->answer_end < base) peer->answer_end = base;
    uint32_t gone = 0;
    while (gone < peer->in_flight_count && peer->in_flight[gone] < base)
      gone++;
    if (gone == 0) continue;
    peer->in_flight_count -= gone;
    memmove(peer->in_flight, peer->in_flight + gone, peer->in_flight_count * sizeof *peer->in_flight);
  }
  peers_judge_behind(peers);
}

void peers_start(struct peers *peers, uint64_t now_ns) {
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer != NULL) peer_start(peers, peer, now_ns);
  }
}

void peers_greet(struct peers *peers) {
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer != NULL) peer->hello_pending = true;
  }
}

void peers_ask(struct peers *peers) {
  peers_greet(peers);
  for (uint32_t i = 0; i < peer_handles(peers); i++)
    if (peer_at(peers, i) != NULL) peer_at(peers, i)->ask = true;
}

void peer_touch(struct peer *peer, const struct origin *origin) {
  for (uint32_t i = 0; i < peer->touched_count; i++)
    if (peer->touched[i] == origin->index) return;
  if (peer->touched_count == PEER_TOUCHED_MAX)
    peer->tell_all = true;
  else
    peer->touched[peer->touched_count++] = origin->index;
}

void peer_acknowledge(const struct peers *peers, struct peer *peer) {
  uint64_t delay_ns = peers->options->ack_delay_ns;
  if (peer->ack_soon || delay_ns == SYNC_ACK_AT_ONCE)
    peer->hello_pending = true;
  else if (peer->ack_due_ns == SYNC_NO_DEADLINE)
    peer->ack_due_ns = time_add(port_now(peers->env), delay_ns);
}

void peers_take_durable(struct peers *peers, uint64_t durable) {
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer == NULL || peer->ack_first == 0 || peer->ack_first > durable) continue;
    peer_acknowledge(peers, peer);
    peer->ack_first = peer->ack_last > durable ? peer->ack_last : 0;
  }
}

uint32_t peers_tick(struct peers *peers, uint64_t now_ns) {
  uint32_t restarted = 0;
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer != NULL && !peer->held && peer_tick(peers, peer, now_ns)) restarted++;
  }
  return restarted;
}

uint64_t peers_deadline(const struct peers *peers) {
  uint64_t deadline = SYNC_NO_DEADLINE;
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    const struct peer *peer = peer_at(peers, i);
    if (peer != NULL && peer_deadline(peer) < deadline) deadline = peer_deadline(peer);
  }
  return deadline;
}

void peers_untold(struct peers *peers) {
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    struct peer *peer = peer_at(peers, i);
    if (peer == NULL) continue;
    peer->confirmed = peer->told = 0;
    if (peer->passed == 0) peer->passed = 1;
    peer_tell_by(peer, time_add(port_now(peers->env), peer_share_ns(peers, PEER_TELL_SHARE)));
  }
}
