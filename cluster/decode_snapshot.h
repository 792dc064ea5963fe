/* What the oracles read of snapshots: a decoder of their own, written from
 * docs/formats.md, as decode.h is for logs and frames. */
#ifndef CLUSTER_DECODE_SNAPSHOT_H
#define CLUSTER_DECODE_SNAPSHOT_H

#include "cluster/decode.h"

#define DECODE_SNAPSHOT_NAME_BYTES 44u /* base-<16 hex>-<16 hex>.new and a NUL, with room */
#define DECODE_BLOCK_HEADER_BYTES 13u

/* A name of a base; `fresh`: the one that does not count yet. */
struct decode_base {
  uint64_t position, id;
  bool fresh;
};
bool decode_base_name(const char *name, struct decode_base *base);
void decode_stage_name_write(uint64_t id, char name[DECODE_SNAPSHOT_NAME_BYTES]);

enum decode_block_type { DECODE_BLOCK_HEAD = 1, DECODE_BLOCK_ORIGINS = 2, DECODE_BLOCK_END = 5 };
struct decode_block {
  uint8_t type;
  const uint8_t *payload;
  uint32_t size;
};
/* How long the block is that begins here, header and payload; needs its header. */
size_t decode_block_bytes(const uint8_t *bytes);
/* The whole block at that offset of that snapshot. false: it is not valid. */
bool decode_block(const uint8_t *bytes, size_t size, uint64_t id, uint64_t offset, struct decode_block *block);

/* The log id that a head says; 0: it is none, or of another snapshot. */
uint64_t decode_snapshot_head(const struct decode_block *block, uint64_t id, uint64_t *position);

struct decode_snapshot_origin {
  struct decode_name node;
  uint64_t incarnation, seq;
};
/* false at the end; reader->bad when the bytes are not valid. */
bool decode_snapshot_origin_next(struct decode_reader *reader, struct decode_snapshot_origin *origin);

/* A merge's record names a staged snapshot. false: it does not. */
bool decode_merge(const struct decode_record *record, uint64_t *id, uint64_t *size);

#endif
