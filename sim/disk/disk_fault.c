#include <string.h>

#include "sim/disk/disk_fault.h"
#include "sim/disk/damage.h"
#include "sim/disk/disk.h"

bool sim_disk_fault(struct sim_disk *disk, enum sim_fault fault, enum sim_choice_kind kind, uint32_t ppm) {
  if (ppm == 0) return false;
  uint32_t fired = ground_chance(disk->ground, sim_disk_tag(disk, kind), ppm);
  ground_fault(disk->ground, fault, fired);
  return fired != 0;
}

bool sim_disk_damage_fault(struct sim_disk *disk, enum sim_fault fault, enum sim_choice_kind kind, uint32_t ppm) {
  return sim_disk_may_damage(disk) && sim_disk_fault(disk, fault, kind, ppm);
}

struct sim_tag sim_disk_tag(struct sim_disk *disk, enum sim_choice_kind kind) {
  return sim_tag(kind, disk->node, ground_moment(disk->ground, kind, disk->node));
}

void sim_disk_delay(struct sim_disk *disk, bool transfer) {
  const struct sim_disk_config *config = &disk->config;
  if (transfer && config->latency_max_ns > 0) {
    uint64_t ns = ground_range(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_LATENCY), config->latency_min_ns,
                               config->latency_max_ns);
    ground_fault(disk->ground, SIM_FAULT_DISK_LATENCY, ns > 0);
    if (ns > 0) disk_busy_for(disk, ns);
  }
  if (sim_disk_fault(disk, SIM_FAULT_DISK_STALL, SIM_CHOICE_DISK_STALL, config->stall_ppm))
    disk_busy_for(disk, config->stall_ns);
}

size_t sim_disk_short_size(struct sim_disk *disk, size_t size) {
  return size - 1 - (size_t)ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_SHORT_SIZE), size - 1);
}

void sim_disk_draw_fate(struct sim_disk *disk, struct sim_file *file, struct sim_change *change, const uint8_t *bytes) {
  const struct sim_disk_config *config = &disk->config;
  uint64_t sectors = (file->size + config->sector_bytes - 1) / config->sector_bytes;
  if (sim_disk_damage_fault(disk, SIM_FAULT_DISK_LOST_WRITE, SIM_CHOICE_DISK_LOST_WRITE, config->lost_write_ppm)) {
    change->fate = SIM_FATE_LOST;
    sim_disk_damage(disk, SIM_DAMAGE_LOST_WRITE, file, change->offset, change->size, 0);
  } else if (sectors > 1 && sim_disk_damage_fault(disk, SIM_FAULT_DISK_MISDIRECTED, SIM_CHOICE_DISK_MISDIRECT,
                                                  config->misdirect_ppm)) {
    /* It lands at the same place of another sector. */
    uint64_t own = change->offset / config->sector_bytes;
    uint64_t other = ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_MISDIRECT_WHERE), sectors - 1);
    if (other >= own) other++;
    change->fate = SIM_FATE_STRAY;
    change->stray = sim_disk_alloc(disk->ground, (size_t)change->size);
    memcpy(change->stray, bytes, (size_t)change->size);
    change->stray_offset = other * config->sector_bytes + change->offset % config->sector_bytes;
    sim_disk_damage(disk, SIM_DAMAGE_MISDIRECTED, file, change->offset, change->size, change->stray_offset);
  }
}

/* --- fsync -------------------------------------------------------------------- */

enum fsync_error_form {
  FORM_CLEAN = 0,  /* ext4, XFS: pages are marked clean and read back until power is lost */
  FORM_REVERT = 1, /* Btrfs: the file shows the platter's content again */
  FORM_LATE = 2,   /* ext4 with data journalling: told at the next fsync */
  FORM_COUNT
};

static bool touches(const struct sim_change *a, const struct sim_change *b, uint32_t sector_bytes) {
  uint64_t a_first, a_end, b_first, b_end;
  sim_change_sectors(a, sector_bytes, &a_first, &a_end);
  sim_change_sectors(b, sector_bytes, &b_first, &b_end);
  return a_first < b_end && b_first < a_end;
}

/* Draws which of the covered changes never reach the platter (sectors_lost = 1):
 * none, all, or each by itself. */
