#include "sim/disk/disk.h"

#include <string.h>

#include "sim/disk/damage_record.h"
#include "sim/disk/directory.h"
#include "sim/disk/disk_error.h"
#include "sim/disk/disk_fault.h"
#include "sim/disk/disk_files.h"
#include "sim/disk/durable.h"
#include "sim/disk/handles.h"
#include "sim/disk/happened.h"
#include "sim/disk/rot.h"

#define DIRECTORY_HANDLE UINT32_MAX /* in traces */

/* --- The disk itself ---------------------------------------------------------- */

struct sim_disk *sim_disk_create(struct ground *ground, uint32_t node, const struct sim_disk_config *config) {
  struct sim_disk *disk = sim_disk_alloc(ground, sizeof *disk);
  memset(disk, 0, sizeof *disk);
  disk->ground = ground;
  disk->node = node;
  sim_disk_configure(disk, config);
  return disk;
}

void sim_disk_configure(struct sim_disk *disk, const struct sim_disk_config *config) {
  struct sim_disk_config set = *config;
  if (set.sector_bytes == 0) set.sector_bytes = 512;
  if (set.erase_block_bytes == 0) set.erase_block_bytes = 8 * set.sector_bytes;
  if (set.handles_max == 0) set.handles_max = 256;
  if (set.fsync_min_ns == 0 && set.fsync_max_ns == 0) {
    set.fsync_min_ns = 50 * SIM_US;
    set.fsync_max_ns = 2 * SIM_MS;
  }
  if (set.fsync_max_ns < set.fsync_min_ns) set.fsync_max_ns = set.fsync_min_ns;
  if (set.latency_max_ns < set.latency_min_ns) set.latency_max_ns = set.latency_min_ns;
  bool power_of_two = (set.sector_bytes & (set.sector_bytes - 1)) == 0;
  GROUND_ASSERT(disk->ground, power_of_two && set.sector_bytes >= 512 && set.sector_bytes <= SIM_PAGE_BYTES);
  GROUND_ASSERT(disk->ground, (set.erase_block_bytes & (set.erase_block_bytes - 1)) == 0);
  disk->config = set;
}

const struct sim_disk_config *sim_disk_config(const struct sim_disk *disk) {
  return &disk->config;
}

void sim_disk_keep_busy(struct sim_disk *disk, uint64_t ns) {
  disk_busy_for(disk, ns);
}

uint64_t sim_disk_busy_until(const struct sim_disk *disk) {
  return disk->busy_until_ns;
}

uint64_t sim_disk_life(const struct sim_disk *disk) {
  return disk->life;
}

static int32_t trace(struct sim_disk *disk, enum sim_step step, const uint64_t *fields, size_t count) {
  ground_trace(disk->ground, SIM_SUB_DISK, step, disk->node, fields, count);
  return sim_disk_tell(disk, (int32_t)(int64_t)fields[count - 1]);
}
/* Folds the step into the trace; the last field is the result, which it gives. */
#define TRACE(disk, step, ...)                                                                                         \
  trace((disk), (step), (const uint64_t[]){__VA_ARGS__}, sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))
#define RESULT(status) ((uint64_t)(int64_t)(status))

static uint64_t text_hash(const struct sim_disk *disk, const char *text) {
  uint64_t hash = text != NULL ? sim_name_hash(text) : 0;
  if (trace_recording(&disk->ground->trace)) trace_name(&disk->ground->trace, SIM_NAME_FILE, 0, hash, text);
  return hash;
}

/* --- Open and close ----------------------------------------------------------- */

static void write_back_names(struct sim_disk *disk) {
  if (sim_disk_fault(disk, SIM_FAULT_DISK_WRITE_BACK, SIM_CHOICE_DISK_WRITE_BACK_NAMES, disk->config.write_back_ppm))
    sim_disk_write_back(disk, NULL);
}

