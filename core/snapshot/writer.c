#include "core/snapshot/writer.h"

#include "core/base/file_io.h"

#define WALK_KEYS_MAX 1024u /* in one step: also when they all were saved before */

/* --- Blocks ----------------------------------------------------------------------- */

static size_t open_payload(const struct snapshot_writer *writer) {
  return writer->out.count - writer->open_at - BLOCK_HEADER_BYTES;
}

static void end_block(struct snapshot_writer *writer) {
  if (writer->open == 0) return;
  uint8_t *block = (uint8_t *)writer->out.items + writer->open_at;
  block_seal(block, writer->open, open_payload(writer), writer->id, writer->written + writer->open_at);
  writer->sum = block_sum(writer->sum, block);
  writer->open = 0;
}

static size_t full_bytes(const struct snapshot_writer *writer) {
  return writer->payload_bytes_max < BLOCK_FULL_BYTES ? writer->payload_bytes_max : BLOCK_FULL_BYTES;
}

/* Room for at most `size` bytes that stay together, in a block of that type. The writer's capacity is exactly the
 * size; put_end() says how much was used. Failed: the snapshot is given up. */
static struct bytes_writer put_begin(struct snapshot_writer *writer, enum block_type type, size_t size) {
  if (writer->open != 0) {
    size_t payload = open_payload(writer);
    bool full = payload > 0 && payload + size > full_bytes(writer);
    if (writer->open != type || full) end_block(writer);
  }
  size_t header = writer->open == 0 ? BLOCK_HEADER_BYTES : 0;
  if (size > writer->payload_bytes_max) writer->status = SYNC_E_TOO_BIG;
  if (writer->status == SYNC_OK)
    writer->status =
        memory_array_reserve(writer->env, &writer->out, 1, 1, writer->out.count + header + size, SIZE_MAX / 2);
  if (writer->status != SYNC_OK) return (struct bytes_writer){.failed = true};
  if (header > 0) {
    writer->open = type;
    writer->open_at = writer->out.count;
    writer->out.count += header;
  }
  return bytes_writer_to((uint8_t *)writer->out.items + writer->out.count, size);
}

static void put_end(struct snapshot_writer *writer, const struct bytes_writer *put) {
  if (!put->failed) writer->out.count += put->size;
}

/* --- Origins and peers --------------------------------------------------------------- */

static void save_origin(struct snapshot_writer *writer, struct origin *origin) {
  origin->saving = origin->applied;
  size_t size = IMAGE_ORIGIN_BYTES_MAX;
  for (size_t i = 0; i < origin->birth_count; i++)
    size += bytes_varint_size(origin->birth[i].origin->index) + bytes_varint_size(origin->birth[i].seq);
  struct bytes_writer put = put_begin(writer, BLOCK_ORIGINS, size);
  if (put.failed) return;
  image_origin_write(&put, &(struct image_origin){.node_id = (const uint8_t *)origin->node_id,
                                                  .node_id_size = origin->node_id_size,
                                                  .incarnation = origin->incarnation,
                                                  .seq = origin->applied,
                                                  .hlc = origin->hlc,
                                                  .birth_count = origin->birth_count});
  for (size_t i = 0; i < origin->birth_count; i++)
    image_edge_write(&put, origin->birth[i].origin->index, origin->birth[i].seq);
  put_end(writer, &put);
}

static void save_peers(struct snapshot_writer *writer, const struct snapshot_order *order) {
  const uint8_t *id = NULL;
  size_t size = 0;
  for (uint32_t handle = 0; order->peer != NULL && order->peer(order->arg, handle, &id, &size); handle++) {
    struct bytes_writer put = put_begin(writer, BLOCK_PEERS, 1 + size);
    if (put.failed) return;
    bytes_write_u8(&put, (uint8_t)size);
    bytes_write(&put, id, size);
    put_end(writer, &put);
  }
}

static void save_head(struct snapshot_writer *writer, const struct snapshot_order *order) {
  struct image_head head = order->head;
  head.hlc_last = writer->state->hlc_last;
  struct bytes_writer put = put_begin(writer, BLOCK_HEAD, 128 + head.node_id_size);
  if (put.failed) return;
  image_head_write(&put, &head);
  put_end(writer, &put);
}

/* --- Keys ------------------------------------------------------------------------------ */

static size_t sibling_bytes_max(const struct store_sibling *sibling) {
  return IMAGE_SIBLING_BYTES_MAX((size_t)sibling->value_size);
}

