/* What the oracles read of frames and logs: decoders of their own, written from
 * docs/formats.md. They share no code with the engine, so that what an operation
 * or a frame says is not told by the one who wrote it. Nothing is copied: what
 * they give points into the bytes given. */
#ifndef CLUSTER_DECODE_H
#define CLUSTER_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cluster/decode_reader.h"

#define DECODE_SEGMENT_HEADER_BYTES 144u
#define DECODE_SEGMENT_NAME_BYTES 34u /* wal-<16 hex>-<8 hex>.new and a NUL */
#define DECODE_RECORD_HEADER_BYTES_MIN 10u
#define DECODE_RECORD_HEADER_BYTES_MAX 23u
#define DECODE_RECORD_OPERATION 1u /* types of records */
#define DECODE_RECORD_MARK 2u
#define DECODE_RECORD_MERGE 5u
#define DECODE_RECORD_LAST 5u

bool decode_name_is(struct decode_name name, const char *text);

/* --- Operation ------------------------------------------------------------------ */

/* Origins go by their indexes in the log of a node: 0, 1, 2, ... in the order of their
 * first operations there. */
struct decode_dot {
  uint64_t index, seq;
};
struct decode_origin {
  struct decode_name node;
  uint64_t incarnation;
};
struct decode_id {
  uint64_t index, seq;
  struct decode_origin first; /* whose life it is the first of; empty when seq is not 1 */
};
/* Its id and where its parts are; they are not checked before they are read. */
struct decode_operation {
  struct decode_id id;
  uint64_t hlc_step; /* past the operation of its origin before it, modulo 2^64 */
  uint64_t delta_count, change_count;
  struct decode_reader delta, changes;
  uint8_t head;
};
struct decode_change {
  uint8_t kind; /* enum sync_change_kind */
  bool automatic;
  const uint8_t *key, *value;
  uint64_t key_size, value_size;
  uint64_t seen_count;
  struct decode_dot seen_own; /* seq not 0: the one that was seen */
  struct decode_reader seen;  /* else all */
};
/* false: these bytes are no operation. */
bool decode_operation(const void *bytes, size_t size, struct decode_operation *operation);
static inline struct decode_origin decode_origin_next(struct decode_reader *reader) {
  struct decode_origin origin = {.node = decode_name_next(reader)};
  origin.incarnation = decode_long(reader);
  return origin;
}
/* Its id only: false: there is none. As decode_operation() reads it. */
static inline bool decode_operation_id(struct decode_reader *reader, struct decode_id *id) {
  (void)decode_byte(reader); /* the head */
  id->index = decode_varint(reader);
  id->seq = decode_varint(reader);
  id->first = (struct decode_origin){{NULL, 0}, 0};
  if (id->seq == 1) id->first = decode_origin_next(reader);
  return !reader->bad && id->seq != 0;
}
/* A hash of the operation that is the same in all logs: of its bytes with lives in place of
 * indexes. `own` is its own life, `lives` those of the first `count` indexes. 0: it cannot be read. */
uint64_t decode_operation_hash(const uint8_t *bytes, size_t size, uint32_t own, const uint32_t *lives, uint32_t count);
struct decode_dot decode_dot_next(struct decode_reader *reader);
bool decode_change_next(const struct decode_operation *operation, struct decode_reader *reader,
                        struct decode_change *change);
static inline struct decode_dot decode_seen_next(struct decode_change *change) {
  return change->seen_own.seq ? change->seen_own : decode_dot_next(&change->seen);
}

/* --- Frames: inline, for they are read at every frame that is sent ---------------- */

enum decode_frame {
  DECODE_NOTHING = 0, /* no frame */
  DECODE_HELLO = 1,
  DECODE_OPS = 2,
  DECODE_FETCH = 3,
  DECODE_BLOCK = 4,
  DECODE_NEWS = 5,
};
#define DECODE_FRAME_HEADER_BYTES 8u
#define DECODE_FRAME_TRAILER_BYTES 8u

/* Looks at the header; the checksum is the receiver's to look at. body: what is
 * between them. */
