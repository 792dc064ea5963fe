#include "core/base/file_io.h"

/* Repeats a call while it is interrupted. */
#define UNINTERRUPTED(call)                                                                                            \
  do {                                                                                                                 \
    for (unsigned tries = 0; tries < FILE_IO_INTERRUPTS_MAX; tries++) {                                                \
      int status = (call);                                                                                             \
      if (status != SYNC_E_INTERRUPTED) return status;                                                                 \
    }                                                                                                                  \
    return SYNC_E_IO;                                                                                                  \
  } while (0)

int file_io_open(const struct sync_env *env, const char *name, uint32_t flags, sync_file *file) {
  UNINTERRUPTED(env->ops->file_open(env->ctx, name, flags, file));
}
int file_io_close(const struct sync_env *env, sync_file file) {
  UNINTERRUPTED(env->ops->file_close(env->ctx, file));
}
int file_io_size(const struct sync_env *env, sync_file file, uint64_t *size) {
  UNINTERRUPTED(env->ops->file_size(env->ctx, file, size));
}
int file_io_rename(const struct sync_env *env, const char *from, const char *to) {
  UNINTERRUPTED(env->ops->file_rename(env->ctx, from, to));
}
int file_io_unlink(const struct sync_env *env, const char *name) {
  UNINTERRUPTED(env->ops->file_unlink(env->ctx, name));
}

int file_io_read(const struct sync_env *env, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done) {
  uint8_t *to = (uint8_t *)buffer;
  unsigned interrupts = 0;
  *done = 0;
  while (*done < size) {
    size_t part = 0;
    int status = env->ops->file_read(env->ctx, file, offset + *done, to + *done, size - *done, &part);
    if (status == SYNC_E_INTERRUPTED) {
      if (++interrupts >= FILE_IO_INTERRUPTS_MAX) return SYNC_E_IO;
      continue;
    }
    if (status != SYNC_OK) return status;
    if (part == 0) break;
    interrupts = 0;
    *done += part;
  }
  return SYNC_OK;
}

int file_io_write(const struct sync_env *env, sync_file file, uint64_t offset, const void *bytes, size_t size) {
  const uint8_t *from = (const uint8_t *)bytes;
  unsigned stalls = 0; /* calls in a row that wrote nothing */
  size_t done = 0;
  while (done < size) {
    size_t part = 0;
    int status = env->ops->file_write(env->ctx, file, offset + done, from + done, size - done, &part);
    if (status != SYNC_OK && status != SYNC_E_INTERRUPTED) return status;
    if (status == SYNC_E_INTERRUPTED || part == 0) {
      if (++stalls >= FILE_IO_INTERRUPTS_MAX) return SYNC_E_IO;
      continue;
    }
    stalls = 0;
    done += part;
  }
  return SYNC_OK;
}

int file_io_fsync(const struct sync_env *env, sync_file file, uint64_t token) {
  int status = SYNC_E_INTERRUPTED;
  for (unsigned tries = 0; status == SYNC_E_INTERRUPTED && tries < FILE_IO_INTERRUPTS_MAX; tries++)
    status = file >= 0 ? env->ops->file_fsync(env->ctx, file, token) : env->ops->dir_fsync(env->ctx, token);
  return status;
}

int file_io_fsync_names(const struct sync_env *env, uint64_t token) {
  int status = file_io_fsync(env, -1, token);
  return status == SYNC_OK || status == SYNC_E_POWERED_OFF || file_io_not_begun(status) ? status : SYNC_E_FAILED;
}

int file_io_list(const struct sync_env *env, int (*each)(void *arg, const char *name), void *arg) {
  int status = SYNC_E_INTERRUPTED;
  for (unsigned tries = 0; status == SYNC_E_INTERRUPTED && tries < FILE_IO_INTERRUPTS_MAX; tries++)
    status = env->ops->dir_list(env->ctx, each, arg);
  return status;
}
