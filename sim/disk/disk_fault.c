#include <string.h>

#include "sim/disk/disk_fault.h"
#include "sim/disk/damage.h"
#include "sim/disk/damage_record.h"
#include "sim/disk/directory.h"
#include "sim/disk/disk.h"
#include "sim/disk/disk_files.h"
#include "sim/disk/durable.h"

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
  return size - 1 - (size_t)ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_SHORT_SIZE), size - 1);
}

/* A write lands at the same place of another sector of the file, when it is persisted. */
static void stray_within(struct sim_disk *disk, struct sim_file *file, struct sim_change *change, const uint8_t *bytes,
                         uint64_t sectors) {
  uint32_t sector_bytes = disk->config.sector_bytes;
  uint64_t own = change->offset / sector_bytes;
  uint64_t other = ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_MISDIRECT_WHERE), sectors - 1);
  if (other >= own) other++;
  change->fate = SIM_FATE_STRAY;
  change->stray = sim_disk_alloc(disk->ground, (size_t)change->size);
  memcpy(change->stray, bytes, (size_t)change->size);
  change->stray_offset = other * sector_bytes + change->offset % sector_bytes;
  sim_disk_damage(disk, SIM_DAMAGE_MISDIRECTED, file, change->offset, change->size, change->stray_offset);
}

/* It hits another file, at once: what the drive has been given it may write at any time. */
static void stray_to(struct sim_disk *disk, const struct sim_file *file, struct sim_change *change,
                     const uint8_t *bytes, struct sim_file *victim) {
  uint32_t sector_bytes = disk->config.sector_bytes;
  uint64_t sectors = (victim->durable_size + sector_bytes - 1) / sector_bytes;
  uint64_t sector = ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_MISDIRECT_WHERE), sectors);
  uint64_t at = sector * sector_bytes + change->offset % sector_bytes;
  if (at >= victim->durable_size) at = sector * sector_bytes;
  uint64_t size = victim->durable_size - at < change->size ? victim->durable_size - at : change->size;
  change->fate = SIM_FATE_LOST;
  sim_file_stray(disk->ground, victim, at, bytes, size, sector_bytes);
  sim_disk_damage_stray(disk, file, change->offset, change->size, victim, at, size);
}

void sim_disk_draw_fate(struct sim_disk *disk, struct sim_file *file, struct sim_change *change, const uint8_t *bytes) {
  const struct sim_disk_config *config = &disk->config;
  uint64_t sectors = (file->size + config->sector_bytes - 1) / config->sector_bytes;
  if (sim_disk_damage_fault(disk, SIM_FAULT_DISK_LOST_WRITE, SIM_CHOICE_DISK_LOST_WRITE, config->lost_write_ppm)) {
    change->fate = SIM_FATE_LOST;
    sim_disk_damage(disk, SIM_DAMAGE_LOST_WRITE, file, change->offset, change->size, 0);
    return;
  }
  if (config->misdirect_ppm == 0 || (sectors < 2 && sim_disk_other_file(disk, file, 0) == NULL)) return;
  if (!sim_disk_damage_fault(disk, SIM_FAULT_DISK_MISDIRECTED, SIM_CHOICE_DISK_MISDIRECT, config->misdirect_ppm))
    return;
  uint64_t others = 0;
  while (sim_disk_other_file(disk, file, others) != NULL)
    others++;
  /* Outcome 0 is the file itself, where it has another sector. */
  uint64_t own = sectors > 1, places = own + others;
  uint64_t where =
      places > 1 ? ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_MISDIRECT_FILE), places) : 0;
  if (where < own)
    stray_within(disk, file, change, bytes, sectors);
  else
    stray_to(disk, file, change, bytes, sim_disk_other_file(disk, file, where - own));
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

/* *full: for want of space, which delayed allocation notices as late as this. */
static bool fsync_fails(struct sim_disk *disk, bool *full) {
  const struct sim_disk_config *config = &disk->config;
  if (sim_disk_fault(disk, SIM_FAULT_DISK_FSYNC_ERROR, SIM_CHOICE_DISK_FSYNC_ERROR, config->fsync_error_ppm))
    return true;
  *full =
      sim_disk_fault(disk, SIM_FAULT_DISK_FSYNC_NO_SPACE, SIM_CHOICE_DISK_FSYNC_NO_SPACE, config->fsync_no_space_ppm);
  return *full;
}

int sim_disk_fsync_file_result(struct sim_disk *disk, struct sim_file *file, uint64_t order,
                               struct sim_handle *handle) {
  const struct sim_disk_config *config = &disk->config;
  uint64_t told = handle != NULL ? handle->errors_told : file->errors;
  bool late = false, full = false;
  if (fsync_fails(disk, &full)) {
    if (!fsync_fail(disk, file, order)) {
      late = true;
    } else if (handle == NULL) {
      file->errors_seen = file->errors;
      return full ? SYNC_E_NO_SPACE : SYNC_E_IO;
    }
  } else if (sim_disk_damage_fault(disk, SIM_FAULT_DISK_FSYNC_LIE, SIM_CHOICE_DISK_FSYNC_LIE, config->fsync_lie_ppm)) {
    uint64_t from, to;
    covered(file, order, &from, &to);
    if (doom(disk, file, order, true)) sim_disk_damage(disk, SIM_DAMAGE_FSYNC_LIE, file, from, to - from, 0);
  } else {
    sim_disk_persist_file(disk, file, order);
  }
  if (handle == NULL) return SYNC_OK;
  uint64_t reported = late ? file->errors - 1 : file->errors;
  handle->errors_told = reported;
  if (told < reported) file->errors_seen = reported;
  if (told == reported) return SYNC_OK;
  return full && !late ? SYNC_E_NO_SPACE : SYNC_E_IO;
}

/* Some first of the changes reached the journal; the rest stay pending. */
static void persist_some_names(struct sim_disk *disk, uint64_t order) {
  uint64_t covered = 0, last = 0;
  for (const struct sim_entry_change *at = disk->directory.first; at != NULL && at->order <= order; at = at->next)
    covered++;
  uint64_t kept = covered - ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_PREFIX), covered + 1);
  for (const struct sim_entry_change *at = disk->directory.first; kept > 0 && at != NULL; kept--, at = at->next)
    last = at->order;
  sim_disk_persist_names(disk, last);
}

int sim_disk_fsync_dir_result(struct sim_disk *disk, uint64_t order) {
  const struct sim_disk_config *config = &disk->config;
  bool full = false;
  if (fsync_fails(disk, &full)) {
    persist_some_names(disk, order);
    return full ? SYNC_E_NO_SPACE : SYNC_E_IO;
  }
  if (sim_disk_damage_fault(disk, SIM_FAULT_DISK_FSYNC_LIE, SIM_CHOICE_DISK_FSYNC_LIE, config->fsync_lie_ppm)) {
    if (disk->directory.first != NULL && disk->directory.first->order <= order)
      sim_disk_damage(disk, SIM_DAMAGE_FSYNC_LIE, NULL, 0, 0, 0);
    return SYNC_OK;
  }
  sim_disk_persist_names(disk, order);
  sim_disk_damage_forget(disk, NULL);
  return SYNC_OK;
}
