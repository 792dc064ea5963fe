/* A directory as it is, on which nothing written ever reaches the disk: an environment (core/env.h) that reads the real
 * files, opened for reading only, and keeps in memory what is made, written, renamed and removed. So the engine opens a
 * directory, and even repairs it, without a byte of it being changed. */
#ifndef SYNCTOOL_OVERLAY_H
#define SYNCTOOL_OVERLAY_H

#include <stdbool.h>

#include "core/env.h"

struct overlay;

/* Lists the directory and keeps engines out of it until overlay_close() (a shared lock, if there is a lock file; none
 * is made). SYNC_E_LOCKED: an engine has it open; SYNC_E_NOT_FOUND; SYNC_E_NO_MEMORY; SYNC_E_IO with errno: it cannot
 * be read. */
int overlay_open(struct overlay **overlay, const char *directory);
void overlay_close(struct overlay *overlay);
const struct sync_env *overlay_env(struct overlay *overlay);
/* The fsyncs asked for, all of which are done at once. False when none waits. */
bool overlay_next_completion(struct overlay *overlay, uint64_t *token);

#endif
