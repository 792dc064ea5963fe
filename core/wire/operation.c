#include "core/wire/operation.h"

#include "core/sync.h"

#define OPERATION_KIND_MASK 0x0fu
#define OPERATION_FLAG_AUTO 0x10u
/* The shortest possible table entry: length, one byte of id, incarnation. */
#define OPERATION_ORIGIN_BYTES_MIN 10u
#define OPERATION_DOT_BYTES_MIN 2u

static size_t operation_dots_size(const struct operation_dot *dots, size_t count) {
  size_t size = bytes_varint_size(count);
  for (size_t i = 0; i < count; i++)
    size += bytes_varint_size(dots[i].origin) + bytes_varint_size(dots[i].seq);
  return size;
}

size_t operation_size(const struct operation *operation) {
  size_t size = 1 + bytes_varint_size(operation->origin_count);
  for (size_t i = 0; i < operation->origin_count; i++)
    size += 1 + operation->origins[i].node_id_size + 8;
  size += bytes_varint_size(operation->seq) + 8;
  size += operation_dots_size(operation->delta, operation->delta_count);
  size += bytes_varint_size(operation->change_count);
  for (size_t i = 0; i < operation->change_count; i++) {
    const struct operation_change *change = &operation->changes[i];
    size += 1 + bytes_varint_size(change->key_size) + change->key_size;
    if (change->kind == SYNC_PUT) size += bytes_varint_size(change->value_size) + change->value_size;
    size += operation_dots_size(change->seen, change->seen_count);
  }
  return size;
}

static void operation_write_dots(struct bytes_writer *writer, const struct operation_dot *dots, size_t count) {
  bytes_write_varint(writer, count);
  for (size_t i = 0; i < count; i++) {
    bytes_write_varint(writer, dots[i].origin);
    bytes_write_varint(writer, dots[i].seq);
  }
}

void operation_encode(const struct operation *operation, uint8_t *to) {
  struct bytes_writer writer = bytes_writer_to(to, operation_size(operation));
  bytes_write_u8(&writer, OPERATION_VERSION);
  bytes_write_varint(&writer, operation->origin_count);
  for (size_t i = 0; i < operation->origin_count; i++) {
    const struct operation_origin *origin = &operation->origins[i];
    bytes_write_u8(&writer, (uint8_t)origin->node_id_size);
    bytes_write(&writer, origin->node_id, origin->node_id_size);
    bytes_write_u64(&writer, origin->incarnation);
  }
  bytes_write_varint(&writer, operation->seq);
  bytes_write_u64(&writer, operation->hlc);
  operation_write_dots(&writer, operation->delta, operation->delta_count);
  bytes_write_varint(&writer, operation->change_count);
  for (size_t i = 0; i < operation->change_count; i++) {
    const struct operation_change *change = &operation->changes[i];
    bytes_write_u8(&writer, (uint8_t)(change->kind | (change->automatic ? OPERATION_FLAG_AUTO : 0)));
    bytes_write_varint(&writer, change->key_size);
    bytes_write(&writer, change->key, change->key_size);
    if (change->kind == SYNC_PUT) {
      bytes_write_varint(&writer, change->value_size);
      bytes_write(&writer, change->value, change->value_size);
    }
    operation_write_dots(&writer, change->seen, change->seen_count);
  }
}

struct operation_origin operation_next_origin(struct bytes_reader *reader) {
  struct operation_origin origin;
  origin.node_id_size = bytes_read_u8(reader);
  origin.node_id = bytes_take(reader, origin.node_id_size);
  origin.incarnation = bytes_read_u64(reader);
  return origin;
}

struct operation_dot operation_next_dot(struct bytes_reader *reader) {
  struct operation_dot dot;
  dot.origin = (uint32_t)bytes_read_varint_max(reader, UINT32_MAX);
  dot.seq = bytes_read_varint(reader);
  return dot;
}

void operation_next_change(struct bytes_reader *reader, struct operation_change_view *change) {
  uint8_t kind = bytes_read_u8(reader);
  change->kind = kind & OPERATION_KIND_MASK;
  change->automatic = (kind & OPERATION_FLAG_AUTO) != 0;
  change->key_size = (size_t)bytes_read_varint_max(reader, SYNC_KEY_BYTES_MAX);
  change->key = bytes_take(reader, change->key_size);
  change->value = NULL;
  change->value_size = 0;
  if (change->kind == SYNC_PUT) {
    change->value_size = (size_t)bytes_read_varint_max(reader, SYNC_VALUE_BYTES_LIMIT);
    change->value = bytes_take(reader, change->value_size);
  }
  change->seen_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / OPERATION_DOT_BYTES_MIN);
  change->seen = *reader;
  for (size_t i = 0; i < change->seen_count; i++)
    (void)operation_next_dot(reader);
}

/* Compares two entries of a table, by place. */
static int operation_origin_compare(const struct operation_origin *a, const struct operation_origin *b) {
  size_t shorter = a->node_id_size < b->node_id_size ? a->node_id_size : b->node_id_size;
  int order = memcmp(a->node_id, b->node_id, shorter);
  if (order != 0) return order;
  if (a->node_id_size != b->node_id_size) return a->node_id_size < b->node_id_size ? -1 : 1;
  return a->incarnation < b->incarnation ? -1 : a->incarnation > b->incarnation ? 1 : 0;
}

