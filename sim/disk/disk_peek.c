/* Looking at a disk from outside of its machine, for oracles. */
#include <string.h>

#include "sim/disk/disk.h"
#include "sim/disk/directory.h"
#include "sim/disk/disk_state.h"

const char *sim_disk_peek_name(const struct sim_disk *disk, uint32_t place) {
  return place < disk->directory.count ? disk->directory.entries[place].name : NULL;
}

size_t sim_disk_peek(const struct sim_disk *disk, const char *name, uint64_t offset, void *bytes, size_t size) {
  const struct sim_file *file = sim_directory_find(&disk->directory, name);
  if (file == NULL || offset >= file->size) return 0;
  if (size > file->size - offset) size = (size_t)(file->size - offset);
  sim_file_get(file, offset, bytes, size);
  return size;
}

bool sim_disk_peek_unreadable(const struct sim_disk *disk, const char *name, uint64_t offset, uint64_t size) {
  const struct sim_file *file = sim_directory_find(&disk->directory, name);
  return file != NULL && sim_file_read_fails(file, offset, offset + size, disk->config.sector_bytes);
}

static bool name_is_durable(const struct sim_disk *disk, const char *name) {
  for (const struct sim_entry_change *change = disk->directory.first; change != NULL; change = change->next)
    if (strcmp(change->name, name) == 0 || strcmp(change->to, name) == 0) return false;
  return true;
}

uint64_t sim_disk_peek_durable(const struct sim_disk *disk, const char *name) {
  const struct sim_file *file = sim_directory_find(&disk->directory, name);
  if (file == NULL || !name_is_durable(disk, name)) return 0;
  uint64_t durable = file->size < file->durable_size ? file->size : file->durable_size;
  for (const struct sim_change *change = file->first; change != NULL; change = change->next)
    if (change->offset < durable) durable = change->offset;
  if (file->scars != NULL && file->scars->offset < durable) durable = file->scars->offset;
  return durable;
}
