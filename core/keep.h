/* Keep local and keep remote: the conflicts that this node resolves by itself (rule 3). */
#ifndef SYNC_CORE_KEEP_H
#define SYNC_CORE_KEEP_H

#include "core/engine.h"

/* Looks at keys that came into conflict, or changed there, since it looked at them: after an apply, a merge, an open, a
 * change of policy. Some of them in one turn, and what it decides as one operation. Not on a node that is stopped or
 * full. */
void keep_run(struct sync_engine *engine);
/* When it wants to. */
uint64_t keep_deadline(const struct sync_engine *engine);

#endif
