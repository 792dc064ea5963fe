/* synctool repair: what a repair would do, and, with --yes, doing it. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base.h"
#include "core/base/file_io.h"

#include "synctool/arguments.h"
#include "synctool/print.h"
#include "synctool/place.h"

#define BAD_PREFIX_BYTES 13u /* bad-<8 hex>- */

struct names {
  char (*texts)[64];
  size_t count, capacity;
};

static int add_name(void *arg, const char *name) {
  struct names *names = arg;
  if (names->count == names->capacity) {
    names->capacity = names->capacity == 0 ? 64 : names->capacity * 2;
    char(*texts)[64] = realloc(names->texts, names->capacity * sizeof *texts);
    if (texts == NULL) return SYNC_E_NO_MEMORY;
    names->texts = texts;
  }
  (void)snprintf(names->texts[names->count++], 64, "%s", name);
  return 0;
}
static bool has_name(const struct names *names, const char *text) {
  for (size_t i = 0; i < names->count; i++)
    if (strcmp(names->texts[i], text) == 0) return true;
  return false;
}

static int compare(const void *a, const void *b) {
  return strcmp((const char *)a + BAD_PREFIX_BYTES, (const char *)b + BAD_PREFIX_BYTES);
}

static int tell_lost(void *arg, const struct sync_lost *lost) {
  char dot[PRINT_DOT_BYTES];
  (void)arg;
  print_dot(dot, &lost->dot);
  (void)printf("  lost unless a peer holds it: %s at %" PRIu64 "\n", dot, lost->position);
  return 0;
}

/* What was put aside, and how much, without the number in its name, which is another one each time. */
static size_t tell_aside(struct names *before, struct names *after) {
  size_t count = 0;
  for (size_t i = 0; i < after->count; i++) {
    if (strncmp(after->texts[i], "bad-", 4) != 0 || has_name(before, after->texts[i])) continue;
    if (i != count) memcpy(after->texts[count], after->texts[i], sizeof after->texts[i]);
    count++;
  }
  qsort(after->texts, count, sizeof *after->texts, compare);
  for (size_t i = 0; i < count; i++)
    (void)printf("  put aside: %s, as bad-*-%s\n", after->texts[i] + BAD_PREFIX_BYTES,
                 after->texts[i] + BAD_PREFIX_BYTES);
  return count;
}

static int repair(struct place *place) {
  struct names before = {0}, after = {0};
  const struct sync_options options = place_options(place);
  struct sync_digest digest;
  int status = file_io_list(place->env, add_name, &before);
  if (status == SYNC_OK)
    status = sync_open_repair(&place->engine, place->env, &options, &place->report, tell_lost, NULL);
  if (status == SYNC_OK) status = place_settle(place);
  if (status == SYNC_OK) status = file_io_list(place->env, add_name, &after);
  if (status == SYNC_OK) {
    if (tell_aside(&before, &after) == 0) (void)puts("  begun: a new log behind the snapshot");
    sync_digest_get(place->engine, &digest);
    if (place->report.lost_unnamed > 0)
      (void)printf("  lost unless a peer holds them: %" PRIu64 " more, of which it cannot be told whose they are\n",
                   place->report.lost_unnamed);
    (void)printf("  kept: the log up to %" PRIu64 ", %" PRIu64 " keys\n", place->report.appended_position, digest.keys);
  }
  free(before.texts);
  free(after.texts);
  return status;
}

static bool take_identity(struct identity *identity, const char *node, const char *cluster) {
  if (node != NULL) {
    if (!node_id_valid((const uint8_t *)node, strlen(node))) {
      (void)fputs("synctool: --node is no node id: it has 1 to 63 of [A-Za-z0-9._-]\n", stderr);
      return false;
    }
    (void)snprintf(identity->node_id, sizeof identity->node_id, "%s", node);
  }
  if (cluster != NULL) {
    for (size_t i = 0; i < SYNC_CLUSTER_ID_BYTES; i++) {
      char two[3] = {0}, *end = NULL;
      if (strlen(cluster) == 2 * (size_t)SYNC_CLUSTER_ID_BYTES) memcpy(two, cluster + 2 * i, 2);
      identity->cluster_id[i] = (uint8_t)strtoul(two, &end, 16);
      if (end == two + 2 && two[0] != '-' && two[0] != '+' && two[0] != ' ') continue;
      (void)fputs("synctool: --cluster is no cluster id: it has 32 hexadecimal digits\n", stderr);
      return false;
    }
  }
  if (node != NULL && cluster != NULL) identity->known = true;
  return true;
}

