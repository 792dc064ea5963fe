#include "synctool/place.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "posix/posix_env.h"
#include "synctool/command.h"

#define PLACE_BYTES_MAX (UINT64_C(1) << 46) /* more than any memory: the engine's own bound is none of ours */
#define CHANGES_MAX 4096u                   /* the greatest limit that there is */
#define PEERS_MAX 65536u
#define WAIT_MS_MAX 5 /* a step that follows a completion has no deadline of its own */

int place_cannot_open(const char *directory, int status) {
  const char *why = sync_status_message(status);
  if (status == SYNC_E_LOCKED) {
    why = "an engine has it open: end that program first (a running one can back up by itself: sync_backup_begin)";
  } else if (status == SYNC_E_NOT_FOUND) {
    why = "there is no such directory";
  } else if (status == SYNC_E_IO && errno != 0) {
    why = strerror(errno);
  }
  (void)fprintf(stderr, "synctool: cannot open '%s': %s\n", directory, why);
  return EXIT_NOT_OPENED;
}

int place_complain(const char *directory, int status, const char *detail) {
  const char *message = sync_status_message(status);
  /* What it says of one call behind a semicolon, `detail` says of the whole command. */
  (void)fprintf(stderr, "synctool: '%s': %.*s", directory, (int)strcspn(message, ";"), message);
  if (detail != NULL && detail[0] != '\0' && strcmp(detail, sync_status_message(status)) != 0)
    (void)fprintf(stderr, ": %s", detail);
  if (status == SYNC_E_DAMAGED)
    (void)fprintf(stderr, "\n'synctool verify' tells all of it, 'synctool repair' what can be done.");
  (void)fputc('\n', stderr);
  if (status == SYNC_E_DAMAGED) return EXIT_DAMAGED;
  if (status == SYNC_E_CLUSTER || status == SYNC_E_LIMITS || status == SYNC_E_VERSION) return EXIT_NOT_OPENED;
  return EXIT_STOPPED;
}

static void tell_failure(void *arg, const struct sync_posix_failure *failure) {
  char text[256];
  sync_posix_failure_text(failure, text, sizeof text);
  (void)fprintf(stderr, "synctool: '%s': %s\n", (const char *)arg, text);
}

int place_open(struct place *place, const char *directory, enum place_how how) {
  memset(place, 0, sizeof *place);
  place->directory = directory;
  errno = 0;
  /* Also before writing: a directory that is none of an engine's gets no lock file. */
  int status = overlay_open(&place->overlay, directory);
  if (status != SYNC_OK) return place_cannot_open(directory, status);
  place->env = overlay_env(place->overlay);
  status = identity_find(&place->identity, place->env);
  if (status == SYNC_OK && place->identity.refused != 0) {
    errno = place->identity.refused;
    status = SYNC_E_IO;
  }
  if (status == SYNC_OK && place->identity.segments + place->identity.bases == 0) {
    (void)fprintf(stderr, "synctool: '%s' has no files of an engine: name the directory that has its wal- files\n",
                  directory);
    place_close(place);
    return EXIT_NOT_OPENED;
  }
  if (status == SYNC_OK && how == PLACE_TO_WRITE) {
    overlay_close(place->overlay);
    place->overlay = NULL;
    const struct sync_posix_options options = {
        .directory = directory, .failed = tell_failure, .failed_arg = (void *)(uintptr_t)directory};
    errno = 0;
    status = sync_posix_open(&place->posix, &options);
    if (status == SYNC_OK) place->env = sync_posix_env(place->posix);
  }
  if (status == SYNC_OK) return EXIT_GOOD;
  const int why = errno;
  place_close(place);
  errno = why;
  return place_cannot_open(directory, status);
}

struct sync_options place_options(const struct place *place) {
  struct sync_options options = {
      .node_id = place->identity.node_id,
      .value_bytes_max = place->identity.value_bytes_max,
      .changes_max = CHANGES_MAX,
      .store_bytes_max = PLACE_BYTES_MAX,
      .peers_max = PEERS_MAX,
      .snapshot_bytes = UINT64_MAX,
      .sweep_interval_ns = UINT64_MAX,
      .idle_mark_ns = UINT64_C(1000000), /* nobody writes beside it: nothing is gained by waiting */
  };
  memcpy(options.cluster_id, place->identity.cluster_id, sizeof options.cluster_id);
  return options;
}

int place_start(struct place *place) {
  if (!place->identity.known) {
    (void)fprintf(stderr,
                  "synctool: '%s' is damaged: no header says whose it is (see --node and --cluster of 'synctool help "
                  "repair')\n",
                  place->directory);
    return EXIT_DAMAGED;
  }
  const struct sync_options options = place_options(place);
  const int status = sync_open(&place->engine, place->env, &options, &place->report);
  return status == SYNC_OK ? EXIT_GOOD : place_complain(place->directory, status, place->report.detail);
}

static int open_and_start(struct place *place, const char *directory, enum place_how how) {
  int status = place_open(place, directory, how);
  if (status != EXIT_GOOD) return status;
  status = place_start(place);
  if (status != EXIT_GOOD) place_close(place);
  return status;
}
int place_read(struct place *place, const char *directory) {
  return open_and_start(place, directory, PLACE_TO_READ);
}
int place_write(struct place *place, const char *directory) {
  return open_and_start(place, directory, PLACE_TO_WRITE);
}

static int hand_over(struct place *place) {
  uint64_t token = 0;
  int result = SYNC_OK, status = SYNC_OK;
  while (status == SYNC_OK && place->overlay != NULL && overlay_next_completion(place->overlay, &token))
    status = sync_disk_done(place->engine, token, SYNC_OK);
  while (status == SYNC_OK && place->posix != NULL && sync_posix_next_completion(place->posix, &token, &result))
    status = sync_disk_done(place->engine, token, result);
  return status;
}

int place_turn(struct place *place, bool wait) {
  struct sync_tick_report report;
  int status = hand_over(place);
  if (status == SYNC_OK) status = sync_tick(place->engine, &report);
  if (status == SYNC_OK) status = hand_over(place);
  if (status != SYNC_OK || !wait) return status;
  const uint64_t due = sync_next_deadline(place->engine), now = place->env->ops->mono_ns(place->env->ctx);
  const uint64_t left_ms = due <= now ? 0 : (due - now) / 1000000 + 1;
  const int wait_ms = left_ms > WAIT_MS_MAX ? WAIT_MS_MAX : (int)left_ms;
  struct pollfd completions = {.fd = place->posix != NULL ? sync_posix_poll_fd(place->posix) : -1, .events = POLLIN};
  if (place->posix == NULL && wait_ms > 1) return SYNC_OK; /* nothing comes from a disk */
  return poll(&completions, 1, wait_ms) < 0 && errno != EINTR ? SYNC_E_IO : SYNC_OK;
}

int place_settle(struct place *place) {
  int status = sync_commit(place->engine);
  while (status == SYNC_OK && sync_durable_position(place->engine) < sync_appended_position(place->engine))
    status = place_turn(place, true);
  return status == SYNC_OK ? place_turn(place, false) : status;
}

void place_close(struct place *place) {
  sync_close(place->engine);
  sync_posix_close(place->posix);
  overlay_close(place->overlay);
  place->engine = NULL;
  place->posix = NULL;
  place->overlay = NULL;
}
