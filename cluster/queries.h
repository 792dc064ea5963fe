/* What scripts ask of a node's engine: what a key reads as, its siblings, the keys of a prefix. */
#ifndef CLUSTER_QUERIES_H
#define CLUSTER_QUERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"
#include "cluster/keys.h"

/* One value that was found. Its bytes are in the answer's. */
struct queries_item {
  uint32_t key_at, key_size;
  uint32_t value_at, value_size;
  uint32_t slot;   /* of its key among ledger.keys; KEYS_NONE: nobody submitted it */
  uint32_t number; /* of the change in the ledger; 0: of none */
  uint32_t node;   /* who wrote it; 0: a stranger */
  bool deleted, automatic, conflict, merged;
};
/* Valid until the next question to the cluster. */
struct queries {
  struct queries_item *items;
  uint32_t count, item_capacity;
  uint8_t *bytes;
  uint32_t size, byte_capacity;
};

/* Each gives the engine's status, or SYNC_E_POWERED_OFF when the node is down; *answer is then empty. */
/* What the key reads as: one item at most. With SYNC_E_MERGE and SYNC_E_TOO_BIG it is the greatest value. */
int cluster_read(struct cluster *cluster, uint32_t node, const void *key, size_t size, const struct queries **answer);
/* All siblings, in the engine's order. */
int cluster_siblings(struct cluster *cluster, uint32_t node, const void *key, size_t size,
                     const struct queries **answer);
struct queries_range {
  const void *prefix, *from; /* both may be empty */
  size_t prefix_size, from_size;
  bool deleted;   /* keys that read as deleted, too */
  uint32_t limit; /* at most so many, at least 1 */
};
int cluster_list(struct cluster *cluster, uint32_t node, const struct queries_range *range,
                 const struct queries **answer);

/* The bytes of the key with that number, as the workload writes it; gives their number. */
size_t cluster_key_write(const struct cluster *cluster, uint32_t number, uint8_t bytes[KEYS_BYTES_MAX]);
/* Whether the key of that slot has a number (of KEYS_NONE: no). */
bool cluster_key_number(const struct cluster *cluster, uint32_t slot, uint32_t *number);
/* The ledger number of the value that the key reads as, 0 when absent, merged into another one, or the node is down. */
uint64_t cluster_get_of(struct cluster *cluster, uint32_t node, const void *key, size_t size);
uint64_t cluster_get(struct cluster *cluster, uint32_t node, uint32_t key);

#endif
