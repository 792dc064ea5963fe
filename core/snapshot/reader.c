#include "core/snapshot/reader.h"

#include "core/base/file_io.h"

#define READER_AHEAD_BYTES (128u * 1024u)

int snapshot_reader_open(struct snapshot_reader *reader, const struct sync_env *env, const char *name, uint64_t id,
                         size_t payload_bytes_max) {
  memset(reader, 0, sizeof *reader);
  reader->env = env;
  reader->id = id;
  reader->payload_bytes_max = payload_bytes_max;
  size_t block = BLOCK_HEADER_BYTES + payload_bytes_max;
  reader->capacity = block > READER_AHEAD_BYTES ? block : READER_AHEAD_BYTES;
  reader->window = memory_alloc_bytes(env, reader->capacity);
  if (reader->window == NULL) return SYNC_E_NO_MEMORY;
  int status = file_io_open(env, name, 0, &reader->file);
  if (status == SYNC_OK) return SYNC_OK;
  memory_free_bytes(env, reader->window, reader->capacity);
  return status;
}

void snapshot_reader_close(struct snapshot_reader *reader) {
  (void)file_io_close(reader->env, reader->file);
  memory_free_bytes(reader->env, reader->window, reader->capacity);
  reader->window = NULL;
}

/* Makes the window begin at the next block, and fills it. */
static int reader_fill(struct snapshot_reader *reader) {
  size_t at = (size_t)(reader->offset - reader->start);
  reader->fill -= at;
  if (reader->fill > 0) memmove(reader->window, reader->window + at, reader->fill);
  reader->start = reader->offset;
  size_t done = 0;
  int status = file_io_read(reader->env, reader->file, reader->start + reader->fill, reader->window + reader->fill,
                            reader->capacity - reader->fill, &done);
  if (status == SYNC_OK) reader->fill += done;
  return status;
}

/* Whether so many bytes from the next block on are in the window. */
static bool reader_has(const struct snapshot_reader *reader, size_t size) {
  return reader->start + reader->fill - reader->offset >= size;
}

int snapshot_reader_next(struct snapshot_reader *reader, struct block *block, const uint8_t **bytes) {
  int status = reader_has(reader, BLOCK_HEADER_BYTES) ? SYNC_OK : reader_fill(reader);
  if (status != SYNC_OK) return status;
  if (!reader_has(reader, 1)) return SYNC_E_NOT_FOUND;
  const uint8_t *at = reader->window + (reader->offset - reader->start);
  if (!reader_has(reader, BLOCK_HEADER_BYTES) || !block_peek(at, reader->payload_bytes_max, block))
    return SYNC_E_DAMAGED;
  size_t size = BLOCK_HEADER_BYTES + (size_t)block->size;
  if (!reader_has(reader, size)) {
    status = reader_fill(reader);
    if (status != SYNC_OK) return status;
    if (!reader_has(reader, size)) return SYNC_E_DAMAGED;
    at = reader->window;
  }
  if (!block_verify(at, block, reader->id, reader->offset)) return SYNC_E_DAMAGED;
  reader->sum = block_sum(reader->sum, at);
  reader->offset += size;
  *bytes = at;
  return SYNC_OK;
}
