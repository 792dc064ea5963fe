/* What the world has done to the data at rest of a disk: the budget of it, and
 * the record that oracles read. */
#include <string.h>

#include "sim/disk/damage.h"
#include "sim/disk/directory.h"
#include "sim/disk/disk.h"

bool sim_disk_may_damage(const struct sim_disk *disk) {
  return disk->config.damage_budget == 0 || disk->damage_count - disk->damage_parts < disk->config.damage_budget;
}

static uint64_t name_hash(const struct sim_disk *disk, const struct sim_file *file) {
  for (uint32_t i = 0; i < disk->directory.count; i++)
    if (disk->directory.entries[i].file == file) return sim_name_hash(disk->directory.entries[i].name);
  return 0;
}

static void make_room(struct sim_disk *disk) {
  if (disk->damage_count < disk->damage_slots) return;
  uint64_t slots = disk->damage_slots ? 2 * disk->damage_slots : 16;
  struct sim_damage *damages = sim_disk_alloc(disk->ground, (size_t)slots * sizeof *damages);
  if (disk->damages != NULL) {
    memcpy(damages, disk->damages, (size_t)disk->damage_count * sizeof *damages);
    ground_free(disk->ground, disk->damages, (size_t)disk->damage_slots * sizeof *damages);
  }
  disk->damages = damages;
  disk->damage_slots = slots;
}

void sim_disk_damage(struct sim_disk *disk, enum sim_damage_kind kind, const struct sim_file *file, uint64_t offset,
                     uint64_t size, uint64_t stray_offset) {
  disk->damaged = true;
  make_room(disk);
  struct sim_damage *damage = &disk->damages[disk->damage_count++];
  memset(damage, 0, sizeof *damage);
  damage->kind = kind;
  damage->name_hash = file != NULL ? name_hash(disk, file) : 0;
  damage->stray_name_hash = damage->name_hash;
  damage->offset = offset;
  damage->size = size;
  damage->stray_offset = kind == SIM_DAMAGE_MISDIRECTED ? stray_offset : offset;
  damage->time_ns = ground_now(disk->ground);
  damage->file = file;
  uint64_t fields[] = {kind, damage->name_hash, offset, size};
  ground_trace(disk->ground, SIM_SUB_DISK, SIM_STEP_DISK_DAMAGE, disk->node, fields, 4);
}

void sim_disk_damage_stray(struct sim_disk *disk, const struct sim_file *file, uint64_t offset, uint64_t size,
                           const struct sim_file *victim, uint64_t stray_offset, uint64_t stray_size) {
  /* What is missing in one file, and what is wrong in the other, end apart. */
  sim_disk_damage(disk, SIM_DAMAGE_MISDIRECTED, file, offset, size, offset);
  disk->damages[disk->damage_count - 1].stray_name_hash = name_hash(disk, victim);
  sim_disk_damage(disk, SIM_DAMAGE_MISDIRECTED, victim, stray_offset, stray_size, stray_offset);
  disk->damage_parts++;
}

uint64_t sim_disk_damage_count(const struct sim_disk *disk) {
  return disk->damage_count;
}

const struct sim_damage *sim_disk_damage_at(const struct sim_disk *disk, uint64_t index) {
  if (index >= disk->damage_count) return NULL;
  struct sim_damage *damage = &disk->damages[index];
  uint64_t name = damage->file != NULL ? name_hash(disk, damage->file) : 0;
  if (name != 0) damage->name_hash = name;
  return damage;
}

/* --- Whether it is still there ----------------------------------------------------- */

static bool overlaps(uint64_t a, uint64_t a_size, uint64_t b, uint64_t b_size) {
  return a < b + b_size && b < a + a_size;
}

bool sim_disk_damage_rotten(const struct sim_disk *disk, const struct sim_file *file, uint64_t from, uint64_t to) {
  for (uint64_t i = 0; i < disk->damage_count; i++) {
    const struct sim_damage *damage = &disk->damages[i];
    if (damage->kind == SIM_DAMAGE_ROT && damage->file == file && !damage->over &&
        overlaps(damage->offset, damage->size, from, to - from))
      return true;
  }
  return false;
}

/* The platter lacks bytes of the range, and the cache hides it. */
static bool is_scarred(const struct sim_file *file, uint64_t offset, uint64_t size) {
  for (const struct sim_scar *scar = file->scars; scar != NULL; scar = scar->next)
    if (overlaps(scar->offset, scar->size, offset, size)) return true;
  return false;
}

/* A pending write of the range will not reach its place. */
static bool is_doomed(const struct sim_file *file, enum sim_change_fate fate, uint64_t offset, uint64_t size) {
  for (const struct sim_change *change = file->first; change != NULL; change = change->next)
    if (change->fate == fate && overlaps(change->offset, change->size, offset, size)) return true;
  return false;
}

static bool is_unreadable(const struct sim_file *file, uint64_t offset, uint64_t size) {
  for (const struct sim_unreadable *run = file->unreadable; run != NULL; run = run->next)
    if (overlaps(run->from, run->to - run->from, offset, size)) return true;
  return false;
}

bool sim_disk_damage_on_platter(const struct sim_disk *disk, uint64_t index) {
  const struct sim_damage *damage = &disk->damages[index];
  if (damage->over || damage->file == NULL) return false;
  if (damage->kind == SIM_DAMAGE_UNREADABLE) return is_unreadable(damage->file, damage->offset, damage->size);
  return damage->kind == SIM_DAMAGE_ROT || damage->struck || is_scarred(damage->file, damage->offset, damage->size) ||
         is_scarred(damage->file, damage->stray_offset, damage->size);
}

bool sim_disk_damage_there(const struct sim_disk *disk, uint64_t index) {
  const struct sim_damage *damage = &disk->damages[index];
  if (damage->over) return false;
  if (damage->file == NULL || sim_disk_damage_on_platter(disk, index)) return true;
  return is_doomed(damage->file, SIM_FATE_LOST, damage->offset, damage->size) ||
         is_doomed(damage->file, SIM_FATE_STRAY, damage->offset, damage->size);
}

void sim_disk_damage_strike(struct sim_disk *disk) {
  for (uint64_t i = 0; i < disk->damage_count; i++) {
    struct sim_damage *damage = &disk->damages[i];
    if (damage->over || damage->struck) continue;
    if (damage->kind == SIM_DAMAGE_ROT || damage->kind == SIM_DAMAGE_UNREADABLE) continue;
    damage->struck = damage->file != NULL ? sim_disk_damage_on_platter(disk, i) : disk->directory.pending > 0;
    /* What goes astray may do so now, over bytes that were durable. */
    if (damage->kind == SIM_DAMAGE_MISDIRECTED && damage->file != NULL &&
        is_doomed(damage->file, SIM_FATE_STRAY, damage->offset, damage->size))
      damage->struck = true;
    damage->over = !damage->struck; /* nobody was told yet that it is durable, or it was written again */
  }
}

void sim_disk_damage_names_seen(struct sim_disk *disk) {
  for (uint64_t i = 0; i < disk->damage_count; i++)
    if (disk->damages[i].file == NULL && disk->damages[i].struck) disk->damages[i].over = true;
}

void sim_disk_damage_revive(struct sim_disk *disk, uint64_t index, const struct sim_file *file) {
  struct sim_damage *damage = &disk->damages[index];
  damage->over = false;
  damage->struck = true;
  damage->file = file;
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
