/* Disks that are replaced: by an empty one, or by what a backup kept; and nodes that go for good. */
#ifndef CLUSTER_REPLACE_H
#define CLUSTER_REPLACE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/config.h"

/* The node goes for good: its power is cut, it never boots again, and all others remove it from their peers, those that
 * are down when they are back. */
void cluster_retire(struct cluster *cluster, uint32_t node);
/* Empties the disk of a node that is down; what it promised is excused. */
void cluster_wipe(struct cluster *cluster, uint32_t node);
/* Keeps an image of what the node's platter holds now, in place of an earlier
 * one; the node may be up. The ledger remembers what it had promised by then. */
void cluster_backup(struct cluster *cluster, uint32_t node);
/* Sets the disk of a node that is down back to its image. What it promised since
 * is excused, what the image must hold is not (a wipe in between excuses
 * nothing of that). false, and nothing happens: there is no image. */
bool cluster_restore(struct cluster *cluster, uint32_t node);

#endif
