/* Recovery: which segment files count, where the valid records end, and
 * whether what follows is a torn tail or damage. */
#include <string.h>

#include "core/base/file_io.h"
#include "core/base/base.h"
#include "core/log/wal.h"
#include "core/log/wal_repair.h"
#include "core/log/wal_segments.h"

#define WINDOW_BYTES (128u * 1024u)

void window_begin(struct window *window, sync_file file) {
  window->file = file;
  window->start = 0;
  window->fill = 0;
  window->ended = false;
}

/* Gives the bytes at `offset`, at least `size` of them unless the file ends.
 * Offsets never go back; size <= capacity. */
static int window_at(struct window *window, uint64_t offset, size_t size, const uint8_t **at, size_t *left) {
  if (offset + size > window->start + window->fill && !window->ended) {
    size_t keep = 0;
    if (offset < window->start + window->fill) {
      keep = (size_t)(window->start + window->fill - offset);
      memmove(window->bytes, window->bytes + (window->fill - keep), keep);
    }
    window->start = offset;
    window->fill = keep;
    size_t done = 0;
    size_t want = window->capacity - keep;
    int status = file_io_read(window->env, window->file, offset + keep, window->bytes + keep, want, &done);
    /* What cannot be read may lie behind what is asked for. */
    if (status == SYNC_E_IO && size > keep) {
      want = size - keep;
      status = file_io_read(window->env, window->file, offset + keep, window->bytes + keep, want, &done);
    }
    if (status != SYNC_OK) return status;
    window->ended = done < want;
    window->fill += done;
  }
  *left = offset < window->start + window->fill ? (size_t)(window->start + window->fill - offset) : 0;
  *at = *left > 0 ? window->bytes + (offset - window->start) : window->bytes;
  return SYNC_OK;
}

static void detail(struct recovery *recovery, const struct wal_segment *segment, const char *what, const char *more,
                   const char *rest) {
  struct text text = text_in(recovery->report->detail, sizeof recovery->report->detail);
  char name[SEGMENT_NAME_BYTES];
  segment_name(name, segment->first, segment->epoch, false);
  text_add(&text, name);
  text_add(&text, what);
  text_add(&text, more);
  text_add(&text, rest);
}

static int damaged(struct recovery *recovery, const struct wal_segment *segment, uint64_t position, uint64_t claimed,
                   const char *what) {
  struct text text = text_in(recovery->report->detail, sizeof recovery->report->detail);
  char name[SEGMENT_NAME_BYTES];
  segment_name(name, segment->first, segment->epoch, false);
  text_add(&text, name);
  text_add(&text, what);
  text_add(&text, " at position ");
  text_add_u64(&text, position);
  text_add(&text, "; durable were ");
  text_add_u64(&text, claimed);
  recovery->report->damage_position = position;
  recovery->report->claimed_position = claimed;
  return SYNC_E_DAMAGED;
}

/* --- Which files count --------------------------------------------------------------- */

static int take_name(void *arg, const char *name) {
  struct wal *wal = (struct wal *)arg;
  struct wal_segment segment = {.file = -1};
  if (!segment_name_parse(name, &segment.first, &segment.epoch, &segment.aside)) return SYNC_OK;
  if (wal->voids.count >= 2 * WAL_FILES_MAX) return SYNC_E_TOO_MANY;
  int status = wal_reserve(wal, &wal->voids, 1);
  if (status != SYNC_OK) return status;
  segment.end = segment.first;
  if (segment.epoch > wal->newest_epoch) wal->newest_epoch = segment.epoch;
  ((struct wal_segment *)wal->voids.items)[wal->voids.count++] = segment;
  return SYNC_OK;
}

static int list_names(struct wal *wal) {
  for (unsigned tries = 0; tries < FILE_IO_INTERRUPTS_MAX; tries++) {
    wal->voids.count = 0;
    int status = wal->env->ops->dir_list(wal->env->ctx, take_name, wal);
    if (status != SYNC_E_INTERRUPTED) return status;
  }
  return SYNC_E_IO;
}

