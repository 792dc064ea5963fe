#include "synctool/overlay.h"

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
#include "posix/posix_env.h"

#define NAME_ROOM (SYNC_POSIX_NAME_BYTES_MAX + 1u)
#define FILES_MAX 1024u

/* The content of a file: the disk's until somebody writes to it. */
struct inode {
  struct inode *next; /* of all that there ever were: a name may go while the file is open */
  bool on_disk;
  char disk_name[NAME_ROOM];
  uint8_t *bytes;
  size_t size, capacity;
};
struct name {
  char text[NAME_ROOM];
  struct inode *inode;
};
struct open_file {
  struct inode *inode; /* NULL: not in use */
  int descriptor;      /* of the disk's file; -1 */
};
struct overlay {
  struct sync_env env;
  int directory, lock;
  struct inode *inodes;
  struct name *names; /* in bytewise order */
  size_t count, capacity;
  struct open_file files[FILES_MAX];
  uint64_t *tokens;
  size_t token_count, token_taken, token_capacity;
};

/* --- Names ------------------------------------------------------------------------ */

static size_t place_of(const struct overlay *overlay, const char *text) {
  size_t at = 0;
  while (at < overlay->count && strcmp(overlay->names[at].text, text) < 0)
    at++;
  return at;
}
static struct name *find(const struct overlay *overlay, const char *text) {
  const size_t at = place_of(overlay, text);
  return at < overlay->count && strcmp(overlay->names[at].text, text) == 0 ? &overlay->names[at] : NULL;
}
static void forget(struct overlay *overlay, struct name *name) {
  const size_t at = (size_t)(name - overlay->names);
  memmove(name, name + 1, (overlay->count - at - 1) * sizeof *name);
  overlay->count--;
}
/* The name that stands for the inode from now on, also if it was another's. */
static bool give_name(struct overlay *overlay, const char *text, struct inode *inode) {
  struct name *old = find(overlay, text);
  if (old != NULL) {
    old->inode = inode;
    return true;
  }
  if (overlay->count == overlay->capacity) {
    const size_t capacity = overlay->capacity == 0 ? 64 : overlay->capacity * 2;
    struct name *names = realloc(overlay->names, capacity * sizeof *names);
    if (names == NULL) return false;
    overlay->names = names;
    overlay->capacity = capacity;
  }
  const size_t at = place_of(overlay, text);
  memmove(&overlay->names[at + 1], &overlay->names[at], (overlay->count - at) * sizeof *overlay->names);
  (void)snprintf(overlay->names[at].text, NAME_ROOM, "%s", text);
  overlay->names[at].inode = inode;
  overlay->count++;
  return true;
}
static struct inode *make_inode(struct overlay *overlay) {
  struct inode *inode = calloc(1, sizeof *inode);
  if (inode == NULL) return NULL;
  inode->next = overlay->inodes;
  overlay->inodes = inode;
  return inode;
}
static bool is_name(const char *text) {
  const size_t length =
      strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"); /* as core/env.h says */
  return length > 0 && length < NAME_ROOM && text[length] == '\0' && strcmp(text, ".") != 0 &&
         strcmp(text, "..") != 0 && strcmp(text, SYNC_POSIX_LOCK_NAME) != 0;
}

/* --- Content -------------------------------------------------------------------------- */

