/* Snapshots on a node's disk, as the oracles read them: which there are, whether they are whole and durable,
 * and what they say that they hold. What that comes to is told by the ledger, not by their bytes. */
#ifndef CLUSTER_SNAPSHOT_H
#define CLUSTER_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"
#include "cluster/decode_snapshot.h"
#include "sim/sim.h"

struct snapshot {
  char name[DECODE_SNAPSHOT_NAME_BYTES];
  uint64_t id, position, log_id;
  uint64_t size; /* of its file, to the end of its last block */
};

/* The base that an open must begin with; false: there is none. Only what its name says is filled in. */
bool snapshot_newest(const struct sim_disk *disk, struct snapshot *base);
/* The base with that id. */
bool snapshot_base(const struct sim_disk *disk, uint64_t id, struct snapshot *base);
/* The base of that log position. */
bool snapshot_at(const struct sim_disk *disk, uint64_t position, struct snapshot *base);
/* What was staged under that id; whether it is there is not asked. */
void snapshot_staged(uint64_t id, struct snapshot *staged);

/* Reads it and gives each origin to `each` (NULL: none asked), as the index of a life of the ledger, LEDGER_NONE
 * for one that never was. Fills in the rest. false: it is not whole. */
bool snapshot_read(struct cluster *cluster, const struct sim_disk *disk, struct snapshot *snapshot,
                   void (*each)(void *arg, uint32_t life, uint64_t seq), void *arg);
/* Whether a durable base has all that is below the position. */
bool snapshot_covers(struct cluster *cluster, const struct sim_disk *disk, uint64_t position);
/* Whether all of it would be there if power were lost now. */
bool snapshot_is_durable(const struct sim_disk *disk, const struct snapshot *snapshot);

#endif
