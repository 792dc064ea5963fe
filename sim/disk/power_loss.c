/* What survives when power is lost. Nothing is written again: what is lost is
 * undone, newest first, in the whole (prefix) or sector by sector. */
#include <stdlib.h>
#include <string.h>

#include "sim/disk/damage.h"
#include "sim/disk/directory.h"
#include "sim/disk/disk.h"
#include "sim/disk/disk_fault.h"
#include "sim/disk/disk_files.h"
#include "sim/disk/handles.h"
#include "sim/disk/rot.h"

/* A change's presence in one sector. */
struct touch {
  uint64_t sector;
  struct sim_change *change;
};

/* Names one decision: this power loss, this file, this part. */
static struct sim_tag loss_tag(const struct sim_disk *disk, enum sim_choice_kind kind, uint64_t file, uint64_t part) {
  return sim_tag(kind, disk->node, sim_hash_fold(sim_hash_fold(disk->loss, file), part));
}

/* Whether the change takes bytes away. */
static bool shrinks(const struct sim_change *change) {
  return change->cut && change->size > 0;
}

static uint32_t sector_count(const struct sim_disk *disk, const struct sim_change *change) {
  uint64_t first, end;
  sim_change_sectors(change, disk->config.sector_bytes, &first, &end);
  return (uint32_t)(end - first);
}

static void undo_whole(struct sim_disk *disk, struct sim_file *file, struct sim_change *change) {
  sim_file_undo(disk->ground, file, change, 0, UINT64_MAX);
  ground_fault(disk->ground, SIM_FAULT_DISK_LOST_PENDING, 1);
  sim_file_forget(disk->ground, file, change);
}

/* Keeps the first `kept` sectors of the newest change; it was a write. */
static void tear_last(struct sim_disk *disk, struct sim_file *file, uint64_t kept) {
  struct sim_change *change = file->last;
  uint32_t sector_bytes = disk->config.sector_bytes;
  uint64_t edge = (change->offset / sector_bytes + kept) * sector_bytes;
  uint64_t size_before = change->previous != NULL ? change->previous->size_after : file->durable_size;
  sim_file_undo(disk->ground, file, change, edge, UINT64_MAX);
  if (change->fate == SIM_FATE_STRAY) change->fate = SIM_FATE_LOST;
  change->written = edge - change->offset;
  change->size_after = edge > size_before ? edge : size_before;
  ground_fault(disk->ground, SIM_FAULT_DISK_LOST_PENDING, 1);
}

/* What is still pending survives. */
static void keep_rest(struct sim_disk *disk, struct sim_file *file) {
  while (file->first != NULL)
    sim_file_persist_first(disk->ground, file, disk->config.sector_bytes);
  sim_file_settle(disk->ground, file, file->durable_size);
}

/* How many sectors of a write that was under way survived: 0 when it was not torn. */
static uint64_t draw_torn(struct sim_disk *disk, uint64_t identity, const struct sim_change *change) {
  uint32_t sectors = sector_count(disk, change);
  if (change->cut || sectors < 2 || disk->config.tearing == SIM_DISK_TEARS_NEVER) return 0;
  uint64_t kept = ground_pick_ends(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_TORN, identity, 0), sectors);
  ground_fault(disk->ground, SIM_FAULT_DISK_TORN, kept > 0);
  return kept;
}

/* Zeros or garbage in [from, to), which lie in one sector. */
static void spoil(struct sim_disk *disk, struct sim_file *file, uint64_t identity, uint64_t from, uint64_t to,
                  bool garbage) {
  uint64_t state = sim_draw(disk->ground->choices.seed, loss_tag(disk, SIM_CHOICE_DISK_GARBAGE, identity, from));
  uint8_t bytes[SIM_PAGE_BYTES];
  for (uint64_t i = 0; i < to - from; i++) {
    if (i % 8 == 0) state = sim_hash_fold(state, i + 1);
    bytes[i] = (uint8_t)(garbage ? state >> (i % 8 * 8) : 0);
  }
  sim_file_put(disk->ground, file, from, bytes, to - from);
}

