#include "cluster/snapshot.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/state.h"

static bool next_base(const struct sim_disk *disk, uint32_t *place, struct snapshot *base) {
  const char *name;
  while ((name = sim_disk_peek_name(disk, (*place)++)) != NULL) {
    struct decode_base decoded;
    if (!decode_base_name(name, &decoded) || decoded.fresh) continue;
    memset(base, 0, sizeof *base);
    memcpy(base->name, name, strlen(name) + 1u);
    base->id = decoded.id;
    base->position = decoded.position;
    return true;
  }
  return false;
}

bool snapshot_newest(const struct sim_disk *disk, struct snapshot *base) {
  struct snapshot other;
  bool any = false;
  for (uint32_t place = 0; next_base(disk, &place, &other);) {
    if (any && other.position < base->position) continue;
    *base = other;
    any = true;
  }
  return any;
}

bool snapshot_base(const struct sim_disk *disk, uint64_t id, struct snapshot *base) {
  for (uint32_t place = 0; next_base(disk, &place, base);)
    if (base->id == id) return true;
  return false;
}

void snapshot_staged(uint64_t id, struct snapshot *staged) {
  memset(staged, 0, sizeof *staged);
  staged->id = id;
  decode_stage_name_write(id, staged->name);
}

static void give_origins(struct cluster *cluster, const struct decode_block *block,
                         void (*each)(void *arg, uint32_t life, uint64_t seq), void *arg) {
  const struct ledger *ledger = &cluster->ledger;
  struct decode_reader reader = {block->payload, block->payload + block->size, false};
  struct decode_snapshot_origin origin;
  while (decode_snapshot_origin_next(&reader, &origin)) {
    uint32_t life = ledger_life_find(ledger, origin.incarnation);
    if (life != LEDGER_NONE && !decode_name_is(origin.node, cluster->nodes[ledger->lives[life].node].name))
      life = LEDGER_NONE;
    each(arg, life, origin.seq);
  }
}

bool snapshot_read(struct cluster *cluster, const struct sim_disk *disk, struct snapshot *snapshot,
                   void (*each)(void *arg, uint32_t life, uint64_t seq), void *arg) {
  uint8_t *bytes = NULL;
  uint32_t capacity = 0;
  struct decode_block block = {0};
  snapshot->size = 0;
  do {
    uint8_t header[DECODE_BLOCK_HEADER_BYTES];
    block.type = 0;
    if (sim_disk_peek(disk, snapshot->name, snapshot->size, header, sizeof header) < sizeof header) break;
    size_t whole = decode_block_bytes(header);
    uint8_t last;
    if (sim_disk_peek_unreadable(disk, snapshot->name, snapshot->size, whole)) break;
    if (sim_disk_peek(disk, snapshot->name, snapshot->size + whole - 1u, &last, 1) == 0) break;
    CLUSTER_GROW(cluster->world, bytes, capacity, (uint32_t)whole);
    (void)sim_disk_peek(disk, snapshot->name, snapshot->size, bytes, whole);
    if (!decode_block(bytes, whole, snapshot->id, snapshot->size, &block)) {
      block.type = 0;
      break;
    }
    if (snapshot->size == 0) {
      snapshot->log_id = decode_snapshot_head(&block, snapshot->id, &snapshot->position);
      if (!snapshot->log_id) break;
    }
    if (block.type == DECODE_BLOCK_ORIGINS && each) give_origins(cluster, &block, each, arg);
    snapshot->size += whole;
  } while (block.type != DECODE_BLOCK_END);
  if (bytes) sim_free(cluster->world, bytes, capacity);
  return block.type == DECODE_BLOCK_END;
}

bool snapshot_covers(struct cluster *cluster, const struct sim_disk *disk, uint64_t position) {
  struct snapshot base;
  for (uint32_t place = 0; next_base(disk, &place, &base);)
    if (base.position >= position && snapshot_read(cluster, disk, &base, NULL, NULL) &&
        snapshot_is_durable(disk, &base))
      return true;
  return false;
}

bool snapshot_is_durable(const struct sim_disk *disk, const struct snapshot *snapshot) {
  return sim_disk_peek_durable(disk, snapshot->name) >= snapshot->size;
}
