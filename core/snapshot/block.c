#include "core/snapshot/block.h"

void base_name(char name[SNAPSHOT_NAME_BYTES], uint64_t position, uint64_t id, bool aside) {
  memcpy(name, "base-", 5);
  hex_put(name + 5, position, 16);
  name[21] = '-';
  hex_put(name + 22, id, 16);
  memcpy(name + 38, aside ? ".new" : "", aside ? 5 : 1);
}

bool base_name_parse(const char *name, uint64_t *position, uint64_t *id, bool *aside) {
  size_t length = strlen(name);
  if (length != 38 && length != 42) return false;
  if (memcmp(name, "base-", 5) != 0 || name[21] != '-') return false;
  if (length == 42 && memcmp(name + 38, ".new", 4) != 0) return false;
  *aside = length == 42;
  return hex_get(name + 5, 16, position) && hex_get(name + 22, 16, id);
}

void stage_name(char name[SNAPSHOT_NAME_BYTES], uint64_t id) {
  memcpy(name, "stage-", 6);
  hex_put(name + 6, id, 16);
  name[22] = '\0';
}

bool stage_name_parse(const char *name, uint64_t *id) {
  return strlen(name) == 22 && memcmp(name, "stage-", 6) == 0 && hex_get(name + 6, 16, id);
}

static uint64_t block_checksum(const uint8_t *bytes, size_t size, uint64_t id, uint64_t offset) {
  return checksum64(bytes + 8, BLOCK_HEADER_BYTES - 8 + size, checksum_mix(id ^ checksum_mix(offset)));
}

void block_seal(uint8_t *bytes, enum block_type type, size_t size, uint64_t id, uint64_t offset) {
  bytes_put_u32(bytes + 8, (uint32_t)size);
  bytes[12] = (uint8_t)type;
  bytes_put_u64(bytes, block_checksum(bytes, size, id, offset));
}

bool block_peek(const uint8_t *bytes, size_t payload_bytes_max, struct block *block) {
  block->size = bytes_get_u32(bytes + 8);
  block->type = (enum block_type)bytes[12];
  return bytes[12] >= BLOCK_HEAD && bytes[12] <= BLOCK_END && block->size <= payload_bytes_max;
}

bool block_verify(const uint8_t *bytes, const struct block *block, uint64_t id, uint64_t offset) {
  return bytes_get_u64(bytes) == block_checksum(bytes, block->size, id, offset);
}
