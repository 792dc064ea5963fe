/* What a simulated disk consists of, for the disk's own files. */
#ifndef SIM_DISK_STATE_H
#define SIM_DISK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/disk/directory.h"
#include "sim/disk/disk.h"
#include "sim/disk/file.h"
#include "sim/ground/ground.h"

struct sim_handle {
  struct sim_file *file; /* NULL: free */
  uint64_t errors_told;  /* of file->errors */
};

struct sim_fsync {
  struct sim_fsync *next; /* in order of request */
  uint64_t id, token;
  uint64_t order;        /* changes up to here are covered */
  struct sim_file *file; /* NULL: the directory */
  sync_file handle;      /* -1: closed meanwhile */
};

struct sim_disk {
  struct ground *ground;
  uint32_t node;
  uint64_t life;                 /* crashes so far: an fsync of an earlier one is off */
  uint64_t busy_until_ns;        /* slow calls keep the node busy */
  struct sim_disk_config config; /* defaults filled in */
  struct sim_directory directory;
  struct sim_file *files, *files_last;
  struct sim_handle *handles;
  uint32_t handle_slots, handles_open;
  struct sim_fsync *fsyncs;
  uint64_t fsync_ids;
  uint64_t order;      /* of the newest change */
  uint64_t losses;     /* power losses so far */
  uint64_t used_bytes; /* sizes of files that have a name or a handle */
  bool damaged;
  uint64_t damage_count;
  struct sim_damage *damages;   /* SIM_DAMAGES_MAX; NULL: none yet */
  struct sim_disk_image *image; /* NULL: none */
};

/* Frees the file when nothing refers to it any more. */
void sim_disk_release(struct sim_disk *disk, struct sim_file *file);
/* Drops handles and requests in flight, as every crash does. */
void sim_disk_drop_process(struct sim_disk *disk);
void sim_disk_count_used(struct sim_disk *disk);
/* The file is the newest of the disk's list. */
void sim_disk_link(struct sim_disk *disk, struct sim_file *file);

/* --- disk_fault.c: whether and how a call goes wrong -------------------------- */

/* Draws and counts a fault; no draw at 0 ppm. */
bool sim_disk_fault(struct sim_disk *disk, enum sim_fault fault, enum sim_choice_kind kind, uint32_t ppm);
/* The same for damage at rest; no draw when the budget is used up. */
bool sim_disk_damage_fault(struct sim_disk *disk, enum sim_fault fault, enum sim_choice_kind kind, uint32_t ppm);
/* The next decision of that kind on this disk. */
struct sim_tag sim_disk_tag(struct sim_disk *disk, enum sim_choice_kind kind);
/* Latency of a read or write, and a stall of any call. */
void sim_disk_delay(struct sim_disk *disk, bool transfer);
/* How much of `size` (2 or more) a short transfer does: 1 to size - 1. */
size_t sim_disk_short_size(struct sim_disk *disk, size_t size);
/* Decides what the platter makes of a fresh write; `bytes` are what it wrote. */
void sim_disk_draw_fate(struct sim_disk *disk, struct sim_file *file, struct sim_change *change, const uint8_t *bytes);
/* The end of a file's fsync: makes durable, or fails, or lies. `handle` may be
 * NULL. Returns the result for the node. */
int sim_disk_fsync_file_result(struct sim_disk *disk, struct sim_file *file, uint64_t order, struct sim_handle *handle);
int sim_disk_fsync_dir_result(struct sim_disk *disk, uint64_t order);
/* A bit of what is on the platter flips, perhaps. After a power loss. */
void sim_disk_rot(struct sim_disk *disk);
/* A read of [from, to) finds a sector unreadable, perhaps; from < to. */
bool sim_disk_draw_unreadable(struct sim_disk *disk, struct sim_file *file, uint64_t from, uint64_t to);

/* --- damage.c ------------------------------------------------------------------- */

/* Whether the budget allows one more. */
bool sim_disk_may_damage(const struct sim_disk *disk);
/* Counts and records one. `file` NULL: the directory. */
void sim_disk_damage(struct sim_disk *disk, enum sim_damage_kind kind, const struct sim_file *file, uint64_t offset,
                     uint64_t size, uint64_t stray_offset);

#endif
