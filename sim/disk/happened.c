#include "sim/disk/happened.h"

#include "sim/disk/directory.h"

/* The first name that it has; NULL: it has none any more. */
static const char *name_of(const struct sim_disk *disk, const struct sim_file *file) {
  for (uint32_t i = 0; i < disk->directory.count; i++)
    if (disk->directory.entries[i].file == file) return disk->directory.entries[i].name;
  return NULL;
}

static void tell(const struct sim_disk *disk, enum sim_happening_kind kind, const uint64_t *fields, size_t count,
                 const char *name) {
  trace_happened(&disk->ground->trace, kind, disk->node, fields, count, name);
}

static uint64_t signed_field(int result) {
  return (uint64_t)(int64_t)result;
}

void disk_happened_fsync(const struct sim_disk *disk, const struct sim_file *file, bool done, int result) {
  enum sim_happening_kind kind = done ? SIM_HAPPENED_FSYNC_DONE : SIM_HAPPENED_FSYNC_BEGUN;
  if (!trace_watched(&disk->ground->trace, kind)) return;
  const uint64_t fields[] = {file == NULL, signed_field(result)};
  tell(disk, kind, fields, done ? 2 : 1, file != NULL ? name_of(disk, file) : NULL);
}

void disk_happened_write(const struct sim_disk *disk, const struct sim_file *file, uint64_t offset, uint64_t size,
                         int result) {
  if (!trace_watched(&disk->ground->trace, SIM_HAPPENED_WRITE) || file == NULL) return;
  const uint64_t fields[] = {offset, size, signed_field(result)};
  tell(disk, SIM_HAPPENED_WRITE, fields, 3, name_of(disk, file));
}

void disk_happened_name(const struct sim_disk *disk, enum sim_happening_kind kind, const char *name, int result) {
  if (!trace_watched(&disk->ground->trace, kind) || !sim_name_valid(name)) return;
  const uint64_t field = signed_field(result);
  tell(disk, kind, &field, 1, name);
}
