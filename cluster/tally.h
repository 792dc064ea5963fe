/* What the engines of a cluster hand to the network, counted: for measuring. */
#ifndef CLUSTER_TALLY_H
#define CLUSTER_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cluster/config.h"

struct tally_count {
  uint64_t frames, bytes;
};
struct cluster_tally {
  struct tally_count operations; /* frames that carry some */
  struct tally_count blocks;     /* of snapshots */
  struct tally_count talk;       /* all others */
  uint64_t sends;                /* operations in frames to nodes that are up */
  uint64_t sends_down;           /* ... to nodes that are not */
};

/* Of a cluster that is measured. It counts from its beginning; false: the arena is used up. */
bool cluster_tally_begin(struct cluster *cluster);
/* What was counted so far, in the arena for as long as the world. */
const struct cluster_tally *cluster_tally(const struct cluster *cluster);
/* Counts from 0 again. */
void cluster_tally_reset(struct cluster *cluster);
/* An engine gave a frame of that kind (enum frame_type), with so many operations in it. */
void cluster_tally_sent(struct cluster *cluster, uint32_t to, uint32_t kind, size_t size, uint64_t operations);

#endif
