#include "core/peers/greeting.h"

#include "core/peers/feed.h"

#define GREETING_PEERS_MAX 512u /* that a HELLO names: half of the smallest frame */

/* --- Writing ---------------------------------------------------------------------- */

/* Dead lives that the birth of a listed one implies are left out, but not for
 * a peer that has shown that it does not know these births. */
static bool greeting_listed(const struct peer *peer, const struct origin *origin) {
  return origin->durable > 0 && (peer->list_all || origin->implied != origin->durable);
}

static size_t greeting_entry_size(const struct origin *origin) {
  size_t size = 8 + bytes_varint_size(origin->durable) + bytes_varint_size(origin->birth_count);
  for (size_t i = 0; i < origin->birth_count; i++)
    size += 8 + bytes_varint_size(origin->birth[i].seq);
  return size;
}

static void greeting_entry(struct bytes_writer *writer, const struct origin *origin) {
  bytes_write_u64(writer, origin->incarnation);
  bytes_write_varint(writer, origin->durable);
  bytes_write_varint(writer, origin->birth_count);
  for (size_t i = 0; i < origin->birth_count; i++) {
    bytes_write_u64(writer, origin->birth[i].origin->incarnation);
    bytes_write_varint(writer, origin->birth[i].seq);
  }
}

/* Writes the entries of one node, the sorted origins [from, to). Returns where
 * it stopped: below `to` when the frame is full. */
static size_t greeting_node(const struct peers *peers, const struct peer *peer, struct bytes_writer *writer,
                            size_t from, size_t to) {
  const struct origins *origins = &peers->state->origins;
  const struct origin *first = origins_sorted(origins, from);
  size_t room = writer->capacity - writer->size;
  size_t size = 1 + first->node_id_size + BYTES_VARINT_MAX;
  size_t count = 0;
  size_t end = from;
  for (; end < to; end++) {
    const struct origin *origin = origins_sorted(origins, end);
    if (!greeting_listed(peer, origin)) continue;
    size += greeting_entry_size(origin);
    if (size > room) break;
    count++;
  }
  if (count == 0) return end;
  bytes_write_u8(writer, (uint8_t)first->node_id_size);
  bytes_write(writer, first->node_id, first->node_id_size);
  bytes_write_varint(writer, hello_node_count(count, feed_wish(peers, peer, first)));
  for (size_t i = from; i < end; i++)
    if (greeting_listed(peer, origins_sorted(origins, i))) greeting_entry(writer, origins_sorted(origins, i));
  return end;
}

void greeting_write_peers(const struct peers *peers, struct bytes_writer *writer) {
  const uint32_t *tags = peers->tags.items;
  size_t count = peers->tags.count < GREETING_PEERS_MAX ? peers->tags.count : GREETING_PEERS_MAX;
  bytes_write_varint(writer, count);
  for (size_t i = 0; i < count; i++)
    bytes_write_u32(writer, tags[i]);
}

void greeting_write(struct peers *peers, struct peer *peer, struct bytes_writer *writer) {
  struct origins *origins = &peers->state->origins;
  origins_imply(origins);
  size_t count = origins_count(origins);
  size_t from = peer->list_from < count ? peer->list_from : 0;
  while (from < count) {
    size_t to = from + 1;
    while (to < count &&
           memcmp(origins_sorted(origins, to)->node_id, origins_sorted(origins, from)->node_id, NODE_ID_ROOM) == 0)
      to++;
    size_t end = greeting_node(peers, peer, writer, from, to);
    from = end;
    if (end < to) break;
  }
  peer->list_from = from < count ? from : 0;
  peer->list_all = false;
}

static bool greeting_same_node(const struct origin *a, const struct origin *b) {
  return memcmp(a->node_id, b->node_id, NODE_ID_ROOM) == 0;
}

