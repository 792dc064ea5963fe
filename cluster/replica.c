#include "cluster/replica.h"

#include <string.h>

#include "cluster/grow.h"
#include "cluster/lookup.h"
#include "cluster/seldom.h"
#include "cluster/state.h"
#include "cluster/replica_state.h"
#include "cluster/claims.h"
#include "cluster/snapshot.h"

#define READ_BYTES 4096u /* at once: many records at a start, one or two later */

static const struct sim_disk *disk_of(struct cluster *cluster, uint32_t node) {
  return cluster->nodes[node].disk;
}

/* --- Segments ---------------------------------------------------------------------------- */

static bool is_there(const struct sim_disk *disk, const struct decode_segment *segment) {
  char name[DECODE_SEGMENT_NAME_BYTES];
  uint8_t header[DECODE_SEGMENT_HEADER_BYTES];
  decode_segment_name_write(segment, name);
  return sim_disk_peek(disk, name, 0, header, sizeof header) == sizeof header;
}

/* Reads its header; false: no valid one, or of another log. */
static bool read_header(struct replica *replica, const struct sim_disk *disk, const struct decode_segment *segment,
                        uint8_t header[DECODE_SEGMENT_HEADER_BYTES]) {
  char name[DECODE_SEGMENT_NAME_BYTES];
  decode_segment_name_write(segment, name);
  if (sim_disk_peek(disk, name, 0, header, DECODE_SEGMENT_HEADER_BYTES) != DECODE_SEGMENT_HEADER_BYTES) return false;
  uint64_t log_id = decode_segment_header(header, segment);
  if (!log_id || (replica->log_id && replica->log_id != log_id)) return false;
  replica->log_id = log_id;
  return true;
}

static bool take_header(struct replica *replica, const struct sim_disk *disk, const struct decode_segment *segment) {
  uint8_t header[DECODE_SEGMENT_HEADER_BYTES];
  return read_header(replica, disk, segment, header);
}

/* The same, of the first that is read: what it follows is not asked. */
static bool take_first_header(struct replica *replica, const struct sim_disk *disk,
                              const struct decode_segment *segment, uint32_t *life) {
  uint8_t header[DECODE_SEGMENT_HEADER_BYTES];
  if (!read_header(replica, disk, segment, header)) return false;
  *life = decode_segment_life(header);
  return true;
}

/* The same, and that it follows the segment whose life is *life, which becomes its own. */
static bool take_next_header(struct replica *replica, const struct sim_disk *disk, const struct decode_segment *segment,
                             uint32_t *life) {
  uint8_t header[DECODE_SEGMENT_HEADER_BYTES];
  if (!read_header(replica, disk, segment, header)) return false;
  if (segment->first && decode_segment_follows(header) != *life) return false;
  *life = decode_segment_life(header);
  return true;
}

static bool newer(const struct decode_segment *a, const struct decode_segment *b) {
  return a->epoch != b->epoch ? a->epoch > b->epoch : a->first > b->first;
}

/* The newest segment whose name counts and that is older than `than` (NULL: any)
 * and begins below it. */
static bool next_older(const struct sim_disk *disk, const struct decode_segment *than, struct decode_segment *found) {
  bool any = false;
  const char *name;
  for (uint32_t i = 0; (name = sim_disk_peek_name(disk, i)) != NULL; i++) {
    struct decode_segment segment = {0};
    if (!decode_segment_name(name, &segment) || segment.fresh) continue;
    if (than && (!newer(than, &segment) || segment.first >= than->first)) continue;
    if (!any || newer(&segment, found)) *found = segment;
    any = true;
  }
  return any;
}

static void add_segment(struct cluster *cluster, struct replica *replica, const struct decode_segment *segment) {
  while (replica->segment_count && replica->segments[replica->segment_count - 1u].first >= segment->first)
    replica->segment_count--;
  CLUSTER_GROW(cluster->world, replica->segments, replica->segment_capacity, replica->segment_count + 1u);
  replica->segments[replica->segment_count++] = *segment;
  if (replica->durable_segment >= replica->segment_count) replica->durable_segment = replica->segment_count - 1u;
}

