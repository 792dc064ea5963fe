/* What a HELLO says of holdings: writing ours, hearing a peer's. */
#ifndef SYNC_CORE_PEERS_GREETING_H
#define SYNC_CORE_PEERS_GREETING_H

#include "core/peers/peer.h"
#include "core/wire/wire.h"

/* Writes the durable vector. What does not fit reads as "not held"; the next
 * HELLO goes on there, and within a session the receiver adds them up. */
void greeting_write(struct peers *peers, struct peer *peer, struct bytes_writer *writer);
/* Sets peers->heard to what the HELLO says of origins that are known here,
 * completed by what births imply. Of others there is nothing to send.
 * SYNC_E_NO_MEMORY. */
int greeting_hear(struct peers *peers, struct peer *peer, const struct hello *hello);
/* The same for entries alone: sets peers->heard. Room must be reserved for what is wished. */
int greeting_hear_nodes(struct peers *peers, struct peer *peer, struct bytes_reader nodes);
/* Writes the entries of the first `count` origins of the scratch, which are in order. False: they do not fit. */
bool greeting_write_some(const struct peers *peers, const struct peer *peer, size_t count, struct bytes_writer *writer);
/* Writes whom we have for peers: a hint. */
void greeting_write_peers(const struct peers *peers, struct bytes_writer *writer);
/* The peer holds what was heard. Room must be reserved in its `known`. */
void greeting_believe(const struct peers *peers, struct peer *peer);

#endif
