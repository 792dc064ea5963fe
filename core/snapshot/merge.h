/* Merges a snapshot into a replica as one change (rule 5): everything that can fail happens while it is planned.
 * Into an empty replica it is how a base is loaded. */
#ifndef SYNC_CORE_SNAPSHOT_MERGE_H
#define SYNC_CORE_SNAPSHOT_MERGE_H

#include "core/snapshot/image.h"
#include "core/state/state.h"

/* Where the snapshot is, and what it must be. */
struct merge_source {
  const struct sync_env *env;
  const char *name; /* of its file */
  uint64_t id;
  uint64_t size, sum; /* of its file, and of all blocks but the last; sum 0: not known */
  uint8_t cluster_id[SYNC_CLUSTER_ID_BYTES];
  const char *node_id;      /* its author; NULL: anybody */
  uint32_t value_bytes_max; /* the replica's limit */
  size_t payload_bytes_max; /* of a block */
  size_t origins_max;       /* 0: any number */
  const struct origin *own; /* the life in which the replica writes, NULL: none yet */
  /* Given each peer's id by handle, *size 0 for a handle not in use; a negative result ends it. NULL: nobody asks. */
  int (*peer)(void *arg, const uint8_t *id, size_t size);
  void *arg;
};

struct merge_origin {
  struct origin *origin;
  uint64_t seq, hlc;
};
struct merge_add;

struct merge {
  struct state *state;
  struct image_head head; /* node_id is not kept */
  struct image_end end;
  struct memory_array origins; /* struct merge_origin, by place */
  struct memory_array adds;    /* struct merge_add: siblings to come */
  size_t interned;             /* origins that it added, the last of all */
  size_t news;                 /* origins of which it brings something */
  uint64_t sum, size;
  uint64_t bytes_added;
};

/* Reads and checks all of it, and takes all memory; the state reads as before, but may not be written until the
 * merge is committed or cancelled. SYNC_OK also when it brings nothing (`news` 0).
 * SYNC_E_DAMAGED: it is not what was sealed; SYNC_E_CORRUPT: it was sealed so, and is no snapshot; SYNC_E_CLUSTER (of
 * another cluster or author), SYNC_E_LIMITS (written under a greater value limit, or more origins), SYNC_E_VERSION,
 * SYNC_E_ID_CONFLICT (it has operations of our life that we did not write), SYNC_E_FULL, SYNC_E_NO_MEMORY,
 * SYNC_E_TOO_MANY, and what the file calls give: nothing changed, and nothing is to be cancelled. */
int merge_plan(struct merge *merge, struct state *state, const struct merge_source *source);
void merge_cancel(struct merge *merge);
/* Makes it so. `end` is where its record in the log ends. Cannot fail. */
void merge_commit(struct merge *merge, uint64_t end);

#endif