/* The segments that count, the lowest first. */
static void list_segments(struct cluster *cluster, struct replica *replica, const struct sim_disk *disk) {
  struct decode_segment segment = {0};
  uint32_t count = 0;
  for (bool more = next_older(disk, NULL, &segment); more; count++) {
    CLUSTER_GROW(cluster->world, replica->segments, replica->segment_capacity, count + 1u);
    replica->segments[count] = segment;
    more = next_older(disk, &replica->segments[count], &segment);
  }
  replica->segment_count = count;
  for (uint32_t i = 0; i < count / 2u; i++) {
    struct decode_segment swapped = replica->segments[i];
    replica->segments[i] = replica->segments[count - 1u - i];
    replica->segments[count - 1u - i] = swapped;
  }
}

/* What the engine goes on in after `last` (NULL: nothing counts yet), as far as it begins at
 * or below the end of what was read: the next segment of that epoch, the same one under the
 * name that counts, or the first of a newer epoch. That only when one was begun: what a life
 * before or an attempt that failed left aside is none. */
CLUSTER_APART static bool next_newer(const struct replica *replica, const struct sim_disk *disk,
                                     const struct decode_segment *last, struct decode_segment *found) {
  uint32_t epoch = last ? last->epoch : 0;
  struct decode_segment segment;
  const char *name;
  for (uint32_t i = 0; replica->rotated && (name = sim_disk_peek_name(disk, i)) != NULL; i++)
    if (decode_segment_name(name, &segment) && segment.first <= replica->end && segment.epoch > epoch)
      epoch = segment.epoch;
  bool any = false;
  for (uint32_t i = 0; (name = sim_disk_peek_name(disk, i)) != NULL; i++) {
    if (!decode_segment_name(name, &segment) || segment.epoch != epoch || segment.first > replica->end) continue;
    bool named = last && segment.first == last->first && last->fresh && !segment.fresh;
    if (last && last->epoch == epoch && segment.first <= last->first && !named) continue;
    if (any && (segment.first > found->first || (segment.first == found->first && segment.fresh))) continue;
    *found = segment;
    any = true;
  }
  return any;
}

/* Goes on to where the engine writes now, by all that was begun on the way. false: it
 * writes on where it did. */
CLUSTER_APART static bool find_writing(struct cluster *cluster, struct replica *replica, const struct sim_disk *disk) {
  struct decode_segment next = {0};
  for (bool any = false;; any = true) {
    const struct decode_segment *last = replica->segment_count ? &replica->segments[replica->segment_count - 1u] : NULL;
    if (!next_newer(replica, disk, last, &next)) return any;
    /* What has got the name that counts is read on whatever has happened to its header since. */
    bool renamed = last && last->first == next.first && last->epoch == next.epoch && sim_disk_damaged(disk);
    if (!take_header(replica, disk, &next) && !renamed) return any;
    add_segment(cluster, replica, &next);
  }
}

static const char *name_of(struct replica *replica, const struct decode_segment *segment) {
  const struct decode_segment *named = &replica->named;
  if (replica->name[0] && named->first == segment->first && named->epoch == segment->epoch &&
      named->fresh == segment->fresh)
    return replica->name;
  decode_segment_name_write(segment, replica->name);
  replica->named = *segment;
  return replica->name;
}

/* --- Records -------------------------------------------------------------------------------- */

void replica_accept(struct cluster *cluster, uint32_t node, uint32_t operation, uint64_t end) {
  struct replica *replica = &cluster->nodes[node].replica;
  if (!replica->following) return;
  CLUSTER_GROW(cluster->world, replica->ahead, replica->ahead_capacity, replica->ahead_count + 1u);
  replica->ahead[replica->ahead_count++] = (struct replica_accepted){end, operation};
  replica_make_room(cluster, replica);
  replica_apply(cluster, node, operation, end);
}

/* What was accepted first must come next. */
static bool take_accepted(struct cluster *cluster, uint32_t node, uint32_t operation, uint64_t end) {
  struct replica *replica = &cluster->nodes[node].replica;
  const struct replica_accepted *next = &replica->ahead[replica->ahead_first];
  if (next->operation == operation && next->end == end) {
    if (++replica->ahead_first == replica->ahead_count) replica->ahead_first = replica->ahead_count = 0;
    return true;
  }
  uint64_t subject[3];
  cluster_subject(cluster, next->operation, subject);
  sim_violation(cluster->world, CLUSTER_RECOVERY, node, subject,
                "%s accepted an operation whose record ends at %llu; its log has another one, which ends at %llu",
                cluster->nodes[node].name, (unsigned long long)next->end, (unsigned long long)end);
  return false;
}

