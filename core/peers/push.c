#include "core/peers/push.h"

#include "core/peers/feed.h"

/* The first place in flight that is not below the ordinal. */
static uint32_t push_place(const struct peer *peer, uint64_t ordinal) {
  uint32_t low = 0;
  uint32_t high = peer->in_flight_count;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (peer->in_flight[middle] < ordinal)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

bool push_in_flight(const struct peer *peer, uint64_t ordinal) {
  uint32_t place = push_place(peer, ordinal);
  return place < peer->in_flight_count && peer->in_flight[place] == ordinal;
}

static void push_tell(struct peers *peers, struct peer *peer) {
  if (peer->tell_due_ns == SYNC_NO_DEADLINE) peer_tell_by(peer, time_add(port_now(peers->env), peer_tell_ns(peers)));
}

/* It is not pushed, only told. */
static void push_pass(struct peers *peers, struct peer *peer, bool at_once) {
  bool owed = peer_owes_answer(peer);
  peer->passed = peer->cursor + 2;
  /* Who does not answer is greeted as the backoff allows, and told then. */
  if (at_once && peer->state == SYNC_PEER_ACTIVE)
    peer->hello_pending = peer->tell_all = true;
  else
    push_tell(peers, peer);
  if (!owed && peer->state == SYNC_PEER_ACTIVE) peer_schedule(peers, peer, port_now(peers->env));
}

/* It said when it asked that it held this, though not durably. */
static bool push_in_hand(const struct peer *peer, const struct oplog_entry *entry) {
  return vector_get(&peer->hand, entry->origin->index) >= entry->seq;
}

/* What it asked for; NULL: there is no more of it. */
static const struct oplog_entry *push_answer(const struct peers *peers, struct peer *peer) {
  for (; peer->answer < peer->answer_end; peer->answer++) {
    const struct oplog_entry *entry = oplog_at(&peers->state->oplog, peer->answer);
    if (peer_holds(peer, entry->origin, entry->seq) || push_in_flight(peer, peer->answer)) continue;
    if (push_in_hand(peer, entry)) continue;
    /* Who asks and did not say where it has them from has them from nobody. */
    if (feed_push(peer, entry->origin) == FEED_TELL && entry->origin->writer < peer->wishes.count)
      feed_wished(peer, entry->origin, HELLO_WISH_PUSH);
    return entry;
  }
  return NULL;
}

const struct oplog_entry *push_next(struct peers *peers, struct peer *peer) {
  if (peer->known_session == 0 || peer->state == SYNC_PEER_PARKED || peer->stalled || peer->behind) return NULL;
  if (peer->in_flight_count >= peer->allowance) return NULL;
  const struct oplog_entry *entry = push_answer(peers, peer);
  if (entry != NULL) return entry;
  for (; peer->cursor < peers->state->oplog.durable; peer->cursor++) {
    entry = oplog_at(&peers->state->oplog, peer->cursor);
    if (peer_holds(peer, entry->origin, entry->seq)) {
      if (peer->told < peer->cursor + 2) push_tell(peers, peer); /* that it is held here too */
      continue;
    }
    if (push_in_flight(peer, peer->cursor)) continue;
    enum feed_push push = feed_push(peer, entry->origin);
    if (push == FEED_PUSH) return entry;
    push_pass(peers, peer, push == FEED_TELL);
  }
  return NULL;
}

void push_sent(struct peer *peer) {
  uint64_t ordinal = peer->answer < peer->answer_end ? peer->answer++ : peer->cursor++;
  uint32_t place = push_place(peer, ordinal);
  memmove(peer->in_flight + place + 1, peer->in_flight + place,
          (peer->in_flight_count - place) * sizeof *peer->in_flight);
  peer->in_flight[place] = ordinal;
  peer->in_flight_count++;
}

void push_asked(const struct peers *peers, struct peer *peer, uint64_t wanted) {
  const struct oplog *oplog = &peers->state->oplog;
  peer->answer = peer_held_end(peers, peer);
  peer->answer_end = wanted - 1 < oplog->durable ? wanted - 1 : oplog->durable;
  /* What was sent before, and is not held, did not come; unless that was a moment ago, when it asked last. */
  uint64_t now_ns = port_now(peers->env);
  bool soon = peer->answered_ns != 0 && now_ns < time_add(peer->answered_ns, peer_ask_again_ns(peers) * 4 / 3);
  if (soon) return;
  peer->answered_ns = now_ns;
  uint32_t kept = 0;
  for (uint32_t i = 0; i < peer->in_flight_count; i++)
    if (peer->in_flight[i] >= peer->answer_end || push_in_hand(peer, oplog_at(oplog, peer->in_flight[i])))
      peer->in_flight[kept++] = peer->in_flight[i];
  peer->in_flight_count = kept;
}
