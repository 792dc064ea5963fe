/* Operations as bytes: one canonical encoding, the same in the log and on the
 * wire (docs/formats.md, "Operation"). */
#ifndef SYNC_CORE_WIRE_OPERATION_H
#define SYNC_CORE_WIRE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/base.h"

#define OPERATION_VERSION 1u

/* An origin as an operation's table names it. */
struct operation_origin {
  const uint8_t *node_id;
  size_t node_id_size;
  uint64_t incarnation;
};
/* A dot, its origin by place in the operation's table. */
struct operation_dot {
  uint32_t origin;
  uint64_t seq;
};
struct operation_change {
  uint8_t kind; /* enum sync_change_kind */
  bool automatic;
  const uint8_t *key;
  size_t key_size;
  const uint8_t *value;
  size_t value_size;
  const struct operation_dot *seen; /* by origin order, then seq */
  size_t seen_count;
};
/* What a writer encodes. The order rules of the format are the caller's duty. */
struct operation {
  const struct operation_origin *origins; /* [0] is the operation's own */
  size_t origin_count;
  uint64_t seq;
  uint64_t hlc;
  const struct operation_dot *delta;
  size_t delta_count;
  const struct operation_change *changes; /* by key */
  size_t change_count;
};
size_t operation_size(const struct operation *operation);
/* Writes exactly operation_size() bytes. */
void operation_encode(const struct operation *operation, uint8_t *to);

struct operation_limits {
  size_t bytes_max;
  size_t key_bytes_max;
  size_t value_bytes_max;
  size_t changes_max;
};
/* A change of a parsed operation; `seen` yields `seen_count` dots. */
struct operation_change_view {
  uint8_t kind;
  bool automatic;
  const uint8_t *key;
  size_t key_size;
  const uint8_t *value;
  size_t value_size;
  struct bytes_reader seen;
  size_t seen_count;
};
/* A valid operation in bytes that it does not own. */
struct operation_view {
  const uint8_t *bytes;
  size_t size;
  size_t origin_count;
  uint64_t seq;
  uint64_t hlc;
  size_t delta_count;
  size_t change_count;
  size_t seen_count; /* of all changes */
  struct operation_origin own;
  const uint8_t *origins_at, *delta_at, *changes_at;
  /* Most operations have one change: it is read once. */
  struct operation_change_view first;
  const uint8_t *second_at;
};
/* Checks everything that the bytes alone can show. SYNC_OK, SYNC_E_CORRUPT,
 * SYNC_E_VERSION, SYNC_E_TOO_BIG. */
int operation_parse(const void *bytes, size_t size, const struct operation_limits *limits, struct operation_view *view);

/* Walks the parts of a parsed operation; each call takes the next item. The
 * reader is made by the matching _begin. */
static inline struct bytes_reader operation_reader_at(const struct operation_view *view, const uint8_t *at) {
  return bytes_reader_of(at, (size_t)(view->bytes + view->size - at));
}
static inline struct bytes_reader operation_origins(const struct operation_view *view) {
  return operation_reader_at(view, view->origins_at);
}
static inline struct bytes_reader operation_delta(const struct operation_view *view) {
  return operation_reader_at(view, view->delta_at);
}
static inline struct bytes_reader operation_changes(const struct operation_view *view) {
  return operation_reader_at(view, view->changes_at);
}
struct operation_origin operation_next_origin(struct bytes_reader *reader);
struct operation_dot operation_next_dot(struct bytes_reader *reader);

/* Takes a change and skips its seen dots, which are read through the view. */
void operation_next_change(struct bytes_reader *reader, struct operation_change_view *change);
/* The same for a walk from the first change on, of which this is the i-th. */
static inline void operation_change_at(const struct operation_view *view, size_t i, struct bytes_reader *reader,
                                       struct operation_change_view *change) {
  if (i > 0) {
    operation_next_change(reader, change);
    return;
  }
  *change = view->first;
  reader->at = view->second_at;
}

#endif
