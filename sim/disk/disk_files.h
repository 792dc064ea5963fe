/* The files of a disk: those that something refers to, oldest first. */
#ifndef SIM_DISK_FILES_H
#define SIM_DISK_FILES_H

#include "sim/disk/disk_state.h"

/* The file is the newest of the disk's list. */
void sim_disk_link(struct sim_disk *disk, struct sim_file *file);
/* Frees the file when nothing refers to it any more. */
void sim_disk_release(struct sim_disk *disk, struct sim_file *file);
/* Whether its size counts as used: it has a name or a handle. */
bool disk_file_counts(const struct sim_file *file);
void sim_disk_count_used(struct sim_disk *disk);

/* One of the other files that has a name and durable content, NULL past the end; the
 * file itself may be NULL: any. */
struct sim_file *sim_disk_other_file(const struct sim_disk *disk, const struct sim_file *file, uint64_t index);

#endif
