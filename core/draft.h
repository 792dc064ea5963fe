/* A draft: one operation of this node in the making, whoever wants it: a caller, or the
 * engine itself. */
#ifndef SYNC_CORE_DRAFT_H
#define SYNC_CORE_DRAFT_H

#include "core/engine.h"

struct draft {
  size_t count; /* of engine->changes */
  /* Which of the siblings of its key a change replaces; NULL: all. */
  bool (*sees)(void *arg, const struct store_sibling *sibling);
  void *arg;
  bool by_itself; /* no caller asked for it: another step of the trace */
};

/* Room for the changes in engine->changes, which the caller then fills, in any order and
 * without what they see. SYNC_E_NO_MEMORY. */
int draft_begin(struct sync_engine *engine, size_t count);
/* Encodes the changes as one operation (rule 1), reserves all memory, appends, applies: all or
 * nothing. SYNC_E_INVALID: two of one key, or a sweep that sees nothing; else as sync_write(). `receipt` may be NULL.
 */
int draft_write(struct sync_engine *engine, const struct draft *draft, struct sync_receipt *receipt);
/* After a draft was written, outside of all walks over the state: what follows from more log. */
void draft_written(struct sync_engine *engine);

#endif
