#include "cluster/identify.h"

#include <string.h>

#include "cluster/state.h"
#include "core/wire/wire.h"

#define HELLO_SPAN_SHIFT 22u                       /* 4.2 ms, as for disk calls */
#define NOT_SUBMITTED UINT64_C(0x8000000000000000) /* tells sequence numbers from names */

static uint64_t name_of(const struct ledger *ledger, uint32_t life, uint64_t seq) {
  if (life == LEDGER_NONE || seq == 0 || seq > ledger->lives[life].count) return NOT_SUBMITTED | seq;
  return ledger->operations[ledger->lives[life].operations[seq - 1u]].name;
}

/* The incarnation that the frame says an index stands for: behind the operations. */
static uint64_t incarnation_of(struct bytes_reader reader, uint32_t wanted) {
  struct operation_origin origin = {0};
  const uint8_t *bytes;
  size_t size;
  uint32_t index = 0;
  while (ops_next(&reader, &bytes, &size))
    continue;
  while (ops_next_origin(&reader, &origin, &index))
    if (index == wanted) return origin.incarnation;
  return 0;
}

/* The beginning of the first operation, up to its sequence number. */
static uint64_t name_of_ops(const struct ledger *ledger, struct bytes_reader *reader) {
  (void)bytes_read_u64(reader);    /* session */
  (void)bytes_read_u8(reader);     /* flags */
  (void)bytes_read_varint(reader); /* operations before */
  struct bytes_reader operations = *reader;
  (void)bytes_read_varint(reader); /* size */
  (void)bytes_read_u8(reader);     /* head */
  uint32_t index = (uint32_t)bytes_read_varint_max(reader, UINT32_MAX);
  uint64_t seq = bytes_read_varint(reader), own = 0;
  if (seq == 1) {
    (void)bytes_take(reader, bytes_read_u8(reader));
    own = bytes_read_u64(reader);
  } else {
    own = incarnation_of(operations, index);
  }
  return sim_hash_fold(FRAME_OPS, name_of(ledger, ledger_life_find(ledger, own), seq));
}

static uint64_t name_of_hello(const struct ledger *ledger, struct bytes_reader *reader) {
  (void)bytes_read_u64(reader); /* limits */
  (void)bytes_take(reader, bytes_read_u8(reader));
  (void)bytes_take(reader, 4u * sizeof(uint64_t)); /* session, nonce, echo, known session */
  uint64_t span = sim_now(ledger->world) >> HELLO_SPAN_SHIFT;
  return sim_hash_fold(sim_hash_fold(FRAME_HELLO, bytes_read_u8(reader)), span);
}

/* Its flags say how it tells what is held, which another message more or fewer changes. */
static uint64_t name_of_news(const struct ledger *ledger) {
  return sim_hash_fold(FRAME_NEWS, sim_now(ledger->world) >> HELLO_SPAN_SHIFT);
}

/* By the place in the snapshot and about when: which snapshot it is says its id, which no other run has. */
static uint64_t name_of_blocks(const struct ledger *ledger, uint8_t type, struct bytes_reader *reader) {
  (void)bytes_read_u64(reader); /* id */
  uint64_t span = sim_now(ledger->world) >> HELLO_SPAN_SHIFT;
  return sim_hash_fold(sim_hash_fold(type, bytes_read_u64(reader)), span);
}

uint64_t cluster_identify(const struct cluster *cluster, const uint8_t *bytes, size_t size) {
  if (size < FRAME_HEADER_BYTES + FRAME_TRAILER_BYTES) return size;
  struct bytes_reader reader =
      bytes_reader_of(bytes + FRAME_HEADER_BYTES, size - FRAME_HEADER_BYTES - FRAME_TRAILER_BYTES);
  if (bytes[3] == FRAME_FETCH || bytes[3] == FRAME_BLOCK) return name_of_blocks(&cluster->ledger, bytes[3], &reader);
  if (bytes[3] == FRAME_OPS) return name_of_ops(&cluster->ledger, &reader);
  if (bytes[3] == FRAME_NEWS) return name_of_news(&cluster->ledger);
  return bytes[3] == FRAME_HELLO ? name_of_hello(&cluster->ledger, &reader) : bytes[3];
}

size_t cluster_forge_hello(struct cluster *cluster, uint32_t from, uint8_t *frame, size_t capacity) {
  const struct cluster_node *node = &cluster->nodes[from];
  struct bytes_writer writer = frame_begin(frame, capacity - FRAME_TRAILER_BYTES);
  struct hello hello = {.limits_hash = node->limits_hash,
                        .node_id = (const uint8_t *)node->name,
                        .node_id_size = strlen(node->name),
                        .session = 7,
                        .nonce = 7,
                        .echo = 7};
  hello_write_head(&writer, &hello);
  bytes_write_varint(&writer, 0); /* no peers */
  return frame_finish(&writer, FRAME_HELLO, cluster->config.engine.cluster_id);
}
