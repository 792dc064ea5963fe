/* Verifying: the log is read again, in steps, and held against its checksums and
 * against the index of operations. Changes nothing. */
#include "core/compaction.h"
#include "core/engine.h"

#define VERIFY_AHEAD_BYTES (64u * 1024u) /* in one read, at most; the log's buffer may be shorter */

/* What is wrong at the position, which ends at `end` at the latest: where the next
 * operation begins that the index knows of. */
static struct sync_damage verify_damage(const struct sync_engine *engine, uint64_t position, uint64_t end, int status) {
  struct sync_damage damage = {.position = position, .status = status};
  const struct oplog_entry *entry = oplog_from(&engine->state.oplog, position);
  if (entry != NULL && entry->position == position) {
    end = oplog_entry_end(entry);
    damage.operation = true;
    damage.dot = (struct sync_dot){.origin = origin_public(entry->origin), .seq = entry->seq};
  } else if (entry != NULL && entry->position < end) {
    end = entry->position;
  }
  damage.size = end - position;
  return damage;
}

/* Whether an operation's record is the one that was applied. */
static bool verify_is_indexed(const struct sync_engine *engine, uint64_t position, enum wal_record_type type,
                              const uint8_t *payload, size_t size) {
  const struct oplog_entry *entry = oplog_from(&engine->state.oplog, position);
  bool known = entry != NULL && entry->position == position;
  /* What a base has need not be in the index: then nobody is sent it from here. */
  if (!known && type == WAL_OPERATION && position < engine->compaction.base.position) return true;
  if (known != (type == WAL_OPERATION)) return false;
  return !known || (entry->size == size && entry->hash == oplog_hash(payload, size));
}

/* One record; *end is where to go on. What a call refused for another reason than the
 * bytes on the disk is returned. */
static int verify_record(struct sync_engine *engine, uint64_t position, size_t ahead, uint64_t *end,
                         int (*each)(void *arg, const struct sync_damage *damage), void *arg) {
  enum wal_record_type type = WAL_MARK;
  const uint8_t *payload = NULL;
  size_t size = 0;
  int rc = wal_check(engine->wal, position, ahead, &type, &payload, &size, end);
  if (rc == SYNC_OK && !verify_is_indexed(engine, position, type, payload, size)) rc = SYNC_E_DAMAGED;
  if (rc != SYNC_E_DAMAGED && rc != SYNC_E_IO) return engine_note(engine, rc);
  struct sync_damage damage = verify_damage(engine, position, *end, rc);
  /* What is in memory is whole: behind a snapshot of it this costs nothing. */
  if (position >= engine->compaction.base.position) compaction_want(engine);
  *end = position + damage.size;
  return each(arg, &damage);
}

int sync_verify(struct sync_engine *engine, uint64_t *position, uint64_t bytes_max,
                int (*each)(void *arg, const struct sync_damage *damage), void *arg) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (*position < wal_first_position(engine->wal)) *position = wal_first_position(engine->wal);
  uint64_t begin = *position;
  int rc = SYNC_OK;
  bool first = true; /* what an earlier step has read ahead may be older than the disk */
  do {
    if (*position >= wal_written_position(engine->wal)) {
      *position = SYNC_VERIFIED;
      return SYNC_OK;
    }
    uint64_t end = *position, left = bytes_max - (*position - begin);
    size_t ahead = left < VERIFY_AHEAD_BYTES ? (size_t)left : VERIFY_AHEAD_BYTES;
    rc = verify_record(engine, *position, first ? 0 : ahead, &end, each, arg);
    first = false;
    if (rc >= 0) *position = end; /* behind it, also when `each` ended the step */
  } while (rc == SYNC_OK && *position - begin < bytes_max);
  return rc;
}
