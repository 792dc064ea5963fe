#include "sim/memory/memory.h"

#include "sim/memory/heap.h"

#include <string.h>

bool memory_array_grow(const struct memory *memory, void **array, uint32_t *capacity, uint32_t count,
                       size_t item_bytes) {
  if (count < *capacity) return true;
  uint32_t wanted = *capacity == 0 ? 8 : *capacity * 2;
  void *grown = memory_alloc(memory, wanted * item_bytes);
  if (grown == NULL) return false;
  if (count > 0) memcpy(grown, *array, count * item_bytes);
  if (*capacity > 0) memory_free(memory, *array, *capacity * item_bytes);
  *array = grown;
  *capacity = wanted;
  return true;
}

void memory_fatal(const struct memory *memory, bool in_node, const char *file, int line, const char *what) {
  memory->root->fatal(memory->root->sim, in_node, file, line, what);
  arena_broken(file, line, what); /* it must not return */
}
