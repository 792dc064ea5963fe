#include "sim/memory/memory.h"

#include <string.h>

static uint32_t slot_of(const struct sim_map *map, uint64_t key) {
  uint32_t slot = (uint32_t)sim_mix(key) & (map->capacity - 1);
  while (map->entries[slot].key != 0 && map->entries[slot].key != key)
    slot = (slot + 1) & (map->capacity - 1);
  return slot;
}

static bool grow(const struct memory *memory, struct sim_map *map) {
  struct sim_map old = *map;
  uint32_t capacity = old.capacity == 0 ? 16 : old.capacity * 2;
  size_t bytes = capacity * sizeof *map->entries;
  struct sim_map_entry *entries = memory_alloc(memory, bytes);
  if (entries == NULL) return false;
  memset(entries, 0, bytes);
  map->entries = entries;
  map->capacity = capacity;
  for (uint32_t i = 0; i < old.capacity; i++) {
    if (old.entries[i].key != 0) map->entries[slot_of(map, old.entries[i].key)] = old.entries[i];
  }
  if (old.capacity > 0) {
    memory_free(memory, old.entries, old.capacity * sizeof *old.entries);
  }
  return true;
}

uint64_t *sim_map_at(const struct memory *memory, struct sim_map *map, uint64_t key) {
  if (map->count + 1 > map->capacity / 2 && !grow(memory, map)) return NULL;
  struct sim_map_entry *entry = &map->entries[slot_of(map, key)];
  if (entry->key == 0) {
    entry->key = key;
    map->count++;
  }
  return &entry->value;
}

const uint64_t *sim_map_get(const struct sim_map *map, uint64_t key) {
  if (map->capacity == 0) return NULL;
  const struct sim_map_entry *entry = &map->entries[slot_of(map, key)];
  return entry->key == key ? &entry->value : NULL;
}