/* Newest epoch first, and within it the greatest position first. */
static bool counts_before(const struct wal_segment *a, const struct wal_segment *b) {
  if (a->aside != b->aside) return b->aside;
  if (a->epoch != b->epoch) return a->epoch > b->epoch;
  return a->first > b->first;
}

/* Sorts the names into the chain and the files that a newer epoch made void.
 * Names aside are left at the end of the voids; *asides counts them. */
static int build_chain(struct wal *wal, size_t *asides) {
  struct wal_segment *all = (struct wal_segment *)wal->voids.items;
  size_t count = wal->voids.count, voids = 0;
  /* Names come in ascending order, nearly the reverse of the one wanted. */
  for (size_t i = 0; i < count / 2; i++) {
    struct wal_segment swap = all[i];
    all[i] = all[count - 1 - i];
    all[count - 1 - i] = swap;
  }
  for (size_t i = 1; i < count; i++) {
    struct wal_segment segment = all[i];
    size_t at = i;
    for (; at > 0 && counts_before(&segment, &all[at - 1]); at--)
      all[at] = all[at - 1];
    all[at] = segment;
  }
  int status = wal_reserve(wal, &wal->chain, count + 1);
  if (status != SYNC_OK) return status;
  uint64_t limit = UINT64_MAX;
  *asides = 0;
  for (size_t i = 0; i < count; i++) {
    if (all[i].aside || (wal->chain.count > 0 && all[i].first >= limit)) {
      *asides += all[i].aside ? 1 : 0;
      all[voids++] = all[i];
      continue;
    }
    all[i].end = limit;
    limit = all[i].first;
    *wal_chain(wal, wal->chain.count++) = all[i];
  }
  wal->voids.count = voids;
  for (size_t i = 0; i < wal->chain.count / 2; i++) {
    struct wal_segment swap = *wal_chain(wal, i);
    *wal_chain(wal, i) = *wal_chain(wal, wal->chain.count - 1 - i);
    *wal_chain(wal, wal->chain.count - 1 - i) = swap;
  }
  return SYNC_OK;
}

/* --- Headers -------------------------------------------------------------------------- */

/* Reads one header. While recovering, `synced` is what the header claims and
 * `header_synced` whether it is valid. */
static int read_header(struct recovery *recovery, struct wal_segment *segment, uint64_t *log_id) {
  struct wal *wal = recovery->wal;
  struct segment_header header;
  int status = wal_header_load(wal, segment, &header);
  segment->header_synced = false;
  if (status == SYNC_E_CORRUPT) return SYNC_OK;
  if (status == SYNC_E_VERSION) {
    detail(recovery, segment, " has a format version that this build does not know", "", "");
    return status;
  }
  if (recovery_is_damage(recovery, status)) return SYNC_OK;
  if (status != SYNC_OK) return status;
  if (memcmp(header.cluster_id, wal->header.cluster_id, sizeof header.cluster_id) != 0) {
    detail(recovery, segment, " belongs to another cluster", "", "");
    return SYNC_E_CLUSTER;
  }
  if (strcmp(header.node_id, wal->header.node_id) != 0) {
    detail(recovery, segment, " belongs to node ", header.node_id, ", not to this one");
    return SYNC_E_CLUSTER;
  }
  /* With a smaller limit its longer records would look like a torn tail. */
  if (header.payload_bytes_max > wal->payload_bytes_max) {
    detail(recovery, segment, " was written with a greater value limit: open it with value_bytes_max as it was", "",
           "");
    return SYNC_E_LIMITS;
  }
  if (header.first != segment->first || header.epoch != segment->epoch) return SYNC_OK;
  if (*log_id == 0) *log_id = header.log_id;
  if (header.log_id != *log_id) return SYNC_OK;
  segment->header_synced = true;
  segment->synced = header.durable;
  segment->life = header.life;
  segment->follows = header.follows;
  return SYNC_OK;
}

/* Takes a header for none that says that its segment follows another one than it does here:
 * one of the two is of another history of this log. */
