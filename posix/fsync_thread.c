#include "posix/fsync_thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool fsync_is_unsupported(int error) {
  return error == EINVAL || error == EOPNOTSUPP || error == ENOSYS;
}

int fsync_now(enum fsync_kind kind, int descriptor, int *error) {
  for (;;) {
    /* fdatasync leaves out only what is not needed to read the data back
     * (times); a changed size is needed, so it is covered. A directory has no
     * such distinction. */
    int failed = kind == FSYNC_DIRECTORY ? fsync(descriptor) : fdatasync(descriptor);
    if (failed == 0) return SYNC_OK;
    /* EINTR says that waiting ended early, not that write-back failed; it is
     * the only error after which asking again tells the truth. */
    if (errno == EINTR) continue;
    *error = errno;
    return SYNC_E_IO;
  }
}

/* Both run under the mutex, so that the counter and the cursors agree. */
static void announce(struct fsync_queue *queue) {
  uint64_t one = 1;
  ssize_t written;
  do {
    written = write(queue->event_fd, &one, sizeof one);
  } while (written < 0 && errno == EINTR);
}

static void hush(struct fsync_queue *queue) {
  uint64_t count;
  ssize_t got;
  do {
    got = read(queue->event_fd, &count, sizeof count);
  } while (got < 0 && errno == EINTR);
}

static void *work(void *arg) {
  struct fsync_queue *queue = arg;
  pthread_mutex_lock(&queue->mutex);
  for (;;) {
    while (queue->done == queue->requested && !queue->stopping) {
      pthread_cond_wait(&queue->requested_changed, &queue->mutex);
    }
    if (queue->done == queue->requested) break;
    struct fsync_entry *entry = &queue->entries[queue->done % FSYNCS_MAX];
    pthread_mutex_unlock(&queue->mutex);
    /* The entry is this thread's alone until `done` passes it. */
    entry->result = fsync_now(entry->kind, entry->descriptor, &entry->error);
    close(entry->descriptor);
    pthread_mutex_lock(&queue->mutex);
    queue->done++;
    announce(queue);
  }
  pthread_mutex_unlock(&queue->mutex);
  return NULL;
}

static int start_thread(struct fsync_queue *queue) {
  /* The embedder's signals are for the embedder's threads. */
  sigset_t all, before;
  sigfillset(&all);
  if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) return SYNC_E_IO;
  int error = pthread_create(&queue->thread, NULL, work, queue);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (error == 0) return SYNC_OK;
  return error == EAGAIN ? SYNC_E_TOO_MANY : SYNC_E_IO;
}

int fsync_queue_init(struct fsync_queue *queue, bool threaded) {
  *queue = (struct fsync_queue){.threaded = threaded};
  queue->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (queue->event_fd < 0) return errno == ENOMEM ? SYNC_E_NO_MEMORY : SYNC_E_TOO_MANY;
  int status = SYNC_E_NO_MEMORY;
  if (pthread_mutex_init(&queue->mutex, NULL) != 0) goto close_event;
  if (pthread_cond_init(&queue->requested_changed, NULL) != 0) goto destroy_mutex;
  status = threaded ? start_thread(queue) : SYNC_OK;
  if (status == SYNC_OK) return SYNC_OK;
  pthread_cond_destroy(&queue->requested_changed);
destroy_mutex:
  pthread_mutex_destroy(&queue->mutex);
close_event:
  close(queue->event_fd);
  return status;
}

void fsync_queue_deinit(struct fsync_queue *queue) {
  if (queue->threaded) {
    pthread_mutex_lock(&queue->mutex);
    queue->stopping = true;
    pthread_cond_signal(&queue->requested_changed);
    pthread_mutex_unlock(&queue->mutex);
    pthread_join(queue->thread, NULL);
  }
  pthread_cond_destroy(&queue->requested_changed);
  pthread_mutex_destroy(&queue->mutex);
  close(queue->event_fd);
}

int fsync_queue_request(struct fsync_queue *queue, enum fsync_kind kind, int descriptor, const char *name,
                        uint64_t token) {
  pthread_mutex_lock(&queue->mutex);
  bool full = queue->requested - queue->taken == FSYNCS_MAX;
  pthread_mutex_unlock(&queue->mutex);
  /* Only the caller's own thread fills the ring, so room found here stays. */
  if (full) return SYNC_E_TOO_MANY;

  struct fsync_entry entry = {.descriptor = descriptor, .kind = kind, .token = token};
  (void)snprintf(entry.name, sizeof entry.name, "%s", name);
  if (!queue->threaded) {
    entry.result = fsync_now(kind, descriptor, &entry.error);
  } else {
    /* A duplicate shares the open file description, and with it the kernel's
     * memory of which write-back errors were reported; and it outlives the
     * caller's close. */
    entry.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    if (entry.descriptor < 0) return errno == EMFILE ? SYNC_E_TOO_MANY : SYNC_E_IO;
  }

  pthread_mutex_lock(&queue->mutex);
  queue->entries[queue->requested % FSYNCS_MAX] = entry;
  queue->requested++;
  if (!queue->threaded) {
    queue->done++;
    announce(queue);
  } else {
    pthread_cond_signal(&queue->requested_changed);
  }
  pthread_mutex_unlock(&queue->mutex);
  return SYNC_OK;
}

bool fsync_queue_take(struct fsync_queue *queue, struct fsync_entry *entry) {
  pthread_mutex_lock(&queue->mutex);
  bool any = queue->taken < queue->done;
  if (any) {
    *entry = queue->entries[queue->taken % FSYNCS_MAX];
    queue->taken++;
    if (queue->taken == queue->done) hush(queue);
  }
  pthread_mutex_unlock(&queue->mutex);
  return any;
}
