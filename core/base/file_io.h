/* Face of room `base`: whole reads and writes over an environment whose calls may be short or
 * interrupted.
 */
#ifndef SYNC_CORE_BASE_FILE_IO_H
#define SYNC_CORE_BASE_FILE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"

/* An interrupted call did nothing and is repeated, but not for ever: then it
 * is SYNC_E_IO. */
#define FILE_IO_INTERRUPTS_MAX 64u

int file_io_open(const struct sync_env *env, const char *name, uint32_t flags, sync_file *file);
/* Reads until `size` bytes are there or the file ends; *done says how many. */
int file_io_read(const struct sync_env *env, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done);
/* Writes all of it, or fails; then any part may have been written. */
int file_io_write(const struct sync_env *env, sync_file file, uint64_t offset, const void *bytes, size_t size);
int file_io_close(const struct sync_env *env, sync_file file);
int file_io_size(const struct sync_env *env, sync_file file, uint64_t *size);
int file_io_rename(const struct sync_env *env, const char *from, const char *to);
/* Requests an fsync of the file, or of the directory (file -1). What env.h says of refusals holds: only
 * SYNC_E_INTERRUPTED, SYNC_E_NO_MEMORY and SYNC_E_TOO_MANY mean that nothing was begun. */
int file_io_fsync(const struct sync_env *env, sync_file file, uint64_t token);
static inline bool file_io_not_begun(int status) {
  return status == SYNC_E_INTERRUPTED || status == SYNC_E_NO_MEMORY || status == SYNC_E_TOO_MANY;
}
/* The same of the directory, whose names are not the caller's alone: what leaves it open what reached the disk is
 * SYNC_E_FAILED. */
int file_io_fsync_names(const struct sync_env *env, uint64_t token);
/* Calls `each` again from the beginning when the listing was interrupted. */
int file_io_list(const struct sync_env *env, int (*each)(void *arg, const char *name), void *arg);
int file_io_unlink(const struct sync_env *env, const char *name);

#endif
