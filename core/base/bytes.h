/* Explicit bytes: little-endian integers, canonical varints, and a bounded
 * reader and writer over them.
 *
 * Reader and writer remember the first failure and do nothing after it, so a
 * codec reads straight down and asks once at its end. Nothing here depends on
 * the byte order or word size of the machine.
 */
#ifndef SYNC_CORE_BASE_BYTES_H
#define SYNC_CORE_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define BYTES_VARINT_MAX 10u /* the longest LEB128 form of 64 bits */

static inline void bytes_put_u16(uint8_t *to, uint16_t value) {
  to[0] = (uint8_t)(value & 0xffu);
  to[1] = (uint8_t)((value >> 8) & 0xffu);
}
static inline void bytes_put_u24(uint8_t *to, uint32_t value) {
  to[0] = (uint8_t)(value & 0xffu);
  to[1] = (uint8_t)((value >> 8) & 0xffu);
  to[2] = (uint8_t)((value >> 16) & 0xffu);
}
static inline void bytes_put_u32(uint8_t *to, uint32_t value) {
  bytes_put_u24(to, value);
  to[3] = (uint8_t)(value >> 24);
}
static inline void bytes_put_u64(uint8_t *to, uint64_t value) {
  bytes_put_u32(to, (uint32_t)(value & 0xffffffffu));
  bytes_put_u32(to + 4, (uint32_t)(value >> 32));
}
static inline uint16_t bytes_get_u16(const uint8_t *from) {
  return (uint16_t)((uint32_t)from[0] | ((uint32_t)from[1] << 8));
}
static inline uint32_t bytes_get_u24(const uint8_t *from) {
  return (uint32_t)from[0] | ((uint32_t)from[1] << 8) | ((uint32_t)from[2] << 16);
}
static inline uint32_t bytes_get_u32(const uint8_t *from) {
  return bytes_get_u24(from) | ((uint32_t)from[3] << 24);
}
static inline uint64_t bytes_get_u64(const uint8_t *from) {
  return (uint64_t)bytes_get_u32(from) | ((uint64_t)bytes_get_u32(from + 4) << 32);
}

/* Bytes of the varint of `value`: 1 to BYTES_VARINT_MAX. */
static inline size_t bytes_varint_size(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80u) {
    value >>= 7;
    size++;
  }
  return size;
}
/* Writes at most BYTES_VARINT_MAX bytes; returns how many. */
static inline size_t bytes_put_varint(uint8_t *to, uint64_t value) {
  size_t size = 0;
  while (value >= 0x80u) {
    to[size++] = (uint8_t)((value & 0x7fu) | 0x80u);
    value >>= 7;
  }
  to[size++] = (uint8_t)value;
  return size;
}
/* Returns the bytes taken, or 0 when the input ends too early, has more than
 * 64 bits, or is not the shortest form (one value has one encoding). */
static inline size_t bytes_get_varint(const uint8_t *from, size_t available, uint64_t *value) {
  uint64_t result = 0;
  for (size_t i = 0; i < available && i < BYTES_VARINT_MAX; i++) {
    uint8_t byte = from[i];
    if (i == BYTES_VARINT_MAX - 1 && byte > 1) return 0;
    result |= (uint64_t)(byte & 0x7fu) << (7 * i);
    if ((byte & 0x80u) == 0) {
      if (byte == 0 && i > 0) return 0;
      *value = result;
      return i + 1;
    }
  }
  return 0;
}

/* --- Reading ----------------------------------------------------------------- */

/* Reads from bytes that it does not own. Every getter gives 0 (or NULL) once
 * `failed` is set. */
struct bytes_reader {
  const uint8_t *at;
  const uint8_t *end;
  bool failed;
};

static inline struct bytes_reader bytes_reader_of(const void *bytes, size_t size) {
  struct bytes_reader reader = {.at = (const uint8_t *)bytes, .end = (const uint8_t *)bytes, .failed = false};
  if (size > 0) reader.end = reader.at + size;
  return reader;
}
static inline size_t bytes_left(const struct bytes_reader *reader) {
  return reader->failed ? 0 : (size_t)(reader->end - reader->at);
}
/* Whether everything was read and nothing failed. */
static inline bool bytes_read_all(const struct bytes_reader *reader) {
  return !reader->failed && reader->at == reader->end;
}
/* The next `size` bytes in place, or NULL (also sets `failed`). With size 0
 * the result may not be read. */
