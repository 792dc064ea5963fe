#include "core/wire/operation.h"

#include "core/sync.h"

/* The head of an operation, and of each change of several. */
#define HEAD_KIND 0x03u /* enum sync_change_kind; 0: several changes */
#define HEAD_AUTOMATIC 0x04u
#define HEAD_DELTA 0x08u
#define HEAD_SEEN 0x30u
#define HEAD_SEEN_NONE 0x00u
#define HEAD_SEEN_OWN 0x10u  /* one dot, of the operation's own origin */
#define HEAD_SEEN_LIST 0x20u /* any other */
#define HEAD_UNUSED 0xc0u
#define OPERATION_DOT_BYTES_MIN 2u

static uint64_t zigzag(uint64_t difference) {
  return (difference << 1) ^ (0 - (difference >> 63));
}
static uint64_t unzigzag(uint64_t code) {
  return (code >> 1) ^ (0 - (code & 1u));
}

/* --- Encoding --------------------------------------------------------------------- */

static size_t operation_dots_size(const struct operation_dot *dots, size_t count) {
  size_t size = bytes_varint_size(count);
  for (size_t i = 0; i < count; i++)
    size += bytes_varint_size(dots[i].origin) + bytes_varint_size(dots[i].seq);
  return size;
}

static uint8_t operation_seen_form(const struct operation *operation, const struct operation_change *change) {
  if (change->seen_count == 0) return HEAD_SEEN_NONE;
  bool own = change->seen_count == 1 && change->seen[0].origin == operation->origin;
  return own ? HEAD_SEEN_OWN : HEAD_SEEN_LIST;
}

static size_t operation_change_size(const struct operation *operation, const struct operation_change *change) {
  size_t size = bytes_varint_size(change->key_size) + change->key_size + change->value_size;
  uint8_t form = operation_seen_form(operation, change);
  if (form == HEAD_SEEN_OWN) size += bytes_varint_size(operation->seq - change->seen[0].seq);
  if (form == HEAD_SEEN_LIST) size += operation_dots_size(change->seen, change->seen_count);
  return size;
}

