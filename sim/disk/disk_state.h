/* What a simulated disk consists of, for the disk's own files. */
#ifndef SIM_DISK_STATE_H
#define SIM_DISK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"
#include "sim/disk/config.h"
#include "sim/disk/file.h"
#include "sim/ground/ground.h"

/* --- The directory (directory.h) --- */

#define SIM_NAME_BYTES 64u /* 63 and a NUL */

struct sim_entry {
  char name[SIM_NAME_BYTES]; /* padded with NULs */
  struct sim_file *file;
};

enum sim_entry_change_kind {
  SIM_ENTRY_CREATE = 1,
  SIM_ENTRY_UNLINK = 2,
  SIM_ENTRY_RENAME = 3,
};

/* What a power loss leaves of a rename that survives. */
enum sim_rename_left {
  SIM_RENAME_WHOLE = 0,
  SIM_RENAME_BOTH = 1,    /* both names are of the file */
  SIM_RENAME_NEITHER = 2, /* none is */
  SIM_RENAME_OLD = 3,     /* the old name is, and the file that was replaced is gone all the same */
};

struct sim_entry_change {
  struct sim_entry_change *next, *previous;
  uint64_t order;
  enum sim_entry_change_kind kind;
  bool lost;                 /* scratch of a power loss */
  enum sim_rename_left left; /* the same; of a rename that is not lost and whose names no later change has */
  char name[SIM_NAME_BYTES]; /* created, unlinked or renamed */
  char to[SIM_NAME_BYTES];   /* of a rename */
  struct sim_file *file;
  struct sim_file *replaced; /* what a rename displaced, or NULL */
};

struct sim_directory {
  struct sim_entry *entries; /* in bytewise order of their names */
  uint32_t count, slots;
  struct sim_entry_change *first, *last; /* pending, oldest first */
  uint64_t pending;
};

/* --- The disk --- */

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
  uint64_t told_life;  /* life in which the node was last told an error ... */
  uint32_t told;       /* ... and which ones: a bit each */
  bool damaged;
  uint64_t damage_count;
  uint64_t damage_parts;      /* records that belong to the one before */
  struct sim_damage *damages; /* all of them */
  uint64_t damage_slots;
  struct sim_disk_image *image; /* NULL: none */
};

static inline void disk_busy_for(struct sim_disk *disk, uint64_t ns) {
  uint64_t now = ground_now(disk->ground);
  uint64_t from = disk->busy_until_ns > now ? disk->busy_until_ns : now;
  disk->busy_until_ns = ns > UINT64_MAX - from ? UINT64_MAX : from + ns;
}

#endif