bool greeting_write_some(const struct peers *peers, const struct peer *peer, size_t count,
                         struct bytes_writer *writer) {
  struct origin **some = peers->state->origins.work.items;
  for (size_t from = 0, to; from < count; from = to) {
    for (to = from + 1; to < count && greeting_same_node(some[from], some[to]);)
      to++;
    bytes_write_u8(writer, (uint8_t)some[from]->node_id_size);
    bytes_write(writer, some[from]->node_id, some[from]->node_id_size);
    bytes_write_varint(writer, hello_node_count(to - from, feed_wish(peers, peer, some[from])));
    for (size_t i = from; i < to; i++)
      greeting_entry(writer, some[i]);
  }
  return !writer->failed;
}

/* --- Hearing ---------------------------------------------------------------------- */

static int greeting_hear_peers(const struct peers *peers, struct peer *peer, struct bytes_reader tags) {
  size_t count = bytes_left(&tags) / sizeof(uint32_t);
  int rc = memory_array_reserve(peers->env, &peer->tags, sizeof(uint32_t), 4, count, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  uint32_t *items = peer->tags.items;
  for (size_t i = 0; i < count; i++)
    items[i] = bytes_read_u32(&tags);
  peer->tags.count = count;
  return SYNC_OK;
}

/* Whether nobody told of the life that is not known here a moment ago: who did is asked for it. */
static bool greeting_is_first(struct peers *peers, uint64_t incarnation) {
  struct peer_stranger *stranger = &peers->strangers[incarnation % PEER_STRANGERS];
  uint64_t now_ns = port_now(peers->env);
  uint64_t again_ns = time_add(stranger->heard_ns, peer_ask_again_ns(peers));
  if (stranger->incarnation == incarnation && now_ns < again_ns) return false;
  *stranger = (struct peer_stranger){.incarnation = incarnation, .heard_ns = now_ns};
  return true;
}

int greeting_hear_nodes(struct peers *peers, struct peer *peer, struct bytes_reader nodes) {
  int rc = vector_reserve(peers->env, &peers->heard, origins_count(&peers->state->origins));
  if (rc != SYNC_OK) return rc;
  peers->heard_lacking = peers->heard_unknown = peers->heard_first = false;
  vector_clear(&peers->heard);
  struct hello_walk walk = hello_walk_of(nodes);
  struct hello_entry entry;
  while (hello_next(&walk, &entry)) {
    const struct origin *origin =
        origins_find(&peers->state->origins, entry.node_id, entry.node_id_size, entry.incarnation);
    if (origin != NULL) {
      (void)vector_raise(&peers->heard, origin->index, entry.seq);
      if (entry.seq > origin->applied) peers->heard_lacking = true;
      feed_wished(peer, origin, entry.wish);
      feed_heard(peers, peer, origin, entry.seq);
    } else {
      peers->heard_unknown = true;
      if (greeting_is_first(peers, entry.incarnation)) peers->heard_first = true;
    }
    for (size_t i = 0; i < entry.birth_count; i++) {
      uint64_t incarnation;
      uint64_t seq;
      hello_next_birth(&entry.birth, &incarnation, &seq);
      const struct origin *elder = origins_find(&peers->state->origins, entry.node_id, entry.node_id_size, incarnation);
      if (elder != NULL) (void)vector_raise(&peers->heard, elder->index, seq);
    }
  }
  origins_complete(&peers->state->origins, &peers->heard);
  return SYNC_OK;
}

int greeting_hear(struct peers *peers, struct peer *peer, const struct hello *hello) {
  int rc = feed_reserve(peers, peer);
  if (rc == SYNC_OK) rc = greeting_hear_peers(peers, peer, hello->peers);
  if (rc == SYNC_OK) rc = greeting_hear_nodes(peers, peer, hello->nodes);
  return rc;
}

void greeting_believe(const struct peers *peers, struct peer *peer) {
  for (uint32_t i = 0; i < peers->heard.seqs.count; i++)
    (void)vector_raise(&peer->known, i, vector_get(&peers->heard, i));
}
