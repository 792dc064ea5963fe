/* Face of room `memory`: a sparse map from 64-bit keys, in a heap. Nothing ever iterates over it in
 * slot order. */
#ifndef SIM_MAP_H
#define SIM_MAP_H

#include <stdint.h>

struct memory;

struct sim_map_entry {
  uint64_t key; /* 0: empty */
  uint64_t value;
};
struct sim_map {
  struct sim_map_entry *entries;
  uint32_t count, capacity;
};

/* The value's place, made with 0 when it is new; valid until the next key is
 * made. key is not 0. NULL: no memory. */
uint64_t *sim_map_at(const struct memory *memory, struct sim_map *map, uint64_t key);
/* NULL: not there. key is not 0. */
const uint64_t *sim_map_get(const struct sim_map *map, uint64_t key);

#endif