/* The sector that the cut-off write had reached: on a drive without power-safe
 * overwrite all of it may be gone, whoever wrote it. */
static void draw_overwrite(struct sim_disk *disk, struct sim_file *file, uint64_t identity, uint64_t sector) {
  if (disk->config.overwrite != SIM_DISK_OVERWRITE_UNSAFE || disk->config.tearing == SIM_DISK_TEARS_NEVER) return;
  uint64_t how = ground_pick(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_OVERWRITE, identity, sector), 3);
  ground_fault(disk->ground, SIM_FAULT_DISK_OVERWRITE, how > 0);
  uint64_t from = sector * disk->config.sector_bytes;
  if (how > 0) spoil(disk, file, sector, from, from + disk->config.sector_bytes, how == 2);
}

/* The newest change was under way: lost, but for what is torn off its beginning. */
static void cut_off_last(struct sim_disk *disk, struct sim_file *file, uint64_t identity) {
  uint64_t torn = draw_torn(disk, identity, file->last);
  uint64_t sector = file->last->offset / disk->config.sector_bytes + torn;
  bool cut = file->last->cut;
  if (torn > 0)
    tear_last(disk, file, torn);
  else
    undo_whole(disk, file, file->last);
  if (!cut) draw_overwrite(disk, file, identity, sector);
}

static void lose_all(struct sim_disk *disk, struct sim_file *file, uint64_t identity, bool tears) {
  while (file->last != NULL && (file->last != file->first || !tears))
    undo_whole(disk, file, file->last);
  if (file->last != NULL) cut_off_last(disk, file, identity);
  keep_rest(disk, file);
}

static void keep_prefix(struct sim_disk *disk, struct sim_file *file, uint64_t identity) {
  uint64_t lost =
      ground_pick_ends(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_PREFIX, identity, 0), file->pending + 1);
  for (; lost > 1; lost--)
    undo_whole(disk, file, file->last);
  if (lost == 1) cut_off_last(disk, file, identity);
  keep_rest(disk, file);
}

/* --- Sector by sector --------------------------------------------------------- */

static int touch_order(const void *left, const void *right) {
  const struct touch *a = left, *b = right;
  if (a->sector != b->sector) return a->sector < b->sector ? -1 : 1;
  return a->change->order < b->change->order ? -1 : 1;
}

/* Every (sector, change) of the pending list, by sector, oldest first. */
static struct touch *touches_collect(struct sim_disk *disk, struct sim_file *file, size_t *count) {
  *count = 0;
  for (struct sim_change *change = file->first; change != NULL; change = change->next) {
    change->sectors = sector_count(disk, change);
    change->sectors_lost = 0;
    *count += change->sectors;
  }
  if (*count == 0) return NULL;
  struct touch *touches = sim_disk_alloc(disk->ground, *count * sizeof *touches);
  size_t at = 0;
  for (struct sim_change *change = file->first; change != NULL; change = change->next) {
    uint64_t first = change->offset / disk->config.sector_bytes;
    for (uint32_t i = 0; i < change->sectors; i++)
      touches[at++] = (struct touch){first + i, change};
  }
  qsort(touches, *count, sizeof *touches, touch_order);
  return touches;
}

/* The bytes of a sector that a lost write was writing; without power-safe overwrite
 * all of them. */
static void spoil_written(struct sim_disk *disk, struct sim_file *file, const struct sim_change *change, uint64_t from,
                          uint64_t to, bool garbage) {
  uint64_t sector = from;
  if (change->cut) return;
  if (disk->config.overwrite == SIM_DISK_OVERWRITE_SAFE) {
    if (from < change->offset) from = change->offset;
    if (to > change->offset + change->size) to = change->offset + change->size;
  }
  spoil(disk, file, sim_hash_fold(change->order, sector), from, to, garbage);
}

