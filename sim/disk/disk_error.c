#include "sim/disk/disk_error.h"

#include "sim/disk/disk.h"
#include "sim/disk/disk_fault.h"

#define NOTHING "nothing happened"
#define NOTHING_OR_ALL "nothing happened, or all of it did"
#define GONE "the handle is gone"
#define UNKNOWN "see below"

static const struct sim_disk_error ERRORS[] = {
    {SIM_DISK_OPEN, SYNC_E_IO, "EIO, EROFS", "open_error", SIM_FAULT_DISK_OPEN_ERROR, false, true,
     "no handle; nothing happened, or the file was created or cut"},
    {SIM_DISK_OPEN, SYNC_E_TOO_MANY, "EMFILE, ENFILE", "open_error", SIM_FAULT_DISK_OPEN_ERROR, false, false, NOTHING},
    {SIM_DISK_OPEN, SYNC_E_NO_MEMORY, "ENOMEM", "open_error", SIM_FAULT_DISK_OPEN_ERROR, false, false, NOTHING},
    {SIM_DISK_OPEN, SYNC_E_INTERRUPTED, "EINTR", "open_error", SIM_FAULT_DISK_OPEN_ERROR, false, false, NOTHING},
    {SIM_DISK_OPEN, SYNC_E_NO_SPACE, "ENOSPC, EDQUOT", "open_error", SIM_FAULT_DISK_OPEN_ERROR, true, false,
     "nothing happened; only where it would create the file"},
    {SIM_DISK_CLOSE, SYNC_E_IO, "EIO", "close_error", SIM_FAULT_DISK_CLOSE_ERROR, false, false, GONE},
    {SIM_DISK_CLOSE, SYNC_E_NO_SPACE, "ENOSPC, EDQUOT", "close_error", SIM_FAULT_DISK_CLOSE_ERROR, false, false, GONE},
    {SIM_DISK_READ, SYNC_E_IO, "EIO", "read_error", SIM_FAULT_DISK_READ_ERROR, false, false, NOTHING},
    {SIM_DISK_READ, SYNC_E_INTERRUPTED, "EINTR", "interrupt", SIM_FAULT_DISK_INTERRUPT, false, false, NOTHING},
    {SIM_DISK_WRITE, SYNC_E_IO, "EIO", "write_error", SIM_FAULT_DISK_WRITE_ERROR, false, false,
     "nothing, a first part, or all was written"},
    {SIM_DISK_WRITE, SYNC_E_INTERRUPTED, "EINTR", "interrupt", SIM_FAULT_DISK_INTERRUPT, false, false, NOTHING},
    {SIM_DISK_WRITE, SYNC_E_NO_SPACE, "ENOSPC, EDQUOT", "quota", SIM_FAULT_DISK_FULL, true, false, NOTHING},
    {SIM_DISK_TRUNCATE, SYNC_E_IO, "EIO", "truncate_error", SIM_FAULT_DISK_TRUNCATE_ERROR, false, true, NOTHING_OR_ALL},
    {SIM_DISK_TRUNCATE, SYNC_E_INTERRUPTED, "EINTR", "truncate_error", SIM_FAULT_DISK_TRUNCATE_ERROR, false, false,
     NOTHING},
    {SIM_DISK_TRUNCATE, SYNC_E_NO_SPACE, "EFBIG", "truncate_error", SIM_FAULT_DISK_TRUNCATE_ERROR, true, false,
     "nothing happened; only where the file would grow"},
    {SIM_DISK_SIZE, SYNC_E_IO, "EIO", "size_error", SIM_FAULT_DISK_SIZE_ERROR, false, false, NOTHING},
    {SIM_DISK_SIZE, SYNC_E_NO_MEMORY, "ENOMEM", "size_error", SIM_FAULT_DISK_SIZE_ERROR, false, false, NOTHING},
    {SIM_DISK_RENAME, SYNC_E_IO, "EIO, EROFS", "rename_error", SIM_FAULT_DISK_RENAME_ERROR, false, true,
     NOTHING_OR_ALL},
    {SIM_DISK_RENAME, SYNC_E_NO_SPACE, "ENOSPC, EDQUOT", "rename_error", SIM_FAULT_DISK_RENAME_ERROR, false, false,
     NOTHING},
    {SIM_DISK_RENAME, SYNC_E_NO_MEMORY, "ENOMEM", "rename_error", SIM_FAULT_DISK_RENAME_ERROR, false, false, NOTHING},
    {SIM_DISK_UNLINK, SYNC_E_IO, "EIO, EROFS", "unlink_error", SIM_FAULT_DISK_UNLINK_ERROR, false, true,
     NOTHING_OR_ALL},
    {SIM_DISK_UNLINK, SYNC_E_NO_MEMORY, "ENOMEM", "unlink_error", SIM_FAULT_DISK_UNLINK_ERROR, false, false, NOTHING},
    {SIM_DISK_LIST, SYNC_E_IO, "EIO", "list_error", SIM_FAULT_DISK_LIST_ERROR, false, false, "no name was told"},
    {SIM_DISK_LIST, SYNC_E_TOO_MANY, "EMFILE, ENFILE", "list_error", SIM_FAULT_DISK_LIST_ERROR, false, false,
     "no name was told"},
    {SIM_DISK_LIST, SYNC_E_NO_MEMORY, "ENOMEM", "list_error", SIM_FAULT_DISK_LIST_ERROR, false, false,
     "no name was told"},
    {SIM_DISK_FSYNC_REQUEST, SYNC_E_IO, "EIO", "fsync_request_error", SIM_FAULT_DISK_FSYNC_REQUEST_ERROR, false, false,
     "nothing is under way; all stays pending"},
    {SIM_DISK_FSYNC_REQUEST, SYNC_E_TOO_MANY, "EAGAIN, EBUSY", "fsync_request_error",
     SIM_FAULT_DISK_FSYNC_REQUEST_ERROR, false, false, "nothing is under way; all stays pending"},
    {SIM_DISK_FSYNC_REQUEST, SYNC_E_NO_MEMORY, "ENOMEM", "fsync_request_error", SIM_FAULT_DISK_FSYNC_REQUEST_ERROR,
     false, false, "nothing is under way; all stays pending"},
    {SIM_DISK_FSYNC_REQUEST, SYNC_E_INTERRUPTED, "EINTR", "fsync_request_error", SIM_FAULT_DISK_FSYNC_REQUEST_ERROR,
     false, false, "nothing is under way; all stays pending"},
    {SIM_DISK_FSYNC_DONE, SYNC_E_IO, "EIO, EROFS", "fsync_error", SIM_FAULT_DISK_FSYNC_ERROR, false, false, UNKNOWN},
    {SIM_DISK_FSYNC_DONE, SYNC_E_NO_SPACE, "ENOSPC, EDQUOT", "fsync_no_space", SIM_FAULT_DISK_FSYNC_NO_SPACE, false,
     false, UNKNOWN},
};
#define COUNT (sizeof ERRORS / sizeof *ERRORS)