static void check_order(struct recovery *recovery) {
  const struct wal *wal = recovery->wal;
  for (size_t i = wal->chain.count; i-- > 1;) {
    const struct wal_segment *before = wal_chain(wal, i - 1);
    struct wal_segment *segment = wal_chain(wal, i);
    if (!before->header_synced || segment->follows == segment_mark(before->life)) continue;
    if (segment->first > wal->base_position)
      segment->header_synced = false;
    else if (recovery->useless < i)
      recovery->useless = i; /* the base has what is below: something is missing there */
  }
}

/* Reads all headers, the newest first: it says which log this is. An epoch's
 * first segment was durable before it got its name, so that a bad header there
 * is damage whatever else the log says. */
static int read_headers(struct recovery *recovery) {
  struct wal *wal = recovery->wal;
  uint64_t log_id = 0, claimed = 0;
  for (size_t i = wal->chain.count; i-- > 0;) {
    int status = read_header(recovery, wal_chain(wal, i), &log_id);
    if (status != SYNC_OK) return status;
  }
  if (wal->chain.count == 0 || log_id == 0) log_id = wal->base_log_id;
  wal->header.log_id = log_id;
  if (wal->chain.count == 0 && wal->base_position > 0 && !wal->repairs) {
    struct text text = text_in(recovery->report->detail, sizeof recovery->report->detail);
    text_add(&text, "there is a base, and no segment of its log");
    recovery->report->damage_position = recovery->report->claimed_position = wal->base_position;
    return SYNC_E_DAMAGED;
  }
  if (wal->chain.count == 0) return SYNC_OK;
  check_order(recovery);
  for (size_t i = 0; i < wal->chain.count; i++)
    if (wal_chain(wal, i)->header_synced && wal_chain(wal, i)->synced > claimed) claimed = wal_chain(wal, i)->synced;
  const struct wal_segment *first = wal_chain(wal, 0);
  if (wal->base_log_id != 0 && log_id != wal->base_log_id)
    return damaged(recovery, first, first->first, wal->base_position, " is of another log than the base");
  if (wal->repairs) return SYNC_OK; /* the replay meets what is wrong */
  if (first->first > wal->base_position)
    return damaged(recovery, first, wal->base_position, first->first, " is the oldest segment, and one is missing");
  for (size_t i = 0; i < wal->chain.count; i++) {
    const struct wal_segment *segment = wal_chain(wal, i);
    if (segment->end <= wal->base_position) continue;
    /* Whether the first file behind a base begins an epoch cannot be told; one that the base's position lies in was
     * durable. */
    bool begins_epoch = i > 0 ? wal_chain(wal, i - 1)->epoch != segment->epoch
                              : wal->base_position == 0 || segment->first < wal->base_position;
    if (begins_epoch && !segment->header_synced)
      return damaged(recovery, segment, segment->first, claimed > segment->first ? claimed : segment->first,
                     " has no valid header");
  }
  return SYNC_OK;
}

/* --- Records --------------------------------------------------------------------------- */

int recovery_record_at(struct recovery *recovery, const struct wal_segment *segment, uint64_t position,
                       uint64_t claims_past, struct segment_record *record, const uint8_t **bytes, size_t *left) {
  const struct wal *wal = recovery->wal;
  const uint8_t *at = NULL;
  uint64_t offset = SEGMENT_HEADER_BYTES + (position - segment->first);
  *bytes = NULL;
  int status = window_at(&recovery->window, offset, WAL_RECORD_HEADER_BYTES_MAX, &at, left);
  if (status != SYNC_OK || *left < WAL_RECORD_HEADER_BYTES_MIN) return status;
  if (!segment_record_peek(at, *left, position, wal->payload_bytes_max, record)) return SYNC_OK;
  if (claims_past > 0 && (!record->claims || record->durable < claims_past)) return SYNC_OK;
  size_t size = segment_record_bytes(record);
  if (size > segment->end - position) return SYNC_OK;
  status = window_at(&recovery->window, offset, size, &at, left);
  if (status != SYNC_OK || *left < size) return status;
  if (segment_record_verify(at, record, wal_key(wal, segment), position)) *bytes = at;
  return SYNC_OK;
}

