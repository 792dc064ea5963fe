#include "sim/disk/damage_record.h"

void sim_disk_damage_forget(struct sim_disk *disk, const struct sim_file *file) {
  for (uint64_t i = 0; i < disk->damage_count; i++) {
    struct sim_damage *damage = &disk->damages[i];
    if (damage->file != file || damage->over) continue;
    damage->file = NULL;
    damage->over = true;
  }
}
