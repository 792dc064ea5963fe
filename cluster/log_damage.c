#include "cluster/log_damage.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/state.h"
#include "core/log/segment.h"

/* One file that counts: its part of the log is [first, end). */
struct part {
  uint64_t first, end;
  uint32_t epoch;
  bool begins_epoch;
};

struct look {
  struct cluster *cluster;
  const struct sim_disk *disk;
  struct part *parts; /* in order of their positions */
  uint32_t count, capacity;
  uint64_t log_id;
  uint8_t *bytes; /* scratch: one record */
  uint32_t bytes_capacity;
};

static const struct sim_disk *disk_of(const struct cluster *cluster, uint32_t node) {
  return sim_node_disk(sim_node_at(cluster->world, node));
}

/* --- Which files count ---------------------------------------------------------------- */

/* The newest epoch counts as a whole, an older one below where the newer begins. */
static bool next_part(const struct look *look, const struct part *above, struct part *found) {
  const char *name;
  bool any = false;
  for (uint32_t i = 0; (name = sim_disk_peek_name(look->disk, i)) != NULL; i++) {
    struct part part = {.end = above ? above->first : UINT64_MAX};
    bool aside;
    if (!segment_name_parse(name, &part.first, &part.epoch, &aside) || aside) continue;
    if (above && (part.epoch > above->epoch || part.first >= above->first)) continue;
    if (any && (part.epoch < found->epoch || (part.epoch == found->epoch && part.first < found->first))) continue;
    *found = part;
    any = true;
  }
  return any;
}

static void look_begin(struct look *look, struct cluster *cluster, uint32_t node) {
  memset(look, 0, sizeof *look);
  look->cluster = cluster;
  look->disk = disk_of(cluster, node);
  struct part part;
  while (next_part(look, look->count ? &look->parts[look->count - 1u] : NULL, &part)) {
    CLUSTER_GROW(cluster->world, look->parts, look->capacity, look->count + 1u);
    look->parts[look->count++] = part;
  }
  for (uint32_t i = 0; i < look->count / 2u; i++) {
    struct part swap = look->parts[i];
    look->parts[i] = look->parts[look->count - 1u - i];
    look->parts[look->count - 1u - i] = swap;
  }
  for (uint32_t i = 0; i < look->count; i++)
    look->parts[i].begins_epoch = i == 0 || look->parts[i - 1u].epoch != look->parts[i].epoch;
}

static void look_end(struct look *look) {
  struct sim_world *world = look->cluster->world;
  if (look->parts) sim_free(world, look->parts, look->capacity * sizeof *look->parts);
  if (look->bytes) sim_free(world, look->bytes, look->bytes_capacity);
}

static size_t peek(const struct look *look, const struct part *part, uint64_t offset, void *bytes, size_t size) {
  char name[SEGMENT_NAME_BYTES];
  segment_name(name, part->first, part->epoch, false);
  return sim_disk_peek(look->disk, name, offset, bytes, size);
}

/* --- What they say --------------------------------------------------------------------- */

static bool read_header(const struct look *look, const struct part *part, struct segment_header *header) {
  uint8_t bytes[SEGMENT_HEADER_BYTES];
  size_t size = peek(look, part, 0, bytes, sizeof bytes);
  if (segment_header_decode(bytes, size, header) != SYNC_OK) return false;
  if (header->first != part->first || header->epoch != part->epoch) return false;
  return !look->log_id || header->log_id == look->log_id;
}

/* The whole record that begins at the position; only one that says that more than
 * `past` was durable, when that is not 0. */
static bool read_record(struct look *look, const struct part *part, uint64_t position, uint64_t past,
                        struct segment_record *record) {
  uint8_t header[WAL_RECORD_HEADER_BYTES];
  uint64_t offset = SEGMENT_HEADER_BYTES + (position - part->first);
  if (peek(look, part, offset, header, sizeof header) < sizeof header) return false;
  if (!segment_record_peek(header, position, WAL_PAYLOAD_BYTES_MAX, record)) return false;
  if (past && (!record->claims || record->durable <= past)) return false;
  uint32_t whole = WAL_RECORD_HEADER_BYTES + record->size;
  uint8_t last;
  if (whole > part->end - position || peek(look, part, offset + whole - 1u, &last, 1) == 0) return false;
  CLUSTER_GROW(look->cluster->world, look->bytes, look->bytes_capacity, whole);
  if (peek(look, part, offset, look->bytes, whole) < whole) return false;
  return segment_record_verify(look->bytes, record, look->log_id, position);
}

