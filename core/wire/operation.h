/* Operations as bytes (docs/formats.md, "Operation"). Origins go by their indexes in
 * one node's log: in one such index space an operation has one encoding. */
#ifndef SYNC_CORE_WIRE_OPERATION_H
#define SYNC_CORE_WIRE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/base.h"

/* What an operation weighs, the same on all nodes: its bytes with every index as long as the
 * longest, and what a frame says of the origins that it names. */
#define OPERATION_INDEX_BYTES_MAX 5u
#define OPERATION_ORIGIN_BYTES(node_id_size) (OPERATION_INDEX_BYTES_MAX + 1u + (node_id_size) + 8u)

/* Whom an index stands for. */
struct operation_origin {
  const uint8_t *node_id;
  size_t node_id_size;
  uint64_t incarnation;
};
/* A dot, its origin by index. */
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
  uint32_t origin;
  struct operation_origin own; /* said at seq 1 only */
  uint64_t seq;
  uint64_t hlc, hlc_before; /* of the origin's operation before it; 0 at seq 1 */
  const struct operation_dot *delta;
  size_t delta_count;
  const struct operation_change *changes; /* by key */
  size_t change_count;
};
size_t operation_size(const struct operation *operation);
/* Writes exactly operation_size() bytes. */
void operation_encode(const struct operation *operation, uint8_t *to);

struct operation_limits {
  size_t bytes_max; /* also of its weight */
  size_t key_bytes_max;
  size_t value_bytes_max;
  size_t changes_max;
};
/* A change of a parsed operation; operation_next_seen() yields `seen_count` dots. */
struct operation_change_view {
  uint8_t kind;
  bool automatic;
  const uint8_t *key;
  size_t key_size;
  const uint8_t *value;
  size_t value_size;
  struct bytes_reader seen;
  size_t seen_count;
  uint64_t seen_own; /* the one dot seen is this one of the operation's origin; 0: `seen` has them all */
};
/* A valid operation in bytes that it does not own. */
struct operation_view {
  const uint8_t *bytes;
  size_t size;
  uint32_t origin;
  struct operation_origin own; /* at seq 1; else empty */
  uint64_t seq;
  uint64_t hlc_step; /* hlc minus that of the origin's operation before it, modulo 2^64 */
  uint64_t hlc;      /* for whoever knows that one to set */
  size_t delta_count;
  size_t change_count;
  size_t seen_count; /* of all changes */
  const uint8_t *delta_at, *changes_at;
  /* Most operations have one change: it is read once. */
  struct operation_change_view first;
  const uint8_t *second_at;
};
/* Checks everything that the bytes alone can show. SYNC_OK, SYNC_E_CORRUPT,
 * SYNC_E_TOO_BIG. */
int operation_parse(const void *bytes, size_t size, const struct operation_limits *limits, struct operation_view *view);

/* Walks the parts of a parsed operation; each call takes the next item. The
 * reader is made by the matching function. */
static inline struct bytes_reader operation_reader_at(const struct operation_view *view, const uint8_t *at) {
  return bytes_reader_of(at, (size_t)(view->bytes + view->size - at));
}
static inline struct bytes_reader operation_delta(const struct operation_view *view) {
  return operation_reader_at(view, view->delta_at);
}
static inline struct bytes_reader operation_changes(const struct operation_view *view) {
  return operation_reader_at(view, view->changes_at);
}
struct operation_dot operation_next_dot(struct bytes_reader *reader);
static inline struct operation_dot operation_next_seen(const struct operation_view *view,
                                                       struct operation_change_view *change) {
  if (change->seen_own == 0) return operation_next_dot(&change->seen);
  return (struct operation_dot){.origin = view->origin, .seq = change->seen_own};
}

/* Takes a change of several and skips its seen dots, which are read through the view. */
void operation_next_change(const struct operation_view *view, struct bytes_reader *reader,
                           struct operation_change_view *change);
/* The same for a walk from the first change on, of which this is the i-th. */
static inline void operation_change_at(const struct operation_view *view, size_t i, struct bytes_reader *reader,
                                       struct operation_change_view *change) {
  if (i > 0) {
    operation_next_change(view, reader, change);
    return;
  }
  *change = view->first;
  reader->at = view->second_at;
}

/* Walks the places at which a parsed operation says an index, in the order of its bytes. */
struct operation_mention {
  const uint8_t *at;
  size_t size;
  uint32_t index;
};
struct operation_mentions {
  const struct operation_view *view;
  struct bytes_reader dots, changes;
  size_t dots_left, change;
  bool begun;
};
static inline struct operation_mentions operation_mentions_of(const struct operation_view *view) {
  return (struct operation_mentions){.view = view};
}
/* False at the end. The first is the operation's own origin. */
bool operation_next_mention(struct operation_mentions *walk, struct operation_mention *mention);

#endif