static int open_file(struct sim_disk *disk, const char *name, uint32_t flags, sync_file *number) {
  uint32_t known = SYNC_OPEN_CREATE | SYNC_OPEN_EXCLUSIVE | SYNC_OPEN_TRUNCATE;
  if (!sim_name_valid(name) || (flags & ~known) != 0) return SYNC_E_INVALID;
  sim_disk_delay(disk, false);
  bool full = disk->handles_open >= disk->config.handles_max;
  ground_fault(disk->ground, SIM_FAULT_DISK_HANDLES, full);
  if (full) return SYNC_E_TOO_MANY;
  struct sim_file *file = sim_directory_find(&disk->directory, name);
  if (file == NULL && (flags & SYNC_OPEN_CREATE) == 0) return SYNC_E_NOT_FOUND;
  if (file != NULL && (flags & SYNC_OPEN_CREATE) != 0 && (flags & SYNC_OPEN_EXCLUSIVE) != 0) return SYNC_E_EXISTS;
  const struct sim_disk_error *error = sim_disk_draw_error(disk, SIM_DISK_OPEN, file == NULL);
  if (!sim_disk_takes_effect(disk, error)) return error->status;
  if (file == NULL) {
    file = sim_file_create(disk->ground);
    sim_disk_link(disk, file);
    sim_directory_create(disk, name, file);
    write_back_names(disk);
  } else if ((flags & SYNC_OPEN_TRUNCATE) != 0 && file->size > 0) {
    disk->used_bytes -= file->size;
    sim_file_truncate(disk->ground, file, ++disk->order, 0);
  }
  if (error != NULL) return error->status;
  return disk_handle_take(disk, file, number);
}

int sim_disk_open(struct sim_disk *disk, const char *name, uint32_t flags, sync_file *file) {
  *file = -1;
  int status = open_file(disk, name, flags, file);
  uint64_t fields[] = {text_hash(disk, name), flags, RESULT(status), RESULT(*file)};
  ground_trace(disk->ground, SIM_SUB_DISK, SIM_STEP_FILE_OPEN, disk->node, fields, 4);
  return sim_disk_tell(disk, status);
}

int sim_disk_close(struct sim_disk *disk, sync_file file) {
  struct sim_handle *handle = disk_handle_at(disk, file);
  int status = handle != NULL ? SYNC_OK : SYNC_E_INVALID;
  if (handle != NULL) {
    const struct sim_disk_error *error = sim_disk_draw_error(disk, SIM_DISK_CLOSE, false);
    if (error != NULL) status = error->status;
    for (struct sim_fsync *fsync = disk->fsyncs; fsync != NULL; fsync = fsync->next)
      if (fsync->handle == file) fsync->handle = -1;
    disk_handle_drop(disk, handle);
  }
  return TRACE(disk, SIM_STEP_FILE_CLOSE, RESULT(file), RESULT(status));
}

/* --- Read and write ----------------------------------------------------------- */

/* Whether a file system could name the range at all. */
static bool range_valid(uint64_t offset, uint64_t size) {
  return offset <= (uint64_t)INT64_MAX && size <= (uint64_t)INT64_MAX - offset;
}

static int read_file(struct sim_disk *disk, sync_file number, uint64_t offset, void *buffer, size_t size,
                     size_t *done) {
  const struct sim_disk_config *config = &disk->config;
  struct sim_handle *handle = disk_handle_at(disk, number);
  if (handle == NULL || !range_valid(offset, size) || (buffer == NULL && size > 0)) return SYNC_E_INVALID;
  sim_disk_delay(disk, true);
  if (sim_disk_fault(disk, SIM_FAULT_DISK_INTERRUPT, SIM_CHOICE_DISK_INTERRUPT, config->interrupt_ppm))
    return SYNC_E_INTERRUPTED;
  if (sim_disk_fault(disk, SIM_FAULT_DISK_READ_ERROR, SIM_CHOICE_DISK_READ_ERROR, config->read_error_ppm))
    return SYNC_E_IO;
  struct sim_file *file = handle->file;
  if (offset >= file->size || size == 0) return SYNC_OK;
  if (size > file->size - offset) size = (size_t)(file->size - offset);
  if (size > 1 && sim_disk_fault(disk, SIM_FAULT_DISK_SHORT, SIM_CHOICE_DISK_SHORT, config->short_ppm))
    size = sim_disk_short_size(disk, size);
  if (sim_file_read_fails(file, offset, offset + size, config->sector_bytes) ||
      sim_disk_draw_unreadable(disk, file, offset, offset + size))
    return SYNC_E_IO;
  sim_disk_decay_read(disk, file, offset, offset + size);
  sim_file_get(file, offset, buffer, size);
  *done = size;
  return SYNC_OK;
}

