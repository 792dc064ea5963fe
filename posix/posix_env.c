/* Offsets are 64 bits on 32-bit processors too. */
#define _FILE_OFFSET_BITS 64

#include "posix/posix_env.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "posix/entropy.h"
#include "posix/fsync_thread.h"

_Static_assert(FSYNCS_MAX == SYNC_POSIX_FSYNCS_MAX, "the bound that the header promises");
_Static_assert(FSYNC_NAME_BYTES_MAX == SYNC_POSIX_NAME_BYTES_MAX, "names of files");

#define LOG_LINE_BYTES 160u /* sync_trace_text() says that it is enough */
#define NAME_BYTES_MAX SYNC_POSIX_NAME_BYTES_MAX
#define FILES_MAX_DEFAULT 1024u
#define FILES_MAX_LIMIT 65536u
/* Longer transfers are short ones; the kernel has such a limit too. */
#define TRANSFER_BYTES_MAX ((size_t)1 << 30)

struct open_file {
  int descriptor; /* -1: free */
  char name[NAME_BYTES_MAX + 1];
};

struct sync_posix {
  struct sync_env env;
  struct sync_posix_options options; /* `directory` is not kept */
  int directory;
  int lock;
  uint32_t files_max;
  struct open_file *files; /* of each sync_file */
  struct fsync_queue fsyncs;
};

static int status_of_errno(int error) {
  switch (error) {
  case ENOENT:
    return SYNC_E_NOT_FOUND;
  case EEXIST:
    return SYNC_E_EXISTS;
  case ENOSPC:
  case EDQUOT:
  case EFBIG: /* the process's own file size limit: a quota by another name */
    return SYNC_E_NO_SPACE;
  case ENOMEM:
    return SYNC_E_NO_MEMORY;
  case EMFILE:
  case ENFILE:
    return SYNC_E_TOO_MANY;
  case EINTR:
    return SYNC_E_INTERRUPTED;
  default:
    return SYNC_E_IO;
  }
}

void sync_posix_failure_text(const struct sync_posix_failure *failure, char *text, size_t size) {
  const bool here = failure->name[0] == '\0', above = strcmp(failure->name, "..") == 0;
  const bool unsupported =
      (here || above) && strcmp(failure->call, "fsync") == 0 && fsync_is_unsupported(failure->error);
  (void)snprintf(text, size, "%s of %s%s: %s (errno %d)%s", failure->call, here || above ? "" : "file ",
                 here    ? "the directory"
                 : above ? "the parent directory"
                         : failure->name,
                 strerror(failure->error), failure->error,
                 unsupported ? ": this file system cannot make names durable; accept_no_directory_fsync goes on without"
                             : "");
}

static void tell(const struct sync_posix_options *options, const char *call, const char *name, int error) {
  struct sync_posix_failure failure = {.call = call, .error = error};
  if (!options->failed) return;
  (void)snprintf(failure.name, sizeof failure.name, "%s", name);
  options->failed(options->failed_arg, &failure);
}

/* The status of a call that failed just now with errno. */
static int refused(const struct sync_posix_options *options, const char *call, const char *name) {
  const int error = errno, status = status_of_errno(error);
  if (status != SYNC_E_NOT_FOUND && status != SYNC_E_EXISTS && status != SYNC_E_INTERRUPTED) {
    tell(options, call, name, error);
  }
  return status;
}

/* A name of the port that is not the lock's; "." and ".." would leave it. */
static bool name_is_valid(const char *name) {
  size_t size = strnlen(name, NAME_BYTES_MAX + 1);
  if (size == 0 || size > NAME_BYTES_MAX) return false;
  for (size_t i = 0; i < size; i++) {
    char c = name[i];
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '.' && c != '_' && c != '-') return false;
  }
  return strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, SYNC_POSIX_LOCK_NAME) != 0;
}

/* --- Clocks, chance, memory ------------------------------------------------- */

/* Before 1970 it is 1970, and from 2554 on the end of 64 bits. */
static uint64_t clock_ns(clockid_t clock) {
  const uint64_t second = UINT64_C(1000000000);
  struct timespec now;
  if (clock_gettime(clock, &now) != 0 || now.tv_sec < 0) return 0;
  uint64_t seconds = (uint64_t)now.tv_sec, left = (uint64_t)now.tv_nsec;
  return seconds > (UINT64_MAX - left) / second ? UINT64_MAX : seconds * second + left;
}

