#include "core/state/store.h"

void store_init(struct store *store, const struct sync_env *env) {
  memset(store, 0, sizeof *store);
  store->env = env;
  btree_init(&store->index, env);
}

static void store_sibling_free(struct store *store, struct store_sibling *sibling) {
  if (sibling == NULL) return;
  memory_free(store->env, sibling, sizeof *sibling + sibling->value_size,
              STORE_SIBLING_NOMINAL_BYTES + sibling->value_size);
}

static void store_key_free(struct store *store, struct store_key *key) {
  memory_free(store->env, key, sizeof *key + key->size, STORE_KEY_BLOCK_NOMINAL_BYTES + key->size);
}

void store_deinit(struct store *store) {
  for (struct btree_cursor cursor = store_first(store); btree_key(&cursor) != NULL; btree_advance(&cursor)) {
    struct store_key *key = btree_key(&cursor);
    while (key->siblings != NULL) {
      struct store_sibling *sibling = key->siblings;
      key->siblings = sibling->next;
      store_sibling_free(store, sibling);
    }
    store_key_free(store, key);
  }
  btree_deinit(&store->index);
  store_init(store, store->env);
}

struct store_key *store_find(const struct store *store, const uint8_t *key, size_t size) {
  return btree_find(&store->index, key, size);
}
struct store_key *store_seek(struct store *store, const uint8_t *key, size_t size) {
  return btree_seek(&store->index, key, size);
}
struct btree_cursor store_first(const struct store *store) {
  return btree_first(&store->index);
}
struct btree_cursor store_lower_bound(const struct store *store, const uint8_t *key, size_t size) {
  return btree_lower_bound(&store->index, key, size);
}

static struct store_key *store_key_new(struct store *store, const uint8_t *bytes, size_t size) {
  struct store_key *key = memory_alloc(store->env, sizeof *key + size, STORE_KEY_BLOCK_NOMINAL_BYTES + size);
  if (key == NULL) return NULL;
  key->siblings = NULL;
  key->sibling_count = 0;
  key->size = (uint16_t)size;
  memcpy(key->bytes, bytes, size);
  return key;
}

static struct store_sibling *store_sibling_new(struct store *store, const struct operation_change_view *change,
                                               uint64_t hlc) {
  struct store_sibling *sibling =
      memory_alloc(store->env, sizeof *sibling + change->value_size, STORE_SIBLING_NOMINAL_BYTES + change->value_size);
  if (sibling == NULL) return NULL;
  sibling->next = NULL;
  sibling->hlc = hlc;
  sibling->value_size = (uint32_t)change->value_size;
  sibling->tombstone = change->kind == SYNC_DELETE;
  sibling->automatic = change->automatic;
  if (change->value_size > 0) memcpy(sibling->value, change->value, change->value_size);
  return sibling;
}

static uint64_t store_sibling_bytes(const struct store_sibling *sibling) {
  return STORE_SIBLING_NOMINAL_BYTES + sibling->value_size;
}

uint64_t store_seen_bytes(const struct store_key *key, const struct store_dot *seen, size_t seen_count,
                          uint32_t *matched) {
  uint64_t bytes = 0;
  size_t i = 0;
  *matched = 0;
  for (const struct store_sibling *s = key->siblings; s != NULL && i < seen_count; s = s->next) {
    while (i < seen_count && origin_dot_compare(seen[i].origin, seen[i].seq, s->origin, s->seq) < 0)
      i++;
    if (i == seen_count || origin_dot_compare(seen[i].origin, seen[i].seq, s->origin, s->seq) != 0) continue;
    bytes += store_sibling_bytes(s);
    (*matched)++;
  }
  return bytes;
}

/* A key without siblings, in the index. SYNC_E_NO_MEMORY: nothing changed. */
static int store_plan_key(struct store *store, const struct operation_change_view *change, struct store_plan *plan) {
  struct store_key *key = store_key_new(store, change->key, change->key_size);
  if (key == NULL) return SYNC_E_NO_MEMORY;
  int rc = btree_insert(&store->index, key);
  if (rc != SYNC_OK) {
    store_key_free(store, key);
    return rc;
  }
  plan->key = key;
  plan->key_is_new = true;
  plan->bytes_added += STORE_KEY_NOMINAL_BYTES + change->key_size;
  return SYNC_OK;
}

int store_plan_change(struct store *store, const struct operation_change_view *change, const struct store_dot *seen,
                      uint64_t hlc, struct store_plan *plan) {
  memset(plan, 0, sizeof *plan);
  plan->key = store_seek(store, change->key, change->key_size);
  if (plan->key != NULL) {
    uint32_t matched = 0;
    plan->bytes_removed = store_seen_bytes(plan->key, seen, change->seen_count, &matched);
    if (change->kind == SYNC_SWEEP && matched == plan->key->sibling_count)
      plan->bytes_removed += STORE_KEY_NOMINAL_BYTES + plan->key->size;
  }
  if (change->kind == SYNC_SWEEP) return SYNC_OK;

  plan->sibling = store_sibling_new(store, change, hlc);
  if (plan->sibling == NULL) return SYNC_E_NO_MEMORY;
  plan->bytes_added = store_sibling_bytes(plan->sibling);
  int rc = plan->key == NULL ? store_plan_key(store, change, plan) : SYNC_OK;
  if (rc != SYNC_OK) {
    store_sibling_free(store, plan->sibling);
    plan->sibling = NULL;
  }
  return rc;
}

