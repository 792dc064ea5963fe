/* When each operation was durable at its origin and came to each other node: for measuring. */
#ifndef CLUSTER_PROPAGATION_H
#define CLUSTER_PROPAGATION_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"

struct cluster_propagation {
  uint64_t *durable_ns;   /* by operation of the ledger; 0: not yet, or lost before */
  uint64_t *applied_ns;   /* by operation x nodes + node - 1: for the first time; 0: not yet, or at its origin */
  uint64_t durable;       /* operations that were durable at their origins */
  uint64_t applications;  /* of an operation at a node that had never had it */
  uint64_t applied_again; /* by a node that had lost it with its power */
  uint64_t duplicates;    /* received, and held already */
  uint64_t early;         /* received before a cause, and skipped */
  uint64_t merges;        /* snapshots merged: what came so has no instant here */
  uint32_t nodes, durable_capacity, applied_capacity;
  struct {
    uint32_t life, count; /* the first so many operations of the life are durable */
  } reached[65];          /* by node */
};

/* Of a cluster that is measured. It takes note from its beginning; false: the arena is used up. */
bool cluster_propagation_begin(struct cluster *cluster);
/* What was noted so far, in the arena for as long as the world. */
const struct cluster_propagation *cluster_propagation(const struct cluster *cluster);
/* When it was applied there; 0: not yet. */
uint64_t cluster_applied_ns(const struct cluster_propagation *propagation, uint32_t operation, uint32_t node);

#endif
