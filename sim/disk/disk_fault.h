/* Whether and how a call of a disk goes wrong. */
#ifndef SIM_DISK_FAULT_H
#define SIM_DISK_FAULT_H

#include "sim/disk/disk_state.h"

/* Draws and counts a fault; no draw at 0 ppm. */
bool sim_disk_fault(struct sim_disk *disk, enum sim_fault fault, enum sim_choice_kind kind, uint32_t ppm);
/* The same for damage at rest; no draw when the budget is used up. */
bool sim_disk_damage_fault(struct sim_disk *disk, enum sim_fault fault, enum sim_choice_kind kind, uint32_t ppm);
/* The next decision of that kind on this disk. */
struct sim_tag sim_disk_tag(struct sim_disk *disk, enum sim_choice_kind kind);
/* Latency of a read or write, and a stall of any call. */
void sim_disk_delay(struct sim_disk *disk, bool transfer);
/* How much of `size` (2 or more) a short transfer does: 1 to size - 1. */
size_t sim_disk_short_size(struct sim_disk *disk, size_t size);
/* Decides what the platter makes of a fresh write; `bytes` are what it wrote. */
void sim_disk_draw_fate(struct sim_disk *disk, struct sim_file *file, struct sim_change *change, const uint8_t *bytes);
/* The end of a file's fsync: makes durable, or fails, or lies. `handle` may be
 * NULL. Returns the result for the node. */
int sim_disk_fsync_file_result(struct sim_disk *disk, struct sim_file *file, uint64_t order, struct sim_handle *handle);
int sim_disk_fsync_dir_result(struct sim_disk *disk, uint64_t order);

#endif
