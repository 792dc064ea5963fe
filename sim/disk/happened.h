/* Tells who waits for it what happens to the files of a disk. */
#ifndef SIM_DISK_HAPPENED_H
#define SIM_DISK_HAPPENED_H

#include "sim/disk/disk_state.h"

/* Each costs a look unless somebody waits for such a happening (sim/trace/happening.h has the fields). */
/* `file` NULL: the directory. */
void disk_happened_fsync(const struct sim_disk *disk, const struct sim_file *file, bool done, int result);
void disk_happened_write(const struct sim_disk *disk, const struct sim_file *file, uint64_t offset, uint64_t size,
                         int result);
/* A rename or an unlink. */
void disk_happened_name(const struct sim_disk *disk, enum sim_happening_kind kind, const char *name, int result);

#endif
