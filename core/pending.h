/* Frames of operations whose causes have not come yet: kept in memory for a while, and applied once they have.
 * Nothing of them is acknowledged, or survives the process. Bounded, for all and for each peer: what finds no room is
 * skipped, and its sender is told so. */
#ifndef SYNC_CORE_PENDING_H
#define SYNC_CORE_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sync_engine;
struct peer;

#define PENDING_FRAMES_MAX 64u     /* of all peers, */
#define PENDING_FRAMES_OF_PEER 16u /* ... of one */
#define PENDING_FULL_FRAMES 16u    /* bytes that all may have: of so many of the longest */
#define PENDING_NOMINAL_BYTES 64u  /* besides its bytes */

/* Keeps the body of an OPS frame. False: there is no room for it. */
bool pending_keep(struct sync_engine *engine, const struct peer *peer, const uint8_t *body, size_t size);
struct pending_again {
  bool applied; /* some of it */
  bool waits;   /* causes of some of it are missing still, or there is no room: try again later */
};
/* Applies what can be of a body that was kept. */
typedef struct pending_again pending_apply(struct sync_engine *engine, struct peer *peer, const uint8_t *body,
                                           size_t size);
/* Something was applied: tries all that is kept again. Only failures that end the engine are returned. */
int pending_retry(struct sync_engine *engine, pending_apply *apply);
/* Whether something of that peer is kept. */
bool pending_has(const struct sync_engine *engine, uint32_t handle);
/* Drops what is older than a sender waits for an acknowledgement: it comes again. */
void pending_expire(struct sync_engine *engine, uint64_t now_ns);
/* Drops what is of that peer. */
void pending_peer_gone(struct sync_engine *engine, uint32_t handle);
void pending_end(struct sync_engine *engine);

#endif
