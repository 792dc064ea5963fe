/* The legend of a frame: whom the indexes stand for by which its sender names origins,
 * and its operations written anew with the indexes of this log. */
#ifndef SYNC_CORE_STATE_LEGEND_H
#define SYNC_CORE_STATE_LEGEND_H

#include "core/base/base.h"
#include "core/state/origin.h"
#include "core/wire/wire.h"

#define LEGEND_ENTRY_NOMINAL_BYTES 32u

/* Points into the frame. */
struct legend_entry {
  struct operation_origin origin;
  uint32_t index; /* the sender's */
};

struct legend {
  const struct sync_env *env;
  struct memory_array entries; /* struct legend_entry, by index */
};

void legend_init(struct legend *legend, const struct sync_env *env);
void legend_deinit(struct legend *legend);

/* Begins anew with what a frame says beside its operations. SYNC_E_NO_MEMORY. */
int legend_begin(struct legend *legend, const struct ops *ops);
/* Adds the origin whose first operation this is; others are none. SYNC_E_NO_MEMORY. */
int legend_add_first(struct legend *legend, const struct operation_view *view);
/* Puts the entries in order. SYNC_E_CORRUPT: an index stands for two. */
int legend_sort(struct legend *legend);
/* Whom the index stands for; NULL: nobody says. */
const struct legend_entry *legend_find(const struct legend *legend, uint32_t index);
/* Whether it explains all that the operation names. */
bool legend_covers(const struct legend *legend, const struct operation_view *view);

/* Writes the operation anew into `bytes` (uint8_t) with the indexes of `origins`. One that is not
 * there has the next index, if this is its first operation. SYNC_E_NO_MEMORY,
 * SYNC_E_TOO_BIG (longer than `bytes_max`), SYNC_E_NOT_FOUND: it names an origin that is not there. */
int legend_translate(const struct legend *legend, const struct origins *origins, const struct operation_view *view,
                     size_t bytes_max, struct memory_array *bytes);

#endif
