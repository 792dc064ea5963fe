/* What a process holds of a disk: open files, and the fsyncs that it requested. */
#ifndef SIM_HANDLES_H
#define SIM_HANDLES_H

#include "sim/disk/disk_state.h"

/* NULL: not open. */
struct sim_handle *disk_handle_at(struct sim_disk *disk, sync_file file);
/* Takes the lowest free number, as kernels do. */
int disk_handle_take(struct sim_disk *disk, struct sim_file *file, sync_file *number);
void disk_handle_drop(struct sim_disk *disk, struct sim_handle *handle);
/* Drops handles and requests in flight, as every crash does: another life begins. */
void sim_disk_drop_process(struct sim_disk *disk);

#endif
