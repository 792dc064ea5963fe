/* The files of an open log: handles, a new epoch, rotation, removal. */
#include <string.h>

#include "core/base/file_io.h"
#include "core/log/wal_segments.h"

int wal_reserve(struct wal *wal, struct memory_array *array, size_t more) {
  return memory_array_reserve(wal->env, array, sizeof(struct wal_segment), WAL_SEGMENT_NOMINAL, array->count + more,
                              2 * WAL_FILES_MAX);
}

/* --- Handles --------------------------------------------------------------------- */

/* Whether an fsync is still owed through this very handle: some systems tell a
 * failed write-back only to handles that were open then. */
static bool needs_handle(const struct wal *wal, size_t index) {
  const struct wal_segment *segment = wal_chain(wal, index);
  if (!wal->writable || index < wal->epoch_at) return false;
  return index + 1 == wal->chain.count || !segment->header_synced || !segment->named || segment->synced < segment->end;
}

void wal_segment_close(struct wal *wal, struct wal_segment *segment) {
  if (segment->file < 0) return;
  /* Nothing to do about a failure: what matters was fsynced or is not promised. */
  (void)file_io_close(wal->env, segment->file);
  segment->file = -1;
  wal->open_files--;
}

static void close_oldest(struct wal *wal) {
  struct wal_segment *oldest = NULL;
  for (size_t i = 0; i < wal->chain.count; i++) {
    struct wal_segment *segment = wal_chain(wal, i);
    if (segment->file < 0 || needs_handle(wal, i)) continue;
    if (oldest == NULL || segment->used < oldest->used) oldest = segment;
  }
  if (oldest != NULL) wal_segment_close(wal, oldest);
}

int wal_segment_open(struct wal *wal, struct wal_segment *segment) {
  segment->used = ++wal->use_clock;
  if (segment->file >= 0) return SYNC_OK;
  if (wal->open_files >= WAL_HANDLES_MAX) close_oldest(wal);
  char name[SEGMENT_NAME_BYTES];
  segment_name(name, segment->first, segment->epoch, segment->aside);
  sync_file file = -1;
  int status = file_io_open(wal->env, name, 0, &file);
  if (status == SYNC_E_NOT_FOUND) return SYNC_E_DAMAGED;
  if (status != SYNC_OK) return status;
  segment->file = file;
  wal->open_files++;
  return SYNC_OK;
}

/* --- Files that count no more ------------------------------------------------------- */

void wal_void_last(struct wal *wal) {
  struct wal_segment *segment = wal_last(wal);
  wal_segment_close(wal, segment);
  ((struct wal_segment *)wal->voids.items)[wal->voids.count++] = *segment;
  wal->chain.count--;
}

void wal_voids_unlink(struct wal *wal) {
  struct wal_segment *voids = wal->voids.items;
  size_t kept = 0;
  if (wal->voids.count > 0) wal->removals++;
  for (size_t i = 0; i < wal->voids.count; i++) {
    const struct wal_segment *segment = &voids[i];
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, segment->first, segment->epoch, false);
    int status = file_io_unlink(wal->env, name);
    if (status != SYNC_OK && status != SYNC_E_NOT_FOUND) voids[kept++] = voids[i];
  }
  wal->voids.count = kept;
}

/* --- New segments -------------------------------------------------------------------- */

/* Creates the file and writes its header. Whatever a failed attempt has left
 * under the name is cut. */
static int segment_create(struct wal *wal, struct wal_segment *segment) {
  const struct wal_segment *before = segment->first > 0 ? wal_segment_at(wal, segment->first - 1) : NULL;
  char name[SEGMENT_NAME_BYTES];
  uint8_t bytes[SEGMENT_HEADER_BYTES];
  wal->header.epoch = segment->epoch;
  wal->header.life = wal->env->ops->unique(wal->env->ctx);
  wal->header.first = segment->first;
  wal->header.durable = wal->durable;
  wal->header.follows = before != NULL ? segment_mark(before->life) : 0;
  segment_header_encode(bytes, &wal->header);
  segment_name(name, segment->first, segment->epoch, segment->aside);
  if (wal->open_files >= WAL_HANDLES_MAX) close_oldest(wal);
  sync_file file = -1;
  int status = file_io_open(wal->env, name, SYNC_OPEN_CREATE | SYNC_OPEN_TRUNCATE, &file);
  if (status != SYNC_OK) return status;
  segment->file = file;
  segment->used = ++wal->use_clock;
  segment->life = wal->header.life;
  segment->follows = wal->header.follows;
  wal->open_files++;
  status = file_io_write(wal->env, file, 0, bytes, sizeof bytes);
  if (status != SYNC_OK) wal_segment_close(wal, segment);
  return status;
}

