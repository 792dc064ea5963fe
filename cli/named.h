/* One scenario as a command line names it: FILE, or FILE#VARIANT, with parameters that --set sets. */
#ifndef CLI_NAMED_H
#define CLI_NAMED_H

#include <stdbool.h>
#include <stddef.h>

#include "lua/scenario.h"
#include "lua/text/params.h"

/* --set NAME=VALUE of every command that reads scenarios. */
#define OPTION_SET 1004
#define OPTIONS_OF_SCENARIOS                                                                                           \
  { "set", required_argument, NULL, OPTION_SET }
/* Takes its value, or prints what is wrong with it. */
bool option_set(const char *value, struct params *set);

/* Where the name of the variant begins, behind the last # of a path that is no file by itself; NULL: there is
 * none. */
const char *named_variant(const char *argument);
/* Reads it. NULL after a message. */
struct scenario_file *named_open(const char *argument, const struct params *set);
/* Whether a run can begin: false after a message when the file has variants, and none was named. */
bool named_one(const struct scenario_file *file, const struct scenario_info *info);
/* Those of one file that has variants, in the order of their names, into *files (free it, and them). 0: it has
 * none, or cannot be asked (a suite tells why); SIZE_MAX: no memory. */
size_t named_variants(struct sim *sim, const struct scenario_file *file, struct scenario_file ***files);
/* Whether it may have variants: only then it needs to be asked. */
bool named_may_vary(const struct scenario_file *file);

#endif
