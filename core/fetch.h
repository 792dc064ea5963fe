/* Fetching a snapshot from a peer that has no more what we lack (rule 5): block by block into a file of its own, from
 * where an earlier try left off; when all of it is there and durable it is merged as one change, which is one
 * record of the log. Whoever sends it, at any time, costs bounded work and, until the whole of it was checked, no
 * state. */
#ifndef SYNC_CORE_FETCH_H
#define SYNC_CORE_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sync_engine;
struct peer;
struct block_frame;

/* The peer offered a snapshot in that session of it. */
void fetch_offered(struct sync_engine *engine, struct peer *peer, uint64_t session, uint64_t id, uint64_t size);
/* A block came. SYNC_E_CORRUPT: it is none. */
int fetch_block(struct sync_engine *engine, struct peer *peer, const struct block_frame *block);
/* Whether a FETCH frame is to be sent to that peer now, and writes it. */
bool fetch_asks(const struct sync_engine *engine, const struct peer *peer);
size_t fetch_frame(struct sync_engine *engine, void *buffer);
/* The peer is no more. */
void fetch_peer_gone(struct sync_engine *engine, uint32_t handle);

/* Does what is due. Only failures that end the engine are returned. */
int fetch_run(struct sync_engine *engine);
uint64_t fetch_deadline(const struct sync_engine *engine);
int fetch_disk_done(struct sync_engine *engine, int result);
void fetch_end(struct sync_engine *engine);

/* At open: a merge that the log tells of. */
int fetch_replay(struct sync_engine *engine, const uint8_t *payload, size_t size, uint64_t end);

#endif
