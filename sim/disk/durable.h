/* What becomes durable, and when, on each kind of disk. */
#ifndef SIM_DURABLE_H
#define SIM_DURABLE_H

#include "sim/disk/disk_state.h"

/* Everything up to `order`, on the whole disk, is on the platter. */
void sim_disk_persist_all(struct sim_disk *disk, uint64_t order);
/* The oldest pending change of the whole disk is; false: there was none. */
bool sim_disk_persist_oldest(struct sim_disk *disk, uint64_t order_max);
/* An honest fsync of a file, or of the directory, covers changes up to `order`. */
void sim_disk_persist_file(struct sim_disk *disk, struct sim_file *file, uint64_t order);
void sim_disk_persist_names(struct sim_disk *disk, uint64_t order);
/* Write-back, after a write of that file or (NULL) after a change of names. */
void sim_disk_write_back(struct sim_disk *disk, struct sim_file *file);

#endif
