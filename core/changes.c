/* The change feed: what was applied, read back from the log in its order. */
#include "core/bookmark.h"
#include "core/compaction.h"
#include "core/engine.h"

/* A place in the log, as bookmarks have it. */
struct changes_place {
  uint64_t position, tag;
};

/* Behind all that was applied. */
static struct changes_place changes_present(const struct sync_engine *engine) {
  const struct oplog *oplog = &engine->state.oplog;
  struct changes_place present = {.position = engine->whole_from, .tag = engine->whole_tag};
  if (oplog_end(oplog) == oplog->base) return present;
  const struct oplog_entry *last = oplog_at(oplog, oplog_end(oplog) - 1);
  if (oplog_entry_end(last) <= present.position) return present;
  return (struct changes_place){.position = oplog_entry_end(last), .tag = bookmark_tag(last)};
}

/* The ordinal of the first operation behind it. False: it is nowhere in this log, or operations behind it are not in
 * the index. */
static bool changes_find(const struct sync_engine *engine, struct changes_place place, uint64_t *ordinal) {
  const struct oplog *oplog = &engine->state.oplog;
  const struct oplog_entry *next = oplog_from(oplog, place.position);
  *ordinal = next == NULL ? oplog_end(oplog) : oplog_ordinal(oplog, next);
  if (place.position < engine->whole_from) return false;
  if (place.position == engine->whole_from && place.tag == engine->whole_tag)
    return place.tag != 0 || place.position == 0;
  if (*ordinal == oplog->base) return false;
  const struct oplog_entry *before = oplog_at(oplog, *ordinal - 1);
  return oplog_entry_end(before) == place.position && bookmark_tag(before) == place.tag;
}

static void changes_stand(struct sync_bookmark *bookmark, struct changes_place place) {
  bookmark->position = place.position;
  bookmark->tag = place.tag;
}

/* Finds where the reader goes on: where it stood, or where it was safe, if what it may have read is not there any more.
 * Everything that it may have read before is durable: it is safe where it stands. */
static bool changes_resume(const struct sync_engine *engine, struct sync_bookmark *bookmark, uint64_t *ordinal) {
  struct changes_place at = {bookmark->position, bookmark->tag}, seen = {bookmark->seen, bookmark->seen_tag};
  struct changes_place safe = {bookmark->safe, bookmark->safe_tag};
  if (!changes_find(engine, at, ordinal)) return false; /* what was told is durable: this is another log */
  uint64_t behind_seen;
  if (seen.position != 0 && !changes_find(engine, seen, &behind_seen)) {
    changes_stand(bookmark, safe);
    return changes_find(engine, safe, ordinal);
  }
  if (seen.position <= wal_durable_position(engine->wal)) {
    bookmark->safe = at.position;
    bookmark->safe_tag = at.tag;
  }
  return true;
}

/* Tells the changes of one operation. */
static int changes_tell(const struct oplog_entry *entry, const struct operation_view *view, sync_changes_each *each,
                        void *arg) {
  struct sync_applied applied = {.dot = {.origin = origin_public(entry->origin), .seq = entry->seq},
                                 .own = entry->origin->own_node};
  struct bytes_reader changes = operation_changes(view);
  struct operation_change_view change;
  for (size_t i = 0; i < view->change_count; i++) {
    operation_change_at(view, i, &changes, &change);
    if (change.kind == SYNC_SWEEP) continue; /* what reads as absent goes on to */
    applied.kind = (enum sync_change_kind)change.kind;
    applied.automatic = change.automatic;
    applied.key = change.key;
    applied.key_size = change.key_size;
    applied.value = change.kind == SYNC_PUT ? change.value : NULL;
    applied.value_size = change.kind == SYNC_PUT ? change.value_size : 0;
    applied.last = i + 1 == view->change_count;
    int rc = each(arg, &applied);
    if (rc != 0) return rc;
  }
  return SYNC_OK;
}

static int changes_read(struct sync_engine *engine, const struct oplog_entry *entry, struct operation_view *view) {
  int rc = memory_array_reserve(engine->env, &engine->bytes, 1, 1, entry->size, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  rc = engine_read_operation(engine, entry, engine->bytes.items, view);
  if (rc != SYNC_OK && engine->stopped == SYNC_OK) compaction_unread(engine, entry, rc);
  return rc;
}

int sync_changes(struct sync_engine *engine, struct sync_bookmark *bookmark, uint32_t most, bool *more,
                 sync_changes_each *each, void *arg) {
  bool ignored;
  if (more == NULL) more = &ignored;
  *more = false;
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (most == 0 || each == NULL) return SYNC_E_INVALID;
  const struct oplog *oplog = &engine->state.oplog;
  const struct changes_place present = changes_present(engine);
  uint64_t ordinal;
  bool resumed = changes_resume(engine, bookmark, &ordinal);
  bookmark->seen = present.position;
  bookmark->seen_tag = present.tag;
  if (!resumed) {
    changes_stand(bookmark, present);
    bookmark->safe = UINT64_MAX; /* nowhere, until all that it reads now is durable */
    return SYNC_E_STALE;
  }
  *more = ordinal < oplog->durable;
  for (; *more && most > 0; *more = ++ordinal < oplog->durable, most--) {
    const struct oplog_entry *entry = oplog_at(oplog, ordinal);
    struct operation_view view;
    int rc = changes_read(engine, entry, &view);
    if (rc == SYNC_OK) rc = changes_tell(entry, &view, each, arg);
    if (rc != 0) return rc;
    changes_stand(bookmark, (struct changes_place){oplog_entry_end(entry), bookmark_tag(entry)});
  }
  return SYNC_OK;
}
