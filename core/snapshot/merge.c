#include "core/snapshot/merge.h"

#include "core/snapshot/reader.h"

#define MERGE_ORIGIN_NOMINAL_BYTES 24u
#define MERGE_ADD_NOMINAL_BYTES 24u

struct merge_add {
  struct store_key *key;
  struct store_sibling *sibling;
  bool key_is_new;
};

static struct merge_origin *merge_origin_at(const struct merge *merge, uint64_t place) {
  return (struct merge_origin *)merge->origins.items + (size_t)place;
}

static void merge_free(struct merge *merge) {
  const struct sync_env *env = merge->state->env;
  memory_array_free(env, &merge->origins, sizeof(struct merge_origin), MERGE_ORIGIN_NOMINAL_BYTES);
  memory_array_free(env, &merge->adds, sizeof(struct merge_add), MERGE_ADD_NOMINAL_BYTES);
}

/* Its head says the greatest; who made it may have lied. */
static void merge_see_clock(struct merge *merge, uint64_t hlc) {
  if (merge->head.hlc_last < hlc) merge->head.hlc_last = hlc;
}

/* --- Origins ------------------------------------------------------------------------ */

/* Takes its birth, which names lower places only. */
static int merge_birth(const struct merge *merge, struct origin *origin, struct image_origin *entry) {
  const struct sync_env *env = merge->state->env;
  if (entry->birth_count == 0) return SYNC_OK;
  origin->birth = memory_alloc(env, entry->birth_count * sizeof(struct origin_edge),
                               entry->birth_count * (size_t)ORIGIN_EDGE_NOMINAL_BYTES);
  if (origin->birth == NULL) return SYNC_E_NO_MEMORY;
  origin->birth_count = entry->birth_count;
  uint64_t stamp = origins_stamp(&merge->state->origins);
  for (size_t i = 0; i < entry->birth_count; i++) {
    uint64_t place = 0;
    image_next_edge(&entry->birth, &place, &origin->birth[i].seq);
    if (place >= merge->origins.count) return SYNC_E_CORRUPT;
    struct origin *elder = merge_origin_at(merge, place)->origin;
    if (memcmp(elder->node_id, origin->node_id, NODE_ID_ROOM) != 0) return SYNC_E_CORRUPT;
    if (merge_origin_at(merge, place)->seq < origin->birth[i].seq || elder->stamp == stamp) return SYNC_E_CORRUPT;
    elder->stamp = stamp;
    origin->birth[i].origin = elder;
  }
  return SYNC_OK;
}

static int merge_intern(struct merge *merge, struct image_origin *entry, struct origin **interned) {
  struct origins *origins = &merge->state->origins;
  int rc = origins_reserve_more(origins, 1);
  if (rc != SYNC_OK) return rc;
  struct origin *origin = origin_make(origins, entry->node_id, entry->node_id_size, entry->incarnation);
  if (origin == NULL) return SYNC_E_NO_MEMORY;
  origins_insert(origins, origin);
  merge->interned++;
  *interned = origin;
  return merge_birth(merge, origin, entry);
}

static int merge_origins(struct merge *merge, const struct merge_source *source, struct bytes_reader reader) {
  struct state *state = merge->state;
  struct image_origin entry;
  while (image_next_origin(&reader, &entry)) {
    if (source->origins_max != 0 && merge->origins.count >= source->origins_max) return SYNC_E_LIMITS;
    int rc = memory_array_reserve(state->env, &merge->origins, sizeof(struct merge_origin), MERGE_ORIGIN_NOMINAL_BYTES,
                                  merge->origins.count + 1, UINT32_MAX);
    if (rc != SYNC_OK) return rc;
    struct origin *origin = origins_find(&state->origins, entry.node_id, entry.node_id_size, entry.incarnation);
    if (origin == NULL)
      rc = merge_intern(merge, &entry, &origin);
    else if (origin->implied != 0) /* named before */
      rc = SYNC_E_CORRUPT;
    else if (origin == source->own && entry.seq > origin->applied)
      rc = SYNC_E_ID_CONFLICT;
    if (rc != SYNC_OK) return rc;
    origin->implied = entry.seq;
    if (entry.seq > origin->applied) merge->news++;
    merge_see_clock(merge, entry.hlc);
    merge->end.vector -= origin_hash_at(origin, entry.seq);
    *merge_origin_at(merge, merge->origins.count++) = (struct merge_origin){origin, entry.seq, entry.hlc};
  }
  return reader.failed ? SYNC_E_CORRUPT : SYNC_OK;
}

/* --- Keys ---------------------------------------------------------------------------- */

