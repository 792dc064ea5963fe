/* Applying an operation: the one path for local, received and replayed ones
 * (rule 2). Everything that can fail happens before the record is appended. */
#ifndef SYNC_CORE_STATE_APPLY_H
#define SYNC_CORE_STATE_APPLY_H

#include "core/engine.h"

enum apply_verdict {
  APPLY_READY = 0,
  APPLY_DUPLICATE = 1, /* held already */
  APPLY_NOT_YET = 2,   /* a cause is missing */
};

/* What applying a ready operation will do. */
struct apply_plan {
  const struct operation_view *view;
  struct origin *origin; /* NULL: its first operation */
  struct origin_edge *birth;
  size_t birth_count;
  size_t planned; /* changes */
};

/* Resolves the operation's origins and judges it. A verdict, or
 * SYNC_E_CORRUPT, SYNC_E_ID_CONFLICT, SYNC_E_NO_MEMORY. */
int apply_judge(struct sync_engine *engine, const struct operation_view *view);
/* Takes the memory for an operation just judged ready. SYNC_E_NO_MEMORY,
 * SYNC_E_FULL, SYNC_E_TOO_MANY: nothing is held. */
int apply_prepare(struct sync_engine *engine, const struct operation_view *view, struct apply_plan *plan);
void apply_cancel(struct sync_engine *engine, struct apply_plan *plan);
/* Makes it so. `position` is its record's. Cannot fail. */
struct origin *apply_commit(struct sync_engine *engine, struct apply_plan *plan, uint64_t position);

#endif