/* A life's first operation: it goes by the next index from here on. */
CLUSTER_SELDOM static void name_life(struct cluster *cluster, struct replica *replica, uint32_t life) {
  CLUSTER_GROW(cluster->world, replica->named_lives, replica->named_capacity, replica->named_count + 1u);
  replica->named_lives[replica->named_count++] = life;
}

/* --- Snapshots ------------------------------------------------------------------------------ */

struct vector_reading {
  struct cluster *cluster;
  struct replica *replica;
  bool wrong; /* it has a life, or operations, that never were */
};

static void note_known(void *arg, uint32_t life, uint64_t seq) {
  struct vector_reading *reading = arg;
  const struct ledger *ledger = &reading->cluster->ledger;
  if (life == LEDGER_NONE || seq > ledger->lives[life].count) {
    reading->wrong = true;
    return;
  }
  /* In the order of its places: a life that is new here goes by the next index. */
  if (!replica_held(reading->replica, life)) name_life(reading->cluster, reading->replica, life);
  reading->cluster->known[life] = (uint32_t)seq;
}

CLUSTER_SELDOM static bool bad_snapshot(const struct cluster *cluster, uint32_t node, const char *property,
                                        const char *name, uint32_t operation, const char *what) {
  uint64_t subject[3] = {0, 0, 0};
  if (operation != LEDGER_NONE) cluster_subject(cluster, operation, subject);
  sim_violation(cluster->world, property, node, subject, "the snapshot %s of %s %s", name, cluster->nodes[node].name,
                what);
  return false;
}

/* Takes all that the snapshot says that it holds into the state. false: a violation was reported. */
static bool take_snapshot(struct cluster *cluster, uint32_t node, struct snapshot *snapshot, uint64_t end) {
  uint32_t lives = cluster->ledger.life_count;
  const struct sim_disk *disk = disk_of(cluster, node);
  struct replica *replica = &cluster->nodes[node].replica;
  struct vector_reading reading = {cluster, replica, false};
  CLUSTER_GROW(cluster->world, cluster->known, cluster->known_capacity, lives + 1u);
  memset(cluster->known, 0, lives * sizeof *cluster->known);
  bool merging = replica->merging_id == snapshot->id, whole = true, damaged = sim_disk_damaged(disk);
  for (uint32_t i = 0; merging && i < replica->merging_count; i++)
    note_known(&reading, replica->merging[i].life, replica->merging[i].seq);
  if (!merging) whole = snapshot_read(cluster, disk, snapshot, note_known, &reading);
  if (merging && !damaged) whole = snapshot_read(cluster, disk, snapshot, NULL, NULL);
  if (!whole && !damaged)
    return bad_snapshot(cluster, node, CLUSTER_RECOVERY, snapshot->name, LEDGER_NONE,
                        "is not whole, and the node goes by it");
  if (!snapshot_is_durable(disk, snapshot) && end && !damaged)
    return bad_snapshot(cluster, node, CLUSTER_DURABILITY, snapshot->name, LEDGER_NONE,
                        "is not durable, and a record of the log names it");
  if (reading.wrong)
    return bad_snapshot(cluster, node, CLUSTER_PHANTOM, snapshot->name, LEDGER_NONE,
                        "says that it holds operations that nobody submitted");
  uint32_t early = replica_apply_known(cluster, node, end);
  if (early != LEDGER_NONE)
    return bad_snapshot(cluster, node, CLUSTER_CAUSAL, snapshot->name, early,
                        "has this operation, and not one that its writer held when it wrote it");
  return true;
}

static bool take_merge(struct cluster *cluster, uint32_t node, const struct decode_record *record, uint64_t end) {
  struct snapshot staged;
  uint64_t id = 0, size = 0;
  if (!decode_merge(record, &id, &size))
    return bad_snapshot(cluster, node, CLUSTER_RECOVERY, "(unknown)", LEDGER_NONE, "is not named as the format says");
  snapshot_staged(id, &staged);
  return take_snapshot(cluster, node, &staged, end);
}

/* The base that the node has begun with. */
static bool take_base(struct cluster *cluster, uint32_t node) {
  struct replica *replica = &cluster->nodes[node].replica;
  struct snapshot base;
  if (!snapshot_newest(disk_of(cluster, node), &base)) return true;
  uint64_t position = base.position;
  if (!take_snapshot(cluster, node, &base, 0)) return false;
  replica->log_id = base.log_id;
  replica->end = replica->durable_end = position;
  return true;
}

