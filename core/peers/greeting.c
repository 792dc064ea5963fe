#include "core/peers/greeting.h"

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
static size_t greeting_node(const struct origins *origins, const struct peer *peer, struct bytes_writer *writer,
                            size_t from, size_t to) {
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
  bytes_write_varint(writer, count);
  for (size_t i = from; i < end; i++)
    if (greeting_listed(peer, origins_sorted(origins, i))) greeting_entry(writer, origins_sorted(origins, i));
  return end;
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
    size_t end = greeting_node(origins, peer, writer, from, to);
    from = end;
    if (end < to) break;
  }
  peer->list_from = from < count ? from : 0;
  peer->list_all = false;
}

/* --- Hearing ---------------------------------------------------------------------- */

int greeting_hear(struct peers *peers, const struct hello *hello) {
  int rc = vector_reserve(peers->env, &peers->heard, origins_count(&peers->state->origins));
  if (rc != SYNC_OK) return rc;
  vector_clear(&peers->heard);
  struct hello_walk walk = hello_walk_of(hello);
  struct hello_entry entry;
  while (hello_next(&walk, &entry)) {
    const struct origin *origin =
        origins_find(&peers->state->origins, entry.node_id, entry.node_id_size, entry.incarnation);
    if (origin != NULL) (void)vector_raise(&peers->heard, origin->index, entry.seq);
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

void greeting_believe(const struct peers *peers, struct peer *peer) {
  for (uint32_t i = 0; i < peers->heard.seqs.count; i++)
    (void)vector_raise(&peer->known, i, vector_get(&peers->heard, i));
}
