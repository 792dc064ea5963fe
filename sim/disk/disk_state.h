/* What a simulated disk consists of, for the disk's own files. */
#ifndef SIM_DISK_STATE_H
#define SIM_DISK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sim/disk/directory.h"
#include "core/env.h"
#include "sim/disk/config.h"
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
  uint64_t loss;       /* names the last power loss */
  uint64_t used_bytes; /* sizes of files that have a name or a handle */
  bool damaged;
  uint64_t damage_count;
  struct sim_damage *damages;   /* SIM_DAMAGES_MAX; NULL: none yet */
  struct sim_disk_image *image; /* NULL: none */
};

static inline void disk_busy_for(struct sim_disk *disk, uint64_t ns) {
  uint64_t now = ground_now(disk->ground);
  uint64_t from = disk->busy_until_ns > now ? disk->busy_until_ns : now;
  disk->busy_until_ns = ns > UINT64_MAX - from ? UINT64_MAX : from + ns;
}

#endif
