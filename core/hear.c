#include "core/hear.h"

#include "core/ask.h"
#include "core/engine.h"
#include "core/fetch.h"

/* By what the peer is known to hold now. What a snapshot can help, it is told of. */
static void hear_judge_behind(struct sync_engine *engine, struct peer *peer, uint64_t now_ns) {
  bool before = peer->behind;
  peer_judge_behind(&engine->peers, peer);
  if (peer->behind == before) return;
  peer->fetch_id = peer->behind ? peer->fetch_id : 0;
  peer_schedule(&engine->peers, peer, now_ns);
}

/* What both frames say besides what is held. */
struct hear_told {
  uint8_t flags;
  bool more;           /* it goes on with what was told before */
  uint64_t operations; /* all of which it told of; 0: it told of some */
  uint64_t heard, wanted;
};

static void hear_told(struct sync_engine *engine, struct peer *peer, const struct hear_told *told, uint64_t now_ns) {
  struct peers *peers = &engine->peers;
  /* More than there are it can only say of an earlier run. */
  if (told->heard <= engine->state.oplog.durable + 1) peer_confirmed(peers, peer, told->heard, now_ns);
  peer->lacks = peer->lacks || peers->heard_lacking;
  peer->unknown = peers->heard_unknown || (told->more && peer->unknown);
  peer->unknown_among = origins_count(&engine->state.origins);
  /* What it told of lives that are not known here it is to tell again: nothing keeps it. */
  if (!peer->unknown && peer->heard_of < told->operations) peer->heard_of = told->operations;
  if ((told->flags & HELLO_FLAG_NEWS) != 0) peer_confirm(peers, peer, now_ns);
  ask_judge(engine, peer, told->operations);
  if (told->wanted > 0) push_asked(peers, peer, told->wanted);
  hear_judge_behind(engine, peer, now_ns);
  peer_full(peers, peer, (told->flags & HELLO_FLAG_FULL) != 0, now_ns);
  if ((told->flags & HELLO_FLAG_GAP) != 0 && !peer->is_full) peer_gap(peers, peer, now_ns);
}

/* Whether its session is the one that is known now, and what it holds with it. */
static bool hear_session(struct sync_engine *engine, struct peer *peer, const struct hello *hello, uint64_t now_ns) {
  if (peer->known_session == hello->session) {
    greeting_believe(&engine->peers, peer);
    peer_settle(&engine->peers, peer, now_ns);
    PORT_TRACE(engine->env, SYNC_TRACE_KNOWN, peer->handle, hello->session, 0);
    return true;
  }
  if (hello->echo == peer->my_nonce) {
    peer_new_session(&engine->peers, peer, hello->session, now_ns);
    greeting_believe(&engine->peers, peer);
    PORT_TRACE(engine->env, SYNC_TRACE_KNOWN, peer->handle, hello->session, 1);
    return true;
  }
  PORT_TRACE(engine->env, SYNC_TRACE_IGNORED_HELLO, peer->handle, hello->session);
  peer->hello_pending = true;
  return false;
}

/* Whether it is the last of its parts, and all of them came, one after the other. Parts of two lists are told
 * apart by what they tell of: of as much, both tell the same. */
static bool hear_parts(struct peer *peer, const struct hello *hello) {
  bool next = peer->parts_heard == hello->part && peer->parts_operations == hello->operations;
  peer->parts_heard = hello->part == 0 ? 1 : next && peer->parts_heard > 0 ? hello->part + 1 : 0;
  peer->parts_operations = hello->operations;
  if ((hello->flags & HELLO_FLAG_PART) != 0) return false;
  bool whole = peer->parts_heard > 0;
  peer->parts_heard = 0;
  return whole;
}

int hear_hello(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame, uint64_t now_ns) {
  struct hello hello;
  int rc = hello_parse(frame->body, frame->body_size, &hello);
  if (rc != SYNC_OK) return rc;
  if (hello.node_id_size != peer->node_id_size || memcmp(hello.node_id, peer->node_id, peer->node_id_size) != 0)
    return SYNC_E_PEER;
  if (hello.limits_hash != engine->limits_hash) return SYNC_E_LIMITS;
  /* What it wished in the run before it wishes no more. */
  if (peer->known_session != hello.session && hello.echo == peer->my_nonce) feed_reset(peer);
  rc = greeting_hear(&engine->peers, peer, &hello);
  if (rc == SYNC_OK) rc = vector_reserve(engine->env, &peer->known, origins_count(&engine->state.origins));
  if (rc != SYNC_OK) return rc;

  peer_alive(&engine->peers, peer, now_ns);
  peer->their_nonce = hello.nonce;
  bool known = hear_session(engine, peer, &hello, now_ns);
  bool knows_us = hello.known_session == engine->session;
  if (!knows_us || (hello.flags & HELLO_FLAG_ANSWER) != 0) peer->greet = peer->hello_pending = true;
  if (hello.snapshot_id != 0) fetch_offered(engine, peer, hello.session, hello.snapshot_id, hello.snapshot_size);
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (!known) return SYNC_OK;
  peer->knows_us = knows_us;
  peer->lives = hello.lives;
  peer->heard = (uint32_t)origins_count(&engine->state.origins);
  /* What it heard of, and wants, it says of the run that it knows. */
  struct hear_told told = {.flags = hello.flags,
                           .more = hello.part > 0,
                           .operations = hear_parts(peer, &hello) ? hello.operations : 0,
                           .heard = knows_us ? hello.heard : 0,
                           .wanted = knows_us ? hello.wanted : 0};
  hear_told(engine, peer, &told, now_ns);
  return SYNC_OK;
}

/* It speaks of a run that is over, or of lives that cannot be told: HELLOs say it all. */
static int hear_nothing(struct peer *peer) {
  peer->ask = true;
  peer->hello_pending = true;
  return SYNC_OK;
}

int hear_news(struct sync_engine *engine, struct peer *peer, const struct frame_view *frame, uint64_t now_ns) {
  struct news news;
  int rc = news_parse(frame->body, frame->body_size, &news);
  if (rc != SYNC_OK) return rc;
  peer_alive(&engine->peers, peer, now_ns);
  if (peer->known_session != news.session || news.known_tag != (uint32_t)engine->session) return hear_nothing(peer);
  peer->knows_us = true;
  rc = telling_hear(&engine->peers, peer, &news);
  if (rc == SYNC_E_NOT_FOUND) return hear_nothing(peer);
  if (rc != SYNC_OK) return rc;
  if ((news.flags & NEWS_FLAG_VECTOR) != 0 && telling_is_settled(&engine->peers)) {
    if (news.vector == engine->state.origins.digest) {
      telling_believe_all(&engine->peers, peer);
      peer_idle_heard(&engine->peers, peer, now_ns);
    } else {
      (void)hear_nothing(peer);
    }
  }
  peer_settle(&engine->peers, peer, now_ns);
  PORT_TRACE(engine->env, SYNC_TRACE_KNOWN, peer->handle, news.session, 0);
  struct hear_told told = {.flags = news.flags,
                           .operations = news.since > 0 && news.since <= peer->heard_of ? news.operations : 0,
                           .heard = news.heard,
                           .wanted = news.wanted};
  hear_told(engine, peer, &told, now_ns);
  return SYNC_OK;
}
