/* How the oracles' decoders (decode.h) read bytes. Inline: a few of them run for every
 * frame and record, and keep the reader in registers. */
#ifndef CLUSTER_DECODE_READER_H
#define CLUSTER_DECODE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/seldom.h"

/* Reads on; past the end, or at bytes that are not valid, it is `bad` for good
 * and gives zeros. */
struct decode_reader {
  const uint8_t *at, *end;
  bool bad;
};
struct decode_name {
  const uint8_t *bytes;
  uint8_t size;
};

static inline const uint8_t *decode_take(struct decode_reader *reader, uint64_t size) {
  if (reader->bad || size > (uint64_t)(reader->end - reader->at)) {
    reader->bad = true;
    return NULL;
  }
  const uint8_t *at = reader->at;
  reader->at += size;
  return at;
}

static inline uint32_t decode_little4(const uint8_t *b) {
  return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}
static inline uint64_t decode_little8(const uint8_t *b) {
  return decode_little4(b) | (uint64_t)decode_little4(b + 4) << 32;
}

static inline uint8_t decode_byte(struct decode_reader *reader) {
  const uint8_t *at = decode_take(reader, 1);
  return at ? *at : 0;
}
static inline uint64_t decode_long(struct decode_reader *reader) {
  const uint8_t *at = decode_take(reader, 8);
  return at ? decode_little8(at) : 0;
}

/* What decode_varint() leaves. */
CLUSTER_SELDOM uint64_t decode_varint_slowly(struct decode_reader *reader);
static inline uint64_t decode_varint(struct decode_reader *reader) {
  const uint8_t *at = reader->at;
  size_t left = reader->bad || at == NULL ? 0 : (size_t)(reader->end - at);
  if (left > 0 && at[0] < 0x80u) {
    reader->at++;
    return at[0];
  }
  if (left > 1 && at[1] < 0x80u) { /* most */
    reader->at += 2;
    return (at[0] & 0x7fu) | (uint64_t)at[1] << 7;
  }
  struct decode_reader copy = *reader; /* the caller's own stays in registers */
  uint64_t value = decode_varint_slowly(&copy);
  *reader = copy;
  return value;
}

static inline struct decode_name decode_name_next(struct decode_reader *reader) {
  struct decode_name name = {.size = decode_byte(reader)};
  name.bytes = decode_take(reader, name.size);
  if (!name.bytes) name.size = 0;
  return name;
}

#endif
