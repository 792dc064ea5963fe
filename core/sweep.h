/* Sweeps (rule 4): tombstones go by operations, never by themselves, so that all replicas agree,
 * whatever they missed. A node sweeps the tombstones that it wrote, in any of its lives, once
 * every registered peer is known to hold them durably, and they are durable here; many
 * in one operation. One whose author is no peer of this node is swept by whoever sees it held by all of its own peers,
 * and only when it has been there for a while: its author may be alive, a few links away, and will do it sooner.
 *
 * Only keys of which nothing is left but tombstones are swept: where a concurrent value stands beside
 * one, to take the tombstone away would bring a key back that reads as deleted. Such a key waits for
 * its next write.
 *
 * What can be swept is looked for once in an interval, and before that, after a sixteenth of it, when so many
 * tombstones came that they fill an operation: so sweeps are large, and few. */
#ifndef SYNC_CORE_SWEEP_H
#define SYNC_CORE_SWEEP_H

#include "core/engine.h"

/* At open: the first look is an interval from now. */
void sweep_begin(struct sync_engine *engine);
/* Before anything else of a tick: writes what is due. */
void sweep_run(struct sync_engine *engine);
uint64_t sweep_deadline(const struct sync_engine *engine);
void sweep_deinit(struct sync_engine *engine);

#endif
