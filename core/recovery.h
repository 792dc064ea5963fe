/* Replaying the log at open, through the path that every operation takes. */
#ifndef SYNC_CORE_RECOVERY_H
#define SYNC_CORE_RECOVERY_H

#include "core/engine.h"

/* The callback of wal_open(); `arg` is the engine. SYNC_E_DAMAGED: a record
 * that no engine wrote so. */
int recovery_record(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                    size_t size);
/* A record that is whole behind damage that is being put aside; `arg` is the engine. Tells of an operation that is not
 * held. */
int recovery_lost(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                  size_t size);
/* The base's position is reached, or the log ends before it. */
void recovery_index_end(struct sync_engine *engine);

#endif
