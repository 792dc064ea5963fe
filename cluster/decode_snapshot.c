#include "cluster/decode_snapshot.h"

#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static bool hex(const char *text, uint64_t *value) {
  *value = 0;
  for (size_t i = 0; i < 16; i++) {
    char digit = text[i];
    bool letter = digit >= 'a' && digit <= 'f';
    if (!letter && (digit < '0' || digit > '9')) return false;
    *value = *value << 4 | (uint64_t)(letter ? digit - 'a' + 10 : digit - '0');
  }
  return true;
}

bool decode_base_name(const char *name, struct decode_base *base) {
  size_t size = strlen(name);
  base->fresh = size == 42;
  if ((size != 38 && size != 42) || memcmp(name, "base-", 5) != 0 || name[21] != '-') return false;
  if (base->fresh && strcmp(name + 38, ".new") != 0) return false;
  return hex(name + 5, &base->position) && hex(name + 22, &base->id);
}

void decode_stage_name_write(uint64_t id, char name[DECODE_SNAPSHOT_NAME_BYTES]) {
  static const char digits[] = "0123456789abcdef";
  memcpy(name, "stage-", 6);
  for (unsigned i = 0; i < 16; i++)
    name[6 + i] = digits[id >> (60u - 4u * i) & 15u];
  name[22] = '\0';
}

static uint64_t mix(uint64_t x) {
  x ^= x >> 30;
  x *= UINT64_C(0xbf58476d1ce4e5b9);
  x ^= x >> 27;
  x *= UINT64_C(0x94d049bb133111eb);
  return x ^ x >> 31;
}

size_t decode_block_bytes(const uint8_t *bytes) {
  return DECODE_BLOCK_HEADER_BYTES + (size_t)decode_little4(bytes + 8);
}

bool decode_block(const uint8_t *bytes, size_t size, uint64_t id, uint64_t offset, struct decode_block *block) {
  if (size < DECODE_BLOCK_HEADER_BYTES || size != decode_block_bytes(bytes)) return false;
  uint64_t sum = (uint64_t)XXH3_64bits_withSeed(bytes + 8, size - 8, mix(id ^ mix(offset)));
  block->type = bytes[12];
  block->payload = bytes + DECODE_BLOCK_HEADER_BYTES;
  block->size = (uint32_t)(size - DECODE_BLOCK_HEADER_BYTES);
  return sum == decode_little8(bytes);
}

uint64_t decode_snapshot_head(const struct decode_block *block, uint64_t id, uint64_t *position) {
  static const uint8_t magic[10] = {0xf5, 'S', 'Y', 'N', 'C', 'I', 'M', 'G', 1, 0};
  if (block->type != DECODE_BLOCK_HEAD || block->size < 34) return 0;
  if (memcmp(block->payload, magic, sizeof magic) != 0 || decode_little8(block->payload + 10) != id) return 0;
  *position = decode_little8(block->payload + 26);
  return decode_little8(block->payload + 18);
}

bool decode_snapshot_origin_next(struct decode_reader *reader, struct decode_snapshot_origin *origin) {
  if (reader->bad || reader->at == reader->end) return false;
  origin->node = decode_name_next(reader);
  origin->incarnation = decode_long(reader);
  origin->seq = decode_varint(reader);
  (void)decode_long(reader); /* the clock of the last */
  uint64_t births = decode_varint(reader);
  for (uint64_t i = 0; i < births && !reader->bad; i++) {
    (void)decode_varint(reader);
    (void)decode_varint(reader);
  }
  return !reader->bad;
}

bool decode_merge(const struct decode_record *record, uint64_t *id, uint64_t *size) {
  if (record->type != DECODE_RECORD_MERGE || record->size != 24) return false;
  *id = decode_little8(record->payload);
  *size = decode_little8(record->payload + 8);
  return true;
}