/* Decides one sector, which `count` changes touch. A cut is there, and what came before it. */
static void sector_decide(struct sim_disk *disk, struct sim_file *file, uint64_t identity, struct touch *touches,
                          size_t count, bool may_spoil) {
  uint64_t sector = touches->sector, from = sector * disk->config.sector_bytes;
  uint64_t to = from + disk->config.sector_bytes;
  size_t base = count;
  while (base > 0 && !shrinks(touches[base - 1].change))
    base--;
  size_t keep = count - (size_t)ground_pick_ends(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_SECTOR, identity, sector),
                                                 count - base + UINT64_C(1));
  /* The sector as a lost or stray write left it was never written. */
  while (keep > base && touches[keep - 1].change->fate != SIM_FATE_HONEST)
    keep--;
  for (size_t i = count; i > keep; i--) {
    sim_file_undo(disk->ground, file, touches[i - 1].change, from, to);
    touches[i - 1].change->sectors_lost++;
  }
  if (keep > 0) sim_file_heal(disk->ground, file, from, to, disk->config.sector_bytes);
  if (!may_spoil || keep == count) return;
  uint64_t how = ground_pick(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_GARBAGE, identity, sector), 3);
  ground_fault(disk->ground, SIM_FAULT_DISK_GARBAGE, how > 0);
  if (disk->config.overwrite == SIM_DISK_OVERWRITE_UNSAFE)
    ground_fault(disk->ground, SIM_FAULT_DISK_OVERWRITE, how > 0);
  for (size_t i = keep; i < count && how > 0; i++)
    spoil_written(disk, file, touches[i].change, from, to, how == 2);
}

/* No file system leaves half of a cut: it is a change of the size and of what belongs
 * to the file. One that is lost is lost whole, with all after it on the file. */
static void cuts_decide(struct sim_disk *disk, struct sim_file *file, uint64_t identity) {
  uint64_t cuts = 0;
  for (const struct sim_change *change = file->first; change != NULL; change = change->next)
    cuts += shrinks(change);
  if (cuts == 0) return;
  uint64_t lost = ground_pick_ends(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_CUT, identity, 0), cuts + 1);
  while (lost > 0) {
    lost -= shrinks(file->last);
    undo_whole(disk, file, file->last);
  }
}

/* The size is a change of its own: any that the file had since the last fsync or cut. */
static uint64_t size_decide(struct sim_disk *disk, const struct sim_file *file, uint64_t identity) {
  uint64_t sizes = 1;
  for (const struct sim_change *change = file->last; change != NULL && !shrinks(change); change = change->previous)
    sizes++;
  uint64_t lost = ground_pick_ends(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_SIZE, identity, 0), sizes);
  const struct sim_change *change = file->last;
  for (uint64_t i = 0; i < lost && change != NULL; i++)
    change = change->previous;
  uint64_t size = change != NULL ? change->size_after : file->durable_size;
  ground_fault(disk->ground, SIM_FAULT_DISK_SIZE, size != file->size);
  return size;
}

static void count_sector_faults(struct sim_disk *disk, const struct sim_file *file) {
  bool earlier_lost = false;
  for (const struct sim_change *change = file->first; change != NULL; change = change->next) {
    uint32_t lost = change->sectors_lost, sectors = change->sectors;
    ground_fault(disk->ground, SIM_FAULT_DISK_LOST_PENDING, lost > 0);
    if (sectors > 1) ground_fault(disk->ground, SIM_FAULT_DISK_TORN, lost > 0 && lost < sectors);
    if (change != file->first) ground_fault(disk->ground, SIM_FAULT_DISK_REORDERED, earlier_lost && lost < sectors);
    earlier_lost = earlier_lost || lost > 0;
  }
}

