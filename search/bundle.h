/* A bundle: a folder from which one failing run can be repeated anywhere.
 *
 *   scenario.lua  the scenario as it was
 *   helpers/      the files that it requires, if it does
 *   manifest      key=value lines: what failed, how to repeat it, by which build
 *   choices       recording of every decision (absent when the run could not be recorded)
 *   history       lines of text
 */
#ifndef SEARCH_BUNDLE_H
#define SEARCH_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lua/scenario.h"

#define BUNDLE_FORMAT 2u
#define BUNDLE_PATH_BYTES 512u

struct bundle {
  char scenario[SCENARIO_TITLE_BYTES];
  char path[512]; /* where the scenario was read from */
  uint64_t seed;
  uint64_t trace_hash;
  char verdict[32];
  char property[64];
  char build[32];
  char command[1280];
  char variant[SCENARIO_VARIANT_BYTES]; /* may be empty */
  struct params set;                    /* parameters from outside */
};

/* Writes FOLDER/NAME of a bundle into `path`. false: it is too long. */
bool bundle_path(char *path, size_t size, const char *folder, const char *name);
/* Creates a folder with its parents; one that is there is emptied of the files
 * of an older bundle. false with errno. */
bool bundle_create(const char *folder);
/* Writes manifest, scenario.lua, helpers and history, in this order: what was left half
 * written is a bundle too, and no scenario. false with errno. */
bool bundle_write(const char *folder, const struct bundle *bundle, const struct scenario_file *file,
                  const char *history);
/* Reads the manifest. false and a message when it is none. */
bool bundle_read(const char *folder, struct bundle *bundle, char *error, size_t error_size);
bool bundle_is(const char *path); /* a folder with a manifest of a bundle, of whatever format */

#endif
