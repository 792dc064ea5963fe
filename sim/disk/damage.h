/* Damage at rest: its budget and its record. */
#ifndef SIM_DAMAGE_H
#define SIM_DAMAGE_H

#include "sim/disk/disk_state.h"

/* Whether the budget allows one more. */
bool sim_disk_may_damage(const struct sim_disk *disk);
/* Counts and records one. `file` NULL: the directory. */
void sim_disk_damage(struct sim_disk *disk, enum sim_damage_kind kind, const struct sim_file *file, uint64_t offset,
                     uint64_t size, uint64_t stray_offset);

/* A write of [offset, offset + size) of `file` that hit another one instead, at
 * [stray_offset, stray_offset + stray_size): one damage, two records. */
void sim_disk_damage_stray(struct sim_disk *disk, const struct sim_file *file, uint64_t offset, uint64_t size,
                           const struct sim_file *victim, uint64_t stray_offset, uint64_t stray_size);
/* Whether a byte of [from, to) lies in what has rotted. */
bool sim_disk_damage_rotten(const struct sim_disk *disk, const struct sim_file *file, uint64_t from, uint64_t to);
/* Power is about to be lost: what the cache hid shows. */
void sim_disk_damage_strike(struct sim_disk *disk);
/* Whether the platter itself has it now, so that an image of it does. */
bool sim_disk_damage_on_platter(const struct sim_disk *disk, uint64_t index);
/* It is back, in this file that an image gave. */
void sim_disk_damage_revive(struct sim_disk *disk, uint64_t index, const struct sim_file *file);

#endif