static void keep_sectors(struct sim_disk *disk, struct sim_file *file, uint64_t identity, bool may_spoil) {
  size_t count;
  cuts_decide(disk, file, identity);
  struct touch *touches = touches_collect(disk, file, &count);
  uint64_t size = size_decide(disk, file, identity);
  for (size_t i = 0, end; i < count; i = end) {
    for (end = i + 1; end < count && touches[end].sector == touches[i].sector; end++) {
    }
    sector_decide(disk, file, identity, &touches[i], end - i, may_spoil);
  }
  if (touches != NULL) ground_free(disk->ground, touches, count * sizeof *touches);
  count_sector_faults(disk, file);
  while (file->last != NULL)
    sim_file_forget(disk->ground, file, file->last);
  sim_file_settle(disk->ground, file, size);
}

/* --- The disk ----------------------------------------------------------------- */

static void file_decide(struct sim_disk *disk, struct sim_file *file, uint64_t identity) {
  enum sim_disk_style style = SIM_DISK_LOSE_ALL;
  if (file->pending == 0) {
    keep_rest(disk, file);
    return;
  }
  if (disk->config.on_crash == SIM_DISK_ADVERSARIAL)
    style = (enum sim_disk_style)ground_pick(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_STYLE, identity, 0),
                                             disk->config.tearing == SIM_DISK_TEARS_NEVER ? SIM_DISK_PREFIX + 1u
                                                                                          : SIM_DISK_STYLE_COUNT);
  switch (style) {
  case SIM_DISK_KEEP_ALL:
    for (uint64_t i = 0; i < file->pending; i++)
      ground_fault(disk->ground, SIM_FAULT_DISK_LOST_PENDING, 0);
    keep_rest(disk, file);
    break;
  case SIM_DISK_LOSE_ALL:
    lose_all(disk, file, identity,
             disk->config.on_crash == SIM_DISK_STRICT && disk->config.tearing == SIM_DISK_TEARS_ALWAYS);
    break;
  case SIM_DISK_PREFIX:
    keep_prefix(disk, file, identity);
    break;
  case SIM_DISK_SECTORS:
  case SIM_DISK_SECTORS_GARBAGE:
  case SIM_DISK_STYLE_COUNT:
    keep_sectors(disk, file, identity, style == SIM_DISK_SECTORS_GARBAGE);
    break;
  }
}

/* The file with the newest pending change of the whole disk. */
static struct sim_file *newest_pending(const struct sim_disk *disk) {
  struct sim_file *newest = NULL;
  for (struct sim_file *file = disk->files; file != NULL; file = file->next)
    if (file->last != NULL && (newest == NULL || file->last->order > newest->last->order)) newest = file;
  return newest;
}

/* One prefix over the changes of all files and of the names. */
static void ordered_decide(struct sim_disk *disk) {
  uint64_t pending = disk->directory.pending;
  for (const struct sim_file *file = disk->files; file != NULL; file = file->next)
    pending += file->pending;
  if (pending == 0) return;
  uint64_t lost = ground_pick_ends(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_PREFIX, 0, 0), pending + 1);
  struct sim_entry_change *names = disk->directory.last;
  for (; lost > 0; lost--) {
    struct sim_file *file = newest_pending(disk);
    if (names != NULL && (file == NULL || names->order > file->last->order)) {
      names->lost = true;
      names = names->previous;
    } else if (file != NULL && lost == 1) {
      cut_off_last(disk, file, 0);
    } else if (file != NULL) {
      undo_whole(disk, file, file->last);
    }
  }
  for (const struct sim_entry_change *change = disk->directory.first; change != NULL; change = change->next)
    ground_fault(disk->ground, SIM_FAULT_DISK_DIRECTORY, change->lost);
  sim_directory_settle(disk);
}

/* Renames that survive and are the last word on their names may have been half done. */
static void renames_decide(struct sim_disk *disk) {
  uint64_t at = 0;
  for (struct sim_entry_change *change = disk->directory.first; change != NULL; change = change->next, at++) {
    if (change->kind != SIM_ENTRY_RENAME || change->lost || sim_directory_overtaken(change)) continue;
    struct sim_tag tag = loss_tag(disk, SIM_CHOICE_DISK_RENAME_HALF, 0, at);
    change->left = (enum sim_rename_left)ground_pick(disk->ground, tag, change->replaced != NULL ? 4 : 3);
    ground_fault(disk->ground, SIM_FAULT_DISK_RENAME_HALF, change->left != SIM_RENAME_WHOLE);
  }
}

