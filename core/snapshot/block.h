/* A snapshot as bytes: the names of its files, and the blocks that it consists of. Each block
 * is bound to its snapshot and its place, so that it can be sent, stored and read again alone
 * (docs/formats.md, "Snapshot"). */
#ifndef SYNC_CORE_SNAPSHOT_BLOCK_H
#define SYNC_CORE_SNAPSHOT_BLOCK_H

#include "core/base/base.h"

#define BLOCK_HEADER_BYTES 13u
#define BLOCK_FULL_BYTES (32u * 1024u) /* of payload: a block that has as much is ended */
#define SNAPSHOT_NAME_BYTES 44u        /* base-<16 hex>-<16 hex>.new and a NUL, with room */

enum block_type { BLOCK_HEAD = 1, BLOCK_ORIGINS = 2, BLOCK_PEERS = 3, BLOCK_KEYS = 4, BLOCK_END = 5 };

struct block {
  enum block_type type;
  uint32_t size; /* of the payload */
};

/* The base: a snapshot that recovery begins with. `aside`: under the name that does not count yet. */
void base_name(char name[SNAPSHOT_NAME_BYTES], uint64_t position, uint64_t id, bool aside);
bool base_name_parse(const char *name, uint64_t *position, uint64_t *id, bool *aside);
/* A snapshot that is, or was, being received. */
void stage_name(char name[SNAPSHOT_NAME_BYTES], uint64_t id);
bool stage_name_parse(const char *name, uint64_t *id);

/* Completes the block in `bytes`, whose payload stands already behind the header, and which begins at
 * that offset of the snapshot's file. */
void block_seal(uint8_t *bytes, enum block_type type, size_t size, uint64_t id, uint64_t offset);
/* Reads a header without believing it: false when no block can begin so. Needs BLOCK_HEADER_BYTES. */
bool block_peek(const uint8_t *bytes, size_t payload_bytes_max, struct block *block);
/* Whether these are the bytes (header and payload) that were sealed there. */
bool block_verify(const uint8_t *bytes, const struct block *block, uint64_t id, uint64_t offset);
/* The sum of all blocks up to this one, from the sum before it (0: this is the first). */
static inline uint64_t block_sum(uint64_t sum, const uint8_t *bytes) {
  return checksum_mix(sum ^ bytes_get_u64(bytes));
}

#endif
