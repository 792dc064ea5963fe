/* Damage at rest: its budget and its record. */
#ifndef SIM_DAMAGE_H
#define SIM_DAMAGE_H

#include "sim/disk/disk_state.h"

/* Whether the budget allows one more. */
bool sim_disk_may_damage(const struct sim_disk *disk);
/* Counts and records one. `file` NULL: the directory. */
void sim_disk_damage(struct sim_disk *disk, enum sim_damage_kind kind, const struct sim_file *file, uint64_t offset,
                     uint64_t size, uint64_t stray_offset);

/* A write of [offset, offset + size) of `file` that hit another one. */
void sim_disk_damage_stray(struct sim_disk *disk, const struct sim_file *file, uint64_t offset, uint64_t size,
                           const struct sim_file *victim, uint64_t stray_offset);

#endif
