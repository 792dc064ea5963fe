/* The directory of a node: the engine on a real disk, set up for notes. */
#ifndef SYNCNOTE_STORE_H
#define SYNCNOTE_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/sync.h"
#include "posix/posix_env.h"

/* Operations on their way to one peer: so many of the longest frames are the most that a peer that reads slowly makes
 * us keep (neighbours.h). */
#define STORE_WINDOW 16u

struct store {
  struct sync_posix *posix;
  struct sync_engine *engine;
  char refused[256]; /* what the system refused last, told once */
};

/* False: it cannot be used, and has been said why. *store must not move while it is open. */
bool store_open(struct store *store, const char *directory, const char *name, const char *cluster, bool repair);
void store_close(struct store *store);

uint64_t store_now_ns(const struct store *store);
/* Hands over the fsyncs that are complete. */
int store_completions(struct store *store);
/* Waits until all up to the position is durable. Anything but SYNC_OK: it is not known to be. */
int store_settle(struct store *store, uint64_t position, int limit_ms);
/* Whether the engine has stopped for good: only closing and opening helps. */
bool store_is_dead(int status);

#endif
