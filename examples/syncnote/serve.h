/* The node that syncs: everything that may happen, in one loop. */
#ifndef SYNCNOTE_SERVE_H
#define SYNCNOTE_SERVE_H

#include <stdbool.h>
#include <stddef.h>

#include "examples/syncnote/store.h"

struct serve_options {
  const char *name, *cluster;
  const char *listen; /* ADDR:PORT, or NULL */
  char *const *peers; /* NAME=HOST:PORT, or NAME */
  size_t peer_count;
};
/* Until it is told to end. False: it could not begin or go on, and has been said why. */
bool serve(struct store *store, const struct serve_options *options);

#endif
