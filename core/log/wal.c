/* Appending, committing and reading an open log. */
#include "core/log/wal.h"

#include <string.h>

#include "core/base/file_io.h"
#include "core/log/wal_segments.h"

/* --- Durability -------------------------------------------------------------------- */

static void advance_durable(struct wal *wal) {
  uint64_t durable = wal->durable;
  for (size_t i = wal->epoch_at; i < wal->chain.count; i++) {
    const struct wal_segment *segment = wal_chain(wal, i);
    if (!segment->named || !segment->header_synced) break;
    if (segment->synced > durable) durable = segment->synced;
    if (segment->synced < segment->end) break;
  }
  if (durable == wal->durable) return;
  wal->durable = durable;
  wal->env->ops->trace(wal->env->ctx, SYNC_TRACE_DURABLE, &durable, 1);
}

/* Whether a refused request may be asked again: it was never begun. Any other
 * refusal leaves it open what reached the disk. */
static bool not_begun(int status) {
  return status == SYNC_E_INTERRUPTED || status == SYNC_E_NO_MEMORY || status == SYNC_E_TOO_MANY;
}

static int request(struct wal *wal, enum wal_stage stage, sync_file file) {
  uint64_t token = wal->token + 1;
  int status = file_io_fsync(wal->env, file, token);
  if (status == SYNC_OK) {
    wal->token = token;
    wal->stage = stage;
    if (stage == WAL_STAGE_DIRECTORY) wal->removals_asked = wal->removals;
    return SYNC_OK;
  }
  if (status == SYNC_E_POWERED_OFF || not_begun(status)) return status == SYNC_E_INTERRUPTED ? SYNC_E_IO : status;
  wal->failed = true;
  return SYNC_E_FAILED;
}

/* Gives the epoch's first segment the name that counts. Only after its file is
 * durable: the name alone makes older segments void. */
static int rename_aside(struct wal *wal, struct wal_segment *segment) {
  char from[SEGMENT_NAME_BYTES], to[SEGMENT_NAME_BYTES];
  segment_name(from, segment->first, segment->epoch, true);
  segment_name(to, segment->first, segment->epoch, false);
  int status = file_io_rename(wal->env, from, to);
  if (status == SYNC_OK) segment->aside = false;
  if (status != SYNC_E_NOT_FOUND) return status;
  wal->failed = true; /* an earlier attempt that reported an error has half happened, or a stranger is at work */
  return SYNC_E_FAILED;
}

static int request_file(struct wal *wal, size_t index) {
  struct wal_segment *segment = wal_chain(wal, index);
  int status = wal_segment_open(wal, segment);
  if (status != SYNC_OK) return status;
  wal->stage_at = index;
  wal->stage_end = segment->end < wal->written ? segment->end : wal->written;
  return request(wal, WAL_STAGE_FILE, segment->file);
}

/* Asks for the next fsync on the way to the commit target: segment by segment,
 * its file once, then its name, then what was appended to it meanwhile. What is
 * appended never comes before the name: under steady writing each completion
 * finds more of it, and nothing in the segment is durable without the name. The
 * first fsync of an epoch's file covers the whole copied tail, so that with it
 * the name may count. */
static int commit_step(struct wal *wal) {
  if (wal->stage != WAL_STAGE_IDLE || wal->durable >= wal->commit_target) return SYNC_OK;
  for (size_t i = wal->epoch_at; i < wal->chain.count; i++) {
    struct wal_segment *segment = wal_chain(wal, i);
    uint64_t need = segment->end < wal->commit_target ? segment->end : wal->commit_target;
    if (!segment->header_synced) return request_file(wal, i);
    if (segment->aside) {
      int status = rename_aside(wal, segment);
      if (status != SYNC_OK) return status;
    }
    if (!segment->named) {
      wal->stage_at = wal->chain.count;
      return request(wal, WAL_STAGE_DIRECTORY, -1);
    }
    if (segment->synced < need) return request_file(wal, i);
  }
  return SYNC_OK;
}

int wal_commit(struct wal *wal) {
  if (wal->failed) return SYNC_E_FAILED;
  if (wal->durable >= wal->appended) return SYNC_OK;
  wal->commit_target = wal->written;
  if (!wal->writable) {
    int status = wal_epoch_begin(wal);
    if (status != SYNC_OK) return status;
  }
  /* What could not be written does not keep back what was. */
  int written = wal_write(wal);
  if (wal->failed || written == SYNC_E_POWERED_OFF) return written;
  wal->commit_target = wal->written;
  int status = commit_step(wal);
  return status == SYNC_OK ? written : status;
}

