#include "core/wire/frame.h"

static const uint8_t frame_magic[4] = {'S', 'Y', 'N', 'F'};

struct bytes_writer frame_begin(void *buffer, size_t capacity) {
  struct bytes_writer writer = bytes_writer_to(buffer, capacity);
  (void)bytes_room(&writer, FRAME_HEADER_BYTES);
  return writer;
}

size_t frame_finish(struct bytes_writer *writer, enum frame_type type, const uint8_t *cluster_id) {
  uint8_t *at = writer->bytes;
  memcpy(at, frame_magic, sizeof frame_magic);
  at[4] = FRAME_VERSION;
  at[5] = (uint8_t)type;
  bytes_put_u16(at + 6, 0);
  bytes_put_u32(at + 8, (uint32_t)(writer->size - FRAME_HEADER_BYTES));
  memcpy(at + 12, cluster_id, SYNC_CLUSTER_ID_BYTES);
  bytes_put_u64(at + writer->size, checksum64(at, writer->size, 0));
  return writer->size + FRAME_TRAILER_BYTES;
}

int frame_parse(const void *bytes, size_t size, const uint8_t *cluster_id, struct frame_view *view) {
  const uint8_t *at = bytes;
  if (size < FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES) return SYNC_E_CORRUPT;
  size_t checked = size - FRAME_TRAILER_BYTES;
  if (memcmp(at, frame_magic, sizeof frame_magic) != 0) return SYNC_E_CORRUPT;
  if (bytes_get_u64(at + checked) != checksum64(at, checked, 0)) return SYNC_E_CORRUPT;
  if (at[4] != FRAME_VERSION) return SYNC_E_VERSION;
  if (bytes_get_u16(at + 6) != 0) return SYNC_E_CORRUPT;
  view->type = at[5];
  if (view->type < FRAME_HELLO || view->type > FRAME_BLOCK) return SYNC_E_CORRUPT;
  view->body = at + FRAME_HEADER_BYTES;
  view->body_size = checked - FRAME_HEADER_BYTES;
  if (bytes_get_u32(at + 8) != view->body_size) return SYNC_E_CORRUPT;
  return memcmp(at + 12, cluster_id, SYNC_CLUSTER_ID_BYTES) == 0 ? SYNC_OK : SYNC_E_CLUSTER;
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
    walk->entries_left = bytes_read_varint(reader);
    if (walk->entries_left == 0) reader->failed = true;
  }
  walk->entries_left--;
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
static bool hello_check_entries(const struct hello *hello) {
  struct hello_walk walk = hello_walk_of(hello);
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
  if (reader.failed || !node_id_valid(hello->node_id, hello->node_id_size)) return SYNC_E_CORRUPT;
  if (hello->session == 0 || hello->nonce == 0) return SYNC_E_CORRUPT;
  if ((hello->snapshot_id == 0) != (hello->snapshot_size == 0)) return SYNC_E_CORRUPT;
  if ((hello->flags & ~(HELLO_FLAG_GAP | HELLO_FLAG_FULL | HELLO_FLAG_ANSWER)) != 0) return SYNC_E_CORRUPT;
  hello->nodes = reader;
  return hello_check_entries(hello) ? SYNC_OK : SYNC_E_CORRUPT;
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

void ops_write_head(struct bytes_writer *writer, uint64_t session) {
  bytes_write_u64(writer, session);
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
  if (reader.failed || ops->session == 0) return SYNC_E_CORRUPT;
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
