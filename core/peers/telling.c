#include "core/peers/telling.h"

#include "core/peers/feed.h"
#include "core/peers/greeting.h"

#define TELLING_SORT_MAX 32u  /* more are put in order by a walk through all lives */
#define TELLING_NEWEST_MAX 8u /* lives that came last here, which the sender may not know yet */

/* --- Choosing --------------------------------------------------------------------- */

static void telling_add(struct peers *peers, struct origin *origin, uint64_t stamp, size_t *count) {
  if (origin->stamp == stamp || origin->durable == 0) return;
  origin->stamp = stamp;
  ((struct origin **)peers->state->origins.work.items)[(*count)++] = origin;
}

/* What became durable since the peer heard last. */
static void telling_add_since(struct peers *peers, const struct peer *peer, uint64_t stamp, size_t *count) {
  const struct oplog *oplog = &peers->state->oplog;
  for (uint64_t ordinal = peer->confirmed - 1; ordinal < oplog->durable; ordinal++)
    telling_add(peers, oplog_at(oplog, ordinal)->origin, stamp, count);
}

/* By rank. */
static void telling_sort(struct peers *peers, uint64_t stamp, size_t count) {
  struct origins *origins = &peers->state->origins;
  struct origin **work = origins->work.items;
  origins_rank(origins);
  if (count > TELLING_SORT_MAX) {
    size_t kept = 0;
    for (size_t i = 0; i < origins_count(origins); i++)
      if (origins_sorted(origins, i)->stamp == stamp) work[kept++] = origins_sorted(origins, i);
    return;
  }
  for (size_t i = 1; i < count; i++) {
    struct origin *moving = work[i];
    size_t to = i;
    for (; to > 0 && work[to - 1]->rank > moving->rank; to--)
      work[to] = work[to - 1];
    work[to] = moving;
  }
}

bool telling_choose(struct peers *peers, const struct peer *peer, struct telling *telling) {
  struct origins *origins = &peers->state->origins;
  const struct oplog *oplog = &peers->state->oplog;
  if (peer->known_session == 0 || !peer->knows_us || peer->list_all) return false;
  if (peer->confirmed == 0 || peer->confirmed - 1 < oplog->base) return false;
  uint64_t stamp = origins_stamp(origins);
  *telling = (struct telling){.ranks = peer->lives == origins->durable_lives};
  for (uint32_t i = 0; i < peer->touched_count; i++)
    telling_add(peers, origins_at(origins, peer->touched[i]), stamp, &telling->count);
  telling->all = peer->tell_all || oplog->durable - (peer->confirmed - 1) <= TELLING_FEW;
  if (telling->all) telling_add_since(peers, peer, stamp, &telling->count);
  telling_sort(peers, stamp, telling->count);
  return true;
}

bool telling_is_settled(const struct peers *peers) {
  const struct oplog *oplog = &peers->state->oplog;
  return oplog->durable == oplog_end(oplog) && oplog->jumps.count == 0;
}

/* --- Writing ---------------------------------------------------------------------- */

static bool telling_write_ranks(const struct peers *peers, const struct peer *peer, const struct telling *telling,
                                struct bytes_writer *writer) {
  struct origin **work = peers->state->origins.work.items;
  uint64_t next = 0;
  for (size_t i = 0; i < telling->count; i++) {
    struct news_entry entry = {.rank = work[i]->rank, .seq = work[i]->durable, .wish = feed_wish(peers, peer, work[i])};
    news_write_entry(writer, &next, &entry);
  }
  return !writer->failed;
}

bool telling_write(const struct peers *peers, const struct peer *peer, const struct telling *telling,
                   struct bytes_writer *writer) {
  if (telling->ranks) return telling_write_ranks(peers, peer, telling, writer);
  return greeting_write_some(peers, peer, telling->count, writer);
}

static bool telling_in_hand(const struct origin *origin) {
  return origin->durable > 0 && origin->applied > origin->durable;
}

bool telling_write_hand(const struct peers *peers, const struct telling *telling, struct bytes_writer *writer) {
  const struct origins *origins = &peers->state->origins;
  size_t lives = telling->ranks ? origins_count(origins) : 0, count = 0;
  for (size_t i = 0; i < lives; i++)
    count += telling_in_hand(origins_sorted(origins, i));
  bytes_write_varint(writer, count);
  uint64_t next = 0;
  for (size_t i = 0; i < lives; i++) {
    const struct origin *origin = origins_sorted(origins, i);
    if (telling_in_hand(origin))
      news_write_entry(writer, &next, &(struct news_entry){.rank = origin->rank, .seq = origin->applied});
  }
  return !writer->failed;
}

