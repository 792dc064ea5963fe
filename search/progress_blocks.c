#include "search/progress_blocks.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Apart from each other, so that workers do not share a line of the cache. */
struct block {
  _Alignas(128) struct sim_progress progress;
};

struct progress_blocks {
  int descriptor;
  size_t bytes;
  struct block *blocks;
};

struct progress_blocks *progress_blocks_create(uint32_t count) {
  struct progress_blocks *blocks = calloc(1, sizeof *blocks);
  if (blocks == NULL) return NULL;
  blocks->bytes = count * sizeof *blocks->blocks;
  blocks->descriptor = memfd_create("progress", 0);
  void *mapped = MAP_FAILED;
  if (blocks->descriptor >= 0 && ftruncate(blocks->descriptor, (off_t)blocks->bytes) == 0)
    mapped = mmap(NULL, blocks->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, blocks->descriptor, 0);
  if (mapped == MAP_FAILED) {
    if (blocks->descriptor >= 0) (void)close(blocks->descriptor);
    free(blocks);
    return NULL;
  }
  blocks->blocks = mapped;
  return blocks;
}

void progress_blocks_free(struct progress_blocks *blocks) {
  (void)munmap(blocks->blocks, blocks->bytes);
  (void)close(blocks->descriptor);
  free(blocks);
}

struct sim_progress *progress_blocks_at(struct progress_blocks *blocks, uint32_t index) {
  return &blocks->blocks[index].progress;
}

int progress_blocks_descriptor(const struct progress_blocks *blocks) {
  return blocks->descriptor;
}

struct sim_progress *progress_blocks_attach(int descriptor, uint32_t index) {
  const off_t size = lseek(descriptor, 0, SEEK_END);
  if (size < 0 || (uint64_t)size < (index + UINT64_C(1)) * sizeof(struct block)) return NULL;
  void *mapped = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  return mapped == MAP_FAILED ? NULL : &((struct block *)mapped)[index].progress;
}
