#include "sim/memory/heap.h"

#include <stdlib.h>
#include <string.h>

struct sim_checkpoint {
  unsigned char *bytes;
  size_t size;
  size_t capacity;
  unsigned char *shadow; /* sanitizer builds: which bytes are poisoned */
  size_t shadow_capacity;
};

struct sim_checkpoint *sim_checkpoint_create(void) {
  return calloc(1, sizeof(struct sim_checkpoint));
}

void sim_checkpoint_destroy(struct sim_checkpoint *checkpoint) {
  if (checkpoint == NULL) return;
  free(checkpoint->bytes);
  free(checkpoint->shadow);
  free(checkpoint);
}

size_t sim_checkpoint_bytes(const struct sim_checkpoint *checkpoint) {
  return checkpoint->size;
}

static bool reserve(unsigned char **buffer, size_t *capacity, size_t size) {
  if (size <= *capacity) return true;
  size_t wanted = size + size / 4;
  unsigned char *bytes = malloc(wanted);
  if (bytes == NULL) return false;
  free(*buffer);
  *buffer = bytes;
  *capacity = wanted;
  return true;
}

#if SIM_ASAN
/* memcpy is intercepted and would complain about the poison it copies. */
SIM_NO_ASAN static void copy(unsigned char *to, const unsigned char *from, size_t size) {
  size_t at = 0;
  for (; at + sizeof(uint64_t) <= size; at += sizeof(uint64_t)) {
    *(volatile uint64_t *)(void *)(to + at) = *(const volatile uint64_t *)(const void *)(from + at);
  }
  for (; at < size; at++)
    *(volatile unsigned char *)(to + at) = *(const volatile unsigned char *)(from + at);
}

static unsigned char *shadow_of(const unsigned char *memory, size_t *scale) {
  size_t offset = 0;
  __asan_get_shadow_mapping(scale, &offset);
  return (unsigned char *)(((uintptr_t)memory >> *scale) + offset);
}

static bool shadow_save(struct sim_checkpoint *checkpoint, const struct sim_arena *arena) {
  size_t scale = 0;
  const unsigned char *shadow = shadow_of(arena->base, &scale);
  size_t size = checkpoint->size >> scale;
  if (!reserve(&checkpoint->shadow, &checkpoint->shadow_capacity, size)) return false;
  copy(checkpoint->shadow, shadow, size);
  return true;
}

static void shadow_restore(const struct sim_checkpoint *checkpoint, struct sim_arena *arena, size_t used) {
  if (used > checkpoint->size) sim_memory_poison(arena->base + checkpoint->size, used - checkpoint->size);
  size_t scale = 0;
  unsigned char *shadow = shadow_of(arena->base, &scale);
  copy(shadow, checkpoint->shadow, checkpoint->size >> scale);
}
#else
static void copy(unsigned char *to, const unsigned char *from, size_t size) {
  memcpy(to, from, size);
}
static bool shadow_save(struct sim_checkpoint *checkpoint, const struct sim_arena *arena) {
  (void)checkpoint, (void)arena;
  return true;
}
static void shadow_restore(const struct sim_checkpoint *checkpoint, struct sim_arena *arena, size_t used) {
  (void)checkpoint, (void)arena, (void)used;
}
#endif

bool sim_checkpoint_save(struct sim_checkpoint *checkpoint, const struct sim_arena *arena) {
  size_t size = sim_arena_used_bytes(arena);
  if (!reserve(&checkpoint->bytes, &checkpoint->capacity, size)) return false;
  checkpoint->size = size;
  if (!shadow_save(checkpoint, arena)) {
    checkpoint->size = 0;
    return false;
  }
  copy(checkpoint->bytes, arena->base, size);
  return true;
}

void sim_checkpoint_restore(const struct sim_checkpoint *checkpoint, struct sim_arena *arena) {
  HEAP_ASSERT(checkpoint->size >= SPAN_UNIT_BYTES && checkpoint->size <= arena->reserve_bytes);
  size_t used = sim_arena_used_bytes(arena);
  copy(arena->base + SIM_ARENA_OWNER_BYTES, checkpoint->bytes + SIM_ARENA_OWNER_BYTES,
       checkpoint->size - SIM_ARENA_OWNER_BYTES);
  shadow_restore(checkpoint, arena, used);
  if (checkpoint->size > arena->peak_bytes) arena->peak_bytes = checkpoint->size;
}
