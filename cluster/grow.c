#include "cluster/grow.h"

#include <string.h>

void *cluster_grow(struct sim_world *world, void *array, uint32_t *capacity, uint32_t need, size_t element_bytes) {
  if (need <= *capacity) return array;
  /* By a half: checkpoints copy what is reserved, used or not. */
  uint32_t wanted = *capacity ? *capacity + *capacity / 2u : 16u;
  while (wanted < need)
    wanted += wanted / 2u;
  char *moved = sim_alloc(world, wanted * element_bytes);
  SIM_ASSERT(world, moved != NULL);
  size_t used = *capacity * element_bytes;
  if (used) memcpy(moved, array, used);
  memset(moved + used, 0, wanted * element_bytes - used);
  sim_free(world, array, used);
  *capacity = wanted;
  return moved;
}