int sim_disk_read(struct sim_disk *disk, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done) {
  *done = 0;
  int status = read_file(disk, file, offset, buffer, size, done);
  uint64_t hash = *done > 0 ? sim_hash_bytes(buffer, *done) : 0;
  uint64_t fields[] = {RESULT(file), offset, *done, hash, RESULT(status), size};
  ground_trace(disk->ground, SIM_SUB_DISK, SIM_STEP_FILE_READ, disk->node, fields, 6);
  return sim_disk_tell(disk, status);
}

/* How far the file may grow. */
static uint64_t end_max(const struct sim_disk *disk, const struct sim_file *file) {
  if (disk->config.quota_bytes == 0) return SIM_FILE_BYTES_MAX;
  uint64_t room = disk->config.quota_bytes > disk->used_bytes ? disk->config.quota_bytes - disk->used_bytes : 0;
  return room < SIM_FILE_BYTES_MAX - file->size ? file->size + room : SIM_FILE_BYTES_MAX;
}

/* Puts bytes into the live file, as pending. */
static void put(struct sim_disk *disk, struct sim_file *file, uint64_t offset, const uint8_t *bytes, size_t size) {
  const struct sim_disk_config *config = &disk->config;
  if (size == 0) return;
  uint64_t before = file->size;
  struct sim_change *change = sim_file_write(disk->ground, file, ++disk->order, offset, bytes, size);
  disk->used_bytes += file->size - before;
  sim_disk_draw_fate(disk, file, change, bytes);
  if (sim_disk_fault(disk, SIM_FAULT_DISK_WRITE_BACK, SIM_CHOICE_DISK_WRITE_BACK, config->write_back_ppm))
    sim_disk_write_back(disk, file);
  sim_disk_decay(disk);
}

/* *touched: the bytes that took effect, which after an error nobody is told. */
static int write_file(struct sim_disk *disk, sync_file number, uint64_t offset, const void *bytes, size_t size,
                      size_t *done, size_t *touched) {
  const struct sim_disk_config *config = &disk->config;
  struct sim_handle *handle = disk_handle_at(disk, number);
  if (handle == NULL || !range_valid(offset, size) || (bytes == NULL && size > 0)) return SYNC_E_INVALID;
  sim_disk_delay(disk, true);
  if (size == 0) return SYNC_OK;
  if (sim_disk_fault(disk, SIM_FAULT_DISK_INTERRUPT, SIM_CHOICE_DISK_INTERRUPT, config->interrupt_ppm))
    return SYNC_E_INTERRUPTED;
  struct sim_file *file = handle->file;
  uint64_t end = end_max(disk, file);
  bool full = offset >= end || size > end - offset;
  if (config->quota_bytes > 0) ground_fault(disk->ground, SIM_FAULT_DISK_FULL, full);
  if (full && offset >= end) return SYNC_E_NO_SPACE;
  if (full) size = (size_t)(end - offset);
  if (sim_disk_fault(disk, SIM_FAULT_DISK_WRITE_ERROR, SIM_CHOICE_DISK_WRITE_ERROR, config->write_error_ppm)) {
    *touched = (size_t)ground_pick_ends(disk->ground, sim_disk_tag(disk, SIM_CHOICE_DISK_WRITE_ERROR_DONE),
                                        size + UINT64_C(1));
    if (sim_file_write_fails(file, offset, offset + *touched, config->sector_bytes)) *touched = 0;
    put(disk, file, offset, bytes, *touched);
    return SYNC_E_IO;
  }
  if (size > 1 && sim_disk_fault(disk, SIM_FAULT_DISK_SHORT, SIM_CHOICE_DISK_SHORT, config->short_ppm))
    size = sim_disk_short_size(disk, size);
  if (sim_file_write_fails(file, offset, offset + size, config->sector_bytes)) return SYNC_E_IO;
  put(disk, file, offset, bytes, size);
  *done = *touched = size;
  return SYNC_OK;
}

