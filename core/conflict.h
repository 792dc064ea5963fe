/* Conflicts: the engine's side of policies, tokens, resolving (core/sync.h). */
#ifndef SYNC_CORE_CONFLICT_H
#define SYNC_CORE_CONFLICT_H

#include "core/engine.h"

/* Before anything is loaded: takes the policies of the options. SYNC_E_INVALID (also a prefix that is there twice),
 * SYNC_E_TOO_BIG, SYNC_E_TOO_MANY, SYNC_E_NO_MEMORY. */
int conflict_open(struct sync_engine *engine);
void conflict_close(struct sync_engine *engine);

#endif
