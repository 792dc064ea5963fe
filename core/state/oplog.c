#include "core/state/oplog.h"

void oplog_init(struct oplog *oplog, const struct sync_env *env) {
  memset(oplog, 0, sizeof *oplog);
  oplog->env = env;
}

void oplog_deinit(struct oplog *oplog) {
  memory_array_free(oplog->env, &oplog->entries, sizeof(struct oplog_entry), OPLOG_ENTRY_NOMINAL_BYTES);
}

const struct oplog_entry *oplog_find(const struct oplog *oplog, const struct origin *origin, uint64_t seq,
                                     uint64_t *ordinal) {
  if (seq <= origin->floor || seq > origin->applied) return NULL;
  uint32_t low = ((const uint32_t *)origin->ordinals.items)[(size_t)(seq - origin->floor - 1)];
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

void oplog_raise_durable(struct oplog *oplog, uint64_t position) {
  while (oplog->durable < oplog_end(oplog)) {
    const struct oplog_entry *entry = oplog_at(oplog, oplog->durable);
    if (oplog_entry_end(entry) > position) break;
    entry->origin->durable = entry->seq;
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
