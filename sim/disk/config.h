/* Face of room `disk`: its settings, and the damage that it may do. */
#ifndef SIM_DISK_CONFIG_H
#define SIM_DISK_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct sim_file; /* the disk's own */

/* How kind a disk is when power is lost. */
enum sim_disk_on_crash {
  SIM_DISK_ADVERSARIAL = 0, /* every style, drawn per file; directory changes: any subset */
  SIM_DISK_ORDERED = 1,     /* contents and names are one list: a prefix of it, the last write torn at a sector. An
                               fsync of anything makes all before it durable */
  SIM_DISK_STRICT = 2,      /* everything pending is lost, so that nothing is torn */
};

/* Whether a write may survive in part. */
enum sim_disk_tearing {
  SIM_DISK_TEARS_BY_KIND = 0, /* adversarial and ordered disks tear, strict ones do not */
  SIM_DISK_TEARS_NEVER = 1,   /* a write survives whole or not at all, and none overtakes another */
  SIM_DISK_TEARS_ALWAYS = 2,  /* strict: of the oldest pending write of a file some first sectors may survive */
};

/* What a power loss does to the rest of a sector that was being written. */
enum sim_disk_overwrite {
  SIM_DISK_OVERWRITE_SAFE = 0,   /* bytes that nobody was writing are never spoiled */
  SIM_DISK_OVERWRITE_UNSAFE = 1, /* the sector may be lost whole */
};

/* What a power loss does to a rename that it meets. Only adversarial disks. */
enum sim_disk_rename {
  SIM_DISK_RENAME_WHOLE = 0,
  SIM_DISK_RENAME_LOOSE = 1, /* may be seen half done: both names; the old one, and what it replaced is gone; neither */
};

/* The styles of an adversarial power loss; outcome 0 (calm) keeps everything. */
enum sim_disk_style {
  SIM_DISK_KEEP_ALL = 0,
  SIM_DISK_LOSE_ALL = 1,
  SIM_DISK_PREFIX = 2,          /* a prefix in write order, the last one torn at a sector */
  SIM_DISK_SECTORS = 3,         /* each sector, and the size, by itself; never an older write over a newer one */
  SIM_DISK_SECTORS_GARBAGE = 4, /* the same; where lost writes were writing may be garbage or zeros */
  SIM_DISK_STYLE_COUNT
};

/* Zero is the default and, for faults, "never". */
struct sim_disk_config {
  enum sim_disk_on_crash on_crash;
  enum sim_disk_tearing tearing;
  enum sim_disk_overwrite overwrite;
  enum sim_disk_rename rename;
  bool fsync_names; /* an fsync of a new file keeps its name, too, and the changes of names before it (ext4, XFS) */
  uint32_t sector_bytes;                   /* 512; a power of two, 512 to 4096 */
  uint64_t quota_bytes;                    /* sum of the sizes of files with a name or a handle; 0: no bound */
  uint32_t handles_max;                    /* 256 */
  uint64_t fsync_min_ns, fsync_max_ns;     /* time from request to completion; 50 us, 2 ms */
  uint64_t latency_min_ns, latency_max_ns; /* of each read and write: keeps the node busy; 0 */
  uint32_t stall_ppm;                      /* per call: busy for stall_ns */
  uint64_t stall_ns;
  uint32_t write_back_ppm; /* per write: the oldest pending change of that file is persisted; per change of
                              names: the oldest pending one of the directory */
  uint32_t read_error_ppm, write_error_ppm;
  uint32_t short_ppm;     /* a read or write does less than asked */
  uint32_t interrupt_ppm; /* SYNC_E_INTERRUPTED */
  uint32_t fsync_error_ppm;
  uint32_t fsync_no_space_ppm; /* an fsync ends in SYNC_E_NO_SPACE: what was written has found no room after all */
  /* Of each call, by its name; which errors: sim/disk/disk_error.h. */
  uint32_t open_error_ppm, close_error_ppm, truncate_error_ppm, size_error_ppm, rename_error_ppm, unlink_error_ppm;
  uint32_t list_error_ppm, fsync_request_error_ppm;
  uint32_t fsync_lie_ppm;   /* reports success, persists nothing */
  uint32_t rot_ppm;         /* per power loss: a bit, a byte, a sector or an erase block of durable data rots */
  uint32_t rot_running_ppm; /* the same per read, before the data is served, and per write */
  uint32_t latent_ppm;      /* per write and power loss: sectors go bad somewhere, which the next read of them finds */
  uint32_t erase_block_bytes; /* damage may take so much, aligned; 8 sectors; one sector: it never spreads */
  uint32_t unreadable_ppm;    /* per read: finds that a sector of its range can no longer be read */
  uint32_t lost_write_ppm;    /* a write that never reaches the platter though fsync says so */
  uint32_t misdirect_ppm;     /* a write lands elsewhere in the file or in another one on the platter */
  uint32_t damage_budget; /* damages of this disk (enum sim_damage_kind) after which chance does no more; 0: no bound */
};

/* Damage at rest: what a disk does to data that it promised to keep. */
enum sim_damage_kind {
  SIM_DAMAGE_ROT = 1,
  SIM_DAMAGE_UNREADABLE = 2,
  SIM_DAMAGE_LOST_WRITE = 3,
  SIM_DAMAGE_MISDIRECTED = 4,
  SIM_DAMAGE_FSYNC_LIE = 5,
  SIM_DAMAGE_FSYNC_LATE = 6, /* an fsync that failed and says so only the next time */
};

/* One damage. Of an fsync: the range that holds all it should have covered. */
struct sim_damage {
  enum sim_damage_kind kind;
  uint64_t name_hash;       /* sim_hash_bytes() of the file's last name; 0: no name, or the directory itself */
  uint64_t offset, size;    /* of the file's bytes; where a misdirected write should have been */
  uint64_t stray_name_hash; /* of the file that a misdirected write hit (with a record of its own); else name_hash */
  uint64_t stray_offset;    /* where a misdirected write landed; else offset */
  uint64_t time_ns;
  const struct sim_file *file; /* NULL: the directory, or it is gone */
  bool struck;                 /* a power loss has made the platter's lack what everybody reads */
  bool over;                   /* the bytes are there no more: rewritten, removed, wiped */
};

#endif
