/* synctool compact: a snapshot now, and the log behind it goes. */
#include <inttypes.h>
#include <stdio.h>

#include "synctool/arguments.h"
#include "synctool/place.h"

static int compact(struct place *place, struct sync_stats *after) {
  struct sync_stats before;
  int status = place_settle(place);
  sync_stats_get(place->engine, &before);
  *after = before;
  if (status == SYNC_OK) status = sync_snapshot(place->engine);
  while (status == SYNC_OK && after->snapshots == before.snapshots) {
    status = place_turn(place, true);
    sync_stats_get(place->engine, after);
    if (after->snapshots_failed > before.snapshots_failed) return SYNC_E_NO_SPACE;
  }
  const uint64_t now = place->env->ops->mono_ns(place->env->ctx);
  /* The log is cut in steps, the first within the second in which peers are asked. */
  while (status == SYNC_OK && place->env->ops->mono_ns(place->env->ctx) - now < UINT64_C(50000000)) {
    const uint64_t first = after->log_first;
    status = place_turn(place, true);
    sync_stats_get(place->engine, after);
    if (after->log_first != first && after->log_first >= after->snapshot_position) break;
  }
  return status == SYNC_OK ? place_settle(place) : status;
}

static int run(int argc, char **argv) {
  const char *directory = NULL;
  struct place place;
  struct sync_stats after;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_compact, argc, argv, NULL, 1, 1, &directory, &status)) return status;
  status = place_write(&place, directory);
  if (status != EXIT_GOOD) return status;
  const int done = compact(&place, &after);
  if (done != SYNC_OK)
    status = place_complain(directory, done, "nothing is lost: the log has everything as before");
  else
    (void)printf("snapshot at %" PRIu64 ", %" PRIu64 " bytes; the log begins at %" PRIu64 " and ends at %" PRIu64 "\n",
                 after.snapshot_position, after.snapshot_bytes, after.log_first, sync_appended_position(place.engine));
  place_close(&place);
  return status;
}

const struct command command_compact = {
    "compact", "takes a snapshot, so that the log before it can go",
    "Usage: synctool compact DIR\n\n"
    "Writes to DIR. What peers may still need of the log stays (16 MiB of it at most).\n",
    run};
