/* Tombstones, in the order in which they can be swept: those of one origin by their
 * sequence numbers, for who holds one of them holds all before it. So to find what can be
 * swept costs what can be, and the number of origins that have any; never what else is
 * there.
 *
 * A tombstone whose key has a value beside it cannot go: the value would come to light
 * again. Who meets one puts it among the contested, where it is looked at now and then. */
#ifndef SYNC_CORE_STATE_GRAVES_H
#define SYNC_CORE_STATE_GRAVES_H

#include "core/base/base.h"
#include "core/state/origin.h"
#include "core/state/sibling.h"

struct graves {
  struct origin *first; /* that has any, in no order of matter */
  uint64_t count;       /* of all tombstones */
  uint64_t added;       /* ever */
  struct store_sibling *contested_first, *contested_last;
};

/* A tombstone is linked to its key, or about to leave it. Cannot fail. */
void graves_add(struct graves *graves, struct store_sibling *tombstone, struct store_key *key);
void graves_remove(struct graves *graves, struct store_sibling *tombstone);

/* The first of the origin's, put in order if they are not; NULL: it has none but contested ones. */
struct store_sibling *graves_of(struct origin *origin);
/* It has been looked at and cannot go: behind all others that could not. Cannot fail. */
void graves_contest(struct graves *graves, struct store_sibling *tombstone);

/* Whether nothing but tombstones stands under the key. */
bool graves_only(const struct store_key *key);

#endif
