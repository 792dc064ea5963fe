#include "tests/support/image_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const uint8_t cluster[SYNC_CLUSTER_ID_BYTES] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7};
static const struct operation_limits limits = {
    .bytes_max = 1u << 20, .key_bytes_max = SYNC_KEY_BYTES_MAX, .value_bytes_max = 1u << 16, .changes_max = 64};

#define ORIGINS_MAX 256u
#define DOTS_MAX 1024u

static struct image_bytes bytes_of(const void *bytes, size_t size) {
  struct image_bytes copy = {.bytes = malloc(size == 0 ? 1 : size), .size = size};
  assert_non_null(copy.bytes);
  if (size > 0) memcpy(copy.bytes, bytes, size);
  return copy;
}
void image_bytes_free(struct image_bytes *bytes) {
  free(bytes->bytes);
  *bytes = (struct image_bytes){0};
}

void image_replica_init(struct image_replica *replica, const char *node_id) {
  memset(replica, 0, sizeof *replica);
  memory_env_init(&replica->memory);
  replica->node_id = node_id;
  replica->clock = 1000;
  state_init(&replica->state, &replica->memory.env, node_id, UINT64_C(64) << 20, limits.bytes_max);
}
void image_replica_deinit(struct image_replica *replica) {
  state_deinit(&replica->state);
  assert_int_equal(replica->memory.blocks, 0);
  assert_int_equal(replica->memory.nominal_bytes, 0);
  assert_int_equal(memory_env_handles(&replica->memory), 0);
  memory_env_destroy(&replica->memory);
}
void image_replica_reborn(struct image_replica *replica) {
  replica->own = NULL;
}

/* --- Operations ----------------------------------------------------------------------- */

static int apply(struct image_replica *replica, struct operation_view *view) {
  int rc = apply_judge(&replica->state, view);
  if (rc != APPLY_READY) return rc;
  struct apply_plan plan;
  rc = apply_prepare(&replica->state, view, &plan);
  if (rc != SYNC_OK) return rc;
  uint64_t end = replica->position + WAL_RECORD_HEADER_BYTES_MIN + view->size;
  (void)apply_commit(&replica->state, &plan, replica->position, end);
  replica->position = end;
  return APPLY_READY;
}

/* An operation goes from one to another as the body of a frame: with whom its indexes stand for. */
static struct image_bytes wrap(const struct image_replica *replica, const uint8_t *bytes, size_t size) {
  const struct origins *origins = &replica->state.origins;
  struct operation_view view;
  struct operation_mention mention;
  size_t capacity = size + 64 + origins_count(origins) * 96;
  uint8_t *body = malloc(capacity), *last = calloc(1, origins_count(origins) + 1);
  assert_true(body != NULL && last != NULL);
  assert_int_equal(operation_parse(bytes, size, &limits, &view), SYNC_OK);
  struct bytes_writer writer = bytes_writer_to(body, capacity);
  ops_write_head(&writer, 1, 0);
  bytes_write_varint(&writer, size);
  bytes_write(&writer, bytes, size);
  ops_write_end(&writer);
  struct operation_mentions walk = operation_mentions_of(&view);
  if (view.seq == 1) last[view.origin] = 1; /* says itself whose it is */
  while (operation_next_mention(&walk, &mention)) {
    if (last[mention.index]) continue;
    last[mention.index] = 1;
    const struct origin *origin = origins_at(origins, mention.index);
    struct operation_origin named = {(const uint8_t *)origin->node_id, origin->node_id_size, origin->incarnation};
    ops_write_origin(&writer, NULL, &named, mention.index);
  }
  assert_false(writer.failed);
  free(last);
  return (struct image_bytes){.bytes = body, .size = writer.size};
}

/* Takes the body of a frame apart: its one operation, and whom that names. */
static const struct operation_origin *unwrap(struct image_bytes operation, struct legend *legend,
                                             struct operation_view *sent) {
  struct ops ops;
  const uint8_t *at;
  size_t size;
  assert_int_equal(ops_parse(operation.bytes, operation.size, &ops), SYNC_OK);
  struct bytes_reader reader = ops.operations;
  assert_true(ops_next(&reader, &at, &size));
  assert_int_equal(operation_parse(at, size, &limits, sent), SYNC_OK);
  assert_int_equal(legend_begin(legend, &ops), SYNC_OK);
  assert_int_equal(legend_add_first(legend, sent), SYNC_OK);
  assert_int_equal(legend_sort(legend), SYNC_OK);
  return &legend_find(legend, sent->origin)->origin;
}

/* How much is held of the operation's origin. */
static uint64_t applied_of(const struct image_replica *replica, const struct operation_origin *own) {
  const struct origin *origin =
      origins_find(&replica->state.origins, own->node_id, own->node_id_size, own->incarnation);
  return origin == NULL ? 0 : origin->applied;
}

bool image_replica_holds(const struct image_replica *replica, struct image_bytes operation) {
  struct legend legend;
  struct operation_view sent;
  legend_init(&legend, &replica->memory.env);
  bool holds = applied_of(replica, unwrap(operation, &legend, &sent)) >= sent.seq;
  legend_deinit(&legend);
  return holds;
}