/* A sibling that was never seen here. */
static int merge_add(struct merge *merge, struct store_key **key, const struct store_content *content, uint64_t hash) {
  struct store *store = &merge->state->store;
  int rc = memory_array_reserve(merge->state->env, &merge->adds, sizeof(struct merge_add), MERGE_ADD_NOMINAL_BYTES,
                                merge->adds.count + 1, UINT32_MAX);
  if (rc != SYNC_OK) return rc;
  struct merge_add add = {.key = *key, .key_is_new = *key == NULL};
  if (add.key_is_new) add.key = store_key_make(store, content->key, content->key_size);
  if (add.key == NULL) return SYNC_E_NO_MEMORY;
  add.sibling = store_sibling_make(store, content);
  rc = add.sibling == NULL ? SYNC_E_NO_MEMORY : SYNC_OK;
  if (rc == SYNC_OK && !add.key_is_new) rc = store_key_reserve(store, add.key);
  if (rc != SYNC_OK) {
    store_sibling_drop(store, add.sibling);
    if (add.key_is_new) store_key_drop(store, add.key);
    return rc;
  }
  add.sibling->hash = hash;
  add.sibling->merged = true;
  merge->bytes_added += STORE_SIBLING_NOMINAL_BYTES + content->value_size;
  if (add.key_is_new) merge->bytes_added += STORE_KEY_NOMINAL_BYTES + content->key_size;
  *key = add.key;
  ((struct merge_add *)merge->adds.items)[merge->adds.count++] = add;
  return SYNC_OK;
}

static int merge_sibling(struct merge *merge, const struct merge_source *source, struct store_key **key,
                         struct store_content *content, const struct image_sibling *sibling) {
  if (sibling->place >= merge->origins.count || sibling->value_size > source->value_bytes_max) return SYNC_E_CORRUPT;
  const struct merge_origin *from = merge_origin_at(merge, sibling->place);
  if (sibling->seq > from->seq) return SYNC_E_CORRUPT;
  content->origin = from->origin;
  content->seq = sibling->seq;
  content->hlc = sibling->hlc;
  content->tombstone = sibling->tombstone;
  content->automatic = sibling->automatic;
  content->value = sibling->value;
  content->value_size = sibling->value_size;
  merge_see_clock(merge, sibling->hlc);
  uint64_t hash = store_content_hash(content);
  merge->end.state -= hash;
  merge->end.siblings--;
  if (sibling->seq > from->origin->applied) return merge_add(merge, key, content, hash);
  struct store_sibling *here = *key == NULL ? NULL : store_key_sibling(*key, from->origin, sibling->seq);
  if (here == NULL) return SYNC_OK; /* replaced here */
  if (here->hash != hash) return SYNC_E_ID_CONFLICT;
  here->merged = true;
  return SYNC_OK;
}

static int merge_keys(struct merge *merge, const struct merge_source *source, struct bytes_reader reader) {
  struct store_content content = {0};
  size_t siblings = 0;
  while (image_next_key(&reader, &content.key, &content.key_size, &siblings)) {
    struct store_key *key = store_seek(&merge->state->store, content.key, content.key_size);
    for (size_t i = 0; i < siblings; i++) {
      struct image_sibling sibling;
      if (!image_next_sibling(&reader, &sibling)) return SYNC_E_CORRUPT;
      int rc = merge_sibling(merge, source, &key, &content, &sibling);
      if (rc != SYNC_OK) return rc;
    }
  }
  return reader.failed ? SYNC_E_CORRUPT : SYNC_OK;
}

/* --- Blocks --------------------------------------------------------------------------- */

static int merge_head(struct merge *merge, const struct merge_source *source, const uint8_t *payload, size_t size) {
  int rc = image_head_parse(payload, size, &merge->head);
  if (rc != SYNC_OK) return rc;
  bool ours = source->node_id == NULL || (strlen(source->node_id) == merge->head.node_id_size &&
                                          memcmp(source->node_id, merge->head.node_id, merge->head.node_id_size) == 0);
  merge->head.node_id = NULL;
  if (!ours) return SYNC_E_CLUSTER;
  if (memcmp(merge->head.cluster_id, source->cluster_id, sizeof source->cluster_id) != 0) return SYNC_E_CLUSTER;
  if (merge->head.value_bytes_max > source->value_bytes_max) return SYNC_E_LIMITS;
  return merge->head.id == source->id ? SYNC_OK : SYNC_E_CORRUPT;
}

static int merge_peers(const struct merge_source *source, struct bytes_reader reader) {
  while (bytes_left(&reader) > 0) {
    size_t size = bytes_read_u8(&reader);
    const uint8_t *id = bytes_take(&reader, size);
    if (reader.failed || (size > 0 && !node_id_valid(id, size))) return SYNC_E_CORRUPT;
    int rc = source->peer == NULL ? SYNC_OK : source->peer(source->arg, id, size);
    if (rc != SYNC_OK) return rc;
  }
  return SYNC_OK;
}

/* The counts and digests ran down to what the end must say. */
static int merge_end(struct merge *merge, const struct merge_source *source, const uint8_t *payload, size_t size,
                     uint64_t sum) {
  struct image_end end;
  int rc = image_end_parse(payload, size, &end);
  if (rc != SYNC_OK) return rc;
  if (end.sum != sum || (source->sum != 0 && source->sum != sum)) return SYNC_E_CORRUPT;
  if (end.siblings + merge->end.siblings != 0 || end.state + merge->end.state != 0) return SYNC_E_CORRUPT;
  if (end.vector + merge->end.vector != 0) return SYNC_E_CORRUPT;
  merge->end = end;
  merge->sum = sum;
  return SYNC_OK;
}