int wal_disk_done(struct wal *wal, uint64_t token, int result, bool *ours) {
  *ours = wal->stage != WAL_STAGE_IDLE && token == wal->token;
  if (!*ours) return SYNC_OK;
  enum wal_stage stage = wal->stage;
  wal->stage = WAL_STAGE_IDLE;
  if (result != SYNC_OK) wal->failed = true;
  if (wal->failed) return SYNC_E_FAILED;
  if (stage == WAL_STAGE_FILE) {
    struct wal_segment *segment = wal_chain(wal, wal->stage_at);
    segment->header_synced = true;
    if (wal->stage_end > segment->synced) segment->synced = wal->stage_end;
  } else {
    for (size_t i = wal->epoch_at; i < wal->stage_at; i++)
      wal_chain(wal, i)->named = true;
    wal_names_durable(wal, wal->removals_asked);
    /* Durable with the next request for the directory, and before any file below is cut. */
    if (!wal->established) wal_voids_unlink(wal);
    wal->established = true;
  }
  advance_durable(wal);
  /* An error that may pass is not this completion's: wal_commit and wal_mark
   * go on from here and report it. */
  int status = commit_step(wal);
  return wal->failed || status == SYNC_E_POWERED_OFF ? status : SYNC_OK;
}

/* --- Writing ------------------------------------------------------------------------ */

/* Whether the next segment may begin at `end`. Before the epoch is established a
 * segment with a name that counts must not exist: it could survive without the one
 * before it. */
static bool may_rotate(const struct wal *wal, uint64_t end) {
  const struct wal_segment *last = wal_last(wal);
  if (!wal->established || end == last->first) return false;
  if (wal->chain.count >= WAL_SEGMENTS_MAX) return false;
  return wal->chain.count < WAL_UNSYNCED_MAX ||
         wal_chain(wal, wal->chain.count - WAL_UNSYNCED_MAX)->end <= wal->durable;
}

/* What failed again and again at one place goes on failing, as behind a sector that
 * cannot be read: the log goes on in a new segment, or stops where there can be none. */
static int write_failed(struct wal *wal, int status) {
  wal->blocked = status;
  if (status != SYNC_E_IO || ++wal->write_failures < WAL_WRITE_FAILURES_MAX) return status;
  bool waits = wal->established && wal->written > wal_last(wal)->first;
  if (waits && wal->write_failures < 4 * WAL_WRITE_FAILURES_MAX) return status;
  wal->failed = true;
  return SYNC_E_FAILED;
}

int wal_write(struct wal *wal) {
  if (wal->failed) return SYNC_E_FAILED;
  if (wal->pending.count == 0) return SYNC_OK;
  bool gives_up = wal->write_failures >= WAL_WRITE_FAILURES_MAX && may_rotate(wal, wal->written);
  int status = wal->must_rotate || gives_up ? wal_rotate(wal) : SYNC_OK;
  if (status == SYNC_OK) {
    struct wal_segment *last = wal_last(wal);
    sync_check(wal->env, last->end == wal->appended && last->first <= wal->written);
    uint64_t offset = SEGMENT_HEADER_BYTES + (wal->written - last->first);
    status = file_io_write(wal->env, last->file, offset, wal->pending.items, wal->pending.count);
  }
  if (status != SYNC_OK) return write_failed(wal, status);
  wal->written = wal->appended;
  wal->pending.count = 0;
  wal->write_failures = 0;
  wal->blocked = SYNC_OK;
  return SYNC_OK;
}

/* --- Appending ---------------------------------------------------------------------- */