int image_replica_receive(struct image_replica *replica, struct image_bytes operation) {
  struct legend legend;
  struct operation_view sent, view;
  struct memory_array bytes = {0};
  legend_init(&legend, &replica->memory.env);
  uint64_t applied = applied_of(replica, unwrap(operation, &legend, &sent));
  int rc = sent.seq > applied + 1 ? SYNC_E_NOT_FOUND : SYNC_OK; /* not yet */
  if (rc == SYNC_OK) rc = legend_translate(&legend, &replica->state.origins, &sent, limits.bytes_max, &bytes);
  if (rc == SYNC_E_NOT_FOUND) {
    rc = sent.seq <= applied ? APPLY_DUPLICATE : APPLY_NOT_YET;
  } else if (rc == SYNC_OK) {
    assert_int_equal(operation_parse(bytes.items, bytes.count, &limits, &view), SYNC_OK);
    rc = apply(replica, &view);
  }
  memory_array_free(&replica->memory.env, &bytes, 1, 1);
  legend_deinit(&legend);
  return rc;
}

struct image_bytes image_replica_write(struct image_replica *replica, const struct image_change *changes,
                                       size_t count) {
  static struct operation_dot delta[ORIGINS_MAX], seen[DOTS_MAX];
  struct operation_change encoded[64];
  struct origins *origins = &replica->state.origins;
  assert_true(count <= sizeof encoded / sizeof encoded[0]);
  /* Incarnations say whose they are, so that no two nodes draw the same. */
  if (replica->own == NULL) replica->incarnation = ((uint64_t)replica->node_id[0] << 32) + ++replica->lives;
  bool first = replica->own == NULL;
  struct operation_origin own = {(const uint8_t *)replica->node_id, strlen(replica->node_id), replica->incarnation};
  struct operation operation = {.origin = first ? (uint32_t)origins_count(origins) : replica->own->index,
                                .own = own,
                                .seq = first ? 1 : replica->own->applied + 1,
                                .hlc = ++replica->clock,
                                .hlc_before = first ? 0 : replica->own->hlc,
                                .delta = delta,
                                .changes = encoded,
                                .change_count = count};
  for (size_t i = 0; i < origins_count(origins); i++) { /* everything that is held of others */
    const struct origin *origin = origins_sorted(origins, i);
    if (origin == replica->own || origin->applied == 0) continue;
    assert_true(operation.delta_count < ORIGINS_MAX);
    delta[operation.delta_count++] = (struct operation_dot){origin->index, origin->applied};
  }
  size_t dots = 0;
  for (size_t i = 0; i < count; i++) {
    const uint8_t *bytes = (const uint8_t *)changes[i].key;
    size_t size = strlen(changes[i].key);
    encoded[i] = (struct operation_change){.kind = changes[i].kind,
                                           .automatic = changes[i].automatic,
                                           .key = bytes,
                                           .key_size = size,
                                           .value = changes[i].value,
                                           .value_size = changes[i].value_size,
                                           .seen = seen + dots};
    const struct store_key *key = store_find(&replica->state.store, bytes, size);
    for (const struct store_sibling *s = key == NULL ? NULL : key->siblings; s != NULL; s = s->next) {
      assert_true(dots < DOTS_MAX);
      seen[dots++] = (struct operation_dot){s->origin->index, s->seq};
      encoded[i].seen_count++;
    }
  }
  size_t size = operation_size(&operation);
  uint8_t *bytes = malloc(size);
  struct operation_view view;
  assert_non_null(bytes);
  operation_encode(&operation, bytes);
  assert_int_equal(operation_parse(bytes, size, &limits, &view), SYNC_OK);
  assert_int_equal(apply(replica, &view), APPLY_READY);
  replica->own = origins_find(origins, own.node_id, own.node_id_size, replica->incarnation);
  struct image_bytes wrapped = wrap(replica, bytes, size);
  free(bytes);
  return wrapped;
}

struct image_bytes image_replica_put(struct image_replica *replica, const char *key, const char *value) {
  struct image_change change = {SYNC_PUT, false, key, (const uint8_t *)value, strlen(value)};
  return image_replica_write(replica, &change, 1);
}

/* --- What is there ---------------------------------------------------------------------- */

