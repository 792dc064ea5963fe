#include "cluster/log_damage.h"

#include <string.h>

#include "cluster/decode.h"
#include "cluster/snapshot.h"
#include "cluster/grow.h"
#include "cluster/state.h"

/* One file that counts: its part of the log is [its first, end). */
struct part {
  struct decode_segment segment;
  uint64_t end;
  bool begins_epoch;
};

struct look {
  struct cluster *cluster;
  const struct sim_disk *disk;
  struct part *parts; /* in order of their positions */
  uint32_t count, capacity;
  uint64_t log_id;
  uint64_t base;  /* what is below is in a snapshot; 0: there is none */
  bool told;      /* a snapshot that the log goes by is not whole */
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
    struct decode_segment at = {0};
    if (!decode_segment_name(name, &at) || at.fresh) continue;
    if (above && (at.epoch > above->segment.epoch || at.first >= above->segment.first)) continue;
    const struct decode_segment *best = &found->segment;
    if (any && (at.epoch < best->epoch || (at.epoch == best->epoch && at.first < best->first))) continue;
    *found = (struct part){.segment = at, .end = above ? above->segment.first : UINT64_MAX};
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
    look->parts[i].begins_epoch = i == 0 || look->parts[i - 1u].segment.epoch != look->parts[i].segment.epoch;
}

static void look_end(struct look *look) {
  struct sim_world *world = look->cluster->world;
  if (look->parts) sim_free(world, look->parts, look->capacity * sizeof *look->parts);
  if (look->bytes) sim_free(world, look->bytes, look->bytes_capacity);
}

static size_t peek(const struct look *look, const struct part *part, uint64_t offset, void *bytes, size_t size) {
  char name[DECODE_SEGMENT_NAME_BYTES];
  decode_segment_name_write(&part->segment, name);
  return sim_disk_peek(look->disk, name, offset, bytes, size);
}

/* --- What they say --------------------------------------------------------------------- */

/* The log id that the bytes of the part's header say; 0: they are no valid header. */
static uint64_t peek_header(const struct look *look, const struct part *part,
                            uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES]) {
  if (peek(look, part, 0, bytes, DECODE_SEGMENT_HEADER_BYTES) < DECODE_SEGMENT_HEADER_BYTES) return 0;
  uint64_t log_id = decode_segment_header(bytes, &part->segment);
  return look->log_id && log_id != look->log_id ? 0 : log_id;
}

/* The log id that the part's header says, and what it says was durable; 0: no valid header,
 * or one that says that it follows another segment than it does. */
static uint64_t read_header(const struct look *look, const struct part *part, uint64_t *durable) {
  uint8_t bytes[DECODE_SEGMENT_HEADER_BYTES], before[DECODE_SEGMENT_HEADER_BYTES];
  uint64_t log_id = peek_header(look, part, bytes);
  if (!log_id) return 0;
  bool follows = part > look->parts && part->segment.first > look->base; /* what a base has need not be there */
  if (follows && peek_header(look, part - 1, before) && decode_segment_follows(bytes) != decode_segment_life(before))
    return 0;
  *durable = decode_segment_durable(bytes);
  return log_id;
}

static uint64_t offset_of(const struct part *part, uint64_t position) {
  return DECODE_SEGMENT_HEADER_BYTES + (position - part->segment.first);
}

/* The whole record that begins at the position; only one that says that more than
 * `past` was durable, when that is not 0. Gives its bytes. */
static size_t read_record(struct look *look, const struct part *part, uint64_t position, uint64_t past,
                          struct decode_record *record) {
  uint8_t header[DECODE_RECORD_HEADER_BYTES_MAX];
  uint64_t offset = offset_of(part, position);
  size_t got = peek(look, part, offset, header, sizeof header);
  if (!decode_record_header(header, got, position, record)) return 0;
  if (past && record->durable <= past) return 0;
  size_t whole = decode_record_bytes(record);
  uint8_t last;
  if (whole > part->end - position || peek(look, part, offset + whole - 1u, &last, 1) == 0) return 0;
  CLUSTER_GROW(look->cluster->world, look->bytes, look->bytes_capacity, (uint32_t)whole);
  if (peek(look, part, offset, look->bytes, whole) < whole) return 0;
  bool valid = decode_record(look->bytes, whole, look->log_id, part->segment.epoch, position, record);
  return valid ? whole : 0;
}

