/* Scenario files from the paths of a command line. */
#ifndef CLI_PATHS_H
#define CLI_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "lua/scenario.h"
#include "lua/text/params.h"
#include "sim/sim.h"

struct paths {
  struct params set;
  struct scenario_file **files;
  size_t count;
  size_t bundles; /* folders that were left out since a failure left them */
  size_t helpers; /* folders `helpers`, which scenarios require files from */
  size_t others;  /* and other files and folders that hold no scenario of the user */
};

/* Reads every file, and every *.lua under every folder, in bytewise order of
 * the paths below it; a path named twice counts once. Under a folder, what is no
 * scenario of the user is left out: names that begin with a dot, bundles, folders
 * named `helpers` (what scenarios require), folders of generated things (with a CACHEDIR.TAG) and definitions for
 * editors
 * (`---@meta`). Returns EXIT_HELD, or an exit status after a message. Free it in
 * either case. */
int paths_read(struct paths *paths, char **arguments, int count, const struct params *set);
/* Puts the variants of each file that has them in its place, unless one was named (FILE#VARIANT). Returns
 * EXIT_HELD, or an exit status after a message. */
int paths_expand(struct paths *paths, const struct sim_options *options);
/* Where a scenario is expected: true after a message when it is a bundle. */
bool paths_refuse_bundle(const char *path);
void paths_free(struct paths *paths);

#endif