/* Replays records of the segment up to `to`. */
static int replay_segment(struct recovery *recovery, const struct wal_segment *segment, uint64_t to) {
  struct wal *wal = recovery->wal;
  uint64_t *position = &recovery->prefix_end;
  window_begin(&recovery->window, segment->file);
  if (segment->synced > wal->durable) wal->durable = segment->synced;
  while (*position < to) {
    struct segment_record record;
    const uint8_t *bytes = NULL;
    size_t left = 0;
    int status = recovery_record_at(recovery, segment, *position, 0, &record, &bytes, &left);
    if (status != SYNC_OK) return status;
    if (bytes == NULL) {
      /* The last segment may end here; any other has lost what follows. */
      recovery->damage = left > 0 || segment->end != UINT64_MAX;
      return SYNC_OK;
    }
    if (record.claims && record.durable > wal->durable) wal->durable = record.durable;
    uint64_t end = *position + segment_record_bytes(&record);
    status = recovery->replay(recovery->arg, record.type, *position, end, bytes + record.head, record.size);
    if (status != SYNC_OK) return status < 0 ? status : SYNC_E_INVALID;
    *position = end;
    if (record.type != WAL_MARK) wal->data_end = *position;
    recovery->report->records++;
  }
  return SYNC_OK;
}

/* What a segment has below the base's position: kept for peers that lack it. What is wrong with it costs no
 * more than that, so it is passed over. */
static int replay_below_base(struct recovery *recovery, struct wal_segment *segment) {
  struct wal *wal = recovery->wal;
  uint64_t to = segment->end < wal->base_position ? segment->end : wal->base_position;
  recovery->prefix_end = segment->first;
  int status = segment->header_synced ? wal_segment_open(wal, segment) : SYNC_OK;
  if (status == SYNC_OK && segment->header_synced) status = replay_segment(recovery, segment, to);
  if (status == SYNC_E_IO || status == SYNC_E_DAMAGED || status == SYNC_E_CORRUPT) status = SYNC_OK;
  if (recovery->prefix_end != to && segment->end <= wal->base_position) recovery->useless = recovery->damaged_at + 1;
  recovery->prefix_end = to;
  recovery->damage = false;
  return status;
}

static int replay_chain(struct recovery *recovery) {
  struct wal *wal = recovery->wal;
  for (size_t i = 0; i < wal->chain.count; i++) {
    struct wal_segment *segment = wal_chain(wal, i);
    recovery->damaged_at = i;
    if (i < recovery->useless) continue;
    if (segment->first < wal->base_position) {
      int below = replay_below_base(recovery, segment);
      if (below != SYNC_OK) return below;
      if (segment->end <= wal->base_position) continue;
    }
    if (!segment->header_synced || segment->first > recovery->prefix_end) {
      recovery->damage = true;
      return SYNC_OK;
    }
    int status = wal_segment_open(wal, segment);
    if (status == SYNC_OK) status = replay_segment(recovery, segment, segment->end);
    if (recovery_is_damage(recovery, status)) {
      recovery->damage = true;
      return SYNC_OK;
    }
    if (status != SYNC_OK) return status;
    if (recovery->prefix_end < segment->end) return SYNC_OK;
  }
  recovery->damaged_at = wal->chain.count;
  return SYNC_OK;
}

/* Looks behind the damage for a header or a record that says that more was
 * durable. Every byte may begin such a record. */
