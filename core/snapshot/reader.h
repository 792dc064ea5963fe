/* Reads a snapshot's file forwards, block by block, each verified. */
#ifndef SYNC_CORE_SNAPSHOT_READER_H
#define SYNC_CORE_SNAPSHOT_READER_H

#include "core/snapshot/block.h"

struct snapshot_reader {
  const struct sync_env *env;
  sync_file file;
  uint64_t id;
  uint64_t offset; /* of the next block */
  uint64_t sum;    /* of those before it */
  size_t payload_bytes_max;
  uint8_t *window; /* bytes of the file from `start` on */
  size_t capacity, fill;
  uint64_t start;
};

/* Opens the file of the snapshot with that id. SYNC_E_NOT_FOUND, SYNC_E_NO_MEMORY, and what the file calls give;
 * then there is nothing to close. */
int snapshot_reader_open(struct snapshot_reader *reader, const struct sync_env *env, const char *name, uint64_t id,
                         size_t payload_bytes_max);
void snapshot_reader_close(struct snapshot_reader *reader);
/* The next block; *bytes is its header, behind which its payload stands, the reader's until its next call.
 * SYNC_E_NOT_FOUND: the file ends; SYNC_E_DAMAGED: what is there is no whole block of this snapshot; or what a
 * read gave. */
int snapshot_reader_next(struct snapshot_reader *reader, struct block *block, const uint8_t **bytes);

#endif