static void draw_doomed(struct sim_disk *disk, struct sim_file *file, uint64_t order) {
  uint64_t extent = ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_PREFIX), 3);
  for (struct sim_change *change = file->first; change != NULL && change->order <= order; change = change->next) {
    change->sectors_lost = extent == 1;
    if (extent == 2)
      change->sectors_lost = (uint32_t)ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_SECTOR), 2);
  }
}

/* Undoes doomed changes in the live file. One that a later change rewrote in some
 * sector is persisted with it instead. */
static void revert(struct sim_disk *disk, struct sim_file *file, uint64_t order) {
  uint32_t sector_bytes = disk->config.sector_bytes;
  bool later = file->last != NULL && file->last->order > order;
  struct sim_change *previous;
  for (struct sim_change *change = file->last; change != NULL; change = previous) {
    previous = change->previous;
    if (change->order > order || change->sectors_lost == 0) continue;
    bool rewritten = false;
    for (const struct sim_change *at = change->next; at != NULL && !rewritten; at = at->next)
      rewritten = touches(change, at, sector_bytes);
    if (rewritten) continue;
    sim_file_undo(disk->ground, file, change, 0, UINT64_MAX);
    bool newest = change->next == NULL || change->next->order > order;
    uint64_t size = previous != NULL ? previous->size_after : file->durable_size;
    sim_file_forget(disk->ground, file, change);
    if (newest && !later) file->size = size;
  }
  sim_file_resize(disk->ground, file, file->size);
  sim_file_persist(disk->ground, file, order, sector_bytes);
}

/* Returns whether there was anything to doom. */
static bool doom(struct sim_disk *disk, struct sim_file *file, uint64_t order, bool all) {
  bool doomed = false;
  while (file->first != NULL && file->first->order <= order) {
    bool lost = all || file->first->sectors_lost != 0;
    doomed = doomed || lost;
    if (lost)
      sim_file_doom_first(disk->ground, file);
    else
      sim_file_persist_first(disk->ground, file, disk->config.sector_bytes);
  }
  return doomed;
}

/* The range that holds all changes that an fsync covers. */
static void covered(const struct sim_file *file, uint64_t order, uint64_t *from, uint64_t *to) {
  *from = *to = 0;
  for (const struct sim_change *change = file->first; change != NULL && change->order <= order; change = change->next) {
    uint64_t end = change->offset + change->size;
    if (change == file->first || change->offset < *from) *from = change->offset;
    if (end > *to) *to = end;
  }
}

/* Fails an fsync. Returns whether it is told now. */
static bool fsync_fail(struct sim_disk *disk, struct sim_file *file, uint64_t order) {
  uint64_t form = ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_FSYNC_ERROR_FORM), FORM_COUNT);
  if (form == FORM_LATE && !sim_disk_may_damage(disk)) form = FORM_CLEAN;
  uint64_t from, to;
  covered(file, order, &from, &to);
  draw_doomed(disk, file, order);
  file->errors++;
  if (form == FORM_REVERT) {
    uint64_t before = file->size;
    revert(disk, file, order);
    if (file->names + file->handles > 0) disk->used_bytes -= before - file->size;
    return true;
  }
  bool doomed = doom(disk, file, order, false);
  if (form == FORM_LATE && doomed) /* this one reports success */
    sim_disk_damage(disk, SIM_DAMAGE_FSYNC_LATE, file, from, to - from, 0);
  return form != FORM_LATE;
}

int sim_disk_fsync_file_result(struct sim_disk *disk, struct sim_file *file, uint64_t order,
                               struct sim_handle *handle) {
  const struct sim_disk_config *config = &disk->config;
  uint64_t told = handle != NULL ? handle->errors_told : file->errors;
  bool late = false;
  if (sim_disk_fault(disk, SIM_FAULT_DISK_FSYNC_ERROR, SIM_CHOICE_DISK_FSYNC_ERROR, config->fsync_error_ppm)) {
    if (!fsync_fail(disk, file, order)) {
      late = true;
    } else if (handle == NULL) {
      file->errors_seen = file->errors;
      return SYNC_E_IO;
    }
  } else if (sim_disk_damage_fault(disk, SIM_FAULT_DISK_FSYNC_LIE, SIM_CHOICE_DISK_FSYNC_LIE, config->fsync_lie_ppm)) {
    uint64_t from, to;
    covered(file, order, &from, &to);
    if (doom(disk, file, order, true)) sim_disk_damage(disk, SIM_DAMAGE_FSYNC_LIE, file, from, to - from, 0);
  } else {
    sim_file_persist(disk->ground, file, order, config->sector_bytes);
  }
  if (handle == NULL) return SYNC_OK;
  uint64_t reported = late ? file->errors - 1 : file->errors;
  handle->errors_told = reported;
  if (told < reported) file->errors_seen = reported;
  return told < reported ? SYNC_E_IO : SYNC_OK;
}