static int search_claims(struct recovery *recovery) {
  struct wal *wal = recovery->wal;
  uint64_t damage = recovery->prefix_end, claimed = 0;
  const struct wal_segment *where = wal_chain(wal, recovery->damaged_at);
  for (size_t i = recovery->damaged_at + 1; i < wal->chain.count; i++) {
    const struct wal_segment *segment = wal_chain(wal, i);
    if (segment->header_synced && segment->synced > claimed) claimed = segment->synced;
  }
  if (claimed > damage) return damaged(recovery, where, damage, claimed, " is damaged");
  for (size_t i = recovery->damaged_at; i < wal->chain.count; i++) {
    struct wal_segment *segment = wal_chain(wal, i);
    int status = wal_segment_open(wal, segment);
    if (status != SYNC_OK) return status;
    window_begin(&recovery->window, segment->file);
    size_t left = WAL_RECORD_HEADER_BYTES_MIN;
    uint64_t position = i == recovery->damaged_at ? damage : segment->first;
    for (; left >= WAL_RECORD_HEADER_BYTES_MIN && position < segment->end; position++) {
      struct segment_record record;
      const uint8_t *bytes = NULL;
      status = recovery_record_at(recovery, segment, position, damage + 1, &record, &bytes, &left);
      if (status != SYNC_OK) return status;
      if (bytes != NULL) return damaged(recovery, where, damage, record.durable, " is damaged");
    }
  }
  return SYNC_OK;
}

/* Segments below the base behind which something is missing: they stand in no order with the rest. */
static int drop_useless(struct recovery *recovery) {
  struct wal *wal = recovery->wal;
  size_t count = recovery->useless;
  if (count == 0) return SYNC_OK;
  int status = wal_reserve(wal, &wal->voids, count);
  if (status != SYNC_OK) return status;
  struct wal_segment *chain = wal_chain(wal, 0);
  for (size_t i = 0; i < count; i++) {
    wal_segment_close(wal, &chain[i]);
    ((struct wal_segment *)wal->voids.items)[wal->voids.count++] = chain[i];
  }
  wal->chain.count -= count;
  memmove(chain, chain + count, wal->chain.count * sizeof *chain);
  recovery->damaged_at -= count;
  return SYNC_OK;
}

/* Counts the bytes behind the prefix and takes the files that hold nothing
 * else out of the chain. */
static int cut_tail(struct recovery *recovery) {
  struct wal *wal = recovery->wal;
  uint64_t end = recovery->prefix_end;
  int status = wal_reserve(wal, &wal->voids, wal->chain.count);
  if (status != SYNC_OK) return status;
  for (size_t i = recovery->damaged_at; i < wal->chain.count; i++) {
    struct wal_segment *segment = wal_chain(wal, i);
    uint64_t size = 0;
    if (segment->end <= wal->base_position) continue;
    status = wal_segment_open(wal, segment);
    if (status == SYNC_OK) status = file_io_size(wal->env, segment->file, &size);
    if (status != SYNC_OK) return status;
    uint64_t valid = end > segment->first ? end - segment->first : 0;
    if (size > SEGMENT_HEADER_BYTES + valid) recovery->report->tail_bytes_cut += size - SEGMENT_HEADER_BYTES - valid;
  }
  while (wal->chain.count > 0 && wal_last(wal)->first >= end) {
    wal_last(wal)->end = wal_last(wal)->first;
    wal_void_last(wal);
  }
  if (wal->chain.count > 0) wal_last(wal)->end = end;
  return SYNC_OK;
}

/* --- Opening ----------------------------------------------------------------------------- */

static int recover(struct recovery *recovery) {
  struct wal *wal = recovery->wal;
  size_t asides = 0;
  int status = list_names(wal);
  if (status == SYNC_OK) status = build_chain(wal, &asides);
  if (status == SYNC_OK) status = read_headers(recovery);
  wal->durable = wal->base_position;
  recovery->prefix_end = wal->base_position;
  if (status == SYNC_OK) status = replay_chain(recovery);
  if (status == SYNC_OK && recovery->damage) status = wal->repairs ? wal_quarantine(recovery) : search_claims(recovery);
  if (status != SYNC_OK) return status;
  sync_check(wal->env, wal->durable <= recovery->prefix_end);
  /* Nothing was changed so far. A name aside never counted. */
  for (; asides > 0; asides--) {
    const struct wal_segment *aside = (const struct wal_segment *)wal->voids.items + --wal->voids.count;
    char name[SEGMENT_NAME_BYTES];
    segment_name(name, aside->first, aside->epoch, true);
    status = file_io_unlink(wal->env, name);
    if (status == SYNC_E_POWERED_OFF) return status;
  }
  status = drop_useless(recovery);
  if (status == SYNC_OK) status = cut_tail(recovery);
  wal->appended = recovery->prefix_end;
  wal->written = recovery->prefix_end;
  wal->claimed = wal->durable;
  return status;
}

