#include "core/snapshot/image.h"

static const uint8_t image_magic[8] = {0xf5, 'S', 'Y', 'N', 'C', 'I', 'M', 'G'};

#define IMAGE_TOMBSTONE 1u
#define IMAGE_AUTOMATIC 2u
#define IMAGE_EDGE_BYTES_MIN 2u
#define IMAGE_SIBLING_BYTES_MIN 11u

void image_head_write(struct bytes_writer *writer, const struct image_head *head) {
  bytes_write(writer, image_magic, sizeof image_magic);
  bytes_write_u16(writer, IMAGE_VERSION);
  bytes_write_u64(writer, head->id);
  bytes_write_u64(writer, head->log_id);
  bytes_write_u64(writer, head->position);
  bytes_write_u64(writer, head->hlc_last);
  bytes_write(writer, head->cluster_id, sizeof head->cluster_id);
  bytes_write_u32(writer, head->value_bytes_max);
  bytes_write_u8(writer, (uint8_t)head->node_id_size);
  bytes_write(writer, head->node_id, head->node_id_size);
}

int image_head_parse(const uint8_t *payload, size_t size, struct image_head *head) {
  struct bytes_reader reader = bytes_reader_of(payload, size);
  const uint8_t *magic = bytes_take(&reader, sizeof image_magic);
  if (magic == NULL || memcmp(magic, image_magic, sizeof image_magic) != 0) return SYNC_E_CORRUPT;
  uint16_t version = bytes_read_u16(&reader);
  if (reader.failed) return SYNC_E_CORRUPT;
  if (version != IMAGE_VERSION) return SYNC_E_VERSION;
  head->id = bytes_read_u64(&reader);
  head->log_id = bytes_read_u64(&reader);
  head->position = bytes_read_u64(&reader);
  head->hlc_last = bytes_read_u64(&reader);
  bytes_read(&reader, head->cluster_id, sizeof head->cluster_id);
  head->value_bytes_max = bytes_read_u32(&reader);
  head->node_id_size = bytes_read_u8(&reader);
  head->node_id = bytes_take(&reader, head->node_id_size);
  if (!bytes_read_all(&reader) || !node_id_valid(head->node_id, head->node_id_size)) return SYNC_E_CORRUPT;
  return head->id != 0 && head->log_id != 0 ? SYNC_OK : SYNC_E_CORRUPT;
}

void image_origin_write(struct bytes_writer *writer, const struct image_origin *origin) {
  bytes_write_u8(writer, (uint8_t)origin->node_id_size);
  bytes_write(writer, origin->node_id, origin->node_id_size);
  bytes_write_u64(writer, origin->incarnation);
  bytes_write_varint(writer, origin->seq);
  bytes_write_u64(writer, origin->hlc);
  bytes_write_varint(writer, origin->birth_count);
}

void image_edge_write(struct bytes_writer *writer, uint32_t place, uint64_t seq) {
  bytes_write_varint(writer, place);
  bytes_write_varint(writer, seq);
}

void image_next_edge(struct bytes_reader *birth, uint64_t *place, uint64_t *seq) {
  *place = bytes_read_varint(birth);
  *seq = bytes_read_varint(birth);
}

bool image_next_origin(struct bytes_reader *reader, struct image_origin *origin) {
  if (bytes_left(reader) == 0) return false;
  origin->node_id_size = bytes_read_u8(reader);
  origin->node_id = bytes_take(reader, origin->node_id_size);
  origin->incarnation = bytes_read_u64(reader);
  origin->seq = bytes_read_varint(reader);
  origin->hlc = bytes_read_u64(reader);
  origin->birth_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / IMAGE_EDGE_BYTES_MIN);
  origin->birth = *reader;
  for (size_t i = 0; i < origin->birth_count; i++) {
    uint64_t place, seq;
    image_next_edge(reader, &place, &seq);
    if (seq == 0) reader->failed = true;
  }
  if (reader->failed) return false;
  if (!node_id_valid(origin->node_id, origin->node_id_size) || origin->incarnation == 0 || origin->seq == 0)
    reader->failed = true;
  return !reader->failed;
}

void image_key_write(struct bytes_writer *writer, const uint8_t *key, size_t key_size, size_t sibling_count) {
  bytes_write_varint(writer, key_size);
  bytes_write(writer, key, key_size);
  bytes_write_varint(writer, sibling_count);
}

bool image_next_key(struct bytes_reader *reader, const uint8_t **key, size_t *key_size, size_t *sibling_count) {
  if (bytes_left(reader) == 0) return false;
  *key_size = (size_t)bytes_read_varint_max(reader, SYNC_KEY_BYTES_MAX);
  *key = bytes_take(reader, *key_size);
  *sibling_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / IMAGE_SIBLING_BYTES_MIN);
  if (*key_size == 0 || *sibling_count == 0) reader->failed = true;
  return !reader->failed;
}

void image_sibling_write(struct bytes_writer *writer, const struct image_sibling *sibling) {
  bytes_write_varint(writer, sibling->place);
  bytes_write_varint(writer, sibling->seq);
  bytes_write_u64(writer, sibling->hlc);
  bytes_write_u8(writer,
                 (uint8_t)((sibling->tombstone ? IMAGE_TOMBSTONE : 0) | (sibling->automatic ? IMAGE_AUTOMATIC : 0)));
  if (sibling->tombstone) return;
  bytes_write_varint(writer, sibling->value_size);
  bytes_write(writer, sibling->value, sibling->value_size);
}

bool image_next_sibling(struct bytes_reader *reader, struct image_sibling *sibling) {
  sibling->place = bytes_read_varint(reader);
  sibling->seq = bytes_read_varint(reader);
  sibling->hlc = bytes_read_u64(reader);
  uint8_t flags = bytes_read_u8(reader);
  sibling->tombstone = (flags & IMAGE_TOMBSTONE) != 0;
  sibling->automatic = (flags & IMAGE_AUTOMATIC) != 0;
  sibling->value = NULL;
  sibling->value_size = 0;
  if (!sibling->tombstone) {
    sibling->value_size = (size_t)bytes_read_varint_max(reader, SYNC_VALUE_BYTES_LIMIT);
    sibling->value = bytes_take(reader, sibling->value_size);
  }
  if (sibling->seq == 0 || (flags & ~(IMAGE_TOMBSTONE | IMAGE_AUTOMATIC)) != 0) reader->failed = true;
  return !reader->failed;
}

void image_end_write(struct bytes_writer *writer, const struct image_end *end) {
  bytes_write_u64(writer, end->keys);
  bytes_write_u64(writer, end->siblings);
  bytes_write_u64(writer, end->state);
  bytes_write_u64(writer, end->vector);
  bytes_write_u64(writer, end->sum);
}

int image_end_parse(const uint8_t *payload, size_t size, struct image_end *end) {
  struct bytes_reader reader = bytes_reader_of(payload, size);
  end->keys = bytes_read_u64(&reader);
  end->siblings = bytes_read_u64(&reader);
  end->state = bytes_read_u64(&reader);
  end->vector = bytes_read_u64(&reader);
  end->sum = bytes_read_u64(&reader);
  return bytes_read_all(&reader) ? SYNC_OK : SYNC_E_CORRUPT;
}
