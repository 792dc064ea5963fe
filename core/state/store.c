#include "core/state/store.h"

void store_init(struct store *store, const struct sync_env *env) {
  memset(store, 0, sizeof *store);
  store->env = env;
  btree_init(&store->index, env);
  conflicts_init(&store->conflicts, env);
}

/* Besides the sibling itself. */
static size_t store_sibling_room(bool tombstone, size_t value_size) {
  return tombstone ? sizeof(struct grave) : value_size;
}
static uint64_t store_sibling_bytes(const struct store_sibling *sibling) {
  return STORE_SIBLING_NOMINAL_BYTES + sibling->value_size;
}

static void store_sibling_free(struct store *store, struct store_sibling *sibling) {
  if (sibling == NULL) return;
  memory_free(store->env, sibling, sizeof *sibling + store_sibling_room(sibling->tombstone, sibling->value_size),
              (size_t)store_sibling_bytes(sibling));
}

static void store_key_free(struct store *store, struct store_key *key) {
  memory_free(store->env, key, sizeof *key + key->size, STORE_KEY_BLOCK_NOMINAL_BYTES + key->size);
}

void store_deinit(struct store *store) {
  conflicts_deinit(&store->conflicts);
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
  key->mark = store->mark; /* younger than a snapshot in progress */
  memcpy(key->bytes, bytes, size);
  return key;
}

static struct store_sibling *store_sibling_new(struct store *store, const struct operation_change_view *change,
                                               uint64_t hlc) {
  bool tombstone = change->kind == SYNC_DELETE;
  struct store_sibling *sibling =
      memory_alloc(store->env, sizeof *sibling + store_sibling_room(tombstone, change->value_size),
                   STORE_SIBLING_NOMINAL_BYTES + change->value_size);
  if (sibling == NULL) return NULL;
  sibling->next = NULL;
  sibling->hlc = hlc;
  sibling->value_size = (uint32_t)change->value_size;
  sibling->tombstone = tombstone;
  sibling->automatic = change->automatic;
  sibling->merged = sibling->contested = false;
  if (change->value_size > 0) memcpy(sibling->value, change->value, change->value_size);
  return sibling;
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

/* What the change adds beside what it has not seen may be a conflict. */
static int store_plan_conflict(struct store *store, struct store_plan *plan, uint32_t matched) {
  if (plan->key->sibling_count == matched) return SYNC_OK;
  int rc = conflicts_reserve(&store->conflicts, plan->key);
  plan->listed = rc == SYNC_OK;
  return rc;
}

int store_plan_change(struct store *store, const struct operation_change_view *change, const struct store_dot *seen,
                      uint64_t hlc, struct store_plan *plan) {
  memset(plan, 0, sizeof *plan);
  plan->key = store_seek(store, change->key, change->key_size);
  uint32_t matched = 0;
  if (plan->key != NULL) {
    store_save_key(store, plan->key);
    plan->bytes_removed = store_seen_bytes(plan->key, seen, change->seen_count, &matched);
    if (change->kind == SYNC_SWEEP && matched == plan->key->sibling_count)
      plan->bytes_removed += STORE_KEY_NOMINAL_BYTES + plan->key->size;
  }
  if (change->kind == SYNC_SWEEP) return SYNC_OK;

  plan->sibling = store_sibling_new(store, change, hlc);
  if (plan->sibling == NULL) return SYNC_E_NO_MEMORY;
  plan->bytes_added = store_sibling_bytes(plan->sibling);
  int rc = plan->key == NULL ? store_plan_key(store, change, plan) : store_plan_conflict(store, plan, matched);
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
  if (plan->listed) conflicts_settle(&store->conflicts, plan->key);
  if (plan->key_is_new) store_key_remove(store, plan->key);
  store_sibling_free(store, plan->sibling);
  memset(plan, 0, sizeof *plan);
}

uint64_t store_content_hash(const struct store_content *content) {
  uint8_t head[NODE_ID_ROOM + 25];
  const struct origin *origin = content->origin;
  memcpy(head, origin->node_id, NODE_ID_ROOM);
  bytes_put_u64(head + NODE_ID_ROOM, origin->incarnation);
  bytes_put_u64(head + NODE_ID_ROOM + 8, content->seq);
  bytes_put_u64(head + NODE_ID_ROOM + 16, content->hlc);
  head[NODE_ID_ROOM + 24] = (uint8_t)((content->tombstone ? 1 : 0) | (content->automatic ? 2 : 0));
  uint64_t hash = checksum64(content->key, content->key_size, 0);
  hash = checksum64(content->value, content->value_size, hash);
  return checksum64(head, sizeof head, hash);
}

static uint64_t store_sibling_hash(const struct store_key *key, const struct store_sibling *sibling) {
  return store_content_hash(&(struct store_content){.key = key->bytes,
                                                    .key_size = key->size,
                                                    .origin = sibling->origin,
                                                    .seq = sibling->seq,
                                                    .hlc = sibling->hlc,
                                                    .tombstone = sibling->tombstone,
                                                    .automatic = sibling->automatic,
                                                    .value = sibling->value,
                                                    .value_size = sibling->value_size});
}

/* Removes the sibling to which the link leads. */
static void store_unlink(struct store *store, struct store_key *key, struct store_sibling **link) {
  struct store_sibling *sibling = *link;
  *link = sibling->next;
  key->sibling_count--;
  store->siblings--;
  store->digest -= sibling->hash;
  store->bytes -= store_sibling_bytes(sibling);
  if (sibling->tombstone) graves_remove(&store->graves, sibling);
  store_sibling_free(store, sibling);
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
      store_unlink(store, key, link);
    }
  }
}

