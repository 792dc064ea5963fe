#include "core/wire/frame.h"

/* Of a cluster: the tag that each frame bears, and what its checksum begins with. */
static uint64_t frame_seed(const uint8_t *cluster_id) {
  return checksum64(cluster_id, SYNC_CLUSTER_ID_BYTES, 0);
}

struct bytes_writer frame_begin(void *buffer, size_t capacity) {
  struct bytes_writer writer = bytes_writer_to(buffer, capacity);
  (void)bytes_room(&writer, FRAME_HEADER_BYTES);
  return writer;
}

size_t frame_finish(struct bytes_writer *writer, enum frame_type type, const uint8_t *cluster_id) {
  uint8_t *at = writer->bytes;
  uint64_t seed = frame_seed(cluster_id);
  at[0] = 'S';
  at[1] = 'Y';
  at[2] = FRAME_VERSION;
  at[3] = (uint8_t)type;
  bytes_put_u32(at + 4, (uint32_t)seed);
  bytes_put_u64(at + writer->size, checksum64(at, writer->size, seed));
  return writer->size + FRAME_TRAILER_BYTES;
}

int frame_parse(const void *bytes, size_t size, const uint8_t *cluster_id, struct frame_view *view) {
  const uint8_t *at = bytes;
  if (size < FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES) return SYNC_E_CORRUPT;
  size_t checked = size - FRAME_TRAILER_BYTES;
  if (at[0] != 'S' || at[1] != 'Y') return SYNC_E_CORRUPT;
  uint64_t seed = frame_seed(cluster_id);
  /* What another cluster sealed cannot be checked here. */
  if (bytes_get_u32(at + 4) != (uint32_t)seed) return SYNC_E_CLUSTER;
  if (bytes_get_u64(at + checked) != checksum64(at, checked, seed)) return SYNC_E_CORRUPT;
  if (at[2] != FRAME_VERSION) return SYNC_E_VERSION;
  view->type = at[3];
  if (view->type < FRAME_HELLO || view->type > FRAME_NEWS) return SYNC_E_CORRUPT;
  view->body = at + FRAME_HEADER_BYTES;
  view->body_size = checked - FRAME_HEADER_BYTES;
  return SYNC_OK;
}

void hello_set_part(struct bytes_writer *writer, const struct hello *hello) {
  size_t flags_at = FRAME_HEADER_BYTES + 8u + 1u + hello->node_id_size + 4u * 8u;
  writer->bytes[flags_at] |= HELLO_FLAG_PART;
}

void hello_write_head(struct bytes_writer *writer, const struct hello *hello) {
  bytes_write_u64(writer, hello->limits_hash);
  bytes_write_u8(writer, (uint8_t)hello->node_id_size);
  bytes_write(writer, hello->node_id, hello->node_id_size);
  bytes_write_u64(writer, hello->session);
  bytes_write_u64(writer, hello->nonce);
  bytes_write_u64(writer, hello->echo);
  bytes_write_u64(writer, hello->known_session);
  bytes_write_u8(writer, hello->flags);
  bytes_write_u64(writer, hello->snapshot_id);
  bytes_write_varint(writer, hello->snapshot_size);
  bytes_write_varint(writer, hello->part);
  bytes_write_varint(writer, hello->operations);
  bytes_write_varint(writer, hello->heard);
  bytes_write_varint(writer, hello->wanted);
  bytes_write_u64(writer, hello->lives);
}

void hello_next_birth(struct bytes_reader *birth, uint64_t *incarnation, uint64_t *seq) {
  *incarnation = bytes_read_u64(birth);
  *seq = bytes_read_varint(birth);
}

bool hello_next(struct hello_walk *walk, struct hello_entry *entry) {
  struct bytes_reader *reader = &walk->reader;
  if (walk->entries_left == 0) {
    if (bytes_left(reader) == 0) return false;
    walk->node_id_size = bytes_read_u8(reader);
    walk->node_id = bytes_take(reader, walk->node_id_size);
    uint64_t head = bytes_read_varint(reader);
    walk->entries_left = head >> 2;
    walk->wish = (enum hello_wish)(head & 3u);
    if (walk->entries_left == 0 || walk->wish > HELLO_WISH_HOLD) reader->failed = true;
  }
  walk->entries_left--;
  entry->wish = walk->wish;
  entry->node_id = walk->node_id;
  entry->node_id_size = walk->node_id_size;
  entry->incarnation = bytes_read_u64(reader);
  entry->seq = bytes_read_varint(reader);
  entry->birth_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / 9);
  entry->birth = *reader;
  for (size_t i = 0; i < entry->birth_count; i++) {
    uint64_t incarnation;
    uint64_t seq;
    hello_next_birth(reader, &incarnation, &seq);
  }
  return !reader->failed;
}