int sim_disk_write(struct sim_disk *disk, sync_file file, uint64_t offset, const void *bytes, size_t size,
                   size_t *done) {
  size_t touched = 0;
  *done = 0;
  int status = write_file(disk, file, offset, bytes, size, done, &touched);
  uint64_t hash = touched > 0 ? sim_hash_bytes(bytes, touched) : 0;
  uint64_t fields[] = {RESULT(file), offset, *done, hash, RESULT(status), size};
  ground_trace(disk->ground, SIM_SUB_DISK, SIM_STEP_FILE_WRITE, disk->node, fields, 6);
  const struct sim_handle *handle = disk_handle_at(disk, file);
  if (handle != NULL) disk_happened_write(disk, handle->file, offset, *done, status);
  return sim_disk_tell(disk, status);
}

static int truncate_file(struct sim_disk *disk, sync_file number, uint64_t size) {
  struct sim_handle *handle = disk_handle_at(disk, number);
  if (handle == NULL || !range_valid(size, 0)) return SYNC_E_INVALID;
  sim_disk_delay(disk, false);
  struct sim_file *file = handle->file;
  if (size == file->size) return SYNC_OK;
  if (size > file->size) {
    bool full = size > end_max(disk, file);
    if (disk->config.quota_bytes > 0) ground_fault(disk->ground, SIM_FAULT_DISK_FULL, full);
    if (full) return SYNC_E_NO_SPACE;
  } else if (sim_file_write_fails(file, size, file->size, disk->config.sector_bytes)) {
    return SYNC_E_IO; /* what is left of the sector cannot be read */
  }
  const struct sim_disk_error *error = sim_disk_draw_error(disk, SIM_DISK_TRUNCATE, size > file->size);
  if (sim_disk_takes_effect(disk, error)) {
    disk->used_bytes += size - file->size;
    sim_file_truncate(disk->ground, file, ++disk->order, size);
  }
  return error != NULL ? error->status : SYNC_OK;
}

int sim_disk_truncate(struct sim_disk *disk, sync_file file, uint64_t size) {
  int status = truncate_file(disk, file, size);
  return TRACE(disk, SIM_STEP_FILE_TRUNCATE, RESULT(file), size, RESULT(status));
}

int sim_disk_size(struct sim_disk *disk, sync_file file, uint64_t *size) {
  struct sim_handle *handle = disk_handle_at(disk, file);
  const struct sim_disk_error *error = handle != NULL ? sim_disk_draw_error(disk, SIM_DISK_SIZE, false) : NULL;
  int status = error != NULL ? error->status : SYNC_OK;
  if (handle == NULL) status = SYNC_E_INVALID;
  *size = status == SYNC_OK ? handle->file->size : 0;
  return TRACE(disk, SIM_STEP_FILE_SIZE, RESULT(file), *size, RESULT(status));
}

/* --- Names -------------------------------------------------------------------- */

/* After a live name went away. */
static void unnamed(struct sim_disk *disk, const struct sim_file *file) {
  if (file != NULL && !disk_file_counts(file)) disk->used_bytes -= file->size;
}

int sim_disk_rename(struct sim_disk *disk, const char *from, const char *to) {
  int status = SYNC_E_INVALID;
  if (sim_name_valid(from) && sim_name_valid(to)) {
    sim_disk_delay(disk, false);
    status = sim_directory_find(&disk->directory, from) != NULL ? SYNC_OK : SYNC_E_NOT_FOUND;
    const struct sim_disk_error *error = status == SYNC_OK ? sim_disk_draw_error(disk, SIM_DISK_RENAME, false) : NULL;
    bool happens = status == SYNC_OK && sim_disk_takes_effect(disk, error);
    if (error != NULL) status = error->status;
    if (happens && strcmp(from, to) != 0) {
      const struct sim_file *replaced = sim_directory_find(&disk->directory, to);
      sim_directory_rename(disk, from, to);
      unnamed(disk, replaced);
      write_back_names(disk);
    }
  }
  disk_happened_name(disk, SIM_HAPPENED_RENAME, from, status);
  return TRACE(disk, SIM_STEP_FILE_RENAME, text_hash(disk, from), text_hash(disk, to), RESULT(status));
}

