/* One segment as bytes: its name, its header, and the records in it. Knows no
 * file and no memory; docs/formats.md says the same in words. */
#ifndef SYNC_CORE_LOG_SEGMENT_H
#define SYNC_CORE_LOG_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log/record.h"

#define SEGMENT_VERSION 1u
#define SEGMENT_HEADER_BYTES 144u
#define SEGMENT_NAME_BYTES 34u /* wal-<16 hex>-<8 hex>.new and a NUL */
#define SEGMENT_NODE_ID_BYTES_MAX 63u
#define SEGMENT_LAG_NONE UINT32_C(0xffffffff) /* the record claims no durable position */

struct segment_header {
  uint32_t epoch;
  uint64_t log_id;
  uint64_t life;    /* unique for each segment ever written */
  uint64_t first;   /* position of the first record */
  uint64_t durable; /* known when the segment was made; at most `first` */
  uint8_t cluster_id[16];
  uint32_t payload_bytes_max; /* the longest record that its writer could write */
  char node_id[SEGMENT_NODE_ID_BYTES_MAX + 1];
};

struct segment_record {
  enum wal_record_type type;
  uint32_t size; /* of the payload */
  uint32_t link; /* names the record before it */
  bool claims;   /* whether `durable` is said */
  uint64_t durable;
};

/* `aside` adds the suffix of a segment that does not count yet. */
void segment_name(char name[SEGMENT_NAME_BYTES], uint64_t first, uint32_t epoch, bool aside);
/* false for every name that is not exactly one of a segment. */
bool segment_name_parse(const char *name, uint64_t *first, uint32_t *epoch, bool *aside);

void segment_header_encode(uint8_t bytes[SEGMENT_HEADER_BYTES], const struct segment_header *header);
/* SYNC_E_CORRUPT when these are not the bytes of a header; SYNC_E_VERSION when
 * they are one, intact, of a version that is not ours. */
int segment_header_decode(const uint8_t *bytes, size_t size, struct segment_header *header);

/* What the next record's link must be: half the checksum of this one. */
uint32_t segment_record_link(const uint8_t *bytes);
/* Completes the record in `bytes`, whose payload of `size` bytes stands already
 * behind the record header. */
void segment_record_seal(uint8_t *bytes, enum wal_record_type type, size_t size, uint64_t log_id, uint64_t position,
                         uint64_t durable, uint32_t link);
/* Reads a record header without believing it: false when no record of this log
 * can begin so at `position`. Needs WAL_RECORD_HEADER_BYTES. */
bool segment_record_peek(const uint8_t *bytes, uint64_t position, size_t payload_bytes_max,
                         struct segment_record *record);
/* Whether header and payload (`WAL_RECORD_HEADER_BYTES + record->size` bytes)
 * are those that were written at this position of this log. */
bool segment_record_verify(const uint8_t *bytes, const struct segment_record *record, uint64_t log_id,
                           uint64_t position);

#endif
