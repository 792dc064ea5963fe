/* Looking at a disk from outside of its machine, for oracles. */
#include "sim/disk/disk.h"
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