/* Nodes ascend, incarnations ascend within a node, births within an entry. */
bool hello_check_nodes(struct bytes_reader nodes) {
  struct hello_walk walk = hello_walk_of(nodes);
  struct hello_entry last = {0};
  struct hello_entry entry;
  while (hello_next(&walk, &entry)) {
    if (entry.incarnation == 0 || entry.seq == 0) return false;
    if (entry.node_id == last.node_id) {
      if (entry.incarnation <= last.incarnation) return false;
    } else if (!node_id_valid(entry.node_id, entry.node_id_size)) {
      return false;
    } else if (last.node_id != NULL) {
      size_t shorter = last.node_id_size < entry.node_id_size ? last.node_id_size : entry.node_id_size;
      int order = memcmp(last.node_id, entry.node_id, shorter);
      if (order > 0 || (order == 0 && last.node_id_size >= entry.node_id_size)) return false;
    }
    uint64_t last_incarnation = 0;
    for (size_t i = 0; i < entry.birth_count; i++) {
      uint64_t incarnation;
      uint64_t seq;
      hello_next_birth(&entry.birth, &incarnation, &seq);
      if (incarnation <= last_incarnation || incarnation == entry.incarnation || seq == 0) return false;
      last_incarnation = incarnation;
    }
    last = entry;
  }
  return bytes_read_all(&walk.reader) && walk.entries_left == 0;
}

int hello_parse(const uint8_t *body, size_t size, struct hello *hello) {
  struct bytes_reader reader = bytes_reader_of(body, size);
  hello->limits_hash = bytes_read_u64(&reader);
  hello->node_id_size = bytes_read_u8(&reader);
  hello->node_id = bytes_take(&reader, hello->node_id_size);
  hello->session = bytes_read_u64(&reader);
  hello->nonce = bytes_read_u64(&reader);
  hello->echo = bytes_read_u64(&reader);
  hello->known_session = bytes_read_u64(&reader);
  hello->flags = bytes_read_u8(&reader);
  hello->snapshot_id = bytes_read_u64(&reader);
  hello->snapshot_size = bytes_read_varint(&reader);
  hello->part = bytes_read_varint(&reader);
  hello->operations = bytes_read_varint(&reader);
  hello->heard = bytes_read_varint(&reader);
  hello->wanted = bytes_read_varint(&reader);
  hello->lives = bytes_read_u64(&reader);
  size_t tags = (size_t)bytes_read_varint_max(&reader, bytes_left(&reader) / 4) * 4;
  const uint8_t *tags_at = bytes_take(&reader, tags);
  if (reader.failed) return SYNC_E_CORRUPT;
  hello->peers = bytes_reader_of(tags_at, tags);
  if (reader.failed || !node_id_valid(hello->node_id, hello->node_id_size)) return SYNC_E_CORRUPT;
  if (hello->session == 0 || hello->nonce == 0) return SYNC_E_CORRUPT;
  if ((hello->snapshot_id == 0) != (hello->snapshot_size == 0)) return SYNC_E_CORRUPT;
  if ((hello->flags & ~(HELLO_FLAG_GAP | HELLO_FLAG_FULL | HELLO_FLAG_ANSWER | HELLO_FLAG_NEWS | HELLO_FLAG_PART)) != 0)
    return SYNC_E_CORRUPT;
  uint32_t tag = 0;
  for (struct bytes_reader left = hello->peers; bytes_left(&left) > 0;) {
    uint32_t before = tag;
    tag = bytes_read_u32(&left);
    if (tag < before) return SYNC_E_CORRUPT;
  }
  hello->nodes = reader;
  return hello_check_nodes(hello->nodes) ? SYNC_OK : SYNC_E_CORRUPT;
}

void fetch_write(struct bytes_writer *writer, const struct fetch_request *request) {
  bytes_write_u64(writer, request->id);
  bytes_write_u64(writer, request->offset);
  bytes_write_u64(writer, request->until);
  bytes_write_u8(writer, request->flags);
}

int fetch_parse(const uint8_t *body, size_t size, struct fetch_request *request) {
  struct bytes_reader reader = bytes_reader_of(body, size);
  request->id = bytes_read_u64(&reader);
  request->offset = bytes_read_u64(&reader);
  request->until = bytes_read_u64(&reader);
  request->flags = bytes_read_u8(&reader);
  if (!bytes_read_all(&reader) || request->id == 0 || request->offset >= request->until) return SYNC_E_CORRUPT;
  return (request->flags & ~FETCH_FLAG_LOST) == 0 ? SYNC_OK : SYNC_E_CORRUPT;
}

