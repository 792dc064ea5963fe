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
  bytes_write_u32(&to, 0);
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
  if (bytes_read_u32(&from) != 0) return SYNC_E_CORRUPT;
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

/* Bound to log and position: the bytes of another log, or of another place in
 * this one (a misdirected write, the rest of an older record), never pass. */
static uint64_t record_checksum(const uint8_t *bytes, size_t size, uint64_t log_id, uint64_t position) {
  return checksum64(bytes + 8, WAL_RECORD_HEADER_BYTES - 8 + size, checksum_mix(log_id ^ checksum_mix(position)));
}

uint32_t segment_record_link(const uint8_t *bytes) {
  return bytes_get_u32(bytes);
}

void segment_record_seal(uint8_t *bytes, enum wal_record_type type, size_t size, uint64_t log_id, uint64_t position,
                         uint64_t durable, uint32_t link) {
  uint64_t lag = position - durable;
  bytes_put_u24(bytes + 8, (uint32_t)size);
  bytes[11] = (uint8_t)type;
  bytes_put_u32(bytes + 12, lag < SEGMENT_LAG_NONE ? (uint32_t)lag : SEGMENT_LAG_NONE);
  bytes_put_u32(bytes + 16, link);
  bytes_put_u64(bytes, record_checksum(bytes, size, log_id, position));
}

bool segment_record_peek(const uint8_t *bytes, uint64_t position, size_t payload_bytes_max,
                         struct segment_record *record) {
  uint32_t lag = bytes_get_u32(bytes + 12);
  record->size = bytes_get_u24(bytes + 8);
  record->link = bytes_get_u32(bytes + 16);
  record->type = (enum wal_record_type)bytes[11];
  record->claims = lag != SEGMENT_LAG_NONE;
  record->durable = record->claims ? position - lag : 0;
  if (record->claims && lag > position) return false;
  return bytes[11] != 0 && record->size <= payload_bytes_max;
}

bool segment_record_verify(const uint8_t *bytes, const struct segment_record *record, uint64_t log_id,
                           uint64_t position) {
  return bytes_get_u64(bytes) == record_checksum(bytes, record->size, log_id, position);
}
