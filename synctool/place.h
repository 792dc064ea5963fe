/* A directory, and the engine opened in it: to read, on an overlay that leaves the disk as it is, or to write. */
#ifndef SYNCTOOL_PLACE_H
#define SYNCTOOL_PLACE_H

#include <stdbool.h>

#include "core/sync.h"
#include "synctool/identity.h"
#include "synctool/overlay.h"

struct sync_posix;

enum place_how { PLACE_TO_READ, PLACE_TO_WRITE };

struct place {
  const char *directory;
  struct overlay *overlay;  /* to read */
  struct sync_posix *posix; /* to write */
  const struct sync_env *env;
  struct identity identity;
  struct sync_engine *engine; /* NULL until place_start() */
  struct sync_open_report report;
};

/* Opens the directory. EXIT_GOOD, or says what, where and what would be right, and gives the exit status. */
int place_open(struct place *place, const char *directory, enum place_how how);
/* The options with which its engine opens: who it is, limits that its files need, nothing that it does by itself. */
struct sync_options place_options(const struct place *place);
/* Opens the engine in it; as place_open(). */
int place_start(struct place *place);
/* Both. What failed is closed already. */
int place_read(struct place *place, const char *directory);
int place_write(struct place *place, const char *directory);
/* One turn of the engine: completions in, ticks, and waiting for the next of either if there is nothing to do. */
int place_turn(struct place *place, bool wait);
/* Turns until all that is written is durable. A status of the engine. */
int place_settle(struct place *place);
void place_close(struct place *place);

/* Says that a call failed, and what that means; the exit status. */
int place_complain(const char *directory, int status, const char *detail);
/* The same, of a status of sync_posix_open() or overlay_open(). */
int place_cannot_open(const char *directory, int status);

#endif