static struct wal *wal_new(const struct sync_env *env, const struct wal_options *options) {
  struct wal *wal = (struct wal *)memory_alloc_zero(env, sizeof *wal, 512);
  if (wal == NULL) return NULL;
  wal->env = env;
  wal->segment_bytes = options->segment_bytes;
  wal->payload_bytes_max = options->payload_bytes_max;
  wal->base_position = options->base_position;
  wal->base_log_id = options->base_log_id;
  wal->repairs = options->repairs;
  wal->token = WAL_TOKENS;
  wal->header.payload_bytes_max = (uint32_t)options->payload_bytes_max;
  memcpy(wal->header.cluster_id, options->cluster_id, sizeof wal->header.cluster_id);
  memcpy(wal->header.node_id, options->node_id, strlen(options->node_id));
  size_t bytes = WAL_RECORD_HEADER_BYTES_MAX + options->payload_bytes_max;
  wal->buffer = memory_alloc_bytes(env, bytes);
  if (wal->buffer != NULL) {
    wal->buffer_bytes = bytes;
    return wal;
  }
  wal_free(wal);
  return NULL;
}

/* Rewrites the records that nothing claims durable. A full disk does not stand
 * in the way of reading: the next append or commit tries again. */
static int rewrite_tail(struct wal *wal) {
  if (wal->appended == wal->durable) return SYNC_OK;
  int status = wal_commit(wal);
  if (status == SYNC_E_FAILED) return SYNC_E_IO;
  return status == SYNC_E_NO_SPACE || status == SYNC_E_TOO_MANY ? SYNC_OK : status;
}

int wal_open(struct wal **result, const struct sync_env *env, const struct wal_options *options, wal_replay_fn replay,
             void *arg, struct wal_report *report) {
  *result = NULL;
  memset(report, 0, sizeof *report);
  size_t length = strlen(options->node_id);
  if (length == 0 || length > SEGMENT_NODE_ID_BYTES_MAX) return SYNC_E_INVALID;
  if (options->payload_bytes_max > WAL_PAYLOAD_BYTES_MAX) return SYNC_E_INVALID;
  struct wal *wal = wal_new(env, options);
  if (wal == NULL) return SYNC_E_NO_MEMORY;
  struct recovery recovery = {.wal = wal, .report = report, .replay = replay, .lost = options->lost, .arg = arg};
  recovery.window.env = env;
  recovery.window.capacity = WINDOW_BYTES + wal->buffer_bytes;
  recovery.window.bytes = memory_alloc_bytes(env, recovery.window.capacity);
  int status = recovery.window.bytes != NULL ? recover(&recovery) : SYNC_E_NO_MEMORY;
  memory_free_bytes(env, recovery.window.bytes, recovery.window.capacity);
  report->durable_position = wal->durable;
  report->appended_position = recovery.prefix_end;
  if (wal->header.log_id == 0) wal->header.log_id = env->ops->unique(env->ctx);
  if (status == SYNC_OK) status = rewrite_tail(wal);
  report->repaired = recovery.quarantined;
  /* A base alone is refused, too: a repair leaves a directory that opens. */
  if (status == SYNC_OK && wal->repairs && wal->chain.count == 0 && wal->base_position > 0) report->repaired = true;
  if (status == SYNC_OK && report->repaired) status = wal_repair_end(wal);
  report->epoch = wal->writable ? wal->newest_epoch : (uint64_t)wal->newest_epoch + 1;
  report->log_id = wal->header.log_id;
  if (status != SYNC_OK) {
    wal_free(wal);
    return status;
  }
  *result = wal;
  return SYNC_OK;
}
