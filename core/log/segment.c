#include "core/log/segment.h"

#include <string.h>

#include "core/base/base.h"

static const uint8_t segment_magic[8] = {0xf5, 'S', 'Y', 'N', 'C', 'W', 'A', 'L'};

#define HEADER_CHECKSUM_SEED UINT64_C(0x53594e4357414c31)
#define HEADER_CHECKSUM_AT (SEGMENT_HEADER_BYTES - 8u)

/* --- Names --------------------------------------------------------------------- */

void segment_name(char name[SEGMENT_NAME_BYTES], uint64_t first, uint32_t epoch, bool aside) {
  memcpy(name, "wal-", 4);
  hex_put(name + 4, first, 16);
  name[20] = '-';
  hex_put(name + 21, epoch, 8);
  memcpy(name + 29, aside ? ".new" : "", aside ? 5 : 1);
}

bool segment_name_parse(const char *name, uint64_t *first, uint32_t *epoch, bool *aside) {
  size_t length = strlen(name);
  uint64_t wide = 0;
  if (length != 29 && length != 33) return false;
  if (memcmp(name, "wal-", 4) != 0 || name[20] != '-') return false;
  if (!hex_get(name + 4, 16, first) || !hex_get(name + 21, 8, &wide)) return false;
  if (length == 33 && memcmp(name + 29, ".new", 4) != 0) return false;
  *epoch = (uint32_t)wide;
  *aside = length == 33;
  return true;
}

/* --- Header -------------------------------------------------------------------- */

void segment_header_encode(uint8_t bytes[SEGMENT_HEADER_BYTES], const struct segment_header *header) {
  struct bytes_writer to = bytes_writer_to(bytes, SEGMENT_HEADER_BYTES);
  uint8_t node[1 + SEGMENT_NODE_ID_BYTES_MAX] = {0};
  size_t length = strlen(header->node_id);
  node[0] = (uint8_t)length;
  memcpy(node + 1, header->node_id, length);
  bytes_write(&to, segment_magic, sizeof segment_magic);
  bytes_write_u16(&to, SEGMENT_VERSION);
  bytes_write_u16(&to, SEGMENT_HEADER_BYTES);
  bytes_write_u32(&to, header->epoch);
  bytes_write_u64(&to, header->log_id);
  bytes_write_u64(&to, header->life);
  bytes_write_u64(&to, header->first);
  bytes_write_u64(&to, header->durable);
  bytes_write(&to, header->cluster_id, sizeof header->cluster_id);
  bytes_write_u32(&to, header->payload_bytes_max);
  bytes_write_u32(&to, header->follows);
  bytes_write(&to, node, sizeof node);
  bytes_write_u64(&to, checksum64(bytes, HEADER_CHECKSUM_AT, HEADER_CHECKSUM_SEED));
}

int segment_header_decode(const uint8_t *bytes, size_t size, struct segment_header *header) {
  if (size < SEGMENT_HEADER_BYTES || memcmp(bytes, segment_magic, sizeof segment_magic) != 0) return SYNC_E_CORRUPT;
  /* Length and place of the checksum are fixed for all versions, so that a
   * flipped bit in the version is damage and not a newer format. */
  if (bytes_get_u64(bytes + HEADER_CHECKSUM_AT) != checksum64(bytes, HEADER_CHECKSUM_AT, HEADER_CHECKSUM_SEED))
    return SYNC_E_CORRUPT;
  struct bytes_reader from = bytes_reader_of(bytes + sizeof segment_magic, HEADER_CHECKSUM_AT - sizeof segment_magic);
  if (bytes_read_u16(&from) != SEGMENT_VERSION) return SYNC_E_VERSION;
  if (bytes_read_u16(&from) != SEGMENT_HEADER_BYTES) return SYNC_E_CORRUPT;
  memset(header, 0, sizeof *header);
  header->epoch = bytes_read_u32(&from);
  header->log_id = bytes_read_u64(&from);
  header->life = bytes_read_u64(&from);
  header->first = bytes_read_u64(&from);
  header->durable = bytes_read_u64(&from);
  bytes_read(&from, header->cluster_id, sizeof header->cluster_id);
  header->payload_bytes_max = bytes_read_u32(&from);
  header->follows = bytes_read_u32(&from);
  size_t length = bytes_read_u8(&from);
  if (length == 0 || length > SEGMENT_NODE_ID_BYTES_MAX) return SYNC_E_CORRUPT;
  bytes_read(&from, header->node_id, SEGMENT_NODE_ID_BYTES_MAX);
  for (size_t i = 0; i < SEGMENT_NODE_ID_BYTES_MAX; i++)
    if ((header->node_id[i] == '\0') != (i >= length)) return SYNC_E_CORRUPT;
  if (!bytes_read_all(&from) || header->epoch == 0 || header->log_id == 0 || header->durable > header->first)
    return SYNC_E_CORRUPT;
  return SYNC_OK;
}

