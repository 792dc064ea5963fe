#include "core/state/store.h"

void store_init(struct store *store, const struct sync_env *env) {
  memset(store, 0, sizeof *store);
  store->env = env;
}

static size_t store_key_size(const struct store_key *key) {
  return sizeof *key + key->height * sizeof(struct store_key *) + key->size;
}

static void store_sibling_free(struct store *store, struct store_sibling *sibling) {
  if (sibling == NULL) return;
  memory_free(store->env, sibling, sizeof *sibling + sibling->value_size,
              STORE_SIBLING_NOMINAL_BYTES + sibling->value_size);
}

static void store_key_free(struct store *store, struct store_key *key) {
  memory_free(store->env, key, store_key_size(key), STORE_KEY_NOMINAL_BYTES + key->size);
}

void store_deinit(struct store *store) {
  struct store_key *key = store->head[0];
  while (key != NULL) {
    struct store_key *next = key->next[0];
    while (key->siblings != NULL) {
      struct store_sibling *sibling = key->siblings;
      key->siblings = sibling->next;
      store_sibling_free(store, sibling);
    }
    store_key_free(store, key);
    key = next;
  }
  store_init(store, store->env);
}

/* Eight bytes as a number that is ordered as they are. */
static uint64_t store_word(const uint8_t *bytes) {
  return (uint64_t)bytes[0] << 56 | (uint64_t)bytes[1] << 48 | (uint64_t)bytes[2] << 40 | (uint64_t)bytes[3] << 32 |
         (uint64_t)bytes[4] << 24 | (uint64_t)bytes[5] << 16 | (uint64_t)bytes[6] << 8 | (uint64_t)bytes[7];
}

/* By words, for a walk compares 25 to 40 keys, each too short to pay for a call of memcmp. */
static int store_key_compare(const struct store_key *a, const uint8_t *bytes, size_t size) {
  const uint8_t *own = store_key_bytes(a);
  size_t left = a->size < size ? a->size : size;
  for (; left >= 8; left -= 8, own += 8, bytes += 8) {
    uint64_t mine = store_word(own);
    uint64_t other = store_word(bytes);
    if (mine != other) return mine < other ? -1 : 1;
  }
  int order = left == 0 ? 0 : memcmp(own, bytes, left);
  if (order != 0) return order;
  return a->size < size ? -1 : a->size > size ? 1 : 0;
}

/* A walk waits for memory at nearly every key: the key that it will meet one
 * level further down is fetched while this level is compared. */
#if defined(__GNUC__)
#define STORE_FETCH(key) __builtin_prefetch(key)
#else
#define STORE_FETCH(key) ((void)(key))
#endif

/* Whether the key belongs where store->path leads: no key in the store lies
 * between the two ends of that gap, so the path is that of every key in it. */
static bool store_path_fits(const struct store *store, const uint8_t *bytes, size_t size) {
  if (!store->path_known) return false;
  if (store->path_below != NULL && store_key_compare(store->path_below, bytes, size) >= 0) return false;
  const struct store_key *above = *store->path[0];
  return above == NULL || store_key_compare(above, bytes, size) >= 0;
}

/* As store_lower_bound(), and leaves the path there in store->path. */
static struct store_key *store_walk(struct store *store, const uint8_t *bytes, size_t size) {
  if (store_path_fits(store, bytes, size)) return *store->path[0];
  struct store_key **row = store->head;
  struct store_key *below = NULL;
  const struct store_key *stop = NULL; /* not below the key; a lower level often meets it again */
  for (size_t level = STORE_HEIGHT_MAX; level-- > 0;) {
    while (row[level] != stop && store_key_compare(row[level], bytes, size) < 0) {
      below = row[level];
      row = below->next;
      if (level > 0) STORE_FETCH(row[level - 1]);
    }
    stop = row[level];
    store->path[level] = &row[level];
  }
  store->path_below = below;
  store->path_known = true;
  return *store->path[0];
}

struct store_key *store_lower_bound(const struct store *store, const uint8_t *key, size_t size) {
  struct store_key *const *row = store->head;
  struct store_key *stop = NULL;
  for (size_t level = STORE_HEIGHT_MAX; level-- > 0;) {
    while (row[level] != stop && store_key_compare(row[level], key, size) < 0) {
      row = row[level]->next;
      if (level > 0) STORE_FETCH(row[level - 1]);
    }
    stop = row[level];
  }
  return stop;
}

/* Height and slot come from one hash, of different bits. */
static uint64_t store_key_hash(const uint8_t *key, size_t size) {
  return checksum64(key, size, UINT64_C(0x736b69706c697374));
}
static uint8_t store_slot(uint64_t hash) {
  return (uint8_t)(hash >> 56);
}

static struct store_key *store_recent(const struct store *store, uint64_t hash, const uint8_t *key, size_t size) {
  struct store_key *recent = store->recent[store_slot(hash)];
  return recent != NULL && recent->size == size && memcmp(store_key_bytes(recent), key, size) == 0 ? recent : NULL;
}

struct store_key *store_find(const struct store *store, const uint8_t *key, size_t size) {
  struct store_key *found = store_recent(store, store_key_hash(key, size), key, size);
  if (found != NULL) return found;
  found = store_lower_bound(store, key, size);
  return found != NULL && store_key_compare(found, key, size) == 0 ? found : NULL;
}

static uint8_t store_height(uint64_t hash) {
  uint8_t height = 1;
  while (height < STORE_HEIGHT_MAX && (hash & 3u) == 0) {
    height++;
    hash >>= 2;
  }
  return height;
}

