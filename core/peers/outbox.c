#include "core/peers/outbox.h"

#include "core/peers/push.h"

/* How much of the origin every registered peer is known to hold. */
static uint64_t outbox_held_by_all(const struct peers *peers, const struct origin *origin) {
  uint64_t held = origin->applied;
  for (uint32_t i = 0; i < peer_handles(peers); i++) {
    const struct peer *peer = peer_at(peers, i);
    if (peer == NULL) continue;
    uint64_t seq = peer->known_session == 0 ? 0 : vector_get(&peer->known, origin->index);
    if (seq < held) held = seq;
  }
  return held;
}

uint64_t outbox_size(const struct peers *peers) {
  uint64_t size = 0;
  for (size_t i = 0; i < origins_count(&peers->state->origins); i++) {
    const struct origin *origin = origins_at(&peers->state->origins, i);
    if (origin->own_node) size += origin->applied - outbox_held_by_all(peers, origin);
  }
  return size;
}

/* The ordinal of the first own operation that is owed to anybody. */
static uint64_t outbox_begin(const struct peers *peers) {
  uint64_t begin = oplog_end(&peers->state->oplog);
  for (size_t i = 0; i < origins_count(&peers->state->origins); i++) {
    const struct origin *origin = origins_at(&peers->state->origins, i);
    if (!origin->own_node) continue;
    uint64_t seq = outbox_held_by_all(peers, origin) + 1;
    if (seq <= origin->floor) seq = origin->floor + 1;
    uint64_t ordinal = 0;
    if (oplog_find(&peers->state->oplog, origin, seq, &ordinal) != NULL && ordinal < begin) begin = ordinal;
  }
  return begin;
}

static struct sync_outbox_entry outbox_entry(const struct peer *peer, const struct origin *origin, uint64_t seq,
                                             enum sync_outbox_status status) {
  return (struct sync_outbox_entry){
      .dot = {.origin = origin_public(origin), .seq = seq},
      .peer = peer->handle,
      .status = status,
      .retries = peer->retries,
      .next_deadline_ns = peer_deadline(peer),
  };
}

/* Whether one that the log may have no more was sent while it had it. */
static bool outbox_sent(const struct peers *peers, const struct peer *peer, const struct origin *origin, uint64_t seq) {
  for (uint32_t i = 0; i < peer->in_flight_count; i++) {
    const struct oplog_entry *entry = oplog_at(&peers->state->oplog, peer->in_flight[i]);
    if (entry->origin == origin && entry->seq == seq) return true;
  }
  return false;
}

/* Of one that a snapshot pays: what came back by one is not durable before its merge is. */
static enum sync_outbox_status outbox_compacted_status(const struct peers *peers, const struct peer *peer,
                                                       const struct origin *origin, uint64_t seq) {
  if (seq > origin->durable) return SYNC_OUTBOX_PENDING;
  if (peer->state == SYNC_PEER_PARKED) return SYNC_OUTBOX_FAILED;
  return outbox_sent(peers, peer, origin, seq) ? SYNC_OUTBOX_IN_FLIGHT : SYNC_OUTBOX_QUEUED;
}

static enum sync_outbox_status outbox_status(const struct peers *peers, const struct peer *peer, uint64_t ordinal) {
  if (ordinal >= peers->state->oplog.durable) return SYNC_OUTBOX_PENDING;
  if (peer->state == SYNC_PEER_PARKED) return SYNC_OUTBOX_FAILED;
  return push_in_flight(peer, ordinal) ? SYNC_OUTBOX_IN_FLIGHT : SYNC_OUTBOX_QUEUED;
}

/* Operations of ours that the log has no more and that a snapshot pays, by origin. */
static int outbox_each_compacted(const struct peers *peers,
                                 int (*each)(void *arg, const struct sync_outbox_entry *entry), void *arg) {
  for (size_t i = 0; i < origins_count(&peers->state->origins); i++) {
    const struct origin *origin = origins_at(&peers->state->origins, i);
    if (!origin->own_node) continue;
    for (uint64_t seq = outbox_held_by_all(peers, origin) + 1; seq <= origin->floor; seq++)
      for (uint32_t k = 0; k < peer_handles(peers); k++) {
        const struct peer *peer = peer_at(peers, k);
        if (peer == NULL || peer_holds(peer, origin, seq)) continue;
        struct sync_outbox_entry entry =
            outbox_entry(peer, origin, seq, outbox_compacted_status(peers, peer, origin, seq));
        int rc = each(arg, &entry);
        if (rc != 0) return rc;
      }
  }
  return SYNC_OK;
}

