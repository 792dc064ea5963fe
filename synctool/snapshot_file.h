/* The file of one snapshot, read whole. */
#ifndef SYNCTOOL_SNAPSHOT_FILE_H
#define SYNCTOOL_SNAPSHOT_FILE_H

#include <stdbool.h>

#include "core/snapshot/snapshot.h"
#include "core/sync.h"

struct snapshot_file {
  char name[SNAPSHOT_NAME_BYTES];
  uint64_t id, position, bytes; /* the name's, the head's if it is whole, the file's */
  char author[SYNC_NODE_ID_BYTES_MAX + 1];
  uint64_t hlc, keys, siblings, origins, blocks;
  bool head;          /* there is one: author, hlc, position */
  bool whole;         /* every block up to the end is what was sealed there */
  uint64_t damage_at; /* else: the first that is not */
};

/* SYNC_OK also when it is damaged; what the file calls give, or no memory. */
int snapshot_file_read(struct snapshot_file *file, const struct sync_env *env, const char *name, uint64_t id);
/* Calls `each` for every base and staged snapshot in the directory. */
int snapshot_file_each(const struct sync_env *env, int (*each)(void *arg, const struct snapshot_file *file), void *arg);

#endif