int sim_disk_unlink(struct sim_disk *disk, const char *name) {
  int status = SYNC_E_INVALID;
  if (sim_name_valid(name)) {
    sim_disk_delay(disk, false);
    const struct sim_file *file = sim_directory_find(&disk->directory, name);
    status = file != NULL ? SYNC_OK : SYNC_E_NOT_FOUND;
    const struct sim_disk_error *error = file != NULL ? sim_disk_draw_error(disk, SIM_DISK_UNLINK, false) : NULL;
    bool happens = file != NULL && sim_disk_takes_effect(disk, error);
    if (error != NULL) status = error->status;
    if (happens) {
      sim_directory_unlink(disk, name);
      unnamed(disk, file);
      write_back_names(disk);
    }
  }
  disk_happened_name(disk, SIM_HAPPENED_UNLINK, name, status);
  return TRACE(disk, SIM_STEP_FILE_UNLINK, text_hash(disk, name), RESULT(status));
}

int sim_disk_list(struct sim_disk *disk, int (*each)(void *arg, const char *name), void *arg) {
  sim_disk_delay(disk, false);
  const struct sim_disk_error *error = sim_disk_draw_error(disk, SIM_DISK_LIST, false);
  int result = error != NULL ? error->status : 0;
  uint64_t hash = 0;
  for (uint32_t i = 0; i < disk->directory.count && result == 0; i++) {
    hash = sim_hash_fold(hash, sim_name_hash(disk->directory.entries[i].name));
    result = each(arg, disk->directory.entries[i].name);
  }
  uint64_t fields[] = {disk->directory.count, hash, RESULT(result)};
  ground_trace(disk->ground, SIM_SUB_DISK, SIM_STEP_DIR_LIST, disk->node, fields, 3);
  if (error != NULL) sim_disk_tell(disk, result);
  return result;
}

/* --- fsync -------------------------------------------------------------------- */

static void wake_at(struct sim_disk *disk, uint64_t time_ns, uint64_t id, uint64_t identity) {
  uint32_t slot = ground_event(disk->ground, SIM_EVENT_DISK, disk->node);
  struct sim_event *event = ground_event_at(disk->ground, slot);
  event->value = id;
  event->life = disk->life;
  ground_schedule(disk->ground, slot, time_ns, ground_tie(disk->ground, disk->node, identity));
}

static int fsync_request(struct sim_disk *disk, sync_file handle, struct sim_file *file, uint64_t token) {
  sim_disk_delay(disk, false);
  const struct sim_disk_error *error = sim_disk_draw_error(disk, SIM_DISK_FSYNC_REQUEST, false);
  if (error != NULL)
    return TRACE(disk, SIM_STEP_FSYNC_REFUSED, file != NULL ? RESULT(handle) : DIRECTORY_HANDLE, token,
                 RESULT(error->status));
  struct sim_fsync *fsync = sim_disk_alloc(disk->ground, sizeof *fsync);
  memset(fsync, 0, sizeof *fsync);
  fsync->id = ++disk->fsync_ids;
  fsync->token = token;
  fsync->order = disk->order;
  fsync->file = file;
  fsync->handle = handle;
  if (file != NULL) file->references++;
  struct sim_fsync **end = &disk->fsyncs;
  while (*end != NULL)
    end = &(*end)->next;
  *end = fsync;
  struct sim_tag tag = sim_disk_tag(disk, SIM_CHOICE_DISK_FSYNC_DELAY);
  uint64_t due =
      ground_now(disk->ground) + ground_range(disk->ground, tag, disk->config.fsync_min_ns, disk->config.fsync_max_ns);
  wake_at(disk, due, fsync->id, tag.identity);
  uint64_t fields[] = {file != NULL ? RESULT(handle) : DIRECTORY_HANDLE, token, due};
  ground_trace(disk->ground, SIM_SUB_DISK, SIM_STEP_FSYNC_BEGIN, disk->node, fields, 3);
  disk_happened_fsync(disk, file, false, SYNC_OK);
  return SYNC_OK;
}

