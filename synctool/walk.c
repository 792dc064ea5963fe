#include "synctool/walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/snapshot/snapshot.h"

#define CHANGES_MAX 4096u
/* An operation may be so much longer than its value. */
#define OPERATION_MORE_BYTES (SYNC_FRAME_OVERHEAD_BYTES - FRAME_OPS_OVERHEAD_BYTES)

struct walk_origin {
  char node_id[SYNC_NODE_ID_BYTES_MAX + 1];
  uint64_t incarnation;
  uint64_t seq, hlc; /* of its operation seen last; 0: none */
};
struct walk {
  struct place *place;
  int (*each)(void *arg, const struct walk_record *record);
  void *arg;
  struct walk_origin *origins; /* by index */
  size_t count, capacity;
  struct operation_limits limits;
};

static struct walk_origin *add_origin(struct walk *walk, const uint8_t *node_id, size_t size, uint64_t incarnation) {
  if (size > SYNC_NODE_ID_BYTES_MAX) return NULL;
  for (size_t i = 0; i < walk->count; i++) {
    struct walk_origin *old = &walk->origins[i];
    if (old->incarnation == incarnation && strlen(old->node_id) == size && memcmp(old->node_id, node_id, size) == 0)
      return old;
  }
  if (walk->count == walk->capacity) {
    const size_t capacity = walk->capacity == 0 ? 64 : walk->capacity * 2;
    struct walk_origin *origins = realloc(walk->origins, capacity * sizeof *origins);
    if (origins == NULL) return NULL;
    walk->origins = origins;
    walk->capacity = capacity;
  }
  struct walk_origin *origin = &walk->origins[walk->count++];
  memset(origin, 0, sizeof *origin);
  memcpy(origin->node_id, node_id, size);
  origin->incarnation = incarnation;
  return origin;
}

/* A snapshot's origins have the next indexes, in its order: of the base, from 0 on; of one that was merged, those that
 * were not there. What cannot be read leaves its operations without names. */
static void take_origins(struct walk *walk, const char *name, uint64_t id) {
  struct snapshot_reader reader;
  struct block block;
  const uint8_t *bytes = NULL;
  if (snapshot_reader_open(&reader, walk->place->env, name, id, IDENTITY_BLOCK_BYTES_MAX) != SYNC_OK) return;
  while (snapshot_reader_next(&reader, &block, &bytes) == SYNC_OK && block.type <= BLOCK_ORIGINS) {
    struct bytes_reader entries = bytes_reader_of(bytes + BLOCK_HEADER_BYTES, block.size);
    struct image_origin entry;
    while (block.type == BLOCK_ORIGINS && image_next_origin(&entries, &entry)) {
      struct walk_origin *origin = add_origin(walk, entry.node_id, entry.node_id_size, entry.incarnation);
      if (origin == NULL || origin->seq >= entry.seq) continue;
      origin->seq = entry.seq;
      origin->hlc = entry.hlc;
    }
  }
  snapshot_reader_close(&reader);
}

static void name_operation(struct walk *walk, struct walk_record *record) {
  struct operation_view *view = &record->view;
  record->dot = (struct sync_dot){.origin = {.node_id = "?"}, .seq = view->seq};
  const bool based = record->position < walk->place->identity.base_position;
  struct walk_origin *origin = view->origin < walk->count ? &walk->origins[view->origin] : NULL;
  if (view->seq == 1 && !based)
    origin = add_origin(walk, view->own.node_id, view->own.node_id_size, view->own.incarnation);
  if (origin == NULL) return;
  record->dot.origin = (struct sync_origin){.node_id = origin->node_id, .incarnation = origin->incarnation};
  if (based) return; /* the clocks of what is below the base are not told any more */
  if (origin->seq + 1 != view->seq) return;
  origin->seq = view->seq;
  origin->hlc += view->hlc_step;
  record->hlc = origin->hlc;
}

static int take_record(void *arg, enum wal_record_type type, uint64_t position, uint64_t end, const uint8_t *payload,
                       size_t size) {
  struct walk *walk = arg;
  struct walk_record record = {.type = type, .position = position, .end = end, .payload = payload, .size = size};
  if (type == WAL_OPERATION && operation_parse(payload, size, &walk->limits, &record.view) == SYNC_OK) {
    record.parsed = true;
    name_operation(walk, &record);
  } else if (type == WAL_MERGE && size >= 8 && position >= walk->place->identity.base_position) {
    char name[SNAPSHOT_NAME_BYTES];
    stage_name(name, bytes_get_u64(payload));
    take_origins(walk, name, bytes_get_u64(payload));
  }
  return walk->each(walk->arg, &record);
}

int walk_log(struct place *place, int (*each)(void *arg, const struct walk_record *record), void *arg,
             struct wal_report *report) {
  const struct identity *identity = &place->identity;
  struct walk walk = {.place = place, .each = each, .arg = arg};
  walk.limits = (struct operation_limits){.bytes_max = (size_t)identity->value_bytes_max + OPERATION_MORE_BYTES,
                                          .key_bytes_max = SYNC_KEY_BYTES_MAX,
                                          .value_bytes_max = identity->value_bytes_max,
                                          .changes_max = CHANGES_MAX};
  struct wal_options options = {.node_id = identity->node_id,
                                .segment_bytes = UINT64_C(4) * 1024 * 1024,
                                .payload_bytes_max = walk.limits.bytes_max,
                                .base_position = identity->base_position};
  memcpy(options.cluster_id, identity->cluster_id, sizeof options.cluster_id);
  if (identity->base[0] != '\0') {
    struct snapshot_reader reader;
    struct image_head head;
    struct block block;
    const uint8_t *bytes = NULL;
    if (snapshot_reader_open(&reader, place->env, identity->base, identity->base_id, IDENTITY_BLOCK_BYTES_MAX) ==
        SYNC_OK) {
      if (snapshot_reader_next(&reader, &block, &bytes) == SYNC_OK && block.type == BLOCK_HEAD &&
          image_head_parse(bytes + BLOCK_HEADER_BYTES, block.size, &head) == SYNC_OK)
        options.base_log_id = head.log_id;
      snapshot_reader_close(&reader);
    }
    take_origins(&walk, identity->base, identity->base_id);
  }
  struct wal *wal = NULL;
  memset(report, 0, sizeof *report);
  const int status = wal_open(&wal, place->env, &options, take_record, &walk, report);
  if (status == SYNC_OK) wal_close(wal);
  free(walk.origins);
  return status;
}
