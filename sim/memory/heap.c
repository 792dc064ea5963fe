#include "sim/memory/heap.h"

#include <string.h>

_Static_assert(sizeof(struct span) == SPAN_HEADER_BYTES, "the header of a span");
_Static_assert(sizeof(struct sim_heap) + SPAN_HEADER_BYTES <= SPAN_UNIT_BYTES, "a heap fits in one unit");

#define CLASS_SPAN_BYTES_MAX (32u * 1024u)

/* 16 to 256 in steps of 16, then four to the doubling. */
static inline uint32_t class_of(size_t size) {
  if (size <= 256) return size == 0 ? 0 : (uint32_t)((size - 1) / 16);
  if (size <= 512) return 16 + (uint32_t)((size - 257) / 64);
  if (size <= 1024) return 20 + (uint32_t)((size - 513) / 128);
  if (size <= 2048) return 24 + (uint32_t)((size - 1025) / 256);
  return 28 + (uint32_t)((size - 2049) / 512);
}

size_t sim_heap_class_bytes(uint32_t class) {
  if (class < 16) return (size_t)(class + 1) * 16;
  if (class < 20) return 256 + (size_t)(class - 15) * 64;
  if (class < 24) return 512 + (size_t)(class - 19) * 128;
  if (class < 28) return 1024 + (size_t)(class - 23) * 256;
  return 2048 + (size_t)(class - 27) * 512;
}

struct sim_heap *sim_heap_create(struct sim_arena *arena) {
  struct span *span = span_take(arena, 1);
  if (span == NULL) return NULL;
  struct sim_heap *heap = (struct sim_heap *)(void *)((unsigned char *)span + SPAN_HEADER_BYTES);
  sim_memory_unpoison(heap, sizeof *heap);
  memset(heap, 0, sizeof *heap);
  return heap;
}

void sim_heap_drop(struct sim_arena *arena, struct sim_heap *heap) {
  uint32_t unit = heap->spans;
  while (unit != 0) {
    struct span *span = span_at(arena, unit);
    unit = span->next;
    span_give(arena, span);
  }
  span_give(arena, (struct span *)(void *)((unsigned char *)heap - SPAN_HEADER_BYTES));
}

/* The link lies in a freed block, which is poisoned. */
SIM_NO_ASAN static inline void *pop_free(struct sim_heap *heap, uint32_t class) {
  void *slot = heap->free_blocks[class];
  heap->free_blocks[class] = *(void **)slot;
  return slot;
}

SIM_NO_ASAN static inline void push_free(struct sim_heap *heap, uint32_t class, void *slot) {
  *(void **)slot = heap->free_blocks[class];
  heap->free_blocks[class] = slot;
}

/* A quarter more blocks each time: one unit at first, for there are heaps with
 * one block of many classes, and never much more than is needed. */
static bool class_grow(struct sim_arena *arena, struct sim_heap *heap, uint32_t class) {
  size_t bytes = sim_heap_class_bytes(class);
  size_t wanted = bytes * (1 + heap->carved[class] / 4);
  if (wanted > CLASS_SPAN_BYTES_MAX) wanted = CLASS_SPAN_BYTES_MAX;
  uint32_t units = (uint32_t)((wanted + SPAN_HEADER_BYTES + SPAN_UNIT_BYTES - 1) / SPAN_UNIT_BYTES);
  struct span *span = span_take(arena, units);
  if (span == NULL) return false;
  span_link(arena, &heap->spans, span);
  unsigned char *start = (unsigned char *)span + SPAN_HEADER_BYTES;
  size_t count = ((size_t)units * SPAN_UNIT_BYTES - SPAN_HEADER_BYTES) / bytes;
  heap->carved[class] += (uint32_t)count;
  heap->fresh[class] = start;
  heap->fresh_end[class] = start + count * bytes;
  return true;
}

static void *small_alloc(struct sim_arena *arena, struct sim_heap *heap, size_t slot_size) {
  uint32_t class = class_of(slot_size);
  if (heap->free_blocks[class] != NULL) return pop_free(heap, class);
  if (heap->fresh[class] == heap->fresh_end[class] && !class_grow(arena, heap, class)) return NULL;
  void *slot = heap->fresh[class];
  heap->fresh[class] += sim_heap_class_bytes(class);
  return slot;
}

static void *large_alloc(struct sim_arena *arena, struct sim_heap *heap, size_t slot_size) {
  if (slot_size > arena->reserve_bytes) return arena_full(arena, slot_size);
  size_t bytes = slot_size + SPAN_HEADER_BYTES;
  struct span *span = span_take(arena, (uint32_t)((bytes + SPAN_UNIT_BYTES - 1) / SPAN_UNIT_BYTES));
  if (span == NULL) return NULL;
  span_link(arena, &heap->spans, span);
  return (unsigned char *)span + SPAN_HEADER_BYTES;
}

/* What the block held is gone: filled, or for valgrind to watch. */
static inline void spoil(const struct sim_arena *arena, void *block, size_t size) {
  if (arena->fill < SIM_FILL_NONE) {
    memset(block, (int)arena->fill, size);
  } else if (arena->valgrind) {
    sim_memory_undefined(block, size);
  }
}

void *sim_heap_alloc(struct sim_arena *arena, struct sim_heap *heap, size_t size) {
  if (size > arena->reserve_bytes) return arena_full(arena, size);
  size_t slot_size = size + 2 * SIM_REDZONE_BYTES;
  unsigned char *slot =
      slot_size <= HEAP_SMALL_MAX ? small_alloc(arena, heap, slot_size) : large_alloc(arena, heap, slot_size);
  if (slot == NULL) return NULL;
  unsigned char *block = slot + SIM_REDZONE_BYTES;
  sim_memory_unpoison(block, size);
  spoil(arena, block, size);
  heap->blocks++;
  heap->bytes += size;
  return block;
}

void sim_heap_free(struct sim_arena *arena, struct sim_heap *heap, void *block, size_t size) {
  if (block == NULL) return;
  HEAP_ASSERT(heap->blocks > 0 && heap->bytes >= size);
  heap->blocks--;
  heap->bytes -= size;
  unsigned char *slot = (unsigned char *)block - SIM_REDZONE_BYTES;
  size_t slot_size = size + 2 * SIM_REDZONE_BYTES;
  if (slot_size > HEAP_SMALL_MAX) {
    struct span *span = (struct span *)(void *)(slot - SPAN_HEADER_BYTES);
    HEAP_ASSERT((size_t)span->units * SPAN_UNIT_BYTES >= slot_size + SPAN_HEADER_BYTES);
    span_unlink(arena, &heap->spans, span);
    span_give(arena, span);
    return;
  }
  spoil(arena, block, size);
  sim_memory_poison(block, size);
  push_free(heap, class_of(slot_size), slot);
}

uint64_t sim_heap_blocks(const struct sim_heap *heap) {
  return heap->blocks;
}

uint64_t sim_heap_bytes(const struct sim_heap *heap) {
  return heap->bytes;
}