static struct wal_segment segment_at(uint64_t first, uint32_t epoch, bool aside) {
  return (struct wal_segment){
      .first = first, .end = first, .synced = first, .epoch = epoch, .file = -1, .aside = aside};
}

static void trace_segment(const struct wal *wal, const struct wal_segment *segment) {
  uint64_t fields[2] = {segment->first, segment->epoch};
  wal->env->ops->trace(wal->env->ctx, SYNC_TRACE_ROTATE, fields, 2);
}

/* Copies the records [durable, appended), sealed for the new epoch: nothing else in them
 * changes, so that they keep their positions. Each is verified on the way: what is read now
 * need not be what recovery read. */
static int copy_tail(struct wal *wal, struct wal_segment *segment) {
  uint64_t position = wal->durable;
  while (position < wal->appended) {
    struct segment_record record;
    int status = wal_record_load(wal, position, &record);
    if (status != SYNC_OK) return status;
    size_t size = segment_record_bytes(&record);
    uint64_t offset = SEGMENT_HEADER_BYTES + (position - segment->first);
    segment_record_seal(wal->buffer, size, wal_key(wal, segment), position);
    status = file_io_write(wal->env, segment->file, offset, wal->buffer, size);
    if (status != SYNC_OK) return status;
    position += size;
  }
  sync_check(wal->env, position == wal->appended);
  segment->end = position;
  return SYNC_OK;
}

int wal_epoch_begin(struct wal *wal) {
  sync_check(wal->env, !wal->writable && wal->stage == WAL_STAGE_IDLE && wal->written == wal->appended);
  if (wal->newest_epoch == UINT32_MAX || wal->chain.count >= WAL_FILES_MAX) return SYNC_E_TOO_MANY;
  int status = wal_reserve(wal, &wal->chain, 1);
  if (status == SYNC_OK) status = wal_reserve(wal, &wal->voids, wal->chain.count);
  if (status != SYNC_OK) return status;
  /* The number is used up even if this fails: one name never stands for two
   * files whose directory entries are both pending. */
  struct wal_segment segment = segment_at(wal->durable, ++wal->newest_epoch, true);
  status = segment_create(wal, &segment);
  if (status == SYNC_OK) status = copy_tail(wal, &segment);
  if (status != SYNC_OK) {
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, segment.first, segment.epoch, true);
    wal_segment_close(wal, &segment);
    (void)file_io_unlink(wal->env, name); /* gives its space back; the next open removes it otherwise */
    return status;
  }
  while (wal->chain.count > 0 && wal_last(wal)->first >= segment.first)
    wal_void_last(wal);
  if (wal->chain.count > 0) wal_last(wal)->end = segment.first;
  wal->epoch_at = wal->chain.count;
  *wal_chain(wal, wal->chain.count++) = segment;
  wal->writable = true;
  trace_segment(wal, &segment);
  return SYNC_OK;
}

int wal_rotate(struct wal *wal) {
  int status = wal_reserve(wal, &wal->chain, 1);
  if (status != SYNC_OK) return status;
  /* From here on a file with this position in its name may exist, and recovery
   * would look for the records behind it nowhere else. */
  wal->must_rotate = true;
  struct wal_segment segment = segment_at(wal->written, wal_last(wal)->epoch, false);
  status = segment_create(wal, &segment);
  if (status != SYNC_OK) return status;
  wal_last(wal)->end = wal->written;
  segment.end = wal->appended;
  *wal_chain(wal, wal->chain.count++) = segment;
  wal->must_rotate = false;
  wal->write_failures = 0;
  if (wal->durable > wal->claimed) wal->claimed = wal->durable;
  trace_segment(wal, &segment);
  return SYNC_OK;
}

/* --- Reading back ---------------------------------------------------------------------- */