void block_write_head(struct bytes_writer *writer, uint64_t id, uint64_t offset, uint64_t size) {
  bytes_write_u64(writer, id);
  bytes_write_u64(writer, offset);
  bytes_write_u64(writer, size);
}

int block_parse(const uint8_t *body, size_t size, struct block_frame *block) {
  struct bytes_reader reader = bytes_reader_of(body, size);
  block->id = bytes_read_u64(&reader);
  block->offset = bytes_read_u64(&reader);
  block->size = bytes_read_u64(&reader);
  block->bytes_size = bytes_left(&reader);
  block->bytes = bytes_take(&reader, block->bytes_size);
  if (reader.failed || block->id == 0 || block->bytes_size == 0) return SYNC_E_CORRUPT;
  return block->offset < block->size && block->bytes_size <= block->size - block->offset ? SYNC_OK : SYNC_E_CORRUPT;
}

void ops_write_head(struct bytes_writer *writer, uint64_t session, uint64_t operations) {
  bytes_write_u64(writer, session);
  bytes_write_u8(writer, 0);
  bytes_write_varint(writer, operations);
}

void ops_set_urgent(struct bytes_writer *writer) {
  writer->bytes[FRAME_HEADER_BYTES + 8u] = OPS_FLAG_URGENT;
}

void ops_write_end(struct bytes_writer *writer) {
  bytes_write_varint(writer, 0);
}

static bool ops_same_node(const struct operation_origin *last, const struct operation_origin *origin) {
  return last != NULL && last->node_id_size == origin->node_id_size &&
         memcmp(last->node_id, origin->node_id, origin->node_id_size) == 0;
}

size_t ops_origin_size(const struct operation_origin *last, const struct operation_origin *origin, uint32_t index) {
  return bytes_varint_size(index) + 1 + (ops_same_node(last, origin) ? 0 : origin->node_id_size) + 8;
}

void ops_write_origin(struct bytes_writer *writer, const struct operation_origin *last,
                      const struct operation_origin *origin, uint32_t index) {
  size_t size = ops_same_node(last, origin) ? 0 : origin->node_id_size;
  bytes_write_varint(writer, index);
  bytes_write_u8(writer, (uint8_t)size);
  bytes_write(writer, origin->node_id, size);
  bytes_write_u64(writer, origin->incarnation);
}

bool ops_next(struct bytes_reader *operations, const uint8_t **bytes, size_t *size) {
  *size = (size_t)bytes_read_varint_max(operations, bytes_left(operations));
  *bytes = bytes_take(operations, *size);
  return !operations->failed && *size > 0;
}

bool ops_next_origin(struct bytes_reader *origins, struct operation_origin *origin, uint32_t *index) {
  if (bytes_left(origins) == 0) return false;
  *index = (uint32_t)bytes_read_varint_max(origins, UINT32_MAX);
  size_t size = bytes_read_u8(origins);
  if (size > 0) {
    origin->node_id_size = size;
    origin->node_id = bytes_take(origins, size);
  }
  origin->incarnation = bytes_read_u64(origins);
  if (origins->failed || origin->incarnation == 0 || !node_id_valid(origin->node_id, origin->node_id_size))
    origins->failed = true;
  return !origins->failed;
}

int ops_parse(const uint8_t *body, size_t size, struct ops *ops) {
  struct bytes_reader reader = bytes_reader_of(body, size);
  ops->session = bytes_read_u64(&reader);
  uint8_t flags = bytes_read_u8(&reader);
  ops->urgent = (flags & OPS_FLAG_URGENT) != 0;
  ops->before = bytes_read_varint(&reader);
  if (reader.failed || ops->session == 0 || (flags & ~OPS_FLAG_URGENT) != 0) return SYNC_E_CORRUPT;
  ops->operations = reader;
  const uint8_t *bytes;
  size_t bytes_size, count = 0;
  while (ops_next(&reader, &bytes, &bytes_size))
    count++;
  if (reader.failed || count == 0) return SYNC_E_CORRUPT;
  ops->origins = reader;
  struct operation_origin origin = {0};
  uint32_t index;
  while (ops_next_origin(&reader, &origin, &index))
    continue;
  return bytes_read_all(&reader) ? SYNC_OK : SYNC_E_CORRUPT;
}