static bool take_record(struct cluster *cluster, uint32_t node, const struct decode_record *record, uint64_t end) {
  struct replica *replica = &cluster->nodes[node].replica;
  if (record->type == DECODE_RECORD_MERGE && !take_merge(cluster, node, record, end)) return false;
  if (record->type == DECODE_RECORD_OPERATION) {
    bool accepted = replica->ahead_count > 0;
    uint32_t operation = claims_check(cluster, node, record->payload, record->size, accepted);
    if (operation == LEDGER_NONE) return false;
    if (accepted && !take_accepted(cluster, node, operation, end)) return false;
    if (!accepted) replica_apply(cluster, node, operation, end);
    const struct ledger_operation *taken = &cluster->ledger.operations[operation];
    if (taken->seq == 1) name_life(cluster, replica, taken->life);
  }
  replica->end = end;
  log_watch_claimed(&cluster->nodes[node].watch, record->durable, sim_now(cluster->world));
  cluster->looked++;
  return true;
}

/* The first position from there on at which another segment of the same epoch begins. */
CLUSTER_SELDOM static uint64_t next_elsewhere(const struct sim_disk *disk, const struct decode_segment *segment,
                                              uint64_t from) {
  uint64_t nearest = UINT64_MAX;
  const char *name;
  for (uint32_t i = 0; (name = sim_disk_peek_name(disk, i)) != NULL; i++) {
    struct decode_segment other;
    if (!decode_segment_name(name, &other) || other.epoch != segment->epoch || other.first == segment->first) continue;
    if (other.first >= from && other.first < nearest) nearest = other.first;
  }
  return nearest;
}

/* Another segment begins where reading stands: what this one has from there on is a write
 * that failed and persisted all the same, after which the log went on elsewhere. */
CLUSTER_SELDOM static bool goes_on_elsewhere(const struct replica *replica, const struct sim_disk *disk,
                                             const struct decode_segment *segment) {
  struct decode_segment other = {.first = replica->end, .epoch = segment->epoch};
  if (other.first == segment->first) return false;
  if (is_there(disk, &other)) return true;
  other.fresh = true;
  return is_there(disk, &other);
}

/* What a repair met as damage, though its bytes are there: a sector that cannot be read, a merge whose snapshot is no
 * more. */
CLUSTER_SELDOM static bool was_put_aside(struct cluster *cluster, uint32_t node, const char *name, uint64_t offset,
                                         size_t size, const struct decode_record *record) {
  const struct sim_disk *disk = disk_of(cluster, node);
  struct snapshot staged;
  uint64_t id = 0, bytes = 0;
  if (sim_disk_peek_unreadable(disk, name, offset, size)) return true;
  if (!decode_merge(record, &id, &bytes)) return false;
  snapshot_staged(id, &staged);
  return !snapshot_read(cluster, disk, &staged, NULL, NULL);
}

/* Reads records of the segment, up to the position `to`, as long as they are
 * valid. false: a violation was reported. */
static bool read_records(struct cluster *cluster, uint32_t node, const struct decode_segment *segment, uint64_t to) {
  struct replica *replica = &cluster->nodes[node].replica;
  const struct sim_disk *disk = disk_of(cluster, node);
  const char *name = name_of(replica, segment);
  CLUSTER_GROW(cluster->world, replica->bytes, replica->bytes_capacity, READ_BYTES);
  replica_make_room(cluster, replica);
  uint64_t elsewhere = replica->rotated ? next_elsewhere(disk, segment, replica->end) : UINT64_MAX;
  while (replica->end < to) {
    uint64_t offset = DECODE_SEGMENT_HEADER_BYTES + (replica->end - segment->first);
    size_t want = to - replica->end < READ_BYTES ? (size_t)(to - replica->end) : READ_BYTES;
    size_t got = sim_disk_peek(disk, name, offset, replica->bytes, want), at = 0;
    while (got - at >= DECODE_RECORD_HEADER_BYTES_MIN && replica->end < to) {
      if (replica->end > elsewhere) elsewhere = next_elsewhere(disk, segment, replica->end);
      if (replica->end == elsewhere && goes_on_elsewhere(replica, disk, segment)) return true;
      struct decode_record record;
      bool begins = decode_record_header(replica->bytes + at, got - at, replica->end, &record);
      if (!begins && at > 0 && got - at < DECODE_RECORD_HEADER_BYTES_MAX) break; /* again from its beginning */
      if (!begins) return true;
      size_t whole = decode_record_bytes(&record);
      if (whole > got - at && at > 0) break; /* the same */
      if (whole > got) {
        CLUSTER_GROW(cluster->world, replica->bytes, replica->bytes_capacity, (uint32_t)whole);
        got = sim_disk_peek(disk, name, offset, replica->bytes, whole);
        if (got < whole) return true;
      }
      if (!decode_record(replica->bytes + at, whole, replica->log_id, segment->epoch, replica->end, &record))
        return true;
      if (cluster->nodes[node].repaired && replica->beginning &&
          was_put_aside(cluster, node, name, offset + at, whole, &record))
        return true;
      if (!take_record(cluster, node, &record, replica->end + whole)) return false;
      at += whole;
    }
    if (at == 0) return true;
  }
  return true;
}

