#include "core/bookmark.h"

#include "core/engine.h"

void bookmark_gap(struct sync_engine *engine, uint64_t position, uint64_t tag) {
  if (position < engine->whole_from) return;
  engine->whole_from = position;
  engine->whole_tag = tag;
}

static uint64_t bookmark_never_0(uint64_t tag) {
  return tag != 0 ? tag : 1;
}
uint64_t bookmark_tag(const struct oplog_entry *entry) {
  const struct origin *origin = entry->origin;
  uint64_t tag = checksum_mix(origin->node_hash ^ checksum_mix(origin->incarnation ^ checksum_mix(entry->seq)));
  return bookmark_never_0(checksum_mix(tag ^ entry->hash));
}
uint64_t bookmark_snapshot_tag(uint64_t id) {
  return bookmark_never_0(checksum_mix(id));
}
