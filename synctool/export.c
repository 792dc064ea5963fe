/* synctool export: keys and values as JSON lines. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "synctool/arguments.h"
#include "synctool/json.h"
#include "synctool/place.h"

#define PATH_ROOM 4096u

struct order {
  FILE *file;
  uint64_t count, conflicts;
};

static int tell(void *arg, const void *key, size_t key_size, const struct sync_sibling *winner) {
  struct order *order = arg;
  json_t *object = json_object();
  json_put_bytes(object, "key", key, key_size);
  json_put_bytes(object, "value", winner->value, winner->value_size);
  order->count++;
  if (winner->conflict) order->conflicts++;
  return json_write_line(order->file, object) ? 0 : 1;
}

static bool complain(const char *path) {
  (void)fprintf(stderr, "synctool: cannot write '%s': %s\n", path, errno == 0 ? "write error" : strerror(errno));
  return false;
}

/* Whole or absent: written beside its place, made durable, renamed. A device or pipe is written directly. */
static bool write_file(struct place *place, const char *path, struct order *order) {
  char aside[PATH_ROOM];
  struct stat about;
  const bool regular = stat(path, &about) != 0 || S_ISREG(about.st_mode);
  const int length = snprintf(aside, sizeof aside, regular ? "%s.part-%ld" : "%s", path, (long)getpid());
  errno = ENAMETOOLONG;
  if (length < 0 || (size_t)length >= sizeof aside) return complain(path);
  order->file = fopen(aside, "wb");
  if (order->file == NULL) return complain(path);
  errno = 0;
  bool good = sync_iterate(place->engine, "", 0, "", 0, false, tell, order) == 0 && fflush(order->file) == 0;
  if (good && regular) good = fsync(fileno(order->file)) == 0;
  int why = errno;
  if (fclose(order->file) != 0 && good) {
    good = false;
    why = errno;
  }
  if (good && regular && rename(aside, path) != 0) {
    good = false;
    why = errno;
  }
  if (good) return true;
  if (regular) (void)unlink(aside);
  errno = why;
  return complain(path);
}

static int run(int argc, char **argv) {
  const char *directory = NULL, *path = NULL;
  const struct argument_option options[] = {{"-o", true, &path}, {NULL, false, NULL}};
  struct place place;
  struct order order = {.file = stdout};
  int status = EXIT_GOOD;
  if (!arguments_take(&command_export, argc, argv, options, 1, 1, &directory, &status)) return status;
  status = place_read(&place, directory);
  if (status != EXIT_GOOD) return status;
  if (path != NULL) {
    if (!write_file(&place, path, &order)) status = EXIT_STOPPED;
  } else if (sync_iterate(place.engine, "", 0, "", 0, false, tell, &order) != 0) {
    status = EXIT_STOPPED; /* main() says what standard output had */
  }
  if (status == EXIT_GOOD && order.conflicts > 0)
    (void)fprintf(stderr, "synctool: %" PRIu64 " keys are in conflict; exported is what wins ('synctool siblings')\n",
                  order.conflicts);
  place_close(&place);
  return status;
}

const struct command command_export = {
    "export", "keys and values as JSON lines",
    "Usage: synctool export DIR [-o FILE]\n\n"
    "One object a line, in the order of the keys: {\"key\":\"a\",\"value\":\"b\"}. What is no text that can be seen "
    "is\n"
    "there as key_base64 or value_base64 instead, so that no byte is lost. Of a key in conflict it has what wins, and\n"
    "says how many there are. FILE is whole or absent.\n",
    run};