/* Adds a sibling whose hash is set. */
static void store_link(struct store *store, struct store_key *key, struct store_sibling *sibling) {
  struct store_sibling **link = &key->siblings;
  while (*link != NULL && origin_dot_compare((*link)->origin, (*link)->seq, sibling->origin, sibling->seq) < 0)
    link = &(*link)->next;
  sibling->next = *link;
  *link = sibling;
  key->sibling_count++;
  store->siblings++;
  store->digest += sibling->hash;
  store->bytes += store_sibling_bytes(sibling);
  if (sibling->tombstone) graves_add(&store->graves, sibling, key);
}

/* A key that has its first sibling; one that has lost its last, which is removed. */
static void store_key_count(struct store *store, const struct store_key *key) {
  store->keys++;
  store->bytes += STORE_KEY_NOMINAL_BYTES + key->size;
}
static void store_key_uncount(struct store *store, struct store_key *key) {
  store->keys--;
  store->bytes -= STORE_KEY_NOMINAL_BYTES + key->size;
  store_key_remove(store, key);
}

void store_plan_commit(struct store *store, struct store_plan *plan, struct origin *origin, uint64_t seq,
                       const struct store_dot *seen, size_t seen_count) {
  struct store_key *key = plan->key;
  if (key == NULL) return;
  bool listed = plan->listed || key->sibling_count > 1;
  if (plan->key_is_new)
    store_key_count(store, key);
  else
    store_remove_seen(store, key, seen, seen_count);
  if (plan->sibling != NULL) {
    plan->sibling->origin = origin;
    plan->sibling->seq = seq;
    plan->sibling->hash = store_sibling_hash(key, plan->sibling);
    store_link(store, key, plan->sibling);
  }
  if (listed) conflicts_settle(&store->conflicts, key);
  if (key->siblings == NULL) store_key_uncount(store, key);
}

/* --- A snapshot of one instant --------------------------------------------------------- */

void store_save_begin(struct store *store, void (*save)(void *arg, const struct store_key *key), void *arg) {
  store->save = save;
  store->save_arg = arg;
  if (++store->mark != 0) return;
  /* Marks begin anew, once in 65,535 snapshots. */
  store->mark = 1;
  for (struct btree_cursor cursor = store_first(store); btree_key(&cursor) != NULL; btree_advance(&cursor))
    btree_key(&cursor)->mark = 0;
}

