#include "bench/peers/store.h"

#include <stdio.h>
#include <stdlib.h>

void die(const char *what, const char *why) {
  fprintf(stderr, "stores: %s: %s\n", what, why);
  exit(1);
}

void *take_memory(size_t size) {
  void *block = calloc(1, size);
  if (block == NULL) die("memory", "there is none");
  return block;
}

void path_write(char path[512], const char *directory, const char *name) {
  if (snprintf(path, 512, "%s/%s", directory, name) >= 512) die(directory, "the path is too long");
}

static volatile uint8_t sink;
void touch(const void *bytes, size_t size) {
  const uint8_t *at = bytes;
  uint8_t sum = 0;
  for (size_t i = 0; i < size; i++)
    sum ^= at[i];
  sink ^= sum;
}
