#include "core/base/node_id.h"

#include "core/sync.h"

bool node_id_valid(const uint8_t *id, size_t size) {
  if (size < 1 || size > SYNC_NODE_ID_BYTES_MAX) return false;
  /* One bit for each of [A-Za-z0-9._-], by byte value. */
  static const uint32_t allowed[8] = {0, 0x03ff6000u, 0x87fffffeu, 0x07fffffeu, 0, 0, 0, 0};
  for (size_t i = 0; i < size; i++)
    if ((allowed[id[i] / 32u] >> (id[i] % 32u) & 1u) == 0) return false;
  return true;
}

size_t node_id_length(const char *node_id) {
  size_t size = 0;
  while (size <= SYNC_NODE_ID_BYTES_MAX && node_id[size] != '\0')
    size++;
  return size;
}