static int merge_block(struct merge *merge, const struct merge_source *source, const struct block *block,
                       const uint8_t *payload, uint64_t sum_before) {
  struct bytes_reader reader = bytes_reader_of(payload, block->size);
  switch (block->type) {
  case BLOCK_HEAD:
    return merge_head(merge, source, payload, block->size);
  case BLOCK_ORIGINS:
    return merge_origins(merge, source, reader);
  case BLOCK_PEERS:
    return merge_peers(source, reader);
  case BLOCK_KEYS:
    return merge_keys(merge, source, reader);
  case BLOCK_END:
    return merge_end(merge, source, payload, block->size, sum_before);
  }
  return SYNC_E_CORRUPT;
}

static int merge_read(struct merge *merge, const struct merge_source *source, struct snapshot_reader *reader) {
  enum block_type last = 0;
  while (last != BLOCK_END) {
    struct block block;
    const uint8_t *bytes = NULL;
    uint64_t sum = reader->sum;
    int rc = snapshot_reader_next(reader, &block, &bytes);
    /* One that has its whole length has no end that could have been lost. */
    if (rc == SYNC_E_NOT_FOUND)
      return source->size != 0 && reader->offset == source->size ? SYNC_E_CORRUPT : SYNC_E_DAMAGED;
    if (rc != SYNC_OK) return rc;
    bool first = last == 0;
    if (first != (block.type == BLOCK_HEAD) || block.type < last) return SYNC_E_CORRUPT;
    rc = merge_block(merge, source, &block, bytes + BLOCK_HEADER_BYTES, sum);
    if (rc != SYNC_OK) return rc;
    last = block.type;
  }
  merge->size = reader->offset;
  return source->size == 0 || source->size == merge->size ? SYNC_OK : SYNC_E_CORRUPT;
}

/* --- Planning and committing ------------------------------------------------------------ */

static int merge_check_room(const struct merge *merge) {
  const struct state *state = merge->state;
  uint64_t added = merge->bytes_added;
  if (added == 0 || state->store.bytes + added <= state->store_bytes_max) return SYNC_OK;
  uint64_t removed = store_replaced_bytes(&state->store);
  bool grows = added > removed;
  return grows && state->store.bytes + (added - removed) > state->store_bytes_max ? SYNC_E_FULL : SYNC_OK;
}

int merge_plan(struct merge *merge, struct state *state, const struct merge_source *source) {
  memset(merge, 0, sizeof *merge);
  merge->state = state;
  struct snapshot_reader reader;
  int rc = snapshot_reader_open(&reader, source->env, source->name, source->id, source->payload_bytes_max);
  if (rc != SYNC_OK) return rc;
  store_unmerge(&state->store);
  for (size_t i = 0; i < origins_count(&state->origins); i++)
    origins_at(&state->origins, i)->implied = 0;
  rc = merge_read(merge, source, &reader);
  snapshot_reader_close(&reader);
  if (rc == SYNC_OK) rc = oplog_reserve_jumps(&state->oplog, merge->origins.count);
  if (rc == SYNC_OK) rc = merge_check_room(merge);
  if (rc != SYNC_OK) merge_cancel(merge);
  return rc;
}

void merge_cancel(struct merge *merge) {
  struct store *store = &merge->state->store;
  struct merge_add *adds = merge->adds.items;
  for (size_t i = merge->adds.count; i-- > 0;) {
    store_sibling_drop(store, adds[i].sibling);
    if (adds[i].key_is_new)
      store_key_drop(store, adds[i].key);
    else
      store_key_settle(store, adds[i].key);
  }
  for (; merge->interned > 0; merge->interned--)
    origins_remove_last(&merge->state->origins);
  merge_free(merge);
}

static void merge_raise(struct merge *merge, const struct merge_origin *from, uint64_t end) {
  struct state *state = merge->state;
  struct origin *origin = from->origin;
  if (from->seq <= origin->applied) return;
  if (origin->applied == 0)
    for (size_t i = 0; i < origin->birth_count; i++) {
      struct origin_edge elder = origin->birth[i];
      if (elder.origin->covered < elder.seq) elder.origin->covered = elder.seq;
    }
  oplog_jump(&state->oplog, origin, from->seq, end);
  origins_raise(&state->origins, origin, from->seq);
  origin->hlc = from->hlc;
}

void merge_commit(struct merge *merge, uint64_t end) {
  struct state *state = merge->state;
  struct merge_add *adds = merge->adds.items;
  for (size_t i = 0; i < merge->adds.count; i++)
    store_sibling_put(&state->store, adds[i].key, adds[i].sibling);
  store_remove_replaced(&state->store);
  for (size_t i = 0; i < merge->adds.count; i++)
    if (!adds[i].key_is_new) store_key_settle(&state->store, adds[i].key);
  for (size_t i = 0; i < merge->origins.count; i++)
    merge_raise(merge, merge_origin_at(merge, i), end);
  if (state->hlc_last < merge->head.hlc_last) state->hlc_last = merge->head.hlc_last;
  merge_free(merge);
}
