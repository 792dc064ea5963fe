/* A copy of what a disk's platter held at some moment, kept in the world's
 * arena, and a disk that is set back to it. */
#include <string.h>

#include "sim/disk/damage.h"
#include "sim/disk/directory.h"
#include "sim/disk/disk.h"
#include "sim/disk/disk_files.h"

struct image_entry {
  char name[SIM_NAME_BYTES];
  struct sim_file *file; /* linked nowhere; nothing pending */
};

#define NO_ENTRY UINT32_MAX

/* What was wrong with it. */
struct image_damage {
  uint64_t index; /* in the disk's record */
  uint32_t entry; /* NO_ENTRY: names that it lacks */
};

struct sim_disk_image {
  struct image_damage *damages;
  uint64_t damage_count, damage_slots;
  uint32_t count;
  struct image_entry entries[];
};

static size_t image_bytes(uint32_t count) {
  return sizeof(struct sim_disk_image) + count * sizeof(struct image_entry);
}

void sim_disk_image_drop(struct sim_disk *disk) {
  struct sim_disk_image *image = disk->image;
  if (image == NULL) return;
  disk->image = NULL;
  for (uint32_t i = 0; i < image->count; i++)
    sim_file_destroy(disk->ground, image->entries[i].file);
  if (image->damages != NULL)
    ground_free(disk->ground, image->damages, (size_t)image->damage_slots * sizeof *image->damages);
  ground_free(disk->ground, image, image_bytes(image->count));
}

static void note_damages(struct sim_disk *disk, struct sim_disk_image *image, const struct sim_directory *names) {
  image->damage_count = 0;
  image->damage_slots = disk->damage_count;
  image->damages = NULL;
  if (disk->damage_count == 0) return;
  image->damages = sim_disk_alloc(disk->ground, (size_t)disk->damage_count * sizeof *image->damages);
  for (uint64_t i = 0; i < disk->damage_count; i++) {
    if (disk->damages[i].file == NULL && sim_disk_damage_there(disk, i)) {
      image->damages[image->damage_count++] = (struct image_damage){i, NO_ENTRY};
      continue;
    }
    if (!sim_disk_damage_on_platter(disk, i)) continue;
    uint32_t entry = 0; /* a rename that is seen half done may leave two names: the first has it */
    while (entry < names->count && disk->damages[i].file != names->entries[entry].file)
      entry++;
    if (entry < names->count) image->damages[image->damage_count++] = (struct image_damage){i, entry};
  }
}

void sim_disk_image_save(struct sim_disk *disk) {
  struct sim_directory names;
  sim_disk_image_drop(disk);
  sim_directory_platter(disk, &names);
  struct sim_disk_image *image = sim_disk_alloc(disk->ground, image_bytes(names.count));
  image->count = names.count;
  for (uint32_t i = 0; i < names.count; i++) {
    memcpy(image->entries[i].name, names.entries[i].name, SIM_NAME_BYTES);
    image->entries[i].file = sim_file_platter(disk->ground, names.entries[i].file);
  }
  note_damages(disk, image, &names);
  sim_directory_platter_drop(disk, &names);
  disk->image = image;
}

bool sim_disk_image_restore(struct sim_disk *disk) {
  const struct sim_disk_image *image = disk->image;
  if (image == NULL) return false;
  sim_disk_wipe(disk);
  for (uint32_t i = 0; i < image->count; i++) {
    struct sim_file *file = sim_file_platter(disk->ground, image->entries[i].file);
    sim_disk_link(disk, file);
    sim_directory_add_durable(disk, image->entries[i].name, file);
    for (uint64_t n = 0; n < image->damage_count; n++)
      if (image->damages[n].entry == i) sim_disk_damage_revive(disk, image->damages[n].index, file);
  }
  for (uint64_t n = 0; n < image->damage_count; n++)
    if (image->damages[n].entry == NO_ENTRY) sim_disk_damage_revive(disk, image->damages[n].index, NULL);
  sim_disk_count_used(disk);
  return true;
}
