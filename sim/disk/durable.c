#include "sim/disk/durable.h"

#include "sim/disk/directory.h"

void sim_disk_persist_all(struct sim_disk *disk, uint64_t order) {
  for (struct sim_file *file = disk->files; file != NULL; file = file->next)
    sim_file_persist(disk->ground, file, order, disk->config.sector_bytes);
  sim_directory_persist(disk, order);
}

bool sim_disk_persist_oldest(struct sim_disk *disk, uint64_t order_max) {
  struct sim_file *oldest = NULL;
  uint64_t order = UINT64_MAX;
  for (struct sim_file *file = disk->files; file != NULL; file = file->next)
    if (file->first != NULL && file->first->order < order) oldest = file, order = file->first->order;
  const struct sim_entry_change *names = disk->directory.first;
  if (names != NULL && names->order < order) oldest = NULL, order = names->order;
  if (order > order_max) return false;
  if (oldest != NULL)
    sim_file_persist_first(disk->ground, oldest, disk->config.sector_bytes);
  else
    sim_directory_persist(disk, order);
  return true;
}

/* The creation of a file whose name is not durable yet: 0 when there is none. A
 * journal is one list: what stands before it in the directory comes along. */
static uint64_t creation(const struct sim_disk *disk, const struct sim_file *file, uint64_t order) {
  for (const struct sim_entry_change *change = disk->directory.first; change != NULL && change->order <= order;
       change = change->next)
    if (change->kind == SIM_ENTRY_CREATE && change->file == file) return change->order;
  return 0;
}

void sim_disk_persist_file(struct sim_disk *disk, struct sim_file *file, uint64_t order) {
  if (disk->config.on_crash == SIM_DISK_ORDERED) {
    sim_disk_persist_all(disk, order);
    return;
  }
  sim_file_persist(disk->ground, file, order, disk->config.sector_bytes);
  if (disk->config.fsync_names) sim_directory_persist(disk, creation(disk, file, order));
}

void sim_disk_persist_names(struct sim_disk *disk, uint64_t order) {
  if (disk->config.on_crash == SIM_DISK_ORDERED)
    sim_disk_persist_all(disk, order);
  else
    sim_directory_persist(disk, order);
}

void sim_disk_write_back(struct sim_disk *disk, struct sim_file *file) {
  if (disk->config.on_crash == SIM_DISK_ORDERED)
    (void)sim_disk_persist_oldest(disk, UINT64_MAX);
  else if (file != NULL)
    sim_file_persist_first(disk->ground, file, disk->config.sector_bytes);
  else
    sim_directory_persist(disk, disk->directory.first->order);
}