/* Reads on while records follow each other; gives the part that they end in. */
static uint32_t read_records(struct look *look, uint64_t *end) {
  uint32_t link = 0, i = 0;
  for (*end = 0; i < look->count; i++) {
    struct segment_header header;
    struct segment_record record;
    const struct part *part = &look->parts[i];
    if (!read_header(look, part, &header)) return i;
    while (*end < part->end && read_record(look, part, *end, 0, &record) && record.link == link) {
      link = segment_record_link(look->bytes);
      *end += WAL_RECORD_HEADER_BYTES + (uint64_t)record.size;
    }
    if (*end < part->end) return i;
  }
  return i;
}

/* How much anything behind `end` says was durable. */
static uint64_t read_claims(struct look *look, uint32_t from, uint64_t end) {
  uint64_t claimed = 0;
  for (uint32_t i = from; i < look->count && claimed <= end; i++) {
    struct segment_header header;
    struct segment_record record;
    const struct part *part = &look->parts[i];
    if (i > from && read_header(look, part, &header) && header.durable > claimed) claimed = header.durable;
    uint8_t byte;
    uint64_t position = i == from ? end : part->first;
    for (; position < part->end && claimed <= end; position++) {
      if (peek(look, part, SEGMENT_HEADER_BYTES + (position - part->first), &byte, 1) == 0) break;
      if (read_record(look, part, position, end, &record)) claimed = record.durable;
    }
  }
  return claimed;
}

static void look_at_log(struct look *look, struct log_damage *damage) {
  struct segment_header header;
  for (uint32_t i = look->count; i > 0 && !look->log_id; i--)
    if (read_header(look, &look->parts[i - 1u], &header)) look->log_id = header.log_id;
  uint32_t in = read_records(look, &damage->end);
  if (look->count && look->parts[0].first) damage->told = true; /* the oldest is missing */
  for (uint32_t i = 0; i < look->count; i++) /* an epoch's first file was durable before its name counted */
    if (look->parts[i].begins_epoch && !read_header(look, &look->parts[i], &header)) damage->told = true;
  if (in < look->count) damage->claimed = read_claims(look, in, damage->end);
  if (damage->claimed > damage->end) damage->told = true;
}

void log_damage_look(struct cluster *cluster, uint32_t node, struct log_damage *damage) {
  memset(damage, 0, sizeof *damage);
  const struct sim_disk *disk = disk_of(cluster, node);
  for (uint64_t i = 0; i < sim_disk_damage_count(disk) && !damage->any; i++)
    damage->any = sim_disk_damage_there(disk, i);
  if (!damage->any) return;
  struct look look;
  look_begin(&look, cluster, node);
  look_at_log(&look, damage);
  look_end(&look);
}

/* --- Where the damage is --------------------------------------------------------------------- */

static bool overlaps(uint64_t from, uint64_t size, uint64_t low, uint64_t high) {
  return from < high && low < from + size;
}

/* Whether a damage of this part's file meets [from, to) of the log; a broken header
 * takes all of it. */
static bool meets(const struct part *part, const struct sim_damage *damage, uint64_t from, uint64_t to) {
  if (from < part->first) from = part->first;
  if (to > part->end) to = part->end;
  if (from >= to) return false;
  uint64_t low = SEGMENT_HEADER_BYTES + (from - part->first), high = SEGMENT_HEADER_BYTES + (to - part->first);
  uint64_t places[] = {damage->offset, damage->stray_offset};
  for (int i = 0; i < 2; i++)
    if (places[i] < SEGMENT_HEADER_BYTES || overlaps(places[i], damage->size, low, high)) return true;
  return false;
}

bool log_damage_in(struct cluster *cluster, uint32_t node, uint64_t from, uint64_t to) {
  struct look look;
  look_begin(&look, cluster, node);
  bool found = false;
  for (uint64_t i = 0; i < sim_disk_damage_count(look.disk) && !found; i++) {
    const struct sim_damage *damage = sim_disk_damage_at(look.disk, i);
    if (!sim_disk_damage_there(look.disk, i)) continue;
    found = !damage->name_hash;
    for (uint32_t n = 0; n < look.count && !found; n++) {
      char name[SEGMENT_NAME_BYTES];
      segment_name(name, look.parts[n].first, look.parts[n].epoch, false);
      found = sim_hash_bytes(name, strlen(name)) == damage->name_hash && meets(&look.parts[n], damage, from, to);
    }
  }
  look_end(&look);
  return found;
}

bool log_damage_unreadable(struct cluster *cluster, uint32_t node) {
  const struct sim_disk *disk = disk_of(cluster, node);
  for (uint64_t i = 0; i < sim_disk_damage_count(disk); i++)
    if (sim_disk_damage_at(disk, i)->kind == SIM_DAMAGE_UNREADABLE && sim_disk_damage_there(disk, i)) return true;
  return false;
}