/* --- Records ------------------------------------------------------------------- */

#define RECORD_SUMMED_AT 8u /* behind the checksum */
#define RECORD_CLAIMS 0x80u

/* With the position: the bytes of another log, of an epoch that is over, or of another
 * place in this one (a misdirected write, the rest of an older file) never pass. All of it is
 * known without the segment's header. */
static uint64_t record_checksum(const uint8_t *bytes, size_t whole, uint64_t key, uint64_t position) {
  return checksum64(bytes + RECORD_SUMMED_AT, whole - RECORD_SUMMED_AT, checksum_mix(key ^ checksum_mix(position)));
}

uint64_t segment_key(uint64_t log_id, uint32_t epoch) {
  return checksum_mix(log_id ^ epoch);
}

size_t segment_record_begin(uint8_t *bytes, const struct segment_record *record, uint64_t position) {
  size_t at = RECORD_SUMMED_AT;
  bytes[at++] = (uint8_t)((uint8_t)record->type | (record->claims ? RECORD_CLAIMS : 0));
  at += bytes_put_varint(bytes + at, record->size);
  if (record->claims) at += bytes_put_varint(bytes + at, position - record->durable);
  return at;
}

void segment_record_seal(uint8_t *bytes, size_t whole, uint64_t key, uint64_t position) {
  bytes_put_u64(bytes, record_checksum(bytes, whole, key, position));
}

bool segment_record_peek(const uint8_t *bytes, size_t left, uint64_t position, size_t payload_bytes_max,
                         struct segment_record *record) {
  if (left < WAL_RECORD_HEADER_BYTES_MIN) return false;
  uint8_t type = bytes[RECORD_SUMMED_AT] & (uint8_t)~RECORD_CLAIMS;
  if (type == 0 || type > WAL_RECORD_TYPE_LAST) return false;
  uint64_t size = 0, lag = 0;
  size_t at = RECORD_SUMMED_AT + 1u, room = left - at < WAL_SIZE_BYTES_MAX ? left - at : WAL_SIZE_BYTES_MAX;
  size_t took = bytes_get_varint(bytes + at, room, &size);
  if (took == 0 || size > payload_bytes_max || (type == WAL_MARK && size > 0)) return false;
  at += took;
  record->type = (enum wal_record_type)type;
  record->size = (uint32_t)size;
  record->claims = (bytes[RECORD_SUMMED_AT] & RECORD_CLAIMS) != 0;
  record->durable = 0;
  if (record->claims) {
    took = bytes_get_varint(bytes + at, left - at, &lag);
    if (took == 0 || lag > position) return false;
    at += took;
    record->durable = position - lag;
  }
  record->head = (uint32_t)at;
  return true;
}

bool segment_record_verify(const uint8_t *bytes, const struct segment_record *record, uint64_t key, uint64_t position) {
  return bytes_get_u64(bytes) == record_checksum(bytes, segment_record_bytes(record), key, position);
}