static uint64_t posix_mono_ns(void *ctx) {
  (void)ctx;
  return clock_ns(CLOCK_MONOTONIC);
}

static uint64_t posix_wall_ns(void *ctx) {
  (void)ctx;
  return clock_ns(CLOCK_REALTIME);
}

static void posix_fatal(void *ctx, const char *file, int line, const char *what) {
  (void)ctx;
  fprintf(stderr, "%s:%d: %s\n", file, line, what);
  abort();
}

static uint64_t posix_unique(void *ctx) {
  uint64_t bits = 0;
  /* An identity that might repeat would lose data later: better to end now. */
  do {
    if (!entropy_bits(&bits)) posix_fatal(ctx, __FILE__, __LINE__, "the kernel gives no random bits");
  } while (bits == 0);
  return bits;
}

static uint64_t posix_pick(void *ctx, enum sync_pick_kind kind, uint64_t n) {
  (void)kind;
  uint64_t value = 0;
  if (n == 0) posix_fatal(ctx, __FILE__, __LINE__, "pick among nothing");
  if (!entropy_below(n, &value)) posix_fatal(ctx, __FILE__, __LINE__, "the kernel gives no random bits");
  return value;
}

static void *posix_alloc(void *ctx, size_t size, size_t nominal) {
  (void)ctx;
  (void)nominal;
  return malloc(size > 0 ? size : 1);
}

static void posix_free(void *ctx, void *block, size_t size, size_t nominal) {
  (void)ctx;
  (void)size;
  (void)nominal;
  free(block);
}

static void posix_trace(void *ctx, enum sync_trace_kind kind, const uint64_t *fields, size_t count) {
  const struct sync_posix *posix = ctx;
  if (posix->options.trace) posix->options.trace(posix->options.trace_arg, kind, fields, count);
  if (!posix->options.log) return;
  enum sync_level level = sync_trace_level(kind, fields, count);
  if (level > (posix->options.log_level ? posix->options.log_level : SYNC_LEVEL_INFO)) return;
  char line[LOG_LINE_BYTES];
  sync_trace_text(kind, fields, count, line, sizeof line);
  posix->options.log(posix->options.log_arg, level, line);
}

/* --- Files ------------------------------------------------------------------- */

/* The descriptor of an open file, or -1. */
static int descriptor_of(const struct sync_posix *posix, sync_file file) {
  return file >= 0 && (uint32_t)file < posix->files_max ? posix->files[file].descriptor : -1;
}

/* A signal must never look like a failure of the engine, and every call below
 * that ends with EINTR did nothing: so each is repeated here. */
