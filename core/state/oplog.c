#include "core/state/oplog.h"

void oplog_init(struct oplog *oplog, const struct sync_env *env) {
  memset(oplog, 0, sizeof *oplog);
  oplog->env = env;
}

void oplog_deinit(struct oplog *oplog) {
  memory_array_free(oplog->env, &oplog->entries, sizeof(struct oplog_entry), OPLOG_ENTRY_NOMINAL_BYTES);
  memory_array_free(oplog->env, &oplog->jumps, sizeof(struct oplog_jump), OPLOG_JUMP_NOMINAL_BYTES);
}

const struct oplog_entry *oplog_find(const struct oplog *oplog, const struct origin *origin, uint64_t seq,
                                     uint64_t *ordinal) {
  if (seq <= origin->floor || seq > origin->applied) return NULL;
  uint32_t low = ((const uint32_t *)origin->ordinals.items)[(size_t)(seq - origin->floor - 1) + origin->ordinals_gone];
  *ordinal = oplog->base + (uint32_t)(low - (uint32_t)oplog->base);
  return oplog_at(oplog, *ordinal);
}

int oplog_reserve(struct oplog *oplog, struct origin *origin) {
  int rc = memory_array_reserve(oplog->env, &oplog->entries, sizeof(struct oplog_entry), OPLOG_ENTRY_NOMINAL_BYTES,
                                oplog->entries.count + 1, UINT32_MAX);
  if (rc != SYNC_OK || origin == NULL) return rc;
  return memory_array_reserve(oplog->env, &origin->ordinals, 4, 4, origin->ordinals.count + 1, UINT32_MAX);
}

void oplog_add(struct oplog *oplog, const struct oplog_entry *entry) {
  uint64_t ordinal = oplog_end(oplog);
  ((struct oplog_entry *)oplog->entries.items)[oplog->entries.count++] = *entry;
  struct memory_array *ordinals = &entry->origin->ordinals;
  ((uint32_t *)ordinals->items)[ordinals->count++] = (uint32_t)ordinal;
}

/* --- Merges ---------------------------------------------------------------------- */

int oplog_reserve_jumps(struct oplog *oplog, size_t more) {
  return memory_array_reserve(oplog->env, &oplog->jumps, sizeof(struct oplog_jump), OPLOG_JUMP_NOMINAL_BYTES,
                              oplog->jumps.count + more, UINT32_MAX);
}

void oplog_jump(struct oplog *oplog, struct origin *origin, uint64_t seq, uint64_t end) {
  origin->floor = seq;
  origin->ordinals.count = origin->ordinals_gone = 0;
  ((struct oplog_jump *)oplog->jumps.items)[oplog->jumps.count++] =
      (struct oplog_jump){.end = end, .origin = origin, .seq = seq};
}

static void oplog_raise_jumps(struct oplog *oplog, struct origins *origins, uint64_t position) {
  struct oplog_jump *jumps = oplog->jumps.items;
  size_t kept = 0;
  for (size_t i = 0; i < oplog->jumps.count; i++) {
    if (jumps[i].end > position)
      jumps[kept++] = jumps[i];
    else
      origins_raise_durable(origins, jumps[i].origin, jumps[i].seq);
  }
  oplog->jumps.count = kept;
}

/* --- What goes ------------------------------------------------------------------- */

/* The ordinals of its first `count` operations in the log go. They are moved when that is cheap. */
static void oplog_forget(struct origin *origin, size_t count) {
  uint32_t *ordinals = origin->ordinals.items;
  origin->floor += count;
  origin->ordinals_gone += count;
  size_t left = origin->ordinals.count - origin->ordinals_gone;
  if (left > origin->ordinals_gone) return;
  if (left > 0) memmove(ordinals, ordinals + origin->ordinals_gone, left * sizeof *ordinals);
  origin->ordinals.count = left;
  origin->ordinals_gone = 0;
}