/* Room for the record, in a segment that it fits in. */
static int make_room(struct wal *wal, size_t size) {
  if (!wal->writable) {
    int status = wal_epoch_begin(wal);
    if (status != SYNC_OK) return status;
    /* A tail that recovery could not rewrite becomes durable as soon as it can. */
    if (wal->appended > wal->durable) {
      status = wal_commit(wal);
      if (status != SYNC_OK) return status;
    }
  }
  const struct wal_segment *last = wal_last(wal);
  bool full = SEGMENT_HEADER_BYTES + (last->end - last->first) + size > wal->segment_bytes;
  bool rotates = wal->must_rotate || (full && may_rotate(wal, wal->appended));
  if (wal->pending.count > 0 && (rotates || wal->pending.count + size > WAL_PENDING_BYTES)) {
    int status = wal_write(wal);
    if (status != SYNC_OK) return status;
  }
  if (rotates) {
    int status = wal_rotate(wal);
    if (status != SYNC_OK) return status;
  }
  size_t bytes = wal->pending.count + size;
  return memory_array_reserve(wal->env, &wal->pending, 1, 1,
                              bytes < WAL_PENDING_BYTES_MIN ? WAL_PENDING_BYTES_MIN : bytes,
                              WAL_PENDING_BYTES + wal->buffer_bytes);
}

int wal_append(struct wal *wal, enum wal_record_type type, const uint8_t *payload, size_t size, uint64_t *position,
               uint64_t *end) {
  if (wal->failed) return SYNC_E_FAILED;
  if (wal->blocked != SYNC_OK) return wal->blocked;
  if (size > wal->payload_bytes_max) return SYNC_E_TOO_BIG;
  int status = make_room(wal, WAL_RECORD_HEADER_BYTES_MAX + size);
  if (status != SYNC_OK) return status;
  sync_check(wal->env, wal_last(wal)->end == wal->appended && wal->durable <= wal->appended);
  uint8_t *bytes = (uint8_t *)wal->pending.items + wal->pending.count;
  struct segment_record record = {
      .type = type, .size = (uint32_t)size, .claims = wal->durable > wal->claimed, .durable = wal->durable};
  size_t head = segment_record_begin(bytes, &record, wal->appended), whole = head + size;
  if (size > 0) memcpy(bytes + head, payload, size);
  segment_record_seal(bytes, whole, wal_key(wal, wal_last(wal)), wal->appended);
  wal->pending.count += whole;
  *position = wal->appended;
  wal->appended += whole;
  *end = wal->appended;
  wal_last(wal)->end = wal->appended;
  wal->claimed = wal->durable;
  if (type != WAL_MARK) wal->data_end = wal->appended;
  return SYNC_OK;
}

/* Whether a mark would say that a record is durable of which nothing says it
 * yet. A mark says nothing new about marks alone: they would never end. */
static bool mark_is_news(const struct wal *wal) {
  uint64_t known = wal->durable < wal->data_end ? wal->durable : wal->data_end;
  return known > wal->claimed;
}
static int append_mark(struct wal *wal) {
  uint64_t fields[2] = {0, 0};
  int status = wal_append(wal, WAL_MARK, NULL, 0, &fields[0], &fields[1]);
  if (status == SYNC_OK) wal->env->ops->trace(wal->env->ctx, SYNC_TRACE_MARK, fields, 2);
  return status;
}

int wal_mark(struct wal *wal) {
  if (wal->failed) return SYNC_E_FAILED;
  if (wal->pending.count > 0 || (wal->commit_target > wal->durable && wal->stage == WAL_STAGE_IDLE)) {
    int status = wal_commit(wal); /* it had stopped at an error that may have passed */
    if (status != SYNC_OK) return status;
  }
  if (!mark_is_news(wal)) return SYNC_OK;
  int status = append_mark(wal);
  return status == SYNC_OK ? wal_commit(wal) : status;
}

void wal_close(struct wal *wal) {
  if (wal == NULL) return;
  if (!wal->failed && wal->writable) {
    if (mark_is_news(wal)) (void)append_mark(wal);
    (void)wal_write(wal);
  }
  wal_free(wal);
}

/* --- Reading ------------------------------------------------------------------------- */

int wal_read(struct wal *wal, uint64_t position, enum wal_record_type *type, uint8_t *buffer, size_t capacity,
             size_t *size) {
  struct segment_record record;
  int status = wal_record_load(wal, position, &record);
  if (status != SYNC_OK) return status;
  *type = record.type;
  *size = record.size;
  if (record.size > capacity) return SYNC_E_BUFFER;
  if (record.size > 0) memcpy(buffer, wal->buffer + record.head, record.size);
  return SYNC_OK;
}

/* The record at `position` among the bytes that were read ahead, verified; NULL: not whole
 * there, or not valid. */
