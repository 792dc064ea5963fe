/* The write-ahead log: numbered segments of checksummed records, one appended
 * and one durable position, asynchronous group commit.
 *
 * A position is a byte offset in the whole log since its creation. A segment
 * file begins with a header that says which position it starts at; a record carries
 * the durable position known when it was written, when none before it does.
 * docs/formats.md gives the bytes.
 *
 * Opening never changes a segment that exists. The records behind the durable
 * position that the log itself claims are copied into a segment of a new epoch
 * (written aside, fsynced, renamed, directory fsynced), because after a failed
 * fsync the page cache may show bytes that the disk will never hold; older
 * segments count only below the start of a newer epoch.
 */
#ifndef SYNC_CORE_LOG_WAL_H
#define SYNC_CORE_LOG_WAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"
#include "core/log/record.h"

/* The log's fsync tokens count up from here; others keep below. */
#define WAL_TOKENS (UINT64_C(1) << 63)

struct wal;

struct wal_options {
  uint8_t cluster_id[16];
  const char *node_id;      /* the log belongs to it */
  uint64_t segment_bytes;   /* rotate when the next record would end past this */
  size_t payload_bytes_max; /* longest record that is valid in this log */
  uint64_t base_position;   /* a durable base has all that is below: damage there loses no state; 0: there is none */
  uint64_t base_log_id;     /* the log that it belongs to */
  bool repairs;             /* what is damaged is put aside, and the log opened at the prefix before it */
  int (*lost)(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
              size_t size); /* then: told of each record that is whole behind the damage */
};
/* The first file of a log that begins at options->base_position, under options->base_log_id: for a directory that has
 * none. Neither the file, which stays open, nor its name is fsynced. What the file calls give; then there is no file.
 */
int wal_plant(const struct sync_env *env, const struct wal_options *options, sync_file *file);
#define WAL_NAME_BYTES 34u
void wal_first_name(char name[WAL_NAME_BYTES], uint64_t position);
/* Whether it is the name of a file of a log. */
bool wal_name_is_one(const char *name);
/* Names of what was put aside: bad-<8 hex>-<the name that it had>. */
#define WAL_BAD_NAME_BYTES 64u
void wal_bad_name(char name[WAL_BAD_NAME_BYTES], const char *old, uint64_t unique);

struct wal_report {
  uint64_t epoch;
  uint64_t log_id;
  uint64_t durable_position;  /* claimed by the log */
  uint64_t appended_position; /* end of the valid prefix */
  uint64_t tail_bytes_cut;
  uint64_t damage_position, claimed_position; /* with SYNC_E_DAMAGED */
  uint64_t records;
  bool repaired;
  char detail[160];
};

/* Called for every record of the valid prefix, in order. `position` is where
 * the record begins, `end` where it ends; below the base's position, records may be missing that were damaged, or are
 * those of another history that was given up. The payload is valid during the call. A negative
 * result ends the opening with that status. */
typedef int (*wal_replay_fn)(void *arg, enum wal_record_type type, uint64_t position, uint64_t end,
                             const uint8_t *payload, size_t size);

/* Opens or creates the log in the environment's directory and replays it.
 * Reads everything, changes no existing segment; requests fsyncs when records
 * behind the claimed durable position must be rewritten. *wal owns its memory
 * and files. SYNC_E_DAMAGED, SYNC_E_CLUSTER, SYNC_E_LIMITS (its records may be
 * longer than options->payload_bytes_max), SYNC_E_VERSION, SYNC_E_IO,
 * SYNC_E_NO_MEMORY, SYNC_E_NO_SPACE, SYNC_E_POWERED_OFF, or what `replay`
 * returned; then *wal is NULL and the report says where. */
int wal_open(struct wal **wal, const struct sync_env *env, const struct wal_options *options, wal_replay_fn replay,
             void *arg, struct wal_report *report);
/* Appends a durable mark if one would say something new (never fsyncs), closes
 * the files and frees the memory. */
void wal_close(struct wal *wal);