/* Segments that end at or below the position are read no more. */
static void forget_below(struct replica *replica, uint64_t position) {
  uint32_t gone = 0;
  while (gone + 1u < replica->segment_count && replica->segments[gone + 1u].first <= position)
    gone++;
  if (gone == 0) return;
  replica->segment_count -= gone;
  memmove(replica->segments, replica->segments + gone, replica->segment_count * sizeof *replica->segments);
  replica->durable_segment = replica->durable_segment > gone ? replica->durable_segment - gone : 0;
}

void replica_trimmed(struct cluster *cluster, uint32_t node, uint64_t first) {
  struct replica *replica = &cluster->nodes[node].replica;
  const struct sim_disk *disk = disk_of(cluster, node);
  if (!replica->following) return;
  if (!sim_disk_damaged(disk) && !snapshot_covers(cluster, disk, first)) {
    static const uint64_t nothing[3] = {0, 0, 0};
    sim_violation(cluster->world, CLUSTER_DURABILITY, node, nothing,
                  "%s removed its log below %llu, and no durable snapshot has what was there",
                  cluster->nodes[node].name, (unsigned long long)first);
    return;
  }
  if (replica->durable_end < first) replica->durable_end = first;
  forget_below(replica, first);
}

void replica_begin(struct cluster *cluster, uint32_t node) {
  struct replica *replica = &cluster->nodes[node].replica;
  const struct sim_disk *disk = disk_of(cluster, node);
  replica_clear(replica);
  replica->following = true;
  replica->beginning = true;
  if (!take_base(cluster, node)) return;
  list_segments(cluster, replica, disk);
  forget_below(replica, replica->end);
  for (uint32_t i = replica->segment_count; i-- > 0;) /* the newest says which log this is */
    if (take_header(replica, disk, &replica->segments[i])) break;
  uint32_t counted = 0, life = 0;
  for (; counted < replica->segment_count; counted++) {
    const struct decode_segment segment = replica->segments[counted];
    uint64_t to = counted + 1u < replica->segment_count ? replica->segments[counted + 1u].first : UINT64_MAX;
    /* What follows in the file was put aside with the epoch that began there. */
    if (cluster->nodes[node].repaired && to > cluster->nodes[node].open_end) to = cluster->nodes[node].open_end;
    bool next = counted ? segment.first == replica->end : segment.first <= replica->end;
    bool taken = next && (counted ? take_next_header(replica, disk, &segment, &life)
                                  : take_first_header(replica, disk, &segment, &life));
    if (!taken) break;
    if (!read_records(cluster, node, &segment, to)) return;
    if (replica->end != to) {
      counted++;
      break;
    }
  }
  replica->beginning = false;
  replica->segment_count = counted;
  replica->remote = 0;
  (void)find_writing(cluster, replica, disk); /* recovery may have begun an epoch, without a new record */
  replica_follow(cluster, node);
}

CLUSTER_SELDOM static void ends_too_early(const struct cluster *cluster, uint32_t node) {
  const struct replica *replica = &cluster->nodes[node].replica;
  const struct replica_accepted *next = &replica->ahead[replica->ahead_first];
  uint64_t subject[3];
  cluster_subject(cluster, next->operation, subject);
  sim_violation(cluster->world, CLUSTER_RECOVERY, node, subject,
                "%s accepted an operation whose record ends at %llu, and says now that its log ends at %llu",
                cluster->nodes[node].name, (unsigned long long)next->end, (unsigned long long)replica->end);
}

/* The log was read as far as it goes: all that was accepted must have been there. */
static void found_all(struct cluster *cluster, uint32_t node) {
  struct replica *replica = &cluster->nodes[node].replica;
  if (replica->ahead_count) {
    ends_too_early(cluster, node);
    return;
  }
  replica->behind = false;
  replica->refusals = sim_node_refusals(cluster->nodes[node].machine);
}