bool store_save_some(struct store *store, struct btree_cursor *cursor, size_t keys_max) {
  for (size_t i = 0; i < keys_max && btree_key(cursor) != NULL; i++) {
    /* Keys and siblings lie anywhere: what comes soon is on its way meanwhile. */
    memory_fetch(btree_ahead(cursor, 16));
    const struct store_key *soon = btree_ahead(cursor, 8);
    if (soon != NULL) {
      memory_fetch(soon->siblings);
      memory_fetch((const uint8_t *)soon->siblings + 64);
    }
    store_save_key(store, btree_key(cursor));
    btree_advance(cursor);
  }
  return btree_key(cursor) != NULL;
}

void store_save_end(struct store *store) {
  store->save = NULL;
}

/* --- Siblings one by one ---------------------------------------------------------------- */

struct store_sibling *store_sibling_make(struct store *store, const struct store_content *content) {
  const struct operation_change_view change = {.kind = content->tombstone ? SYNC_DELETE : SYNC_PUT,
                                               .automatic = content->automatic,
                                               .value = content->value,
                                               .value_size = content->value_size};
  struct store_sibling *sibling = store_sibling_new(store, &change, content->hlc);
  if (sibling == NULL) return NULL;
  sibling->origin = content->origin;
  sibling->seq = content->seq;
  return sibling;
}

void store_sibling_drop(struct store *store, struct store_sibling *sibling) {
  store_sibling_free(store, sibling);
}

struct store_key *store_key_make(struct store *store, const uint8_t *bytes, size_t size) {
  struct store_key *key = store_seek(store, bytes, size);
  if (key != NULL) return key;
  key = store_key_new(store, bytes, size);
  if (key == NULL) return NULL;
  if (btree_insert(&store->index, key) == SYNC_OK) return key;
  store_key_free(store, key);
  return NULL;
}

void store_key_drop(struct store *store, struct store_key *key) {
  store_key_remove(store, key);
}

struct store_sibling *store_key_sibling(const struct store_key *key, const struct origin *origin, uint64_t seq) {
  for (struct store_sibling *s = key->siblings; s != NULL; s = s->next)
    if (s->origin == origin && s->seq == seq) return s;
  return NULL;
}

int store_key_reserve(struct store *store, struct store_key *key) {
  return conflicts_reserve(&store->conflicts, key);
}

void store_key_settle(struct store *store, struct store_key *key) {
  conflicts_settle(&store->conflicts, key);
}

void store_sibling_put(struct store *store, struct store_key *key, struct store_sibling *sibling) {
  if (store_key_sibling(key, sibling->origin, sibling->seq) != NULL) {
    store_sibling_free(store, sibling);
    return;
  }
  if (key->siblings == NULL) store_key_count(store, key);
  store_link(store, key, sibling);
}

void store_unmerge(struct store *store) {
  for (struct btree_cursor cursor = store_first(store); btree_key(&cursor) != NULL; btree_advance(&cursor))
    for (struct store_sibling *s = btree_key(&cursor)->siblings; s != NULL; s = s->next)
      s->merged = false;
}

static bool store_is_replaced(const struct store_sibling *sibling) {
  return !sibling->merged && sibling->seq <= sibling->origin->implied;
}

uint64_t store_replaced_bytes(const struct store *store) {
  uint64_t bytes = 0;
  for (struct btree_cursor cursor = store_first(store); btree_key(&cursor) != NULL; btree_advance(&cursor))
    for (const struct store_sibling *s = btree_key(&cursor)->siblings; s != NULL; s = s->next)
      if (store_is_replaced(s)) bytes += store_sibling_bytes(s);
  return bytes;
}

void store_remove_replaced(struct store *store) {
  struct btree_cursor cursor = store_first(store);
  struct store_key *key;
  while ((key = btree_key(&cursor)) != NULL) {
    struct store_sibling **link = &key->siblings;
    uint32_t before = key->sibling_count;
    while (*link != NULL) {
      if (store_is_replaced(*link))
        store_unlink(store, key, link);
      else
        link = &(*link)->next;
    }
    if (before > 1 && key->sibling_count < before) conflicts_settle(&store->conflicts, key);
    if (key->siblings != NULL) {
      btree_advance(&cursor);
      continue;
    }
    uint8_t bytes[SYNC_KEY_BYTES_MAX];
    size_t size = key->size;
    memcpy(bytes, key->bytes, size);
    store_key_uncount(store, key);
    cursor = store_lower_bound(store, bytes, size);
  }
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
