/* What a key reads as, by its policy. */
#ifndef SYNC_CORE_VIEW_H
#define SYNC_CORE_VIEW_H

#include "core/base/base.h"
#include "core/policies.h"
#include "core/state/state.h"
#include "core/sync.h"

#define VIEW_VALUES 64u /* that a key may have before reading it takes memory */

/* Where merged values are made: beside the engine, which readers may not change. */
struct view {
  const struct sync_env *env;
  struct memory_array values; /* struct sync_sibling: of the key that is read */
  uint8_t *merged;
  size_t capacity; /* of it */
};

/* NULL: no memory. */
struct view *view_new(const struct sync_env *env, size_t value_bytes_max);
void view_free(struct view *view);

/* What a key with two siblings or more reads as; a tombstone is one that reads as absent. SYNC_E_MERGE and
 * SYNC_E_TOO_BIG: it could not be merged, and *given is the greatest value. SYNC_E_NO_MEMORY. */
int view_read(struct view *view, const struct policies *policies, const struct store_key *key,
              struct sync_sibling *given);

#endif
