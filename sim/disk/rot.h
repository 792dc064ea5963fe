/* Decay of what is on the platter: rot, and sectors that can no longer be read. */
#ifndef SIM_ROT_H
#define SIM_ROT_H

#include "sim/disk/disk_state.h"

/* Durable bytes decay, perhaps: after a power loss. */
void sim_disk_decay_at_rest(struct sim_disk *disk);
/* The same while the machine runs, after a write. */
void sim_disk_decay(struct sim_disk *disk);
/* The same at a read of [from, to) of that file, before the data is served; from < to. */
void sim_disk_decay_read(struct sim_disk *disk, struct sim_file *file, uint64_t from, uint64_t to);
/* A read of [from, to) finds a sector unreadable, perhaps; from < to. */
bool sim_disk_draw_unreadable(struct sim_disk *disk, struct sim_file *file, uint64_t from, uint64_t to);
#endif
