/* The change feed: what was applied, read back from the log in its order, for whoever keeps a picture of it elsewhere.
 */
#ifndef SYNC_CORE_BOOKMARK_H
#define SYNC_CORE_BOOKMARK_H

#include <stdint.h>

struct sync_engine;
struct oplog_entry;

/* Operations that were applied up to that position may be missing in the index; all behind it are there. A bookmark
 * that stands there is known by `tag`; 0: by none. A position before the present one changes nothing. */
void bookmark_gap(struct sync_engine *engine, uint64_t position, uint64_t tag);
/* The tag of a bookmark behind that operation, and behind a snapshot: never 0. */
uint64_t bookmark_tag(const struct oplog_entry *entry);
uint64_t bookmark_snapshot_tag(uint64_t id);

#endif