static void directory_decide(struct sim_disk *disk) {
  struct sim_directory *directory = &disk->directory;
  uint64_t n = directory->pending, style = SIM_DISK_LOSE_ALL, kept = 0, at = 0;
  if (n == 0) return;
  if (disk->config.on_crash == SIM_DISK_ADVERSARIAL)
    style = ground_pick(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_DIRECTORY, 0, 0), 4);
  if (style == SIM_DISK_KEEP_ALL) kept = n;
  if (style == SIM_DISK_PREFIX)
    kept = n - ground_pick_ends(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_DIRECTORY, 1, 0), n + 1);
  for (struct sim_entry_change *change = directory->first; change != NULL; change = change->next, at++) {
    change->lost = at >= kept;
    if (style == SIM_DISK_SECTORS) /* any subset; what an earlier loss took away is lost too */
      change->lost = sim_directory_orphaned(change) ||
                     ground_pick(disk->ground, loss_tag(disk, SIM_CHOICE_DISK_DIRECTORY, 2, at), 2) != 0;
    ground_fault(disk->ground, SIM_FAULT_DISK_DIRECTORY, change->lost);
  }
  if (disk->config.on_crash == SIM_DISK_ADVERSARIAL && disk->config.rename == SIM_DISK_RENAME_LOOSE)
    renames_decide(disk);
  sim_directory_settle(disk);
}

struct range {
  uint64_t from, to;
};

/* Decides one file. The trace folds what the pending ranges hold now, not the
 * whole file. */
static void file_power_loss(struct sim_disk *disk, const struct sim_entry *entry) {
  struct sim_file *file = entry->file;
  uint64_t identity = sim_name_hash(entry->name), hash = 0;
  size_t count = (size_t)file->pending, at = 0;
  struct range *ranges = count > 0 ? sim_disk_alloc(disk->ground, count * sizeof *ranges) : NULL;
  for (const struct sim_change *change = file->first; change != NULL && at < count; change = change->next)
    ranges[at++] = (struct range){change->offset, change->offset + change->size};
  if (disk->config.on_crash == SIM_DISK_ORDERED)
    keep_rest(disk, file);
  else
    file_decide(disk, file, identity);
  for (at = 0; at < count; at++) {
    uint64_t to = ranges[at].to < file->size ? ranges[at].to : file->size;
    if (ranges[at].from < to) hash = sim_hash_fold(hash, sim_file_hash(file, ranges[at].from, to - ranges[at].from));
  }
  if (ranges != NULL) ground_free(disk->ground, ranges, count * sizeof *ranges);
  uint64_t fields[] = {identity, file->size, hash};
  ground_trace(disk->ground, SIM_SUB_DISK, SIM_STEP_DISK_POWER_LOSS, disk->node, fields, 3);
}

void sim_disk_power_loss(struct sim_disk *disk) {
  disk->loss = ground_moment(disk->ground, SIM_CHOICE_DISK_STYLE, disk->node) + 1;
  sim_disk_damage_strike(disk);
  ground_fault(disk->ground, SIM_FAULT_DISK_FSYNC_CUT, disk->fsyncs != NULL);
  sim_disk_drop_process(disk);
  if (disk->config.on_crash == SIM_DISK_ORDERED)
    ordered_decide(disk);
  else
    directory_decide(disk);
  for (uint32_t i = 0; i < disk->directory.count; i++) {
    struct sim_file *file = disk->directory.entries[i].file;
    file->errors = file->errors_seen = 0;
    file_power_loss(disk, &disk->directory.entries[i]);
  }
  sim_disk_count_used(disk);
  sim_disk_decay_at_rest(disk);
}