/* As many siblings of the key, from this one on, as stay together in a block. */
static const struct store_sibling *save_siblings(struct snapshot_writer *writer, const struct store_key *key,
                                                 const struct store_sibling *first) {
  size_t size = IMAGE_KEY_BYTES_MAX((size_t)key->size) + sibling_bytes_max(first), count = 1;
  const struct store_sibling *next = first->next;
  for (; next != NULL && size + sibling_bytes_max(next) <= full_bytes(writer); next = next->next, count++)
    size += sibling_bytes_max(next);
  struct bytes_writer put = put_begin(writer, BLOCK_KEYS, size);
  if (put.failed) return NULL;
  image_key_write(&put, key->bytes, key->size, count);
  for (const struct store_sibling *s = first; s != next; s = s->next)
    image_sibling_write(&put, &(struct image_sibling){.place = s->origin->index,
                                                      .seq = s->seq,
                                                      .hlc = s->hlc,
                                                      .tombstone = s->tombstone,
                                                      .automatic = s->automatic,
                                                      .value = s->value,
                                                      .value_size = s->value_size});
  put_end(writer, &put);
  writer->siblings += count;
  return next;
}

static void save_key(void *arg, const struct store_key *key) {
  struct snapshot_writer *writer = arg;
  writer->keys++;
  for (const struct store_sibling *s = key->siblings; s != NULL && writer->status == SYNC_OK;)
    s = save_siblings(writer, key, s);
}

static size_t sealed_bytes(const struct snapshot_writer *writer) {
  return writer->open == 0 ? writer->out.count : writer->open_at;
}

/* Saves keys until so many bytes wait; some in any case while no block can be written, since one that is longer than
 * a step ends only with what comes behind it. */
static void walk_on(struct snapshot_writer *writer, size_t bytes) {
  struct store *store = &writer->state->store;
  struct btree_cursor cursor =
      writer->walk_size == 0 ? store_first(store) : store_lower_bound(store, writer->walk, writer->walk_size);
  size_t keys = 0;
  while (!writer->walked && writer->status == SYNC_OK && keys < WALK_KEYS_MAX &&
         (writer->out.count < bytes || sealed_bytes(writer) == 0)) {
    writer->walked = !store_save_some(store, &cursor, 16);
    keys += 16;
  }
  const struct store_key *next = btree_key(&cursor);
  if (next == NULL) return;
  writer->walk_size = next->size;
  memcpy(writer->walk, next->bytes, next->size);
}

static void save_end(struct snapshot_writer *writer) {
  end_block(writer);
  sync_check(writer->env, writer->keys == writer->end.keys && writer->siblings == writer->end.siblings);
  writer->end.sum = writer->sum;
  struct bytes_writer put = put_begin(writer, BLOCK_END, IMAGE_END_BYTES);
  if (put.failed) return;
  image_end_write(&put, &writer->end);
  put_end(writer, &put);
  end_block(writer);
}

/* --- The whole --------------------------------------------------------------------------- */

int snapshot_writer_begin(struct snapshot_writer *writer, const struct sync_env *env, struct state *state,
                          const struct snapshot_order *order) {
  memset(writer, 0, sizeof *writer);
  writer->env = env;
  writer->state = state;
  writer->id = order->head.id;
  writer->payload_bytes_max = order->payload_bytes_max;
  memcpy(writer->name, order->name, sizeof writer->name);
  writer->end = (struct image_end){.keys = state->store.keys,
                                   .siblings = state->store.siblings,
                                   .state = state->store.digest,
                                   .vector = state->origins.digest};
  save_head(writer, order);
  for (size_t i = 0; i < origins_count(&state->origins); i++)
    save_origin(writer, origins_at(&state->origins, i));
  save_peers(writer, order);
  int status = writer->status;
  if (status == SYNC_OK) status = file_io_open(env, writer->name, SYNC_OPEN_CREATE | SYNC_OPEN_TRUNCATE, &writer->file);
  if (status != SYNC_OK) {
    memory_array_free(env, &writer->out, 1, 1);
    return status;
  }
  store_save_begin(&state->store, save_key, writer);
  return SYNC_OK;
}

static int write_out(struct snapshot_writer *writer) {
  size_t size = sealed_bytes(writer);
  if (size == 0) return SYNC_OK;
  int status = file_io_write(writer->env, writer->file, writer->written, writer->out.items, size);
  if (status != SYNC_OK) return status;
  writer->out.count -= size;
  if (writer->out.count > 0) memmove(writer->out.items, (uint8_t *)writer->out.items + size, writer->out.count);
  writer->open_at -= writer->open == 0 ? 0 : size;
  writer->written += size;
  return SYNC_OK;
}

int snapshot_writer_step(struct snapshot_writer *writer, size_t bytes, bool *done) {
  *done = false;
  walk_on(writer, bytes);
  if (writer->walked && writer->status == SYNC_OK && writer->state->store.save != NULL) {
    store_save_end(&writer->state->store);
    save_end(writer);
  }
  if (writer->status == SYNC_OK) writer->status = write_out(writer);
  *done = writer->walked && writer->out.count == 0;
  return writer->status;
}

void snapshot_writer_end(struct snapshot_writer *writer) {
  store_save_end(&writer->state->store);
  (void)file_io_close(writer->env, writer->file);
  memory_array_free(writer->env, &writer->out, 1, 1);
}
