#include "sim/disk/rot.h"

#include "sim/disk/damage.h"
#include "sim/disk/disk_fault.h"
#include "sim/disk/disk_files.h"

enum extent { EXTENT_BIT, EXTENT_BYTE, EXTENT_SECTOR, EXTENT_BLOCK, EXTENTS };
enum fill { FILL_ZEROS, FILL_ONES, FILL_GARBAGE, FILLS };

/* Any file with durable content; NULL: there is none. */
static struct sim_file *draw_file(struct sim_disk *disk, enum sim_choice_kind kind) {
  uint64_t count = 0;
  while (sim_disk_other_file(disk, NULL, count) != NULL)
    count++;
  if (count == 0) return NULL;
  return sim_disk_other_file(disk, NULL, count == 1 ? 0 : ground_pick(disk->ground, sim_disk_tag(disk, kind), count));
}

/* Whether damage spreads beyond its sector at all. */
static bool has_blocks(const struct sim_disk *disk) {
  return disk->config.erase_block_bytes > disk->config.sector_bytes;
}

/* --- Rot ---------------------------------------------------------------------------- */

/* What has rotted rots no further, else it could be sound again by chance. */

/* Spoils [from, to) of what the platter holds. Whether anything is different now. */
static bool spoil(struct sim_disk *disk, struct sim_file *file, uint64_t from, uint64_t to, enum fill fill,
                  uint64_t state) {
  bool changed = false, rotten = sim_disk_damage_rotten(disk, file, from, to);
  for (uint64_t at = from; at < to; at++) {
    uint8_t *byte = sim_file_platter_byte(disk->ground, file, at);
    if (byte == NULL || (rotten && sim_disk_damage_rotten(disk, file, at, at + 1))) continue;
    state = sim_hash_fold(state, at);
    uint8_t now = fill == FILL_ZEROS ? 0 : fill == FILL_ONES ? 0xff : (uint8_t)(state >> 56);
    changed = changed || *byte != now;
    *byte = now;
  }
  return changed;
}

static bool flip(struct sim_disk *disk, struct sim_file *file, uint64_t at, uint8_t mask) {
  uint8_t *byte = sim_file_platter_byte(disk->ground, file, at);
  if (byte == NULL || sim_disk_damage_rotten(disk, file, at, at + 1)) return false;
  *byte ^= mask;
  return true;
}

/* Rot round a bit of the platter. */
static bool rot_at(struct sim_disk *disk, struct sim_file *file, uint64_t bit) {
  uint64_t at = bit / 8, from = at, to = at + 1, wide = disk->config.sector_bytes;
  uint64_t extent = ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_ROT_EXTENT),
                                has_blocks(disk) ? EXTENTS : EXTENT_BLOCK);
  bool changed;
  if (extent <= EXTENT_BYTE) {
    uint8_t mask = (uint8_t)(1u << (bit % 8));
    if (extent == EXTENT_BYTE)
      mask = (uint8_t)(1 + ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_ROT_FILL), 255));
    changed = flip(disk, file, at, mask);
  } else {
    if (extent == EXTENT_BLOCK) wide = disk->config.erase_block_bytes;
    from = at - at % wide;
    to = from + wide < file->durable_size ? from + wide : file->durable_size;
    struct sim_tag tag = sim_disk_tag(disk, SIM_CHOICE_DISK_ROT_FILL);
    uint64_t fill = ground_pick(disk->ground, tag, FILLS);
    changed = spoil(disk, file, from, to, (enum fill)fill, sim_draw(disk->ground->choices.seed, tag));
    if (!changed) changed = flip(disk, file, from = at, 1u), to = at + 1;
  }
  if (changed) sim_disk_damage(disk, SIM_DAMAGE_ROT, file, from, to - from, 0);
  return changed;
}

static void rot_anywhere(struct sim_disk *disk) {
  struct sim_file *file = draw_file(disk, SIM_CHOICE_DISK_ROT_FILE);
  if (file == NULL) return;
  uint64_t bit = ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_ROT_WHERE), file->durable_size * 8);
  ground_fault(disk->ground, SIM_FAULT_DISK_ROT, rot_at(disk, file, bit));
}