/* Whether the snapshot that a merge's record names is there, whole. */
static bool is_staged(struct look *look, const struct decode_record *record) {
  struct snapshot staged;
  uint64_t id = 0, size = 0;
  if (!decode_merge(record, &id, &size)) return false;
  snapshot_staged(id, &staged);
  return snapshot_read(look->cluster, look->disk, &staged, NULL, NULL) && staged.size == size;
}

/* Reads on while records follow each other; gives the part that they end in. */
static uint32_t read_records(struct look *look, uint64_t *end) {
  uint32_t i = 0;
  for (*end = look->base; i < look->count; i++) {
    struct decode_record record;
    const struct part *part = &look->parts[i];
    uint64_t durable;
    if (part->end <= look->base) continue;
    if (!read_header(look, part, &durable)) return i;
    while (*end < part->end) {
      size_t whole = read_record(look, part, *end, 0, &record);
      if (whole == 0) return i;
      if (record.type == DECODE_RECORD_MERGE && !is_staged(look, &record)) look->told = true;
      *end += whole;
    }
  }
  return i;
}

/* How much anything behind `end` says was durable. */
static uint64_t read_claims(struct look *look, uint32_t from, uint64_t end) {
  uint64_t claimed = 0;
  for (uint32_t i = from; i < look->count && claimed <= end; i++) {
    struct decode_record record;
    const struct part *part = &look->parts[i];
    uint64_t durable;
    if (i > from && read_header(look, part, &durable) && durable > claimed) claimed = durable;
    uint8_t byte;
    uint64_t position = i == from ? end : part->segment.first;
    for (; position < part->end && claimed <= end; position++) {
      if (peek(look, part, offset_of(part, position), &byte, 1) == 0) break;
      if (read_record(look, part, position, end, &record)) claimed = record.durable;
    }
  }
  return claimed;
}

static void look_at_log(struct look *look, struct log_damage *damage) {
  uint64_t durable;
  uint8_t header[DECODE_SEGMENT_HEADER_BYTES];
  for (uint32_t i = look->count; i > 0 && !look->log_id; i--)
    look->log_id = peek_header(look, &look->parts[i - 1u], header);
  struct snapshot base;
  if (snapshot_newest(look->disk, &base)) {
    look->base = base.position;
    if (!snapshot_read(look->cluster, look->disk, &base, NULL, NULL)) {
      damage->told = true; /* how much of the log is left is of no matter */
      return;
    }
  }
  uint32_t in = read_records(look, &damage->end);
  damage->told = look->told;
  if (!look->count && look->base) damage->told = true;
  if (look->count && look->parts[0].segment.first > look->base) damage->told = true; /* the oldest is missing */
  /* Whether the first file behind a base begins an epoch cannot be told. */
  if (look->count && look->base && look->parts[0].segment.first >= look->base) look->parts[0].begins_epoch = false;
  for (uint32_t i = 0; i < look->count; i++) /* an epoch's first file was durable before its name counted */
    if (look->parts[i].end > look->base && look->parts[i].begins_epoch && !read_header(look, &look->parts[i], &durable))
      damage->told = true;
  if (in < look->count) damage->claimed = read_claims(look, in, damage->end);
  if (damage->claimed > damage->end) damage->told = true;
}

#define LOOK_BYTES 512u /* the smallest sector */

static uint64_t first_unreadable(const struct look *look) {
  for (uint32_t i = 0; i < look->count; i++) {
    const struct part *part = &look->parts[i];
    char name[DECODE_SEGMENT_NAME_BYTES];
    uint8_t byte;
    decode_segment_name_write(&part->segment, name);
    if (sim_disk_peek_unreadable(look->disk, name, 0, DECODE_SEGMENT_HEADER_BYTES)) return part->segment.first;
    uint64_t position = part->segment.first < look->base ? look->base : part->segment.first;
    for (; position < part->end && peek(look, part, offset_of(part, position), &byte, 1); position += LOOK_BYTES)
      if (sim_disk_peek_unreadable(look->disk, name, offset_of(part, position), LOOK_BYTES)) return position;
  }
  return UINT64_MAX;
}

