/* What conflicts there are by the reference model, how keys read by their policies, and which resolutions are due:
 * written from docs/promises.md ("Conflicts"), not from the engine. */
#ifndef CLUSTER_CONFLICTS_H
#define CLUSTER_CONFLICTS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"
#include "cluster/replica_state.h"

/* How the key of a slot must read at a node. */
struct conflicts_reading {
  uint32_t number;   /* the change whose value it is, or whose clock if it is merged; 0: there is none */
  uint32_t put;      /* values among its siblings */
  uint32_t count;    /* siblings */
  bool conflict;     /* two or more siblings, not all of them tombstones */
  bool settled;      /* policies wrote all of them */
  sync_merge *merge; /* what it reads as is made by this one; NULL: it is that change's */
  void *merge_arg;
};
struct conflicts_reading conflicts_look(const struct cluster *cluster, uint32_t node, uint32_t slot);
static inline struct conflicts_reading conflicts_read(const struct cluster *cluster, uint32_t node,
                                                      const struct replica *replica, uint32_t slot) {
  uint32_t place = replica_first(replica, slot);
  if (place && replica->siblings[place - 1u].next) return conflicts_look(cluster, node, slot);
  return (struct conflicts_reading){.number = place ? replica->siblings[place - 1u].number : 0, .count = place != 0};
}

/* The change that the node must write anew, now, under that key; 0: none (rule 3 of keep local and keep remote). */
uint32_t conflicts_due(const struct cluster *cluster, uint32_t node, uint32_t slot);
/* The first key that waits for that at a node that is up and can write; KEYS_NONE: none. Looks at every key. */
uint32_t conflicts_overdue(struct cluster *cluster, uint32_t node);
/* Whether no node has one. */
bool conflicts_resolved(struct cluster *cluster);

/* Names the siblings that the key has, whatever their order. */
uint64_t conflicts_mark(const struct replica *replica, uint32_t slot);

#endif
