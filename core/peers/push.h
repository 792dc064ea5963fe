/* Which operations a peer is sent: those that it asked for, and those that are pushed along the link to it (feed.h);
 * of what is held back it is told instead. */
#ifndef SYNC_CORE_PEERS_PUSH_H
#define SYNC_CORE_PEERS_PUSH_H

#include "core/peers/peer.h"

/* The next operation that the peer is to be sent, or NULL: what it asked for, then what is pushed; moves past what it
 * holds, and what it is told of instead. */
const struct oplog_entry *push_next(struct peers *peers, struct peer *peer);
/* Where it is in the log. */
static inline uint64_t push_ordinal(const struct peer *peer) {
  return peer->answer < peer->answer_end ? peer->answer : peer->cursor;
}
/* That one is sent. */
void push_sent(struct peer *peer);
bool push_in_flight(const struct peer *peer, uint64_t ordinal);
/* The peer asks for what it lacks of our first operations, counted as in a HELLO. */
void push_asked(const struct peers *peers, struct peer *peer, uint64_t wanted);

#endif
