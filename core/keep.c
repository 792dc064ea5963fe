#include "core/keep.h"

#include "core/own_write.h"

#define KEEP_KEYS_MAX 64u                 /* that are looked at in one turn */
#define KEEP_RETRY_NS UINT64_C(100000000) /* the first; then doubled, up to retry_cap_ns */
#define KEEP_RETRY_DOUBLINGS 16u
/* What a change is at most, besides its key and value, and what a dot that it sees may cost a frame. */
#define KEEP_CHANGE_BYTES 16u
#define KEEP_SEEN_BYTES (OPERATION_INDEX_BYTES_MAX + BYTES_VARINT_MAX + OPERATION_ORIGIN_BYTES(SYNC_NODE_ID_BYTES_MAX))

static const struct store_sibling *greater(const struct store_sibling *a, const struct store_sibling *b) {
  return a == NULL || b->hlc >= a->hlc ? b : a; /* b is behind in dot order */
}

/* What this node writes anew; NULL: it leaves the key as it is. Its own are those of its node id: whatever run wrote
 * them, there is nobody else to resolve them. Where policies wrote all that is there, the winner rule has decided: so
 * each such operation removes something that a caller wrote, and they end. */
static const struct store_sibling *keep_pick(const struct sync_engine *engine, const struct store_key *key) {
  enum sync_policy_kind kind = policies_of(&engine->policies, key->bytes, key->size).kind;
  if (kind != SYNC_KEEP_LOCAL && kind != SYNC_KEEP_REMOTE) return NULL;
  if (!key_in_conflict(key) || key_is_settled(key)) return NULL;
  const struct store_sibling *mine = NULL;
  const struct store_sibling *others = NULL;
  for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next) {
    if (s->origin->own_node)
      mine = greater(mine, s);
    else
      others = greater(others, s);
  }
  if (mine == NULL) return NULL;
  return kind == SYNC_KEEP_LOCAL || others == NULL ? mine : others;
}

struct keep_batch {
  struct own_change changes[KEEP_KEYS_MAX];
  size_t count, bytes;
  const struct store_key *left[KEEP_KEYS_MAX]; /* keys with which nothing is to be done */
  size_t left_count;
  const struct store_key *first; /* of the changes */
};

/* False: it has no room for this one. */
static bool keep_add(const struct sync_engine *engine, struct keep_batch *batch, const struct store_key *key,
                     const struct store_sibling *pick) {
  size_t bytes = KEEP_CHANGE_BYTES + key->size + pick->value_size + key->sibling_count * (size_t)KEEP_SEEN_BYTES;
  if (batch->count > 0 && batch->bytes + bytes > engine->limits.bytes_max) return false;
  if (batch->count == engine->limits.changes_max) return false;
  if (batch->count == 0) batch->first = key;
  batch->bytes += bytes;
  batch->changes[batch->count++] = (struct own_change){.kind = pick->tombstone ? SYNC_DELETE : SYNC_PUT,
                                                       .key = key->bytes,
                                                       .key_size = key->size,
                                                       .value = pick->tombstone ? NULL : pick->value,
                                                       .value_size = pick->value_size};
  return true;
}

static void keep_collect(struct sync_engine *engine, struct keep_batch *batch) {
  struct conflicts *conflicts = &engine->state.store.conflicts;
  batch->count = 0;
  batch->bytes = 0;
  batch->left_count = 0;
  struct btree_cursor cursor = btree_first(&conflicts->unjudged);
  for (size_t i = 0; i < KEEP_KEYS_MAX && btree_key(&cursor) != NULL; i++, btree_advance(&cursor)) {
    const struct store_key *key = btree_key(&cursor);
    const struct store_sibling *pick = keep_pick(engine, key);
    if (pick == NULL)
      batch->left[batch->left_count++] = key;
    else if (!keep_add(engine, batch, key, pick))
      break;
  }
  for (size_t i = 0; i < batch->left_count; i++)
    conflicts_judged(conflicts, batch->left[i]);
}

/* No memory; or no life of this node may begin any more (origins_max). */
static void keep_later(struct sync_engine *engine) {
  uint64_t wait_ns = KEEP_RETRY_NS << engine->keep_failures;
  if (engine->keep_failures < KEEP_RETRY_DOUBLINGS) engine->keep_failures++;
  if (wait_ns > engine->options.retry_cap_ns) wait_ns = engine->options.retry_cap_ns;
  engine->keep_due_ns = time_add(port_now(engine->env), wait_ns);
}

void keep_run(struct sync_engine *engine) {
  if (keep_deadline(engine) > port_now(engine->env)) return;
  struct keep_batch batch;
  keep_collect(engine, &batch);
  if (batch.count == 0) return;
  size_t count = batch.count;
  int rc = own_write(engine, batch.changes, count, NULL, NULL);
  if (rc == SYNC_E_TOO_BIG && count > 1) {
    count = 1;
    rc = own_write(engine, batch.changes, count, NULL, NULL);
  }
  if (rc == SYNC_OK) {
    engine->stats.resolved += count; /* they are in no conflict now, and so not listed any more */
    engine->keep_due_ns = 0;
    engine->keep_failures = 0;
  } else if (rc == SYNC_E_TOO_BIG) {
    /* So many siblings that no operation can name them beside the value: nor can one of a caller. It reads as before.
     */
    conflicts_judged(&engine->state.store.conflicts, batch.first);
  } else {
    keep_later(engine);
  }
}

uint64_t keep_deadline(const struct sync_engine *engine) {
  if (!own_write_can(engine) || engine->stats.full) return SYNC_NO_DEADLINE;
  return conflicts_unjudged(&engine->state.store.conflicts) == NULL ? SYNC_NO_DEADLINE : engine->keep_due_ns;
}
