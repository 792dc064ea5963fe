/* What a node can be asked besides its keys: what it holds, what it owes to whom,
 * its counters. */
#ifndef CLUSTER_READS_H
#define CLUSTER_READS_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"

/* What an engine was seen to do since it was opened; it must count the same. */
struct reads_counts {
  uint64_t submits, submits_refused;
  uint64_t frames_in, frames_in_bytes;
  uint64_t frames_out, frames_out_bytes, ops_out, hellos_out;
};

/* Compares them with the model. `whole`: every entry of the outbox, else the
 * first few; and not only when something changed. */
void reads_check(struct cluster *cluster, uint32_t node, bool whole);

#endif
