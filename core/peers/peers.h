/* Room `peers`: what each other replica is known to hold, what is in flight to it, and
 * when it is talked to next. Takes the state, the options and what peers say;
 * gives the next operation for each, HELLO's vector, deadlines, the outbox.
 * Sends and reads nothing itself. */
#ifndef SYNC_CORE_PEERS_PEERS_H
#define SYNC_CORE_PEERS_PEERS_H

#include "core/peers/feed.h"
#include "core/peers/greeting.h"
#include "core/peers/outbox.h"
#include "core/peers/peer.h"
#include "core/peers/push.h"
#include "core/peers/telling.h"

#endif