static int open_at(int directory, const char *name, int flags, mode_t mode) {
  int descriptor;
  do {
    descriptor = openat(directory, name, flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && errno == EINTR);
  return descriptor;
}

static int posix_file_open(void *ctx, const char *name, uint32_t flags, sync_file *file) {
  struct sync_posix *posix = ctx;
  if ((flags & ~(SYNC_OPEN_CREATE | SYNC_OPEN_EXCLUSIVE | SYNC_OPEN_TRUNCATE)) != 0) return SYNC_E_INVALID;
  if (!name_is_valid(name)) return SYNC_E_INVALID;
  uint32_t slot = 0;
  while (slot < posix->files_max && posix->files[slot].descriptor >= 0)
    slot++;
  if (slot == posix->files_max) return SYNC_E_TOO_MANY;

  int open_flags = O_RDWR | O_NOFOLLOW;
  if (flags & SYNC_OPEN_CREATE) {
    open_flags |= O_CREAT;
    if (flags & SYNC_OPEN_EXCLUSIVE) open_flags |= O_EXCL;
  }
  if (flags & SYNC_OPEN_TRUNCATE) open_flags |= O_TRUNC;
  int descriptor = open_at(posix->directory, name, open_flags, 0666);
  if (descriptor < 0) return refused(&posix->options, "open", name);
  struct stat about;
  if (fstat(descriptor, &about) != 0 || !S_ISREG(about.st_mode)) {
    close(descriptor);
    tell(&posix->options, "open", name, ENXIO); /* what a device or pipe would say */
    return SYNC_E_IO;
  }
  posix->files[slot].descriptor = descriptor;
  (void)snprintf(posix->files[slot].name, sizeof posix->files[slot].name, "%s", name);
  *file = (sync_file)slot;
  return SYNC_OK;
}

static int posix_file_close(void *ctx, sync_file file) {
  struct sync_posix *posix = ctx;
  int descriptor = descriptor_of(posix, file);
  if (descriptor < 0) return SYNC_E_INVALID;
  posix->files[file].descriptor = -1;
  /* After EINTR the descriptor is gone all the same (Linux): never again. */
  if (close(descriptor) == 0 || errno == EINTR) return SYNC_OK;
  (void)refused(&posix->options, "close", posix->files[file].name);
  return SYNC_E_IO;
}

/* Whether the range can be named by an off_t. */
static bool range_is_valid(uint64_t offset, size_t size) {
  return offset <= (uint64_t)INT64_MAX && size <= (uint64_t)INT64_MAX - offset;
}

static int posix_file_read(void *ctx, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done) {
  struct sync_posix *posix = ctx;
  *done = 0;
  int descriptor = descriptor_of(posix, file);
  if (descriptor < 0 || !range_is_valid(offset, size)) return SYNC_E_INVALID;
  ssize_t got;
  do {
    got = pread(descriptor, buffer, size < TRANSFER_BYTES_MAX ? size : TRANSFER_BYTES_MAX, (off_t)offset);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return refused(&posix->options, "pread", posix->files[file].name);
  *done = (size_t)got;
  return SYNC_OK;
}

static int posix_file_write(void *ctx, sync_file file, uint64_t offset, const void *bytes, size_t size, size_t *done) {
  struct sync_posix *posix = ctx;
  *done = 0;
  int descriptor = descriptor_of(posix, file);
  if (descriptor < 0 || !range_is_valid(offset, size)) return SYNC_E_INVALID;
  if (size == 0) return SYNC_OK;
  ssize_t put;
  do {
    put = pwrite(descriptor, bytes, size < TRANSFER_BYTES_MAX ? size : TRANSFER_BYTES_MAX, (off_t)offset);
  } while (put < 0 && errno == EINTR);
  if (put < 0) return refused(&posix->options, "pwrite", posix->files[file].name);
  /* No progress without an error would let a caller try for ever. */
  if (put == 0) return SYNC_E_IO;
  *done = (size_t)put;
  return SYNC_OK;
}

static int posix_file_truncate(void *ctx, sync_file file, uint64_t size) {
  struct sync_posix *posix = ctx;
  int descriptor = descriptor_of(posix, file);
  if (descriptor < 0 || !range_is_valid(size, 0)) return SYNC_E_INVALID;
  int failed;
  do {
    failed = ftruncate(descriptor, (off_t)size);
  } while (failed != 0 && errno == EINTR);
  return failed == 0 ? SYNC_OK : refused(&posix->options, "ftruncate", posix->files[file].name);
}

static int posix_file_size(void *ctx, sync_file file, uint64_t *size) {
  struct sync_posix *posix = ctx;
  int descriptor = descriptor_of(posix, file);
  if (descriptor < 0) return SYNC_E_INVALID;
  struct stat about;
  if (fstat(descriptor, &about) != 0) return refused(&posix->options, "fstat", posix->files[file].name);
  *size = (uint64_t)about.st_size;
  return SYNC_OK;
}

static int posix_file_rename(void *ctx, const char *from, const char *to) {
  struct sync_posix *posix = ctx;
  if (!name_is_valid(from) || !name_is_valid(to)) return SYNC_E_INVALID;
  if (renameat(posix->directory, from, posix->directory, to) == 0) return SYNC_OK;
  return refused(&posix->options, "rename", from);
}

static int posix_file_unlink(void *ctx, const char *name) {
  struct sync_posix *posix = ctx;
  if (!name_is_valid(name)) return SYNC_E_INVALID;
  return unlinkat(posix->directory, name, 0) == 0 ? SYNC_OK : refused(&posix->options, "unlink", name);
}

static int posix_file_fsync(void *ctx, sync_file file, uint64_t token) {
  struct sync_posix *posix = ctx;
  int descriptor = descriptor_of(posix, file);
  if (descriptor < 0) return SYNC_E_INVALID;
  return fsync_queue_request(&posix->fsyncs, FSYNC_FILE, descriptor, posix->files[file].name, token);
}

static int posix_dir_fsync(void *ctx, uint64_t token) {
  struct sync_posix *posix = ctx;
  return fsync_queue_request(&posix->fsyncs, FSYNC_DIRECTORY, posix->directory, "", token);
}

/* --- Listing ------------------------------------------------------------------ */

struct file_name {
  char text[NAME_BYTES_MAX + 1];
};

struct name_list {
  struct file_name *names;
  size_t count, capacity;
};

static int compare_names(const void *a, const void *b) {
  const struct file_name *left = a, *right = b;
  return strcmp(left->text, right->text);
}

static int name_list_add(struct name_list *list, const char *name) {
  if (list->count == SYNC_POSIX_NAMES_MAX) return SYNC_E_TOO_MANY;
  if (list->count == list->capacity) {
    size_t capacity = list->capacity > 0 ? list->capacity * 2 : 64;
    struct file_name *names = realloc(list->names, capacity * sizeof *names);
    if (!names) return SYNC_E_NO_MEMORY;
    list->names = names;
    list->capacity = capacity;
  }
  memcpy(list->names[list->count].text, name, strlen(name) + 1);
  list->count++;
  return SYNC_OK;
}

static bool is_regular(int directory, const struct dirent *entry) {
  if (entry->d_type != DT_UNKNOWN) return entry->d_type == DT_REG;
  struct stat about;
  return fstatat(directory, entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(about.st_mode);
}

static int name_list_fill(struct name_list *list, int directory) {
  /* A handle of its own: a duplicate would share the reading position. */
  int descriptor = open_at(directory, ".", O_RDONLY | O_DIRECTORY, 0);
  if (descriptor < 0) return status_of_errno(errno);
  DIR *stream = fdopendir(descriptor);
  if (!stream) {
    int error = errno;
    close(descriptor);
    return status_of_errno(error);
  }
  int status = SYNC_OK;
  while (status == SYNC_OK) {
    errno = 0;
    const struct dirent *entry = readdir(stream);
    if (!entry) {
      if (errno != 0) status = status_of_errno(errno);
      break;
    }
    if (name_is_valid(entry->d_name) && is_regular(directory, entry)) status = name_list_add(list, entry->d_name);
  }
  closedir(stream);
  return status;
}

static int posix_dir_list(void *ctx, int (*each)(void *arg, const char *name), void *arg) {
  struct sync_posix *posix = ctx;
  struct name_list list = {0};
  errno = 0;
  int status = name_list_fill(&list, posix->directory);
  if (status != SYNC_OK && errno != 0) (void)refused(&posix->options, "readdir", "");
  if (status == SYNC_OK && list.count > 1) qsort(list.names, list.count, sizeof *list.names, compare_names);
  for (size_t i = 0; i < list.count && status == SYNC_OK; i++)
    status = each(arg, list.names[i].text);
  free(list.names);
  return status;
}

/* --- Opening and closing -------------------------------------------------------- */

static const struct sync_env_ops posix_ops = {
    .mono_ns = posix_mono_ns,
    .wall_ns = posix_wall_ns,
    .unique = posix_unique,
    .pick = posix_pick,
    .alloc = posix_alloc,
    .free = posix_free,
    .file_open = posix_file_open,
    .file_close = posix_file_close,
    .file_read = posix_file_read,
    .file_write = posix_file_write,
    .file_truncate = posix_file_truncate,
    .file_size = posix_file_size,
    .file_rename = posix_file_rename,
    .file_unlink = posix_file_unlink,
    .dir_list = posix_dir_list,
    .file_fsync = posix_file_fsync,
    .dir_fsync = posix_dir_fsync,
    .trace = posix_trace,
    .fatal = posix_fatal,
};

/* Opens the directory; with `create` it and its name are durable afterwards. */
static int open_directory(const struct sync_posix_options *options, int *directory) {
  if (options->create && mkdir(options->directory, 0777) != 0 && errno != EEXIST) {
    const int error = errno;
    tell(options, "mkdir", "", error);
    return status_of_errno(error);
  }
  *directory = open_at(AT_FDCWD, options->directory, O_RDONLY | O_DIRECTORY, 0);
  if (*directory < 0) return refused(options, "open", "");
  if (!options->create) return SYNC_OK;
  /* Also when it was there: an earlier process may have died in between. */
  int parent = open_at(*directory, "..", O_RDONLY | O_DIRECTORY, 0), error = 0;
  int status = parent < 0 ? refused(options, "open", "..") : fsync_now(FSYNC_DIRECTORY, parent, &error);
  if (error != 0 && options->accept_no_directory_fsync && fsync_is_unsupported(error)) status = SYNC_OK;
  if (status != SYNC_OK && error != 0) tell(options, "fsync", "..", error);
  if (parent >= 0) close(parent);
  if (status != SYNC_OK) close(*directory);
  return status;
}

static int lock_directory(const struct sync_posix_options *options, int directory, int *lock) {
  *lock = open_at(directory, SYNC_POSIX_LOCK_NAME, O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
  if (*lock < 0) return refused(options, "open", SYNC_POSIX_LOCK_NAME);
  /* flock, for fcntl's locks do not part two environments of one process. */
  int failed;
  do {
    failed = flock(*lock, LOCK_EX | LOCK_NB);
  } while (failed != 0 && errno == EINTR);
  if (failed == 0) return SYNC_OK;
  int status = errno == EWOULDBLOCK ? SYNC_E_LOCKED : refused(options, "flock", SYNC_POSIX_LOCK_NAME);
  close(*lock);
  return status;
}

int sync_posix_open(struct sync_posix **out, const struct sync_posix_options *options) {
  *out = NULL;
  if (!options->directory || options->directory[0] == '\0') return SYNC_E_INVALID;
  if (options->fsync_mode != SYNC_POSIX_FSYNC_THREAD && options->fsync_mode != SYNC_POSIX_FSYNC_INLINE) {
    return SYNC_E_INVALID;
  }
  if (options->files_max > FILES_MAX_LIMIT) return SYNC_E_INVALID;

  struct sync_posix *posix = calloc(1, sizeof *posix);
  if (!posix) return SYNC_E_NO_MEMORY;
  posix->env = (struct sync_env){.ops = &posix_ops, .ctx = posix};
  posix->options = *options;
  posix->options.directory = NULL;
  posix->files_max = options->files_max > 0 ? options->files_max : FILES_MAX_DEFAULT;
  int status = SYNC_E_NO_MEMORY;
  posix->files = malloc(posix->files_max * sizeof *posix->files);
  if (!posix->files) goto free_posix;
  for (uint32_t i = 0; i < posix->files_max; i++)
    posix->files[i].descriptor = -1;

  status = open_directory(options, &posix->directory);
  if (status != SYNC_OK) goto free_files;
  status = lock_directory(options, posix->directory, &posix->lock);
  if (status != SYNC_OK) goto close_directory;
  status = fsync_queue_init(&posix->fsyncs, options->fsync_mode == SYNC_POSIX_FSYNC_THREAD);
  if (status != SYNC_OK) goto close_lock;
  *out = posix;
  return SYNC_OK;

close_lock:
  close(posix->lock);
close_directory:
  close(posix->directory);
free_files:
  free(posix->files);
free_posix:
  free(posix);
  return status;
}

void sync_posix_close(struct sync_posix *posix) {
  if (!posix) return;
  fsync_queue_deinit(&posix->fsyncs);
  for (uint32_t i = 0; i < posix->files_max; i++) {
    if (posix->files[i].descriptor >= 0) close(posix->files[i].descriptor);
  }
  close(posix->directory);
  close(posix->lock);
  free(posix->files);
  free(posix);
}

const struct sync_env *sync_posix_env(struct sync_posix *posix) {
  return &posix->env;
}

int sync_posix_poll_fd(const struct sync_posix *posix) {
  return posix->fsyncs.event_fd;
}

bool sync_posix_next_completion(struct sync_posix *posix, uint64_t *token, int *result) {
  struct fsync_entry entry;
  if (!fsync_queue_take(&posix->fsyncs, &entry)) return false;
  *token = entry.token;
  *result = entry.result;
  if (entry.result == SYNC_OK) return true;
  const bool of_directory = entry.kind == FSYNC_DIRECTORY;
  if (of_directory && posix->options.accept_no_directory_fsync && fsync_is_unsupported(entry.error)) {
    *result = SYNC_OK;
    return true;
  }
  tell(&posix->options, of_directory ? "fsync" : "fdatasync", entry.name, entry.error);
  return true;
}
