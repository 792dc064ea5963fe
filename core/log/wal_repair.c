/* Repair: a log that is damaged below what was durable is opened at the prefix before it. Nothing is deleted: what
 * stands behind goes aside, and what was lost comes back from peers. */
#include "core/log/wal_repair.h"

#include <string.h>

#include "core/base/file_io.h"

#define COPY_BYTES 4096u

/* A name that no other has, and that is none of a log: bad-<8 hex>-<the old name>. */
static void bad_name(struct wal *wal, const struct wal_segment *segment, char name[WAL_BAD_NAME_BYTES],
                     char old[SEGMENT_NAME_BYTES]) {
  segment_name(old, segment->first, segment->epoch, segment->aside);
  wal_bad_name(name, old, wal->env->ops->unique(wal->env->ctx));
}

void wal_bad_name(char name[WAL_BAD_NAME_BYTES], const char *old, uint64_t unique) {
  size_t length = strlen(old);
  memcpy(name, "bad-", 4);
  hex_put(name + 4, unique & UINT64_C(0xffffffff), 8);
  name[12] = '-';
  memcpy(name + 13, old, length + 1);
}

/* Copies what can be read of the file; what cannot is left out. */
static int copy_aside(struct wal *wal, struct wal_segment *segment) {
  char old[SEGMENT_NAME_BYTES], name[WAL_BAD_NAME_BYTES];
  uint8_t bytes[COPY_BYTES];
  sync_file to = -1;
  uint64_t size = 0;
  bad_name(wal, segment, name, old);
  int status = wal_segment_open(wal, segment);
  if (status == SYNC_OK) status = file_io_size(wal->env, segment->file, &size);
  if (status == SYNC_OK) status = file_io_open(wal->env, name, SYNC_OPEN_CREATE | SYNC_OPEN_TRUNCATE, &to);
  if (status != SYNC_OK) return status;
  for (uint64_t at = 0; at < size && status == SYNC_OK; at += sizeof bytes) {
    size_t done = 0;
    int read = file_io_read(wal->env, segment->file, at, bytes, sizeof bytes, &done);
    if (read == SYNC_E_POWERED_OFF) status = read;
    if (read == SYNC_OK && done > 0) status = file_io_write(wal->env, to, at, bytes, done);
  }
  (void)file_io_close(wal->env, to);
  return status;
}

static int move_aside(struct wal *wal, struct wal_segment *segment) {
  char old[SEGMENT_NAME_BYTES], name[WAL_BAD_NAME_BYTES];
  bad_name(wal, segment, name, old);
  wal_segment_close(wal, segment);
  return file_io_rename(wal->env, old, name);
}

/* Tells of what is whole behind the prefix. Every byte may begin a record. */
static int tell_lost(struct recovery *recovery, struct wal_segment *segment, uint64_t position) {
  int status = wal_segment_open(recovery->wal, segment);
  if (status != SYNC_OK) return status == SYNC_E_IO || status == SYNC_E_DAMAGED ? SYNC_OK : status;
  window_begin(&recovery->window, segment->file);
  size_t left = WAL_RECORD_HEADER_BYTES_MIN;
  while (left >= WAL_RECORD_HEADER_BYTES_MIN && position < segment->end) {
    struct segment_record record;
    const uint8_t *bytes = NULL;
    status = recovery_record_at(recovery, segment, position, 0, &record, &bytes, &left);
    if (status == SYNC_E_IO) return SYNC_OK; /* the rest of the file is not told of */
    if (status != SYNC_OK) return status;
    uint64_t end = position + (bytes == NULL ? 1u : segment_record_bytes(&record));
    if (bytes != NULL)
      status = recovery->lost(recovery->arg, record.type, position, end, bytes + record.head, record.size);
    if (status != SYNC_OK) return status < 0 ? status : SYNC_E_INVALID;
    position = end;
  }
  return SYNC_OK;
}

int wal_quarantine(struct recovery *recovery) {
  struct wal *wal = recovery->wal;
  uint64_t end = recovery->prefix_end;
  int status = SYNC_OK;
  recovery->report->damage_position = end;
  for (size_t i = recovery->damaged_at; i < wal->chain.count && status == SYNC_OK; i++) {
    struct wal_segment *segment = wal_chain(wal, i);
    if (recovery->lost != NULL)
      status = tell_lost(recovery, segment, i == recovery->damaged_at && segment->first < end ? end : segment->first);
  }
  while (status == SYNC_OK && wal->chain.count > recovery->damaged_at) {
    struct wal_segment *last = wal_last(wal);
    if (last->first < end) {
      status = copy_aside(wal, last);
      break;
    }
    status = move_aside(wal, last);
    if (status == SYNC_OK) wal->chain.count--;
  }
  if (wal->durable > end) wal->durable = end;
  recovery->quarantined = true;
  return status;
}

int wal_repair_end(struct wal *wal) {
  uint64_t position = 0, end = 0;
  int status = wal_append(wal, WAL_MARK, NULL, 0, &position, &end);
  return status == SYNC_OK ? wal_commit(wal) : status;
}
