/* What NEWS says of holdings: to one who has heard of what was told before, what became durable since; or only what it
 * sent, which it waits to hear of. */
#ifndef SYNC_CORE_PEERS_TELLING_H
#define SYNC_CORE_PEERS_TELLING_H

#include "core/peers/peer.h"
#include "core/wire/wire.h"

#define TELLING_FEW 16u /* operations: with so many or fewer since, an acknowledgement names all that is held */

struct telling {
  bool all; /* of what became durable since; else of what it sent */
  size_t count;
  bool ranks; /* both know the same lives */
};

/* Chooses what to tell. False: a HELLO is needed, which tells all that there is. */
bool telling_choose(struct peers *peers, const struct peer *peer, struct telling *telling);
/* Writes what telling_choose() chose. False: it does not fit. */
bool telling_write(const struct peers *peers, const struct peer *peer, const struct telling *telling,
                   struct bytes_writer *writer);
/* Writes what is held and not durable yet, for one who is asked: it need not be sent. False: it does not fit. */
bool telling_write_hand(const struct peers *peers, const struct telling *telling, struct bytes_writer *writer);
/* Whether all that is held is durable: then the digest of the vector says what is. */
bool telling_is_settled(const struct peers *peers);

/* Takes note of what the peer says that it holds: raises `known`, and sets heard_unknown. SYNC_E_NO_MEMORY;
 * SYNC_E_NOT_FOUND: it cannot be told of which lives it speaks, and nothing is noted. */
int telling_hear(struct peers *peers, struct peer *peer, const struct news *news);

/* The peer holds what is held here: so its digest says. */
void telling_believe_all(const struct peers *peers, struct peer *peer);

#endif
