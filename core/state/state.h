/* Room `state`: what this replica holds, a function of the set of operations applied.
 * Takes parsed operations and the positions of their records; judges and
 * applies them; gives keys with their siblings, origins with what is held of
 * each, digests, and the index of the log. Writes nothing and knows no peer. */
#ifndef SYNC_CORE_STATE_STATE_H
#define SYNC_CORE_STATE_STATE_H

#include "core/base/base.h"
#include "core/state/legend.h"
#include "core/state/oplog.h"
#include "core/state/origin.h"
#include "core/state/store.h"
#include "core/state/vector.h"
#include "core/wire/wire.h"

struct state {
  const struct sync_env *env;
  uint64_t store_bytes_max;   /* nominal; an operation that would grow the store past it is refused */
  size_t operation_bytes_max; /* of the weight of an operation */
  struct origins origins;
  struct store store;
  struct oplog oplog;
  uint64_t hlc_last; /* greatest of an operation that is held */

  /* Scratch of one call. */
  struct memory_array seen;  /* struct store_dot: of all its changes */
  struct memory_array plans; /* struct store_plan: of its changes */
  struct memory_array edges; /* struct origin_edge */
};

void state_init(struct state *state, const struct sync_env *env, const char *own_node_id, uint64_t store_bytes_max,
                size_t operation_bytes_max);
void state_deinit(struct state *state);
/* Between the two the digest of origins waits: most of what is replayed is replaced again. That of the
 * store does not: to come back to every value costs more than to hash it while it is near. */
void state_replay(struct state *state);
void state_replayed(struct state *state);

/* --- Applying an operation (apply.c) ---------------------------------------------- */

/* The one path for local, received and replayed operations (rule 2). Everything
 * that can fail happens before the record is appended. */

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

/* Resolves the operation's origins, whose indexes are those of this log, and judges it;
 * sets view->hlc of one that is ready. A verdict, or SYNC_E_CORRUPT, SYNC_E_TOO_BIG (its
 * weight), SYNC_E_ID_CONFLICT, SYNC_E_NO_MEMORY. */
int apply_judge(struct state *state, struct operation_view *view);
/* Takes the memory for an operation just judged ready. SYNC_E_NO_MEMORY,
 * SYNC_E_FULL, SYNC_E_TOO_MANY: nothing is held. */
int apply_prepare(struct state *state, const struct operation_view *view, struct apply_plan *plan);
void apply_cancel(struct state *state, struct apply_plan *plan);
/* Makes it so. `position` is where its record begins, `end` where it ends. Cannot fail. */
struct origin *apply_commit(struct state *state, struct apply_plan *plan, uint64_t position, uint64_t end);

#endif