size_t operation_size(const struct operation *operation) {
  size_t size = 1 + bytes_varint_size(operation->origin) + bytes_varint_size(operation->seq);
  if (operation->seq == 1) size += 1 + operation->own.node_id_size + 8;
  size += bytes_varint_size(zigzag(operation->hlc - operation->hlc_before));
  if (operation->delta_count > 0) size += operation_dots_size(operation->delta, operation->delta_count);
  if (operation->change_count == 1) return size + operation_change_size(operation, operation->changes);
  size += bytes_varint_size(operation->change_count);
  for (size_t i = 0; i < operation->change_count; i++) {
    const struct operation_change *change = &operation->changes[i];
    size += 1 + operation_change_size(operation, change);
    if (change->kind == SYNC_PUT) size += bytes_varint_size(change->value_size);
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

static uint8_t operation_head(const struct operation *operation, const struct operation_change *change) {
  return (uint8_t)(change->kind | (change->automatic ? HEAD_AUTOMATIC : 0) | operation_seen_form(operation, change));
}

static void operation_write_change(struct bytes_writer *writer, const struct operation *operation,
                                   const struct operation_change *change) {
  uint8_t form = operation_seen_form(operation, change);
  bytes_write_varint(writer, change->key_size);
  bytes_write(writer, change->key, change->key_size);
  if (form == HEAD_SEEN_OWN) bytes_write_varint(writer, operation->seq - change->seen[0].seq);
  if (form == HEAD_SEEN_LIST) operation_write_dots(writer, change->seen, change->seen_count);
  if (change->kind != SYNC_PUT) return;
  if (operation->change_count > 1) bytes_write_varint(writer, change->value_size);
  bytes_write(writer, change->value, change->value_size);
}

void operation_encode(const struct operation *operation, uint8_t *to) {
  struct bytes_writer writer = bytes_writer_to(to, operation_size(operation));
  bool one = operation->change_count == 1;
  uint8_t head = one ? operation_head(operation, operation->changes) : 0;
  bytes_write_u8(&writer, (uint8_t)(head | (operation->delta_count > 0 ? HEAD_DELTA : 0)));
  bytes_write_varint(&writer, operation->origin);
  bytes_write_varint(&writer, operation->seq);
  if (operation->seq == 1) {
    bytes_write_u8(&writer, (uint8_t)operation->own.node_id_size);
    bytes_write(&writer, operation->own.node_id, operation->own.node_id_size);
    bytes_write_u64(&writer, operation->own.incarnation);
  }
  bytes_write_varint(&writer, zigzag(operation->hlc - operation->hlc_before));
  if (operation->delta_count > 0) operation_write_dots(&writer, operation->delta, operation->delta_count);
  if (!one) bytes_write_varint(&writer, operation->change_count);
  for (size_t i = 0; i < operation->change_count; i++) {
    if (!one) bytes_write_u8(&writer, operation_head(operation, &operation->changes[i]));
    operation_write_change(&writer, operation, &operation->changes[i]);
  }
}

/* --- Decoding --------------------------------------------------------------------- */

struct operation_dot operation_next_dot(struct bytes_reader *reader) {
  struct operation_dot dot;
  dot.origin = (uint32_t)bytes_read_varint_max(reader, UINT32_MAX);
  dot.seq = bytes_read_varint(reader);
  return dot;
}

static void operation_skip_dots(struct bytes_reader *reader, size_t count) {
  for (size_t i = 0; i < count && !reader->failed; i++)
    (void)operation_next_dot(reader);
}

/* The change behind its head, all but the value. */
static void operation_read_change(const struct operation_view *view, uint8_t head, struct bytes_reader *reader,
                                  struct operation_change_view *change) {
  change->kind = head & HEAD_KIND;
  change->automatic = (head & HEAD_AUTOMATIC) != 0;
  change->key_size = (size_t)bytes_read_varint_max(reader, SYNC_KEY_BYTES_MAX);
  change->key = bytes_take(reader, change->key_size);
  change->value = NULL;
  change->value_size = 0;
  change->seen_own = 0;
  change->seen_count = 0;
  if ((head & HEAD_SEEN) == HEAD_SEEN_OWN) {
    uint64_t back = bytes_read_varint(reader);
    if (back == 0 || back >= view->seq)
      reader->failed = true;
    else
      change->seen_own = view->seq - back;
    change->seen_count = 1;
    change->seen = *reader;
  } else if ((head & HEAD_SEEN) == HEAD_SEEN_LIST) {
    change->seen_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / OPERATION_DOT_BYTES_MIN);
    change->seen = *reader;
    operation_skip_dots(reader, change->seen_count);
  } else {
    change->seen = *reader;
  }
}

void operation_next_change(const struct operation_view *view, struct bytes_reader *reader,
                           struct operation_change_view *change) {
  operation_read_change(view, bytes_read_u8(reader), reader, change);
  if (change->kind != SYNC_PUT) return;
  change->value_size = (size_t)bytes_read_varint_max(reader, SYNC_VALUE_BYTES_LIMIT);
  change->value = bytes_take(reader, change->value_size);
}

/* What the head of a change promises, against what was read of it. */
static int operation_check_change(const struct operation_view *view, uint8_t head,
                                  const struct operation_limits *limits, const struct operation_change_view *change) {
  uint8_t form = head & HEAD_SEEN;
  if ((head & HEAD_UNUSED) != 0 || form == HEAD_SEEN || change->kind == 0 || change->key_size == 0)
    return SYNC_E_CORRUPT;
  if (change->kind == SYNC_SWEEP && (change->automatic || form == HEAD_SEEN_NONE)) return SYNC_E_CORRUPT;
  if (change->key_size > limits->key_bytes_max || change->value_size > limits->value_bytes_max) return SYNC_E_TOO_BIG;
  if (form != HEAD_SEEN_LIST) return SYNC_OK;
  struct bytes_reader seen = change->seen;
  struct operation_dot dot = {0};
  for (size_t i = 0; i < change->seen_count; i++) {
    dot = operation_next_dot(&seen);
    if (dot.seq == 0 || (dot.origin == view->origin && dot.seq >= view->seq)) return SYNC_E_CORRUPT;
  }
  /* The shorter form was for it. */
  bool own = change->seen_count == 1 && dot.origin == view->origin;
  return change->seen_count == 0 || own ? SYNC_E_CORRUPT : SYNC_OK;
}

/* Whose it is, which, and when. */
static bool operation_read_id(struct bytes_reader *reader, struct operation_view *view) {
  view->origin = (uint32_t)bytes_read_varint_max(reader, UINT32_MAX);
  view->seq = bytes_read_varint(reader);
  if (view->seq == 1) {
    view->own.node_id_size = bytes_read_u8(reader);
    view->own.node_id = bytes_take(reader, view->own.node_id_size);
    view->own.incarnation = bytes_read_u64(reader);
    if (reader->failed || !node_id_valid(view->own.node_id, view->own.node_id_size)) return false;
    if (view->own.incarnation == 0) return false;
  }
  view->hlc_step = unzigzag(bytes_read_varint(reader));
  return !reader->failed && view->seq != 0;
}

/* In what order its dots stand is for those to say who know whom the indexes stand for. */
static bool operation_read_delta(struct bytes_reader *reader, struct operation_view *view) {
  view->delta_count = (size_t)bytes_read_varint_max(reader, bytes_left(reader) / OPERATION_DOT_BYTES_MIN);
  view->delta_at = reader->at;
  for (size_t i = 0; i < view->delta_count; i++) {
    struct operation_dot dot = operation_next_dot(reader);
    if (reader->failed || dot.origin == view->origin || dot.seq == 0) return false;
  }
  return view->delta_count > 0;
}

static int operation_parse_one(struct bytes_reader *reader, uint8_t head, const struct operation_limits *limits,
                               struct operation_view *view) {
  struct operation_change_view *change = &view->first;
  view->change_count = 1;
  view->changes_at = reader->at;
  operation_read_change(view, head, reader, change);
  if (change->kind == SYNC_PUT) {
    change->value_size = bytes_left(reader);
    change->value = bytes_take(reader, change->value_size);
  }
  if (!bytes_read_all(reader)) return SYNC_E_CORRUPT;
  view->seen_count = change->seen_count;
  view->second_at = reader->at;
  return operation_check_change(view, head, limits, change);
}

static int operation_parse_several(struct bytes_reader *reader, const struct operation_limits *limits,
                                   struct operation_view *view) {
  uint64_t count = bytes_read_varint(reader);
  if (reader->failed || count < 2) return SYNC_E_CORRUPT;
  if (count > limits->changes_max) return SYNC_E_TOO_BIG;
  view->change_count = (size_t)count;
  view->changes_at = reader->at;
  struct operation_change_view last = {0};
  for (size_t i = 0; i < view->change_count; i++) {
    struct operation_change_view change;
    uint8_t head = bytes_left(reader) > 0 ? reader->at[0] : 0;
    operation_next_change(view, reader, &change);
    if (reader->failed || (head & HEAD_DELTA) != 0) return SYNC_E_CORRUPT;
    int rc = operation_check_change(view, head, limits, &change);
    if (rc != SYNC_OK) return rc;
    size_t shorter = last.key_size < change.key_size ? last.key_size : change.key_size;
    int order = i == 0 ? -1 : memcmp(last.key, change.key, shorter);
    if (order > 0 || (order == 0 && last.key_size >= change.key_size)) return SYNC_E_CORRUPT;
    view->seen_count += change.seen_count;
    last = change;
    if (i > 0) continue;
    view->first = change;
    view->second_at = reader->at;
  }
  return bytes_read_all(reader) ? SYNC_OK : SYNC_E_CORRUPT;
}

int operation_parse(const void *bytes, size_t size, const struct operation_limits *limits,
                    struct operation_view *view) {
  memset(view, 0, sizeof *view);
  view->bytes = bytes;
  view->size = size;
  if (size > limits->bytes_max) return SYNC_E_TOO_BIG;
  if (bytes == NULL) return SYNC_E_CORRUPT; /* there are none */
  struct bytes_reader reader = bytes_reader_of(bytes, size);
  uint8_t head = bytes_read_u8(&reader);
  if (!operation_read_id(&reader, view)) return SYNC_E_CORRUPT;
  view->delta_at = reader.at;
  if ((head & HEAD_DELTA) != 0 && !operation_read_delta(&reader, view)) return SYNC_E_CORRUPT;
  if ((head & HEAD_KIND) != 0) return operation_parse_one(&reader, head, limits, view);
  return (head & ~HEAD_DELTA) == 0 ? operation_parse_several(&reader, limits, view) : SYNC_E_CORRUPT;
}

bool operation_next_mention(struct operation_mentions *walk, struct operation_mention *mention) {
  const struct operation_view *view = walk->view;
  if (!walk->begun) {
    walk->begun = true;
    walk->dots = operation_delta(view);
    walk->dots_left = view->delta_count;
    walk->changes = operation_changes(view);
    *mention = (struct operation_mention){view->bytes + 1, bytes_varint_size(view->origin), view->origin};
    return true;
  }
  while (walk->dots_left == 0) {
    if (walk->change == view->change_count) return false;
    struct operation_change_view change;
    operation_change_at(view, walk->change++, &walk->changes, &change);
    walk->dots = change.seen;
    walk->dots_left = change.seen_own == 0 ? change.seen_count : 0;
  }
  walk->dots_left--;
  mention->at = walk->dots.at;
  mention->index = operation_next_dot(&walk->dots).origin;
  mention->size = bytes_varint_size(mention->index);
  return true;
}
