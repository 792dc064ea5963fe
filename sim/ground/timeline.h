/* Face of room `ground`: the timeline, what will happen, in a total order of (time, tie, sequence
 * number). Internal to sim/. */
#ifndef SIM_TIMELINE_H
#define SIM_TIMELINE_H

#include "sim/memory/memory.h"

struct sim_event {
  uint64_t id;    /* its sequence number when it was first pushed */
  uint64_t cause; /* id of the event that ran then */
  uint32_t kind;
  uint32_t node;
  uint32_t from;  /* message: sender. timer: its number. driver: its number */
  uint32_t size;  /* message. network: enum network_timer */
  void *payload;  /* message */
  uint64_t value; /* message: bytes hash. timer: generation. disk: request. driver: token */
  uint64_t life;  /* disk: the node's life. message: MESSAGE_ flags. network: generation */
  uint32_t next;  /* free list, or the node's waiting list: slot + 1 */
};

struct timeline_entry {
  uint64_t time_ns;
  uint64_t seq;
  uint32_t tie;
  uint32_t slot;
};

struct timeline {
  struct timeline_entry *heap;
  struct sim_event *slots;
  uint32_t count, capacity; /* of the heap */
  uint32_t slot_count, slot_capacity;
  uint32_t free_slot; /* + 1 */
  uint64_t seq;       /* of the last pushed */
};

void timeline_init(struct timeline *timeline);
/* A slot for an event that the caller fills in; UINT32_MAX: no memory. */
uint32_t timeline_slot(struct timeline *timeline, const struct memory *memory);
void timeline_release(struct timeline *timeline, uint32_t slot);
static inline struct sim_event *timeline_event(struct timeline *timeline, uint32_t slot) {
  return &timeline->slots[slot];
}
/* Puts the slot's event at a time. Returns its sequence number; 0: no memory. */
uint64_t timeline_push(struct timeline *timeline, const struct memory *memory, uint64_t time_ns, uint32_t tie,
                       uint32_t slot);
static inline const struct timeline_entry *timeline_first(const struct timeline *timeline) {
  return timeline->count == 0 ? NULL : &timeline->heap[0];
}
/* Takes the first out; its slot stays until it is released. */
struct timeline_entry timeline_pop(struct timeline *timeline);

#endif
