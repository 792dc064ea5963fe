/* synctool backup: the state of a directory as a directory of its own. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "posix/posix_env.h"
#include "synctool/arguments.h"
#include "synctool/place.h"

static int make(struct place *place, struct sync_posix *target) {
  struct sync_backup *backup = NULL;
  uint64_t token = 0;
  int result = SYNC_OK;
  bool done = false;
  int status = sync_backup_begin(place->engine, sync_posix_env(target), &backup);
  while (status == SYNC_OK && !done) {
    status = sync_backup_step(backup, &done);
    while (status == SYNC_OK && sync_posix_next_completion(target, &token, &result))
      status = sync_backup_disk_done(backup, token, result);
    if (status == SYNC_OK && !done) status = place_turn(place, false);
  }
  sync_backup_end(backup);
  return status;
}

static void tell_failure(void *arg, const struct sync_posix_failure *failure) {
  char text[256];
  sync_posix_failure_text(failure, text, sizeof text);
  (void)fprintf(stderr, "synctool: '%s': %s\n", *(const char **)arg, text);
}

static int run(int argc, char **argv) {
  const char *operands[2];
  struct place place;
  struct sync_posix *target = NULL;
  struct sync_digest digest;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_backup, argc, argv, NULL, 2, 2, operands, &status)) return status;
  status = place_read(&place, operands[0]);
  if (status != EXIT_GOOD) return status;
  const struct sync_posix_options options = {.directory = operands[1],
                                             .create = true,
                                             .fsync_mode = SYNC_POSIX_FSYNC_INLINE,
                                             .failed = tell_failure,
                                             .failed_arg = &operands[1]};
  errno = 0;
  const int opened = sync_posix_open(&target, &options);
  if (opened != SYNC_OK) {
    place_close(&place);
    return place_cannot_open(operands[1], opened);
  }
  const int made = make(&place, target);
  if (made == SYNC_E_EXISTS) {
    (void)fprintf(stderr, "synctool: '%s' has files of an engine already: name a new or an empty directory\n",
                  operands[1]);
    status = EXIT_NOT_OPENED;
  } else if (made != SYNC_OK) {
    status = place_complain(operands[1], made, "there is no backup");
  } else {
    sync_digest_get(place.engine, &digest);
    (void)printf("'%s' has all %" PRIu64 " keys of '%s', and is durable\n", operands[1], digest.keys, operands[0]);
  }
  sync_posix_close(target);
  place_close(&place);
  return status;
}

const struct command command_backup = {
    "backup", "makes a copy that opens as a node of its own",
    "Usage: synctool backup DIR TARGET\n\n"
    "Reads DIR, and writes its state to the new or empty directory TARGET, from which an engine of the same node id\n"
    "opens; its first write begins a life that no other has. A running engine makes a backup of itself with\n"
    "sync_backup_begin().\n",
    run};