static const uint8_t *record_ahead(const struct wal *wal, const struct wal_segment *segment, uint64_t position,
                                   struct segment_record *record) {
  if (position < wal->ahead_at || position - wal->ahead_at >= wal->ahead_bytes) return NULL;
  const uint8_t *at = wal->buffer + (position - wal->ahead_at);
  size_t left = wal->ahead_bytes - (size_t)(position - wal->ahead_at);
  if (!segment_record_peek(at, left, position, wal->payload_bytes_max, record)) return NULL;
  if (left < segment_record_bytes(record)) return NULL;
  return segment_record_verify(at, record, wal_key(wal, segment), position) ? at : NULL;
}

/* Reads ahead from there, as far as the segment goes. What cannot be read so is read record by record. */
static void read_ahead(struct wal *wal, struct wal_segment *segment, uint64_t position, uint64_t end, size_t ahead) {
  uint64_t want = end - position < ahead ? end - position : ahead;
  if (want > wal->buffer_bytes) want = wal->buffer_bytes;
  wal->ahead_bytes = 0;
  if (wal_segment_open(wal, segment) != SYNC_OK) return;
  size_t done = 0;
  uint64_t offset = SEGMENT_HEADER_BYTES + (position - segment->first);
  if (file_io_read(wal->env, segment->file, offset, wal->buffer, (size_t)want, &done) != SYNC_OK) return;
  wal->ahead_at = position;
  wal->ahead_bytes = done;
}

int wal_check(struct wal *wal, uint64_t position, size_t ahead, enum wal_record_type *type, const uint8_t **payload,
              size_t *size, uint64_t *end) {
  struct wal_segment *segment = wal_segment_at(wal, position);
  if (segment == NULL || position >= wal->written) return SYNC_E_INVALID;
  *end = segment->end < wal->written ? segment->end : wal->written;
  int status = position == segment->first ? wal_header_check(wal, segment) : SYNC_OK;
  if (status != SYNC_OK) return status;
  struct segment_record record;
  if (ahead == 0 || position == segment->first) wal->ahead_bytes = 0;
  const uint8_t *at = record_ahead(wal, segment, position, &record);
  if (at == NULL && ahead > 0) {
    read_ahead(wal, segment, position, *end, ahead);
    at = record_ahead(wal, segment, position, &record);
  }
  if (at == NULL) {
    status = wal_record_load(wal, position, &record);
    if (status != SYNC_OK) return status;
    at = wal->buffer;
  }
  *type = record.type;
  *payload = at + record.head;
  *size = record.size;
  *end = position + segment_record_bytes(&record);
  return SYNC_OK;
}

uint64_t wal_appended_position(const struct wal *wal) {
  return wal->appended;
}
uint64_t wal_written_position(const struct wal *wal) {
  return wal->written;
}
uint64_t wal_durable_position(const struct wal *wal) {
  return wal->durable;
}
uint64_t wal_claimed_position(const struct wal *wal) {
  return wal->claimed;
}
bool wal_failed(const struct wal *wal) {
  return wal->failed;
}
bool wal_blocked(const struct wal *wal) {
  return wal->blocked != SYNC_OK;
}
uint64_t wal_id(const struct wal *wal) {
  return wal->header.log_id;
}

uint64_t wal_names(const struct wal *wal) {
  return wal->removals;
}

void wal_names_durable(struct wal *wal, uint64_t names) {
  if (names > wal->removals_durable) wal->removals_durable = names;
}

uint64_t wal_first_position(const struct wal *wal) {
  return wal->chain.count > 0 ? wal_chain(wal, 0)->first : wal->appended;
}

/* Whether the first file may go: all of it durable, and the next one, so that there is always one that says that there
 * is a log. */
static bool may_trim(const struct wal *wal, uint64_t position) {
  if (wal->chain.count < 2 || !wal->established || wal->failed) return false;
  const struct wal_segment *first = wal_chain(wal, 0), *second = wal_chain(wal, 1);
  if (wal->epoch_at <= 1 && (!second->named || !second->header_synced)) return false;
  return first->end <= position && first->end <= wal->durable && first->end <= wal->written;
}

uint64_t wal_trim_point(const struct wal *wal, uint64_t position) {
  uint64_t point = wal_first_position(wal);
  for (size_t i = 0; i + 1 < wal->chain.count && wal_chain(wal, i)->end <= position; i++)
    point = wal_chain(wal, i)->end;
  return point;
}