static int pass(const char *directory, enum place_how how, const char *node, const char *cluster) {
  struct place place;
  int status = place_open(&place, directory, how);
  if (status != EXIT_GOOD) return status;
  if (!take_identity(&place.identity, node, cluster)) {
    status = EXIT_USAGE;
  } else if (!place.identity.known) {
    status = place_start(&place); /* says why not */
  } else {
    const int done = repair(&place);
    if (done != SYNC_OK) status = place_complain(directory, done, place.report.detail);
  }
  place_close(&place);
  return status;
}

/* Whether there is anything to do, without a word of it. */
static int look(const char *directory, const char *node, const char *cluster, bool *needed) {
  struct place place;
  *needed = false;
  int status = place_open(&place, directory, PLACE_TO_READ);
  if (status != EXIT_GOOD) return status;
  if (take_identity(&place.identity, node, cluster)) {
    const struct sync_options options = place_options(&place);
    /* What a plain open takes, such as a torn tail, it also mends. */
    const int opened =
        place.identity.known ? sync_open(&place.engine, place.env, &options, &place.report) : SYNC_E_DAMAGED;
    *needed = opened == SYNC_E_DAMAGED;
    if (opened != SYNC_OK && opened != SYNC_E_DAMAGED) status = place_complain(directory, opened, place.report.detail);
  } else {
    status = EXIT_USAGE;
  }
  place_close(&place);
  return status;
}

static int run(int argc, char **argv) {
  const char *directory = NULL, *yes = NULL, *dry = NULL, *node = NULL, *cluster = NULL;
  const struct argument_option options[] = {{"--yes", false, &yes},
                                            {"--dry-run", false, &dry},
                                            {"--node", true, &node},
                                            {"--cluster", true, &cluster},
                                            {NULL, false, NULL}};
  bool needed = false;
  int status = EXIT_GOOD;
  if (!arguments_take(&command_repair, argc, argv, options, 1, 1, &directory, &status)) return status;
  if (yes != NULL && dry != NULL) {
    (void)fputs("synctool repair: --yes and --dry-run say two things: give one of them\n", stderr);
    return EXIT_USAGE;
  }
  status = look(directory, node, cluster, &needed);
  if (status != EXIT_GOOD) return status;
  if (!needed) {
    (void)puts("nothing to repair");
    return EXIT_GOOD;
  }
  (void)printf("%s:\n", yes != NULL ? "repairing" : "a repair would do this");
  (void)fflush(stdout);
  status = pass(directory, yes != NULL ? PLACE_TO_WRITE : PLACE_TO_READ, node, cluster);
  if (status != EXIT_GOOD) return status;
  if (yes != NULL) {
    (void)puts("repaired, and durable. Nothing was deleted; peers send again what they hold.");
    return EXIT_GOOD;
  }
  (void)puts("nothing was changed: --yes does it. Keep a copy of the directory until peers have sent all again.");
  return EXIT_DAMAGED;
}

const struct command command_repair = {
    "repair", "says what a repair would do; --yes does it",
    "Usage: synctool repair DIR [--dry-run | --yes] [--node ID --cluster HEX]\n\n"
    "Without --yes nothing is changed: the repair runs in memory, and says what it puts aside, what it keeps, and "
    "which\n"
    "operations stand whole behind the damage (status 1; 0: nothing is to repair). With --yes the same is done in "
    "DIR.\n"
    "What is damaged gets a name that begins with bad-, and is never deleted.\n"
    "  --node, --cluster  whose directory it is, if no header is left that says it\n",
    run};
