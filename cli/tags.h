/* --tag: those of the scenarios that have one of these tags. */
#ifndef CLI_TAGS_H
#define CLI_TAGS_H

#include <stdbool.h>

#include "cli/paths.h"

#define TAGS_MAX 16u

struct tags { /* zero: none, which is all scenarios */
  const char *words[TAGS_MAX];
  unsigned count;
};
/* Takes the value of one --tag; false after a message. */
bool tags_take(struct tags *tags, const char *value);
/* Leaves in `paths` what has one of the tags; and what cannot say, for whoever runs it will. EXIT_HELD, or an exit
 * status after a message, as when nothing has the tag. */
int tags_select(const struct tags *tags, struct paths *paths, const struct sim_options *options);

#endif