const struct sim_disk_error *sim_disk_error_at(size_t index) {
  return index < COUNT ? &ERRORS[index] : NULL;
}

const char *sim_disk_call_name(enum sim_disk_call call) {
  static const char *const names[SIM_DISK_CALLS] = {
      "file_open",   "file_close",  "file_read", "file_write",         "file_truncate", "file_size",
      "file_rename", "file_unlink", "dir_list",  "fsync, the request", "fsync, its end"};
  return call < SIM_DISK_CALLS ? names[call] : "?";
}

static uint32_t probability(const struct sim_disk_config *config, enum sim_disk_call call, enum sim_choice_kind *kind) {
  switch (call) {
  case SIM_DISK_OPEN:
    *kind = SIM_CHOICE_DISK_OPEN_ERROR;
    return config->open_error_ppm;
  case SIM_DISK_CLOSE:
    *kind = SIM_CHOICE_DISK_CLOSE_ERROR;
    return config->close_error_ppm;
  case SIM_DISK_TRUNCATE:
    *kind = SIM_CHOICE_DISK_TRUNCATE_ERROR;
    return config->truncate_error_ppm;
  case SIM_DISK_SIZE:
    *kind = SIM_CHOICE_DISK_SIZE_ERROR;
    return config->size_error_ppm;
  case SIM_DISK_RENAME:
    *kind = SIM_CHOICE_DISK_RENAME_ERROR;
    return config->rename_error_ppm;
  case SIM_DISK_UNLINK:
    *kind = SIM_CHOICE_DISK_UNLINK_ERROR;
    return config->unlink_error_ppm;
  case SIM_DISK_LIST:
    *kind = SIM_CHOICE_DISK_LIST_ERROR;
    return config->list_error_ppm;
  case SIM_DISK_FSYNC_REQUEST:
    *kind = SIM_CHOICE_DISK_FSYNC_REQUEST_ERROR;
    return config->fsync_request_error_ppm;
  default:
    return 0;
  }
}

const struct sim_disk_error *sim_disk_draw_error(struct sim_disk *disk, enum sim_disk_call call, bool takes_room) {
  enum sim_choice_kind kind = SIM_CHOICE_DISK_OPEN_ERROR;
  uint32_t ppm = probability(&disk->config, call, &kind);
  if (ppm == 0) return NULL;
  size_t first = 0, count = 0;
  while (ERRORS[first].call != call)
    first++;
  /* Rows that need room come last. */
  while (first + count < COUNT && ERRORS[first + count].call == call &&
         (takes_room || !ERRORS[first + count].needs_room))
    count++;
  if (!sim_disk_fault(disk, ERRORS[first].fault, kind, ppm)) return NULL;
  return &ERRORS[first + ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_ERROR_WHICH), count)];
}

bool sim_disk_takes_effect(struct sim_disk *disk, const struct sim_disk_error *error) {
  if (error == NULL) return true;
  if (!error->may_be_done) return false;
  return ground_pick(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_ERROR_DONE), 2) != 0;
}

int sim_disk_tell(struct sim_disk *disk, int status) {
  if (status >= 0 || status <= -32) return status;
  if (disk->told_life != disk->life) disk->told = 0;
  disk->told_life = disk->life;
  disk->told |= UINT32_C(1) << -status;
  return status;
}

bool sim_disk_told(const struct sim_disk *disk, int status) {
  if (disk->told_life + 1 < disk->life || status >= 0 || status <= -32) return false;
  return (disk->told & UINT32_C(1) << -status) != 0;
}