int sim_disk_fsync_file(struct sim_disk *disk, sync_file file, uint64_t token) {
  struct sim_handle *handle = disk_handle_at(disk, file);
  return handle != NULL ? fsync_request(disk, file, handle->file, token) : SYNC_E_INVALID;
}

int sim_disk_fsync_dir(struct sim_disk *disk, uint64_t token) {
  return fsync_request(disk, -1, NULL, token);
}

int sim_disk_fsync_finish(struct sim_disk *disk, uint64_t id, uint64_t *token) {
  struct sim_fsync **link = &disk->fsyncs;
  while (*link != NULL && (*link)->id != id)
    link = &(*link)->next;
  struct sim_fsync *fsync = *link;
  *token = 0;
  if (fsync == NULL) return SYNC_E_NOT_FOUND;
  *link = fsync->next;
  *token = fsync->token;
  int result = fsync->file != NULL
                   ? sim_disk_fsync_file_result(disk, fsync->file, fsync->order, disk_handle_at(disk, fsync->handle))
                   : sim_disk_fsync_dir_result(disk, fsync->order);
  disk_happened_fsync(disk, fsync->file, true, result);
  if (fsync->file != NULL) {
    fsync->file->references--;
    sim_disk_release(disk, fsync->file);
  }
  ground_free(disk->ground, fsync, sizeof *fsync);
  return TRACE(disk, SIM_STEP_FSYNC_DONE, *token, RESULT(result));
}

uint32_t sim_disk_fsyncs_in_flight(const struct sim_disk *disk) {
  uint32_t count = 0;
  for (const struct sim_fsync *fsync = disk->fsyncs; fsync != NULL; fsync = fsync->next)
    count++;
  return count;
}

/* --- Crashes ------------------------------------------------------------------ */

void sim_disk_process_crash(struct sim_disk *disk) {
  sim_disk_drop_process(disk);
}

void sim_disk_wipe(struct sim_disk *disk) {
  sim_disk_drop_process(disk);
  sim_directory_clear(disk);
  sim_disk_damage_forget(disk, NULL);
  GROUND_ASSERT(disk->ground, disk->files == NULL);
  disk->used_bytes = 0;
}

void sim_disk_sync_all(struct sim_disk *disk) {
  sim_directory_persist(disk, UINT64_MAX);
  for (struct sim_file *file = disk->files; file != NULL; file = file->next) {
    while (file->first != NULL)
      sim_file_forget(disk->ground, file, file->first);
    sim_file_forgive(disk->ground, file);
    file->durable_size = file->size;
  }
}

/* --- For tests and oracles ---------------------------------------------------- */

uint64_t sim_disk_used_bytes(const struct sim_disk *disk) {
  return disk->used_bytes;
}

uint64_t sim_disk_pending_changes(const struct sim_disk *disk) {
  uint64_t pending = disk->directory.pending;
  for (const struct sim_file *file = disk->files; file != NULL; file = file->next)
    pending += file->pending;
  return pending;
}

uint32_t sim_disk_open_handles(const struct sim_disk *disk) {
  return disk->handles_open;
}

const char *sim_disk_name_at(const struct sim_disk *disk, uint32_t index, uint64_t *size) {
  if (index >= disk->directory.count) return NULL;
  *size = disk->directory.entries[index].file->size;
  return disk->directory.entries[index].name;
}

uint64_t sim_disk_digest(const struct sim_disk *disk) {
  uint64_t digest = disk->directory.count;
  for (uint32_t i = 0; i < disk->directory.count; i++) {
    const struct sim_entry *entry = &disk->directory.entries[i];
    digest = sim_hash_fold(digest, sim_name_hash(entry->name));
    digest = sim_hash_fold(digest, sim_file_hash(entry->file, 0, entry->file->size));
    for (const struct sim_unreadable *run = entry->file->unreadable; run != NULL; run = run->next)
      digest = sim_hash_fold(sim_hash_fold(digest, run->from), run->to);
  }
  return digest;
}