/* Appends one record in memory; wal_write() or wal_commit() brings it and all
 * others of the turn to the page cache in one call. `payload` is copied. *position is
 * where it begins, *end where it ends: it is durable once
 * wal_durable_position() >= *end. On failure the log is as before, and nothing of the
 * record ever reaches the disk. After a write that failed, nothing is appended until
 * one succeeds: its status is given again.
 * SYNC_OK, SYNC_E_TOO_BIG, SYNC_E_NO_SPACE, SYNC_E_IO, SYNC_E_NO_MEMORY,
 * SYNC_E_TOO_MANY (files), SYNC_E_DAMAGED (what an epoch's beginning copies cannot be
 * read), SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
int wal_append(struct wal *wal, enum wal_record_type type, const uint8_t *payload, size_t size, uint64_t *position,
               uint64_t *end);

/* Writes what was appended since the last write to the page cache, in one call. On
 * failure it stays appended, and the next try writes the same bytes to the same
 * position, in a new segment after four failures in a row.
 * SYNC_OK, SYNC_E_NO_SPACE, SYNC_E_IO, SYNC_E_NO_MEMORY, SYNC_E_TOO_MANY,
 * SYNC_E_FAILED, SYNC_E_POWERED_OFF. */
int wal_write(struct wal *wal);

/* Writes, and requests that everything written becomes durable; one request is in flight
 * at a time, later ones are joined into the next. Returns at once. A record that
 * was appended and requested is durable after the request in flight and the next;
 * for each segment of which nothing was durable yet there is one more, and one
 * for their names. What is appended later does not put it off. */
int wal_commit(struct wal *wal);
/* A completion. *ours tells whether the token was this log's. A failed result
 * fail-stops the log: SYNC_E_FAILED now and from then on. Other errors on the
 * way to the next fsync (a full disk) are left to the next wal_commit or
 * wal_mark, which go on from there. */
int wal_disk_done(struct wal *wal, uint64_t token, int result, bool *ours);

uint64_t wal_appended_position(const struct wal *wal);
/* What is below was written to the page cache. */
uint64_t wal_written_position(const struct wal *wal);
uint64_t wal_durable_position(const struct wal *wal);
/* The durable position that the records themselves prove (marks included). */
uint64_t wal_claimed_position(const struct wal *wal);
bool wal_failed(const struct wal *wal);
/* Whether the last write failed, so that nothing is appended until one succeeds. */
bool wal_blocked(const struct wal *wal);
uint64_t wal_id(const struct wal *wal);

/* Appends a mark and commits it, when a record became durable that no record
 * claims yet. Goes on with a commit that an error had stopped. For an idle
 * tick. */
int wal_mark(struct wal *wal);

/* Reads back the record that begins at `position`, verified. The payload is
 * copied to `buffer` (`capacity` bytes, SYNC_E_BUFFER when it is too small).
 * SYNC_E_DAMAGED when the bytes are not those that were written, SYNC_E_IO. */
int wal_read(struct wal *wal, uint64_t position, enum wal_record_type *type, uint8_t *buffer, size_t capacity,
             size_t *size);

/* Reads the record that begins at `position`, or, where a segment begins there, first that
 * segment's header, and holds them against their checksums. Calls one behind the other share reads
 * of about `ahead` bytes, unless that is 0: then what was read before is not used any more. On SYNC_OK *payload
 * (`*size` bytes) is the log's until its next call, and *end is where the record ends; *end is also set, to the end of
 * its segment, when nothing can be said of it. SYNC_E_DAMAGED, SYNC_E_IO: it cannot be read as it was written;
 * SYNC_E_INVALID: nothing is written there. */
int wal_check(struct wal *wal, uint64_t position, size_t ahead, enum wal_record_type *type, const uint8_t **payload,
              size_t *size, uint64_t *end);

/* Removes the files that hold only what is below the position, as far as all of that is durable: a
 * base has it; at most `files_max` of them. What cannot be removed now goes another time. Gives the position
 * at which the log begins then. SYNC_E_POWERED_OFF. */
int wal_trim(struct wal *wal, uint64_t position, size_t files_max, uint64_t *first);
/* How many of its files begin at `position` or behind it; where the last `files` of those begin that begin before it.
 */
size_t wal_files_behind(const struct wal *wal, uint64_t position);
uint64_t wal_files_before(const struct wal *wal, uint64_t position, size_t files);
/* What the log did to the names of its files so far, for who requests an fsync of the directory as well: taken before
 * the request, and given back when that has succeeded. Trims wait for it. */
uint64_t wal_names(const struct wal *wal);
void wal_names_durable(struct wal *wal, uint64_t names);
/* Where the log begins. */
uint64_t wal_first_position(const struct wal *wal);
/* The greatest position, at most `position`, at which a file ends: wal_trim() can cut there. */
uint64_t wal_trim_point(const struct wal *wal, uint64_t position);

/* Bytes of all segment files, and how many of them are no longer needed. */
void wal_usage(const struct wal *wal, uint64_t *bytes, uint64_t *segments);

#endif