void log_damage_look(struct cluster *cluster, uint32_t node, struct log_damage *damage) {
  memset(damage, 0, sizeof *damage);
  damage->unread = UINT64_MAX;
  const struct sim_disk *disk = disk_of(cluster, node);
  for (uint64_t i = 0; i < sim_disk_damage_count(disk) && !damage->any; i++)
    damage->any = sim_disk_damage_there(disk, i);
  if (!damage->any) return;
  struct look look;
  look_begin(&look, cluster, node);
  look_at_log(&look, damage);
  damage->unread = first_unreadable(&look);
  look_end(&look);
}

/* --- Where the damage is --------------------------------------------------------------------- */

static bool overlaps(uint64_t from, uint64_t size, uint64_t low, uint64_t high) {
  return from < high && low < from + size;
}

/* Whether a damage of this part's file meets [from, to) of the log; a broken header
 * takes all of it. */
static bool meets(const struct part *part, const struct sim_damage *damage, uint64_t from, uint64_t to) {
  if (from < part->segment.first) from = part->segment.first;
  if (to > part->end) to = part->end;
  if (from >= to) return false;
  uint64_t low = offset_of(part, from), high = offset_of(part, to);
  uint64_t places[] = {damage->offset, damage->stray_offset};
  for (int i = 0; i < 2; i++)
    if (places[i] < DECODE_SEGMENT_HEADER_BYTES || overlaps(places[i], damage->size, low, high)) return true;
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
      char name[DECODE_SEGMENT_NAME_BYTES];
      decode_segment_name_write(&look.parts[n].segment, name);
      found = sim_hash_bytes(name, strlen(name)) == damage->name_hash && meets(&look.parts[n], damage, from, to);
    }
  }
  look_end(&look);
  return found;
}

/* Whether a read of [from, to) of the log fails in this part, or one of its header, where
 * that is read before. */
static bool fails(const struct look *look, const struct part *part, uint64_t from, uint64_t to) {
  char name[DECODE_SEGMENT_NAME_BYTES];
  if (from < part->segment.first) from = part->segment.first;
  if (to > part->end) to = part->end;
  if (from >= to) return false;
  decode_segment_name_write(&part->segment, name);
  return (from == part->segment.first && sim_disk_peek_unreadable(look->disk, name, 0, DECODE_SEGMENT_HEADER_BYTES)) ||
         sim_disk_peek_unreadable(look->disk, name, offset_of(part, from), to - from);
}

bool log_damage_unreadable_in(struct cluster *cluster, uint32_t node, uint64_t from, uint64_t to) {
  struct look look;
  bool found = false;
  look_begin(&look, cluster, node);
  for (uint32_t i = 0; i < look.count && !found; i++)
    found = fails(&look, &look.parts[i], from, to);
  look_end(&look);
  return found;
}

bool log_damage_spares(struct cluster *cluster, uint32_t node, uint64_t position) {
  struct look look;
  struct decode_record record;
  uint64_t durable = 0;
  size_t whole = 0;
  look_begin(&look, cluster, node);
  look.log_id = cluster->nodes[node].replica.log_id; /* no header may be left that says it */
  for (uint32_t i = 0; i < look.count; i++) {
    const struct part *part = &look.parts[i];
    if (position < part->segment.first || position >= part->end) continue;
    bool header = position != part->segment.first || read_header(&look, part, &durable) != 0;
    whole = header ? read_record(&look, part, position, 0, &record) : 0;
  }
  look_end(&look);
  return whole > 0 && !log_damage_unreadable_in(cluster, node, position, position + whole);
}

bool log_damage_unreadable(struct cluster *cluster, uint32_t node) {
  const struct sim_disk *disk = disk_of(cluster, node);
  for (uint64_t i = 0; i < sim_disk_damage_count(disk); i++)
    if (sim_disk_damage_at(disk, i)->kind == SIM_DAMAGE_UNREADABLE && sim_disk_damage_there(disk, i)) return true;
  return false;
}
