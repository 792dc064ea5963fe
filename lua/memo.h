/* A scenario file: its text, and what was learnt from it; a type for the files that read it. */
#ifndef LUA_MEMO_H
#define LUA_MEMO_H

#include "lua/settings/parameters.h"
#include "lua/settings/settings.h"
#include "lua/text/helpers.h"

/* The settings are needed before the world that the script lives in begins;
 * they are the same for every seed, so the file is asked once. */
struct scenario_memo {
  bool known;
  struct settings settings;
  struct params params; /* what is set, and what the variant sets */
  struct variants variants;
  struct sim_choice_table *choices; /* of the settings; NULL: chance decides */
};

struct scenario_file {
  char *path;
  char *text;
  size_t size;
  struct helpers *helpers;
  struct params set;
  char variant[SCENARIO_VARIANT_BYTES];
  char *label;                /* NULL: the path */
  struct scenario_memo *memo; /* filled in behind a const file */
};

#endif
