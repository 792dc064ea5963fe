/* The queue of fsyncs: requested, done (by a helper thread, or at once by the
 * caller), waiting to be taken. Internal to posix/. */
#ifndef SYNC_POSIX_FSYNC_THREAD_H
#define SYNC_POSIX_FSYNC_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/env.h"

#define FSYNCS_MAX 64u /* requested and not yet taken */
#define FSYNC_NAME_BYTES_MAX 63u

enum fsync_kind {
  FSYNC_FILE = 1,
  FSYNC_DIRECTORY = 2,
};

struct fsync_entry {
  int descriptor; /* in thread mode a duplicate that the queue owns */
  enum fsync_kind kind;
  char name[FSYNC_NAME_BYTES_MAX + 1]; /* of the file; empty: the directory */
  uint64_t token;
  int result;
  int error; /* errno of a result that is not SYNC_OK */
};

/* One ring, three cursors that only grow: taken <= done <= requested. */
struct fsync_queue {
  bool threaded; /* else done within the request */
  int event_fd;  /* its counter is non-zero exactly while taken < done */
  pthread_mutex_t mutex;
  pthread_cond_t requested_changed;
  pthread_t thread;
  bool stopping;
  uint64_t taken, done, requested;
  struct fsync_entry entries[FSYNCS_MAX];
};

/* Starts the queue in storage of the caller's that must not move.
 * SYNC_OK, SYNC_E_TOO_MANY, SYNC_E_NO_MEMORY, SYNC_E_IO. */
int fsync_queue_init(struct fsync_queue *queue, bool threaded);
/* Finishes what was requested, then ends the thread. */
void fsync_queue_deinit(struct fsync_queue *queue);

/* Requests one fsync. `descriptor` stays the caller's, who may close it at
 * once. SYNC_OK, or SYNC_E_TOO_MANY, SYNC_E_IO: not requested. */
int fsync_queue_request(struct fsync_queue *queue, enum fsync_kind kind, int descriptor, const char *name,
                        uint64_t token);
/* Takes the oldest completion; false when none waits. */
bool fsync_queue_take(struct fsync_queue *queue, struct fsync_entry *entry);

/* Makes a descriptor durable now: SYNC_OK, or SYNC_E_IO with *error set. */
int fsync_now(enum fsync_kind kind, int descriptor, int *error);
/* Whether an error says that this cannot be fsynced at all, not that it failed. */
bool fsync_is_unsupported(int error);

#endif
