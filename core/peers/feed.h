/* Who feeds whom: along which links a node's operations are pushed, so that each comes to each replica about once
 * (after epidemic broadcast trees, Leitao et al. 2007, with one tree for each writer). A writer's operations go to all
 * its peers at once. Who has them from somebody takes further ones from there, its feeder, and tells its other peers to
 * hold them back; those only tell what they hold, and are asked when it does not come. A peer next to the writer is the
 * better feeder. All of it is advice: a peer that lacks what is held here is told so again and again until it has heard
 * of it, and asks. */
#ifndef SYNC_CORE_PEERS_FEED_H
#define SYNC_CORE_PEERS_FEED_H

#include "core/peers/peer.h"
#include "core/wire/wire.h"

#define FEED_FEW_LINKS 3u /* who has so many peers at most is sent what may come twice, once for each writer */
/* Operations in a row that others brought first before a feeder that is alive is given up; one that had to be waited
 * for counts as two. Whoever is asked for a cause sends all that is lacking, so that a few come from others where
 * nothing is wrong: each of them would move the feeder. */
#define FEED_MISSES_MAX 3u
#define FEED_MISSES_LATE 2u

enum feed_push {
  FEED_PUSH = 1, /* send it at once */
  FEED_HOLD,     /* the peer has it from somebody else */
  FEED_TELL,     /* nobody knows: it is told at once, and asks */
};

/* Room for all writers that are known, here and in what the peer wishes. SYNC_E_NO_MEMORY. */
int feed_reserve(struct peers *peers, struct peer *peer);
/* Forgets what the peer wished. */
void feed_reset(struct peer *peer);

/* What to do with operations of that origin that the peer is not known to hold. */
enum feed_push feed_push(const struct peer *peer, const struct origin *origin);
/* What to tell the peer of it. */
enum hello_wish feed_wish(const struct peers *peers, const struct peer *peer, const struct origin *origin);
/* The peer says what it wishes. Room must be reserved. */
void feed_wished(struct peer *peer, const struct origin *origin, enum hello_wish wish);
/* The peer holds them up to `seq`: it feeds from now on, and is told so, if it is next to their writer and the feeder
 * is not. */
void feed_heard(const struct peers *peers, struct peer *peer, const struct origin *origin, uint64_t seq);

/* An operation came from the peer: the first to bring it, or not. True: the peer is to hear that it is not to push
 * them. */
bool feed_take(struct peers *peers, const struct peer *peer, const struct origin *origin, bool first);
/* NULL: nothing is known of it. */
struct feed *feed_of(const struct peers *peers, const struct origin *origin);

#endif
