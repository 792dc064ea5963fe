/* The record of damage, and what ends an entry of it. */
#ifndef SIM_DAMAGE_RECORD_H
#define SIM_DAMAGE_RECORD_H

#include "sim/disk/disk_state.h"

/* The file goes away; NULL: the names on the platter are as everybody sees them. */
void sim_disk_damage_forget(struct sim_disk *disk, const struct sim_file *file);

#endif