/* Whether rot strikes now; what it did is counted by whoever lets it. */
static bool rots(struct sim_disk *disk, enum sim_choice_kind kind, uint32_t ppm) {
  if (ppm == 0 || !sim_disk_may_damage(disk) || sim_disk_other_file(disk, NULL, 0) == NULL) return false;
  bool fired = ground_chance(disk->ground, sim_disk_tag(disk, kind), ppm) != 0;
  if (!fired) ground_fault(disk->ground, SIM_FAULT_DISK_ROT, 0);
  return fired;
}

/* --- Unreadable sectors ---------------------------------------------------------------- */

/* The sector at `at`, or all of the erase block in which it lies. */
static void go_bad(struct sim_disk *disk, struct sim_file *file, uint64_t at) {
  uint64_t from = at, to = at + disk->config.sector_bytes, block = disk->config.erase_block_bytes;
  uint64_t sector_bytes = disk->config.sector_bytes;
  if (has_blocks(disk) && ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_DAMAGE_RUN), 2) != 0) {
    uint64_t end = (file->size + sector_bytes - 1) / sector_bytes * sector_bytes;
    from = at - at % block;
    to = from + block < end ? from + block : end;
  }
  sim_file_make_unreadable(disk->ground, file, from, to, disk->config.sector_bytes);
  sim_disk_damage(disk, SIM_DAMAGE_UNREADABLE, file, from, to - from, 0);
}

static void draw_latent(struct sim_disk *disk) {
  if (disk->config.latent_ppm == 0 || sim_disk_other_file(disk, NULL, 0) == NULL) return;
  if (!sim_disk_damage_fault(disk, SIM_FAULT_DISK_LATENT, SIM_CHOICE_DISK_LATENT, disk->config.latent_ppm)) return;
  struct sim_file *file = draw_file(disk, SIM_CHOICE_DISK_LATENT_WHERE);
  uint64_t sector_bytes = disk->config.sector_bytes;
  uint64_t sectors = (file->durable_size + sector_bytes - 1) / sector_bytes;
  go_bad(disk, file,
         sector_bytes * ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_LATENT_WHERE), sectors));
}

bool sim_disk_draw_unreadable(struct sim_disk *disk, struct sim_file *file, uint64_t from, uint64_t to) {
  uint64_t sector_bytes = disk->config.sector_bytes, at, candidates = 0;
  if (disk->config.unreadable_ppm == 0 || !sim_disk_may_damage(disk)) return false;
  bool fired =
      ground_chance(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_UNREADABLE), disk->config.unreadable_ppm) != 0;
  for (at = from - from % sector_bytes; fired && at < to; at += sector_bytes)
    candidates += sim_file_reads_platter(file, at, disk->config.sector_bytes);
  ground_fault(disk->ground, SIM_FAULT_DISK_UNREADABLE, candidates > 0);
  if (candidates == 0) return false;
  uint64_t which = ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_UNREADABLE_WHERE), candidates);
  for (at = from - from % sector_bytes;; at += sector_bytes)
    if (sim_file_reads_platter(file, at, disk->config.sector_bytes) && which-- == 0) break;
  go_bad(disk, file, at);
  return true;
}

/* --- When -------------------------------------------------------------------------------- */

void sim_disk_decay_at_rest(struct sim_disk *disk) {
  if (rots(disk, SIM_CHOICE_DISK_ROT, disk->config.rot_ppm)) rot_anywhere(disk);
  draw_latent(disk);
}

void sim_disk_decay(struct sim_disk *disk) {
  if (rots(disk, SIM_CHOICE_DISK_ROT_RUNNING, disk->config.rot_running_ppm)) rot_anywhere(disk);
  draw_latent(disk);
}

void sim_disk_decay_read(struct sim_disk *disk, struct sim_file *file, uint64_t from, uint64_t to) {
  if (!rots(disk, SIM_CHOICE_DISK_ROT_RUNNING, disk->config.rot_running_ppm)) return;
  if (to > file->durable_size) to = file->durable_size;
  if (from >= to || ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_ROT_FILE), 3) == 2) {
    rot_anywhere(disk);
    return;
  }
  uint64_t bit = ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_ROT_WHERE), (to - from) * 8);
  ground_fault(disk->ground, SIM_FAULT_DISK_ROT, rot_at(disk, file, from * 8 + bit));
}
