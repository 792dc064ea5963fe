#include "sim/disk/disk_files.h"

#include "sim/disk/damage_record.h"

void sim_disk_link(struct sim_disk *disk, struct sim_file *file) {
  file->previous = disk->files_last;
  if (disk->files_last != NULL)
    disk->files_last->next = file;
  else
    disk->files = file;
  disk->files_last = file;
}

void sim_disk_release(struct sim_disk *disk, struct sim_file *file) {
  if (file->names + file->handles + file->references > 0) return;
  if (file->previous != NULL)
    file->previous->next = file->next;
  else
    disk->files = file->next;
  if (file->next != NULL)
    file->next->previous = file->previous;
  else
    disk->files_last = file->previous;
  sim_disk_damage_forget(disk, file);
  sim_file_destroy(disk->ground, file);
}

bool disk_file_counts(const struct sim_file *file) {
  return file->names + file->handles > 0;
}

void sim_disk_count_used(struct sim_disk *disk) {
  disk->used_bytes = 0;
  for (const struct sim_file *file = disk->files; file != NULL; file = file->next)
    if (disk_file_counts(file)) disk->used_bytes += file->size;
}

struct sim_file *sim_disk_other_file(const struct sim_disk *disk, const struct sim_file *file, uint64_t index) {
  for (uint32_t i = 0; i < disk->directory.count; i++) {
    struct sim_file *other = disk->directory.entries[i].file;
    if (other != file && other->durable_size > 0 && index-- == 0) return other;
  }
  return NULL;
}