/* Gives memory back when most of it is empty. What cannot be moved stays. */
static void oplog_shrink(struct oplog *oplog) {
  struct memory_array *entries = &oplog->entries;
  if (entries->capacity < 1024 || entries->count > entries->capacity / 4) return;
  struct memory_array smaller = {0};
  if (memory_array_reserve(oplog->env, &smaller, sizeof(struct oplog_entry), OPLOG_ENTRY_NOMINAL_BYTES,
                           2 * entries->count + 8, UINT32_MAX) != SYNC_OK)
    return;
  if (smaller.items == NULL) return;
  if (entries->count > 0) memcpy(smaller.items, entries->items, entries->count * sizeof(struct oplog_entry));
  smaller.count = entries->count;
  memory_array_free(oplog->env, entries, sizeof(struct oplog_entry), OPLOG_ENTRY_NOMINAL_BYTES);
  *entries = smaller;
}

void oplog_trim(struct oplog *oplog, uint64_t ordinal) {
  sync_check(oplog->env, ordinal >= oplog->base && ordinal <= oplog->durable);
  size_t count = (size_t)(ordinal - oplog->base);
  if (count == 0) return;
  struct oplog_entry *entries = (struct oplog_entry *)oplog->entries.items + oplog->gone;
  /* Entries of one origin ascend, so the last that goes says how many of its own do. */
  for (size_t i = count; i-- > 0;) {
    struct origin *origin = entries[i].origin;
    if (entries[i].seq > origin->floor) oplog_forget(origin, (size_t)(entries[i].seq - origin->floor));
  }
  oplog->gone += count;
  oplog->base = ordinal;
  size_t left = oplog->entries.count - oplog->gone;
  if (left > oplog->gone) return; /* moved when that is cheap */
  entries = oplog->entries.items;
  if (left > 0) memmove(entries, entries + oplog->gone, left * sizeof *entries);
  oplog->entries.count = left;
  oplog->gone = 0;
  oplog_shrink(oplog);
}

void oplog_give_up(const struct oplog_entry *entry) {
  struct origin *origin = entry->origin;
  if (entry->seq > origin->floor) oplog_forget(origin, (size_t)(entry->seq - origin->floor));
}

/* --- Below a base ---------------------------------------------------------------- */

bool oplog_index(struct oplog *oplog, const struct oplog_entry *entry) {
  struct origin *origin = entry->origin;
  if (entry->seq > origin->applied) return false;
  if (origin->ordinals.count == 0) origin->floor = entry->seq - 1;
  if (entry->seq != origin->floor + origin->ordinals.count + 1) return false;
  oplog_add(oplog, entry);
  return true;
}

void oplog_index_none(struct oplog *oplog, struct origins *origins) {
  oplog->entries.count = oplog->gone = 0;
  for (size_t i = 0; i < origins_count(origins); i++) {
    struct origin *origin = origins_at(origins, i);
    origin->ordinals.count = origin->ordinals_gone = 0;
    origin->floor = origin->applied;
  }
}

void oplog_index_end(struct oplog *oplog, struct origins *origins) {
  bool whole = true;
  for (size_t i = 0; i < origins_count(origins); i++) {
    struct origin *origin = origins_at(origins, i);
    if (origin->ordinals.count == 0) origin->floor = origin->applied;
    if (origin->floor + origin->ordinals.count != origin->applied) whole = false;
  }
  if (!whole) oplog_index_none(oplog, origins);
  oplog->durable = oplog_end(oplog);
}

void oplog_raise_durable(struct oplog *oplog, struct origins *origins, uint64_t position) {
  if (oplog->jumps.count > 0) oplog_raise_jumps(oplog, origins, position);
  while (oplog->durable < oplog_end(oplog)) {
    const struct oplog_entry *entry = oplog_at(oplog, oplog->durable);
    if (oplog_entry_end(entry) > position) break;
    origins_raise_durable(origins, entry->origin, entry->seq);
    oplog->durable++;
  }
}

const struct oplog_entry *oplog_from(const struct oplog *oplog, uint64_t position) {
  uint64_t low = oplog->base, high = oplog_end(oplog);
  while (low < high) {
    uint64_t middle = low + (high - low) / 2;
    if (oplog_at(oplog, middle)->position < position)
      low = middle + 1;
    else
      high = middle;
  }
  return low < oplog_end(oplog) ? oplog_at(oplog, low) : NULL;
}
