#include "core/state/origin.h"

void origins_init(struct origins *origins, const struct sync_env *env, const char *own_node_id) {
  memset(origins, 0, sizeof *origins);
  origins->env = env;
  memcpy(origins->own_node_id, own_node_id, strlen(own_node_id));
}

static void origin_free(const struct sync_env *env, struct origin *origin) {
  if (origin == NULL) return;
  memory_array_free(env, &origin->ordinals, 4, 4);
  memory_free(env, origin->birth, origin->birth_count * sizeof *origin->birth,
              origin->birth_count * ORIGIN_EDGE_NOMINAL_BYTES);
  memory_free(env, origin, sizeof *origin, ORIGIN_NOMINAL_BYTES);
}

void origins_deinit(struct origins *origins) {
  for (size_t i = 0; i < origins_count(origins); i++)
    origin_free(origins->env, origins_at(origins, i));
  origin_free(origins->env, origins->spare);
  memory_array_free(origins->env, &origins->all, sizeof(struct origin *), 8);
  memory_array_free(origins->env, &origins->sorted, sizeof(struct origin *), 8);
  memory_array_free(origins->env, &origins->changed, sizeof(struct origin *), 8);
  memory_array_free(origins->env, &origins->work, sizeof(struct origin *), 8);
}

static int origin_compare_id(const struct origin *origin, const char *padded_id, uint64_t incarnation) {
  int order = memcmp(origin->node_id, padded_id, NODE_ID_ROOM);
  if (order != 0) return order;
  return origin->incarnation < incarnation ? -1 : origin->incarnation > incarnation ? 1 : 0;
}

int origin_compare(const struct origin *a, const struct origin *b) {
  return a == b ? 0 : origin_compare_id(a, b->node_id, b->incarnation);
}

int origin_dot_compare(const struct origin *a, uint64_t a_seq, const struct origin *b, uint64_t b_seq) {
  int order = origin_compare(a, b);
  if (order != 0) return order;
  return a_seq < b_seq ? -1 : a_seq > b_seq ? 1 : 0;
}

