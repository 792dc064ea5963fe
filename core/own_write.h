/* Operations that the engine writes by itself: sweeps, and what a policy decides. They are
 * written in sync_tick() alone, before anything else of it, so that the state that they
 * are decided by is one that a caller has seen; what wants to write sooner sets its deadline to
 * now. They are operations like any other: in the log, in the outbox, promised when durable. */
#ifndef SYNC_CORE_OWN_WRITE_H
#define SYNC_CORE_OWN_WRITE_H

#include "core/engine.h"

struct own_change {
  enum sync_change_kind kind; /* a put or a delete is flagged automatic; a sweep is not */
  const uint8_t *key;         /* the store's, as the value may be */
  size_t key_size;
  const uint8_t *value;
  size_t value_size;
};

/* Whether it is the time for one: the node is not stopped, and its last write did not fail. */
bool own_write_can(const struct sync_engine *engine);
/* Writes one operation of these changes, of different keys, at most changes_max. Puts and deletes
 * replace all siblings of their keys; sweeps those of which `sees` says so. As sync_write(): all or nothing; also
 * SYNC_E_INVALID for a sweep of nothing. A failure is not counted as a refused submit. */
int own_write(struct sync_engine *engine, const struct own_change *changes, size_t count,
              bool (*sees)(void *arg, const struct store_sibling *sibling), void *arg);

#endif
