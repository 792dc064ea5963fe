/* What the world has done to the data at rest of a disk: the budget of it, and
 * the record that oracles read. */
#include <string.h>

#include "sim/disk/damage.h"
#include "sim/disk/directory.h"
#include "sim/disk/disk.h"

bool sim_disk_may_damage(const struct sim_disk *disk) {
  return disk->config.damage_budget == 0 || disk->damage_count < disk->config.damage_budget;
}

static uint64_t name_hash(const struct sim_disk *disk, const struct sim_file *file) {
  for (uint32_t i = 0; i < disk->directory.count; i++)
    if (disk->directory.entries[i].file == file) return sim_name_hash(disk->directory.entries[i].name);
  return 0;
}

void sim_disk_damage(struct sim_disk *disk, enum sim_damage_kind kind, const struct sim_file *file, uint64_t offset,
                     uint64_t size, uint64_t stray_offset) {
  disk->damaged = true;
  if (disk->damages == NULL) disk->damages = sim_disk_alloc(disk->ground, SIM_DAMAGES_MAX * sizeof *disk->damages);
  if (disk->damage_count < SIM_DAMAGES_MAX) {
    uint64_t name = file != NULL ? name_hash(disk, file) : 0;
    disk->damages[disk->damage_count] =
        (struct sim_damage){.kind = kind,
                            .name_hash = name,
                            .offset = offset,
                            .size = size,
                            .stray_name_hash = name,
                            .stray_offset = kind == SIM_DAMAGE_MISDIRECTED ? stray_offset : offset,
                            .time_ns = ground_now(disk->ground)};
  }
  disk->damage_count++;
  uint64_t fields[] = {kind, file != NULL ? name_hash(disk, file) : 0, offset, size};
  ground_trace(disk->ground, SIM_SUB_DISK, SIM_STEP_DISK_DAMAGE, disk->node, fields, 4);
}

void sim_disk_damage_stray(struct sim_disk *disk, const struct sim_file *file, uint64_t offset, uint64_t size,
                           const struct sim_file *victim, uint64_t stray_offset) {
  uint64_t index = disk->damage_count;
  sim_disk_damage(disk, SIM_DAMAGE_MISDIRECTED, file, offset, size, stray_offset);
  if (index < SIM_DAMAGES_MAX) disk->damages[index].stray_name_hash = name_hash(disk, victim);
}

uint64_t sim_disk_damage_count(const struct sim_disk *disk) {
  return disk->damage_count;
}

const struct sim_damage *sim_disk_damage_at(const struct sim_disk *disk, uint64_t index) {
  return index < disk->damage_count && index < SIM_DAMAGES_MAX ? &disk->damages[index] : NULL;
}

bool sim_disk_damaged(const struct sim_disk *disk) {
  return disk->damaged;
}

/* --- By script ------------------------------------------------------------------- */

static struct sim_file *find(struct sim_disk *disk, const char *name) {
  return sim_name_valid(name) ? sim_directory_find(&disk->directory, name) : NULL;
}

bool sim_disk_flip(struct sim_disk *disk, const char *name, uint64_t bit) {
  struct sim_file *file = find(disk, name);
  if (file == NULL || bit / 8 >= file->size) return false;
  sim_file_flip(disk->ground, file, bit);
  sim_disk_damage(disk, SIM_DAMAGE_ROT, file, bit / 8, 1, 0);
  return true;
}

bool sim_disk_unreadable(struct sim_disk *disk, const char *name, uint64_t sector, uint64_t count) {
  struct sim_file *file = find(disk, name);
  uint64_t sector_bytes = disk->config.sector_bytes;
  uint64_t sectors = file != NULL ? (file->size + sector_bytes - 1) / sector_bytes : 0;
  if (count == 0 || sector >= sectors || count > sectors - sector) return false;
  uint64_t from = sector * sector_bytes, size = count * sector_bytes;
  sim_file_make_unreadable(disk->ground, file, from, from + size, disk->config.sector_bytes);
  ground_fault(disk->ground, SIM_FAULT_DISK_UNREADABLE, 1);
  sim_disk_damage(disk, SIM_DAMAGE_UNREADABLE, file, from, size, 0);
  return true;
}