/* The table, and the delta whose order the beginning of the table must have:
 * so the delta is canonical, and names no origin twice. */
static bool operation_check_table(struct bytes_reader *reader, struct operation_view *view) {
  view->origin_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / OPERATION_ORIGIN_BYTES_MIN);
  view->origins_at = reader->at;
  struct operation_origin last = {0};
  size_t ascending = 0; /* entries after the first that do, from there on */
  for (size_t i = 0; i < view->origin_count; i++) {
    struct operation_origin origin = operation_next_origin(reader);
    if (reader->failed || !node_id_valid(origin.node_id, origin.node_id_size)) return false;
    if (origin.incarnation == 0) return false;
    if (i == 0)
      view->own = origin;
    else if (origin.incarnation == view->own.incarnation && operation_origin_compare(&origin, &view->own) == 0)
      return false;
    if (i == 1 || (i > 1 && ascending + 1 == i && operation_origin_compare(&last, &origin) < 0)) ascending = i;
    last = origin;
  }
  view->seq = bytes_read_varint(reader);
  view->hlc = bytes_read_u64(reader);
  view->delta_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / OPERATION_DOT_BYTES_MIN);
  view->delta_at = reader->at;
  if (reader->failed || view->origin_count == 0 || view->seq == 0 || view->delta_count > ascending) return false;

  for (size_t i = 0; i < view->delta_count; i++) {
    struct operation_dot dot = operation_next_dot(reader);
    if (reader->failed || dot.origin != i + 1 || dot.seq == 0) return false;
  }
  return true;
}

static int operation_check_change(struct bytes_reader *reader, const struct operation_limits *limits,
                                  struct operation_view *view, size_t *named, struct operation_change_view *change) {
  uint8_t kind = reader->at < reader->end ? reader->at[0] : 0;
  operation_next_change(reader, change);
  if (reader->failed || change->key_size == 0) return SYNC_E_CORRUPT;
  if ((kind & ~(OPERATION_KIND_MASK | OPERATION_FLAG_AUTO)) != 0) return SYNC_E_CORRUPT;
  if (change->kind < SYNC_PUT || change->kind > SYNC_SWEEP) return SYNC_E_CORRUPT;
  if (change->kind == SYNC_SWEEP && (change->automatic || change->seen_count == 0)) return SYNC_E_CORRUPT;
  if (change->key_size > limits->key_bytes_max || change->value_size > limits->value_bytes_max) return SYNC_E_TOO_BIG;

  struct bytes_reader seen = change->seen;
  for (size_t i = 0; i < change->seen_count; i++) {
    struct operation_dot dot = operation_next_dot(&seen);
    if (dot.origin > *named || dot.origin >= view->origin_count || dot.seq == 0) return SYNC_E_CORRUPT;
    if (dot.origin == *named) (*named)++;
    if (dot.origin == 0 && dot.seq >= view->seq) return SYNC_E_CORRUPT;
  }
  view->seen_count += change->seen_count;
  return SYNC_OK;
}

int operation_parse(const void *bytes, size_t size, const struct operation_limits *limits,
                    struct operation_view *view) {
  memset(view, 0, sizeof *view);
  view->bytes = bytes;
  view->size = size;
  if (size > limits->bytes_max) return SYNC_E_TOO_BIG;
  struct bytes_reader reader = bytes_reader_of(bytes, size);
  uint8_t version = bytes_read_u8(&reader);
  if (reader.failed) return SYNC_E_CORRUPT;
  if (version != OPERATION_VERSION) return SYNC_E_VERSION;
  if (!operation_check_table(&reader, view)) return SYNC_E_CORRUPT;

  uint64_t change_count = bytes_read_varint(&reader);
  if (reader.failed || change_count == 0) return SYNC_E_CORRUPT;
  if (change_count > limits->changes_max) return SYNC_E_TOO_BIG;
  view->change_count = (size_t)change_count;
  view->changes_at = reader.at;
  size_t named = view->delta_count + 1; /* table entries mentioned so far */
  int rc = operation_check_change(&reader, limits, view, &named, &view->first);
  if (rc != SYNC_OK) return rc;
  view->second_at = reader.at;
  struct operation_change_view last = view->first;
  for (size_t i = 1; i < view->change_count; i++) {
    struct operation_change_view change;
    rc = operation_check_change(&reader, limits, view, &named, &change);
    if (rc != SYNC_OK) return rc;
    size_t shorter = last.key_size < change.key_size ? last.key_size : change.key_size;
    int order = memcmp(last.key, change.key, shorter);
    if (order > 0 || (order == 0 && last.key_size >= change.key_size)) return SYNC_E_CORRUPT;
    last = change;
  }
  return bytes_read_all(&reader) && named == view->origin_count ? SYNC_OK : SYNC_E_CORRUPT;
}
