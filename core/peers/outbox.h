/* The outbox, derived: what this node wrote, in any life, that a registered
 * peer is not known to hold durably (rule 7). Nothing of it is stored. */
#ifndef SYNC_CORE_PEERS_OUTBOX_H
#define SYNC_CORE_PEERS_OUTBOX_H

#include "core/peers/peer.h"

/* As sync_outbox_size(), sync_outbox(), and sync_outbox_find() of an operation that is held. */
uint64_t outbox_size(const struct peers *peers);
int outbox_each(const struct peers *peers, int (*each)(void *arg, const struct sync_outbox_entry *entry), void *arg);
struct sync_outbox_entry outbox_find(const struct peers *peers, const struct origin *origin, uint64_t seq,
                                     const struct peer *peer);
/* Adds what this peer is owed, and what it holds, by status. */
void outbox_add_counts(const struct peers *peers, const struct peer *peer, struct sync_outbox_counts *counts);
/* Operations of any writer that the peer is not known to hold. */
uint64_t outbox_owed(const struct peers *peers, const struct peer *peer);

#endif