static int open_on_disk(const struct overlay *overlay, const struct inode *inode, int *descriptor) {
  do {
    *descriptor = openat(overlay->directory, inode->disk_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  } while (*descriptor < 0 && errno == EINTR);
  if (*descriptor < 0) return errno == EMFILE || errno == ENFILE ? SYNC_E_TOO_MANY : SYNC_E_IO;
  struct stat about;
  if (fstat(*descriptor, &about) == 0 && S_ISREG(about.st_mode)) return SYNC_OK;
  (void)close(*descriptor);
  *descriptor = -1;
  return SYNC_E_IO;
}
static int read_disk(int descriptor, uint64_t offset, void *to, size_t size, size_t *done) {
  ssize_t got;
  *done = 0;
  if (offset > (uint64_t)INT64_MAX - size) return SYNC_E_INVALID;
  do {
    got = pread(descriptor, to, size, (off_t)offset);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return SYNC_E_IO;
  *done = (size_t)got;
  return SYNC_OK;
}
static bool resize(struct inode *inode, uint64_t size) {
  if (size > SIZE_MAX / 4) return false;
  if (size > inode->capacity) {
    const size_t capacity = (size_t)size * 2;
    uint8_t *bytes = realloc(inode->bytes, capacity);
    if (bytes == NULL) return false;
    inode->bytes = bytes;
    inode->capacity = capacity;
  }
  if (size > inode->size) memset(inode->bytes + inode->size, 0, (size_t)size - inode->size);
  inode->size = (size_t)size;
  return true;
}
/* Takes the disk's content into memory, before the first change of it. */
static int take_over(struct inode *inode, int descriptor) {
  struct stat about;
  if (!inode->on_disk) return SYNC_OK;
  if (fstat(descriptor, &about) != 0) return SYNC_E_IO;
  if (!resize(inode, (uint64_t)about.st_size)) return SYNC_E_NO_MEMORY;
  for (size_t at = 0; at < inode->size;) {
    size_t done = 0;
    const int status = read_disk(descriptor, at, inode->bytes + at, inode->size - at, &done);
    if (status != SYNC_OK || done == 0) return SYNC_E_IO;
    at += done;
  }
  inode->on_disk = false;
  return SYNC_OK;
}

/* --- The port -------------------------------------------------------------------------- */

static struct open_file *file_of(struct overlay *overlay, sync_file file) {
  if (file < 0 || (uint32_t)file >= FILES_MAX || overlay->files[file].inode == NULL) return NULL;
  return &overlay->files[file];
}
static uint64_t clock_ns(clockid_t clock) {
  struct timespec now;
  if (clock_gettime(clock, &now) != 0 || now.tv_sec < 0) return 0;
  return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}
static uint64_t env_mono_ns(void *ctx) {
  (void)ctx;
  return clock_ns(CLOCK_MONOTONIC);
}
static uint64_t env_wall_ns(void *ctx) {
  (void)ctx;
  return clock_ns(CLOCK_REALTIME);
}
static void env_fatal(void *ctx, const char *file, int line, const char *what) {
  (void)ctx;
  (void)fprintf(stderr, "synctool: %s:%d: %s\n", file, line, what);
  abort();
}
static uint64_t env_unique(void *ctx) {
  uint64_t bits = 0;
  if (!entropy_bits(&bits)) env_fatal(ctx, __FILE__, __LINE__, "the kernel has no entropy to give");
  return bits == 0 ? 1 : bits;
}
static uint64_t env_pick(void *ctx, enum sync_pick_kind kind, uint64_t n) {
  (void)ctx, (void)kind, (void)n;
  return 0;
}
static void *env_alloc(void *ctx, size_t size, size_t nominal) {
  (void)ctx, (void)nominal;
  return malloc(size);
}
static void env_free(void *ctx, void *block, size_t size, size_t nominal) {
  (void)ctx, (void)size, (void)nominal;
  free(block);
}
static int env_file_open(void *ctx, const char *text, uint32_t flags, sync_file *file) {
  struct overlay *overlay = ctx;
  uint32_t slot = 0;
  if (!is_name(text)) return SYNC_E_INVALID;
  while (slot < FILES_MAX && overlay->files[slot].inode != NULL)
    slot++;
  if (slot == FILES_MAX) return SYNC_E_TOO_MANY;
  const struct name *name = find(overlay, text);
  struct inode *inode = name == NULL ? NULL : name->inode;
  if (inode == NULL && (flags & SYNC_OPEN_CREATE) == 0) return SYNC_E_NOT_FOUND;
  if (inode != NULL && (flags & SYNC_OPEN_EXCLUSIVE) != 0) return SYNC_E_EXISTS;
  if (inode == NULL) {
    inode = make_inode(overlay);
    if (inode == NULL || !give_name(overlay, text, inode)) return SYNC_E_NO_MEMORY;
  }
  int descriptor = -1;
  if (inode->on_disk && (flags & SYNC_OPEN_TRUNCATE) == 0) {
    const int status = open_on_disk(overlay, inode, &descriptor);
    if (status != SYNC_OK) return status;
  }
  if ((flags & SYNC_OPEN_TRUNCATE) != 0) {
    inode->on_disk = false;
    inode->size = 0;
  }
  overlay->files[slot] = (struct open_file){.inode = inode, .descriptor = descriptor};
  *file = (sync_file)slot;
  return SYNC_OK;
}
static int env_file_close(void *ctx, sync_file file) {
  struct open_file *open = file_of(ctx, file);
  if (open == NULL) return SYNC_E_INVALID;
  if (open->descriptor >= 0) (void)close(open->descriptor);
  open->inode = NULL;
  return SYNC_OK;
}
static int env_file_read(void *ctx, sync_file file, uint64_t offset, void *buffer, size_t size, size_t *done) {
  const struct open_file *open = file_of(ctx, file);
  *done = 0;
  if (open == NULL) return SYNC_E_INVALID;
  const struct inode *inode = open->inode;
  if (inode->on_disk) return read_disk(open->descriptor, offset, buffer, size, done);
  if (offset >= inode->size) return SYNC_OK;
  *done = size < inode->size - (size_t)offset ? size : inode->size - (size_t)offset;
  if (*done > 0) memcpy(buffer, inode->bytes + offset, *done);
  return SYNC_OK;
}
static int env_file_write(void *ctx, sync_file file, uint64_t offset, const void *bytes, size_t size, size_t *done) {
  const struct open_file *open = file_of(ctx, file);
  *done = 0;
  if (open == NULL || offset > UINT64_MAX - size) return SYNC_E_INVALID;
  const int status = take_over(open->inode, open->descriptor);
  if (status != SYNC_OK || size == 0) return status;
  if (offset + size > open->inode->size && !resize(open->inode, offset + size)) return SYNC_E_NO_MEMORY;
  memcpy(open->inode->bytes + offset, bytes, size);
  *done = size;
  return SYNC_OK;
}
static int env_file_truncate(void *ctx, sync_file file, uint64_t size) {
  const struct open_file *open = file_of(ctx, file);
  if (open == NULL) return SYNC_E_INVALID;
  const int status = take_over(open->inode, open->descriptor);
  if (status != SYNC_OK) return status;
  return resize(open->inode, size) ? SYNC_OK : SYNC_E_NO_MEMORY;
}
static int env_file_size(void *ctx, sync_file file, uint64_t *size) {
  const struct open_file *open = file_of(ctx, file);
  struct stat about;
  if (open == NULL) return SYNC_E_INVALID;
  *size = open->inode->size;
  if (!open->inode->on_disk) return SYNC_OK;
  if (fstat(open->descriptor, &about) != 0) return SYNC_E_IO;
  *size = (uint64_t)about.st_size;
  return SYNC_OK;
}
static int env_file_rename(void *ctx, const char *from, const char *to) {
  struct overlay *overlay = ctx;
  struct name *name = find(overlay, from);
  if (!is_name(to)) return SYNC_E_INVALID;
  if (name == NULL) return SYNC_E_NOT_FOUND;
  struct inode *inode = name->inode;
  forget(overlay, name);
  return give_name(overlay, to, inode) ? SYNC_OK : SYNC_E_NO_MEMORY;
}
static int env_file_unlink(void *ctx, const char *text) {
  struct name *name = find(ctx, text);
  if (name == NULL) return SYNC_E_NOT_FOUND;
  forget(ctx, name);
  return SYNC_OK;
}
static int env_dir_list(void *ctx, int (*each)(void *arg, const char *name), void *arg) {
  const struct overlay *overlay = ctx;
  for (size_t i = 0; i < overlay->count; i++) {
    const int status = each(arg, overlay->names[i].text);
    if (status != 0) return status;
  }
  return SYNC_OK;
}
static int note_fsync(struct overlay *overlay, uint64_t token) {
  if (overlay->token_count == overlay->token_capacity) {
    const size_t capacity = overlay->token_capacity == 0 ? 64 : overlay->token_capacity * 2;
    uint64_t *tokens = realloc(overlay->tokens, capacity * sizeof *tokens);
    if (tokens == NULL) return SYNC_E_NO_MEMORY;
    overlay->tokens = tokens;
    overlay->token_capacity = capacity;
  }
  overlay->tokens[overlay->token_count++] = token;
  return SYNC_OK;
}
static int env_file_fsync(void *ctx, sync_file file, uint64_t token) {
  return file_of(ctx, file) == NULL ? SYNC_E_INVALID : note_fsync(ctx, token);
}
static int env_dir_fsync(void *ctx, uint64_t token) {
  return note_fsync(ctx, token);
}
static void env_trace(void *ctx, enum sync_trace_kind kind, const uint64_t *fields, size_t count) {
  (void)ctx, (void)kind, (void)fields, (void)count;
}

static const struct sync_env_ops operations = {
    .mono_ns = env_mono_ns,
    .wall_ns = env_wall_ns,
    .unique = env_unique,
    .pick = env_pick,
    .alloc = env_alloc,
    .free = env_free,
    .file_open = env_file_open,
    .file_close = env_file_close,
    .file_read = env_file_read,
    .file_write = env_file_write,
    .file_truncate = env_file_truncate,
    .file_size = env_file_size,
    .file_rename = env_file_rename,
    .file_unlink = env_file_unlink,
    .dir_list = env_dir_list,
    .file_fsync = env_file_fsync,
    .dir_fsync = env_dir_fsync,
    .trace = env_trace,
    .fatal = env_fatal,
};

/* --- Opening ------------------------------------------------------------------------------ */

static int take_names(struct overlay *overlay) {
  const int descriptor = openat(overlay->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *listing = descriptor < 0 ? NULL : fdopendir(descriptor);
  if (listing == NULL) {
    if (descriptor >= 0) (void)close(descriptor);
    return SYNC_E_IO;
  }
  int status = SYNC_OK;
  while (status == SYNC_OK) {
    errno = 0;
    const struct dirent *entry = readdir(listing);
    if (entry == NULL) {
      if (errno != 0) status = SYNC_E_IO;
      break;
    }
    if (!is_name(entry->d_name)) continue;
    struct inode *inode = make_inode(overlay);
    if (inode == NULL || !give_name(overlay, entry->d_name, inode)) {
      status = SYNC_E_NO_MEMORY;
      continue;
    }
    inode->on_disk = true;
    (void)snprintf(inode->disk_name, NAME_ROOM, "%.*s", (int)SYNC_POSIX_NAME_BYTES_MAX, entry->d_name);
  }
  (void)closedir(listing);
  return status;
}

int overlay_open(struct overlay **out, const char *directory) {
  struct overlay *overlay = calloc(1, sizeof *overlay);
  *out = NULL;
  if (overlay == NULL) return SYNC_E_NO_MEMORY;
  overlay->env = (struct sync_env){.ops = &operations, .ctx = overlay};
  overlay->lock = -1;
  overlay->directory = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int status = overlay->directory >= 0 ? SYNC_OK : errno == ENOENT ? SYNC_E_NOT_FOUND : SYNC_E_IO;
  if (status == SYNC_OK) {
    /* A lock that cannot be opened is nobody's: whoever holds it could open it. */
    overlay->lock = openat(overlay->directory, SYNC_POSIX_LOCK_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (overlay->lock >= 0 && flock(overlay->lock, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
      status = SYNC_E_LOCKED;
  }
  if (status == SYNC_OK) status = take_names(overlay);
  if (status == SYNC_OK) {
    *out = overlay;
    return SYNC_OK;
  }
  const int why = errno;
  overlay_close(overlay);
  errno = why;
  return status;
}

void overlay_close(struct overlay *overlay) {
  if (overlay == NULL) return;
  for (size_t i = 0; i < FILES_MAX; i++)
    if (overlay->files[i].inode != NULL && overlay->files[i].descriptor >= 0) (void)close(overlay->files[i].descriptor);
  while (overlay->inodes != NULL) {
    struct inode *next = overlay->inodes->next;
    free(overlay->inodes->bytes);
    free(overlay->inodes);
    overlay->inodes = next;
  }
  if (overlay->lock >= 0) (void)close(overlay->lock);
  if (overlay->directory >= 0) (void)close(overlay->directory);
  free(overlay->names);
  free(overlay->tokens);
  free(overlay);
}

const struct sync_env *overlay_env(struct overlay *overlay) {
  return &overlay->env;
}

bool overlay_next_completion(struct overlay *overlay, uint64_t *token) {
  if (overlay->token_taken == overlay->token_count) {
    overlay->token_taken = overlay->token_count = 0;
    return false;
  }
  *token = overlay->tokens[overlay->token_taken++];
  return true;
}
