#include "sim/disk/handles.h"

#include <string.h>

#include "sim/disk/disk_files.h"

struct sim_handle *disk_handle_at(struct sim_disk *disk, sync_file file) {
  if (file < 0 || (uint32_t)file >= disk->handle_slots) return NULL;
  struct sim_handle *handle = &disk->handles[file];
  return handle->file != NULL ? handle : NULL;
}

/* The lowest free number, as kernels do. */
int disk_handle_take(struct sim_disk *disk, struct sim_file *file, sync_file *number) {
  uint32_t free_slot = 0;
  while (free_slot < disk->handle_slots && disk->handles[free_slot].file != NULL)
    free_slot++;
  if (free_slot == disk->handle_slots) {
    uint32_t slots = disk->handle_slots == 0 ? 8 : disk->handle_slots * 2;
    struct sim_handle *handles = sim_disk_alloc(disk->ground, slots * sizeof *handles);
    memset(handles, 0, slots * sizeof *handles);
    if (disk->handles != NULL) {
      memcpy(handles, disk->handles, disk->handle_slots * sizeof *handles);
      ground_free(disk->ground, disk->handles, disk->handle_slots * sizeof *handles);
    }
    disk->handles = handles;
    disk->handle_slots = slots;
  }
  disk->handles[free_slot].file = file;
  disk->handles[free_slot].errors_told = file->errors_seen;
  disk->handles_open++;
  file->handles++;
  *number = (sync_file)free_slot;
  return SYNC_OK;
}

void disk_handle_drop(struct sim_disk *disk, struct sim_handle *handle) {
  struct sim_file *file = handle->file;
  handle->file = NULL;
  disk->handles_open--;
  file->handles--;
  if (!disk_file_counts(file)) disk->used_bytes -= file->size;
  sim_disk_release(disk, file);
}

void sim_disk_drop_process(struct sim_disk *disk) {
  disk->life++;
  disk->busy_until_ns = 0;
  for (uint32_t i = 0; i < disk->handle_slots; i++)
    if (disk->handles[i].file != NULL) disk_handle_drop(disk, &disk->handles[i]);
  while (disk->fsyncs != NULL) {
    struct sim_fsync *fsync = disk->fsyncs;
    disk->fsyncs = fsync->next;
    if (fsync->file != NULL) {
      fsync->file->references--;
      sim_disk_release(disk, fsync->file);
    }
    ground_free(disk->ground, fsync, sizeof *fsync);
  }
}