int sim_disk_fsync_dir_result(struct sim_disk *disk, uint64_t order) {
  const struct sim_disk_config *config = &disk->config;
  if (sim_disk_fault(disk, SIM_FAULT_DISK_FSYNC_ERROR, SIM_CHOICE_DISK_FSYNC_ERROR, config->fsync_error_ppm)) {
    /* Some first of the changes reached the journal; the rest stay pending. */
    uint64_t covered = 0;
    const struct sim_entry_change *change = disk->directory.first;
    for (; change != NULL && change->order <= order; change = change->next)
      covered++;
    uint64_t kept = covered - ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_PREFIX), covered + 1);
    for (change = disk->directory.first; kept > 0 && change != NULL; kept--, change = disk->directory.first)
      sim_directory_persist(disk, change->order);
    return SYNC_E_IO;
  }
  if (sim_disk_damage_fault(disk, SIM_FAULT_DISK_FSYNC_LIE, SIM_CHOICE_DISK_FSYNC_LIE, config->fsync_lie_ppm)) {
    if (disk->directory.first != NULL && disk->directory.first->order <= order)
      sim_disk_damage(disk, SIM_DAMAGE_FSYNC_LIE, NULL, 0, 0, 0);
    return SYNC_OK;
  }
  sim_directory_persist(disk, order);
  return SYNC_OK;
}

void sim_disk_rot(struct sim_disk *disk) {
  uint64_t bytes = 0;
  for (uint32_t i = 0; i < disk->directory.count; i++)
    bytes += disk->directory.entries[i].file->size;
  if (bytes == 0) return;
  if (!sim_disk_damage_fault(disk, SIM_FAULT_DISK_ROT, SIM_CHOICE_DISK_ROT, disk->config.rot_ppm)) return;
  uint64_t bit = ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_ROT_WHERE), bytes * 8);
  for (uint32_t i = 0; i < disk->directory.count; i++) {
    struct sim_file *file = disk->directory.entries[i].file;
    if (bit < file->size * 8) {
      sim_file_flip(disk->ground, file, bit);
      sim_disk_damage(disk, SIM_DAMAGE_ROT, file, bit / 8, 1, 0);
      return;
    }
    bit -= file->size * 8;
  }
}

bool sim_disk_draw_unreadable(struct sim_disk *disk, struct sim_file *file, uint64_t from, uint64_t to) {
  uint64_t sector_bytes = disk->config.sector_bytes, at, candidates = 0;
  if (disk->config.unreadable_ppm == 0 || !sim_disk_may_damage(disk)) return false;
  bool fired =
      ground_chance(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_UNREADABLE), disk->config.unreadable_ppm) != 0;
  for (at = from - from % sector_bytes; fired && at < to; at += sector_bytes)
    candidates += sim_file_reads_platter(file, at, disk->config.sector_bytes);
  ground_fault(disk->ground, SIM_FAULT_DISK_UNREADABLE, candidates > 0);
  if (candidates == 0) return false;
  uint64_t which = ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_UNREADABLE_WHERE), candidates);
  for (at = from - from % sector_bytes;; at += sector_bytes)
    if (sim_file_reads_platter(file, at, disk->config.sector_bytes) && which-- == 0) break;
  sim_file_make_unreadable(disk->ground, file, at, at + sector_bytes, disk->config.sector_bytes);
  sim_disk_damage(disk, SIM_DAMAGE_UNREADABLE, file, at, sector_bytes, 0);
  return true;
}
