/* The change feed: what was applied, read back from the log in its order. */
#include "core/bookmark.h"
#include "core/compaction.h"
#include "core/engine.h"

/* Where the index stands at its end. */
static struct sync_bookmark changes_present(const struct sync_engine *engine) {
  const struct oplog *oplog = &engine->state.oplog;
  struct sync_bookmark present = {.position = engine->whole_from, .tag = engine->whole_tag};
  if (oplog_end(oplog) == oplog->base) return present;
  const struct oplog_entry *last = oplog_at(oplog, oplog_end(oplog) - 1);
  if (oplog_entry_end(last) <= present.position) return present;
  return (struct sync_bookmark){.position = oplog_entry_end(last), .tag = bookmark_tag(last)};
}

/* The ordinal of the first operation behind the bookmark. False: it stands nowhere in this log, or operations behind it
 * are not in the index. */
static bool changes_find(const struct sync_engine *engine, const struct sync_bookmark *bookmark, uint64_t *ordinal) {
  const struct oplog *oplog = &engine->state.oplog;
  const struct oplog_entry *next = oplog_from(oplog, bookmark->position);
  *ordinal = next == NULL ? oplog_end(oplog) : oplog_ordinal(oplog, next);
  if (bookmark->position < engine->whole_from) return false;
  if (bookmark->position == engine->whole_from && bookmark->tag == engine->whole_tag)
    return bookmark->tag != 0 || bookmark->position == 0;
  if (*ordinal == oplog->base) return false;
  const struct oplog_entry *before = oplog_at(oplog, *ordinal - 1);
  return oplog_entry_end(before) == bookmark->position && bookmark_tag(before) == bookmark->tag;
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

int sync_changes(struct sync_engine *engine, struct sync_bookmark *bookmark, uint32_t most, sync_changes_each *each,
                 void *arg) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  if (most == 0 || each == NULL) return SYNC_E_INVALID;
  const struct oplog *oplog = &engine->state.oplog;
  uint64_t ordinal;
  if (!changes_find(engine, bookmark, &ordinal)) {
    *bookmark = changes_present(engine);
    return SYNC_E_STALE;
  }
  for (; ordinal < oplog->durable && most > 0; ordinal++, most--) {
    const struct oplog_entry *entry = oplog_at(oplog, ordinal);
    int rc = memory_array_reserve(engine->env, &engine->bytes, 1, 1, entry->size, UINT32_MAX);
    if (rc != SYNC_OK) return rc;
    struct operation_view view;
    rc = engine_read_operation(engine, entry, engine->bytes.items, &view);
    if (rc != SYNC_OK) {
      if (engine->stopped == SYNC_OK) compaction_unread(engine, entry, rc);
      return rc;
    }
    rc = changes_tell(entry, &view, each, arg);
    if (rc != 0) return rc;
    *bookmark = (struct sync_bookmark){.position = oplog_entry_end(entry), .tag = bookmark_tag(entry)};
  }
  return SYNC_OK;
}
