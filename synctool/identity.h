/* Whose directory it is, as its files say themselves. */
#ifndef SYNCTOOL_IDENTITY_H
#define SYNCTOOL_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "core/snapshot/snapshot.h"
#include "core/sync.h"

#define IDENTITY_BLOCK_BYTES_MAX (SYNC_VALUE_BYTES_LIMIT + SYNC_FRAME_OVERHEAD_BYTES) /* more than any block has */

struct identity {
  int refused; /* errno: files of it may not be read; 0 */
  bool known;  /* some header says it */
  char node_id[SYNC_NODE_ID_BYTES_MAX + 1];
  uint8_t cluster_id[SYNC_CLUSTER_ID_BYTES];
  uint32_t value_bytes_max;                              /* the greatest limit that it was written with */
  size_t segments, bases, stages, set_aside, unfinished; /* files, by name */
  char base[SNAPSHOT_NAME_BYTES];                        /* the one that recovery begins with; empty: none */
  uint64_t base_id, base_position;
  char first_segment[SYNC_NODE_ID_BYTES_MAX + 1]; /* the lowest; empty: none */
};

/* Reads names and headers, believing only those that are whole. What listing gives. */
int identity_find(struct identity *identity, const struct sync_env *env);

#endif
