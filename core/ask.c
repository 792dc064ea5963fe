#include "core/ask.h"

#include "core/engine.h"
#include "core/pending.h"

#define ASK_PUT_OFF_MAX 4u  /* what is lacking comes, or not: operations of others that come are no reason to wait */
#define ASK_FORGET_SHARE 8u /* of the longest answer, at each that comes */

/* Whether a writer's operations may be asked for: nobody was asked just now, and none came. */
static bool ask_is_quiet(const struct sync_engine *engine, uint64_t moved_ns, uint64_t now_ns) {
  return moved_ns == 0 || now_ns >= time_add(moved_ns, peer_ask_again_ns(&engine->peers));
}

struct ask_lack {
  bool any;   /* the peer holds something that is not here, */
  bool feeds; /* ... some of it of writers whose operations come from this peer, */
  bool fed;   /* ... all of it is of writers whose operations come from some peer, */
  bool quiet; /* ... and some of it may be asked for now */
};

/* Whether it told of lives that are not known here, and for which it was not asked yet. */
static bool ask_unknown(const struct sync_engine *engine, const struct peer *peer) {
  return peer->unknown && peer->unknown_among == origins_count(&engine->state.origins);
}

static struct ask_lack ask_lack(const struct sync_engine *engine, const struct peer *peer, uint64_t now_ns) {
  bool waits = pending_has(engine, peer->handle);
  const bool unknown = ask_unknown(engine, peer);
  struct ask_lack lack = {.any = unknown || waits, .fed = !unknown};
  lack.quiet = unknown || (waits && ask_is_quiet(engine, engine->peers.causes_asked_ns, now_ns));
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_at(&engine->state.origins, i);
    if (vector_get(&peer->known, origin->index) <= origin->applied) continue;
    const struct feed *feed = feed_of(&engine->peers, origin);
    lack.any = true;
    lack.fed = lack.fed && feed != NULL && feed->feeder != 0;
    lack.feeds = lack.feeds || (feed != NULL && feed->feeder == peer->handle + 1);
    lack.quiet = lack.quiet || feed == NULL || ask_is_quiet(engine, feed->moved_ns, now_ns);
  }
  return lack;
}

void ask_answered(const struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  peer->useful_ns = now_ns;
  if (peer->asked_ns == 0) return;
  uint64_t took_ns = now_ns - peer->asked_ns;
  peer->asked_ns = 0;
  peer->answer_ns -= peer->answer_ns / ASK_FORGET_SHARE;
  if (peer->answer_ns < took_ns) peer->answer_ns = took_ns;
  if (peer->answer_ns > engine->options.ack_timeout_ns / 2) peer->answer_ns = engine->options.ack_timeout_ns / 2;
}

/* Somebody is asked for all that the peer holds and that is not here. */
static void ask_note(struct sync_engine *engine, const struct peer *peer, uint64_t now_ns) {
  engine->peers.causes_asked_ns = now_ns;
  for (size_t i = 0; i < origins_count(&engine->state.origins); i++) {
    const struct origin *origin = origins_at(&engine->state.origins, i);
    struct feed *feed = feed_of(&engine->peers, origin);
    if (feed != NULL && vector_get(&peer->known, origin->index) > origin->applied) feed->moved_ns = now_ns;
  }
}

/* Operations come from it: those that are lacking may be on their way. */
static bool ask_flows(const struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  uint64_t until_ns = time_add(peer->useful_ns, peer_ask_again_ns(&engine->peers));
  if (peer->useful_ns == 0 || now_ns >= until_ns || peer->put_off >= ASK_PUT_OFF_MAX) return false;
  peer->put_off++;
  peer->ask_due_ns = until_ns;
  return true;
}

/* What comes from it later is no answer. */
static void ask_done(struct peer *peer) {
  peer->put_off = 0;
  peer->lacks = false;
  peer->lacking = 0;
  peer->asks = 0;
  peer->asked_ns = 0;
  peer->ask_due_ns = SYNC_NO_DEADLINE;
}

static void ask_by(struct peer *peer, uint64_t operations, uint64_t due_ns) {
  if (peer->lacking < operations) peer->lacking = operations;
  if (due_ns < peer->ask_due_ns) peer->ask_due_ns = due_ns;
}

void ask_judge(struct sync_engine *engine, struct peer *peer, uint64_t operations) {
  uint64_t now_ns = port_now(engine->env);
  bool lacks = peer->lacks || peer->unknown; /* else there is nothing to be looked for among all lives */
  if (peer->lacking == 0 && (operations == 0 || !lacks)) return;
  struct ask_lack lack = ask_lack(engine, peer, now_ns);
  if (!lack.any) {
    ask_done(peer);
    return;
  }
  if (peer->asks > 0) { /* it was asked already: again when that is due */
    if (peer->lacking < operations) peer->lacking = operations;
    return;
  }
  uint64_t wait_ns = lack.fed ? peer_ask_wait_ns(&engine->peers) : 0;
  if (lack.feeds) wait_ns *= 2;                    /* others first: its own did not come */
  if (peer->unknown && !engine->peers.heard_first) /* another one is asked */
    wait_ns = peer_ask_again_ns(&engine->peers);
  ask_by(peer, operations, time_add(now_ns, wait_ns));
}

void ask_causes(struct sync_engine *engine, struct peer *peer, uint64_t operations) {
  if (operations == 0) return;
  ask_by(peer, operations, time_add(port_now(engine->env), peer_ask_wait_ns(&engine->peers)));
}

/* The wait for an answer, doubled each time in a row, up to that for an acknowledgement. */
static uint64_t ask_wait_ns(const struct sync_engine *engine, const struct peer *peer) {
  uint64_t wait_ns = peer_ask_again_ns(&engine->peers);
  if (wait_ns < 2 * peer->answer_ns) wait_ns = 2 * peer->answer_ns; /* of a slow line */
  for (uint32_t i = 1; i < peer->asks && wait_ns < engine->options.ack_timeout_ns; i++)
    wait_ns *= 2;
  return wait_ns;
}

static void ask_peer(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  struct ask_lack lack = ask_lack(engine, peer, now_ns);
  if (!lack.any || peer->state != SYNC_PEER_ACTIVE || peer->known_session == 0) {
    ask_done(peer); /* one that comes back tells what it holds */
    return;
  }
  if (!lack.quiet || engine->stats.full) {
    peer->ask_due_ns = time_add(now_ns, peer_ask_again_ns(&engine->peers));
    return;
  }
  if (peer->asks > 0 && ask_flows(engine, peer, now_ns)) return;
  peer->put_off = 0;
  peer->wanted = peer->lacking;
  peer->hello_pending = peer->tell_all = true; /* so that it sends nothing else */
  peer->asks++;
  peer->asked_ns = now_ns;
  peer->ask_due_ns = time_add(now_ns, ask_wait_ns(engine, peer));
  ask_note(engine, peer, now_ns);
  peer->unknown = false; /* it is told again if they do not come */
}

static void ask_due(struct sync_engine *engine, bool again, uint64_t now_ns) {
  for (uint32_t i = 0; i < peer_handles(&engine->peers); i++) {
    struct peer *peer = peer_at(&engine->peers, i);
    if (peer == NULL || peer->held) continue;
    if (peer->ask_due_ns <= now_ns && (peer->asks > 0) == again) ask_peer(engine, peer, now_ns);
  }
}

void ask_run(struct sync_engine *engine, uint64_t now_ns) {
  ask_due(engine, false, now_ns); /* another one before one that was asked and did not answer */
  ask_due(engine, true, now_ns);
}
