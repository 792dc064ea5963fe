#include "sim/ground/timeline.h"

#include <string.h>

/* A heap with four children to the node: half as deep as a binary one, and
 * the children of a node share two cache lines. */
#define ARITY 4u

void timeline_init(struct timeline *timeline) {
  memset(timeline, 0, sizeof *timeline);
}

static inline bool before(const struct timeline_entry *a, const struct timeline_entry *b) {
  if (a->time_ns != b->time_ns) return a->time_ns < b->time_ns;
  if (a->tie != b->tie) return a->tie < b->tie;
  return a->seq < b->seq;
}

static bool grow(const struct memory *memory, void **items, uint32_t *capacity, size_t item_bytes) {
  if (*capacity > UINT32_MAX / 2) return false;
  uint32_t wanted = *capacity == 0 ? 32 : *capacity * 2;
  void *grown = memory_alloc(memory, wanted * item_bytes);
  if (grown == NULL) return false;
  if (*capacity > 0) {
    memcpy(grown, *items, *capacity * item_bytes);
    memory_free(memory, *items, *capacity * item_bytes);
  }
  *items = grown;
  *capacity = wanted;
  return true;
}

uint32_t timeline_slot(struct timeline *timeline, const struct memory *memory) {
  if (timeline->free_slot != 0) {
    uint32_t slot = timeline->free_slot - 1;
    timeline->free_slot = timeline->slots[slot].next;
    return slot;
  }
  if (timeline->slot_count == timeline->slot_capacity) {
    void *slots = timeline->slots;
    if (!grow(memory, &slots, &timeline->slot_capacity, sizeof *timeline->slots)) return UINT32_MAX;
    timeline->slots = slots;
  }
  return timeline->slot_count++;
}

void timeline_release(struct timeline *timeline, uint32_t slot) {
  timeline->slots[slot].next = timeline->free_slot;
  timeline->free_slot = slot + 1;
}

uint64_t timeline_push(struct timeline *timeline, const struct memory *memory, uint64_t time_ns, uint32_t tie,
                       uint32_t slot) {
  if (timeline->count == timeline->capacity) {
    void *entries = timeline->heap;
    if (!grow(memory, &entries, &timeline->capacity, sizeof *timeline->heap)) return 0;
    timeline->heap = entries;
  }
  struct timeline_entry entry = {time_ns, ++timeline->seq, tie, slot};
  struct timeline_entry *entries = timeline->heap;
  uint32_t at = timeline->count++;
  while (at > 0) {
    uint32_t parent = (at - 1) / ARITY;
    if (!before(&entry, &entries[parent])) break;
    entries[at] = entries[parent];
    at = parent;
  }
  entries[at] = entry;
  return entry.seq;
}

static inline uint32_t least_child(const struct timeline_entry *entries, uint32_t first, uint32_t end) {
  uint32_t least = first;
  for (uint32_t child = first + 1; child < end; child++) {
    if (before(&entries[child], &entries[least])) least = child;
  }
  return least;
}

struct timeline_entry timeline_pop(struct timeline *timeline) {
  struct timeline_entry *entries = timeline->heap;
  struct timeline_entry first = entries[0];
  uint32_t count = --timeline->count;
  struct timeline_entry last = entries[count];
  uint32_t hole = 0;
  for (;;) {
    uint32_t child = hole * ARITY + 1;
    if (child >= count) break;
    uint32_t end = count - child > ARITY ? child + ARITY : count;
    uint32_t least = least_child(entries, child, end);
    if (!before(&entries[least], &last)) break;
    entries[hole] = entries[least];
    hole = least;
  }
  entries[hole] = last;
  return first;
}