static void store_key_remove(struct store *store, struct store_key *key) {
  btree_remove(&store->index, key);
  store_key_free(store, key);
}

void store_plan_cancel(struct store *store, struct store_plan *plan) {
  if (plan->key_is_new) store_key_remove(store, plan->key);
  store_sibling_free(store, plan->sibling);
  memset(plan, 0, sizeof *plan);
}

static uint64_t store_sibling_hash(const struct store_key *key, const struct store_sibling *sibling) {
  uint8_t head[NODE_ID_ROOM + 25];
  const struct origin *origin = sibling->origin;
  memcpy(head, origin->node_id, NODE_ID_ROOM);
  bytes_put_u64(head + NODE_ID_ROOM, origin->incarnation);
  bytes_put_u64(head + NODE_ID_ROOM + 8, sibling->seq);
  bytes_put_u64(head + NODE_ID_ROOM + 16, sibling->hlc);
  head[NODE_ID_ROOM + 24] = (uint8_t)((sibling->tombstone ? 1 : 0) | (sibling->automatic ? 2 : 0));
  uint64_t hash = checksum64(store_key_bytes(key), key->size, 0);
  hash = checksum64(sibling->value, sibling->value_size, hash);
  return checksum64(head, sizeof head, hash);
}

static void store_remove_seen(struct store *store, struct store_key *key, const struct store_dot *seen,
                              size_t seen_count) {
  struct store_sibling **link = &key->siblings;
  size_t i = 0;
  while (*link != NULL && i < seen_count) {
    struct store_sibling *sibling = *link;
    int order = origin_dot_compare(seen[i].origin, seen[i].seq, sibling->origin, sibling->seq);
    if (order < 0) {
      i++;
    } else if (order > 0) {
      link = &sibling->next;
    } else {
      *link = sibling->next;
      key->sibling_count--;
      store->siblings--;
      store->digest -= sibling->hash;
      store->bytes -= store_sibling_bytes(sibling);
      store_sibling_free(store, sibling);
    }
  }
}

static void store_add(struct store *store, struct store_key *key, struct store_sibling *sibling) {
  struct store_sibling **link = &key->siblings;
  while (*link != NULL && origin_dot_compare((*link)->origin, (*link)->seq, sibling->origin, sibling->seq) < 0)
    link = &(*link)->next;
  sibling->next = *link;
  *link = sibling;
  sibling->hash = store_sibling_hash(key, sibling);
  key->sibling_count++;
  store->siblings++;
  store->digest += sibling->hash;
  store->bytes += store_sibling_bytes(sibling);
}

void store_plan_commit(struct store *store, struct store_plan *plan, const struct origin *origin, uint64_t seq,
                       const struct store_dot *seen, size_t seen_count) {
  struct store_key *key = plan->key;
  if (key == NULL) return;
  if (plan->key_is_new) {
    store->keys++;
    store->bytes += STORE_KEY_NOMINAL_BYTES + key->size;
  } else {
    store_remove_seen(store, key, seen, seen_count);
  }
  if (plan->sibling != NULL) {
    plan->sibling->origin = origin;
    plan->sibling->seq = seq;
    store_add(store, key, plan->sibling);
  }
  if (key->siblings != NULL) return;
  store->keys--;
  store->bytes -= STORE_KEY_NOMINAL_BYTES + key->size;
  store_key_remove(store, key);
}

const struct store_sibling *store_winner(const struct store_key *key) {
  const struct store_sibling *winner = key->siblings;
  /* Siblings are in dot order, so among equal clocks the later one wins. */
  for (const struct store_sibling *s = winner->next; s != NULL; s = s->next)
    if (s->hlc >= winner->hlc) winner = s;
  return winner;
}

struct sync_sibling store_sibling_public(const struct store_sibling *sibling) {
  return (struct sync_sibling){
      .dot = {.origin = origin_public(sibling->origin), .seq = sibling->seq},
      .hlc = sibling->hlc,
      .tombstone = sibling->tombstone,
      .automatic = sibling->automatic,
      .value = sibling->tombstone ? NULL : sibling->value,
      .value_size = sibling->value_size,
  };
}

void store_recompute(const struct store *store, uint64_t *digest, uint64_t *keys, uint64_t *siblings) {
  *digest = 0;
  *keys = 0;
  *siblings = 0;
  for (struct btree_cursor cursor = store_first(store); btree_key(&cursor) != NULL; btree_advance(&cursor)) {
    const struct store_key *key = btree_key(&cursor);
    (*keys)++;
    for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next) {
      (*siblings)++;
      *digest += store_sibling_hash(key, s);
    }
  }
}