static struct store_key *store_key_new(struct store *store, uint64_t hash, const uint8_t *bytes, size_t size) {
  uint8_t height = store_height(hash);
  size_t room = sizeof(struct store_key) + height * sizeof(struct store_key *) + size;
  struct store_key *key = memory_alloc(store->env, room, STORE_KEY_NOMINAL_BYTES + size);
  if (key == NULL) return NULL;
  key->siblings = NULL;
  key->sibling_count = 0;
  key->size = (uint16_t)size;
  key->height = height;
  key->slot = store_slot(hash);
  for (size_t i = 0; i < height; i++)
    key->next[i] = NULL;
  memcpy((uint8_t *)&key->next[height], bytes, size);
  return key;
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

static struct store_key *store_look(struct store *store, uint64_t hash, const uint8_t *key, size_t size) {
  struct store_key *found = store_recent(store, hash, key, size);
  if (found != NULL) return found;
  found = store_walk(store, key, size);
  if (found == NULL || store_key_compare(found, key, size) != 0) return NULL;
  store->recent[found->slot] = found;
  return found;
}

struct store_key *store_seek(struct store *store, const uint8_t *key, size_t size) {
  return store_look(store, store_key_hash(key, size), key, size);
}

int store_plan_change(struct store *store, const struct operation_change_view *change, const struct store_dot *seen,
                      uint64_t hlc, struct store_plan *plan) {
  memset(plan, 0, sizeof *plan);
  uint64_t hash = store_key_hash(change->key, change->key_size);
  plan->key = store_look(store, hash, change->key, change->key_size);
  if (plan->key != NULL) {
    uint32_t matched = 0;
    plan->bytes_removed = store_seen_bytes(plan->key, seen, change->seen_count, &matched);
    if (change->kind == SYNC_SWEEP && matched == plan->key->sibling_count)
      plan->bytes_removed += STORE_KEY_NOMINAL_BYTES + plan->key->size;
  }
  if (change->kind == SYNC_SWEEP) return SYNC_OK;

  if (plan->key == NULL) {
    plan->key = store_key_new(store, hash, change->key, change->key_size);
    if (plan->key == NULL) return SYNC_E_NO_MEMORY;
    plan->key_is_new = true;
    plan->bytes_added = STORE_KEY_NOMINAL_BYTES + change->key_size;
  }
  struct store_sibling *sibling =
      memory_alloc(store->env, sizeof *sibling + change->value_size, STORE_SIBLING_NOMINAL_BYTES + change->value_size);
  if (sibling == NULL) {
    store_plan_cancel(store, plan);
    return SYNC_E_NO_MEMORY;
  }
  sibling->next = NULL;
  sibling->hlc = hlc;
  sibling->value_size = (uint32_t)change->value_size;
  sibling->tombstone = change->kind == SYNC_DELETE;
  sibling->automatic = change->automatic;
  if (change->value_size > 0) memcpy(sibling->value, change->value, change->value_size);
  plan->sibling = sibling;
  plan->bytes_added += store_sibling_bytes(sibling);
  return SYNC_OK;
}

void store_plan_cancel(struct store *store, struct store_plan *plan) {
  if (plan->key_is_new) store_key_free(store, plan->key);
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

/* Links a new key, and moves the path behind it: keys that come in order need no search. */
static void store_link(struct store *store, struct store_key *key) {
  (void)store_walk(store, store_key_bytes(key), key->size);
  for (size_t level = 0; level < key->height; level++) {
    key->next[level] = *store->path[level];
    *store->path[level] = key;
    store->path[level] = &key->next[level];
  }
  store->path_below = key;
  store->keys++;
  store->bytes += STORE_KEY_NOMINAL_BYTES + key->size;
}

static void store_unlink(struct store *store, struct store_key *key) {
  (void)store_walk(store, store_key_bytes(key), key->size);
  for (size_t level = 0; level < key->height; level++)
    *store->path[level] = key->next[level];
  store->keys--;
  store->bytes -= STORE_KEY_NOMINAL_BYTES + key->size;
}

static void store_add(struct store *store, struct store_key *key, struct store_sibling *sibling) {
  struct store_sibling **link = &key->siblings;
  while (*link != NULL && origin_dot_compare((*link)->origin, (*link)->seq, sibling->origin, sibling->seq) < 0)
    link = &(*link)->next;
  sibling->next = *link;
  *link = sibling;
  sibling->hash = store->replaying ? 0 : store_sibling_hash(key, sibling);
  key->sibling_count++;
  store->siblings++;
  store->digest += sibling->hash;
  store->bytes += store_sibling_bytes(sibling);
}

void store_plan_commit(struct store *store, struct store_plan *plan, const struct origin *origin, uint64_t seq,
                       const struct store_dot *seen, size_t seen_count) {
  struct store_key *key = plan->key;
  if (key == NULL) return;
  if (plan->key_is_new)
    store_link(store, key);
  else
    store_remove_seen(store, key, seen, seen_count);
  if (plan->sibling != NULL) {
    plan->sibling->origin = origin;
    plan->sibling->seq = seq;
    store_add(store, key, plan->sibling);
  }
  if (key->siblings != NULL) {
    store->recent[key->slot] = key;
    return;
  }
  if (store->recent[key->slot] == key) store->recent[key->slot] = NULL;
  store_unlink(store, key);
  store_key_free(store, key);
}

void store_replayed(struct store *store) {
  store->replaying = false;
  for (struct store_key *key = store->head[0]; key != NULL; key = key->next[0])
    for (struct store_sibling *s = key->siblings; s != NULL; s = s->next) {
      s->hash = store_sibling_hash(key, s);
      store->digest += s->hash;
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
  for (const struct store_key *key = store_first(store); key != NULL; key = store_next(key)) {
    (*keys)++;
    for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next) {
      (*siblings)++;
      *digest += store_sibling_hash(key, s);
    }
  }
}
