/* Compaction (rule 6): snapshots of our own state, taken in steps beside normal work. One that is durable becomes the
 * base: recovery begins with it, peers that lack what the log has no more are sent it, and the log behind it goes. */
#ifndef SYNC_CORE_COMPACTION_H
#define SYNC_CORE_COMPACTION_H

#include <stdbool.h>
#include <stdint.h>

struct sync_engine;
struct engine_base;
struct oplog_entry;
struct peer;

/* At open, before the log: loads the newest base there is. SYNC_E_DAMAGED when it is not whole, and as merge_plan().
 * `repairs`: one that is not is put aside, which *repaired says, and the next older one is loaded, or none. */
int compaction_load(struct sync_engine *engine, bool repairs, bool *repaired);

/* Does what is due of a snapshot; before each frame. Only failures that end the engine are returned. */
int compaction_step(struct sync_engine *engine);
/* ... and of the log behind it; at the end of a turn. */
int compaction_run(struct sync_engine *engine);
uint64_t compaction_deadline(const struct sync_engine *engine);
/* After a write: what it had to save for the snapshot in progress goes to its file before that is too much. */
void compaction_relieve(struct sync_engine *engine);
/* A completion of ours. */
int compaction_disk_done(struct sync_engine *engine, int result);

/* An operation could not be read back for a peer (SYNC_E_DAMAGED, or SYNC_E_IO once more): what is in memory is
 * whole, so a snapshot pays it, and damage below that one costs nothing. */
void compaction_unread(struct sync_engine *engine, const struct oplog_entry *entry, int status);

/* A snapshot of a peer is about to be merged: ours, as far as it is not all saved yet, would be of two instants. */
void compaction_break(struct sync_engine *engine);
/* Wants one as soon as possible. */
void compaction_want(struct sync_engine *engine);
void compaction_end(struct sync_engine *engine);

/* The snapshot that the peer is to be offered, or NULL: it needs none, or there is none that would do. */
const struct engine_base *compaction_offer(struct sync_engine *engine, const struct peer *peer);
/* Ours with that id, or NULL. */
const struct engine_base *compaction_find(const struct sync_engine *engine, uint64_t id);
/* Whether the name of the base, if there is one, is known to be durable: else an older one, and snapshots that were
 * merged since, may have to do in its place. */
bool compaction_is_proven(const struct sync_engine *engine);
/* Whether the log behind the base names the staged snapshot. */
bool compaction_needs_stage(const struct sync_engine *engine, uint64_t id);

#endif