static void dump(struct bytes_writer *out, const struct state *state) {
  const struct origins *origins = &state->origins;
  uint64_t vector = 0;
  bytes_write_u64(out, origins_count(origins));
  for (size_t i = 0; i < origins_count(origins); i++) {
    const struct origin *origin = origins_sorted(origins, i);
    vector += origin_hash(origin);
    bytes_write(out, origin->node_id, NODE_ID_ROOM);
    bytes_write_u64(out, origin->incarnation);
    bytes_write_u64(out, origin->applied);
    bytes_write_u64(out, origin->hlc);
    bytes_write_u64(out, origin->birth_count);
    for (size_t k = 0; k < origin->birth_count; k++) {
      bytes_write_u64(out, origin->birth[k].origin->incarnation);
      bytes_write_u64(out, origin->birth[k].seq);
    }
  }
  uint64_t digest = 0, keys = 0, siblings = 0;
  store_recompute(&state->store, &digest, &keys, &siblings);
  assert_true(state->origins.replaying || vector == origins->digest);
  assert_true(digest == state->store.digest && keys == state->store.keys && siblings == state->store.siblings);
  uint64_t bytes = 0;
  for (struct btree_cursor at = store_first(&state->store); btree_key(&at) != NULL; btree_advance(&at)) {
    const struct store_key *key = btree_key(&at);
    bytes += STORE_KEY_NOMINAL_BYTES + key->size;
    bytes_write_u64(out, key->size);
    bytes_write(out, key->bytes, key->size);
    bytes_write_u64(out, key->sibling_count);
    assert_true(key->sibling_count > 0);
    for (const struct store_sibling *s = key->siblings; s != NULL; s = s->next) {
      bytes += STORE_SIBLING_NOMINAL_BYTES + s->value_size;
      bytes_write(out, s->origin->node_id, NODE_ID_ROOM);
      bytes_write_u64(out, s->origin->incarnation);
      bytes_write_u64(out, s->seq);
      bytes_write_u64(out, s->hlc);
      bytes_write_u8(out, (uint8_t)(s->tombstone + 2 * s->automatic));
      bytes_write_u64(out, s->value_size);
      bytes_write(out, s->value, s->value_size);
      assert_true(s->seq <= s->origin->applied);
    }
  }
  assert_true(bytes == state->store.bytes);
}

struct image_bytes image_replica_dump(const struct image_replica *replica) {
  static uint8_t room[4u << 20];
  struct bytes_writer out = bytes_writer_to(room, sizeof room);
  dump(&out, &replica->state);
  assert_false(out.failed);
  return bytes_of(room, out.size);
}

bool image_replicas_equal(const struct image_replica *a, const struct image_replica *b) {
  struct image_bytes first = image_replica_dump(a), second = image_replica_dump(b);
  bool equal = first.size == second.size && memcmp(first.bytes, second.bytes, first.size) == 0;
  if (equal) assert_true(a->state.store.digest == b->state.store.digest);
  image_bytes_free(&first);
  image_bytes_free(&second);
  return equal;
}

/* --- Snapshots -------------------------------------------------------------------------- */

struct snapshot_order image_order(const char *author, uint64_t id, size_t payload_bytes_max) {
  struct snapshot_order order = {.name = IMAGE_FILE,
                                 .head = {.id = id,
                                          .log_id = 9,
                                          .position = 77,
                                          .value_bytes_max = IMAGE_VALUE_MAX,
                                          .node_id = (const uint8_t *)author,
                                          .node_id_size = strlen(author)},
                                 .payload_bytes_max = payload_bytes_max};
  memcpy(order.head.cluster_id, cluster, sizeof cluster);
  return order;
}

struct image_bytes image_replica_snapshot_with(struct image_replica *replica, size_t payload_bytes_max) {
  struct snapshot_writer writer;
  struct snapshot_order order = image_order(replica->node_id, IMAGE_ID, payload_bytes_max);
  assert_int_equal(snapshot_writer_begin(&writer, &replica->memory.env, &replica->state, &order), SYNC_OK);
  bool done = false;
  while (!done)
    assert_int_equal(snapshot_writer_step(&writer, 1u << 16, &done), SYNC_OK);
  snapshot_writer_end(&writer);
  size_t size = 0;
  const uint8_t *bytes = memory_env_bytes(&replica->memory, IMAGE_FILE, &size);
  assert_int_equal(size, writer.written);
  struct image_bytes snapshot = bytes_of(bytes, size);
  memory_env_remove(&replica->memory, IMAGE_FILE);
  return snapshot;
}
struct image_bytes image_replica_snapshot(struct image_replica *replica) {
  return image_replica_snapshot_with(replica, IMAGE_PAYLOAD_MAX);
}

struct merge_source image_source(struct image_replica *replica, size_t size) {
  struct merge_source source = {.env = &replica->memory.env,
                                .name = IMAGE_FILE,
                                .id = IMAGE_ID,
                                .size = size,
                                .value_bytes_max = IMAGE_VALUE_MAX,
                                .payload_bytes_max = IMAGE_PAYLOAD_MAX,
                                .own = replica->own};
  memcpy(source.cluster_id, cluster, sizeof cluster);
  return source;
}

int image_replica_merge(struct image_replica *replica, struct image_bytes snapshot) {
  memory_env_put(&replica->memory, IMAGE_FILE, snapshot.bytes, snapshot.size);
  struct merge_source source = image_source(replica, snapshot.size);
  struct merge merge;
  int rc = merge_plan(&merge, &replica->state, &source);
  if (rc == SYNC_OK) {
    replica->position += 100;
    merge_commit(&merge, replica->position);
  }
  memory_env_remove(&replica->memory, IMAGE_FILE);
  return rc;
}
