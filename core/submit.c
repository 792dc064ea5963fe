/* Writing (rule 1): what callers submit. */
#include "core/draft.h"

static int submit_validate(const struct sync_engine *engine, const struct sync_change *changes, size_t count) {
  if (changes == NULL || count == 0) return SYNC_E_INVALID;
  if (count > engine->options.changes_max) return SYNC_E_TOO_BIG;
  for (size_t i = 0; i < count; i++) {
    const struct sync_change *change = &changes[i];
    if (change->kind != SYNC_PUT && change->kind != SYNC_DELETE) return SYNC_E_INVALID;
    if (change->key == NULL || change->key_size == 0) return SYNC_E_INVALID;
    if (change->key_size > SYNC_KEY_BYTES_MAX) return SYNC_E_TOO_BIG;
    if (change->kind == SYNC_DELETE) continue;
    if (change->value == NULL && change->value_size > 0) return SYNC_E_INVALID;
    if (change->value_size > engine->options.value_bytes_max) return SYNC_E_TOO_BIG;
  }
  return SYNC_OK;
}

static int submit(struct sync_engine *engine, const struct sync_change *changes, size_t count,
                  struct sync_receipt *receipt) {
  int rc = submit_validate(engine, changes, count);
  if (rc == SYNC_OK) rc = draft_begin(engine, count);
  if (rc != SYNC_OK) return rc;
  struct operation_change *items = engine->changes.items;
  for (size_t i = 0; i < count; i++) {
    bool put = changes[i].kind == SYNC_PUT;
    items[i] = (struct operation_change){
        .kind = (uint8_t)changes[i].kind,
        .key = changes[i].key,
        .key_size = changes[i].key_size,
        .value = put ? changes[i].value : NULL,
        .value_size = put ? changes[i].value_size : 0,
    };
  }
  const struct draft draft = {.count = count};
  return draft_write(engine, &draft, receipt);
}

int sync_write(struct sync_engine *engine, const struct sync_change *changes, size_t count,
               struct sync_receipt *receipt) {
  if (engine->stopped != SYNC_OK) return engine->stopped;
  int rc = submit(engine, changes, count, receipt);
  if (rc != SYNC_OK) {
    engine->stats.submits_refused++;
    PORT_TRACE(engine->env, SYNC_TRACE_REFUSED, (uint64_t)(int64_t)rc, 0);
    return rc;
  }
  engine->stats.submits++;
  draft_written(engine);
  return SYNC_OK;
}

int sync_put(struct sync_engine *engine, const void *key, size_t key_size, const void *value, size_t value_size,
             struct sync_receipt *receipt) {
  struct sync_change change = {
      .kind = SYNC_PUT, .key = key, .key_size = key_size, .value = value, .value_size = value_size};
  return sync_write(engine, &change, 1, receipt);
}

int sync_delete(struct sync_engine *engine, const void *key, size_t key_size, struct sync_receipt *receipt) {
  struct sync_change change = {.kind = SYNC_DELETE, .key = key, .key_size = key_size};
  return sync_write(engine, &change, 1, receipt);
}
