/* Scenario files from the paths of a command line. */
#ifndef CLI_PATHS_H
#define CLI_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "lua/scenario.h"

struct paths {
  struct scenario_file **files;
  size_t count;
};

/* Reads every file, and every *.lua under every folder, in bytewise order of
 * the paths below it; a path named twice counts once. Returns EXIT_HELD, or an
 * exit status after a message. Free it in either case. */
int paths_read(struct paths *paths, char **arguments, int count);
void paths_free(struct paths *paths);

#endif
