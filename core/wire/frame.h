/* Frames: what engines say to each other (docs/formats.md, "Frame", "HELLO",
 * "OPS"). Encoding and decoding only; nothing here knows an engine. */
#ifndef SYNC_CORE_WIRE_FRAME_H
#define SYNC_CORE_WIRE_FRAME_H

#include "core/base/base.h"
#include "core/sync.h"
#include "core/wire/operation.h"

#define FRAME_VERSION 3u
#define FRAME_HEADER_BYTES 8u
#define FRAME_TRAILER_BYTES 8u
/* What an OPS frame of one operation has besides what that weighs. */
#define FRAME_OPS_OVERHEAD_BYTES (FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES + 8u + 11u + 4u + 4u)

enum frame_type { FRAME_HELLO = 1, FRAME_OPS = 2, FRAME_FETCH = 3, FRAME_BLOCK = 4, FRAME_NEWS = 5 };

/* Begins a frame: leaves room for the header; the body follows. The writer's
 * capacity must leave out FRAME_TRAILER_BYTES; frame_finish adds them. */
struct bytes_writer frame_begin(void *buffer, size_t capacity);
/* Writes header and checksum round the body; returns the frame's size. */
size_t frame_finish(struct bytes_writer *writer, enum frame_type type, const uint8_t *cluster_id);

struct frame_view {
  uint8_t type;
  const uint8_t *body;
  size_t body_size;
};
/* SYNC_OK, SYNC_E_CORRUPT, SYNC_E_VERSION, SYNC_E_CLUSTER. */
int frame_parse(const void *bytes, size_t size, const uint8_t *cluster_id, struct frame_view *view);

/* --- HELLO ---------------------------------------------------------------- */

#define HELLO_FLAG_GAP 1u    /* operations were skipped: a cause is missing */
#define HELLO_FLAG_FULL 2u   /* not applying */
#define HELLO_FLAG_ANSWER 4u /* a retry or probe: the sender waits for a HELLO */
#define HELLO_FLAG_NEWS                                                                                                \
  8u /* the sender holds what the receiver has not said to have heard of: `heard` is to say so                         \
      */

#define HELLO_FLAG_PART 16u /* the next HELLO goes on where this one had no more room */

/* What the sender of a HELLO wants of one node's operations through the receiver. */
enum hello_wish {
  HELLO_WISH_NONE = 0, /* says nothing */
  HELLO_WISH_PUSH = 1, /* at once: the receiver is whom it has them from */
  HELLO_WISH_HOLD = 2, /* only when asked: it has them from somebody else */
};

struct hello {
  uint64_t limits_hash;
  const uint8_t *node_id;
  size_t node_id_size;
  uint64_t session, nonce, echo;
  uint64_t known_session; /* the receiver's session for which the sender has a `known`; 0: none */
  uint8_t flags;
  uint64_t snapshot_id,
      snapshot_size;   /* the receiver lacks what the sender's log has no more: it may fetch this; 0: no */
  uint64_t part;       /* HELLOs before this one that belong to it: what does not fit one goes on in the next */
  uint64_t operations; /* durable operations in the sender's log since its open, and one: all that is held of these, and
                          of what was before, this HELLO tells, with its parts, */
  uint64_t heard;      /* ... so many of the receiver's, which its HELLOs told of, */
  uint64_t wanted;     /* ... and so many of them it is asked to send, as far as they are not held; 0: none */
  uint64_t lives;      /* the digest of the lives that the sender knows */
  struct bytes_reader peers; /* u32 hello_peer_tag() of whom the sender has for peers, ascending */
  struct bytes_reader nodes; /* the entries; hello_next() walks them */
};
/* By which a HELLO names a peer of its sender: a hint, which two nodes may share. */
static inline uint32_t hello_peer_tag(uint64_t node_hash) {
  return (uint32_t)node_hash;
}
/* Says so of a HELLO that is not finished. */
void hello_set_part(struct bytes_writer *writer, const struct hello *hello);
void hello_write_head(struct bytes_writer *writer, const struct hello *hello);
/* Checks the whole body. SYNC_OK, SYNC_E_CORRUPT. */
int hello_parse(const uint8_t *body, size_t size, struct hello *hello);

