/* Inside of an open log: its state, and the files under it (wal_segments.c).
 * Only wal.c (append, commit, read) and wal_open.c (recovery) include it. */
#ifndef SYNC_CORE_LOG_WAL_SEGMENTS_H
#define SYNC_CORE_LOG_WAL_SEGMENTS_H

#include "core/base/base.h"
#include "core/log/segment.h"

#define WAL_SEGMENTS_MAX 4096u /* files; past it the last segment grows instead */
#define WAL_FILES_MAX 65536u   /* every open that writes makes one more; past it nothing is written, but all is read */
#define WAL_HANDLES_MAX 8u     /* files kept open */
#define WAL_WRITE_FAILURES_MAX 4u       /* in a row: the place is given up */
#define WAL_UNSYNCED_MAX 4u             /* segments that wait for an fsync; past it the last one grows */
#define WAL_PENDING_BYTES (64u * 1024u) /* appended and not written: more, and an append writes first */
#define WAL_PENDING_BYTES_MIN 1024u     /* the first room for them */

struct wal_segment {
  uint64_t first;
  uint64_t end;     /* of its part of the log; for the last one, the appended position, written or not */
  uint64_t synced;  /* its bytes below this are durable (once `header_synced`) */
  uint64_t used;    /* when its file was last used, for closing the one unused longest */
  uint64_t life;    /* of its file, as its header says */
  uint32_t follows; /* segment_mark() of the one before, as its header says */
  uint32_t epoch;
  sync_file file; /* -1: not open */
  bool header_synced;
  bool named; /* its name is durable */
  bool aside; /* it still has the name that does not count */
};
#define WAL_SEGMENT_NOMINAL 56u

enum wal_stage { WAL_STAGE_IDLE, WAL_STAGE_FILE, WAL_STAGE_DIRECTORY };

struct wal {
  const struct sync_env *env;
  struct segment_header header; /* cluster, node and log id; the rest as last written */
  uint64_t segment_bytes;
  size_t payload_bytes_max;
  uint64_t base_position; /* while opening: see wal_options */
  uint64_t base_log_id;
  bool repairs;

  struct memory_array chain; /* struct wal_segment, by position, without gaps */
  struct memory_array voids; /* struct wal_segment: files that count no more, unlinked when that is safe */
  size_t open_files;
  uint64_t use_clock;
  uint8_t *buffer; /* one record that is read back, or what wal_check() has read ahead */
  size_t buffer_bytes;
  uint64_t ahead_at; /* position of the first of the bytes that were read ahead; ahead_bytes 0: none were */
  size_t ahead_bytes;

  uint32_t newest_epoch;   /* of any name seen or made */
  size_t epoch_at;         /* index in chain of the first segment of this open's epoch, once writable */
  bool writable;           /* the last segment is of this open's epoch */
  bool established;        /* that epoch's first name is durable: it may rotate, and older files may go */
  bool must_rotate;        /* a rotation at the written position has begun: only its file may go on */
  uint32_t write_failures; /* writes in a row that gave SYNC_E_IO */
  int blocked;             /* SYNC_OK, or why the last write of what is pending failed: nothing more is appended */
  bool failed;

  /* Sealed records from `written` to `appended`. Whatever fails, they stay as they
   * are until they are written: one place of the log never gets two contents. */
  struct memory_array pending; /* uint8_t */
  uint64_t written, appended, durable;
  uint64_t claimed;  /* greatest durable position that a record or header says */
  uint64_t data_end; /* end of the last record that is not a mark */

  uint64_t commit_target; /* everything below is to become durable */
  enum wal_stage stage;   /* what the one request in flight is */
  uint64_t token;
  /* Removals of voids: so many passes, so many that the request for the directory in flight covers, and that are
   * durable. What is removed could come back in the place of what is trimmed until then. */
  uint64_t removals, removals_asked, removals_durable;
  size_t stage_at;    /* WAL_STAGE_FILE: index of the segment; _DIRECTORY: segments that existed */
  uint64_t stage_end; /* WAL_STAGE_FILE: its bytes below this are covered */
};

static inline struct wal_segment *wal_chain(const struct wal *wal, size_t index) {
  return (struct wal_segment *)wal->chain.items + index;
}
static inline struct wal_segment *wal_last(const struct wal *wal) {
  return wal_chain(wal, wal->chain.count - 1);
}

/* Room for `more` segments in one of the arrays. */
int wal_reserve(struct wal *wal, struct memory_array *array, size_t more);

/* Makes sure that the segment's file is open; may close another one. */
int wal_segment_open(struct wal *wal, struct wal_segment *segment);
void wal_segment_close(struct wal *wal, struct wal_segment *segment);
/* Moves the chain's last segment to the voids. Room must be reserved. */
void wal_void_last(struct wal *wal);
/* Removes the files that count no more; what cannot be removed now stays among them, and is found
 * again by the next open. */
void wal_voids_unlink(struct wal *wal);

/* Starts this open's epoch, once: a segment aside that begins at the durable
 * position and holds a verified copy of the records behind it. On failure
 * nothing changed. */
int wal_epoch_begin(struct wal *wal);
/* Starts the next segment at the written position; what is pending will be its
 * first records. On failure the log can be read and committed; writing tries again. */
int wal_rotate(struct wal *wal);

/* The segment that holds what was appended at `position`, or NULL. */
struct wal_segment *wal_segment_at(const struct wal *wal, uint64_t position);
/* Reads the segment's header. What segment_header_decode() gives, or a call. */
int wal_header_load(struct wal *wal, struct wal_segment *segment, struct segment_header *header);
/* Whether it can be read and says what it must. SYNC_OK, SYNC_E_DAMAGED, or what a call gave. */
int wal_header_check(struct wal *wal, struct wal_segment *segment);
/* What the records of the segment are sealed with. */
static inline uint64_t wal_key(const struct wal *wal, const struct wal_segment *segment) {
  return segment_key(wal->header.log_id, segment->epoch);
}
/* Reads the record at `position` into wal->buffer and verifies it. */
int wal_record_load(struct wal *wal, uint64_t position, struct segment_record *record);

/* Releases everything; also of a log that is only half made. */
void wal_free(struct wal *wal);

#endif
