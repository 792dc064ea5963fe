/* Live backups: a snapshot of this instant in a directory of its own, with the beginning of a log behind it. */
#ifndef SYNC_CORE_BACKUP_H
#define SYNC_CORE_BACKUP_H

struct sync_engine;

/* After a write: what it had to save for the backup goes to its file before that is too much. */
void backup_relieve(struct sync_engine *engine);
/* A snapshot of a peer is about to be merged, or the engine is closed: a backup that is not all saved yet would be of
 * two instants, and fails. */
void backup_break(struct sync_engine *engine);

#endif