/* --- Hearing ---------------------------------------------------------------------- */

/* How many of the lives that came last the sender does not know; -1: others than these. */
static int telling_newer(const struct origins *origins, uint64_t lives) {
  uint64_t digest = origins->durable_lives;
  size_t count = origins_count(origins);
  for (size_t i = origins->durable_count; i < count; i++)
    digest += origin_life_hash(origins_at(origins, i));
  for (size_t newer = 0; newer <= TELLING_NEWEST_MAX; newer++) {
    if (digest == lives) return (int)newer;
    if (newer == count) return -1;
    digest -= origin_life_hash(origins_at(origins, count - 1 - newer));
  }
  return -1;
}

/* A walk through the lives that a sender knows, by rank. */
struct telling_walk {
  const struct origins *origins;
  size_t known; /* the first ones here, by index */
  bool all;     /* that is all that are known here */
  uint64_t rank;
  size_t place; /* of that rank, or of one before it */
};

/* Ranks ascend from call to call. */
static const struct origin *telling_ranked(struct telling_walk *walk, uint64_t rank) {
  if (walk->all) return origins_sorted(walk->origins, (size_t)rank);
  for (;; walk->place++) {
    if (origins_sorted(walk->origins, walk->place)->index >= walk->known) continue;
    if (walk->rank == rank) return origins_sorted(walk->origins, walk->place);
    walk->rank++;
  }
}

static bool telling_knows(struct bytes_reader entries, size_t known) {
  struct news_entry entry;
  uint64_t next = 0;
  while (news_next(&entries, &next, &entry))
    if (entry.rank >= known) return false;
  return true;
}

static int telling_hear_ranks(struct peers *peers, struct peer *peer, const struct news *news) {
  struct origins *origins = &peers->state->origins;
  int newer = telling_newer(origins, news->lives);
  if (newer < 0) return SYNC_E_NOT_FOUND;
  const struct telling_walk begin = {
      .origins = origins, .known = origins_count(origins) - (size_t)newer, .all = newer == 0};
  if (!telling_knows(news->entries, begin.known) || !telling_knows(news->hand, begin.known)) return SYNC_E_NOT_FOUND;
  struct telling_walk walk = begin;
  struct news_entry entry;
  uint64_t next = 0;
  for (struct bytes_reader entries = news->entries; news_next(&entries, &next, &entry);) {
    const struct origin *origin = telling_ranked(&walk, entry.rank);
    (void)vector_raise(&peer->known, origin->index, entry.seq);
    if (entry.seq > origin->applied) peers->heard_lacking = true;
    feed_wished(peer, origin, entry.wish);
    feed_heard(peers, peer, origin, entry.seq);
  }
  walk = begin;
  next = 0;
  for (struct bytes_reader hand = news->hand; news_next(&hand, &next, &entry);)
    (void)vector_raise(&peer->hand, telling_ranked(&walk, entry.rank)->index, entry.seq);
  return SYNC_OK;
}

int telling_hear(struct peers *peers, struct peer *peer, const struct news *news) {
  struct origins *origins = &peers->state->origins;
  int rc = vector_reserve(peers->env, &peer->known, origins_count(origins));
  if (rc == SYNC_OK) rc = feed_reserve(peers, peer);
  if (rc == SYNC_OK && news->hand_count > 0) rc = vector_reserve(peers->env, &peer->hand, origins_count(origins));
  if (rc != SYNC_OK) return rc;
  peers->heard_lacking = peers->heard_unknown = peers->heard_first = false;
  peer->lives = news->lives;
  if ((news->flags & NEWS_FLAG_RANKS) != 0) return telling_hear_ranks(peers, peer, news);
  rc = greeting_hear_nodes(peers, peer, news->entries);
  if (rc == SYNC_OK) greeting_believe(peers, peer);
  return rc;
}

void telling_believe_all(const struct peers *peers, struct peer *peer) {
  const struct origins *origins = &peers->state->origins;
  for (size_t i = 0; i < origins_count(origins); i++)
    (void)vector_raise(&peer->known, origins_at(origins, i)->index, origins_at(origins, i)->durable);
}