size_t wal_files_behind(const struct wal *wal, uint64_t position) {
  size_t count = 0;
  while (count < wal->chain.count && wal_chain(wal, wal->chain.count - 1 - count)->first >= position)
    count++;
  return count;
}

uint64_t wal_files_before(const struct wal *wal, uint64_t position, size_t files) {
  size_t behind = wal_files_behind(wal, position), all = wal->chain.count;
  return all - behind > files ? wal_chain(wal, all - behind - files)->first : wal_first_position(wal);
}

/* Takes the first file out of the chain. One that cannot be removed, or perhaps was, counts no more all the same. */
static int trim_first(struct wal *wal) {
  int status = wal_reserve(wal, &wal->voids, 1);
  if (status != SYNC_OK) return status;
  struct wal_segment *segment = wal_chain(wal, 0);
  char name[SEGMENT_NAME_BYTES];
  segment_name(name, segment->first, segment->epoch, false);
  wal_segment_close(wal, segment);
  status = file_io_unlink(wal->env, name);
  if (status == SYNC_E_POWERED_OFF) return status;
  if (status != SYNC_OK && status != SYNC_E_NOT_FOUND)
    ((struct wal_segment *)wal->voids.items)[wal->voids.count++] = *segment;
  wal->chain.count--;
  memmove(segment, segment + 1, wal->chain.count * sizeof *segment);
  wal->epoch_at -= wal->epoch_at > 0 ? 1 : 0;
  wal->stage_at -= wal->stage_at > 0 ? 1 : 0;
  return SYNC_OK;
}

int wal_trim(struct wal *wal, uint64_t position, size_t files_max, uint64_t *first) {
  int status = SYNC_OK;
  wal->ahead_bytes = 0;
  /* A file of an older history that was given up could take the place of one that goes. */
  if (wal->established && wal->voids.count > 0) wal_voids_unlink(wal);
  bool clean = wal->voids.count == 0 && wal->removals_durable == wal->removals;
  for (size_t i = 0; i < files_max && clean && status == SYNC_OK && may_trim(wal, position); i++)
    status = trim_first(wal);
  *first = wal_first_position(wal);
  return status == SYNC_E_POWERED_OFF ? status : SYNC_OK;
}

/* --- The beginning of another log ------------------------------------------------------ */

bool wal_name_is_one(const char *name) {
  uint64_t first = 0;
  uint32_t epoch = 0;
  bool aside = false;
  return segment_name_parse(name, &first, &epoch, &aside);
}

void wal_first_name(char name[WAL_NAME_BYTES], uint64_t position) {
  segment_name(name, position, 1, false);
}

int wal_plant(const struct sync_env *env, const struct wal_options *options, sync_file *file) {
  struct segment_header header = {.epoch = 1,
                                  .log_id = options->base_log_id,
                                  .life = env->ops->unique(env->ctx),
                                  .first = options->base_position,
                                  .durable = options->base_position,
                                  .payload_bytes_max = (uint32_t)options->payload_bytes_max};
  memcpy(header.cluster_id, options->cluster_id, sizeof header.cluster_id);
  memcpy(header.node_id, options->node_id, strlen(options->node_id));
  char name[SEGMENT_NAME_BYTES];
  uint8_t bytes[SEGMENT_HEADER_BYTES];
  segment_header_encode(bytes, &header);
  wal_first_name(name, header.first);
  int status = file_io_open(env, name, SYNC_OPEN_CREATE | SYNC_OPEN_TRUNCATE, file);
  if (status != SYNC_OK) return status;
  status = file_io_write(env, *file, 0, bytes, sizeof bytes);
  if (status == SYNC_OK) return SYNC_OK;
  (void)file_io_close(env, *file);
  (void)file_io_unlink(env, name);
  *file = -1;
  return status;
}

void wal_usage(const struct wal *wal, uint64_t *bytes, uint64_t *segments) {
  *bytes = 0;
  for (size_t i = 0; i < wal->chain.count; i++)
    *bytes += SEGMENT_HEADER_BYTES + (wal_chain(wal, i)->end - wal_chain(wal, i)->first);
  for (size_t i = 0; i < wal->voids.count; i++) {
    const struct wal_segment *segment = (const struct wal_segment *)wal->voids.items + i;
    *bytes += SEGMENT_HEADER_BYTES + (segment->end - segment->first);
  }
  *segments = wal->voids.count;
}
