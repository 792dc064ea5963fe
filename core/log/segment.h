/* One segment as bytes: its name, its header, and the records in it. Knows no
 * file and no memory; docs/formats.md says the same in words. */
#ifndef SYNC_CORE_LOG_SEGMENT_H
#define SYNC_CORE_LOG_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log/record.h"

#define SEGMENT_VERSION 2u
#define SEGMENT_HEADER_BYTES 144u
#define SEGMENT_NAME_BYTES 34u /* wal-<16 hex>-<8 hex>.new and a NUL */
#define SEGMENT_NODE_ID_BYTES_MAX 63u

struct segment_header {
  uint32_t epoch;
  uint64_t log_id;
  uint64_t life;    /* unique for each segment ever written */
  uint64_t first;   /* position of the first record */
  uint64_t durable; /* known when the segment was made; at most `first` */
  uint8_t cluster_id[16];
  uint32_t payload_bytes_max; /* the longest record that its writer could write */
  uint32_t follows;           /* segment_mark() of the one before; 0 at position 0 */
  char node_id[SEGMENT_NODE_ID_BYTES_MAX + 1];
};

struct segment_record {
  enum wal_record_type type;
  uint32_t head; /* bytes before the payload */
  uint32_t size; /* of the payload */
  bool claims;   /* whether `durable` is said */
  uint64_t durable;
};
static inline size_t segment_record_bytes(const struct segment_record *record) {
  return (size_t)record->head + record->size;
}

/* `aside` adds the suffix of a segment that does not count yet. */
void segment_name(char name[SEGMENT_NAME_BYTES], uint64_t first, uint32_t epoch, bool aside);
/* false for every name that is not exactly one of a segment. */
bool segment_name_parse(const char *name, uint64_t *first, uint32_t *epoch, bool *aside);

void segment_header_encode(uint8_t bytes[SEGMENT_HEADER_BYTES], const struct segment_header *header);
/* SYNC_E_CORRUPT when these are not the bytes of a header; SYNC_E_VERSION when
 * they are one, intact, of a version that is not ours. */
int segment_header_decode(const uint8_t *bytes, size_t size, struct segment_header *header);

/* What a segment that follows this one says of it. */
static inline uint32_t segment_mark(uint64_t life) {
  return (uint32_t)(life & 0xffffffffu);
}

/* What the records of one epoch of one log are sealed with. */
uint64_t segment_key(uint64_t log_id, uint32_t epoch);
/* Writes a record header but for its checksum; `durable` is only said when the record
 * claims. Gives its bytes, WAL_RECORD_HEADER_BYTES_MAX at most; the payload follows. */
size_t segment_record_begin(uint8_t *bytes, const struct segment_record *record, uint64_t position);
/* Completes the record of `whole` bytes, header and payload. */
void segment_record_seal(uint8_t *bytes, size_t whole, uint64_t key, uint64_t position);
/* Reads a record header of which `left` bytes are there, without believing it: false when
 * no record of this log can begin so at `position`. */
bool segment_record_peek(const uint8_t *bytes, size_t left, uint64_t position, size_t payload_bytes_max,
                         struct segment_record *record);
/* Whether header and payload (segment_record_bytes()) are those that were written at
 * this position in this epoch of this log. */
bool segment_record_verify(const uint8_t *bytes, const struct segment_record *record, uint64_t key, uint64_t position);

#endif
