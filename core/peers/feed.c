#include "core/peers/feed.h"

int feed_reserve(struct peers *peers, struct peer *peer) {
  size_t writers = peers->state->origins.writers;
  int rc =
      memory_array_reserve(peers->env, &peers->feeds, sizeof(struct feed), FEED_NOMINAL_BYTES, writers, UINT32_MAX);
  if (rc == SYNC_OK) rc = memory_array_reserve(peers->env, &peer->wishes, 1, 1, writers, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  struct feed *feeds = peers->feeds.items;
  while (peers->feeds.count < writers)
    feeds[peers->feeds.count++] = (struct feed){0};
  uint8_t *wishes = peer->wishes.items;
  while (peer->wishes.count < writers)
    wishes[peer->wishes.count++] = HELLO_WISH_NONE;
  return SYNC_OK;
}

void feed_reset(struct peer *peer) {
  peer->wishes.count = 0;
}

struct feed *feed_of(const struct peers *peers, const struct origin *origin) {
  return origin->writer < peers->feeds.count ? (struct feed *)peers->feeds.items + origin->writer : NULL;
}

static bool feed_is_writer(const struct peer *peer, const struct origin *origin) {
  return memcmp(peer->node_id, origin->node_id, NODE_ID_ROOM) == 0;
}

/* Whether the peer said that the writer is a peer of its own. */
static bool feed_is_neighbour(const struct peer *peer, const struct origin *origin) {
  const uint32_t *tags = peer->tags.items;
  uint32_t tag = hello_peer_tag(origin->node_hash);
  size_t low = 0;
  size_t high = peer->tags.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (tags[middle] < tag)
      low = middle + 1;
    else
      high = middle;
  }
  return low < peer->tags.count && tags[low] == tag;
}

enum feed_push feed_push(const struct peer *peer, const struct origin *origin) {
  if (origin->own_node) return FEED_PUSH;
  uint8_t wish = origin->writer < peer->wishes.count ? ((const uint8_t *)peer->wishes.items)[origin->writer]
                                                     : (uint8_t)HELLO_WISH_NONE;
  if (wish != HELLO_WISH_NONE) return wish == HELLO_WISH_PUSH ? FEED_PUSH : FEED_HOLD;
  if (feed_is_neighbour(peer, origin)) return FEED_HOLD; /* it has them from their writer */
  if (feed_is_writer(peer, origin)) return FEED_TELL;
  return peer->tags.count > 0 && peer->tags.count <= FEED_FEW_LINKS ? FEED_PUSH : FEED_TELL;
}

enum hello_wish feed_wish(const struct peers *peers, const struct peer *peer, const struct origin *origin) {
  const struct feed *feed = feed_of(peers, origin);
  if (origin->own_node || feed == NULL || feed->feeder == 0) return HELLO_WISH_NONE;
  if (feed->feeder == peer->handle + 1) return HELLO_WISH_PUSH;
  return feed->before == peer->handle + 1 ? HELLO_WISH_NONE : HELLO_WISH_HOLD;
}

/* Who fed until now is not told to stop before the new one is seen to push. */
static void feed_move(struct feed *feed, const struct peer *to) {
  feed->before = feed->feeder;
  feed->feeder = to->handle + 1;
  feed->misses = 0;
}

void feed_heard(const struct peers *peers, struct peer *peer, const struct origin *origin, uint64_t seq) {
  struct feed *feed = feed_of(peers, origin);
  if (origin->own_node || feed == NULL) return;
  if (seq > origin->applied && feed->lacking_ns == 0) feed->lacking_ns = port_now(peers->env);
  if (feed->feeder == 0 || feed->feeder == peer->handle + 1) return;
  if (!feed_is_neighbour(peer, origin) || peer->state != SYNC_PEER_ACTIVE) return;
  const struct peer *feeder = peer_at(peers, feed->feeder - 1);
  if (feeder != NULL && (feed_is_writer(feeder, origin) || feed_is_neighbour(feeder, origin))) return;
  feed_move(feed, peer);
  peer_touch(peer, origin);
  peer_acknowledge(peers, peer);
}

void feed_wished(struct peer *peer, const struct origin *origin, enum hello_wish wish) {
  if (wish != HELLO_WISH_NONE) ((uint8_t *)peer->wishes.items)[origin->writer] = (uint8_t)wish;
}

/* Whether operations still come to be expected from the feeder. */
static bool feed_flows(const struct peers *peers, const struct feed *feed) {
  const struct peer *feeder = feed->feeder == 0 ? NULL : peer_at(peers, feed->feeder - 1);
  return feeder != NULL && feeder->state == SYNC_PEER_ACTIVE;
}

/* Whether an operation that came now was known of for so long that its feeder should have brought it. */
static bool feed_is_late(const struct peers *peers, struct feed *feed) {
  uint64_t since_ns = feed->lacking_ns;
  feed->lacking_ns = 0;
  return since_ns != 0 && port_now(peers->env) >= time_add(since_ns, peer_ask_wait_ns(peers));
}

bool feed_take(struct peers *peers, const struct peer *peer, const struct origin *origin, bool first) {
  struct feed *feed = feed_of(peers, origin);
  if (feed == NULL || origin->own_node) return false;
  bool late = first && feed_is_late(peers, feed);
  if (first) feed->moved_ns = port_now(peers->env);
  uint32_t from = peer->handle + 1;
  if (feed->feeder == from) {
    feed->misses = 0;
    feed->before = 0;
    return false;
  }
  if (feed_is_writer(peer, origin)) { /* it pushes its own in any case */
    feed_move(feed, peer);
    return false;
  }
  if (!first) return feed->feeder != 0 && feed->before != from;
  feed->misses += late ? FEED_MISSES_LATE : 1;
  if (feed_flows(peers, feed) && feed->misses < FEED_MISSES_MAX) return feed->before != from;
  feed_move(feed, peer);
  return false;
}