struct wal_segment *wal_segment_at(const struct wal *wal, uint64_t position) {
  size_t low = 0, high = wal->chain.count;
  while (low < high) { /* the first segment that ends past the position */
    size_t middle = low + (high - low) / 2;
    if (wal_chain(wal, middle)->end <= position)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == wal->chain.count || wal_chain(wal, low)->first > position) return NULL;
  return wal_chain(wal, low);
}

int wal_header_load(struct wal *wal, struct wal_segment *segment, struct segment_header *header) {
  uint8_t bytes[SEGMENT_HEADER_BYTES];
  size_t done = 0;
  int status = wal_segment_open(wal, segment);
  if (status == SYNC_OK) status = file_io_read(wal->env, segment->file, 0, bytes, sizeof bytes, &done);
  return status == SYNC_OK ? segment_header_decode(bytes, done, header) : status;
}

int wal_header_check(struct wal *wal, struct wal_segment *segment) {
  struct segment_header header;
  int status = wal_header_load(wal, segment, &header);
  if (status == SYNC_E_CORRUPT || status == SYNC_E_VERSION) return SYNC_E_DAMAGED; /* it was ours when it was written */
  if (status != SYNC_OK) return status;
  bool right = header.first == segment->first && header.epoch == segment->epoch &&
               header.log_id == wal->header.log_id && header.life == segment->life;
  return right ? SYNC_OK : SYNC_E_DAMAGED;
}

/* As much of a record's header as can be read: it ends a few bytes earlier or later. */
static int read_head(struct wal *wal, const struct wal_segment *segment, uint64_t offset, uint64_t left, size_t *done) {
  size_t want = left < WAL_RECORD_HEADER_BYTES_MAX ? (size_t)left : WAL_RECORD_HEADER_BYTES_MAX;
  int status = SYNC_E_IO;
  for (; status == SYNC_E_IO && want >= WAL_RECORD_HEADER_BYTES_MIN; want--)
    status = file_io_read(wal->env, segment->file, offset, wal->buffer, want, done);
  return status;
}

int wal_record_load(struct wal *wal, uint64_t position, struct segment_record *record) {
  wal->ahead_bytes = 0;
  enum { FIRST_READ = 512 }; /* most records in one call */
  struct wal_segment *segment = wal_segment_at(wal, position);
  if (segment == NULL || position >= wal->written) return SYNC_E_INVALID;
  int status = wal_segment_open(wal, segment);
  if (status != SYNC_OK) return status;
  uint64_t offset = SEGMENT_HEADER_BYTES + (position - segment->first);
  uint64_t left = (segment->end < wal->written ? segment->end : wal->written) - position;
  size_t want = wal->buffer_bytes < FIRST_READ ? wal->buffer_bytes : FIRST_READ, done = 0;
  if (left < want) want = (size_t)left;
  status = file_io_read(wal->env, segment->file, offset, wal->buffer, want, &done);
  /* What cannot be read may lie behind this record. */
  int broken = status == SYNC_E_IO ? status : SYNC_E_DAMAGED;
  if (status == SYNC_E_IO) status = read_head(wal, segment, offset, left, &done);
  if (status != SYNC_OK) return status;
  if (!segment_record_peek(wal->buffer, done, position, wal->payload_bytes_max, record)) return broken;
  size_t size = segment_record_bytes(record);
  if (size > left) return SYNC_E_DAMAGED;
  if (size > done) {
    size_t rest = size - done, more = 0;
    status = file_io_read(wal->env, segment->file, offset + done, wal->buffer + done, rest, &more);
    if (status != SYNC_OK) return status;
    if (more < rest) return SYNC_E_DAMAGED;
  }
  return segment_record_verify(wal->buffer, record, wal_key(wal, segment), position) ? SYNC_OK : SYNC_E_DAMAGED;
}

void wal_free(struct wal *wal) {
  const struct sync_env *env = wal->env;
  for (size_t i = 0; i < wal->chain.count; i++)
    wal_segment_close(wal, wal_chain(wal, i));
  memory_array_free(env, &wal->chain, sizeof(struct wal_segment), WAL_SEGMENT_NOMINAL);
  memory_array_free(env, &wal->voids, sizeof(struct wal_segment), WAL_SEGMENT_NOMINAL);
  memory_array_free(env, &wal->pending, 1, 1);
  memory_free_bytes(env, wal->buffer, wal->buffer_bytes);
  memory_free(env, wal, sizeof *wal, 512);
}
