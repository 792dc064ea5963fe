/* Arrays that grow by doubling in the world's memory. The arena is the only
 * bound; when it is used up the harness has failed. */
#ifndef CLUSTER_GROW_H
#define CLUSTER_GROW_H

#include <stddef.h>
#include <stdint.h>

#include "cluster/seldom.h"
#include "sim/sim.h"

/* Makes room for `need` elements of `element_bytes`; new ones are zero.
 * Returns the array, which may have moved. */
CLUSTER_SELDOM void *cluster_grow(struct sim_world *world, void *array, uint32_t *capacity, uint32_t need,
                                  size_t element_bytes);

#define CLUSTER_GROW(world, array, capacity, need)                                                                     \
  do {                                                                                                                 \
    if ((need) > (capacity)) (array) = cluster_grow((world), (array), &(capacity), (need), sizeof *(array));           \
  } while (0)

#endif