static inline enum decode_frame decode_frame(const void *bytes, size_t size, struct decode_reader *body) {
  const size_t around = DECODE_FRAME_HEADER_BYTES + DECODE_FRAME_TRAILER_BYTES;
  const uint8_t *frame = bytes;
  if (size < around || frame[0] != 'S' || frame[1] != 'Y' || frame[2] != 3) return DECODE_NOTHING;
  body->at = frame + DECODE_FRAME_HEADER_BYTES;
  body->end = frame + size - DECODE_FRAME_TRAILER_BYTES;
  body->bad = false;
  return frame[3] >= DECODE_HELLO && frame[3] <= DECODE_NEWS ? (enum decode_frame)frame[3] : DECODE_NOTHING;
}

struct decode_hello {
  struct decode_name node;
  uint64_t session, nonce, echo, known_session;
  uint8_t flags;
  uint64_t snapshot_id, snapshot_size; /* offered; 0: none */
  uint64_t operations, heard, wanted;  /* counted in the sender's log, in the receiver's, in that again */
  struct decode_reader entries;
  uint64_t left;         /* of the entries of the node that is being read */
  struct decode_name of; /* ... which is it */
};
static inline bool decode_hello(struct decode_reader body, struct decode_hello *hello) {
  hello->left = 0;
  (void)decode_take(&body, 8); /* the hash of the limits */
  hello->node = decode_name_next(&body);
  const uint8_t *numbers = decode_take(&body, 41);
  hello->snapshot_size = decode_varint(&body);
  (void)decode_varint(&body); /* its place among its parts */
  hello->operations = decode_varint(&body);
  hello->heard = decode_varint(&body);
  hello->wanted = decode_varint(&body);
  (void)decode_long(&body); /* lives that it knows */
  uint64_t tags = decode_varint(&body);
  (void)decode_take(&body, tags < SIZE_MAX / 4 ? tags * 4 : SIZE_MAX);
  hello->entries = body;
  if (!numbers || body.bad) return false;
  hello->session = decode_little8(numbers);
  hello->nonce = decode_little8(numbers + 8);
  hello->echo = decode_little8(numbers + 16);
  hello->known_session = decode_little8(numbers + 24);
  hello->flags = numbers[32];
  hello->snapshot_id = decode_little8(numbers + 33);
  return true;
}

struct decode_entry {
  struct decode_name node;
  uint64_t incarnation, seq;
  const uint8_t *seq_at; /* where seq is read */
  bool heads;            /* the first of its node */
};
/* false at the end; hello->entries.bad when the bytes are not valid. What it says of the
 * birth is to be read next, or, when it is those bytes, to be skipped. */
static inline bool decode_entry_next(struct decode_hello *hello, struct decode_entry *entry) {
  struct decode_reader *reader = &hello->entries;
  entry->heads = hello->left == 0;
  if (entry->heads) {
    if (reader->bad || reader->at == reader->end) return false;
    hello->of = decode_name_next(reader);
    hello->left = decode_varint(reader) >> 2; /* the low bits: what it wishes of that node's operations */
    if (hello->left == 0) reader->bad = true;
  }
  hello->left--;
  entry->node = hello->of;
  entry->incarnation = decode_long(reader);
  entry->seq_at = reader->at;
  entry->seq = decode_varint(reader);
  return !reader->bad;
}

/* NEWS: what it says of holdings is by rank, which is the place of a life among those that its sender knows, in the
 * order of (node id, incarnation); or `named`: then as a HELLO says it. */