static inline const uint8_t *bytes_take(struct bytes_reader *reader, size_t size) {
  if (reader->failed || size > (size_t)(reader->end - reader->at)) {
    reader->failed = true;
    return NULL;
  }
  const uint8_t *at = reader->at;
  if (size > 0) reader->at += size;
  return at;
}
/* Copies the next `size` bytes; clears `to` when they are not there. */
static inline void bytes_read(struct bytes_reader *reader, void *to, size_t size) {
  const uint8_t *from = bytes_take(reader, size);
  if (size == 0) return;
  if (from == NULL)
    memset(to, 0, size);
  else
    memcpy(to, from, size);
}
static inline uint8_t bytes_read_u8(struct bytes_reader *reader) {
  const uint8_t *from = bytes_take(reader, 1);
  return reader->failed ? (uint8_t)0 : from[0];
}
static inline uint16_t bytes_read_u16(struct bytes_reader *reader) {
  const uint8_t *from = bytes_take(reader, 2);
  return reader->failed ? (uint16_t)0 : bytes_get_u16(from);
}
static inline uint32_t bytes_read_u32(struct bytes_reader *reader) {
  const uint8_t *from = bytes_take(reader, 4);
  return reader->failed ? 0u : bytes_get_u32(from);
}
static inline uint64_t bytes_read_u64(struct bytes_reader *reader) {
  const uint8_t *from = bytes_take(reader, 8);
  return reader->failed ? 0u : bytes_get_u64(from);
}
static inline uint64_t bytes_read_varint(struct bytes_reader *reader) {
  /* Most are small. */
  if (!reader->failed && reader->at < reader->end && reader->at[0] < 0x80u) return *reader->at++;
  uint64_t value = 0;
  size_t size = bytes_get_varint(reader->at, bytes_left(reader), &value);
  if (size == 0) {
    reader->failed = true;
    return 0;
  }
  reader->at += size;
  return value;
}
/* A varint that is at most `max`: a count or size is bounded before it is
 * believed. */
static inline uint64_t bytes_read_varint_max(struct bytes_reader *reader, uint64_t max) {
  uint64_t value = bytes_read_varint(reader);
  if (value <= max) return value;
  reader->failed = true;
  return 0;
}

/* --- Writing ----------------------------------------------------------------- */

/* Writes into memory that it does not own, `capacity` bytes. What does not fit
 * is not written at all, and sets `failed`. */
struct bytes_writer {
  uint8_t *bytes;
  size_t size;
  size_t capacity;
  bool failed;
};

static inline struct bytes_writer bytes_writer_to(void *bytes, size_t capacity) {
  struct bytes_writer writer = {.bytes = (uint8_t *)bytes, .size = 0, .capacity = capacity, .failed = false};
  return writer;
}
/* Room for `size` bytes for the caller to fill, or NULL (also sets `failed`). */
static inline uint8_t *bytes_room(struct bytes_writer *writer, size_t size) {
  if (writer->failed || size > writer->capacity - writer->size) {
    writer->failed = true;
    return NULL;
  }
  uint8_t *room = size > 0 ? writer->bytes + writer->size : writer->bytes;
  writer->size += size;
  return room;
}
static inline void bytes_write(struct bytes_writer *writer, const void *from, size_t size) {
  uint8_t *to = bytes_room(writer, size);
  if (to != NULL && size > 0) memcpy(to, from, size);
}
static inline void bytes_write_u8(struct bytes_writer *writer, uint8_t value) {
  uint8_t *to = bytes_room(writer, 1);
  if (to != NULL) to[0] = value;
}
static inline void bytes_write_u16(struct bytes_writer *writer, uint16_t value) {
  uint8_t *to = bytes_room(writer, 2);
  if (to != NULL) bytes_put_u16(to, value);
}
static inline void bytes_write_u32(struct bytes_writer *writer, uint32_t value) {
  uint8_t *to = bytes_room(writer, 4);
  if (to != NULL) bytes_put_u32(to, value);
}
static inline void bytes_write_u64(struct bytes_writer *writer, uint64_t value) {
  uint8_t *to = bytes_room(writer, 8);
  if (to != NULL) bytes_put_u64(to, value);
}
static inline void bytes_write_varint(struct bytes_writer *writer, uint64_t value) {
  uint8_t *to = bytes_room(writer, bytes_varint_size(value));
  if (to != NULL) (void)bytes_put_varint(to, value);
}

#endif
