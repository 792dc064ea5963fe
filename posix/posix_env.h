/* The real world behind the port (core/env.h): one directory of real files,
 * the machine's clocks, the kernel's entropy, malloc.
 *
 * Fsyncs complete later, as the port demands: their completions queue up here,
 * sync_posix_poll_fd() becomes readable, and the embedder hands each one to
 * sync_disk_done(). The calls of the environment and the functions below must
 * all come from the thread that drives the engine, or be serialised by the
 * embedder; the helper thread is the environment's own business.
 */
#ifndef SYNC_POSIX_ENV_H
#define SYNC_POSIX_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/env.h"
#include "core/sync.h"

SYNC_API_BEGIN

/* Name of the lock file in the directory; no file of the engine may have it. */
#define SYNC_POSIX_LOCK_NAME "lock"
/* Fsyncs requested whose completion was not taken yet; one more is
 * SYNC_E_TOO_MANY. */
#define SYNC_POSIX_FSYNCS_MAX 64u
/* Names that one listing may hold; more are SYNC_E_TOO_MANY. */
#define SYNC_POSIX_NAMES_MAX 65536u
#define SYNC_POSIX_NAME_BYTES_MAX 63u

/* Who waits for the disk. */
enum sync_posix_fsync_mode {
  SYNC_POSIX_FSYNC_THREAD = 0, /* a helper thread does them in order; requests return at once */
  SYNC_POSIX_FSYNC_INLINE = 1, /* done within the request; the completion queues up all the same */
};

/* What the system refused, in its own words. */
struct sync_posix_failure {
  const char *call;                         /* "pwrite", "fsync", ... */
  char name[SYNC_POSIX_NAME_BYTES_MAX + 1]; /* of the file; empty: the directory itself; "..": its parent */
  int error;                                /* errno */
};
/* Says in words what the system refused: "fsync of the directory: Invalid argument (errno 22)", and for a directory
 * that cannot be fsynced what can be done. Cut to `size`. */
void sync_posix_failure_text(const struct sync_posix_failure *failure, char *text, size_t size);

/* How to open a directory. Zero means the default everywhere. `directory` is required. */
struct sync_posix_options {
  const char *directory;
  bool create; /* make the directory (not its parents) when it is absent, durably */
  enum sync_posix_fsync_mode fsync_mode;
  uint32_t files_max; /* files open at once, 1024 */
  /* Some file systems (of containers, shared folders, over the network) cannot fsync
   * a directory: fsync gives EINVAL, EOPNOTSUPP or ENOSYS. With this such a refusal
   * counts as done; any other error remains one. Then the names of new and renamed
   * files are only as durable as that file system makes them by itself: after a loss
   * of power a node may find an older log, or none. */
  bool accept_no_directory_fsync;

  /* Told of every call that the system refused (also within sync_posix_open, whose
   * status says less), on the caller's thread: of an fsync, when its completion is
   * taken. Not of files that are absent or there already. May be NULL; must not call
   * the engine. *failure is valid during the call. */
  void (*failed)(void *arg, const struct sync_posix_failure *failure);
  void *failed_arg;

  /* Observes what the engine reports (enum sync_trace_kind); may be NULL. Runs
   * within engine calls and must not call the engine. */
  void (*trace)(void *arg, enum sync_trace_kind kind, const uint64_t *fields, size_t count);
  void *trace_arg;
  /* The same in words, one line at a time, of the steps up to `log_level` (0: SYNC_LEVEL_INFO); may be NULL. *line is
   * valid during the call. */
  void (*log)(void *arg, enum sync_level level, const char *line);
  void *log_arg;
  enum sync_level log_level;
};

struct sync_posix;

/* Opens the directory and locks it against every other environment, in this
 * process or another. The options are copied, their strings not kept. On
 * success *posix owns its descriptors, memory and thread.
 * The lock lives as long as any copy of its descriptor: a child made by fork
 * without exec keeps it (exec closes it).
 * SYNC_E_LOCKED (nothing was touched), SYNC_E_NOT_FOUND (no such directory and
 * not `create`), SYNC_E_INVALID, SYNC_E_NO_MEMORY, SYNC_E_NO_SPACE,
 * SYNC_E_TOO_MANY (descriptors, threads), SYNC_E_IO (also: not permitted). */
int sync_posix_open(struct sync_posix **posix, const struct sync_posix_options *options);

/* Waits for the fsyncs that were requested, drops completions not taken, ends
 * the helper thread, closes all files and unlocks the directory. Close the
 * engine first. NULL is allowed. */
void sync_posix_close(struct sync_posix *posix);

/* Gives the environment for sync_open. Valid until sync_posix_close. */
const struct sync_env *sync_posix_env(struct sync_posix *posix);

/* A descriptor for poll, select or epoll that is readable exactly while
 * completions wait. Owned by the environment: never read or close it. Never fails. */
int sync_posix_poll_fd(const struct sync_posix *posix);

/* Takes the oldest waiting completion, in the order of the requests. Each is
 * given once: hand it to sync_disk_done. False when none waits. *result is
 * SYNC_OK, or SYNC_E_IO whatever the reason of the failure was. */
bool sync_posix_next_completion(struct sync_posix *posix, uint64_t *token, int *result);

SYNC_API_END

#endif