/* The head of the entries of one node. */
static inline uint64_t hello_node_count(uint64_t count, enum hello_wish wish) {
  return count << 2 | (uint64_t)wish;
}
/* The DVV entries of a HELLO, one by one. */
struct hello_walk {
  struct bytes_reader reader;
  const uint8_t *node_id;
  size_t node_id_size;
  enum hello_wish wish;
  uint64_t entries_left; /* of this node */
};
struct hello_entry {
  const uint8_t *node_id;
  size_t node_id_size;
  enum hello_wish wish; /* the same in all of a node */
  uint64_t incarnation, seq;
  size_t birth_count;
  struct bytes_reader birth; /* hello_next_birth() walks it */
};
static inline struct hello_walk hello_walk_of(struct bytes_reader nodes) {
  return (struct hello_walk){.reader = nodes};
}
/* Whether they are valid entries. */
bool hello_check_nodes(struct bytes_reader nodes);
/* False at the end, or when the bytes are not valid (reader.failed). */
bool hello_next(struct hello_walk *walk, struct hello_entry *entry);
/* One (incarnation, seq) of the same node. */
void hello_next_birth(struct bytes_reader *birth, uint64_t *incarnation, uint64_t *seq);

/* --- FETCH and BLOCK ---------------------------------------------------------- */

/* What a BLOCK frame has besides the block. */
#define FRAME_BLOCK_OVERHEAD_BYTES (FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES + 24u)

#define FETCH_FLAG_LOST 1u /* send again from `offset` on: blocks were lost */

/* Asks for the blocks of a snapshot that begin in [offset, until) of its file. */
struct fetch_request {
  uint64_t id, offset, until;
  uint8_t flags;
};
void fetch_write(struct bytes_writer *writer, const struct fetch_request *request);
/* SYNC_OK, SYNC_E_CORRUPT. */
int fetch_parse(const uint8_t *body, size_t size, struct fetch_request *request);

/* One block of a snapshot: where it is, how long the whole file is. */
struct block_frame {
  uint64_t id, offset, size;
  const uint8_t *bytes;
  size_t bytes_size;
};
void block_write_head(struct bytes_writer *writer, uint64_t id, uint64_t offset, uint64_t size);
int block_parse(const uint8_t *body, size_t size, struct block_frame *block);

/* --- OPS ------------------------------------------------------------------- */

#define OPS_FLAG_URGENT 1u /* the sender's window is full: it waits for an acknowledgement */

struct ops {
  uint64_t session; /* the sender's */
  uint64_t before;  /* operations in its log before the first of these, counted as in a HELLO */
  bool urgent;      /* its window is full: it waits for an acknowledgement */
  struct bytes_reader operations;
  struct bytes_reader origins; /* whom the indexes in them stand for */
};
/* Then each operation as a varint size, not 0, and its bytes; then the origins. */
void ops_write_head(struct bytes_writer *writer, uint64_t session, uint64_t operations);
/* Says so of a frame that is not finished. */
void ops_set_urgent(struct bytes_writer *writer);
#define OPS_END_BYTES 1u
void ops_write_end(struct bytes_writer *writer);
/* The node id is left out where it is that of the entry before (`last`; NULL: none). */
size_t ops_origin_size(const struct operation_origin *last, const struct operation_origin *origin, uint32_t index);
void ops_write_origin(struct bytes_writer *writer, const struct operation_origin *last,
                      const struct operation_origin *origin, uint32_t index);
/* Checks the framing of the operations and the origins, not the operations' bytes. */
int ops_parse(const uint8_t *body, size_t size, struct ops *ops);
/* The next operation's bytes; false at the end. */
bool ops_next(struct bytes_reader *operations, const uint8_t **bytes, size_t *size);
/* The next origin; *origin is the one before. False at the end, or when the bytes are not
 * valid (origins->failed). */
bool ops_next_origin(struct bytes_reader *origins, struct operation_origin *origin, uint32_t *index);

#endif