struct decode_news {
  uint64_t session, wanted;
  uint8_t flags;
  bool named;
  uint64_t lives; /* the digest of the lives that are ranked: the first ones in its log */
  struct decode_reader entries;
  uint64_t next; /* the least rank of the next entry */
};
static inline bool decode_news(struct decode_reader body, struct decode_news *news) {
  news->session = decode_long(&body);
  (void)decode_take(&body, 4); /* whose run it is for */
  uint8_t flags = news->flags = decode_byte(&body);
  news->named = (flags & 16u) == 0;
  if (flags & 32u) (void)decode_varint(&body);
  if (flags & 32u) (void)decode_varint(&body);
  (void)decode_varint(&body); /* heard */
  news->wanted = decode_varint(&body);
  if (flags & 64u) (void)decode_long(&body);
  news->lives = decode_long(&body);
  /* What it holds so that nobody need send it: it does not say that it is durable. */
  for (uint64_t entries = news->wanted ? decode_varint(&body) : 0; entries > 0 && !body.bad; entries--) {
    (void)decode_varint(&body);
    (void)decode_varint(&body);
  }
  news->entries = body;
  news->next = 0;
  return !body.bad;
}
/* What one life adds to the digest of several. */
uint64_t decode_life_digest(const char *node, uint64_t incarnation);
static inline bool decode_rank_next(struct decode_news *news, uint64_t *rank, uint64_t *seq) {
  struct decode_reader *reader = &news->entries;
  if (reader->bad || reader->at == reader->end) return false;
  *rank = news->next + (decode_varint(reader) >> 2);
  *seq = decode_varint(reader);
  news->next = *rank + 1u;
  return !reader->bad;
}

struct decode_birth {
  uint64_t count;
  struct decode_reader lives; /* u64 incarnation, varint seq */
};
bool decode_birth(struct decode_reader *reader, struct decode_birth *birth);
void decode_birth_next(struct decode_birth *birth, uint64_t *incarnation, uint64_t *seq);
/* false: it is other bytes (or size is 0); nothing was read. */
static inline bool decode_birth_skip(struct decode_reader *reader, const uint8_t *bytes, size_t size) {
  if (size == 0 || size > (size_t)(reader->end - reader->at) || *reader->at != *bytes) return false;
  if (size > 1 && memcmp(reader->at, bytes, size) != 0) return false;
  reader->at += size;
  return true;
}

static inline uint64_t decode_ops_session(struct decode_reader *body) {
  uint64_t session = decode_long(body);
  (void)decode_byte(body);   /* flags */
  (void)decode_varint(body); /* operations before */
  return session;
}
/* The next operation's bytes; false at their end, where what the frame says of origins begins. */
static inline bool decode_ops_next(struct decode_reader *body, const uint8_t **bytes, size_t *size) {
  uint64_t count = decode_varint(body);
  *bytes = decode_take(body, count);
  *size = (size_t)count;
  return !body->bad && count > 0;
}
/* Whom an index stands for; `origin` is the one before. false at the end. */
static inline bool decode_ops_origin_next(struct decode_reader *body, uint64_t *index, struct decode_origin *origin) {
  if (body->bad || body->at == body->end) return false;
  *index = decode_varint(body);
  struct decode_name node = decode_name_next(body);
  if (node.size) origin->node = node;
  origin->incarnation = decode_long(body);
  return !body->bad;
}

/* --- Log ------------------------------------------------------------------------------ */

/* The name of a segment; `fresh`: under the name of a first segment that does not
 * count yet. */
struct decode_segment {
  uint64_t first;
  uint32_t epoch;
  bool fresh;
};
bool decode_segment_name(const char *name, struct decode_segment *segment);
void decode_segment_name_write(const struct decode_segment *segment, char name[DECODE_SEGMENT_NAME_BYTES]);
/* Its log id; 0: no valid header, or not that segment's. */
uint64_t decode_segment_header(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES], const struct decode_segment *segment);
/* How much a valid header says was durable when its segment was made. */
uint64_t decode_segment_durable(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES]);
/* The name of its file for good, and what it says of that of the segment before it. */
uint32_t decode_segment_life(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES]);
uint32_t decode_segment_follows(const uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES]);

struct decode_record {
  const uint8_t *payload;
  uint64_t durable;    /* so much was durable when it was written; 0 when it does not say */
  uint32_t head, size; /* of its header, of its payload */
  uint8_t type;
};
/* What the header says of the record that begins at that position; `size` bytes are there of
 * it and what is behind. false: none begins so. */
bool decode_record_header(const uint8_t *bytes, size_t size, uint64_t position, struct decode_record *record);
static inline size_t decode_record_bytes(const struct decode_record *record) {
  return (size_t)record->head + record->size;
}
/* The whole record at that position in that epoch of that log. false: it is not valid. */
bool decode_record(const uint8_t *bytes, size_t size, uint64_t log_id, uint32_t epoch, uint64_t position,
                   struct decode_record *record);

#endif
