/* What the disk of a node still says of its log, read byte for byte before the
 * engine reads it, once the world has damaged something there. Written apart
 * from recovery, from docs/formats.md: whether damage can be told from a torn
 * tail, and which positions of the log it lies in.
 *
 *   Damage at a position is corruption if and only if a valid header or record
 *   behind it says that more was durable; else it is a tail, and nobody can tell.
 */
#ifndef CLUSTER_LOG_DAMAGE_H
#define CLUSTER_LOG_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "cluster/state.h"

/* Looks at the disk as it is now. */
void log_damage_look(struct cluster *cluster, uint32_t node, struct log_damage *damage);
/* Whether damage that is still there lies in [from, to) of the log. Names that
 * an fsync lied about may have taken anything. */
bool log_damage_in(struct cluster *cluster, uint32_t node, uint64_t from, uint64_t to);
/* Whether a sector that cannot be read lies there. */
bool log_damage_unreadable_in(struct cluster *cluster, uint32_t node, uint64_t from, uint64_t to);
/* Whether a whole record can be read that begins at that position of the log. */
bool log_damage_spares(struct cluster *cluster, uint32_t node, uint64_t position);
/* Whether a sector of the files that count cannot be read. */
bool log_damage_unreadable(struct cluster *cluster, uint32_t node);

#endif
