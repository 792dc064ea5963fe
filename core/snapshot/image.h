/* What stands in the blocks of a snapshot: encoding, and views into bytes that nobody vouches for. */
#ifndef SYNC_CORE_SNAPSHOT_IMAGE_H
#define SYNC_CORE_SNAPSHOT_IMAGE_H

#include "core/base/base.h"
#include "core/snapshot/block.h"
#include "core/sync.h"

#define IMAGE_VERSION 1u

struct image_head {
  uint64_t id;       /* of the snapshot, not 0 */
  uint64_t log_id;   /* of its author's log */
  uint64_t position; /* ... in which it has all that is below */
  uint64_t hlc_last; /* greatest of an operation that it has */
  uint8_t cluster_id[SYNC_CLUSTER_ID_BYTES];
  uint32_t value_bytes_max; /* its author's limit */
  const uint8_t *node_id;   /* its author */
  size_t node_id_size;
};
void image_head_write(struct bytes_writer *writer, const struct image_head *head);
/* SYNC_E_CORRUPT, SYNC_E_VERSION. */
int image_head_parse(const uint8_t *payload, size_t size, struct image_head *head);

/* One origin; its place among all, from 0 over all blocks, is how the rest refers to it. */
struct image_origin {
  const uint8_t *node_id;
  size_t node_id_size;
  uint64_t incarnation;
  uint64_t seq; /* so many of its operations, not 0 */
  uint64_t hlc; /* of the last of them */
  size_t birth_count;
  struct bytes_reader birth; /* image_next_edge() walks it */
};
#define IMAGE_ORIGIN_BYTES_MAX (1u + 63u + 8u + 10u + 8u + 5u) /* without the birth */
void image_origin_write(struct bytes_writer *writer, const struct image_origin *origin);
/* The next one; false at the end or when the bytes are not valid (reader->failed). */
bool image_next_origin(struct bytes_reader *reader, struct image_origin *origin);
void image_edge_write(struct bytes_writer *writer, uint32_t place, uint64_t seq);
/* One (place, seq) of a birth. */
void image_next_edge(struct bytes_reader *birth, uint64_t *place, uint64_t *seq);

/* A key's head, and its siblings behind it, in dot order. One that is too long for a block stands in several. */
void image_key_write(struct bytes_writer *writer, const uint8_t *key, size_t key_size, size_t sibling_count);
bool image_next_key(struct bytes_reader *reader, const uint8_t **key, size_t *key_size, size_t *sibling_count);
struct image_sibling {
  uint64_t place, seq, hlc;
  bool tombstone, automatic;
  const uint8_t *value; /* NULL: none */
  size_t value_size;
};
#define IMAGE_KEY_BYTES_MAX(key_size) ((key_size) + 2u + 10u)
#define IMAGE_SIBLING_BYTES_MAX(value_size) ((value_size) + 10u + 10u + 8u + 1u + 10u)
void image_sibling_write(struct bytes_writer *writer, const struct image_sibling *sibling);
bool image_next_sibling(struct bytes_reader *reader, struct image_sibling *sibling);

struct image_end {
  uint64_t keys, siblings; /* a key that stands in several places counts once */
  uint64_t state, vector;  /* digests, as those of a replica (sync_digest) */
  uint64_t sum;            /* of all blocks before this one */
};
#define IMAGE_END_BYTES 40u
void image_end_write(struct bytes_writer *writer, const struct image_end *end);
int image_end_parse(const uint8_t *payload, size_t size, struct image_end *end);

#endif
