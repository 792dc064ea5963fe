#include "core/own_write.h"

#include "core/draft.h"

bool own_write_can(const struct sync_engine *engine) {
  return engine->stopped == SYNC_OK && engine->commit_failures == 0 && !wal_blocked(engine->wal);
}

int own_write(struct sync_engine *engine, const struct own_change *changes, size_t count,
              bool (*sees)(void *arg, const struct store_sibling *sibling), void *arg) {
  int rc = draft_begin(engine, count);
  if (rc != SYNC_OK) return rc;
  struct operation_change *items = engine->changes.items;
  for (size_t i = 0; i < count; i++) {
    items[i] = (struct operation_change){
        .kind = (uint8_t)changes[i].kind,
        .automatic = changes[i].kind != SYNC_SWEEP,
        .key = changes[i].key,
        .key_size = changes[i].key_size,
        .value = changes[i].value,
        .value_size = changes[i].value_size,
    };
  }
  const struct draft draft = {.count = count, .sees = sees, .arg = arg, .by_itself = true};
  rc = draft_write(engine, &draft, NULL);
  if (rc != SYNC_OK) {
    PORT_TRACE(engine->env, SYNC_TRACE_REFUSED, (uint64_t)(int64_t)rc, 0);
    return rc;
  }
  engine->stats.own_writes++;
  draft_written(engine);
  return SYNC_OK;
}