int outbox_each(const struct peers *peers, int (*each)(void *arg, const struct sync_outbox_entry *entry), void *arg) {
  int compacted = outbox_each_compacted(peers, each, arg);
  if (compacted != SYNC_OK) return compacted;
  for (uint64_t ordinal = outbox_begin(peers); ordinal < oplog_end(&peers->state->oplog); ordinal++) {
    const struct oplog_entry *operation = oplog_at(&peers->state->oplog, ordinal);
    /* Of those that a merge jumped over, some may be in the log still: they were among the compacted ones. */
    if (!operation->origin->own_node || operation->seq <= operation->origin->floor) continue;
    for (uint32_t i = 0; i < peer_handles(peers); i++) {
      const struct peer *peer = peer_at(peers, i);
      if (peer == NULL || peer_holds(peer, operation->origin, operation->seq)) continue;
      struct sync_outbox_entry entry =
          outbox_entry(peer, operation->origin, operation->seq, outbox_status(peers, peer, ordinal));
      int rc = each(arg, &entry);
      if (rc != 0) return rc;
    }
  }
  return SYNC_OK;
}

struct sync_outbox_entry outbox_find(const struct peers *peers, const struct origin *origin, uint64_t seq,
                                     const struct peer *peer) {
  uint64_t ordinal = 0;
  enum sync_outbox_status status = outbox_compacted_status(peers, peer, origin, seq);
  if (peer_holds(peer, origin, seq))
    status = SYNC_OUTBOX_ACKNOWLEDGED;
  else if (oplog_find(&peers->state->oplog, origin, seq, &ordinal) != NULL)
    status = outbox_status(peers, peer, ordinal);
  return outbox_entry(peer, origin, seq, status);
}

/* Own operations that are on their way to it. */
static uint64_t outbox_in_flight(const struct peers *peers, const struct peer *peer) {
  uint64_t count = 0;
  for (uint32_t i = 0; i < peer->in_flight_count; i++) {
    const struct oplog_entry *entry = oplog_at(&peers->state->oplog, peer->in_flight[i]);
    if (entry->origin->own_node && !peer_holds(peer, entry->origin, entry->seq)) count++;
  }
  return count;
}

void outbox_add_counts(const struct peers *peers, const struct peer *peer, struct sync_outbox_counts *counts) {
  uint64_t owed = 0, pending = 0;
  for (size_t i = 0; i < origins_count(&peers->state->origins); i++) {
    const struct origin *origin = origins_at(&peers->state->origins, i);
    if (!origin->own_node) continue;
    uint64_t held = peer->known_session == 0 ? 0 : vector_get(&peer->known, origin->index);
    if (held > origin->applied) held = origin->applied;
    counts->acknowledged += held;
    owed += origin->applied - held;
    pending += origin->applied - (held > origin->durable ? held : origin->durable);
  }
  const bool parked = peer->state == SYNC_PEER_PARKED;
  const uint64_t in_flight = parked ? 0 : outbox_in_flight(peers, peer);
  counts->pending += pending;
  counts->in_flight += in_flight;
  *(parked ? &counts->failed : &counts->queued) += owed - pending - in_flight;
}

uint64_t outbox_owed(const struct peers *peers, const struct peer *peer) {
  uint64_t owed = 0;
  for (size_t i = 0; i < origins_count(&peers->state->origins); i++) {
    const struct origin *origin = origins_at(&peers->state->origins, i);
    uint64_t held = peer->known_session == 0 ? 0 : vector_get(&peer->known, origin->index);
    if (origin->applied > held) owed += origin->applied - held;
  }
  return owed;
}
