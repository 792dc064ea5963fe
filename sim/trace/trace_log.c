/* Recordings: coded steps in blocks that can be decoded by themselves. */
#include "sim/trace/trace_record.h"

#include <stdlib.h>

struct trace_cursor {
  struct trace_reader reader;
  struct sim_trace_record record;
  size_t next;
  bool valid; /* record is number next - 1 */
};

struct sim_trace_log *sim_trace_log_create(void) {
  struct sim_trace_log *log = calloc(1, sizeof *log);
  if (log == NULL) return NULL;
  log->window_last = UINT64_MAX;
  log->cursor = calloc(1, sizeof *log->cursor);
  if (log->cursor != NULL) return log;
  free(log);
  return NULL;
}

void sim_trace_log_destroy(struct sim_trace_log *log) {
  if (log == NULL) return;
  for (size_t i = 0; i < log->block_capacity; i++)
    free(log->blocks[i].bytes);
  free(log->blocks);
  trace_names_free(&log->names);
  free(log->cursor);
  free(log);
}

void sim_trace_log_clear(struct sim_trace_log *log) {
  log->block_count = log->count = 0;
  log->cursor->valid = false;
  memset(&log->coder, 0, sizeof log->coder);
  trace_names_clear(&log->names);
}

void sim_trace_log_window(struct sim_trace_log *log, uint64_t first, uint64_t last) {
  log->window_first = first;
  log->window_last = last;
}

size_t sim_trace_log_count(const struct sim_trace_log *log) {
  return log->count;
}

size_t sim_trace_log_bytes(const struct sim_trace_log *log) {
  size_t bytes = 0;
  for (size_t i = 0; i < log->block_count; i++)
    bytes += log->blocks[i].used;
  return bytes;
}

const char *sim_trace_log_name_at(const struct sim_trace_log *log, size_t i, enum sim_name_kind *kind,
                                  uint32_t *scope) {
  if (i >= log->names.count) return NULL;
  const struct trace_name *name = &log->names.entries[i];
  *kind = (enum sim_name_kind)name->kind;
  *scope = name->scope;
  return log->names.bytes + name->offset;
}

const char *sim_trace_log_name(const struct sim_trace_log *log, enum sim_name_kind kind, uint32_t scope,
                               uint64_t value) {
  return trace_names_find(&log->names, (uint8_t)kind, scope, value);
}

struct trace_block *trace_log_block(struct sim_trace_log *log, size_t bytes) {
  if (log->blocks == NULL || log->block_count == log->block_capacity) {
    size_t capacity = log->block_capacity == 0 ? 16 : log->block_capacity * 2;
    struct trace_block *blocks = realloc(log->blocks, capacity * sizeof *blocks);
    if (blocks == NULL) return NULL;
    memset(blocks + log->block_capacity, 0, (capacity - log->block_capacity) * sizeof *blocks);
    log->blocks = blocks;
    log->block_capacity = capacity;
  }
  struct trace_block *block = &log->blocks[log->block_count];
  if (block->bytes == NULL) block->bytes = malloc(bytes);
  if (block->bytes == NULL) return NULL;
  log->block_count++;
  block->used = 0;
  block->count = 0;
  block->first = log->count;
  trace_state_put(&log->coder, block->state);
  memset(log->coder.memo, 0, sizeof log->coder.memo);
  log->coder.from = log->coder.message = 0;
  return block;
}

bool sim_trace_log_append(struct sim_trace_log *log, const struct trace_step *step) {
  struct trace_block *block = log->block_count > 0 ? &log->blocks[log->block_count - 1] : NULL;
  if (block == NULL || TRACE_BLOCK_BYTES - block->used < TRACE_STEP_BYTES_MAX) {
    block = trace_log_block(log, TRACE_BLOCK_BYTES);
    if (block == NULL) return false;
  }
  block->used += trace_encode(&log->coder, step, block->bytes + block->used);
  block->count++;
  log->count++;
  return true;
}

/* --- Reading ------------------------------------------------------------------ */

static void enter_block(struct trace_reader *reader, size_t block) {
  reader->block = block;
  reader->at = 0;
  reader->left = 0;
  if (block >= reader->log->block_count) return;
  reader->left = reader->log->blocks[block].count;
  trace_state_get(&reader->coder, reader->log->blocks[block].state);
}

void trace_reader_init(struct trace_reader *reader, const struct sim_trace_log *log) {
  reader->log = log;
  enter_block(reader, 0);
}

bool trace_reader_next(struct trace_reader *reader, struct sim_trace_record *record) {
  while (reader->left == 0) {
    if (reader->block + 1 >= reader->log->block_count) return false;
    enter_block(reader, reader->block + 1);
  }
  const struct trace_block *block = &reader->log->blocks[reader->block];
  size_t used = trace_decode(&reader->coder, block->bytes + reader->at, block->used - reader->at, record);
  if (used == 0) return false; /* never: what is in a log was coded or checked here */
  reader->at += used;
  reader->left--;
  return true;
}

const struct sim_trace_record *sim_trace_log_at(const struct sim_trace_log *log, size_t index) {
  struct trace_cursor *cursor = log->cursor;
  if (index >= log->count) return NULL;
  if (!cursor->valid || index + 1 < cursor->next || index - cursor->next > TRACE_BLOCK_BYTES) {
    size_t low = 0, high = log->block_count; /* the block begins at or before index */
    while (high - low > 1) {
      size_t middle = low + (high - low) / 2;
      if (log->blocks[middle].first <= index)
        low = middle;
      else
        high = middle;
    }
    cursor->reader.log = log;
    enter_block(&cursor->reader, low);
    cursor->next = (size_t)log->blocks[low].first;
    cursor->valid = true;
  }
  while (cursor->next <= index) {
    /* A block that was entered when it was shorter has grown. */
    const struct trace_block *block = &log->blocks[cursor->reader.block];
    cursor->reader.left = (uint32_t)(block->first + block->count - cursor->next);
    if (!trace_reader_next(&cursor->reader, &cursor->record)) return NULL;
    cursor->next++;
  }
  return &cursor->record;
}

/* The last block must end there, and the coder know what it knew then. */
void sim_trace_log_cut(struct sim_trace_log *log, size_t count) {
  struct trace_reader reader = {.log = log};
  struct sim_trace_record record;
  if (count >= log->count) return;
  log->cursor->valid = false;
  while (log->block_count > 1 && log->blocks[log->block_count - 1].first >= count)
    log->block_count--;
  struct trace_block *block = &log->blocks[log->block_count - 1];
  enter_block(&reader, log->block_count - 1);
  for (size_t left = count - (size_t)block->first; left > 0; left--)
    (void)trace_reader_next(&reader, &record);
  block->used = reader.at;
  block->count = (uint32_t)(count - block->first);
  log->count = count;
  log->coder = reader.coder;
  if (count == 0) log->block_count = 0; /* a block is never empty */
}