CLUSTER_SELDOM static void ends_elsewhere(const struct cluster *cluster, uint32_t node, uint64_t appended) {
  static const uint64_t nothing[3] = {0, 0, 0};
  sim_violation(cluster->world, CLUSTER_RECOVERY, node, nothing,
                "%s says that its log ends at %llu; what its disk has ends at %llu", cluster->nodes[node].name,
                (unsigned long long)appended, (unsigned long long)cluster->nodes[node].replica.end);
}

CLUSTER_APART static void follow(struct cluster *cluster, uint32_t node, uint64_t appended) {
  struct replica *replica = &cluster->nodes[node].replica;
  /* An older epoch may have more behind its end: writes that failed and persisted all the same. */
  if (replica->rotated) (void)find_writing(cluster, replica, disk_of(cluster, node));
  do {
    if (!replica->segment_count) continue;
    const struct decode_segment last = replica->segments[replica->segment_count - 1u];
    if (!read_records(cluster, node, &last, appended)) return;
  } while (replica->end != appended && find_writing(cluster, replica, disk_of(cluster, node)));
  replica->rotated = false;
  /* What is not there is what a refused call kept from being written. */
  replica->behind = appended != replica->end && sim_node_refusals(cluster->nodes[node].machine) != replica->refusals;
  if (replica->behind) return;
  if (appended == replica->end)
    found_all(cluster, node);
  else
    ends_elsewhere(cluster, node, appended);
}

void replica_follow(struct cluster *cluster, uint32_t node) {
  const struct replica *replica = &cluster->nodes[node].replica;
  const struct cluster_software *software = sim_node_software(cluster->nodes[node].machine);
  if (!replica->following || !software || !software->engine || cluster->violation->found) return;
  uint64_t appended = sync_appended_position(software->engine);
  if (appended != replica->end)
    follow(cluster, node, appended);
  else
    found_all(cluster, node);
}

/* --- Durability --------------------------------------------------------------------------------- */

/* How far the log would survive a power loss now. */
static uint64_t durable_end(struct cluster *cluster, uint32_t node) {
  struct replica *replica = &cluster->nodes[node].replica;
  const struct sim_disk *disk = disk_of(cluster, node);
  uint64_t end = replica->durable_end;
  for (uint32_t i = replica->durable_segment; i < replica->segment_count; i++) {
    struct decode_segment *segment = &replica->segments[i];
    uint64_t to = i + 1u < replica->segment_count ? replica->segments[i + 1u].first : replica->end;
    if (segment->fresh) {
      struct decode_segment named = *segment;
      named.fresh = false;
      if (is_there(disk, &named)) *segment = named;
    }
    uint64_t bytes = segment->fresh ? 0 : sim_disk_peek_durable(disk, name_of(replica, segment));
    uint64_t reaches = bytes > DECODE_SEGMENT_HEADER_BYTES ? segment->first + bytes - DECODE_SEGMENT_HEADER_BYTES : 0;
    if (reaches > to) reaches = to;
    if (reaches > end) end = reaches;
    replica->durable_segment = i;
    if (end < to) break; /* a base has what is below it, whatever is left of the segments there */
  }
  return end;
}

static void take_durable(struct cluster *cluster, uint32_t node) {
  struct replica *replica = &cluster->nodes[node].replica;
  replica->durable_end = durable_end(cluster, node);
  uint32_t first = replica->waiting_first, count = replica->waiting_count;
  for (; first < count && replica->waiting[first].end <= replica->durable_end; first++)
    replica->durable[replica->waiting[first].life + 1u] = replica->waiting[first].seq;
  replica->waiting_first = first;
  uint32_t left = count - first;
  if (left > replica->waiting_first) return; /* moved when that is cheap */
  if (left) memmove(replica->waiting, replica->waiting + replica->waiting_first, left * sizeof *replica->waiting);
  replica->waiting_first = 0;
  replica->waiting_count = left;
}

bool replica_holds_durably(struct cluster *cluster, uint32_t node, uint32_t life, uint64_t seq) {
  struct replica *replica = &cluster->nodes[node].replica;
  if (seq <= replica_durable(replica, life)) return true;
  take_durable(cluster, node);
  if (seq <= replica_durable(replica, life)) return true;
  if (!find_writing(cluster, replica, disk_of(cluster, node))) return false; /* an epoch begun since? */
  take_durable(cluster, node);
  return seq <= replica_durable(replica, life);
}
