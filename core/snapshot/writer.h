/* Takes a snapshot of one instant, in steps, while operations go on being applied: keys that are about to change
 * are saved first (store.h). */
#ifndef SYNC_CORE_SNAPSHOT_WRITER_H
#define SYNC_CORE_SNAPSHOT_WRITER_H

#include "core/snapshot/image.h"
#include "core/state/state.h"

/* Of what was saved and not written yet: more, and a step is due at once. */
#define WRITER_HELD_BYTES_MAX (256u * 1024u)

/* What the caller knows of the snapshot. */
struct snapshot_order {
  char name[SNAPSHOT_NAME_BYTES]; /* of the file; one that is there is cut */
  struct image_head head;         /* node_id must stay; hlc_last is filled in */
  size_t payload_bytes_max;       /* of a block */
  /* Gives peers by handle, from 0: false behind the last; *size 0 for a handle that is not in use. */
  bool (*peer)(void *arg, uint32_t handle, const uint8_t **id, size_t *size);
  void *arg;
};

struct snapshot_writer {
  const struct sync_env *env; /* where the file is */
  struct state *state;
  uint64_t id;
  size_t payload_bytes_max;
  sync_file file;
  char name[SNAPSHOT_NAME_BYTES];
  struct memory_array out; /* uint8_t: blocks not written yet; the last may be open */
  size_t open_at;          /* where the open block begins in `out` */
  enum block_type open;    /* 0: none is */
  uint64_t written;        /* bytes of the file */
  uint64_t sum;            /* of all sealed blocks */
  struct image_end end;    /* as of the instant */
  uint64_t keys, siblings; /* saved so far */
  bool walked;             /* all keys were saved */
  int status;              /* SYNC_OK, or why it cannot be completed */
  size_t walk_size;        /* where the walk goes on; 0: at the first key */
  uint8_t walk[SYNC_KEY_BYTES_MAX];
};

/* Begins: the snapshot is of this instant. Writes nothing yet but makes the file. On failure there is nothing to
 * abort. SYNC_E_NO_MEMORY, and what the file calls give. */
int snapshot_writer_begin(struct snapshot_writer *writer, const struct sync_env *env, struct state *state,
                          const struct snapshot_order *order);
/* Saves some more keys, and writes what is saved; at most about `bytes`. *done: all is written, nothing is fsynced.
 * On failure it must be aborted. */
int snapshot_writer_step(struct snapshot_writer *writer, size_t bytes, bool *done);
/* Whether so much waits that a step is due now. */
static inline bool snapshot_writer_is_full(const struct snapshot_writer *writer) {
  return writer->out.count >= WRITER_HELD_BYTES_MAX;
}
/* Ends it. The file stays as it is, open no more. */
void snapshot_writer_end(struct snapshot_writer *writer);

#endif