/* The first place whose origin is not below the given one. */
static size_t origins_place(const struct origins *origins, const char *padded_id, uint64_t incarnation) {
  size_t low = 0;
  size_t high = origins->sorted.count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (origin_compare_id(origins_sorted(origins, middle), padded_id, incarnation) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static size_t origins_slot(uint64_t incarnation) {
  return (size_t)(incarnation % ORIGINS_RECENT);
}

struct origin *origins_find(const struct origins *origins, const uint8_t *node_id, size_t node_id_size,
                            uint64_t incarnation) {
  struct origin *recent = origins->recent[origins_slot(incarnation)];
  if (recent != NULL && recent->incarnation == incarnation && recent->node_id_size == node_id_size &&
      memcmp(recent->node_id, node_id, node_id_size) == 0)
    return recent;
  char padded[NODE_ID_ROOM] = {0};
  if (node_id_size >= sizeof padded) return NULL;
  memcpy(padded, node_id, node_id_size);
  size_t place = origins_place(origins, padded, incarnation);
  if (place == origins->sorted.count) return NULL;
  struct origin *found = origins_sorted(origins, place);
  return origin_compare_id(found, padded, incarnation) == 0 ? found : NULL;
}

int origins_reserve_more(struct origins *origins, size_t more) {
  const struct sync_env *env = origins->env;
  size_t wanted = origins_count(origins) + more;
  struct memory_array *arrays[] = {&origins->all, &origins->sorted, &origins->changed, &origins->work};
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++) {
    int rc = memory_array_reserve(env, arrays[i], sizeof(struct origin *), 8, wanted, UINT32_MAX - 1);
    if (rc != SYNC_OK) return rc;
  }
  return SYNC_OK;
}

int origins_reserve(struct origins *origins) {
  const struct sync_env *env = origins->env;
  int rc = origins_reserve_more(origins, 1);
  if (rc != SYNC_OK) return rc;
  if (origins->spare == NULL) {
    origins->spare = memory_alloc_zero(env, sizeof *origins->spare, ORIGIN_NOMINAL_BYTES);
    if (origins->spare == NULL) return SYNC_E_NO_MEMORY;
  }
  return memory_array_reserve(env, &origins->spare->ordinals, 4, 4, 1, UINT32_MAX);
}

static void origin_name(const struct origins *origins, struct origin *origin, const uint8_t *node_id,
                        size_t node_id_size, uint64_t incarnation) {
  memcpy(origin->node_id, node_id, node_id_size);
  origin->node_id_size = node_id_size;
  origin->incarnation = incarnation;
  origin->node_hash = sync_node_hash(origin->node_id);
  origin->own_node = memcmp(origin->node_id, origins->own_node_id, NODE_ID_ROOM) == 0;
}

struct origin *origin_make(const struct origins *origins, const uint8_t *node_id, size_t node_id_size,
                           uint64_t incarnation) {
  struct origin *origin = memory_alloc_zero(origins->env, sizeof *origin, ORIGIN_NOMINAL_BYTES);
  if (origin != NULL) origin_name(origins, origin, node_id, node_id_size, incarnation);
  return origin;
}

/* Another life of that node, which stand side by side with the place of this one; NULL: there is none. */
static const struct origin *origins_sibling(const struct origins *origins, const struct origin *origin, size_t place) {
  for (size_t at = place > 0 ? place - 1 : 0; at <= place + 1 && at < origins->sorted.count; at++) {
    const struct origin *other = origins_sorted(origins, at);
    if (other != origin && memcmp(other->node_id, origin->node_id, NODE_ID_ROOM) == 0) return other;
  }
  return NULL;
}

void origins_remove_last(struct origins *origins) {
  struct origin *origin = origins_at(origins, origins_count(origins) - 1);
  size_t place = origins_place(origins, origin->node_id, origin->incarnation);
  if (origins_sibling(origins, origin, place) == NULL) origins->writers--;
  if (origin->durable > 0) {
    origins->durable_count--;
    origins->durable_lives -= origin_life_hash(origin);
  }
  origins->ranked_count = 0;
  struct origin **sorted = origins->sorted.items;
  origins->sorted.count--;
  memmove(sorted + place, sorted + place + 1, (origins->sorted.count - place) * sizeof(struct origin *));
  struct origin **recent = &origins->recent[origins_slot(origin->incarnation)];
  if (*recent == origin) *recent = NULL;
  origins->all.count--;
  origin_free(origins->env, origin);
}

void origins_insert(struct origins *origins, struct origin *origin) {
  origin->index = (uint32_t)origins_count(origins);
  size_t place = origins_place(origins, origin->node_id, origin->incarnation);
  struct origin **sorted = origins->sorted.items;
  memmove(sorted + place + 1, sorted + place, (origins->sorted.count - place) * sizeof(struct origin *));
  sorted[place] = origin;
  origins->sorted.count++;
  const struct origin *sibling = origins_sibling(origins, origin, place);
  origin->writer = sibling != NULL ? sibling->writer : origins->writers++;
  origins->recent[origins_slot(origin->incarnation)] = origin;
  ((struct origin **)origins->all.items)[origins->all.count++] = origin;
}

struct origin *origins_add(struct origins *origins, const uint8_t *node_id, size_t node_id_size, uint64_t incarnation) {
  struct origin *origin = origins->spare;
  origins->spare = NULL;
  origin_name(origins, origin, node_id, node_id_size, incarnation);
  origins_insert(origins, origin);
  return origin;
}

uint64_t origin_life_hash(const struct origin *origin) {
  return origin_hash_at(origin, 0);
}

void origins_rank(struct origins *origins) {
  if (origins->ranked_count == origins->durable_count) return;
  uint32_t rank = 0;
  for (size_t i = 0; i < origins_count(origins); i++)
    if (origins_sorted(origins, i)->durable > 0) origins_sorted(origins, i)->rank = rank++;
  origins->ranked_count = origins->durable_count;
}

void origins_raise_durable(struct origins *origins, struct origin *origin, uint64_t seq) {
  if (origin->durable >= seq) return;
  if (origin->durable == 0) {
    origins->durable_count++;
    origins->durable_lives += origin_life_hash(origin);
  }
  origin->durable = seq;
}

uint64_t origin_hash_at(const struct origin *origin, uint64_t seq) {
  uint8_t bytes[NODE_ID_ROOM + 16];
  memcpy(bytes, origin->node_id, NODE_ID_ROOM);
  bytes_put_u64(bytes + NODE_ID_ROOM, origin->incarnation);
  bytes_put_u64(bytes + NODE_ID_ROOM + 8, seq);
  return checksum64(bytes, sizeof bytes, 0);
}

uint64_t origin_hash(const struct origin *origin) {
  return origin_hash_at(origin, origin->applied);
}

void origins_raise(struct origins *origins, struct origin *origin, uint64_t seq) {
  origins->digest -= origin->hash;
  origin->applied = seq;
  origin->hash = origins->replaying ? 0 : origin_hash(origin);
  origins->digest += origin->hash;
  origins->recent[origins_slot(origin->incarnation)] = origin;
  if (origin->changed) return;
  origin->changed = true;
  ((struct origin **)origins->changed.items)[origins->changed.count++] = origin;
}

void origins_replayed(struct origins *origins) {
  origins->replaying = false;
  for (size_t i = 0; i < origins_count(origins); i++) {
    struct origin *origin = origins_at(origins, i);
    origin->hash = origin_hash(origin);
    origins->digest += origin->hash;
  }
}

void origins_complete(struct origins *origins, struct vector *vector) {
  struct origin **work = origins->work.items;
  size_t count = 0;
  uint64_t stamp = origins_stamp(origins);
  for (size_t i = 0; i < origins_count(origins); i++) {
    struct origin *origin = origins_at(origins, i);
    if (vector_get(vector, origin->index) == 0) continue;
    origin->stamp = stamp;
    work[count++] = origin;
  }
  while (count > 0) {
    struct origin *origin = work[--count];
    for (size_t i = 0; i < origin->birth_count; i++) {
      struct origin *elder = origin->birth[i].origin;
      (void)vector_raise(vector, elder->index, origin->birth[i].seq);
      /* The births of an origin do not depend on how much of it is held, so
       * each is walked once. */
      if (elder->stamp == stamp) continue;
      elder->stamp = stamp;
      work[count++] = elder;
    }
  }
}

size_t origins_reduce(struct origin_edge *edges, size_t count) {
  for (size_t i = 0; i < count; i++)
    edges[i].origin->implied = 0;
  for (size_t i = 0; i < count; i++) {
    const struct origin *origin = edges[i].origin;
    for (size_t k = 0; k < origin->birth_count; k++) {
      struct origin_edge elder = origin->birth[k];
      if (elder.origin->implied < elder.seq) elder.origin->implied = elder.seq;
    }
  }
  size_t kept = 0;
  for (size_t i = 0; i < count; i++)
    if (edges[i].origin->implied != edges[i].seq) edges[kept++] = edges[i];
  return kept;
}

void origins_imply(struct origins *origins) {
  for (size_t i = 0; i < origins_count(origins); i++)
    origins_at(origins, i)->implied = 0;
  for (size_t i = 0; i < origins_count(origins); i++) {
    const struct origin *origin = origins_at(origins, i);
    if (origin->durable == 0) continue;
    for (size_t k = 0; k < origin->birth_count; k++) {
      struct origin_edge elder = origin->birth[k];
      if (elder.origin->implied < elder.seq) elder.origin->implied = elder.seq;
    }
  }
}
