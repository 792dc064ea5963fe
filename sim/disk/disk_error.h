/* Errors that calls of a disk give back: which call may fail with which, after what
 * its Linux counterpart documents. docs/world.md shows the table. */
#ifndef SIM_DISK_ERROR_H
#define SIM_DISK_ERROR_H

#include "sim/disk/disk_state.h"

enum sim_disk_call {
  SIM_DISK_OPEN,
  SIM_DISK_CLOSE,
  SIM_DISK_READ,
  SIM_DISK_WRITE,
  SIM_DISK_TRUNCATE,
  SIM_DISK_SIZE,
  SIM_DISK_RENAME,
  SIM_DISK_UNLINK,
  SIM_DISK_LIST,
  SIM_DISK_FSYNC_REQUEST, /* of a file or of the directory */
  SIM_DISK_FSYNC_DONE,
  SIM_DISK_CALLS
};

/* One way for a call to fail. */
struct sim_disk_error {
  enum sim_disk_call call;
  int status;           /* enum sync_status */
  const char *errors;   /* of Linux, by name */
  const char *setting;  /* in scenarios */
  enum sim_fault fault; /* as which it counts */
  bool needs_room;      /* only where the call would take room on the disk */
  bool may_be_done;     /* half of the time it took effect all the same */
  const char *what_is_left;
};

/* Row `index` of the table; NULL past its end. */
const struct sim_disk_error *sim_disk_error_at(size_t index);
const char *sim_disk_call_name(enum sim_disk_call call); /* of the port: "file_open" */

/* Draws whether the call fails, and as which of its rows; NULL: it does not. Not for
 * reads, writes and the ends of fsyncs, whose faults have forms of their own. */
const struct sim_disk_error *sim_disk_draw_error(struct sim_disk *disk, enum sim_disk_call call, bool takes_room);
/* Whether a call that fails so took effect. NULL: it does not fail. */
bool sim_disk_takes_effect(struct sim_disk *disk, const struct sim_disk_error *error);
/* Remembers that the node was told this status, and gives it back. */
int sim_disk_tell(struct sim_disk *disk, int status);

#endif
