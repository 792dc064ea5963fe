/* The keys in conflict, in bytewise order: an index beside that of all keys, which lends them.
 *
 * A key takes its place while a change is planned, for that may need memory; who commits or cancels the plan settles
 * it. So outside of plans a key is in here exactly when key_in_conflict(). */
#ifndef SYNC_CORE_STATE_CONFLICTS_H
#define SYNC_CORE_STATE_CONFLICTS_H

#include "core/base/base.h"
#include "core/state/btree.h"
#include "core/state/key.h"

struct conflicts {
  struct btree all;
  struct btree unjudged; /* those that changed since a policy looked at them, while `judging` */
  uint64_t count;        /* of all */
  bool judging;          /* there is a policy that resolves conflicts by itself */
};

void conflicts_init(struct conflicts *conflicts, const struct sync_env *env);
void conflicts_deinit(struct conflicts *conflicts);

/* Gives the key a place, to be settled. SYNC_E_NO_MEMORY: it has none that it had not before. */
int conflicts_reserve(struct conflicts *conflicts, struct store_key *key);
/* Takes the place from the key if it is in no conflict. Cannot fail. */
void conflicts_settle(struct conflicts *conflicts, const struct store_key *key);

/* From now on, keys that change are remembered until they are judged; and all that are in conflict now.
 * SYNC_E_NO_MEMORY: some of these only, which costs a look at each. */
int conflicts_judge_all(struct conflicts *conflicts);
/* ... or are no more. */
void conflicts_judge_none(struct conflicts *conflicts);
/* The first that is not judged, NULL: there is none. */
struct store_key *conflicts_unjudged(const struct conflicts *conflicts);
void conflicts_judged(struct conflicts *conflicts, const struct store_key *key);

#endif
